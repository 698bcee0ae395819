//! What may end the menu, or a question, while a person thinks: a hung-up terminal, a user who was disabled, an
//! administrator. Everything is waited for; nothing ticks.
#![forbid(unsafe_code)]

use crate::control::{Control, Told};
use jms::id::Id;
use jms::paths::Paths;
use jms::time::Time;
use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::signal::{SigSet, Signal};
use nix::sys::signalfd::{SfdFlags, SignalFd};
use nix::sys::time::TimeSpec;
use nix::sys::timerfd::{ClockId, Expiration, TimerFd, TimerFlags, TimerSetTimeFlags};
use std::os::fd::{AsFd, BorrowedFd};
use std::time::Duration;

/// What was waited for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Woken {
    /// The caller's own descriptor.
    Ready,
    /// Policy has changed, or the user's time is over: the question who he is must be asked again.
    AskAgain,
    /// An administrator ends it; his reason.
    Ended(String),
    /// Nobody is there any more.
    Gone,
}

/// The watch over one menu or question.
pub struct Watch {
    control: Control,
    signals: SignalFd,
    expiry: TimerFd,
}

impl Watch {
    /// Begins: from now on the signals that end a program are read here.
    ///
    /// # Errors
    /// What the kernel says.
    pub fn begin(paths: &Paths) -> std::io::Result<Self> {
        let id = Id::random().map_err(std::io::Error::other)?;
        let control = Control::listen(paths, &id)?;
        let set: SigSet = [Signal::SIGHUP, Signal::SIGTERM].into_iter().collect();
        set.thread_block()?;
        let signals = SignalFd::with_flags(&set, SfdFlags::SFD_NONBLOCK | SfdFlags::SFD_CLOEXEC)?;
        let flags = TimerFlags::TFD_NONBLOCK | TimerFlags::TFD_CLOEXEC;
        Ok(Self {
            control,
            signals,
            expiry: TimerFd::new(ClockId::CLOCK_REALTIME, flags)?,
        })
    }

    /// Wakes at this time, too.
    pub fn expires(&self, until: Option<Time>) {
        let milliseconds = |until: Time| u64::try_from(until.0).unwrap_or(1).max(1);
        let set = until.map(|until| {
            let at = TimeSpec::from(Duration::from_millis(milliseconds(until)));
            // A clock that is set wakes us too: then the question is asked again.
            let flags =
                TimerSetTimeFlags::TFD_TIMER_ABSTIME | TimerSetTimeFlags::TFD_TIMER_CANCEL_ON_SET;
            self.expiry.set(Expiration::OneShot(at), flags)
        });
        if set.is_none() {
            let _ = self.expiry.unset();
        }
    }

    /// What becomes readable when something has happened; [`Watch::pending`] says what.
    #[must_use]
    pub fn descriptors(&self) -> [BorrowedFd<'_>; 3] {
        [
            self.signals.as_fd(),
            self.control.descriptor(),
            self.expiry.as_fd(),
        ]
    }

    /// Waits until `own` is readable or something else happens.
    #[must_use]
    pub fn wait(&self, own: BorrowedFd<'_>) -> Woken {
        loop {
            let [signals, control, expiry] = self.descriptors();
            let watched = [own, signals, control, expiry];
            let mut watched = watched.map(|fd| PollFd::new(fd, PollFlags::POLLIN));
            match poll(&mut watched, PollTimeout::NONE) {
                Err(Errno::EINTR) => continue,
                Err(_) => return Woken::Gone,
                Ok(_) => {}
            }
            if let Some(woken) = self.pending() {
                return woken;
            }
            if watched
                .first()
                .and_then(PollFd::revents)
                .is_some_and(|events| !events.is_empty())
            {
                return Woken::Ready;
            }
        }
    }

    /// What has happened beside the caller's own descriptor, without waiting.
    #[must_use]
    pub fn pending(&self) -> Option<Woken> {
        if let Ok(Some(_)) = self.signals.read_signal() {
            return Some(Woken::Gone);
        }
        let mut ask = false;
        while let Some(told) = self.control.next() {
            match told {
                Told::End(reason) => return Some(Woken::Ended(reason)),
                Told::DecideAgain(_) => ask = true,
            }
        }
        let mut count = [0; 8];
        let timer = nix::unistd::read(&self.expiry, &mut count);
        ask |= !matches!(timer, Err(Errno::EAGAIN));
        ask.then_some(Woken::AskAgain)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::net::UnixDatagram;

    #[test]
    fn a_poke_a_clock_and_the_callers_own_descriptor_wake_it() {
        let folder = tempfile::tempdir().unwrap();
        let paths = Paths::under(folder.path());
        paths.create().unwrap();
        let watch = Watch::begin(&paths).unwrap();
        let (reader, writer) = nix::unistd::pipe().unwrap();
        assert_eq!(watch.pending(), None);

        let socket = std::fs::read_dir(paths.sessions())
            .unwrap()
            .next()
            .unwrap()
            .unwrap();
        let poke = |word: &str| {
            let sender = UnixDatagram::unbound().unwrap();
            sender.send_to(word.as_bytes(), socket.path()).unwrap();
        };
        poke("decide-again");
        assert_eq!(watch.wait(reader.as_fd()), Woken::AskAgain);
        poke("end later");
        assert_eq!(watch.wait(reader.as_fd()), Woken::Ended("later".into()));

        watch.expires(Some(Time::now().plus(20)));
        assert_eq!(watch.wait(reader.as_fd()), Woken::AskAgain);
        watch.expires(None);
        drop(writer);
        assert_eq!(watch.wait(reader.as_fd()), Woken::Ready);
        assert_eq!(watch.pending(), None);

        drop(watch);
        assert!(!socket.path().exists());
    }
}
