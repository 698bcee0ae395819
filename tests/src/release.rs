//! Which Debian a lab's hosts run.

use std::fmt;
use std::str::FromStr;

use anyhow::{Result, bail};

/// A release of Debian that the product supports, and so the lab can build.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Release {
    /// Debian 12 "bookworm": OpenSSH 9.2.
    Debian12,
    /// Debian 13 "trixie": OpenSSH 10.0.
    Debian13,
}

impl Release {
    /// The release that the environment variable `LAB_RELEASE` names; Debian 12 without it.
    ///
    /// # Errors
    /// When the variable holds anything but `12` or `13`.
    pub fn from_environment() -> Result<Self> {
        match std::env::var("LAB_RELEASE") {
            Ok(number) if !number.is_empty() => number.parse(),
            _ => Ok(Self::Debian12),
        }
    }

    /// Debian's version number.
    #[must_use]
    pub fn number(self) -> u32 {
        match self {
            Self::Debian12 => 12,
            Self::Debian13 => 13,
        }
    }

    /// The name of its suite in a package archive.
    #[must_use]
    pub fn codename(self) -> &'static str {
        match self {
            Self::Debian12 => "bookworm",
            Self::Debian13 => "trixie",
        }
    }
}

impl FromStr for Release {
    type Err = anyhow::Error;

    fn from_str(text: &str) -> Result<Self> {
        match text {
            "12" => Ok(Self::Debian12),
            "13" => Ok(Self::Debian13),
            other => bail!("the lab has Debian 12 and 13, not {other:?} (LAB_RELEASE=12 or 13)"),
        }
    }
}

impl fmt::Display for Release {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Debian {}", self.number())
    }
}
