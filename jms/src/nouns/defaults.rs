//! What new objects get when nobody says otherwise.

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
}

impl Default for Defaults {
    fn default() -> Self {
        Self {
            privileged_system_user: None,
            port: 22,
            shell: "/bin/bash".to_owned(),
        }
    }
}
