//! What new objects get when nobody says otherwise.

use super::{Mfa, Role};
use serde::Serialize;

/// The one set of defaults.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Defaults {
    /// Pushes to assets that name no system user of their own for it.
    pub privileged_system_user: Option<String>,
    /// TCP port of new assets.
    pub port: u16,
    /// Login shell of new system users.
    pub shell: String,
    /// Second factor demanded of every user of the role `user`.
    pub mfa_user: Mfa,
    /// The same for auditors.
    pub mfa_auditor: Mfa,
    /// The same for administrators.
    pub mfa_admin: Mfa,
}

impl Defaults {
    /// The second factor demanded of everybody of a role.
    #[must_use]
    pub fn mfa_of(&self, role: Role) -> Mfa {
        match role {
            Role::User => self.mfa_user,
            Role::Auditor => self.mfa_auditor,
            Role::Admin => self.mfa_admin,
        }
    }
}

impl Default for Defaults {
    fn default() -> Self {
        Self {
            privileged_system_user: None,
            port: 22,
            shell: "/bin/bash".to_owned(),
            mfa_user: Mfa::Off,
            mfa_auditor: Mfa::Off,
            mfa_admin: Mfa::Off,
        }
    }
}
