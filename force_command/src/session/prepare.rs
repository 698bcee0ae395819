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

/// One machine on the way: a gateway, or the asset at the end.
pub struct Leg {
    /// The asset's name.
    pub name: String,
    /// Where its client goes.
    pub destination: Destination,
    /// Its agent's side, with the opened key in it.
    pub protocol: Protocol,
}

/// Everything for the way to the asset, the first gateway first. `target` is for sentences.
///
/// # Errors
/// [`Refused`] for what this version cannot reach, for a machine that nobody could recognise, and when there is
/// no key, or none that can be opened.
pub fn way(paths: &Paths, egress: &Egress, target: &str) -> Result<Vec<Leg>, Refused> {
    let gateways = egress.gateways.iter().map(|gateway| {
        let label = format!("{target}: its gateway {}", gateway.asset.name);
        leg(paths, gateway, &label)
    });
    gateways
        .chain(std::iter::once_with(|| leg(paths, egress, target)))
        .collect()
}

fn leg(paths: &Paths, egress: &Egress, label: &str) -> Result<Leg, Refused> {
    Ok(Leg {
        name: egress.asset.name.clone(),
        destination: destination(egress, label)?,
        protocol: agent(paths, egress, label)?,
    })
}

fn destination(egress: &Egress, target: &str) -> Result<Destination, Refused> {
    let asset = &egress.asset;
    if asset.protocol != "ssh" {
        let message = Message::Unsupported {
            target: target.to_owned(),
            what: "another protocol than ssh",
        };
        return Err(Refused::new(message, status::REQUEST));
    }
    if egress.host_keys.is_empty() {
        return Err(Refused::new(
            Message::NoHostKey(target.to_owned()),
            status::CONNECTION,
        ));
    }
    Ok(Destination {
        address: Address::new(&asset.address)
            .map_err(|error| Refused::because(Trouble::Policy, error))?,
        port: asset.port,
        account: egress.account.clone(),
        host_keys: egress.host_keys.clone(),
        algorithms: asset.algorithms,
    })
}

fn agent(paths: &Paths, egress: &Egress, target: &str) -> Result<Protocol, Refused> {
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
        return Err(Refused::new(message, status::REQUEST));
    }
    let none = || Refused::new(Message::NoCredential(target.to_owned()), status::CONNECTION);
    let credential = egress
        .credential
        .as_ref()
        .filter(|it| it.kind == CredentialKind::Key)
        .ok_or_else(none)?;
    let key = open_key(paths, credential.id, &credential.sealed)?;
    let host_keys: Result<Vec<HostKey>, _> = egress
        .host_keys
        .iter()
        .map(|key| HostKey::from_blob(&key.blob))
        .collect();
    let purpose = Purpose {
        login: egress.account.clone(),
        host_keys: host_keys.map_err(|error| Refused::because(Trouble::Policy, error))?,
        legacy: match egress.asset.algorithms {
            Algorithms::Default => LegacyHash::Refused,
            Algorithms::Legacy => LegacyHash::Accepted,
        },
        binding: Binding::Required,
    };
    Ok(Protocol::new(key, purpose))
}

/// The master key lives only as long as this takes.
fn open_key(paths: &Paths, row: i64, sealed: &[u8]) -> Result<PrivateKey, Refused> {
    let master = MasterKey::load(&paths.secret_key())
        .map_err(|error| Refused::because(Trouble::SecretKey, error))?;
    let opened = master
        .open(&Context::credential(row), sealed)
        .and_then(|opened| opened.into_string());
    let text = opened.map_err(|error| Refused::because(Trouble::SecretKey, error))?;
    PrivateKey::parse(text.expose(), None)
        .map_err(|error| Refused::because(Trouble::SecretKey, error))
}
