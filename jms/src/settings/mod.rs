//! Settings: `/etc/jms/jms.toml`. Unknown keys are errors; a missing file means the defaults.
//!
//! Trusts root, who writes the file, and still says exactly what it does not understand. `table` declares the settings.
#![forbid(unsafe_code)]

mod describe;
mod output_limit;
mod table;

pub use describe::{Kind, Section, Setting, shipped};
pub use output_limit::OutputLimit;
pub use table::{
    Bastion, Confinement, Egress, Filter, Lockout, Login, Menu, Mfa, Password, Recording, SECTIONS,
    Session, Settings, Syslog,
};

use crate::password::Cost;
use serde::{Deserialize, Serialize};
use std::fmt;
use std::path::{Path, PathBuf};

/// How events are written to syslog.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Format {
    /// `key="value" …`
    #[default]
    KeyValue,
    /// One JSON object.
    Json,
}

impl From<Format> for event::Format {
    fn from(format: Format) -> Self {
        match format {
            Format::KeyValue => Self::KeyValue,
            Format::Json => Self::Json,
        }
    }
}

/// What happens when no host key of an asset is stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum HostKeyPolicy {
    /// What the asset says (`jmsctl asset set --host-key-policy`).
    #[default]
    Asset,
    /// No connection, whatever the asset says.
    Refuse,
    /// The first proven key is stored, whatever the asset says; never where a password would be given.
    Pin,
}

impl Login {
    /// The limits, as the decision wants them.
    #[must_use]
    pub fn limits(&self) -> crate::policy::login::Limits {
        crate::policy::login::Limits {
            inactivity: (self.inactivity_days > 0)
                .then(|| i64::from(self.inactivity_days) * 24 * 60 * 60 * 1000),
            logins: (self.limit_user > 0).then_some(self.limit_user),
        }
    }
}

/// What happens to a line that was typed without echo, where filters apply.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum HiddenInput {
    /// It goes on.
    #[default]
    Allow,
    /// It is not sent.
    Deny,
    /// The session ends.
    End,
}

impl Session {
    /// The limits, as the decision wants them.
    #[must_use]
    pub fn limits(&self) -> crate::policy::access::Counts {
        let some = |limit: u32| (limit > 0).then_some(limit);
        crate::policy::access::Counts {
            login: some(self.limit_login),
            user: some(self.limit_user),
            asset: some(self.limit_asset),
            bastion: some(self.limit_bastion),
        }
    }
}

/// Nothing is remembered for longer, in seconds.
const A_DAY: u32 = 86_400;

impl Mfa {
    /// For how long a factor is remembered, in milliseconds.
    #[must_use]
    pub fn remember_milliseconds(&self) -> i64 {
        i64::from(self.remember.min(A_DAY)) * 1000
    }

    /// For how long an enrolment code is good, in milliseconds.
    #[must_use]
    pub fn enrolment_code_milliseconds(&self) -> i64 {
        i64::from(self.enrolment_code_hours) * 3_600_000
    }
}

impl Lockout {
    /// The limits, as the policy wants them.
    #[must_use]
    pub fn limits(&self) -> crate::policy::lockout::Limits {
        let limit = |failures: u32, window: u32, lock: u32| crate::policy::lockout::Limit {
            failures,
            window: i64::from(window) * 1000,
            lock: i64::from(lock) * 1000,
        };
        crate::policy::lockout::Limits {
            user_and_source: limit(self.failures, self.window, self.lock),
            user: limit(self.user_failures, self.user_window, self.user_lock),
            source: limit(self.source_failures, self.source_window, self.source_lock),
            ipv4_prefix: u8::try_from(self.ipv4_prefix).unwrap_or(32),
            ipv6_prefix: u8::try_from(self.ipv6_prefix).unwrap_or(128),
        }
    }
}

/// Most that one answer of a person has hashed, in KiB gone through: a new password, compared with that in force and with the
/// last ones, then hashed. Measured in docs/passwords.md.
const MOST_WORK: u64 = 1024 * 1024;

impl Password {
    /// What a new password must be, and what checking one costs.
    #[must_use]
    pub fn policy(&self) -> crate::password::Policy {
        crate::password::Policy {
            minimum_length: self.minimum_length,
            minimum_classes: self.minimum_classes,
            history: self.history,
            leaked: (!self.leaked_list.is_empty()).then(|| PathBuf::from(&self.leaked_list)),
            cost: self.cost(),
        }
    }

    /// What checking one costs. The bounds were checked when the settings were read.
    #[must_use]
    pub fn cost(&self) -> Cost {
        Cost::new(self.memory, self.passes).unwrap_or_default()
    }

    /// After so many milliseconds another one must be chosen.
    #[must_use]
    pub fn lifetime(&self) -> Option<i64> {
        let days = i64::from(self.expires_after);
        (days > 0).then_some(days * 24 * 60 * 60 * 1000)
    }

    /// So many milliseconds a password is good that was given and not changed yet; `None`: until it is.
    #[must_use]
    pub fn initial(&self) -> Option<i64> {
        let hours = i64::from(self.initial_hours);
        (hours > 0).then_some(hours * 60 * 60 * 1000)
    }

    fn check(&self) -> Result<(), String> {
        if Cost::new(self.memory, self.passes).is_none() {
            return Err(
                "password.memory must be 8192 to 131072 KiB, password.passes 1 to 10".into(),
            );
        }
        let hashes = u64::from(self.history) + 2;
        if hashes * u64::from(self.memory) * u64::from(self.passes) > MOST_WORK {
            return Err(format!(
                "password.memory × passes × (history + 2) must be at most {MOST_WORK}: a user whose new password is compared with the old ones waits so long, and the helper that does it has four seconds"
            ));
        }
        if self.minimum_classes > 4 {
            return Err("password.minimum_classes must be at most 4".into());
        }
        if !self.leaked_list.is_empty() && !self.leaked_list.starts_with('/') {
            return Err("password.leaked_list must be the whole path of a file".into());
        }
        Ok(())
    }
}

/// Why there are no settings.
#[derive(Debug)]
pub enum SettingsError {
    /// The file cannot be read.
    Read {
        /// Which.
        path: PathBuf,
        /// Why not.
        source: std::io::Error,
    },
    /// It says something that is not understood, or that cannot be.
    Wrong {
        /// Which.
        path: PathBuf,
        /// What, and in which line.
        sentence: String,
    },
}

impl fmt::Display for SettingsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Read { path, source } => {
                write!(f, "cannot read the settings {}: {source}", path.display())
            }
            Self::Wrong { path, sentence } => {
                write!(f, "{}: {}", path.display(), sentence.trim_end())
            }
        }
    }
}

impl std::error::Error for SettingsError {}

/// Longer than any honest file of settings.
const LONGEST: u64 = 1024 * 1024;

impl Settings {
    /// Reads the file; a missing one gives the defaults.
    ///
    /// # Errors
    /// [`SettingsError`] with file, line and word.
    pub fn load(path: &Path) -> Result<Self, SettingsError> {
        use std::io::Read;
        use std::os::unix::fs::OpenOptionsExt;
        let read = |source| SettingsError::Read {
            path: path.to_owned(),
            source,
        };
        // Not blocking: a FIFO in its place must not hang a login.
        let opened = std::fs::OpenOptions::new()
            .read(true)
            .custom_flags(nix::libc::O_NONBLOCK | nix::libc::O_CLOEXEC)
            .open(path);
        let file = match opened {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                return Ok(Self::default());
            }
            other => other.map_err(read)?,
        };
        if !file.metadata().map_err(read)?.is_file() {
            return Err(SettingsError::Wrong {
                path: path.to_owned(),
                sentence: "this is not a file; put the settings back".into(),
            });
        }
        let mut text = String::new();
        file.take(LONGEST).read_to_string(&mut text).map_err(read)?;
        Self::parse(&text).map_err(|sentence| SettingsError::Wrong {
            path: path.to_owned(),
            sentence,
        })
    }

    /// Reads the text of such a file.
    ///
    /// # Errors
    /// A sentence with line and word.
    pub fn parse(text: &str) -> Result<Self, String> {
        let settings: Self = toml::from_str(text).map_err(|error| error.to_string())?;
        settings.check_numbers()?;
        if settings.session.alive_interval > 0 && settings.session.alive_count_max == 0 {
            return Err(
                "session.alive_count_max must be at least 1, or alive_interval 0 to never ask"
                    .into(),
            );
        }
        if settings.lockout.ipv4_prefix > 32 || settings.lockout.ipv6_prefix > 128 {
            return Err("lockout.ipv4_prefix must be at most 32, ipv6_prefix at most 128".into());
        }
        settings.password.check()?;
        let address = settings.bastion.address.as_str();
        if !address.is_empty() && crate::names::Address::new(address).is_err() {
            return Err("bastion.address must be a host name or an IP address".into());
        }
        Ok(settings)
    }

    /// Numbers that are smaller or larger than the table says.
    fn check_numbers(&self) -> Result<(), String> {
        let table = toml::Table::try_from(self).map_err(|error| error.to_string())?;
        for section in SECTIONS {
            for setting in section.settings {
                let value = table.get(section.name).and_then(|of| of.get(setting.key));
                let number = value.and_then(toml::Value::as_integer);
                let number = number.and_then(|number| u64::try_from(number).ok());
                let bounds = setting.least.unwrap_or(0)..=setting.most.unwrap_or(u64::MAX);
                if number.is_some_and(|number| !bounds.contains(&number)) {
                    return Err(format!(
                        "{}.{} must be a {setting}",
                        section.name, setting.key
                    ));
                }
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_missing_file_and_an_empty_one_are_the_defaults() {
        let folder = tempfile::tempdir().unwrap();
        assert_eq!(
            Settings::load(&folder.path().join("jms.toml")).unwrap(),
            Settings::default()
        );
        assert_eq!(Settings::parse("").unwrap(), Settings::default());
    }

    #[test]
    fn the_defaults_read_back() {
        let text = toml::to_string(&Settings::default()).unwrap();
        assert_eq!(Settings::parse(&text).unwrap(), Settings::default());
    }

    #[test]
    fn an_unknown_word_is_named_with_its_line() {
        let error = Settings::parse("[recording]\nexec_output = 1\n").unwrap_err();
        assert!(
            error.contains("exec_output") && error.contains("line 2"),
            "{error}"
        );
        assert!(Settings::parse("[session]\nconnect_timeout = 0").is_err());
        assert!(Settings::parse("[syslog]\nformat = \"xml\"").is_err());
        assert!(Settings::parse("[bastion]\naddress = \"a\\nProxyCommand x\"").is_err());
    }

    #[test]
    fn a_fifo_or_folder_in_its_place_is_an_error_and_no_hang() {
        let folder = tempfile::tempdir().unwrap();
        let fifo = folder.path().join("fifo");
        nix::unistd::mkfifo(&fifo, nix::sys::stat::Mode::S_IRWXU).unwrap();
        assert!(Settings::load(&fifo).is_err());
        assert!(Settings::load(folder.path()).is_err());
    }

    /// It is also what `jmsctl config check` reads out of the package.
    #[test]
    fn no_password_costs_more_than_its_user_would_wait_for() {
        let parse = |text: &str| Settings::parse(&format!("[password]\n{text}"));
        for good in [
            "",
            "history = 24",
            "history = 0\nmemory = 131072\npasses = 4",
            "history = 2\nmemory = 131072\npasses = 2",
        ] {
            assert!(parse(good).is_ok(), "{good}");
        }
        for bad in [
            "history = 100",
            "history = 4294967295",
            "memory = 131072\npasses = 10",
            "history = 3\nmemory = 131072\npasses = 2",
            "memory = 1",
            "passes = 11",
        ] {
            assert!(parse(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn the_shipped_file_is_made_from_the_table() {
        let file = include_str!("../../../packaging/etc/jms.toml");
        assert!(
            file == shipped(),
            "packaging/etc/jms.toml is not what jms/src/settings/table.rs says; `make generated` writes it anew"
        );
    }

    #[test]
    fn the_shipped_file_shows_every_setting_with_its_default() {
        let shipped = shipped();
        assert_eq!(Settings::parse(&shipped).unwrap(), Settings::default());
        let uncommented = |mark: &str| -> String {
            shipped
                .lines()
                .filter_map(|line| {
                    let line = line.strip_prefix(mark).unwrap_or(line);
                    let is_setting = line.split_once(" = ").is_some_and(|(key, _)| {
                        key.bytes()
                            .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_')
                    });
                    (line.starts_with('[') || is_setting).then(|| format!("{line}\n"))
                })
                .collect()
        };
        let read: toml::Table = uncommented("#").parse().unwrap();
        let defaults = toml::Table::try_from(Settings::default()).unwrap();
        assert_eq!(read, defaults);
        Settings::parse(&uncommented("# ")).unwrap();
    }

    #[test]
    fn a_number_that_is_too_small_or_too_large_is_refused_in_the_tables_words() {
        for (wrong, words) in [
            (
                "[session]\nconnect_timeout = 0",
                "session.connect_timeout must be a number of seconds, at least 1",
            ),
            (
                "[egress]\nwarm_per_user = 61",
                "egress.warm_per_user must be a number of connections, 1 to 60",
            ),
            (
                "[egress]\nwarm_per_user = 0",
                "egress.warm_per_user must be a number of connections, 1 to 60",
            ),
            (
                "[egress]\nwarm_in_all = 4294967295",
                "egress.warm_in_all must be a number of connections, 1 to 1000",
            ),
        ] {
            assert_eq!(Settings::parse(wrong).unwrap_err(), words, "{wrong}");
        }
        let most = Settings::parse("[egress]\nwarm_per_user = 60\nwarm_in_all = 1000").unwrap();
        assert_eq!(
            (most.egress.warm_per_user, most.egress.warm_in_all),
            (60, 1000)
        );
    }
}
