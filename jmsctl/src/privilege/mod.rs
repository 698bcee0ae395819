//! Root on the way in, the service user for everything that parses, decides or stores.
//!
//! Trusts the kernel and root. What root names on the command line is opened first; then all ids, groups
//! and capabilities are given up, and it is checked that they are gone. Over ssh the session program starts us with
//! the user's real uid and the service user's effective one, which no other program can.
#![deny(unsafe_code)]

mod environment;
mod sys;

pub use environment::{caller_behind_sudo, sanitise};

use crate::failure::{Done, Failure};
use caps::CapSet;
use jms::paths::SERVICE_USER;
use nix::sys::prctl;
use nix::sys::resource::{Resource, setrlimit};
use nix::sys::stat::{Mode, umask};
use nix::unistd::{
    Gid, Uid, User, chdir, getgroups, getresgid, getresuid, setgroups, setresgid, setresuid,
};

/// Who called, as the kernel knows it. The environment has no say in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Caller {
    /// Root, directly or through sudo.
    Root,
    /// A user of the bastion with this real uid, through the session program.
    OverSsh(u32),
    /// Anybody else: he may read the manual.
    Nobody,
}

/// Finds out who called.
pub fn caller() -> Done<Caller> {
    let ids = getresuid().map_err(|error| Failure::io("learn", "who called", error))?;
    if ids.real.is_root() && ids.effective.is_root() {
        return Ok(Caller::Root);
    }
    // Whoever calls us directly has one uid in all three places.
    if ids.real.is_root() || ids.real == ids.effective || ids.effective != ids.saved {
        return Ok(Caller::Nobody);
    }
    if ids.effective == service_user()?.uid {
        Ok(Caller::OverSsh(ids.real.as_raw()))
    } else {
        Ok(Caller::Nobody)
    }
}

/// Whether we may administer: called by root, directly or through sudo.
pub fn require_root() -> Done {
    if Uid::current().is_root() && Uid::effective().is_root() {
        Ok(())
    } else {
        Err(Failure::NotAllowed(
            "run this as root (sudo jmsctl …)".to_owned(),
        ))
    }
}

/// The service user, as the system knows it.
pub fn service_user() -> Done<User> {
    let found = User::from_name(SERVICE_USER)
        .map_err(|error| Failure::io("look up the user", SERVICE_USER, error))?;
    let user = found.ok_or_else(|| {
        Failure::Failed(format!(
            "there is no user {SERVICE_USER}; install the package jms again, it makes one"
        ))
    })?;
    if user.uid.is_root() || user.gid.as_raw() == 0 {
        return Err(Failure::Failed(format!(
            "the user {SERVICE_USER} is root here, which it must never be; mend /etc/passwd"
        )));
    }
    Ok(user)
}

/// What holds for the whole program, before anything else happens.
pub fn settle() -> Done {
    umask(Mode::from_bits_truncate(0o077));
    let failed = |error| Failure::io("set up", "the process", error);
    setrlimit(Resource::RLIMIT_CORE, 0, 0).map_err(failed)?;
    prctl::set_no_new_privs().map_err(failed)
}

/// Becomes the service user for good.
pub fn become_service_user() -> Done {
    let user = service_user()?;
    let failed = |error: nix::Error| Failure::io("become the user", SERVICE_USER, error);
    chdir("/").map_err(failed)?;
    // The bounding set first: that needs a capability which the change of uid takes away.
    give_up(CapSet::Bounding)?;
    setgroups(&[user.gid]).map_err(failed)?;
    setresgid(user.gid, user.gid, user.gid).map_err(failed)?;
    setresuid(user.uid, user.uid, user.uid).map_err(failed)?;
    for set in [
        CapSet::Ambient,
        CapSet::Effective,
        CapSet::Inheritable,
        CapSet::Permitted,
    ] {
        give_up(set)?;
    }
    // No debugger, no core, no /proc/PID/environ for other processes of the service user.
    prctl::set_dumpable(false).map_err(failed)?;
    check(user.uid, user.gid)
}

/// Becomes the service user for good, for a user of the bastion: from then on his other processes cannot stop
/// us in the middle of a change, with the store locked. The session program has one group, the users', and
/// no capability; without either there is no way to another group, and none is needed.
pub fn become_service_user_over_ssh() -> Done {
    let uid = service_user()?.uid;
    let failed = |error: nix::Error| Failure::io("become the user", SERVICE_USER, error);
    chdir("/").map_err(failed)?;
    setresuid(uid, uid, uid).map_err(failed)?;
    prctl::set_dumpable(false).map_err(failed)?;
    let wrong = |what: &str| Failure::Failed(format!("{what}; nothing was done"));
    let ids = getresuid().map_err(failed)?;
    if [ids.real, ids.effective, ids.saved] != [uid; 3] {
        return Err(wrong("a uid of the user remained"));
    }
    for set in [CapSet::Effective, CapSet::Permitted] {
        let held = caps::read(None, set)
            .map_err(|error| Failure::io("check", "the capabilities", error))?;
        if !held.is_empty() {
            return Err(wrong(
                "there is a capability, and the session program has none",
            ));
        }
    }
    Ok(())
}

fn give_up(set: CapSet) -> Done {
    caps::clear(None, set)
        .map_err(|error| Failure::io("give up", format_args!("the {set:?} capabilities"), error))
}

/// Believes the kernel and not the absence of errors.
fn check(uid: Uid, gid: Gid) -> Done {
    let wrong = |what: &str| Failure::Failed(format!("{what} of root remained; nothing was done"));
    let failed = |error: nix::Error| Failure::io("check", "who we are", error);
    let (uids, gids) = (getresuid().map_err(failed)?, getresgid().map_err(failed)?);
    if [uids.real, uids.effective, uids.saved]
        .iter()
        .any(|one| *one != uid)
    {
        return Err(wrong("a uid"));
    }
    if [gids.real, gids.effective, gids.saved]
        .iter()
        .any(|one| *one != gid)
    {
        return Err(wrong("a gid"));
    }
    if getgroups().map_err(failed)? != [gid] {
        return Err(wrong("a group"));
    }
    for set in [
        CapSet::Ambient,
        CapSet::Bounding,
        CapSet::Effective,
        CapSet::Inheritable,
        CapSet::Permitted,
    ] {
        let kept = caps::read(None, set)
            .map_err(|error| Failure::io("check", "the capabilities", error))?;
        if !kept.is_empty() {
            return Err(wrong("a capability"));
        }
    }
    if setresuid(Uid::from_raw(0), Uid::from_raw(0), Uid::from_raw(0)).is_ok() {
        return Err(wrong("the way back to the uid"));
    }
    Ok(())
}
