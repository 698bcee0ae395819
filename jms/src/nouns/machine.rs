//! Machines: assets and the host keys by which they are known.

use super::words;
use crate::time::Time;
use serde::Serialize;

words! {
    /// Which algorithms may be spoken with an asset.
    Algorithms {
        /// What the system's `ssh` offers by default.
        Default = "default",
        /// Old ones as well, for old devices.
        Legacy = "legacy",
    }
}

words! {
    /// What happens when no host key of an asset is stored.
    HostKeyPolicy {
        /// No connection.
        Refuse = "refuse",
        /// The first proven key is stored.
        Pin = "pin",
    }
}

words! {
    /// How a host key came to be stored.
    HostKeyOrigin {
        /// An administrator gave it.
        Added = "added",
        /// `ssh-keyscan` saw it, and an administrator took it.
        Scanned = "scanned",
        /// Seen at the first connection.
        Pinned = "pinned",
    }
}

/// A machine that people reach through the bastion.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Asset {
    /// Row id; 0 before it is added.
    #[serde(skip)]
    pub id: i64,
    /// Unique name.
    pub name: String,
    /// Host name or IP address.
    pub address: String,
    /// TCP port.
    pub port: u16,
    /// `ssh`.
    pub protocol: String,
    /// One of `platform ls`.
    pub platform: String,
    /// The data centre.
    pub site: Option<String>,
    /// The asset through which it is reached.
    pub gateway: Option<String>,
    /// As which system user others pass it, where it is their gateway.
    pub gateway_system_user: Option<String>,
    /// Places in the tree.
    pub asset_groups: Vec<String>,
    /// Algorithms.
    pub algorithms: Algorithms,
    /// For an asset without a stored host key.
    pub host_key_policy: HostKeyPolicy,
    /// The system user that pushes the others.
    pub privileged_system_user: Option<String>,
    /// At most so many sessions at once.
    pub limit_sessions: Option<u32>,
    /// False: nobody reaches it.
    pub active: bool,
    /// Free text.
    pub comment: String,
    /// When it was added.
    pub created_at: Time,
    /// When it was last changed.
    pub updated_at: Time,
}

impl Asset {
    /// An ssh asset with a name and an address.
    #[must_use]
    pub fn new(name: &str, address: &str, now: Time) -> Self {
        Self {
            id: 0,
            name: name.to_owned(),
            address: address.to_owned(),
            port: 22,
            protocol: "ssh".to_owned(),
            platform: "linux".to_owned(),
            site: None,
            gateway: None,
            gateway_system_user: None,
            asset_groups: Vec::new(),
            algorithms: Algorithms::Default,
            host_key_policy: HostKeyPolicy::Refuse,
            privileged_system_user: None,
            limit_sessions: None,
            active: true,
            comment: String::new(),
            created_at: now,
            updated_at: now,
        }
    }
}

/// A kind of machine. The list is part of the product.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Platform {
    /// Unique name.
    pub name: String,
    /// What it is.
    pub comment: String,
}

/// A host key by which an asset is known.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct HostKey {
    /// Whose.
    pub asset: String,
    /// `ssh-ed25519` and so on.
    #[serde(rename = "type")]
    pub kind: String,
    /// The wire form.
    #[serde(skip)]
    pub blob: Vec<u8>,
    /// `SHA256:…`
    pub fingerprint: String,
    /// How it came here.
    pub origin: HostKeyOrigin,
    /// When.
    pub created_at: Time,
}
