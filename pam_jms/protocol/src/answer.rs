//! What the helper answers.

use zeroize::Zeroize;

use crate::conversation::Prompt;
use crate::error::{Field, ProtocolError};
use crate::fields::{Reader, Writer, is_sentence};
use crate::frame::{Frame, Kind};
use crate::limits;

/// An environment variable for the session: a name `[A-Z][A-Z0-9_]*`, a value of printable ASCII.
#[derive(Clone, PartialEq, Eq)]
pub struct Variable {
    /// The name, such as `JMS_LOGIN`.
    pub name: String,
    /// The value; wiped when dropped.
    pub value: String,
}

impl Variable {
    fn check(&self) -> Result<(), ProtocolError> {
        let starts_well = self.name.starts_with(|c: char| c.is_ascii_uppercase());
        let goes_on_well = self
            .name
            .bytes()
            .all(|b| matches!(b, b'A'..=b'Z' | b'0'..=b'9' | b'_'));
        if !(starts_well && goes_on_well) {
            return Err(ProtocolError::BadValue(Field::VariableName));
        }
        if !self.value.bytes().all(|b| matches!(b, b' '..=b'~')) {
            return Err(ProtocolError::BadValue(Field::VariableValue));
        }
        Ok(())
    }
}

impl Drop for Variable {
    fn drop(&mut self) {
        self.value.zeroize();
    }
}

impl std::fmt::Debug for Variable {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Variable({}=…)", self.name)
    }
}

/// The phase may go on.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Allow {
    /// For the session's environment; the module accepts only the names it expects.
    pub environment: Vec<Variable>,
    /// A sentence for the person, may be empty.
    pub message: String,
}

/// Why a phase may not go on; what PAM is told depends on it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u32)]
pub enum Refusal {
    /// No such user in the store, or another uid.
    UnknownUser = 1,
    /// Disabled by an administrator, or not used for too long.
    Disabled = 2,
    /// The account's validity has not begun.
    NotYetValid = 3,
    /// The account's validity is over.
    Expired = 4,
    /// Locked after too many failures.
    Locked = 5,
    /// A login rule says no for this source or time.
    LoginRule = 6,
    /// A factor is missing or was not passed.
    FactorMissing = 7,
    /// A limit on logins is reached.
    Limit = 8,
    /// There is no such login to close.
    UnknownLogin = 9,
    /// The bastion cannot decide or write it down: store, settings, protocol.
    Unavailable = 10,
    /// What the person typed is wrong; he may try again.
    WrongAnswer = 11,
}

impl Refusal {
    /// The number on the wire and in messages to administrators.
    #[must_use]
    pub fn number(self) -> u32 {
        self as u32
    }

    fn from_number(number: u32) -> Result<Self, ProtocolError> {
        Ok(match number {
            1 => Self::UnknownUser,
            2 => Self::Disabled,
            3 => Self::NotYetValid,
            4 => Self::Expired,
            5 => Self::Locked,
            6 => Self::LoginRule,
            7 => Self::FactorMissing,
            8 => Self::Limit,
            9 => Self::UnknownLogin,
            10 => Self::Unavailable,
            11 => Self::WrongAnswer,
            _ => return Err(ProtocolError::BadValue(Field::Refusal)),
        })
    }
}

/// The phase may not go on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refuse {
    /// Why.
    pub refusal: Refusal,
    /// A short sentence for the person, may be empty.
    pub message: String,
}

/// Everything that the helper may send.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum HelperMessage {
    /// Yes; the helper's last word.
    Allow(Allow),
    /// No; the helper's last word.
    Refuse(Refuse),
    /// Ask the person first.
    Prompt(Prompt),
}

impl HelperMessage {
    /// Makes the message ready to send.
    ///
    /// # Errors
    /// A field is longer than its limit or has a value it may not have.
    pub fn to_frame(&self) -> Result<Frame, ProtocolError> {
        match self {
            Self::Allow(allow) => allow_to_frame(allow),
            Self::Refuse(refuse) => {
                let mut writer = Writer::default();
                writer.number(refuse.refusal.number());
                write_message(&mut writer, &refuse.message)?;
                Frame::new(Kind::Refuse, writer.into_bytes())
            }
            Self::Prompt(prompt) => prompt.to_frame(),
        }
    }

    /// Understands a message that came from the helper.
    ///
    /// # Errors
    /// Any breach of the protocol, among them a message that only the module may send.
    pub fn from_frame(frame: &Frame) -> Result<Self, ProtocolError> {
        let mut reader = Reader::new(frame.body());
        match frame.kind() {
            Kind::Allow => {
                let message = read_message(&mut reader)?;
                let environment = read_environment(&mut reader)?;
                reader.end()?;
                Ok(Self::Allow(Allow {
                    environment,
                    message,
                }))
            }
            Kind::Refuse => {
                let refusal = Refusal::from_number(reader.number(Field::Refusal)?)?;
                let message = read_message(&mut reader)?;
                reader.end()?;
                Ok(Self::Refuse(Refuse { refusal, message }))
            }
            Kind::Prompt => Prompt::from_body(frame.body()).map(Self::Prompt),
            other => Err(ProtocolError::Kind(other.number())),
        }
    }
}

fn allow_to_frame(allow: &Allow) -> Result<Frame, ProtocolError> {
    let count = allow.environment.len();
    let too_many = ProtocolError::TooLong {
        field: Field::Variables,
        length: count,
        limit: limits::VARIABLES,
    };
    if count > limits::VARIABLES {
        return Err(too_many);
    }
    let mut writer = Writer::unmoving();
    write_message(&mut writer, &allow.message)?;
    writer.number(u32::try_from(count).map_err(|_| too_many)?);
    for variable in &allow.environment {
        variable.check()?;
        writer.text(Field::VariableName, limits::VARIABLE_NAME, &variable.name)?;
        writer.text(
            Field::VariableValue,
            limits::VARIABLE_VALUE,
            &variable.value,
        )?;
    }
    Frame::new(Kind::Allow, writer.into_bytes())
}

fn read_environment(reader: &mut Reader<'_>) -> Result<Vec<Variable>, ProtocolError> {
    let count = reader.number(Field::Variables)?;
    let count = usize::try_from(count).unwrap_or(usize::MAX);
    if count > limits::VARIABLES {
        return Err(ProtocolError::TooLong {
            field: Field::Variables,
            length: count,
            limit: limits::VARIABLES,
        });
    }
    let mut environment = Vec::with_capacity(count);
    for _ in 0..count {
        let variable = Variable {
            name: reader.text(Field::VariableName, limits::VARIABLE_NAME)?,
            value: reader.text(Field::VariableValue, limits::VARIABLE_VALUE)?,
        };
        variable.check()?;
        environment.push(variable);
    }
    Ok(environment)
}

fn write_message(writer: &mut Writer, message: &str) -> Result<(), ProtocolError> {
    if !is_sentence(message) {
        return Err(ProtocolError::BadValue(Field::Message));
    }
    writer.text(Field::Message, limits::MESSAGE, message)
}

fn read_message(reader: &mut Reader<'_>) -> Result<String, ProtocolError> {
    let message = reader.text(Field::Message, limits::MESSAGE)?;
    if !is_sentence(&message) {
        return Err(ProtocolError::BadValue(Field::Message));
    }
    Ok(message)
}
