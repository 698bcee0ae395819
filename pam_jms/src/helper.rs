//! One question to `jms-pam-helper`: start it, ask, put its prompts to the person, read its answer, see it end well; or
//! keep it for the next question about the same login.
//! It has five seconds for what it does itself, anew after each answer of the person; how long a person may take,
//! sshd's LoginGraceTime says. Both the answer and the exit status must be good.

use std::ffi::CStr;
use std::fmt;
use std::io::{self, Read};
use std::time::{Duration, Instant};

use pam_jms_protocol::{
    Frame, HelperMessage, ModuleMessage, Phase, Prompt, ProtocolError, ReadError, Request,
    Response, limits,
};

use crate::ffi::channel::Channel;
use crate::ffi::child::{Child, End, StartError};

/// Where the package puts it.
pub(crate) const HELPER: &CStr = c"/usr/libexec/jms/jms-pam-helper";
/// Tells it that it may stay for one question more: [`pam_jms_protocol::STAY`].
const STAY: &CStr = c"--stay";
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

/// A helper that has answered and waits for the next question about the same login. Dropped, it is ended.
pub(crate) struct Waiting {
    child: Child,
    channel: Channel,
}

impl Waiting {
    /// Takes it up again. `None`: it is not ours to ask, because this process was forked from the one that started it, or
    /// because the host has closed its socket.
    fn resume(mut self, deadline: Instant) -> Result<Option<Self>, HelperError> {
        if !self.child.is_ours() || !self.channel.is_ours() {
            return Ok(None);
        }
        let resumed = self.child.resume();
        resumed.map_err(|error| HelperError::Start(error.into()))?;
        self.channel.set_deadline(deadline);
        if !self.channel.has_news() {
            return Ok(Some(self));
        }
        match self.channel.read(&mut [0]) {
            // It was asked too late. Another one answers, if it has ended well.
            Ok(0) => match self.child.end(deadline) {
                End::Good | End::Unknown => Ok(None),
                End::Killed => Err(HelperError::Slow),
                end => Err(HelperError::Ended(end)),
            },
            Ok(_) => Err(HelperError::TrailingBytes),
            Err(error) => Err(HelperError::Read(ReadError::Io(error))),
        }
    }
}

/// Asks the helper that waits, or the installed one; `person` answers its prompts. Before a session it may say that it stays
/// for the next question: then it is given back.
pub(crate) fn ask(
    request: &Request,
    waiting: Option<Waiting>,
    person: &mut dyn FnMut(&Prompt) -> Option<Response>,
) -> Result<(HelperMessage, Option<Waiting>), HelperError> {
    let message = ModuleMessage::Request(request.clone());
    let frame = message.to_frame().map_err(HelperError::Request)?;
    let end = deadline()?;
    if let Some(waiting) = waiting
        && let Some(resumed) = waiting.resume(end)?
    {
        // One that went as it was asked has answered nothing: then another is started.
        if let Some(answered) = exchange(resumed, &frame, false, person, end)? {
            return Ok(answered);
        }
    }
    let may_stay = is_before_session(request.phase);
    let end = deadline()?;
    let started = Child::start(HELPER, may_stay.then_some(STAY), end);
    let (child, channel) = started.map_err(HelperError::Start)?;
    let said = exchange(Waiting { child, channel }, &frame, may_stay, person, end)?;
    said.ok_or(HelperError::Read(ReadError::Closed))
}

/// The answer, and the helper if it stays. `None`: the helper has ended well, and said nothing.
fn exchange(
    helper: Waiting,
    frame: &Frame,
    may_stay: bool,
    person: &mut dyn FnMut(&Prompt) -> Option<Response>,
    mut deadline: Instant,
) -> Result<Option<(HelperMessage, Option<Waiting>)>, HelperError> {
    let Waiting { child, mut channel } = helper;
    match converse(&mut channel, frame, may_stay, person, &mut deadline) {
        Ok((answer, true)) => {
            let mut waiting = Waiting { child, channel };
            waiting.child.rest();
            Ok(Some((answer, Some(waiting))))
        }
        Ok((answer, false)) => {
            drop(channel);
            match child.end(deadline) {
                End::Good => Ok(Some((answer, None))),
                End::Killed => Err(HelperError::Slow),
                end => Err(HelperError::Ended(end)),
            }
        }
        // One that could not even begin closes without a word: its status says why.
        Err(
            error @ (HelperError::Read(ReadError::Closed | ReadError::Cut) | HelperError::Send(_)),
        ) => {
            drop(channel);
            match (child.end(deadline), &error) {
                (End::Good, HelperError::Read(ReadError::Closed)) => Ok(None),
                (End::Good | End::Killed, _) => Err(error),
                (end, _) => Err(HelperError::Ended(end)),
            }
        }
        // A liar is not waited for: dropping the child ends it.
        Err(error) => Err(error),
    }
}

/// Whether another question about the login follows a yes.
fn is_before_session(phase: Phase) -> bool {
    match phase {
        Phase::Authenticate | Phase::AuthenticateAfterPassword | Phase::Account => true,
        Phase::OpenSession | Phase::CloseSession => false,
    }
}

fn deadline() -> Result<Instant, HelperError> {
    Instant::now().checked_add(LIMIT).ok_or(HelperError::Slow)
}

/// What it answers, and whether it waits for more.
fn converse(
    channel: &mut Channel,
    frame: &Frame,
    may_stay: bool,
    person: &mut dyn FnMut(&Prompt) -> Option<Response>,
    deadline_now: &mut Instant,
) -> Result<(HelperMessage, bool), HelperError> {
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
    match Frame::read(channel) {
        Err(ReadError::Closed) => Ok((answer, false)),
        Ok(more) if may_stay && more.says_waits() && matches!(answer, HelperMessage::Allow(_)) => {
            Ok((answer, true))
        }
        Err(ReadError::Io(error)) => Err(slow_or(error, |error| {
            HelperError::Read(ReadError::Io(error))
        })),
        Ok(_) | Err(ReadError::Cut | ReadError::Protocol(_)) => Err(HelperError::TrailingBytes),
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

#[cfg(test)]
mod tests {
    #[test]
    fn both_sides_have_the_same_word_for_staying() {
        assert_eq!(super::STAY.to_str(), Ok(pam_jms_protocol::STAY));
    }
}
