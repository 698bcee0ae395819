//! How much of something is kept: a number of bytes, or all.
#![forbid(unsafe_code)]

use serde::de::{Error, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::fmt;

/// How much of an output is recorded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OutputLimit {
    /// Everything.
    All,
    /// So many bytes, from the beginning.
    Bytes(u64),
}

impl OutputLimit {
    /// The word for everything.
    pub const ALL: &'static str = "all";
}

impl Serialize for OutputLimit {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::All => serializer.serialize_str(Self::ALL),
            Self::Bytes(bytes) => serializer.serialize_u64(*bytes),
        }
    }
}

impl<'de> Deserialize<'de> for OutputLimit {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(NumberOrAll)
    }
}

struct NumberOrAll;

impl Visitor<'_> for NumberOrAll {
    type Value = OutputLimit;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "a number of bytes, or \"{}\"", OutputLimit::ALL)
    }

    fn visit_i64<E: Error>(self, number: i64) -> Result<OutputLimit, E> {
        u64::try_from(number)
            .map(OutputLimit::Bytes)
            .map_err(|_| E::invalid_value(serde::de::Unexpected::Signed(number), &self))
    }

    fn visit_u64<E: Error>(self, number: u64) -> Result<OutputLimit, E> {
        Ok(OutputLimit::Bytes(number))
    }

    fn visit_str<E: Error>(self, word: &str) -> Result<OutputLimit, E> {
        match word == OutputLimit::ALL {
            true => Ok(OutputLimit::All),
            false => Err(E::invalid_value(serde::de::Unexpected::Str(word), &self)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::OutputLimit;
    use crate::settings::Settings;

    fn limit(value: &str) -> Result<OutputLimit, String> {
        let text = format!("[recording]\nexec_output_bytes = {value}\n");
        Settings::parse(&text).map(|settings| settings.recording.exec_output_bytes)
    }

    #[test]
    fn it_is_a_number_or_all_and_nothing_else() {
        assert_eq!(limit("0"), Ok(OutputLimit::Bytes(0)));
        assert_eq!(limit("1048576"), Ok(OutputLimit::Bytes(1 << 20)));
        assert_eq!(limit("\"all\""), Ok(OutputLimit::All));
        for wrong in ["-1", "\"All\"", "\"\"", "true", "1.5", "[1]", "\"16M\""] {
            let error = limit(wrong).unwrap_err();
            assert!(
                error.contains("a number of bytes, or \"all\""),
                "{wrong}: {error}"
            );
        }
    }
}
