//! `session replay`: a user watches his own session again, where the settings allow it. That he looked is an event.
//!
//! Trusts the store for which file it is, as long as it lies below the folder of recordings and says
//! itself that it is of this session. What it shows is made harmless by [`jms::replay`].
#![forbid(unsafe_code)]

use super::{Desk, NoAnswer, sessions};
use crate::message::{Message, Trouble, say};
use crate::relay::Descriptors;
use crate::report;
use crate::status;
use event::Type;
use jms::id::Id;
use jms::nouns::Session;
use jms::recording::Reader;
use jms::replay::{Pace, PlayError, Playback, Screen, Show, play};
use jms::time::Time;
use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::termios::{LocalFlags, SetArg, Termios, tcgetattr, tcsetattr};
use std::fs::File;
use std::io::Write;
use std::path::{Component, Path};
use std::time::{Duration, Instant};

/// The longest wait for something to happen, until a key says otherwise.
const IDLE: Duration = Duration::from_secs(2);
/// How often it is asked whether the user still may.
const ASKED_EVERY: Duration = Duration::from_secs(1);

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
    let played = match desk.has_terminal {
        true => watch(desk, &session),
        false => print(reader),
    };
    played.ok_or_else(none)?;
    if let Some(bytes) = session.bytes_not_recorded.filter(|bytes| *bytes > 0) {
        say(Message::NotRecorded(bytes));
    }
    Ok(())
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
fn print(reader: Reader<File>) -> Option<()> {
    let mut out = std::io::stdout();
    let mut write = |text: &str| out.write_all(text.as_bytes()).and_then(|()| out.flush());
    for step in Playback::new(reader, Pace::default()) {
        // Without a terminal there is none to put back into order either.
        if let Show::Text(text) = step.ok()?.show
            && write(&text).is_err()
        {
            return Some(());
        }
    }
    Some(())
}

/// As it happened, with keys. `None` when the recording turns out to be damaged.
fn watch(desk: &Desk<'_>, session: &Session) -> Option<()> {
    let mut terminal = Terminal::take(desk)?;
    let pace = Pace {
        idle_limit: Some(IDLE),
        ..Pace::default()
    };
    let again = || open(desk, session).ok_or(Unreadable);
    let events = || again().map(|reader| reader.map(|event| event.map_err(|_| Unreadable)));
    match play(events, pace, &mut terminal) {
        // Whoever stops looking has had his answer.
        Ok(_) | Err(PlayError::Screen(Gone)) => Some(()),
        Err(PlayError::Recording(Unreadable)) => None,
    }
}

/// The recording is damaged, or is not there any more.
#[derive(Debug)]
struct Unreadable;

/// The terminal is gone, or its user may not look any more.
#[derive(Debug)]
struct Gone;

/// The client's terminal, one key at a time and unseen; as before when it goes away.
struct Terminal<'a> {
    desk: &'a Desk<'a>,
    modes: Termios,
    begun: Instant,
    asked: Duration,
}

impl<'a> Terminal<'a> {
    fn take(desk: &'a Desk<'a>) -> Option<Self> {
        let input = Descriptors::standard().input;
        let modes = tcgetattr(input).ok()?;
        let mut quiet = modes.clone();
        quiet.local_flags -= LocalFlags::ICANON | LocalFlags::ECHO | LocalFlags::ISIG;
        tcsetattr(input, SetArg::TCSANOW, &quiet).ok()?;
        Some(Self {
            desk,
            modes,
            begun: Instant::now(),
            asked: Duration::ZERO,
        })
    }

    fn still_allowed(&self) -> bool {
        let (read, login) = (self.desk.store.read(), &self.desk.identity.login);
        read.standing_with_factor(login, Time::now())
            .is_ok_and(|standing| standing.is_ok())
    }
}

impl Screen for Terminal<'_> {
    type Error = Gone;

    fn show(&mut self, text: &str) -> Result<(), Gone> {
        let mut out = std::io::stdout();
        let shown = out.write_all(text.as_bytes()).and_then(|()| out.flush());
        shown.map_err(|_| Gone)
    }

    fn typed(&mut self, time: Option<Duration>) -> Result<Vec<u8>, Gone> {
        if self.now().saturating_sub(self.asked) >= ASKED_EVERY {
            self.asked = self.now();
            self.still_allowed().then_some(()).ok_or(Gone)?;
        }
        let time = time.map_or(ASKED_EVERY, |time| time.min(ASKED_EVERY));
        let input = Descriptors::standard().input;
        // Rounded up: waking before the time would only mean to wait again.
        let timeout =
            PollTimeout::try_from(time.as_micros().div_ceil(1000)).unwrap_or(PollTimeout::MAX);
        match poll(&mut [PollFd::new(input, PollFlags::POLLIN)], timeout) {
            Ok(0) | Err(Errno::EINTR) => return Ok(Vec::new()),
            Ok(_) => {}
            Err(_) => return Err(Gone),
        }
        let mut typed = [0; 64];
        match nix::unistd::read(input, &mut typed) {
            Ok(length) if length > 0 => Ok(typed.get(..length).unwrap_or_default().to_vec()),
            Err(Errno::EINTR | Errno::EAGAIN) => Ok(Vec::new()),
            _ => Err(Gone),
        }
    }

    fn now(&self) -> Duration {
        self.begun.elapsed()
    }
}

impl Drop for Terminal<'_> {
    fn drop(&mut self) {
        let _ = tcsetattr(Descriptors::standard().input, SetArg::TCSANOW, &self.modes);
    }
}
