//! `jmsctl` on a terminal, typed at.

use crate::bastion::Bastion;
use nix::sys::termios::{LocalFlags, tcgetattr};
use std::fs::File;
use std::io::{Read, Write};
use std::process::{Child, Command, ExitStatus};
use std::time::Duration;

/// A terminal with `jmsctl` on it.
pub struct Terminal {
    child: Child,
    ours: File,
    // Held open, so that its modes can be asked for after the program has ended.
    _theirs: std::os::fd::OwnedFd,
    shown: Vec<u8>,
}

impl Terminal {
    /// Starts `jmsctl` with the terminal as everything.
    pub fn start(bastion: &Bastion, arguments: &[&str]) -> Self {
        let size = nix::pty::Winsize {
            ws_row: 24,
            ws_col: 80,
            ws_xpixel: 0,
            ws_ypixel: 0,
        };
        let terminal = nix::pty::openpty(Some(&size), None).unwrap();
        let theirs = || terminal.slave.try_clone().unwrap();
        let child = Command::new("setsid")
            .args(["-c", "-w", "nsenter"])
            .arg(format!("--mount=/proc/{}/ns/mnt", bastion.id()))
            .args(["--", env!("CARGO_BIN_EXE_jmsctl")])
            .args(arguments)
            .stdin(theirs())
            .stdout(theirs())
            .stderr(theirs())
            .spawn()
            .unwrap();
        Self {
            child,
            ours: File::from(terminal.master),
            _theirs: terminal.slave,
            shown: Vec::new(),
        }
    }

    /// Everything shown so far.
    pub fn shown(&self) -> String {
        String::from_utf8_lossy(&self.shown).into_owned()
    }

    /// Waits until `text` was shown.
    pub fn expect(&mut self, text: &str) {
        let begun = std::time::Instant::now();
        while !self.shown().contains(text) {
            assert!(
                begun.elapsed() < Duration::from_secs(20),
                "no “{text}” in {:?}",
                self.shown()
            );
            self.read(100);
        }
    }

    /// Types.
    pub fn type_keys(&mut self, keys: &str) {
        self.ours.write_all(keys.as_bytes()).unwrap();
    }

    /// Whether typed keys are shown.
    pub fn echoes(&self) -> bool {
        tcgetattr(&self.ours)
            .unwrap()
            .local_flags
            .contains(LocalFlags::ECHO)
    }

    /// Waits until it is quiet: until then, typed keys would be shown.
    pub fn expect_quiet(&mut self) {
        let begun = std::time::Instant::now();
        while self.echoes() {
            assert!(
                begun.elapsed() < Duration::from_secs(20),
                "it never gets quiet: {:?}",
                self.shown()
            );
            self.read(10);
        }
    }

    /// Waits for the end, and reads what is left.
    pub fn wait(&mut self) -> ExitStatus {
        let begun = std::time::Instant::now();
        loop {
            self.read(20);
            if let Some(status) = self.child.try_wait().unwrap() {
                self.read(20);
                return status;
            }
            assert!(
                begun.elapsed() < Duration::from_secs(20),
                "it does not end: {:?}",
                self.shown()
            );
        }
    }

    fn read(&mut self, milliseconds: u16) {
        use nix::poll::{PollFd, PollFlags, poll};
        use std::os::fd::AsFd;
        let mut watched = [PollFd::new(self.ours.as_fd(), PollFlags::POLLIN)];
        while poll(&mut watched, milliseconds).unwrap() == 1 {
            let mut buffer = [0; 4096];
            match self.ours.read(&mut buffer) {
                Ok(length) if length > 0 => self.shown.extend_from_slice(&buffer[..length]),
                _ => return,
            }
            watched = [PollFd::new(self.ours.as_fd(), PollFlags::POLLIN)];
        }
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
