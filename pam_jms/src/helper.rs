//! One question to `jms-pam-helper`: start it, ask, put its prompts to the person, read its answer, see it end well.
//! It has five seconds for what it does itself, anew after each answer of the person; how long a person may take,
//! sshd's LoginGraceTime says. Both the answer and the exit status must be good.

use std::ffi::CStr;
use std::fmt;
use std::io::{self, Read};
use std::time::{Duration, Instant};

use pam_jms_protocol::{
    Frame, HelperMessage, ModuleMessage, Prompt, ProtocolError, ReadError, Request, Response,
    limits,
};

use crate::ffi::channel::Channel;
use crate::ffi::child::{Child, End, StartError};

/// Where the package puts it.
pub(crate) const HELPER: &CStr = c"/usr/libexec/jms/jms-pam-helper";
/// From the start of the helper, or from a person's answer, to its end or next prompt.
pub(crate) const LIMIT: Duration = Duration::from_secs(5);

/// Why there is no answer that counts.
#[derive(Debug)]
pub(crate) enum HelperError {
    /// It could not be started.
    Start(StartError),
    /// The request cannot be put into a message.
    Request(ProtocolError),
    /// It could not be told.
    Send(io::Error),
    /// It gave no whole message.
    Read(ReadError),
    /// It said more than one thing.
    TrailingBytes,
    /// It asks for something that this phase cannot ask the person.
    Unasked,
    /// It asks without an end.
    TooManyPrompts,
    /// The person went, or cannot be asked.
    NoResponse,
    /// It did not answer in time.
    Slow,
    /// It ended badly, whatever it said before.
    Ended(End),
}

impl fmt::Display for HelperError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Start(error) => write!(f, "jms-pam-helper cannot be started: {error}"),
            Self::Request(error) => write!(f, "the request is not one for jms-pam-helper: {error}"),
            Self::Send(error) => write!(f, "jms-pam-helper does not listen: {error}"),
            Self::Read(error) => write!(f, "jms-pam-helper gave no answer: {error}"),
            Self::TrailingBytes => f.write_str("jms-pam-helper said more than its answer"),
            Self::Unasked => {
                f.write_str("jms-pam-helper wants to ask the person, which this phase cannot")
            }
            Self::TooManyPrompts => write!(
                f,
                "jms-pam-helper wants to ask the person more than {} times",
                limits::PROMPTS
            ),
            Self::NoResponse => f.write_str("the person did not answer"),
            Self::Slow => write!(
                f,
                "jms-pam-helper did not answer within {} seconds and was ended",
                LIMIT.as_secs()
            ),
            Self::Ended(end) => write!(f, "{end}"),
        }
    }
}

/// Asks the installed helper; `person` answers its prompts.
pub(crate) fn ask(
    request: &Request,
    person: &mut dyn FnMut(&Prompt) -> Option<Response>,
) -> Result<HelperMessage, HelperError> {
    let message = ModuleMessage::Request(request.clone());
    let frame = message.to_frame().map_err(HelperError::Request)?;
    let mut deadline = deadline()?;
    let (child, mut channel) = Child::start(HELPER, deadline).map_err(HelperError::Start)?;
    let said = converse(&mut channel, &frame, person, &mut deadline);
    drop(channel);
    match said {
        Ok(answer) => match child.end(deadline) {
            End::Good => Ok(answer),
            End::Killed => Err(HelperError::Slow),
            end => Err(HelperError::Ended(end)),
        },
        // One that could not even begin closes without a word: its status says why.
        Err(
            error @ (HelperError::Read(ReadError::Closed | ReadError::Cut) | HelperError::Send(_)),
        ) => match child.end(deadline) {
            End::Good | End::Killed => Err(error),
            end => Err(HelperError::Ended(end)),
        },
        // A liar is not waited for: dropping the child ends it.
        Err(error) => Err(error),
    }
}

fn deadline() -> Result<Instant, HelperError> {
    Instant::now().checked_add(LIMIT).ok_or(HelperError::Slow)
}

fn converse(
    channel: &mut Channel,
    frame: &Frame,
    person: &mut dyn FnMut(&Prompt) -> Option<Response>,
    deadline_now: &mut Instant,
) -> Result<HelperMessage, HelperError> {
    send(channel, frame)?;
    let mut answer = receive(channel)?;
    let mut prompts = 0;
    while let HelperMessage::Prompt(prompt) = &answer {
        if prompts == limits::PROMPTS {
            return Err(HelperError::TooManyPrompts);
        }
        prompts = prompts.saturating_add(1);
        let response = person(prompt).ok_or(HelperError::NoResponse)?;
        *deadline_now = deadline()?;
        channel.set_deadline(*deadline_now);
        let response = ModuleMessage::Response(response);
        send(channel, &response.to_frame().map_err(HelperError::Request)?)?;
        answer = receive(channel)?;
    }
    match channel.read(&mut [0]) {
        Ok(0) => Ok(answer),
        Ok(_) => Err(HelperError::TrailingBytes),
        Err(error) => Err(slow_or(error, |error| {
            HelperError::Read(ReadError::Io(error))
        })),
    }
}

fn send(channel: &Channel, frame: &Frame) -> Result<(), HelperError> {
    channel
        .send(&frame.to_bytes())
        .map_err(|error| match error.kind() {
            // It went before it was told: the same as one that goes after.
            io::ErrorKind::BrokenPipe => HelperError::Read(ReadError::Closed),
            _ => slow_or(error, HelperError::Send),
        })
}

fn receive(channel: &mut Channel) -> Result<HelperMessage, HelperError> {
    let answer = Frame::read(channel).map_err(|error| match error {
        ReadError::Io(error) => slow_or(error, |error| HelperError::Read(ReadError::Io(error))),
        other => HelperError::Read(other),
    })?;
    HelperMessage::from_frame(&answer)
        .map_err(|error| HelperError::Read(ReadError::Protocol(error)))
}

fn slow_or(error: io::Error, other: impl FnOnce(io::Error) -> HelperError) -> HelperError {
    if error.kind() == io::ErrorKind::TimedOut {
        HelperError::Slow
    } else {
        other(error)
    }
}
