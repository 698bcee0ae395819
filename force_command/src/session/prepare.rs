//! From what the store knows of a target to what the connection needs.

use super::Refused;
use crate::agent::{Binding, Protocol, Purpose};
use crate::egress::Destination;
use crate::message::{Message, Trouble};
use crate::status;
use jms::keys::{HostKey, LegacyHash, PrivateKey};
use jms::names::Address;
use jms::nouns::{Algorithms, CredentialKind};
use jms::paths::Paths;
use jms::secret::{Context, MasterKey};
use jms::store::Egress;

/// Where the client program goes. `target` is for sentences.
///
/// # Errors
/// [`Refused`] for what this version cannot reach, and for an asset that nobody could recognise.
pub fn destination(egress: &Egress, target: &str) -> Result<Destination, Refused> {
    let asset = &egress.asset;
    let unsupported = |what| Refused {
        message: Message::Unsupported {
            target: target.to_owned(),
            what,
        },
        status: status::REQUEST,
    };
    if asset.protocol != "ssh" {
        return Err(unsupported("another protocol than ssh"));
    }
    if asset.gateway.is_some() {
        return Err(unsupported("a gateway"));
    }
    if egress.host_keys.is_empty() {
        return Err(Refused {
            message: Message::NoHostKey(target.to_owned()),
            status: status::CONNECTION,
        });
    }
    Ok(Destination {
        address: Address::new(&asset.address).map_err(|_| Refused::trouble(Trouble::Policy))?,
        port: asset.port,
        account: egress.account.clone(),
        host_keys: egress.host_keys.clone(),
        algorithms: asset.algorithms,
    })
}

/// The agent's side of the connection, with the opened key in it.
///
/// # Errors
/// [`Refused`] when there is no key, or none that can be opened.
pub fn agent(paths: &Paths, egress: &Egress, target: &str) -> Result<Protocol, Refused> {
    if egress.system_user.credential != CredentialKind::Key {
        let what = match egress.system_user.credential {
            CredentialKind::Password => "a stored password",
            CredentialKind::Ask => "a password that you type",
            _ => "a certificate",
        };
        let message = Message::Unsupported {
            target: target.to_owned(),
            what,
        };
        return Err(Refused {
            message,
            status: status::REQUEST,
        });
    }
    let none = || Refused {
        message: Message::NoCredential(target.to_owned()),
        status: status::CONNECTION,
    };
    let credential = egress
        .credential
        .as_ref()
        .filter(|it| it.kind == CredentialKind::Key)
        .ok_or_else(none)?;
    let key = open_key(paths, credential.id, &credential.sealed)
        .ok_or(Refused::trouble(Trouble::SecretKey))?;
    let host_keys: Result<Vec<HostKey>, _> = egress
        .host_keys
        .iter()
        .map(|key| HostKey::from_blob(&key.blob))
        .collect();
    let purpose = Purpose {
        login: egress.account.clone(),
        host_keys: host_keys.map_err(|_| Refused::trouble(Trouble::Policy))?,
        legacy: match egress.asset.algorithms {
            Algorithms::Default => LegacyHash::Refused,
            Algorithms::Legacy => LegacyHash::Accepted,
        },
        binding: Binding::Required,
    };
    Ok(Protocol::new(key, purpose))
}

/// The master key lives only as long as this takes.
fn open_key(paths: &Paths, row: i64, sealed: &[u8]) -> Option<PrivateKey> {
    let master = MasterKey::load(&paths.secret_key()).ok()?;
    let text = master
        .open(&Context::credential(row), sealed)
        .ok()?
        .into_string()
        .ok()?;
    PrivateKey::parse(text.expose(), None).ok()
}
