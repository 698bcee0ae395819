//! `session replay`: a user watches his own session again, where the settings allow it. That he looked is an event.
//!
//! Trusts the store for which file it is, as long as it lies below the folder of recordings and says
//! itself that it is of this session. What it shows is made harmless by [`jms::replay`].
#![forbid(unsafe_code)]

use super::{Desk, NoAnswer, sessions};
use crate::message::{Message, Trouble};
use crate::relay::Descriptors;
use crate::report;
use crate::status;
use event::Type;
use jms::id::Id;
use jms::nouns::Session;
use jms::recording::Reader;
use jms::replay::{Pace, Playback, Show};
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::termios::{LocalFlags, SetArg, Termios, tcgetattr, tcsetattr};
use std::fs::File;
use std::io::Write;
use std::path::{Component, Path};
use std::time::{Duration, Instant};

/// The longest wait for something to happen.
const IDLE: Duration = Duration::from_secs(2);

/// Plays on a terminal as it happened; else prints all at once.
///
/// # Errors
/// [`NoAnswer`].
pub fn run(desk: &mut Desk<'_>, id: &str) -> Result<(), NoAnswer> {
    if !desk.settings.recording.users_may_replay {
        return Err(NoAnswer(Message::ReplayNotAllowed, status::DENIED));
    }
    let session = sessions::find(desk, id)?;
    let none = || NoAnswer(Message::NoRecording(session.id.clone()), status::BASTION);
    let reader = open(desk, &session).ok_or_else(none)?;
    let event = report::about(Type::EvidenceRead, &desk.identity.login)
        .session(session.id.as_str())
        .asset(session.asset.as_str())
        .system_user(session.system_user.as_str())
        .with("actor", desk.identity.user.name.as_str())
        .with("evidence", "recording");
    // Nobody looks without a trace.
    let kept = desk.store.emit(&event);
    kept.map_err(|_| NoAnswer(Message::Bastion(Trouble::Store), status::BASTION))?;
    play(reader, desk.has_terminal).ok_or_else(none)
}

fn open(desk: &Desk<'_>, session: &Session) -> Option<Reader<File>> {
    let below = Path::new(&session.recording);
    let inside = below
        .components()
        .all(|part| matches!(part, Component::Normal(_)));
    if session.recording.is_empty() || !inside {
        return None;
    }
    let reader = Reader::open(&desk.store.paths().recordings().join(below)).ok()?;
    (reader.session().map(Id::as_str) == Some(&session.id)).then_some(reader)
}

/// `None` when the recording turns out to be damaged.
fn play(reader: Reader<File>, has_terminal: bool) -> Option<()> {
    let pace = Pace {
        idle_limit: Some(IDLE),
        ..Pace::default()
    };
    let keys = has_terminal.then(Keys::take).flatten();
    let mut playback = Playback::new(reader, pace);
    let mut out = std::io::stdout();
    let mut write = |text: &str| out.write_all(text.as_bytes()).and_then(|()| out.flush());
    while let Some(step) = playback.next() {
        let step = step.ok()?;
        if keys
            .as_ref()
            .is_some_and(|keys| keys.quits_within(step.wait))
        {
            let _ = write(&playback.ending());
            return Some(());
        }
        // Without a terminal there is none to put back into order either.
        if let Show::Text(text) = step.show
            && write(&text).is_err()
        {
            return Some(());
        }
    }
    Some(())
}

/// The keyboard, one key at a time and unseen; as before when it goes away.
struct Keys(Termios);

impl Keys {
    fn take() -> Option<Self> {
        let input = Descriptors::standard().input;
        let modes = tcgetattr(input).ok()?;
        let mut quiet = modes.clone();
        quiet.local_flags -= LocalFlags::ICANON | LocalFlags::ECHO | LocalFlags::ISIG;
        tcsetattr(input, SetArg::TCSANOW, &quiet).ok()?;
        Some(Self(modes))
    }

    /// Waits so long; whether the person has had enough. A blank stops the clock until the next one.
    fn quits_within(&self, wait: Duration) -> bool {
        let mut until = Instant::now() + wait;
        let mut paused_at = None;
        loop {
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() && paused_at.is_none() {
                return false;
            }
            match key(paused_at.is_none().then_some(left)) {
                Some(b'q' | b'Q' | 0x03 | 0x04) => return true,
                Some(b' ') => match paused_at.take() {
                    None => paused_at = Some(Instant::now()),
                    Some(since) => until += since.elapsed(),
                },
                _ => {}
            }
        }
    }
}

impl Drop for Keys {
    fn drop(&mut self) {
        let _ = tcsetattr(Descriptors::standard().input, SetArg::TCSANOW, &self.0);
    }
}

/// The next key, if one comes in time. A terminal that is gone wants to end.
fn key(within: Option<Duration>) -> Option<u8> {
    const QUIT: u8 = b'q';
    let input = Descriptors::standard().input;
    let timeout = within.map_or(PollTimeout::NONE, |left| {
        // Rounded up: waking before the time would only mean to wait again.
        PollTimeout::try_from(left.as_micros().div_ceil(1000)).unwrap_or(PollTimeout::MAX)
    });
    match poll(&mut [PollFd::new(input, PollFlags::POLLIN)], timeout) {
        Ok(0) | Err(_) => return None,
        Ok(_) => {}
    }
    let mut one = [0];
    match nix::unistd::read(input, &mut one) {
        Ok(1) => one.first().copied(),
        _ => Some(QUIT),
    }
}
