//! The first thing that runs: is this process who it should be, and can it be nobody else?
//!
//! `pam_jms.so` has dropped root before exec; here nothing is believed of that.

use std::fmt;
use std::os::fd::AsFd;
use std::os::unix::fs::MetadataExt;

use caps::CapSet;
use jms::paths::{Paths, SERVICE_USER};
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::prctl;
use nix::sys::resource::{Resource, setrlimit};
use nix::sys::stat::{Mode, umask};
use nix::unistd::{Gid, ResGid, ResUid, Uid, alarm, getgroups, getresgid, getresuid};

/// Seconds that one question may take; pam_jms.so waits for five.
const TIME_LIMIT: u32 = 4;

/// Seconds that a person may take to type; sshd's LoginGraceTime is shorter unless somebody has switched it off.
const PATIENCE: u32 = 600;

/// A person types: the clock runs slower.
pub fn wait_for_person() {
    alarm::set(PATIENCE);
}

/// The person has typed: the time for our own work begins anew.
pub fn work_again() {
    alarm::set(TIME_LIMIT);
}

/// Seconds from a yes to the next question about the same login; sshd has nothing to do between them but to go on.
const NEXT: u16 = 10;

/// Waits for the next question. False: none came, and nobody is kept waiting by our going.
#[must_use]
pub fn wait_for_question() -> bool {
    alarm::set(u32::from(NEXT).saturating_add(TIME_LIMIT));
    let input = std::io::stdin();
    let mut socket = [PollFd::new(input.as_fd(), PollFlags::POLLIN)];
    let came = poll(&mut socket, PollTimeout::from(NEXT.saturating_mul(1000)));
    work_again();
    matches!(came, Ok(count) if count > 0)
}

/// Why nothing is answered.
#[derive(Debug)]
pub enum ConfineError {
    /// There is no user `jms`.
    NoServiceUser,
    /// The process runs as somebody else.
    WrongUser(ResUid),
    /// The process runs with another group.
    WrongGroup,
    /// Capabilities are left, or cannot be looked at.
    Capabilities(String),
    /// The kernel did not do what it was told.
    System(&'static str, nix::Error),
}

impl fmt::Display for ConfineError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoServiceUser => {
                write!(f, "there is no user {SERVICE_USER}; reinstall the package")
            }
            Self::WrongUser(uids) => write!(
                f,
                "this program is started by pam_jms.so as the user {SERVICE_USER}, not by hand (uids {}, {}, {})",
                uids.real, uids.effective, uids.saved
            ),
            Self::WrongGroup => write!(
                f,
                "this program must have the group of {SERVICE_USER} and no other"
            ),
            Self::Capabilities(what) => write!(f, "capabilities are left: {what}"),
            Self::System(what, errno) => write!(f, "{what}: {errno}"),
        }
    }
}

impl std::error::Error for ConfineError {}

impl ConfineError {
    /// A stable word for events.
    #[must_use]
    pub fn as_str(&self) -> &'static str {
        match self {
            Self::NoServiceUser => "no-service-user",
            Self::WrongUser(_) => "wrong-user",
            Self::WrongGroup => "wrong-group",
            Self::Capabilities(_) => "capabilities-left",
            Self::System(..) => "system",
        }
    }
}

/// Checks who we are, gives up all that could make us more, and sets the clock that ends us.
///
/// # Errors
/// Then nothing may be answered.
pub fn confine() -> Result<(), ConfineError> {
    let system = |what| move |errno| ConfineError::System(what, errno);
    alarm::set(TIME_LIMIT);
    umask(Mode::from_bits_truncate(0o077));
    let service = service_user().ok_or(ConfineError::NoServiceUser)?;
    let ResUid {
        real,
        effective,
        saved,
    } = getresuid().map_err(system("getresuid"))?;
    if real.is_root() || [real, effective, saved] != [service.uid; 3] {
        return Err(ConfineError::WrongUser(ResUid {
            real,
            effective,
            saved,
        }));
    }
    let ResGid {
        real,
        effective,
        saved,
    } = getresgid().map_err(system("getresgid"))?;
    let groups = getgroups().map_err(system("getgroups"))?;
    if [real, effective, saved] != [service.gid; 3]
        || groups.iter().any(|group| *group != service.gid)
    {
        return Err(ConfineError::WrongGroup);
    }
    prctl::set_no_new_privs().map_err(system("forbidding new privileges"))?;
    prctl::set_dumpable(false).map_err(system("forbidding core dumps"))?;
    setrlimit(Resource::RLIMIT_CORE, 0, 0).map_err(system("forbidding core files"))?;
    give_up_capabilities()
}

/// Uid and gid of a service account.
struct Account {
    uid: Uid,
    gid: Gid,
}

/// The account `jms`. It is the host's own, and this program is linked without a dynamic loader, so it reads root's file and
/// asks no name service; where an administrator keeps the account elsewhere, the owner of the state folder is meant, whom
/// the package has looked up.
fn service_user() -> Option<Account> {
    if let Ok(text) = std::fs::read("/etc/passwd")
        && let Some(account) = account_in(&text)
    {
        return Some(account);
    }
    let folder = std::fs::symlink_metadata(Paths::system().state()).ok()?;
    (folder.is_dir() && folder.uid() != 0).then(|| Account {
        uid: Uid::from_raw(folder.uid()),
        gid: Gid::from_raw(folder.gid()),
    })
}

/// From its line of passwd(5): `jms:x:UID:GID:…`.
fn account_in(passwd: &[u8]) -> Option<Account> {
    let mut lines = passwd.split(|byte| *byte == b'\n');
    let fields = lines.find_map(|line| {
        let mut fields = line.split(|byte| *byte == b':');
        (fields.next() == Some(SERVICE_USER.as_bytes())).then_some(fields)
    })?;
    let mut numbers = fields
        .skip(1)
        .map(|field| str::from_utf8(field).ok()?.parse().ok());
    Some(Account {
        uid: Uid::from_raw(numbers.next()??),
        gid: Gid::from_raw(numbers.next()??),
    })
}

/// The bounding set needs a capability to change, and means nothing without new privileges.
fn give_up_capabilities() -> Result<(), ConfineError> {
    for set in [
        CapSet::Ambient,
        CapSet::Inheritable,
        CapSet::Effective,
        CapSet::Permitted,
    ] {
        let wrong = |what: String| ConfineError::Capabilities(format!("{set:?}: {what}"));
        caps::clear(None, set).map_err(|error| wrong(error.to_string()))?;
        let left = caps::read(None, set).map_err(|error| wrong(error.to_string()))?;
        if !left.is_empty() {
            return Err(wrong(format!("{left:?}")));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::account_in;

    #[test]
    fn the_accounts_own_line_is_read_and_no_other() {
        let passwd = b"root:x:0:0:root:/root:/bin/bash\njmsx:x:1:1::/:\njms:x:101:103::/var/lib/jms:/usr/sbin/nologin\njms:x:7:7::/:\n";
        let account = account_in(passwd).unwrap();
        assert_eq!((account.uid.as_raw(), account.gid.as_raw()), (101, 103));
        for none in [
            "",
            "jms",
            "jms:x",
            "jms:x:101",
            "jms:x:-1:1::/:",
            "jms:x:101:x::/:",
            "jms:x:99999999999:1::/:",
            "xjms:x:1:1::/:\n#jms:x:1:1::/:",
        ] {
            assert!(account_in(none.as_bytes()).is_none(), "{none}");
        }
    }
}
