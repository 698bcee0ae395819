//! Playing a recording on a terminal: waits, and keys that pause, step, seek and quit.
#![forbid(unsafe_code)]

use super::replay::open;
use crate::failure::{Done, Failure};
use crate::input::Quiet;
use crate::output::Output;
use jms::recording::Ended;
use jms::replay::{Pace, Playback, RESET, Show};
use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::unistd::read;
use std::os::fd::AsFd;
use std::path::Path;
use std::time::{Duration, Instant};

/// How far the arrows go.
const SHORT: Duration = Duration::from_secs(5);
const LONG: Duration = Duration::from_secs(60);
/// A clean screen, for playing again from an earlier moment.
const CLEAN: &str = "\u{1b}[2J\u{1b}[H";

/// What a key asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Key {
    Pause,
    Step,
    Back(Duration),
    Forth(Duration),
    Quit,
}

/// What to do after a wait.
enum Next {
    Show,
    Seek(Duration),
    Quit,
}

/// How a round of playing ended.
enum Round {
    Over(Option<Ended>),
    Again { from: Duration },
}

/// Plays one recording.
pub struct Player<'a> {
    path: &'a Path,
    pace: Pace,
    paused: bool,
}

impl<'a> Player<'a> {
    /// For the recording at `path`.
    pub fn new(path: &'a Path, pace: Pace) -> Self {
        Self {
            path,
            pace,
            paused: false,
        }
    }

    /// Plays until the end or until somebody quits; says how the recording ended, if it was seen.
    pub fn play(mut self, out: &mut Output) -> Done<Option<Ended>> {
        let keys = std::io::stdin();
        let _quiet =
            Quiet::new(keys.as_fd()).map_err(|error| Failure::io("use", "the terminal", error))?;
        loop {
            match self.round(out)? {
                Round::Over(ended) => return Ok(ended),
                Round::Again { from } => self.pace.from = from,
            }
            out.text(RESET)?;
            out.text(CLEAN)?;
        }
    }

    /// Plays from `pace.from`; what came before is shown at once, so that the screen is right.
    fn round(&mut self, out: &mut Output) -> Done<Round> {
        let mut playback = Playback::new(open(self.path)?, self.pace);
        let mut shown = self.pace.from;
        while let Some(step) = playback.next() {
            let step = step.map_err(|error| Failure::Failed(error.to_string()))?;
            let next = if step.at < self.pace.from {
                Next::Show
            } else {
                out.flush()?;
                self.wait(step.wait, shown, step.at)?
            };
            match next {
                Next::Show => {}
                Next::Seek(from) => return Ok(Round::Again { from }),
                Next::Quit => {
                    out.text(&playback.ending())?;
                    out.text("\r\n")?;
                    return Ok(Round::Over(None));
                }
            }
            shown = shown.max(step.at);
            if let Show::Text(text) = step.show {
                out.text(&text)?;
            }
        }
        out.flush()?;
        Ok(Round::Over(playback.events().ended()))
    }

    /// Waits `whole` between the moments `from` and `to` of the recording, or until a key says otherwise.
    fn wait(&mut self, whole: Duration, from: Duration, to: Duration) -> Done<Next> {
        let mut left = whole;
        loop {
            if left.is_zero() && !self.paused {
                return Ok(Next::Show);
            }
            let begun = Instant::now();
            let key = wait_for_key((!self.paused).then_some(left))?;
            if !self.paused {
                left = left.saturating_sub(begun.elapsed());
            }
            let here = || between(from, to, whole, left);
            match key {
                None => {}
                Some(Key::Pause) => self.paused = !self.paused,
                Some(Key::Step) => {
                    self.paused = true;
                    return Ok(Next::Show);
                }
                Some(Key::Back(far)) => return Ok(Next::Seek(here().saturating_sub(far))),
                Some(Key::Forth(far)) => return Ok(Next::Seek(here().saturating_add(far))),
                Some(Key::Quit) => return Ok(Next::Quit),
            }
        }
    }
}

/// Where in the recording somebody is who has `left` of the wait `whole` before him.
fn between(from: Duration, to: Duration, whole: Duration, left: Duration) -> Duration {
    let gap = to.saturating_sub(from);
    if whole.is_zero() {
        return from;
    }
    let done = 1.0 - left.as_secs_f64() / whole.as_secs_f64();
    from.saturating_add(gap.mul_f64(done.clamp(0.0, 1.0)))
}

/// The next key, if one comes in time; without a time it waits for ever.
fn wait_for_key(time: Option<Duration>) -> Done<Option<Key>> {
    let failed = |error: nix::Error| Failure::io("read", "the terminal", error);
    let stdin = std::io::stdin();
    let timeout = match time {
        // Rounded up: a wait of less than a millisecond must not spin. Longer waits come back for the rest.
        Some(time) => PollTimeout::try_from(time.as_millis().saturating_add(1).min(60_000))
            .unwrap_or(PollTimeout::MAX),
        None => PollTimeout::NONE,
    };
    let mut watched = [PollFd::new(stdin.as_fd(), PollFlags::POLLIN)];
    match poll(&mut watched, timeout) {
        Ok(0) | Err(Errno::EINTR) => return Ok(None),
        Ok(_) => {}
        Err(error) => return Err(failed(error)),
    }
    let mut typed = [0; 16];
    match read(stdin.as_fd(), &mut typed) {
        Ok(0) | Err(Errno::EIO) => Ok(Some(Key::Quit)),
        Ok(length) => Ok(key(typed.get(..length).unwrap_or_default())),
        Err(Errno::EINTR | Errno::EAGAIN) => Ok(None),
        Err(error) => Err(failed(error)),
    }
}

/// What was typed, in one go.
fn key(typed: &[u8]) -> Option<Key> {
    match typed {
        [b' ', ..] => Some(Key::Pause),
        [b'.', ..] => Some(Key::Step),
        [b'q' | b'Q' | 0x03 | 0x04, ..] => Some(Key::Quit),
        [0x1b, b'[' | b'O', b'D', ..] => Some(Key::Back(SHORT)),
        [0x1b, b'[' | b'O', b'C', ..] => Some(Key::Forth(SHORT)),
        [0x1b, b'[' | b'O', b'B', ..] => Some(Key::Back(LONG)),
        [0x1b, b'[' | b'O', b'A', ..] => Some(Key::Forth(LONG)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_those_of_the_help() {
        assert_eq!(key(b" "), Some(Key::Pause));
        assert_eq!(key(b"."), Some(Key::Step));
        assert_eq!(key(b"\x1b[D"), Some(Key::Back(SHORT)));
        assert_eq!(key(b"\x1bOC"), Some(Key::Forth(SHORT)));
        assert_eq!(key(b"\x1b[A"), Some(Key::Forth(LONG)));
        assert_eq!(key(b"\x03"), Some(Key::Quit));
        assert_eq!(key(b"\x1b"), None);
        assert_eq!(key(b""), None);
    }

    #[test]
    fn the_place_moves_with_the_wait() {
        let s = Duration::from_secs;
        assert_eq!(between(s(10), s(20), s(4), s(4)), s(10));
        assert_eq!(between(s(10), s(20), s(4), s(2)), s(15));
        assert_eq!(between(s(10), s(20), s(4), s(0)), s(20));
        assert_eq!(between(s(10), s(20), s(0), s(0)), s(10));
        assert_eq!(between(s(20), s(10), s(4), s(1)), s(20));
    }
}
