//! The client's side: descriptors 0 to 2 as sshd gave them, put back as they were at the end.

use crate::sys::{self, StandardNumber, Window};
use nix::errno::Errno;
use nix::fcntl::{FcntlArg, OFlag, fcntl};
use nix::sys::socket::{Shutdown, shutdown};
use nix::sys::stat::{Mode, SFlag, fstat};
use nix::sys::termios::{SetArg, Termios, cfmakeraw, tcgetattr, tcsetattr};
use std::os::fd::{AsRawFd, BorrowedFd, OwnedFd};

/// The client's three descriptors.
#[derive(Debug, Clone, Copy)]
pub struct Descriptors<'a> {
    /// Standard input.
    pub input: BorrowedFd<'a>,
    /// Standard output; often the same socket as input.
    pub output: BorrowedFd<'a>,
    /// Standard error.
    pub errors: BorrowedFd<'a>,
}

impl Descriptors<'static> {
    /// Descriptors 0 to 2 of this process.
    #[must_use]
    pub fn standard() -> Self {
        Self {
            input: sys::standard(StandardNumber::Input),
            output: sys::standard(StandardNumber::Output),
            errors: sys::standard(StandardNumber::Error),
        }
    }
}

impl Descriptors<'_> {
    /// Whether the client has a terminal: the kernel is asked, not the environment.
    #[must_use]
    pub fn are_terminal(&self) -> bool {
        tcgetattr(self.input).is_ok() && tcgetattr(self.output).is_ok()
    }
}

/// The client, taken over: its descriptors not blocking; its terminal, if it has one, raw.
#[derive(Debug)]
pub struct Client<'a> {
    /// Its descriptors.
    pub descriptors: Descriptors<'a>,
    /// Its terminal's modes as they were, if it has one.
    pub modes: Option<Termios>,
    flags: Vec<(BorrowedFd<'a>, OFlag)>,
    /// What stands in the place of a stream that was ended: opened before the relay shuts itself in.
    null: OwnedFd,
}

impl<'a> Client<'a> {
    /// Takes the descriptors over. With `terminal`, standard input must be one.
    ///
    /// # Errors
    /// What the kernel says; everything is as before then.
    pub fn take(descriptors: Descriptors<'a>, terminal: bool) -> Result<Self, Errno> {
        let Descriptors {
            input,
            output,
            errors,
        } = descriptors;
        let mut client = Self {
            descriptors,
            modes: None,
            flags: Vec::new(),
            null: nix::fcntl::open(
                "/dev/null",
                OFlag::O_WRONLY | OFlag::O_CLOEXEC,
                Mode::empty(),
            )?,
        };
        for descriptor in [input, output, errors] {
            let flags = OFlag::from_bits_truncate(fcntl(descriptor, FcntlArg::F_GETFL)?);
            client.flags.push((descriptor, flags));
        }
        for (descriptor, flags) in &client.flags {
            fcntl(descriptor, FcntlArg::F_SETFL(*flags | OFlag::O_NONBLOCK))?;
        }
        if terminal {
            let modes = tcgetattr(input)?;
            client.modes = Some(modes.clone());
            let mut raw = modes;
            cfmakeraw(&mut raw);
            tcsetattr(input, SetArg::TCSANOW, &raw)?;
        }
        Ok(client)
    }

    /// The size of its terminal.
    #[must_use]
    pub fn window(&self) -> Option<Window> {
        self.modes
            .as_ref()
            .and_then(|_| sys::window(self.descriptors.input).ok())
    }

    /// Passes the end of output and errors on: the other end reads end of file, while input stays open.
    /// A socket may be input and output in one, so it is shut down in one direction.
    pub fn close_output(&self) {
        if self.modes.is_none() {
            end_of_file(self.descriptors.output, &self.null);
            end_of_file(self.descriptors.errors, &self.null);
        }
    }
}

fn end_of_file(descriptor: BorrowedFd<'_>, null: &OwnedFd) {
    let is = |kind: SFlag| {
        fstat(descriptor)
            .is_ok_and(|stat| SFlag::from_bits_truncate(stat.st_mode) & SFlag::S_IFMT == kind)
    };
    if is(SFlag::S_IFSOCK) {
        let _ = shutdown(descriptor.as_raw_fd(), Shutdown::Write);
    } else if is(SFlag::S_IFIFO) {
        // The number must stay taken: no file of ours may ever become standard output.
        let _ = sys::replace(descriptor, null);
    }
}

impl Drop for Client<'_> {
    fn drop(&mut self) {
        // Nobody could be told if this failed: the client is gone then.
        if let Some(modes) = &self.modes {
            let _ = tcsetattr(self.descriptors.input, SetArg::TCSANOW, modes);
        }
        for (descriptor, flags) in &self.flags {
            let _ = fcntl(descriptor, FcntlArg::F_SETFL(*flags));
        }
    }
}
