//! A refusal in sftp's own language.
//!
//! sshd throws away what a subsystem says on standard error, so a person with `sftp` would only read
//! “Connection closed”. Where an sftp session could not begin, its client gets a version and then our
//! sentence as the answer to whatever it asks (draft-ietf-secsh-filexfer-02, version 3): not one file
//! is touched, nothing is parsed but the frame of each request.
#![forbid(unsafe_code)]

use crate::message::say;
use crate::sys::{self, StandardNumber};
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use std::fmt;
use std::io::Read;
use std::os::fd::AsFd;
use std::time::{Duration, Instant};

/// How long a client may take to ask and to leave.
const PATIENCE: Duration = Duration::from_secs(5);
/// So many requests are answered.
const ANSWERS: u32 = 16;
/// The longest request that is skipped over, in bytes; OpenSSH's own limit is 256 KiB.
const LONGEST: usize = 256 * 1024;

const INIT: u8 = 1;
const VERSION: u8 = 2;
const STATUS: u8 = 101;
const PERMISSION_DENIED: u32 = 3;

/// Says `sentence` on standard error, and to the sftp client that is there.
pub fn tell(sentence: impl fmt::Display) {
    let text = sentence.to_string();
    say(&text);
    let mut input = std::io::stdin().lock();
    let output = sys::standard(StandardNumber::Output);
    let mut responder = Responder::new(&text);
    let until = Instant::now() + PATIENCE;
    let mut bytes = [0; 4096];
    let mut answer = responder.greeting();
    // A client that is gone or breaks the protocol has heard all that it will hear.
    loop {
        let left = until.saturating_duration_since(Instant::now());
        if sys::write_within(output, &answer, left).is_err() {
            return;
        }
        let left = until.saturating_duration_since(Instant::now());
        let timeout = PollTimeout::try_from(left.as_millis()).unwrap_or(PollTimeout::ZERO);
        if poll(
            &mut [PollFd::new(input.as_fd(), PollFlags::POLLIN)],
            timeout,
        ) != Ok(1)
        {
            return;
        }
        answer = match input.read(&mut bytes) {
            Ok(length @ 1..) => match responder.receive(bytes.get(..length).unwrap_or_default()) {
                Some(answer) => answer,
                None => return,
            },
            _ => return,
        };
    }
}

/// The answers, without input and output.
#[derive(Debug)]
struct Responder {
    sentence: Vec<u8>,
    received: Vec<u8>,
    answered: u32,
}

impl Responder {
    fn new(sentence: &str) -> Self {
        Self {
            sentence: format!("jms: {sentence}").into_bytes(),
            received: Vec::new(),
            answered: 0,
        }
    }

    /// Sent without waiting for the client's first word, which may have gone to the asset.
    fn greeting(&self) -> Vec<u8> {
        packet(&[&[VERSION], &3_u32.to_be_bytes()])
    }

    /// What to answer to `bytes`; `None` when there is nothing more to say.
    fn receive(&mut self, bytes: &[u8]) -> Option<Vec<u8>> {
        self.received.extend_from_slice(bytes);
        let mut answer = Vec::new();
        while let Some((length, rest)) = self.received.split_first_chunk::<4>() {
            let length = usize::try_from(u32::from_be_bytes(*length)).ok()?;
            if length == 0 || length > LONGEST {
                return None;
            }
            let Some(request) = rest.get(..length) else {
                break;
            };
            if let Some((kind, rest)) = request.split_first()
                && *kind != INIT
            {
                answer.extend(self.status(rest.first_chunk::<4>()?));
                self.answered += 1;
            }
            self.received.drain(..length + 4);
        }
        (self.answered < ANSWERS || !answer.is_empty()).then_some(answer)
    }

    fn status(&self, id: &[u8; 4]) -> Vec<u8> {
        let length = u32::try_from(self.sentence.len())
            .unwrap_or(0)
            .to_be_bytes();
        let language: [u8; 4] = [0; 4];
        packet(&[
            &[STATUS],
            id,
            &PERMISSION_DENIED.to_be_bytes(),
            &length,
            &self.sentence,
            &language,
        ])
    }
}

fn packet(parts: &[&[u8]]) -> Vec<u8> {
    let body = parts.concat();
    let length = u32::try_from(body.len()).unwrap_or(0).to_be_bytes();
    [length.as_slice(), body.as_slice()].concat()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// `SSH_FXP_INIT` version 3, then `SSH_FXP_REALPATH` of `.` with id 7.
    const REQUESTS: &[u8] = b"\0\0\0\x05\x01\0\0\0\x03\0\0\0\x0a\x10\0\0\0\x07\0\0\0\x01.";

    #[test]
    fn every_request_is_answered_by_the_sentence_and_its_own_id() {
        let mut whole = Responder::new("no");
        let expected = b"\0\0\0\x17\x65\0\0\0\x07\0\0\0\x03\0\0\0\x07jms: no\0\0\0\0".to_vec();
        let mut expected = expected;
        expected[3] = u8::try_from(expected.len() - 4).unwrap();
        assert_eq!(whole.receive(REQUESTS), Some(expected.clone()));
        let mut in_bytes = Responder::new("no");
        let answers: Vec<u8> = REQUESTS
            .iter()
            .flat_map(|byte| in_bytes.receive(&[*byte]).unwrap())
            .collect();
        assert_eq!(answers, expected);
        assert_eq!(whole.greeting(), b"\0\0\0\x05\x02\0\0\0\x03");
    }

    #[test]
    fn a_client_that_never_stops_asking_is_left() {
        let mut responder = Responder::new("no");
        let many = REQUESTS.repeat(usize::try_from(ANSWERS).unwrap());
        assert!(responder.receive(&many).is_some());
        assert_eq!(responder.receive(b""), None);
        assert_eq!(Responder::new("no").receive(b"\xff\xff\xff\xff"), None);
    }

    proptest! {
        #[test]
        fn any_bytes_are_survived_in_little_memory(bytes in proptest::collection::vec(any::<u8>(), 0..2000)) {
            let mut responder = Responder::new("no");
            let _ = responder.receive(&bytes);
            prop_assert!(responder.received.len() <= LONGEST + 4);
        }
    }
}
