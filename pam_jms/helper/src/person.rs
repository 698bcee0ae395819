//! The person at the other end of the conversation: a prompt goes out, what was typed comes back.

use std::io::{self, Read, Write};

use jms::time::Time;
use pam_jms_protocol::{
    Frame, HelperMessage, ModuleMessage, Prompt, ProtocolError, ReadError, Response,
};

use crate::confine;

/// Whom the steps of an authentication ask; the tests answer from a script.
pub trait Person {
    /// Asks, and waits for the answer.
    ///
    /// # Errors
    /// [`Gone`]: there will be none.
    fn ask(&mut self, prompt: &Prompt) -> Result<Response, Gone>;
    /// The time. Typing takes some, so it is asked for after each answer.
    fn now(&self) -> Time;
}

/// Why there is no answer.
#[derive(Debug)]
pub enum Gone {
    /// The module closed the socket: the client went, or sshd's LoginGraceTime ended.
    Closed,
    /// What came is no answer.
    NotAnAnswer(ReadError),
}

/// The real one, behind `pam_jms.so`.
pub struct Module<I, O> {
    input: I,
    output: O,
}

impl<I: Read, O: Write> Module<I, O> {
    /// Behind these two.
    pub fn new(input: I, output: O) -> Self {
        Self { input, output }
    }

    fn send(&mut self, prompt: &Prompt) -> io::Result<()> {
        let message = HelperMessage::Prompt(prompt.clone());
        let frame = message.to_frame().map_err(io::Error::other)?;
        self.output.write_all(&frame.to_bytes())?;
        self.output.flush()
    }
}

impl<I: Read, O: Write> Person for Module<I, O> {
    fn ask(&mut self, prompt: &Prompt) -> Result<Response, Gone> {
        self.send(prompt).map_err(|_| Gone::Closed)?;
        confine::wait_for_person();
        let frame = Frame::read(&mut self.input);
        confine::work_again();
        let frame = match frame {
            Ok(frame) => frame,
            Err(ReadError::Closed) => return Err(Gone::Closed),
            Err(error) => return Err(Gone::NotAnAnswer(error)),
        };
        match ModuleMessage::from_frame(&frame) {
            Ok(ModuleMessage::Response(response)) => Ok(response),
            Ok(ModuleMessage::Request(_)) => Err(Gone::NotAnAnswer(ReadError::Protocol(
                ProtocolError::Kind(frame.kind().number()),
            ))),
            Err(error) => Err(Gone::NotAnAnswer(ReadError::Protocol(error))),
        }
    }

    fn now(&self) -> Time {
        Time::now()
    }
}
