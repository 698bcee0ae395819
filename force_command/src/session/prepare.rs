//! From what the store knows of a target to what the connection needs.

use super::Refused;
use crate::agent::{Binding, Protocol, Purpose};
use crate::confinement::{ClientConfinement, Needs};
use crate::egress::{Destination, Folder, PROGRAM};
use crate::message::{Message, Trouble};
use crate::status;
use jms::keys::{HostKey, LegacyHash, PrivateKey};
use jms::names::Address;
use jms::nouns::{Algorithms, CredentialKind};
use jms::paths::Paths;
use jms::secret::{Context, MasterKey};
use jms::settings;
use jms::store::Egress;
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::PathBuf;

/// One machine on the way: a gateway, or the asset at the end.
pub struct Leg {
    /// The asset's name.
    pub name: String,
    /// Where its client goes.
    pub destination: Destination,
    /// Its agent's side, with the opened key in it.
    pub protocol: Protocol,
}

/// A machine whose key is not yet opened.
pub struct Stage<'e> {
    /// For sentences.
    label: String,
    egress: &'e Egress,
    destination: Destination,
}

/// The machines on the way to the asset, the first gateway first. `target` is for sentences. No secret is read yet.
///
/// # Errors
/// [`Refused`] for what this version cannot reach, and for a machine that nobody could recognise.
pub fn way<'e>(egress: &'e Egress, target: &str) -> Result<Vec<Stage<'e>>, Refused> {
    let gateways = egress.gateways.iter().map(|gateway| {
        let label = format!("{target}: its gateway {}", gateway.asset.name);
        (gateway, label)
    });
    gateways
        .chain(std::iter::once((egress, target.to_owned())))
        .map(|(egress, label)| {
            Ok(Stage {
                destination: destination(egress, &label)?,
                label,
                egress,
            })
        })
        .collect()
}

impl Stage<'_> {
    /// Where its client goes.
    #[must_use]
    pub fn destination(&self) -> &Destination {
        &self.destination
    }

    /// With its key, opened.
    ///
    /// # Errors
    /// [`Refused`] when there is no key, or none that can be opened.
    pub fn leg(self, paths: &Paths, settings: &settings::Confinement) -> Result<Leg, Refused> {
        Ok(Leg {
            name: self.egress.asset.name.clone(),
            protocol: agent(paths, settings, self.egress, &self.label)?,
            destination: self.destination,
        })
    }
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

fn agent(
    paths: &Paths,
    settings: &settings::Confinement,
    egress: &Egress,
    target: &str,
) -> Result<Protocol, Refused> {
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
        binding: match settings.allow_unbound_agent {
            true => Binding::Optional,
            false => Binding::Required,
        },
    };
    Ok(Protocol::new(key, purpose))
}

/// What the client program may do, on a kernel that can see to it.
///
/// # Errors
/// [`Refused`] when the kernel cannot, and a setting or the way of connecting demands it.
pub fn confinement(
    settings: &settings::Confinement,
    folder: &Folder,
) -> Result<ClientConfinement, Refused> {
    let landlock = jms::confinement::landlock();
    if landlock == 0 && settings.require_landlock {
        let cause = "the kernel has no Landlock, and confinement.require_landlock is set";
        return Err(Refused::because(Trouble::Confinement, cause));
    }
    if !jms::confinement::has_listeners() {
        let cause = "the kernel has no filters of system calls with listeners (seccomp)";
        return Err(Refused::because(Trouble::Confinement, cause));
    }
    let needs = Needs {
        program: PathBuf::from(OsStr::from_bytes(PROGRAM.to_bytes())),
        reads: vec![folder.known_hosts()],
        writes: vec![folder.log()],
        helper: None,
    };
    ClientConfinement::new(&needs, landlock > 0)
        .map_err(|error| Refused::because(Trouble::Confinement, error))
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
