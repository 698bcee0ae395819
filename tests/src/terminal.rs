//! A program on a terminal, and the other side of the conversation: what a person types and sees.

use std::fs::File;
use std::io::{ErrorKind, Read, Write};
use std::os::fd::{AsFd, OwnedFd};
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

use nix::fcntl::OFlag;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::pty::{Winsize, grantpt, posix_openpt, ptsname_r, unlockpt};
use nix::sys::stat::Mode;

use crate::invocation::Invocation;
use crate::outcome::{End, Outcome};
use crate::sys;

/// How long [`Terminal::expect`] waits.
const PATIENCE: Duration = Duration::from_secs(20);

/// A program that runs on a terminal of its own. It is hung up on when this value goes away.
#[derive(Debug)]
pub struct Terminal {
    line: String,
    started: Instant,
    deadline: Duration,
    child: Child,
    master: Option<File>,
    /// All that was shown.
    shown: Vec<u8>,
    /// How much of it earlier expectations have used up.
    seen: usize,
}

/// Both sides of a terminal, for nobody else: a program that another test starts meanwhile would keep it from being hung up.
fn open(size: &Winsize) -> nix::Result<(OwnedFd, OwnedFd)> {
    let flags = OFlag::O_RDWR | OFlag::O_NOCTTY | OFlag::O_CLOEXEC;
    let master = posix_openpt(flags)?;
    grantpt(&master)?;
    unlockpt(&master)?;
    let slave = nix::fcntl::open(ptsname_r(&master)?.as_str(), flags, Mode::empty())?;
    sys::set_window_size(slave.as_fd(), size)?;
    Ok((master.into(), slave))
}

impl Terminal {
    #[track_caller]
    pub(crate) fn start(invocation: Invocation) -> Self {
        let line = invocation.to_string();
        let (columns, lines) = invocation.window();
        let size = Winsize {
            ws_row: lines,
            ws_col: columns,
            ws_xpixel: 0,
            ws_ypixel: 0,
        };
        let (master, slave) =
            open(&size).unwrap_or_else(|error| panic!("no terminal for {line}: {error}"));
        let deadline = invocation.deadline();
        let stream = || {
            Stdio::from(
                slave
                    .try_clone()
                    .unwrap_or_else(|error| panic!("no terminal: {error}")),
            )
        };
        let child = invocation
            // setsid(1) makes its standard input the controlling terminal of a new session.
            .behind(&["setsid", "--ctty", "--"])
            .variable_unless_set("TERM", "xterm-256color")
            .command()
            .stdin(stream())
            .stdout(stream())
            .stderr(stream())
            .spawn();
        let child = child.unwrap_or_else(|error| panic!("cannot start {line}: {error}"));
        let master = Some(File::from(master));
        Self {
            line,
            started: Instant::now(),
            deadline,
            child,
            master,
            shown: Vec::new(),
            seen: 0,
        }
    }

    /// Types `text`.
    ///
    /// # Panics
    /// When the terminal is gone.
    #[track_caller]
    pub fn send(&mut self, text: impl AsRef<[u8]>) {
        let line = &self.line;
        let Some(master) = self.master.as_mut() else {
            panic!("the terminal of {line} was hung up")
        };
        if let Err(error) = master.write_all(text.as_ref()) {
            panic!("cannot type into {line}: {error}");
        }
    }

    /// Types `text` and the return key.
    ///
    /// # Panics
    /// When the terminal is gone.
    #[track_caller]
    pub fn send_line(&mut self, text: &str) {
        self.send(format!("{text}\r"));
    }

    /// Waits until `text` is shown after what earlier expectations have used up; returns what was shown before it.
    ///
    /// # Panics
    /// When it does not appear within 20 s, or the program ends before.
    #[track_caller]
    pub fn expect(&mut self, text: &str) -> String {
        let until = Instant::now() + PATIENCE;
        loop {
            let unseen = self.shown.get(self.seen..).unwrap_or_default();
            if let Some(at) = unseen
                .windows(text.len())
                .position(|window| window == text.as_bytes())
            {
                let before =
                    String::from_utf8_lossy(unseen.get(..at).unwrap_or_default()).into_owned();
                self.seen += at + text.len();
                return before;
            }
            if !self.pump(until) {
                let unseen =
                    String::from_utf8_lossy(self.shown.get(self.seen..).unwrap_or_default())
                        .into_owned();
                panic!(
                    "expected {text:?} on the terminal of {}, which shows {unseen:?}",
                    self.line
                );
            }
        }
    }

    /// Reads on until `text` comes, and forgets what went by: for floods. Returns how much that was, in bytes.
    ///
    /// # Panics
    /// When it does not come within 20 s, or the program ends before.
    #[track_caller]
    pub fn skim(&mut self, text: &str) -> usize {
        let until = Instant::now() + PATIENCE;
        let mut bytes = 0;
        loop {
            let found = self
                .shown
                .windows(text.len())
                .position(|window| window == text.as_bytes());
            if let Some(at) = found {
                self.shown.drain(..at + text.len());
                self.seen = 0;
                return bytes + at;
            }
            // The text may have been cut in two.
            let gone = self.shown.len().saturating_sub(text.len());
            bytes += gone;
            self.shown.drain(..gone);
            if !self.pump(until) {
                panic!("expected {text:?} on the terminal of {}", self.line);
            }
        }
    }

    /// Reads and forgets whatever is shown in the next while.
    pub fn drain(&mut self, time: Duration) {
        let until = Instant::now() + time;
        while Instant::now() < until && self.pump(until) {
            self.shown.clear();
        }
        self.shown.clear();
        self.seen = 0;
    }

    /// Everything shown from the start on.
    #[must_use]
    pub fn shown(&self) -> String {
        String::from_utf8_lossy(&self.shown).into_owned()
    }

    /// Gives the terminal another size, as if its window were pulled.
    ///
    /// # Panics
    /// When the terminal is gone.
    #[track_caller]
    pub fn resize(&self, columns: u16, lines: u16) {
        let Some(master) = self.master.as_ref() else {
            panic!("the terminal of {} was hung up", self.line)
        };
        let size = Winsize {
            ws_row: lines,
            ws_col: columns,
            ws_xpixel: 0,
            ws_ypixel: 0,
        };
        if let Err(error) = sys::set_window_size(master.as_fd(), &size) {
            panic!("cannot resize the terminal of {}: {error}", self.line);
        }
    }

    /// Takes the terminal away, as when a window is closed or a line drops.
    pub fn hang_up(&mut self) {
        self.master = None;
    }

    /// Its process id on this machine.
    #[must_use]
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Whether the program still runs.
    pub fn is_running(&mut self) -> bool {
        matches!(self.child.try_wait(), Ok(None))
    }

    /// Waits for the program's end, at most until its deadline. The outcome's output is all that was shown.
    #[must_use]
    pub fn wait(mut self) -> Outcome {
        let until = self.started + self.deadline;
        while self.pump(until) {}
        let end = loop {
            match self.child.try_wait() {
                Ok(Some(status)) => break End::from(status),
                Ok(None) if Instant::now() < until => std::thread::sleep(Duration::from_millis(2)),
                _ => break End::TimedOut,
            }
        };
        Outcome {
            line: self.line.clone(),
            end,
            stdout: self.shown.clone(),
            stderr: Vec::new(),
            elapsed: self.started.elapsed(),
        }
    }

    /// Reads what is there, waiting for it until `until`; false at the end of the terminal or of the time.
    fn pump(&mut self, until: Instant) -> bool {
        let Some(master) = self.master.as_mut() else {
            return false;
        };
        loop {
            let left = until.saturating_duration_since(Instant::now());
            let timeout = PollTimeout::try_from(left).unwrap_or(PollTimeout::MAX);
            match poll(
                &mut [PollFd::new(master.as_fd(), PollFlags::POLLIN)],
                timeout,
            ) {
                Err(nix::errno::Errno::EINTR) => continue,
                Ok(0) | Err(_) => return false,
                Ok(_) => {}
            }
            let mut buffer = [0; 16 * 1024];
            return match master.read(&mut buffer) {
                // EIO: nobody has the other side open any more.
                Ok(0) => false,
                Ok(length) => {
                    self.shown
                        .extend_from_slice(buffer.get(..length).unwrap_or_default());
                    true
                }
                Err(error) if error.kind() == ErrorKind::Interrupted => continue,
                Err(_) => false,
            };
        }
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        self.master = None;
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
