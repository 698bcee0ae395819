//! Finds a kept connection and has its client open the session's channel.
#![forbid(unsafe_code)]

use super::Wanted;
use crate::egress::channel::{Meanwhile, Opening, Turn};
use crate::egress::child::Streams;
use crate::egress::lease::{Answer, Lease, Terms, Word};
use crate::egress::mux::Wish;
use crate::egress::{Channel, Child, ChildError};
use jms::paths::Paths;
use jms::warm::{CHANNEL, LEASE, Place};
use std::time::{Duration, Instant};

/// A keeper answers at once, or is frozen.
const ANSWER: Duration = Duration::from_millis(500);
/// So long assets may take to open a channel, on all connections that serve together; the slowest lines need three seconds.
const OPENING: Duration = Duration::from_secs(5);
/// The client's end is seen at once when its keeper has ended it.
const ENDING: Duration = Duration::from_secs(2);

/// What came of looking for a kept connection.
pub enum Found {
    /// The session's channel, on the connection of this id; no byte of it was read.
    Channel(Box<Child>, String),
    /// There is none that could be used, and one may be made.
    None,
    /// One is just being made for another session.
    Coming,
}

/// Looks for a connection that serves, and opens a channel on it. `meanwhile`: what else may happen.
///
/// Nothing that was asked for is asked for twice: a client says that a channel is open before it sends the request, so
/// where it has said nothing and is gone, the request never went out.
///
/// # Errors
/// [`ChildError`] when there are no pipes or terminals.
pub fn attach(
    paths: &Paths,
    wanted: &Wanted,
    wish: &Wish<'_>,
    streams: Streams<'_>,
    terms: Terms,
    meanwhile: &Meanwhile<'_>,
) -> Result<Found, ChildError> {
    let mut coming = false;
    let until = Instant::now() + OPENING;
    for place in Place::all(paths)
        .into_iter()
        .filter(|place| place.is(&wanted.identity))
    {
        let Ok(lease) = Lease::connect(&place.file(LEASE)) else {
            continue;
        };
        let kept = match lease.ask(Word::Attach(terms), ANSWER) {
            Answer::Yes(kept) => kept,
            answer => {
                coming |= matches!(answer, Answer::NotYet);
                continue;
            }
        };
        let channel = place.file(CHANNEL);
        let child = Child::over(streams, |standard| {
            let whose = (channel.as_path(), wanted.uid);
            Channel::ask(whose, wish, standard, (kept, lease), Turn::Later).map_err(Gone::from)
        });
        let mut child = match child {
            Ok(child) => child,
            // It has just ended, or takes nobody any more.
            Err(Gone::Channel) => continue,
            Err(Gone::Child(error)) => return Err(error),
        };
        match child.await_opening(until, meanwhile) {
            // What has happened is seen to where all of it is seen to.
            Opening::Open | Opening::Disturbed => {
                return Ok(Found::Channel(Box::new(child), place.id));
            }
            Opening::Refused | Opening::Gone => {}
            Opening::Late => {
                child.give_up();
                match child.await_opening(Instant::now() + ENDING, &Meanwhile::NOTHING) {
                    Opening::Gone | Opening::Refused => {}
                    // Others use it, and may go on: so does the session, which waits as it would for a slow asset.
                    Opening::Open | Opening::Late | Opening::Disturbed => {
                        return Ok(Found::Channel(Box::new(child), place.id));
                    }
                }
            }
        }
    }
    Ok(match coming {
        true => Found::Coming,
        false => Found::None,
    })
}

enum Gone {
    Channel,
    Child(ChildError),
}

impl From<ChildError> for Gone {
    fn from(error: ChildError) -> Self {
        Self::Child(error)
    }
}

impl From<nix::errno::Errno> for Gone {
    fn from(_: nix::errno::Errno) -> Self {
        Self::Channel
    }
}
