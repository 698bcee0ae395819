//! Rights: each type of channel needs its own.

use std::fmt;

/// One thing that a grant can allow.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Right {
    /// An interactive shell.
    Shell,
    /// One command.
    Exec,
    /// Files to the asset.
    Upload,
    /// Files from the asset.
    Download,
    /// Removing files on the asset by a file transfer program.
    Delete,
    /// Forwarded connections.
    Tunnel,
}

impl Right {
    /// All rights, in the order in which they are written.
    pub const ALL: [Self; 6] = [
        Self::Shell,
        Self::Exec,
        Self::Upload,
        Self::Download,
        Self::Delete,
        Self::Tunnel,
    ];

    /// The word for it in commands and JSON.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Shell => "shell",
            Self::Exec => "exec",
            Self::Upload => "upload",
            Self::Download => "download",
            Self::Delete => "delete",
            Self::Tunnel => "tunnel",
        }
    }

    fn bit(self) -> u8 {
        1 << (self as u8)
    }
}

impl fmt::Display for Right {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A word that is no right.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnknownRight(String);

impl fmt::Display for UnknownRight {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "“{}” is no right; rights are shell, exec, upload, download, delete, tunnel",
            self.0.escape_debug()
        )
    }
}

impl std::error::Error for UnknownRight {}

impl std::str::FromStr for Right {
    type Err = UnknownRight;
    fn from_str(text: &str) -> Result<Self, UnknownRight> {
        Self::ALL
            .into_iter()
            .find(|right| right.as_str() == text)
            .ok_or_else(|| UnknownRight(text.chars().take(32).collect()))
    }
}

/// A set of rights.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Hash)]
pub struct Rights(u8);

impl Rights {
    /// No right.
    pub const NONE: Self = Self(0);

    /// This set and `right`.
    #[must_use]
    pub fn with(self, right: Right) -> Self {
        Self(self.0 | right.bit())
    }

    /// Both sets together.
    #[must_use]
    pub fn union(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// What is here and not in `other`.
    #[must_use]
    pub fn without(self, other: Self) -> Self {
        Self(self.0 & !other.0)
    }

    /// Whether `right` is in the set.
    #[must_use]
    pub fn has(self, right: Right) -> bool {
        self.0 & right.bit() != 0
    }

    /// Whether everything of `other` is here.
    #[must_use]
    pub fn covers(self, other: Self) -> bool {
        other.0 & !self.0 == 0
    }

    /// Whether the set is empty.
    #[must_use]
    pub fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// The rights in the order of [`Right::ALL`].
    pub fn iter(self) -> impl Iterator<Item = Right> {
        Right::ALL.into_iter().filter(move |right| self.has(*right))
    }

    /// Reads `shell,exec,…`; order and repetition do not matter.
    ///
    /// # Errors
    /// The first word that is no right; an empty list.
    pub fn parse(text: &str) -> Result<Self, UnknownRight> {
        text.split(',')
            .map(|word| word.trim().parse())
            .try_fold(Self::NONE, |set, right| Ok(set.with(right?)))
    }
}

impl FromIterator<Right> for Rights {
    fn from_iter<I: IntoIterator<Item = Right>>(rights: I) -> Self {
        rights.into_iter().fold(Self::NONE, Self::with)
    }
}

impl fmt::Display for Rights {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (n, right) in self.iter().enumerate() {
            write!(f, "{}{right}", if n > 0 { "," } else { "" })?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_reads_back_in_its_own_order() {
        let rights = Rights::parse("upload, shell,upload").unwrap();
        assert_eq!(rights.to_string(), "shell,upload");
        assert_eq!(Rights::parse(&rights.to_string()), Ok(rights));
        assert!(Rights::parse("").is_err() && Rights::parse("shell,all").is_err());
    }

    #[test]
    fn sets_behave_as_sets() {
        let both = Rights::parse("upload,download").unwrap();
        let one = Rights::parse("upload").unwrap();
        assert!(both.covers(one) && !one.covers(both));
        assert_eq!(both.without(one).to_string(), "download");
    }
}
