//! Playing a recording on the terminal of standard input and output.
#![forbid(unsafe_code)]

use super::replay::open;
use crate::context::Context;
use crate::failure::{Done, Failure};
use crate::input::Quiet;
use jms::recording::Ended;
use jms::replay::{Pace, PlayError, Screen, play};
use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::unistd::read;
use std::os::fd::AsFd;
use std::path::Path;
use std::time::{Duration, Instant};

/// How often it is asked whether whoever watches still may.
const ASKED_EVERY: Duration = Duration::from_secs(1);

/// Plays the recording at `path` until its end or until somebody quits; how it ended, if that was seen.
pub fn run(path: &Path, pace: Pace, context: &mut Context) -> Done<Option<Ended>> {
    let keys = std::io::stdin();
    let _quiet =
        Quiet::new(keys.as_fd()).map_err(|error| Failure::io("use", "the terminal", error))?;
    let mut terminal = Terminal {
        context,
        begun: Instant::now(),
        asked: Duration::ZERO,
    };
    match play(|| open(path), pace, &mut terminal) {
        Ok(reader) => Ok(reader.and_then(|reader| reader.ended())),
        Err(PlayError::Recording(error)) => {
            Err(Failure::Failed(format!("{}: {error}", path.display())))
        }
        Err(PlayError::Screen(failure)) => Err(failure),
    }
}

struct Terminal<'a> {
    context: &'a mut Context,
    begun: Instant,
    /// When it was asked last whether whoever watches still may.
    asked: Duration,
}

impl Screen for Terminal<'_> {
    type Error = Failure;

    fn show(&mut self, text: &str) -> Done {
        self.context.out.text(text)?;
        self.context.out.flush()
    }

    fn typed(&mut self, time: Option<Duration>) -> Done<Vec<u8>> {
        if self.now().saturating_sub(self.asked) >= ASKED_EVERY {
            self.asked = self.now();
            self.context.still_allowed()?;
        }
        let time = time.map_or(ASKED_EVERY, |time| time.min(ASKED_EVERY));
        typed(time)
    }

    fn now(&self) -> Duration {
        self.begun.elapsed()
    }
}

/// What is typed within `time`. A terminal that is gone wants to quit.
fn typed(time: Duration) -> Done<Vec<u8>> {
    const QUIT: &[u8] = b"q";
    let failed = |error: nix::Error| Failure::io("read", "the terminal", error);
    let stdin = std::io::stdin();
    // Rounded up: a wait of less than a millisecond must not spin.
    let timeout =
        PollTimeout::try_from(time.as_micros().div_ceil(1000)).unwrap_or(PollTimeout::MAX);
    let mut watched = [PollFd::new(stdin.as_fd(), PollFlags::POLLIN)];
    match poll(&mut watched, timeout) {
        Ok(0) | Err(Errno::EINTR) => return Ok(Vec::new()),
        Ok(_) => {}
        Err(error) => return Err(failed(error)),
    }
    let mut typed = [0; 64];
    match read(stdin.as_fd(), &mut typed) {
        Ok(0) | Err(Errno::EIO) => Ok(QUIT.to_vec()),
        Ok(length) => Ok(typed.get(..length).unwrap_or_default().to_vec()),
        Err(Errno::EINTR | Errno::EAGAIN) => Ok(Vec::new()),
        Err(error) => Err(failed(error)),
    }
}
