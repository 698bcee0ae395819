//! Values of the file, checked as the flags of the command line are.
#![forbid(unsafe_code)]

use crate::cli::values;
use jms::time::Time;
use serde::de::{DeserializeOwned, Error};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// A text that is checked when it is read.
macro_rules! checked {
    ($(#[$doc:meta])* $name:ident, $check:expr) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord, Serialize)]
        pub struct $name(pub String);

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let text = String::deserialize(deserializer)?;
                $check(&text).map(Self).map_err(D::Error::custom)
            }
        }

        impl From<$name> for String {
            fn from(checked: $name) -> Self {
                checked.0
            }
        }
    };
}
checked!(
    /// One line of free text.
    Line, values::one_line
);
checked!(
    /// The path of a login shell.
    Shell, values::shell
);
checked!(
    /// A network, `10.0.0.0/8`.
    Network, values::network
);

/// A moment, RFC 3339.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Moment(pub Time);

impl Serialize for Moment {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for Moment {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Time::parse_rfc3339(&text).map(Self).ok_or_else(|| {
            D::Error::custom("write a time in quotes, as \"2026-12-31T18:00:00Z\", or \"none\"")
        })
    }
}

/// A value, or the word `none`: TOML has no null.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct OrNone<T>(pub Option<T>);

impl<T: Serialize> Serialize for OrNone<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match &self.0 {
            None => serializer.serialize_str("none"),
            Some(value) => value.serialize(serializer),
        }
    }
}

impl<'de, T: DeserializeOwned> Deserialize<'de> for OrNone<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let value = toml::Value::deserialize(deserializer)?;
        match value.as_str() {
            Some("none") => Ok(Self(None)),
            _ => T::deserialize(value)
                .map(|value| Self(Some(value)))
                .map_err(|error| D::Error::custom(error.message())),
        }
    }
}

impl From<OrNone<Moment>> for Option<Time> {
    fn from(moment: OrNone<Moment>) -> Self {
        moment.0.map(|moment| moment.0)
    }
}

impl From<OrNone<String>> for Option<String> {
    fn from(text: OrNone<String>) -> Self {
        text.0
    }
}

impl From<OrNone<Shell>> for Option<String> {
    fn from(shell: OrNone<Shell>) -> Self {
        shell.0.map(|shell| shell.0)
    }
}

impl From<OrNone<bool>> for Option<bool> {
    fn from(said: OrNone<bool>) -> Self {
        said.0
    }
}

impl From<OrNone<u32>> for Option<u32> {
    fn from(number: OrNone<u32>) -> Self {
        number.0
    }
}

/// Words of an enumeration of the store, such as `user`, `auditor`, `admin`.
macro_rules! word {
    ($name:ident, $noun:ty) => {
        /// One of the words of the noun.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
        pub struct $name(pub $noun);

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let text = String::deserialize(deserializer)?;
                <$noun>::parse(&text).map(Self).ok_or_else(|| {
                    let words: Vec<&str> = <$noun>::ALL.iter().map(|word| word.as_str()).collect();
                    D::Error::custom(format!("one of {}", words.join(", ")))
                })
            }
        }

        impl From<$name> for $noun {
            fn from(word: $name) -> Self {
                word.0
            }
        }
    };
}

word!(Role, jms::nouns::Role);
word!(Mfa, jms::nouns::Mfa);
word!(MfaAsked, jms::nouns::MfaAsked);
word!(Algorithms, jms::nouns::Algorithms);
word!(HostKeyPolicy, jms::nouns::HostKeyPolicy);
word!(CredentialKind, jms::nouns::CredentialKind);
word!(LoginVerdict, jms::policy::login_rule::Verdict);

/// Names whose order means nothing: sorted, each once.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Names(pub Vec<String>);

impl From<Vec<String>> for Names {
    fn from(mut names: Vec<String>) -> Self {
        names.sort();
        names.dedup();
        Self(names)
    }
}

impl From<Names> for Vec<String> {
    fn from(names: Names) -> Self {
        names.0
    }
}

impl<'de> Deserialize<'de> for Names {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Vec::deserialize(deserializer).map(|names: Vec<String>| names.into())
    }
}
