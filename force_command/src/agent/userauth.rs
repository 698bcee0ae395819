//! What a client asks to be signed when it logs in: the user authentication request of RFC 4252, section 7, and its
//! form of OpenSSH ≥ 8.9 that also names the server's host key (`PROTOCOL`, section 3.1).

use jms::keys::wire::{Reader, WireError};

const USERAUTH_REQUEST: u8 = 50;

/// How the login is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Method<'a> {
    /// `publickey`
    PublicKey,
    /// `publickey-hostbound-v00@openssh.com`, with the host key it names.
    HostBound(&'a [u8]),
}

/// A request whose form is right. Its contents are still to be judged.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct UserauthRequest<'a> {
    pub(super) session_id: &'a [u8],
    pub(super) user: &'a [u8],
    pub(super) service: &'a [u8],
    pub(super) method: Method<'a>,
    pub(super) algorithm: &'a [u8],
    pub(super) key: &'a [u8],
}

impl<'a> UserauthRequest<'a> {
    /// Takes `data` apart. `None` when it is something else, or has anything too much.
    pub(super) fn parse(data: &'a [u8]) -> Option<Self> {
        Self::read(data).ok().flatten()
    }

    fn read(data: &'a [u8]) -> Result<Option<Self>, WireError> {
        let mut reader = Reader::new(data);
        let session_id = reader.string()?;
        if reader.byte()? != USERAUTH_REQUEST {
            return Ok(None);
        }
        let user = reader.string()?;
        let service = reader.string()?;
        let method = reader.string()?;
        if !reader.boolean()? {
            return Ok(None);
        }
        let algorithm = reader.string()?;
        let key = reader.string()?;
        let method = match method {
            b"publickey" => Method::PublicKey,
            b"publickey-hostbound-v00@openssh.com" => Method::HostBound(reader.string()?),
            _ => return Ok(None),
        };
        reader.finish()?;
        Ok(Some(Self {
            session_id,
            user,
            service,
            method,
            algorithm,
            key,
        }))
    }
}
