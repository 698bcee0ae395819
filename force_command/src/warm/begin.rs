//! Begins a connection that stays: its folder and sockets, and the process that keeps it.

use super::Wanted;
use super::keeper::{Keeping, keep};
use super::room::{Limits, who_may_go};
use crate::confinement::Listener;
use crate::control::Control;
use crate::egress::child::Plan;
use crate::egress::lease::{Answer, FAILED, Lease, STARTED, Terms, Word};
use crate::sys::{self, Forked};
use jms::id::Id;
use jms::paths::Paths;
use jms::settings::Egress;
use jms::warm::{ABOUT, About, CHANNEL, LEASE, Place};
use nix::errno::Errno;
use nix::fcntl::{Flock, FlockArg};
use nix::sys::socket::{
    AddressFamily, Backlog, SockFlag, SockType, UnixAddr, bind, listen, socket, socketpair,
};
use std::fmt::{self, Display};
use std::fs::{DirBuilder, File, OpenOptions};
use std::io::{self, Write};
use std::os::fd::{AsRawFd, OwnedFd};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::Path;
use std::time::{Duration, Instant};

/// So long everybody waits who makes room for a connection, for the lock and for keepers together.
const ROOM: Duration = Duration::from_secs(1);
/// Between attempts to get the lock.
const AGAIN: Duration = Duration::from_millis(5);
/// So long the start of a client may take.
const START: Duration = Duration::from_secs(20);
/// An hour.
const LONGEST: u32 = 3600;

/// What is to be kept.
pub struct Plans<'a> {
    /// As what it is found.
    pub wanted: &'a Wanted,
    /// The client.
    pub plan: &'a Plan<'a>,
    /// For how long, and how many.
    pub settings: &'a Egress,
    /// What is written of it.
    pub about: About,
    /// On what the first session uses it.
    pub terms: Terms,
    /// Whether the kernel has Landlock.
    pub landlock: bool,
    /// How events are written.
    pub format: event::Format,
}

/// A connection that is being made; the first session has its lease.
pub struct Begun {
    /// Its folder.
    pub place: Place,
    /// The session's.
    pub lease: Lease,
    /// The client's process, and where it asks for its connections.
    pub client: (i32, Listener),
    /// Readable when the client has ended.
    pub gone: OwnedFd,
    /// The socket at which sessions come to the client.
    pub door: OwnedFd,
}

/// Why none was begun.
#[derive(Debug)]
pub enum NotBegun {
    /// There are as many as there may be, and all are in use.
    Full,
    /// Something of the bastion is out of order.
    Failed(String),
}

impl Display for NotBegun {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Full => f.write_str("there are too many kept connections"),
            Self::Failed(why) => write!(f, "a connection cannot be kept: {why}"),
        }
    }
}

fn failed(error: impl Display) -> NotBegun {
    NotBegun::Failed(error.to_string())
}

/// Makes folder, sockets and keeper, which starts the client. To be called before a secret is in memory, so that the
/// keeper has none.
///
/// # Errors
/// [`NotBegun`]; then nothing is left.
pub fn begin(paths: &Paths, plans: Plans<'_>) -> Result<Begun, NotBegun> {
    let id = Id::random().map_err(failed)?;
    let place = Place::of(paths, &plans.wanted.identity, &id);
    let (control, sockets) = room(paths, &place, &id, plans.settings)?;
    let remove = Removal(Some(place.path()));
    let flags = SockFlag::SOCK_CLOEXEC | SockFlag::SOCK_NONBLOCK;
    let (near, far) =
        socketpair(AddressFamily::Unix, SockType::SeqPacket, None, flags).map_err(failed)?;
    let Sockets { leases, door } = sockets;
    let stays = Duration::from_secs(plans.settings.warm_seconds.min(LONGEST).into());
    let forked = sys::fork().map_err(failed)?;
    let keeper = match forked {
        Forked::Child => keep(Keeping {
            paths,
            place: &place,
            plan: plans.plan,
            about: &plans.about,
            control,
            leases,
            first: far,
            stays,
            terms: plans.terms,
            landlock: plans.landlock,
            format: plans.format,
        }),
        Forked::Parent(pid) => pid,
    };
    drop((far, leases));
    // The name of the control socket is the keeper's.
    control.leave();
    let lease = Lease::new(near);
    let client = started(&lease)?;
    let gone = sys::pidfd(client.0).map_err(failed)?;
    let about = About {
        id: id.to_string(),
        keeper_pid: keeper,
        ..plans.about
    };
    write_about(&place, &about).map_err(failed)?;
    remove.forget();
    Ok(Begun {
        place,
        lease,
        client,
        gone,
        door,
    })
}

/// What the keeper says of its client.
fn started(lease: &Lease) -> Result<(i32, Listener), NotBegun> {
    let Some((said, listener)) = lease.hear(START) else {
        return Err(failed("its keeper does not answer"));
    };
    match (said.split_first(), listener) {
        (Some((&STARTED, pid)), Some(listener)) => {
            let pid = pid.try_into().map(i32::from_ne_bytes).map_err(failed)?;
            Ok((pid, Listener::new(listener)))
        }
        (Some((&FAILED, why)), _) => Err(failed(String::from_utf8_lossy(why))),
        _ => Err(failed("its keeper is not understood")),
    }
}

struct Sockets {
    leases: OwnedFd,
    door: OwnedFd,
}

/// Removes the folder unless it is told to forget it.
struct Removal<'a>(Option<&'a Path>);

impl Removal<'_> {
    fn forget(mut self) {
        self.0 = None;
    }
}

impl Drop for Removal<'_> {
    fn drop(&mut self) {
        if let Some(path) = self.0 {
            let _ = std::fs::remove_dir_all(path);
        }
    }
}

/// Makes the folder and its sockets if there is room for one more: others that nobody uses make it, the oldest first.
fn room(
    paths: &Paths,
    place: &Place,
    id: &Id,
    settings: &Egress,
) -> Result<(Control, Sockets), NotBegun> {
    if let Err(error) = make_folder(&paths.warm())
        && error.kind() != io::ErrorKind::AlreadyExists
    {
        return Err(failed(error));
    }
    let mut options = OpenOptions::new();
    options.write(true).create(true).mode(0o600);
    let file = options.open(paths.warm().join("lock")).map_err(failed)?;
    let end = Instant::now() + ROOM;
    // Of two that want the last place, one gets it.
    let lock = lock(file, end)?;
    let made = make_room(paths, place.uid, settings, end)
        .and_then(|()| make(paths, place, id).map_err(failed));
    let _: Result<File, _> = lock.unlock();
    made
}

/// It is everybody's: whoever holds it may be frozen, and nobody's session waits for that.
fn lock(mut file: File, end: Instant) -> Result<Flock<File>, NotBegun> {
    loop {
        match Flock::lock(file, FlockArg::LockExclusiveNonblock) {
            Ok(lock) => return Ok(lock),
            Err((given_back, Errno::EWOULDBLOCK)) if Instant::now() < end => file = given_back,
            Err((_, Errno::EWOULDBLOCK)) => {
                return Err(failed("another session has been making room for a second"));
            }
            Err((_, errno)) => return Err(failed(errno)),
        }
        std::thread::sleep(AGAIN);
    }
}

fn make_room(paths: &Paths, uid: u32, settings: &Egress, end: Instant) -> Result<(), NotBegun> {
    let mut all = Place::all(paths);
    loop {
        let uids: Vec<u32> = all.iter().map(|place| place.uid).collect();
        let Some(may_go) = who_may_go(&uids, uid, Limits::from(settings)) else {
            return Ok(());
        };
        let ends = |place: &usize| all.get(*place).is_some_and(|place| ends(place, end));
        let ended = may_go.into_iter().find(ends);
        match ended {
            Some(place) => drop(all.remove(place)),
            // A wait is counted in whole milliseconds, and ends a bit too early.
            None if end <= Instant::now() + AGAIN => {
                return Err(failed("those that there are do not say whether they end"));
            }
            None => return Err(NotBegun::Full),
        }
    }
}

/// Whether the connection is over, or ends now because nobody uses it. Nothing is waited for after `end`.
fn ends(place: &Place, end: Instant) -> bool {
    let left = end.saturating_duration_since(Instant::now());
    if left.is_zero() {
        return false;
    }
    match Lease::connect(&place.file(LEASE)) {
        Ok(lease) => matches!(lease.ask(Word::EndIfIdle, left), Answer::Yes(_)),
        Err(Errno::ECONNREFUSED | Errno::ENOENT) => {
            let _ = std::fs::remove_dir_all(place.path());
            true
        }
        // It cannot be asked now.
        Err(_) => false,
    }
}

fn make_folder(path: &Path) -> io::Result<()> {
    DirBuilder::new().mode(0o700).create(path)
}

fn make(paths: &Paths, place: &Place, id: &Id) -> io::Result<(Control, Sockets)> {
    // First: a folder without a control socket is swept.
    let control = Control::listen(paths, id)?;
    make_folder(place.path())?;
    let remove = Removal(Some(place.path()));
    let listening = |name: &str, kind: SockType, flags: SockFlag| -> Result<OwnedFd, Errno> {
        let made = socket(
            AddressFamily::Unix,
            kind,
            SockFlag::SOCK_CLOEXEC | flags,
            None,
        )?;
        bind(made.as_raw_fd(), &UnixAddr::new(&place.file(name))?)?;
        listen(&made, Backlog::new(64)?)?;
        Ok(made)
    };
    let sockets = Sockets {
        leases: listening(LEASE, SockType::SeqPacket, SockFlag::SOCK_NONBLOCK)?,
        door: listening(CHANNEL, SockType::Stream, SockFlag::empty())?,
    };
    remove.forget();
    Ok((control, sockets))
}

fn write_about(place: &Place, about: &About) -> io::Result<()> {
    let text = serde_json::to_vec(about)?;
    let mut options = OpenOptions::new();
    options.write(true).create_new(true).mode(0o600);
    let half = place.file("about.new");
    options.open(&half)?.write_all(&text)?;
    std::fs::rename(half, place.file(ABOUT))
}
