//! Asks the person at the terminal whether a command may run, before anything is connected to.
#![forbid(unsafe_code)]

use crate::control::{Control, Told};
use crate::relay::{Client, Descriptors, Signals};
use crate::sys;
use crate::text;
use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::time::{Duration, Instant};

/// How long a prompt waits for a terminal that does not read.
const SHOWING: Duration = Duration::from_secs(1);

/// What is asked: what the filter says.
pub struct Question(pub String);

/// What came of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Answer {
    /// The key `y`.
    Yes,
    /// Any other key, or none in time.
    No,
    /// Nobody is there any more, or the session is to end.
    Gone,
}

/// Asks at the client's terminal, and waits for the answer at most for `patience`; then it is no. `ends`: whoever of these is
/// readable has the session end, `signals` as well.
pub fn ask(
    question: &Question,
    patience: Duration,
    ends: &[OwnedFd],
    control: &Control,
    signals: &Signals,
) -> Answer {
    // Raw for one key; put back when it goes.
    let Ok(client) = Client::take(Descriptors::standard(), true) else {
        return Answer::Gone;
    };
    let Descriptors { input, errors, .. } = client.descriptors;
    discard(input);
    let show = |words: &str| {
        let _ = sys::write_within(errors, words.as_bytes(), SHOWING);
    };
    show(&format!(
        "jms: {}; run it? [y/N] ",
        text::harmless(&question.0)
    ));
    let answer = wait(input, patience, ends, control, signals);
    show(match answer {
        Answer::Yes => "yes\r\n",
        Answer::No => "no\r\n",
        Answer::Gone => "\r\n",
    });
    answer
}

/// What was typed before the question is no answer to it.
fn discard(input: BorrowedFd<'_>) {
    let mut typed = [0_u8; 4096];
    for _ in 0..16 {
        match nix::unistd::read(input, &mut typed) {
            Ok(1..) | Err(Errno::EINTR) => {}
            _ => return,
        }
    }
}

fn wait(
    input: BorrowedFd<'_>,
    patience: Duration,
    ends: &[OwnedFd],
    control: &Control,
    signals: &Signals,
) -> Answer {
    let until = Instant::now() + patience;
    loop {
        let mut key = [0_u8];
        match nix::unistd::read(input, &mut key) {
            Ok(0) => return Answer::Gone,
            Ok(_) => {
                return if matches!(key[0], b'y' | b'Y') {
                    Answer::Yes
                } else {
                    Answer::No
                };
            }
            Err(Errno::EAGAIN | Errno::EINTR) => {}
            Err(_) => return Answer::Gone,
        }
        let left = until.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return Answer::No;
        }
        let readable = |descriptor| PollFd::new(descriptor, PollFlags::POLLIN);
        let mut all = vec![
            readable(input),
            readable(control.descriptor()),
            readable(signals.as_fd()),
        ];
        all.extend(ends.iter().map(|end| readable(end.as_fd())));
        let timeout =
            PollTimeout::try_from(left.as_millis().saturating_add(1)).unwrap_or(PollTimeout::MAX);
        let _ = poll(&mut all, timeout);
        // That policy has changed is asked about after a yes.
        while let Some(told) = control.next() {
            if matches!(told, Told::End(_)) {
                return Answer::Gone;
            }
        }
        if all.iter().skip(2).any(|one| one.any() == Some(true)) {
            return Answer::Gone;
        }
    }
}
