//! Messages of the agent protocol (draft-miller-ssh-agent, OpenSSH's `PROTOCOL.agent`): a length, a type, fields.

use jms::keys::wire::{Reader, WireError, Writer};

/// The longest request that is read, in bytes. The largest real one is a signature request with an RSA key of 16384
/// bits and a host key: about 6 KiB.
pub(super) const MAX_REQUEST: usize = 32 * 1024;

const FAILURE: u8 = 5;
const SUCCESS: u8 = 6;
const REQUEST_IDENTITIES: u8 = 11;
const IDENTITIES_ANSWER: u8 = 12;
const SIGN_REQUEST: u8 = 13;
const SIGN_RESPONSE: u8 = 14;
const EXTENSION: u8 = 27;
const SESSION_BIND: &[u8] = b"session-bind@openssh.com";

/// A request, taken apart but not judged.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Request<'a> {
    /// Which keys are there?
    Identities,
    /// Sign `data` with the key `key`.
    Sign {
        key: &'a [u8],
        data: &'a [u8],
        flags: u32,
    },
    /// This connection belongs to the SSH session `session_id`, whose server proved `host_key` by `signature`.
    Bind {
        host_key: &'a [u8],
        session_id: &'a [u8],
        signature: &'a [u8],
        is_forwarding: bool,
    },
    /// Something that this agent does not do, by its type.
    Other(u8),
}

/// What the front of the bytes that came in holds.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Frame<'a> {
    /// Not a whole message yet.
    Partial,
    /// A whole message without its length, and how many bytes it takes with it.
    Whole(&'a [u8], usize),
    /// A message of this length, which is not read.
    TooLong(u32),
}

/// Looks for one message at the front of `bytes`.
pub(super) fn frame(bytes: &[u8]) -> Frame<'_> {
    let mut reader = Reader::new(bytes);
    let Ok(length) = reader.uint32() else {
        return Frame::Partial;
    };
    match usize::try_from(length) {
        Ok(length) if length <= MAX_REQUEST => match reader.bytes(length) {
            Ok(body) => Frame::Whole(body, length + 4),
            Err(_) => Frame::Partial,
        },
        _ => Frame::TooLong(length),
    }
}

impl<'a> Request<'a> {
    pub(super) fn parse(body: &'a [u8]) -> Result<Self, WireError> {
        let mut reader = Reader::new(body);
        let request = match reader.byte()? {
            REQUEST_IDENTITIES => Self::Identities,
            SIGN_REQUEST => Self::Sign {
                key: reader.string()?,
                data: reader.string()?,
                flags: reader.uint32()?,
            },
            EXTENSION if reader.string()? == SESSION_BIND => Self::Bind {
                host_key: reader.string()?,
                session_id: reader.string()?,
                signature: reader.string()?,
                is_forwarding: reader.boolean()?,
            },
            // Their fields are nobody's business here.
            other => return Ok(Self::Other(other)),
        };
        reader.finish()?;
        Ok(request)
    }
}

/// Appends “no”.
pub(super) fn put_failure(output: &mut Vec<u8>) {
    output.put_string(&[FAILURE]);
}

/// Appends “done”.
pub(super) fn put_success(output: &mut Vec<u8>) {
    output.put_string(&[SUCCESS]);
}

/// Appends a list of at most one key.
pub(super) fn put_identities(output: &mut Vec<u8>, key: Option<(&[u8], &str)>) {
    let mut body = vec![IDENTITIES_ANSWER];
    body.extend_from_slice(&u32::from(key.is_some()).to_be_bytes());
    if let Some((blob, comment)) = key {
        body.put_string(blob);
        body.put_string(comment.as_bytes());
    }
    output.put_string(&body);
}

/// Appends a signature.
pub(super) fn put_signature(output: &mut Vec<u8>, signature: &[u8]) {
    let mut body = vec![SIGN_RESPONSE];
    body.put_string(signature);
    output.put_string(&body);
}
