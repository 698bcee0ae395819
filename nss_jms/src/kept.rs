//! What is kept between two questions of a process, and looked at anew after a second.
//!
//! Root's uid range, a short note of the host's own names, and the copy of the snapshot in memory. Each is kept with the state
//! (`stat(2)`) of the file that it was made from. When a second has passed, the next question compares these and reads anew what has
//! changed; until then a question is answered without a system call. What is not here (because it cannot be had, or somebody
//! else is at it) is read from its file for each question.
#![forbid(unsafe_code)]

use std::{
    fs::{self, Metadata},
    io,
    os::unix::fs::MetadataExt,
    path::Path,
};

use snapshot::{Identity, UidRange, UserName, users::Reader};

use crate::{
    local::Note,
    lookup::Paths,
    sys::{Copy, Shared},
};

/// How long an answer may be old, in milliseconds.
const PERIOD: u64 = 1000;

/// A file's state: another one is another content.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct State {
    device: u64,
    inode: u64,
    length: u64,
    changed: (i64, i64),
}

impl State {
    fn of(metadata: &Metadata) -> Self {
        Self {
            device: metadata.dev(),
            inode: metadata.ino(),
            length: metadata.len(),
            changed: (metadata.ctime(), metadata.ctime_nsec()),
        }
    }

    fn at(metadata: io::Result<Metadata>) -> Option<Self> {
        metadata.ok().as_ref().map(Self::of)
    }
}

/// See the module's page.
#[derive(Debug)]
pub(crate) struct Kept {
    /// When the files were looked at: [`crate::sys::milliseconds`]. `None`: never.
    looked: Option<u64>,
    range: Option<(State, UidRange)>,
    local: Option<[Option<State>; 2]>,
    note: Note,
    users: Option<(Identity, Reader<Copy>)>,
}

impl Kept {
    pub(crate) const fn new() -> Self {
        Self {
            looked: None,
            range: None,
            local: None,
            note: Note::new(),
            users: None,
        }
    }

    /// Root's uid range.
    pub(crate) fn range(&self) -> Option<&UidRange> {
        self.range.as_ref().map(|(_, range)| range)
    }

    /// The snapshot of users.
    pub(crate) fn users(&self) -> Option<&Reader<Copy>> {
        self.users.as_ref().map(|(_, reader)| reader)
    }

    /// Whether the host has neither this name nor this uid. If this is false, the files have to be asked.
    pub(crate) fn is_surely_not_local(&self, name: &UserName, uid: u32) -> bool {
        self.local.is_some() && !self.note.may_have(name.as_bytes(), uid)
    }

    #[inline]
    fn is_fresh(&self, now: u64) -> bool {
        self.looked
            .is_some_and(|looked| now.wrapping_sub(looked) < PERIOD)
    }

    /// Looks at all files, and reads anew what has changed.
    fn look(&mut self, paths: &Paths<'_>, now: u64) {
        self.look_at_range(paths);
        self.look_at_local(paths);
        self.look_at_users(paths);
        self.looked = Some(now);
    }

    fn look_at_range(&mut self, paths: &Paths<'_>) {
        if let Some((state, _)) = self.range
            && State::at(fs::symlink_metadata(paths.uid_range)) == Some(state)
        {
            return;
        }
        // The state is older than what is read: a change in between is seen the next time.
        self.range = UidRange::load_with_state(paths.uid_range)
            .ok()
            .map(|(range, metadata)| (State::of(&metadata), range));
    }

    fn look_at_local(&mut self, paths: &Paths<'_>) {
        if let Some(states) = self.local
            && [paths.passwd, paths.group].map(|path| State::at(fs::metadata(path))) == states
        {
            return;
        }
        self.local = self
            .note
            .take(paths.passwd, paths.group)
            .ok()
            .map(|states| states.map(|metadata| metadata.as_ref().map(State::of)));
    }

    fn look_at_users(&mut self, paths: &Paths<'_>) {
        let published = published(paths.users);
        let identity = published.as_ref().map(Identity::of);
        if self.users.as_ref().map(|(identity, _)| *identity) == identity && identity.is_some() {
            return;
        }
        // Before another one comes: at no time are there two.
        self.users = None;
        let reader = published.and_then(|file| Reader::new(Copy::open(paths.copy, &file)?).ok());
        self.users = identity.zip(reader);
    }

    #[cfg(test)]
    pub(crate) fn forget_when(&mut self) {
        self.looked = None;
    }
}

/// The published snapshot, if it is a file that would be read: the same conditions as [`snapshot::SnapshotFile::open`]'s.
fn published(path: &Path) -> Option<Metadata> {
    let folder = fs::symlink_metadata(path.parent()?).ok()?;
    let file = fs::symlink_metadata(path).ok()?;
    (folder.is_dir() && file.is_file() && file.mode() & 0o002 == 0).then_some(file)
}

/// Asks what is kept, if it is or can be brought up to date without waiting for anybody.
#[inline]
pub(crate) fn ask<T>(
    shared: &Shared<Kept>,
    paths: &Paths<'_>,
    now: Option<u64>,
    question: impl FnOnce(&Kept) -> T,
) -> Option<T> {
    let now = now?;
    if let Some(kept) = shared.read()
        && kept.is_fresh(now)
    {
        return Some(question(&kept));
    }
    let mut kept = shared.change()?;
    if !kept.is_fresh(now) {
        kept.look(paths, now);
    }
    Some(question(&kept))
}
