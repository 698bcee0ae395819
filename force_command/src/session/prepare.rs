//! From what the store knows of a target to what the connection needs.

use super::Refused;
use crate::agent::{Binding, Protocol, Purpose};
use crate::confinement::{ClientConfinement, Needs};
use crate::egress::ask::ASKPASS;
use crate::egress::{Destination, Folder, Method, PROGRAM};
use crate::message::{Message, Trouble};
use crate::status;
use jms::keys::{HostKey, LegacyHash, PrivateKey};
use jms::names::Address;
use jms::nouns::{Algorithms, CredentialKind, HostKeyPolicy};
use jms::paths::Paths;
use jms::secret::{Context, MasterKey, SecretString};
use jms::settings::{self, Settings};
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
    /// Its agent's side, with the opened key in it if there is one.
    pub protocol: Protocol,
    /// How the account is proved.
    pub proof: Proof,
}

/// How an account is proved to a machine, with what it takes.
#[derive(Debug)]
pub enum Proof {
    /// By the key in the agent.
    Key,
    /// By this password, once.
    Stored(SecretString),
    /// By what the person types.
    Typed,
}

/// A machine whose key or password is not yet opened.
pub struct Stage<'e> {
    /// For sentences.
    label: String,
    egress: &'e Egress,
    destination: Destination,
}

/// The machines on the way to the asset, the first gateway first. No secret is read yet.
///
/// `target` is for sentences; `terminal`: a person is there who can type.
///
/// # Errors
/// [`Refused`] for what this version cannot reach, and for a machine that nobody could recognise.
pub fn way<'e>(
    egress: &'e Egress,
    target: &str,
    policy: settings::HostKeyPolicy,
    terminal: bool,
) -> Result<Vec<Stage<'e>>, Refused> {
    let gateways = egress.gateways.iter().map(|gateway| {
        let label = format!("{target}: its gateway {}", gateway.asset.name);
        check_gateway(gateway, &label)?;
        stage(gateway, label)
    });
    let asset = std::iter::once_with(|| {
        check_asset(egress, target, policy, terminal)?;
        stage(egress, target.to_owned())
    });
    gateways.chain(asset).collect()
}

/// A gateway is known, and nobody types anything for it.
fn check_gateway(gateway: &Egress, label: &str) -> Result<(), Refused> {
    if gateway.system_user.credential == CredentialKind::Ask {
        return Err(unsupported(label, "a password that you type at a gateway"));
    }
    if gateway.host_keys.is_empty() {
        return Err(no_host_key(label));
    }
    Ok(())
}

fn check_asset(
    egress: &Egress,
    target: &str,
    policy: settings::HostKeyPolicy,
    terminal: bool,
) -> Result<(), Refused> {
    let kind = egress.system_user.credential;
    if kind == CredentialKind::Ask && !terminal {
        let message = Message::NeedsTerminal(target.to_owned());
        return Err(Refused::new(message, status::REQUEST));
    }
    if !egress.host_keys.is_empty() {
        return Ok(());
    }
    let pins = match policy {
        settings::HostKeyPolicy::Asset => egress.asset.host_key_policy == HostKeyPolicy::Pin,
        settings::HostKeyPolicy::Refuse => false,
        settings::HostKeyPolicy::Pin => true,
    };
    if !pins {
        return Err(no_host_key(target));
    }
    // Whoever answers there would have it.
    if kind != CredentialKind::Key {
        let message = Message::NoPasswordForStrangers(target.to_owned());
        return Err(Refused::new(message, status::CONNECTION));
    }
    Ok(())
}

fn stage(egress: &Egress, label: String) -> Result<Stage<'_>, Refused> {
    let asset = &egress.asset;
    if asset.protocol != "ssh" {
        return Err(unsupported(&label, "another protocol than ssh"));
    }
    let method = match egress.system_user.credential {
        CredentialKind::Key => Method::Key,
        CredentialKind::Password => Method::Password,
        CredentialKind::Ask => Method::Typed,
        CredentialKind::Certificate => return Err(unsupported(&label, "a certificate")),
    };
    let destination = Destination {
        address: Address::new(&asset.address)
            .map_err(|error| Refused::because(Trouble::Policy, error))?,
        port: asset.port,
        account: egress.account.clone(),
        host_keys: egress.host_keys.clone(),
        algorithms: asset.algorithms,
        method,
    };
    Ok(Stage {
        label,
        egress,
        destination,
    })
}

fn unsupported(label: &str, what: &'static str) -> Refused {
    let target = label.to_owned();
    Refused::new(Message::Unsupported { target, what }, status::REQUEST)
}

fn no_host_key(label: &str) -> Refused {
    Refused::new(Message::NoHostKey(label.to_owned()), status::CONNECTION)
}

impl Stage<'_> {
    /// Where its client goes.
    #[must_use]
    pub fn destination(&self) -> &Destination {
        &self.destination
    }

    /// With its key or password, opened.
    ///
    /// # Errors
    /// [`Refused`] when there is none, or none that can be opened.
    pub fn leg(self, paths: &Paths, settings: &Settings) -> Result<Leg, Refused> {
        let purpose = self.purpose(&settings.confinement)?;
        let (protocol, proof) = match self.destination.method {
            Method::Key => {
                let text = self.secret(paths, CredentialKind::Key)?;
                let key = PrivateKey::parse(text.expose(), None)
                    .map_err(|error| Refused::because(Trouble::SecretKey, error))?;
                (Protocol::new(key, purpose), Proof::Key)
            }
            Method::Password => {
                let password = self.secret(paths, CredentialKind::Password)?;
                (Protocol::without_key(purpose), Proof::Stored(password))
            }
            Method::Typed => (Protocol::without_key(purpose), Proof::Typed),
        };
        Ok(Leg {
            name: self.egress.asset.name.clone(),
            destination: self.destination,
            protocol,
            proof,
        })
    }

    fn purpose(&self, settings: &settings::Confinement) -> Result<Purpose, Refused> {
        let egress = self.egress;
        let host_keys: Result<Vec<HostKey>, _> = egress
            .host_keys
            .iter()
            .map(|key| HostKey::from_blob(&key.blob))
            .collect();
        Ok(Purpose {
            login: egress.account.clone(),
            host_keys: host_keys.map_err(|error| Refused::because(Trouble::Policy, error))?,
            unknown: egress.host_keys.is_empty(),
            legacy: match egress.asset.algorithms {
                Algorithms::Default => LegacyHash::Refused,
                Algorithms::Legacy => LegacyHash::Accepted,
            },
            binding: match self.destination.method {
                Method::Key if settings.allow_unbound_agent => Binding::Optional,
                Method::Key => Binding::Required,
                _ if settings.require_bound_password => Binding::Required,
                _ => Binding::Optional,
            },
        })
    }

    fn secret(&self, paths: &Paths, kind: CredentialKind) -> Result<SecretString, Refused> {
        let credential = self.egress.credential.as_ref();
        let credential = credential.filter(|it| it.kind == kind).ok_or_else(|| {
            Refused::new(
                Message::NoCredential(self.label.clone()),
                status::CONNECTION,
            )
        })?;
        open(paths, credential.id, &credential.sealed)
    }
}

/// What the client program may do, on a kernel that can see to it.
///
/// # Errors
/// [`Refused`] when the kernel cannot, and a setting or the way of connecting demands it.
pub fn confinement(
    settings: &settings::Confinement,
    folder: &Folder,
    method: Method,
    keeps: bool,
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
        helper: method.asks().then(|| PathBuf::from(ASKPASS)),
        keeps,
    };
    ClientConfinement::new(&needs, landlock > 0)
        .map_err(|error| Refused::because(Trouble::Confinement, error))
}

/// The master key lives only as long as this takes.
fn open(paths: &Paths, row: i64, sealed: &[u8]) -> Result<SecretString, Refused> {
    let master = MasterKey::load(&paths.secret_key())
        .map_err(|error| Refused::because(Trouble::SecretKey, error))?;
    master
        .open(&Context::credential(row), sealed)
        .and_then(|opened| opened.into_string())
        .map_err(|error| Refused::because(Trouble::SecretKey, error))
}
