//! Time as the store keeps it, and the one place that reads the clock.
#![forbid(unsafe_code)]

use std::fmt;

/// Milliseconds since 1970-01-01 UTC.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Time(pub i64);

/// The last millisecond that RFC 3339 can write (year 9999).
const LAST: i64 = 253_402_300_799_999;

impl Time {
    /// What the system's clock says. Decisions take a `Time`; only the programs call this.
    #[must_use]
    pub fn now() -> Self {
        Self(jiff::Timestamp::now().as_millisecond())
    }

    /// `self` later by `milliseconds` (earlier if negative), within what can be written.
    #[must_use]
    pub fn plus(self, milliseconds: i64) -> Self {
        Self(
            self.0
                .saturating_add(milliseconds)
                .clamp(-62_135_596_800_000, LAST),
        )
    }

    /// Reads RFC 3339 (`2026-11-21T10:00:00Z`, offsets allowed).
    #[must_use]
    pub fn parse_rfc3339(text: &str) -> Option<Self> {
        text.parse::<jiff::Timestamp>()
            .ok()
            .map(|at| Self(at.as_millisecond()))
    }

    /// The same moment for crates that speak jiff.
    #[must_use]
    pub fn timestamp(self) -> jiff::Timestamp {
        jiff::Timestamp::from_millisecond(self.plus(0).0).unwrap_or(jiff::Timestamp::UNIX_EPOCH)
    }

    /// Whole seconds since 1970, rounded down.
    #[must_use]
    pub fn seconds(self) -> i64 {
        self.0.div_euclid(1000)
    }
}

impl serde::Serialize for Time {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl fmt::Display for Time {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:.3}", self.timestamp())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rfc3339_in_utc_with_milliseconds() {
        let at = Time::parse_rfc3339("2026-11-21T10:00:00+01:00").unwrap();
        assert_eq!(at.to_string(), "2026-11-21T09:00:00.000Z");
        assert_eq!(Time::parse_rfc3339(&at.to_string()), Some(at));
    }

    #[test]
    fn no_number_is_too_large_to_print() {
        for n in [i64::MIN, i64::MAX, 0] {
            assert!(!Time(n).to_string().is_empty());
        }
    }
}
