//! The person at the terminal: what is shown to him, and what he types, which is shown nowhere.
//!
//! While he thinks, no store is open, and everything that may end the login ends the question.
#![forbid(unsafe_code)]

use crate::entrance::is_still_there;
use crate::message::factor::Factor as Says;
use crate::message::{Message, say};
use crate::relay::{Client, Descriptors};
use crate::session::{Answer, Person};
use crate::start::Start;
use crate::status;
use crate::sys;
use crate::terminal::Terminal;
use crate::watch::{Watch, Woken};
use jms::paths::Paths;
use jms::secret::SecretString;
use nix::poll::PollFlags;
use nix::sys::signal::SigSet;
use std::time::Duration;

/// Wipes the screen and what was scrolled out of it, where a terminal understands that.
const WIPE: &str = "\x1b[H\x1b[2J\x1b[3J";

/// How long a screen waits for a terminal that does not read.
const SHOWING: Duration = Duration::from_secs(5);

/// Why there is no answer: the exit status, after it has been said.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Left(pub i32);

/// Whether a person can be asked: there is a terminal, and it has a size. Programs that ask sshd for a terminal (Ansible does,
/// `ssh -tt` from a script) have none to show it on: they would wait for ever for an answer.
#[must_use]
pub fn someone_sits_there(start: &Start) -> bool {
    let window = sys::window(Descriptors::standard().output);
    start.has_terminal && window.is_ok_and(|window| window.rows > 0 && window.columns > 0)
}

/// A conversation on the client's terminal.
pub struct Conversation<'a> {
    start: &'a Start,
    terminal: Terminal,
    watch: Watch,
    /// Signals as they were blocked before the watch.
    mask: SigSet,
}

impl Drop for Conversation<'_> {
    fn drop(&mut self) {
        // What comes after may be another program, which inherits the mask.
        let _ = self.mask.thread_set_mask();
    }
}

impl<'a> Conversation<'a> {
    /// Begins one on the terminal of descriptors 0 to 2; `None` where they are none.
    #[must_use]
    pub fn begin(start: &'a Start) -> Option<Self> {
        let terminal = Terminal::find(start.environment.own_term()).ok()?;
        let mask = SigSet::thread_get_mask().ok()?;
        let watch = Watch::begin(&Paths::system()).ok()?;
        Some(Self {
            start,
            terminal,
            watch,
            mask,
        })
    }

    /// The terminal.
    #[must_use]
    pub fn terminal(&self) -> &Terminal {
        &self.terminal
    }

    /// What is known of the client.
    #[must_use]
    pub fn start(&self) -> &'a Start {
        self.start
    }

    /// Shows lines.
    pub fn show(&self, lines: impl std::fmt::Display) {
        self.terminal.write(&format!("{lines}\n"));
    }

    /// Shows text that must leave no copy behind: past every buffer, whole lines of it.
    pub fn show_secret(&self, text: &str) {
        let output = Descriptors::standard().output;
        // Who does not see it types no code.
        let _ = sys::write_within(output, text.as_bytes(), SHOWING);
    }

    /// Ends it as Ctrl-C does.
    #[must_use]
    pub fn give_up(&self) -> Left {
        say(Says::GivenUp);
        Left(status::DENIED)
    }

    /// Takes away what was shown, where the terminal can.
    pub fn wipe(&self) {
        if !self.terminal.is_plain() {
            self.terminal.write(WIPE);
        }
    }

    /// Asks for a line that is not echoed. What was typed before is thrown away.
    ///
    /// # Errors
    /// [`Left`].
    pub fn ask(&self, prompt: &Says<'_>) -> Result<SecretString, Left> {
        // Puts the terminal back when it goes away.
        let client =
            Client::take(Descriptors::standard(), true).map_err(|_| Left(status::CONNECTION))?;
        let person = Person {
            input: client.descriptors.input,
            output: client.descriptors.errors,
            target: "",
        };
        let mut asked = person.put(&prompt.to_string());
        loop {
            let others = self.watch.descriptors().map(|one| (one, PollFlags::POLLIN));
            let answer = asked.wait(&others, None);
            let left = match answer {
                Answer::Typed(line) => return Ok(line),
                Answer::Gone => status::CONNECTION,
                Answer::GivenUp | Answer::Late => {
                    drop(client);
                    return Err(self.give_up());
                }
                Answer::Disturbed => match self.watch.pending() {
                    None => continue,
                    Some(Woken::AskAgain) if is_still_there(self.start) => continue,
                    Some(Woken::Ended(reason)) => {
                        drop(client);
                        say(Message::Killed(reason));
                        return Err(Left(status::ENDED));
                    }
                    Some(Woken::AskAgain) => {
                        drop(client);
                        say(Message::UserNotValid);
                        return Err(Left(status::ENDED));
                    }
                    Some(Woken::Ready | Woken::Gone) => status::CONNECTION,
                },
            };
            return Err(Left(left));
        }
    }
}
