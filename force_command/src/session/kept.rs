//! Whether a session's connection may be one that stays, and which one serves.
#![forbid(unsafe_code)]

use super::Refused;
use super::open::Open;
use crate::egress::lease::Terms;
use crate::egress::mux::Wish;
use crate::egress::{Destination, Errand, Method, PROGRAM};
use crate::identity::Identity;
use crate::message::Trouble;
use crate::start::Start;
use crate::warm::Wanted;
use jms::paths::FORCE_COMMAND;
use jms::policy::Channel;
use jms::settings::Settings;
use jms::store::{Egress, Store};
use jms::time::Time;
use jms::warm::{self, About};
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

/// The longest command that is passed on to a client that others use as well, in bytes: it must fit into one socket.
const LONGEST: usize = 64 * 1024;

/// The connection that the session would use, if it is one that may stay: it leads straight to an asset that is known, and
/// nobody types anything for it.
#[must_use]
pub fn wanted(
    settings: &Settings,
    start: &Start,
    egress: &Egress,
    to: &Destination,
    errand: Errand<'_>,
) -> Option<Wanted> {
    let Errand::Channel { command, .. } = errand else {
        return None;
    };
    let may_stay = settings.egress.warm_seconds > 0
        && egress.gateways.is_empty()
        && !to.host_keys.is_empty()
        && to.method != Method::Typed
        // It may have few lines, and a connection that nobody uses takes one.
        && egress.asset.limit_sessions.is_none()
        && command.is_none_or(|command| command.len() <= LONGEST);
    if !may_stay {
        return None;
    }
    let identity = identity(settings, start, egress)?;
    let uid = start.uid;
    Some(Wanted { identity, uid })
}

/// All that the connection is made of: a change of any of it, and another one is made.
fn identity(settings: &Settings, start: &Start, egress: &Egress) -> Option<warm::Identity> {
    let mut parts: Vec<Vec<u8>> = vec![
        env!("CARGO_PKG_VERSION").into(),
        file(Path::new(FORCE_COMMAND)),
        file(Path::new(OsStr::from_bytes(PROGRAM.to_bytes()))),
        jms::confinement::landlock().to_string().into_bytes(),
        serde_json::to_vec(settings).ok()?,
        start.gid.to_string().into_bytes(),
        egress.asset.id.to_string().into_bytes(),
        serde_json::to_vec(&egress.asset).ok()?,
        egress.system_user.id.to_string().into_bytes(),
        serde_json::to_vec(&egress.system_user).ok()?,
        egress.account.clone().into_bytes(),
    ];
    let credential = egress.credential.as_ref()?;
    parts.push(format!("{} {:?}", credential.id, credential.kind).into_bytes());
    parts.push(credential.sealed.clone());
    for key in &egress.host_keys {
        parts.push(key.kind.clone().into_bytes());
        parts.push(key.blob.clone());
    }
    Some(warm::Identity::of(
        start.uid,
        parts.iter().map(Vec::as_slice),
    ))
}

/// Which file it is by now: a new one comes with each upgrade.
fn file(path: &Path) -> Vec<u8> {
    let found = std::fs::metadata(path).ok();
    let found = found.map(|it| (it.dev(), it.ino(), it.ctime(), it.ctime_nsec()));
    format!("{found:?}").into_bytes()
}

/// On what the session uses a connection that stays, which is over when its user would not be let in any more.
///
/// # Errors
/// [`Refused`] when the store cannot be asked.
pub fn terms(store: &Store, identity: &Identity, session: &Open) -> Result<Terms, Refused> {
    let source = identity.login.source_address();
    let let_in = store
        .read()
        .lets_in_until(&identity.user, source, Time::now())
        .map_err(|error| Refused::because(Trouble::Store, error))?;
    let right = session.decision.limits.until;
    Ok(Terms {
        until: let_in.into_iter().chain(right).min(),
        policy: session.policy,
    })
}

/// What is written of a connection that is made for this session.
#[must_use]
pub fn about(identity: &Identity, egress: &Egress) -> About {
    About {
        id: String::new(),
        user: identity.user.name.clone(),
        login: identity.login.id.clone(),
        asset: egress.asset.name.clone(),
        address: egress.asset.address.clone(),
        port: egress.asset.port,
        system_user: egress.system_user.name.clone(),
        account: egress.account.clone(),
        keeper_pid: 0,
        since: Time::now().0,
    }
}

/// What the client of a kept connection is asked for.
#[must_use]
pub fn wish<'a>(errand: Errand<'a>, start: &'a Start, locale: &'a [(String, String)]) -> Wish<'a> {
    let (channel, command, terminal) = match errand {
        Errand::Channel {
            channel,
            command,
            terminal,
        } => (channel, command, terminal),
        _ => (Channel::Shell, None, false),
    };
    let subsystem = channel == Channel::Sftp;
    Wish {
        terminal,
        subsystem,
        term: start.environment.term.as_deref().unwrap_or_default(),
        command: match subsystem {
            true => b"sftp",
            false => command.unwrap_or_default(),
        },
        environment: locale,
    }
}
