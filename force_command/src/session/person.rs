//! Asks the person at the terminal for something secret: shown nowhere, recorded nowhere, kept nowhere.
//!
//! The terminal is raw already. What the asset wants to know is hostile text.

use crate::egress::ask::Question;
use crate::sys;
use jms::secret::{SecretLine, SecretString, Typed};
use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use std::os::fd::BorrowedFd;
use std::time::{Duration, Instant};
use zeroize::Zeroizing;

/// So long a question waits for its answer, as OpenSSH's server waits by default.
pub const PATIENCE: Duration = Duration::from_secs(120);
/// How long a prompt waits for a terminal that does not read.
const SHOWING: Duration = Duration::from_secs(1);
/// What Ctrl-C types.
const INTERRUPT: u8 = 3;
/// Longest prompt that is shown, in characters.
const LONGEST: usize = 512;

/// The person's terminal.
#[derive(Debug, Clone, Copy)]
pub struct Person<'a> {
    /// Where keys come from; not blocking.
    pub input: BorrowedFd<'a>,
    /// Where prompts go.
    pub output: BorrowedFd<'a>,
    /// `SYSTEM_USER@ASSET`, for prompts.
    pub target: &'a str,
}

/// What came of a question.
#[derive(Debug)]
pub enum Answer {
    /// It was typed.
    Typed(SecretString),
    /// ^C or ^D.
    GivenUp,
    /// Nothing was typed in time.
    Late,
    /// The terminal is gone.
    Gone,
    /// Something else happened that must be looked at; the question is to be taken up again.
    Disturbed,
}

/// A question that is being answered.
#[derive(Debug)]
pub struct Asked<'a> {
    person: Person<'a>,
    line: SecretLine,
    until: Instant,
    /// ^C came before the prompt.
    interrupted: bool,
}

impl<'a> Person<'a> {
    /// Shows the prompt. What was typed before it is thrown away, as any program that asks for a password does;
    /// ^C counts.
    #[must_use]
    pub fn ask(self, question: &Question) -> Asked<'a> {
        self.put(&match question {
            Question::Prompt(prompt) => {
                format!("({}) {}", self.target, harmless(prompt))
            }
            _ => format!("{}'s password: ", self.target),
        })
    }

    /// The same with a prompt of our own words.
    #[must_use]
    pub fn put(self, prompt: &str) -> Asked<'a> {
        let interrupted = self.discard();
        // Who does not see it types nothing, and that ends in time.
        let _ = sys::write_within(self.output, prompt.as_bytes(), SHOWING);
        Asked {
            person: self,
            line: SecretLine::new(),
            until: Instant::now() + PATIENCE,
            interrupted,
        }
    }

    /// Throws away what was typed until now; whether ^C was.
    fn discard(self) -> bool {
        let mut typed = Zeroizing::new([0_u8; 4096]);
        let mut interrupted = false;
        // A terminal keeps less than that; who types on and on is not waited for.
        for _ in 0..16 {
            match nix::unistd::read(self.input, &mut *typed) {
                Ok(length @ 1..) => {
                    let new = typed.get(..length).unwrap_or_default();
                    interrupted |= new.contains(&INTERRUPT);
                }
                Err(Errno::EINTR) => {}
                _ => break,
            }
        }
        interrupted
    }
}

impl Asked<'_> {
    /// Waits for the answer, or until one of `others` is there, or for `latest`.
    pub fn wait(
        &mut self,
        others: &[(BorrowedFd<'_>, PollFlags)],
        latest: Option<Instant>,
    ) -> Answer {
        let answer = match self.interrupted {
            true => Answer::GivenUp,
            false => self.read(others, latest),
        };
        if !matches!(answer, Answer::Disturbed) {
            let _ = sys::write_within(self.person.output, b"\r\n", SHOWING);
        }
        answer
    }

    fn read(&mut self, others: &[(BorrowedFd<'_>, PollFlags)], latest: Option<Instant>) -> Answer {
        let mut key = Zeroizing::new([0_u8]);
        loop {
            match nix::unistd::read(self.person.input, &mut *key) {
                Ok(0) => return Answer::Gone,
                Ok(_) => match self.line.key(key[0]) {
                    Typed::More => {}
                    Typed::Done(secret) => return Answer::Typed(secret),
                    Typed::GivenUp => return Answer::GivenUp,
                },
                Err(Errno::EINTR) => {}
                Err(Errno::EAGAIN) => {
                    let now = Instant::now();
                    if self.until <= now {
                        return Answer::Late;
                    }
                    if latest.is_some_and(|latest| latest <= now) {
                        return Answer::Disturbed;
                    }
                    let until = latest.map_or(self.until, |latest| latest.min(self.until));
                    let left = until.saturating_duration_since(now);
                    let keys = PollFd::new(self.person.input, PollFlags::POLLIN);
                    let others = others.iter().map(|(fd, flags)| PollFd::new(*fd, *flags));
                    let mut all: Vec<PollFd<'_>> = std::iter::once(keys).chain(others).collect();
                    let timeout = PollTimeout::try_from(left.as_millis().saturating_add(1))
                        .unwrap_or(PollTimeout::MAX);
                    let _ = poll(&mut all, timeout);
                    if all.iter().skip(1).any(|one| one.any() == Some(true)) {
                        return Answer::Disturbed;
                    }
                }
                Err(_) => return Answer::Gone,
            }
        }
    }
}

/// The asset's prompt without anything that moves a cursor, on one line.
fn harmless(prompt: &str) -> String {
    let shown: String = prompt
        .chars()
        .map(|c| if c.is_control() { ' ' } else { c })
        .take(LONGEST)
        .collect();
    format!("{} ", shown.trim())
}

#[cfg(test)]
mod tests {
    use super::*;
    use nix::fcntl::{FcntlArg, OFlag, fcntl};
    use std::io::{Read, Write};
    use std::os::fd::AsFd;
    use std::os::unix::net::UnixStream;

    fn pair() -> (UnixStream, UnixStream) {
        let (ours, theirs) = UnixStream::pair().unwrap();
        fcntl(&ours, FcntlArg::F_SETFL(OFlag::O_NONBLOCK)).unwrap();
        (ours, theirs)
    }

    fn person(stream: &UnixStream) -> Person<'_> {
        Person {
            input: stream.as_fd(),
            output: stream.as_fd(),
            target: "dev@web1",
        }
    }

    #[test]
    fn the_prompt_is_the_assets_without_its_tricks_and_the_answer_is_one_line() {
        let (ours, mut theirs) = pair();
        let prompt = Question::Prompt("Code\x1b[2J\r\nnow: ".into());
        let mut asked = person(&ours).ask(&prompt);
        theirs.write_all(b"12\x7f3\rrest").unwrap();
        let answer = asked.wait(&[], None);
        assert!(
            matches!(&answer, Answer::Typed(secret) if secret.expose() == "13"),
            "{answer:?}"
        );
        let mut shown = [0; 64];
        let length = theirs.read(&mut shown).unwrap();
        assert_eq!(
            String::from_utf8_lossy(&shown[..length]),
            "(dev@web1) Code [2J  now: \r\n"
        );
    }

    #[test]
    fn what_was_typed_before_a_question_is_no_answer_but_an_interrupt_is() {
        let (ours, mut theirs) = pair();
        for secret in ["quince", "medlar"] {
            theirs.write_all(b"typed ahead\rand more").unwrap();
            let mut asked = person(&ours).ask(&Question::Password);
            theirs.write_all(format!("{secret}\r").as_bytes()).unwrap();
            let answer = asked.wait(&[], None);
            assert!(
                matches!(&answer, Answer::Typed(typed) if typed.expose() == secret),
                "{answer:?}"
            );
        }
        theirs.write_all(b"x\x03").unwrap();
        let mut asked = person(&ours).ask(&Question::Password);
        assert!(matches!(asked.wait(&[], None), Answer::GivenUp));
    }

    #[test]
    fn a_question_is_put_aside_at_the_latest_when_the_caller_has_something_to_do() {
        let (ours, mut theirs) = pair();
        let mut asked = person(&ours).ask(&Question::Password);
        let latest = Instant::now() + Duration::from_millis(50);
        assert!(matches!(asked.wait(&[], Some(latest)), Answer::Disturbed));
        assert!(Instant::now() >= latest);
        theirs.write_all(b"quince\r").unwrap();
        assert!(matches!(asked.wait(&[], None), Answer::Typed(_)));
    }

    #[test]
    fn a_disturbance_keeps_what_was_typed_and_the_end_is_seen() {
        let (ours, mut theirs) = pair();
        let (other, mut disturber) = pair();
        let mut asked = person(&ours).ask(&Question::Password);
        theirs.write_all(b"qui").unwrap();
        disturber.write_all(b"!").unwrap();
        let others = [(other.as_fd(), PollFlags::POLLIN)];
        assert!(matches!(asked.wait(&others, None), Answer::Disturbed));
        theirs.write_all(b"nce\r").unwrap();
        let answer = asked.wait(&[], None);
        assert!(matches!(&answer, Answer::Typed(secret) if secret.expose() == "quince"));
        let mut asked = person(&ours).ask(&Question::Password);
        theirs.write_all(b"x\x03").unwrap();
        assert!(matches!(asked.wait(&[], None), Answer::GivenUp));
        let mut asked = person(&ours).ask(&Question::Password);
        drop(theirs);
        assert!(matches!(asked.wait(&[], None), Answer::Gone));
    }
}
