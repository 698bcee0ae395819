//! sshd's `AuthorizedKeysCommand`: the one line of `authorized_keys` that admits the offered key, or nothing.
//!
//! ```text
//! AuthorizedKeysCommand /usr/libexec/jms/authorized-keys-command %u %f %t %k
//! AuthorizedKeysCommandUser jms-keys
//! ```
//!
//! sshd runs it for each key that a client offers, and a second time for the one that is then proved, so it does one
//! lookup in the snapshot of keys, prints, and ends. It admits nobody: sshd checks the proof, `pam_jms` whether the user may
//! log in now. Trusts neither its arguments (the name and the key are the client's) nor the snapshot (the service user
//! writes it): what it prints is built anew from parsed parts.
//!
//! Afterwards it looks whether the copy of the snapshot of names is old, and has a second process make a new one (`names`).
//!
//! The status is 0 even when nothing is printed: for sshd a refused key is no failure of ours. A death by signal or by
//! panic makes sshd discard the output, which is the right end for anything unforeseen.

#![cfg_attr(not(test), no_main)]

mod decision;
mod line;
mod names;
mod report;
mod request;
mod sys;

use std::{
    env,
    fs::File,
    io::{self, Write},
    os::{fd::AsFd, unix::ffi::OsStringExt},
    path::Path,
    time::{SystemTime, UNIX_EPOCH},
};

use event::{Format, Sender};

use crate::{decision::decide, request::Request};

/// The whole run may take this long; then SIGALRM ends it. sshd itself would wait for LoginGraceTime.
const DEADLINE_SECONDS: u32 = 5;

/// Whether sshd may believe what was printed.
fn run() -> bool {
    sys::ignore_broken_pipes();
    sys::end_after(DEADLINE_SECONDS);
    let arguments: Vec<Vec<u8>> = env::args_os().skip(1).map(OsStringExt::into_vec).collect();
    let request = Request::parse(&arguments);
    let decision = match &request {
        Ok(request) => decide(request, Path::new(snapshot::KEYS_PATH), now()),
        Err(refusal) => Err(refusal.clone()),
    };
    if let Ok(line) = &decision
        && !print(line.as_bytes())
    {
        // Half a line could be read as another line: this status makes sshd discard it.
        return false;
    }
    let event = report::event(
        &arguments,
        request.as_ref().ok(),
        decision.as_ref().map(|_| ()),
    );
    // There is nobody to tell that the log daemon is gone; the refusal stands without it.
    let _ = Sender::system().send(event.level(), &event.to_line(Format::KeyValue, None));
    names::keep();
    true
}

/// Seconds since 1970. A clock before that makes every key with an end expired.
fn now() -> u64 {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .map_or(u64::MAX, |time| time.as_secs())
}

/// Writes the line with one `write(2)`; false if not all of it was taken.
fn print(line: &[u8]) -> bool {
    let whole = || -> io::Result<bool> {
        let mut output = File::from(io::stdout().as_fd().try_clone_to_owned()?);
        Ok(output.write(line)? == line.len())
    };
    whole().unwrap_or(false)
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_manual_page_says_how_long_it_may_take() {
        let page = include_str!("../../packaging/manual/pages/authorized-keys-command.8");
        let sentence = format!("After {} seconds it is ended.", super::DEADLINE_SECONDS);
        assert!(page.contains(&sentence));
    }
}
