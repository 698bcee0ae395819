//! The wording of a target: `SYSTEM_USER@ASSET`, or the asset alone.

use jms::names::SystemUserName;
use std::fmt;

/// A target as it was typed; nobody knows yet whether it exists.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wording {
    /// The account on the asset, if it was named.
    pub system_user: Option<SystemUserName>,
    /// An asset's name, or its address where that is clear (an IPv6 address too).
    pub asset: String,
}

impl Wording {
    /// Reads `SYSTEM_USER@ASSET` or `ASSET`; `None` if it cannot be either.
    #[must_use]
    pub fn parse(text: &[u8]) -> Option<Self> {
        let text = std::str::from_utf8(text).ok()?;
        let (system_user, asset) = match text.split_once('@') {
            Some((system_user, asset)) => (Some(SystemUserName::new(system_user).ok()?), asset),
            None => (None, text),
        };
        let spelled = asset
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"._:-".contains(&byte));
        let begins = asset
            .bytes()
            .next()
            .is_some_and(|byte| byte.is_ascii_alphanumeric() || byte == b':');
        (spelled && begins && asset.len() <= 253).then(|| Self {
            system_user,
            asset: asset.to_owned(),
        })
    }
}

impl fmt::Display for Wording {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.system_user {
            Some(system_user) => write!(f, "{system_user}@{}", self.asset),
            None => f.write_str(&self.asset),
        }
    }
}
