//! The decisions: who is answered, with which group. No pointers, no C.
#![forbid(unsafe_code)]

use std::path::Path;

use snapshot::{
    SnapshotFile, UidRange, split_login_name,
    users::{Flags, Reader, User},
};

use crate::{
    kept::{self, Kept},
    local::is_local,
    sys::{self, Shared},
};

/// The files that answers are made from.
#[derive(Debug, Clone, Copy)]
pub struct Paths<'a> {
    /// Root's uid range.
    pub uid_range: &'a Path,
    /// The snapshot of users.
    pub users: &'a Path,
    /// The copy of it that may be mapped.
    pub copy: &'a Path,
    /// The host's accounts.
    pub passwd: &'a Path,
    /// The host's groups.
    pub group: &'a Path,
}

impl Paths<'static> {
    /// Where they are on a bastion.
    #[must_use]
    pub fn system() -> Self {
        Self {
            uid_range: Path::new(snapshot::UID_RANGE_PATH),
            users: Path::new(snapshot::USERS_PATH),
            copy: Path::new(snapshot::USERS_COPY_PATH),
            passwd: Path::new("/etc/passwd"),
            group: Path::new("/etc/group"),
        }
    }
}

/// A user that may be answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Found {
    /// The user.
    pub user: User,
    /// Its primary group.
    pub gid: u32,
}

/// No user.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Failure {
    /// There is certainly no such user here.
    NotFound,
    /// Nobody can say: an `errno`.
    Unavailable(i32),
    /// The caller's buffer is too small.
    TooSmall,
}

/// Where an enumeration stands: behind the user with the uid before `uid`.
///
/// It survives the replacement of the snapshot between two calls, because it is a uid; `number` only saves the search.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Cursor {
    /// The lowest uid not yet listed.
    pub uid: u32,
    /// The number of the record where that is probably found.
    pub number: u32,
}

/// The user with this login name, which may carry a target (`alice@dev@web1`).
///
/// # Errors
/// [`Failure::NotFound`] without a look at any file if the name cannot be ours.
#[inline]
pub(crate) fn by_name(
    paths: &Paths<'_>,
    kept: &Shared<Kept>,
    name: &[u8],
) -> Result<Found, Failure> {
    let login = split_login_name(name).ok_or(Failure::NotFound)?;
    let answer = |kept: Option<&Kept>| {
        let range = range_of(paths, kept)?;
        let user = match kept.and_then(Kept::users) {
            Some(reader) => reader.by_name(&login.user),
            None => open(paths)?.by_name(&login.user),
        };
        let user = user.map_err(unavailable)?.ok_or(Failure::NotFound)?;
        answer(paths, kept, &range, user)
    };
    kept::ask(kept, paths, sys::milliseconds(), |kept| answer(Some(kept)))
        .unwrap_or_else(|| answer(None))
}

/// The user with this uid.
///
/// # Errors
/// [`Failure::NotFound`] without a look at the snapshot if the uid lies outside root's range.
#[inline]
pub(crate) fn by_uid(paths: &Paths<'_>, kept: &Shared<Kept>, uid: u32) -> Result<Found, Failure> {
    let answer = |kept: Option<&Kept>| {
        let range = range_of(paths, kept)?;
        if !range.contains(uid) {
            return Err(Failure::NotFound);
        }
        let user = match kept.and_then(Kept::users) {
            Some(reader) => reader.by_uid(uid),
            None => open(paths)?.by_uid(uid),
        };
        let user = user.map_err(unavailable)?.ok_or(Failure::NotFound)?;
        answer(paths, kept, &range, user)
    };
    kept::ask(kept, paths, sys::milliseconds(), |kept| answer(Some(kept)))
        .unwrap_or_else(|| answer(None))
}

/// The next user of an enumeration, and where it stands then.
///
/// # Errors
/// [`Failure::NotFound`] at the end, and at once if root's file does not allow enumeration.
pub fn next(paths: &Paths<'_>, cursor: Cursor) -> Result<(Found, Cursor), Failure> {
    let range = load_range(paths)?;
    if !range.enumerate() {
        return Err(Failure::NotFound);
    }
    let reader = open(paths)?;
    let first = resume(&reader, cursor.uid.max(range.first()), cursor.number)?;
    for number in first..reader.count() {
        let user = reader.record(number).map_err(unavailable)?;
        if user.uid() > range.last() {
            break;
        }
        match answer(paths, None, &range, user) {
            Ok(found) => {
                let cursor = Cursor {
                    uid: user.uid().saturating_add(1),
                    number: number.saturating_add(1),
                };
                return Ok((found, cursor));
            }
            Err(Failure::NotFound) => {}
            Err(failure) => return Err(failure),
        }
    }
    Err(Failure::NotFound)
}

/// The number of the first record from `uid` on, which is `hint` unless the snapshot has been replaced.
fn resume(reader: &Reader<SnapshotFile>, uid: u32, hint: u32) -> Result<u32, Failure> {
    let below = |number: u32| Ok(reader.record(number).map_err(unavailable)?.uid() < uid);
    if hint > 0 && hint < reader.count() && below(hint.saturating_sub(1))? && !below(hint)? {
        return Ok(hint);
    }
    reader.first_from(uid).map_err(unavailable)
}

fn range_of(paths: &Paths<'_>, kept: Option<&Kept>) -> Result<UidRange, Failure> {
    kept.and_then(Kept::range)
        .map_or_else(|| load_range(paths), |range| Ok(*range))
}

fn load_range(paths: &Paths<'_>) -> Result<UidRange, Failure> {
    UidRange::load(paths.uid_range).map_err(|error| Failure::Unavailable(error.errno()))
}

fn open(paths: &Paths<'_>) -> Result<Reader<SnapshotFile>, Failure> {
    SnapshotFile::open(paths.users)
        .and_then(Reader::new)
        .map_err(unavailable)
}

fn unavailable(error: snapshot::Error) -> Failure {
    Failure::Unavailable(error.errno())
}

/// What the snapshot may make others believe: a uid in root's range under a name that is not the host's.
fn answer(
    paths: &Paths<'_>,
    kept: Option<&Kept>,
    range: &UidRange,
    user: User,
) -> Result<Found, Failure> {
    if !range.contains(user.uid()) {
        return Err(Failure::NotFound);
    }
    if !kept.is_some_and(|kept| kept.is_surely_not_local(user.name(), user.uid())) {
        let local = is_local(
            user.name().as_bytes(),
            user.uid(),
            paths.passwd,
            paths.group,
        );
        if local.map_err(|error| Failure::Unavailable(error.raw_os_error().unwrap_or(libc::EIO)))? {
            return Err(Failure::NotFound);
        }
    }
    let gid = if user.flags().contains(Flags::MFA_AT_LOGIN) {
        range.mfa_gid()
    } else {
        range.users_gid()
    };
    Ok(Found { user, gid })
}
