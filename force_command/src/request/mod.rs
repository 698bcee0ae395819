//! What is asked for: one parser for the login name's tail and the client's command (CLI.md, “The session program”).
//!
//! Trusts nothing. It is pure: no grants, no clock, no system call; whether a target exists, and
//! whether it may be reached, is answered elsewhere and only after this.
#![forbid(unsafe_code)]

mod channel;
mod target;
mod verb;
mod words;

#[cfg(test)]
mod tests;

pub use channel::channel_of;
pub use target::Wording;
pub use verb::{Filter, KNOWN, MfaWish, Verb};
pub use words::NotWords;

use channel::classify;
use jms::policy::Channel;

/// The longest command that is passed on, in bytes: what one argument of `execve(2)` can hold on Linux
/// (`MAX_ARG_STRLEN`) less its terminating NUL.
pub const COMMAND_LIMIT: usize = 128 * 1024 - 1;

/// Where ssh-copy-id(1) writes keys.
const KEY_FILE: &[u8] = b".ssh/authorized_keys";

/// What one channel of a login asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Request {
    /// One of the bastion's own words.
    Verb(Verb),
    /// A session on an asset.
    Connect(Connect),
    /// `jmsctl …`: administration, for who may; the words after it.
    Administer(Vec<Vec<u8>>),
    /// Nothing at all, with a terminal: the menu.
    Menu,
}

/// A session on an asset, as worded; nothing of it is decided yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Connect {
    /// Where to.
    pub wording: Wording,
    /// What it is, and so which rights it needs.
    pub channel: Channel,
    /// The asset's command, byte for byte. `None` asks for the login shell.
    pub command: Option<Vec<u8>>,
    /// Whether a terminal is wanted at the asset.
    pub terminal: bool,
    /// Set when the target was the first word without an `@`, and the text is known from a client: what is wrong with
    /// it if that word names no asset. `scp -t /tmp` without a target is a file transfer that says no place.
    pub otherwise: Option<RequestError>,
}

/// Why a request cannot be understood. All of them are exit status 2.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RequestError {
    /// Neither a target, nor a verb, nor a terminal for the menu.
    Nowhere,
    /// A file transfer that names no target.
    TransferNowhere(Channel),
    /// What ssh-copy-id(1) asks for: to write keys on the bastion itself.
    CopyId,
    /// The text in the place of a target cannot be one.
    BadTarget(String),
    /// A word of CLI.md that is not built yet.
    NotInThisVersion(&'static str),
    /// This verb with arguments that it does not have.
    Usage(&'static str),
    /// The words after `jmsctl` need a shell, and none is here.
    NotWords(NotWords),
    /// More bytes than [`COMMAND_LIMIT`].
    TooLong(usize),
}

impl std::error::Error for RequestError {}

/// Understands a request.
///
/// `tail` is what follows the user and its `@` in the login name, `original` the client's command
/// (`SSH_ORIGINAL_COMMAND`, or the text of `-c` for a login shell), `has_terminal` whether the client has one.
///
/// The order is CLI.md's: a target in the login name takes the whole command; then a first word with
/// `@` and without `/`; then our verbs; then an asset's name alone.
///
/// # Errors
/// [`RequestError`], a sentence for the client.
pub fn parse(
    tail: Option<&[u8]>,
    original: Option<&[u8]>,
    has_terminal: bool,
) -> Result<Request, RequestError> {
    let original = original.unwrap_or_default();
    if original.len() > COMMAND_LIMIT {
        return Err(RequestError::TooLong(original.len()));
    }
    if let Some(tail) = tail {
        let wording = Wording::parse(tail).ok_or_else(|| bad_target(tail))?;
        return Ok(connect(wording, original, has_terminal, None));
    }
    let (first, rest) = words::first(original);
    if first.is_empty() {
        return if has_terminal {
            Ok(Request::Menu)
        } else {
            Err(RequestError::Nowhere)
        };
    }
    if first.contains(&b'@') && !first.contains(&b'/') {
        let wording = Wording::parse(first).ok_or_else(|| bad_target(first))?;
        return Ok(connect(wording, rest, has_terminal, None));
    }
    if first == b"connect" {
        let (target, rest) = words::first(rest);
        if target.is_empty() {
            return Err(RequestError::Usage("connect"));
        }
        let wording = Wording::parse(target).ok_or_else(|| bad_target(target))?;
        return Ok(connect(wording, rest, has_terminal, None));
    }
    if first == b"jmsctl" {
        let words = words::quoted(rest).map_err(RequestError::NotWords);
        return words.map(Request::Administer);
    }
    if let Some(verb) = verb::parse(first, rest) {
        return verb.map(Request::Verb);
    }
    let otherwise = known_without_target(original);
    match (Wording::parse(first), otherwise) {
        (Some(wording), otherwise) => Ok(connect(wording, rest, has_terminal, otherwise)),
        (None, Some(error)) => Err(error),
        (None, None) => Err(RequestError::Nowhere),
    }
}

/// What a client's own words are, when they come without a target.
fn known_without_target(original: &[u8]) -> Option<RequestError> {
    let channel = classify(original);
    if channel.is_transfer() {
        return Some(RequestError::TransferNowhere(channel));
    }
    // The script first runs `exit`, to see whether the key opens already; then a line for a shell.
    let writes_keys = original.starts_with(b"exec sh -c ")
        && original
            .windows(KEY_FILE.len())
            .any(|part| part == KEY_FILE);
    (original == b"exit" || writes_keys).then_some(RequestError::CopyId)
}

fn connect(
    wording: Wording,
    command: &[u8],
    terminal: bool,
    otherwise: Option<RequestError>,
) -> Request {
    // `ssh host ''` asks for a shell: sshd hands an empty command on as none.
    let command = (!command.is_empty()).then(|| command.to_vec());
    let channel = channel_of(command.as_deref(), terminal);
    Request::Connect(Connect {
        wording,
        channel,
        command,
        terminal,
        otherwise,
    })
}

/// The first 64 characters are enough to recognise what was typed.
fn bad_target(text: &[u8]) -> RequestError {
    RequestError::BadTarget(String::from_utf8_lossy(text).chars().take(64).collect())
}
