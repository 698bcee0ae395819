//! Settings: `/etc/jms/jms.toml`. Unknown keys are errors; a missing file means the defaults.
//!
//! Trusts root, who writes the file, and still says exactly what it does not understand.
#![forbid(unsafe_code)]

use serde::{Deserialize, Serialize};
use std::fmt;
use std::path::{Path, PathBuf};

/// Everything that can be set. The shipped `jms.toml` shows each with its default.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Settings {
    /// What sessions are shut in with.
    pub confinement: Confinement,
    /// Recordings.
    pub recording: Recording,
    /// Sessions.
    pub session: Session,
    /// Syslog.
    pub syslog: Syslog,
    /// How users reach the bastion.
    pub bastion: Bastion,
    /// What users read.
    pub menu: Menu,
}

/// `[confinement]`
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Confinement {
    /// Whether sessions are refused where the kernel has no Landlock. If not, each such session is an event.
    pub require_landlock: bool,
    /// Whether a client program may have a login signed without saying for which connection: OpenSSH before 8.9.
    pub allow_unbound_agent: bool,
}

/// `[recording]`
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Recording {
    /// Of the output of a command without a terminal, so many bytes are recorded; 0: none. Not
    /// set: all of it. What a shell prints is recorded whole in any case.
    pub exec_output_bytes: Option<u64>,
    /// No session begins with less room than this for recordings, in MiB.
    pub minimum_free_mib: u64,
    /// Whether users may replay their own sessions.
    pub users_may_replay: bool,
}

impl Default for Recording {
    fn default() -> Self {
        Self {
            exec_output_bytes: None,
            minimum_free_mib: 64,
            users_may_replay: false,
        }
    }
}

/// `[session]`
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Session {
    /// Seconds until a connection to an asset is given up.
    pub connect_timeout: u32,
    /// Seconds between questions to a silent asset; 0: never asked.
    pub alive_interval: u32,
    /// Unanswered questions until it counts as dead.
    pub alive_count_max: u32,
    /// Live sessions of one login; 0: no limit.
    pub limit_login: u32,
    /// Live sessions of one user; 0: no limit.
    pub limit_user: u32,
    /// Live sessions to one asset, where the asset says nothing else; 0: no limit.
    pub limit_asset: u32,
    /// Live sessions of the bastion; 0: no limit.
    pub limit_bastion: u32,
}

impl Default for Session {
    fn default() -> Self {
        Self {
            connect_timeout: 15,
            alive_interval: 15,
            alive_count_max: 3,
            limit_login: 20,
            limit_user: 100,
            limit_asset: 200,
            limit_bastion: 1000,
        }
    }
}

/// `[syslog]`
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Syslog {
    /// How events are written.
    pub format: Format,
}

/// `[bastion]`
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Bastion {
    /// The name or address that `ssh-config` tells users' clients; empty: where the client came in.
    pub address: String,
    /// The port that it tells them; 0: where the client came in.
    pub port: u16,
}

/// `[menu]`
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Menu {
    /// Shown above the menu.
    pub banner: String,
    /// Shown below the help.
    pub help: String,
    /// A page to read, shown with the help.
    pub link: String,
}

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
        if settings.session.connect_timeout == 0 {
            return Err("session.connect_timeout must be at least 1 second".into());
        }
        if settings.session.alive_interval > 0 && settings.session.alive_count_max == 0 {
            return Err(
                "session.alive_count_max must be at least 1, or alive_interval 0 to never ask"
                    .into(),
            );
        }
        let address = settings.bastion.address.as_str();
        if !address.is_empty() && crate::names::Address::new(address).is_err() {
            return Err("bastion.address must be a host name or an IP address".into());
        }
        Ok(settings)
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

    #[test]
    fn the_shipped_file_shows_every_setting_with_its_default() {
        let shipped = include_str!("../../packaging/etc/jms.toml");
        assert_eq!(Settings::parse(shipped).unwrap(), Settings::default());
        let uncommented: String = shipped
            .lines()
            .filter(|line| !line.starts_with("# "))
            .map(|line| format!("{}\n", line.trim_start_matches('#')))
            .collect();
        let read: toml::Table = uncommented.parse().unwrap();
        let defaults = toml::Table::try_from(Settings::default()).unwrap();
        assert_eq!(read, defaults);
    }
}
