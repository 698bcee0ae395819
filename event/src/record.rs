//! One event: what is known of it, field by field.

use jiff::Timestamp;

use crate::kind::{Severity, Type};
use crate::value::{Inner, Value};

/// The named fields of schema 1 that an event may know, in the order in which they are written,
/// after `schema`, `seq`, `time`, `type` and `severity`.
pub const FIELDS: [&str; 12] = [
    "login",
    "session",
    "sshd_pid",
    "user",
    "source",
    "source_port",
    "key",
    "asset",
    "address",
    "system_user",
    "result",
    "reason",
];

/// Fields that stand in front of [`FIELDS`].
pub(crate) const HEAD: [&str; 5] = ["schema", "seq", "time", "type", "severity"];
/// How many extra fields an event keeps; more are counted in `fields_dropped`.
pub(crate) const EXTRA_MAX: usize = 32;
/// Longest name of an extra field, in bytes.
pub(crate) const NAME_MAX: usize = 32;
/// Says how many extra fields an event has lost.
pub(crate) const DROPPED: &str = "fields_dropped";
/// `reason` that was cut is followed by `reason_whole_sha256` and `reason_whole_length`.
pub(crate) const WHOLE_SHA256: &str = "_whole_sha256";
pub(crate) const WHOLE_LENGTH: &str = "_whole_length";

/// One event, built field by field.
///
/// A field that is not known stays `null`. Setters take anything that becomes a [`Value`],
/// an `Option` included.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event {
    pub(crate) kind: Type,
    pub(crate) severity: Severity,
    pub(crate) time: Timestamp,
    pub(crate) named: [Value; FIELDS.len()],
    pub(crate) extra: Vec<(String, Value)>,
    pub(crate) dropped: u64,
}

impl Event {
    /// An event of this type, now, with the type's severity. Tests set the time with [`Event::at`].
    pub fn new(kind: Type) -> Event {
        Event {
            kind,
            severity: kind.severity(),
            time: milliseconds(Timestamp::now()),
            named: std::array::from_fn(|_| Value(Inner::Null)),
            extra: Vec::new(),
            dropped: 0,
        }
    }

    /// When it happened; kept to the millisecond.
    #[must_use]
    pub fn at(mut self, time: Timestamp) -> Event {
        self.time = milliseconds(time);
        self
    }

    /// How loud it is, where the type's own severity is not right.
    #[must_use]
    pub fn severity(mut self, severity: Severity) -> Event {
        self.severity = severity;
        self
    }

    /// Id of the login.
    #[must_use]
    pub fn login(self, id: impl Into<Value>) -> Event {
        self.set(0, id.into())
    }

    /// Id of the session.
    #[must_use]
    pub fn session(self, id: impl Into<Value>) -> Event {
        self.set(1, id.into())
    }

    /// Process id of the sshd that serves the connection.
    #[must_use]
    pub fn sshd_pid(self, pid: impl Into<Option<u32>>) -> Event {
        self.set(2, Value::from(pid.into()))
    }

    /// Name of the user of the bastion.
    #[must_use]
    pub fn user(self, name: impl Into<Value>) -> Event {
        self.set(3, name.into())
    }

    /// Where the client comes from: an address, or what sshd or PAM say instead.
    #[must_use]
    pub fn source(self, address: impl Into<Value>) -> Event {
        self.set(4, address.into())
    }

    /// The client's TCP port.
    #[must_use]
    pub fn source_port(self, port: impl Into<Option<u16>>) -> Event {
        self.set(5, Value::from(port.into()))
    }

    /// Fingerprint of the login key, `SHA256:…`.
    #[must_use]
    pub fn key(self, fingerprint: impl Into<Value>) -> Event {
        self.set(6, fingerprint.into())
    }

    /// Name of the asset; in a refused request the name that was asked for.
    #[must_use]
    pub fn asset(self, name: impl Into<Value>) -> Event {
        self.set(7, name.into())
    }

    /// Network address of the asset.
    #[must_use]
    pub fn address(self, address: impl Into<Value>) -> Event {
        self.set(8, address.into())
    }

    /// Name of the system user.
    #[must_use]
    pub fn system_user(self, name: impl Into<Value>) -> Event {
        self.set(9, name.into())
    }

    /// What came of it: `allow`, `deny`, `error`.
    #[must_use]
    pub fn result(self, result: impl Into<Value>) -> Event {
        self.set(10, result.into())
    }

    /// Why, in words or as the decision names it.
    #[must_use]
    pub fn reason(self, reason: impl Into<Value>) -> Event {
        self.set(11, reason.into())
    }

    /// An extra field (`actor`, `before`, `after`, `command`, …). The name is made to match
    /// `[a-z][a-z0-9_]{0,31}`; one that schema 1 already uses gets `x_` in front; a name given
    /// twice replaces the first value. At most 32 are kept, more are counted.
    #[must_use]
    pub fn with(mut self, name: &str, value: impl Into<Value>) -> Event {
        let name = field_name(name);
        let value = value.into();
        if let Some(known) = self.extra.iter_mut().find(|(known, _)| *known == name) {
            known.1 = value;
        } else if self.extra.len() < EXTRA_MAX {
            self.extra.push((name, value));
        } else {
            self.dropped = self.dropped.saturating_add(1);
        }
        self
    }

    /// What happened.
    pub fn kind(&self) -> Type {
        self.kind
    }

    /// How loud it is; hand it to [`crate::Sender::send`].
    pub fn level(&self) -> Severity {
        self.severity
    }

    /// When it happened.
    pub fn time(&self) -> Timestamp {
        self.time
    }

    /// The value of a named or an extra field, if it is known.
    pub fn get(&self, name: &str) -> Option<&Value> {
        let named = FIELDS
            .iter()
            .zip(&self.named)
            .find(|(known, _)| **known == name);
        let extra = || {
            self.extra
                .iter()
                .find(|(known, _)| known == name)
                .map(|(_, value)| value)
        };
        named
            .map(|(_, value)| value)
            .or_else(extra)
            .filter(|value| !value.is_null())
    }

    fn set(mut self, field: usize, value: Value) -> Event {
        if let Some(slot) = self.named.get_mut(field) {
            *slot = value;
        }
        self
    }
}

/// Time as it is written: to the millisecond.
pub(crate) fn milliseconds(time: Timestamp) -> Timestamp {
    Timestamp::from_millisecond(time.as_millisecond()).unwrap_or(time)
}

/// True for a name that an extra field may have as it is.
pub(crate) fn is_field_name(name: &str) -> bool {
    name.len() <= NAME_MAX
        && name.starts_with(|c: char| c.is_ascii_lowercase())
        && name
            .bytes()
            .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_')
        && !is_taken(name)
}

/// True for a name that schema 1 uses itself.
fn is_taken(name: &str) -> bool {
    HEAD.contains(&name)
        || FIELDS.contains(&name)
        || name == DROPPED
        || name.ends_with(WHOLE_SHA256)
        || name.ends_with(WHOLE_LENGTH)
}

/// The nearest name that an extra field may have.
fn field_name(name: &str) -> String {
    let mut clean: String = name
        .chars()
        .take(NAME_MAX)
        .map(|c| match c.to_ascii_lowercase() {
            c @ ('a'..='z' | '0'..='9') => c,
            _ => '_',
        })
        .collect();
    if !clean.starts_with(|c: char| c.is_ascii_lowercase()) || is_taken(&clean) {
        clean.insert_str(0, "x_");
        clean.truncate(NAME_MAX);
    }
    if is_taken(&clean) {
        // Only a marker's ending is left to be in the way.
        clean.truncate(NAME_MAX - 1);
        clean.push('_');
    }
    clean
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn extra_fields_cannot_pose_as_named_ones() {
        let event = Event::new(Type::Alert)
            .user("alice")
            .with("user", "root")
            .with("Seq", 1);
        assert_eq!(event.get("user"), Some(&Value::from("alice")));
        assert_eq!(event.get("x_user"), Some(&Value::from("root")));
        assert_eq!(event.get("x_seq"), Some(&Value::from(1)));
    }

    #[test]
    fn a_name_given_twice_keeps_the_last_value() {
        let event = Event::new(Type::Alert)
            .with("actor", "a")
            .with("actor", "b");
        assert_eq!(event.get("actor"), Some(&Value::from("b")));
        assert_eq!(event.extra.len(), 1);
    }

    #[test]
    fn too_many_fields_are_counted() {
        let event = (0..40).fold(Event::new(Type::Alert), |event, i| {
            event.with(&format!("f{i}"), i)
        });
        assert_eq!((event.extra.len(), event.dropped), (EXTRA_MAX, 8));
    }

    #[test]
    fn what_is_not_known_is_not_there() {
        assert_eq!(
            Event::new(Type::Alert).login(None::<&str>).get("login"),
            None
        );
        assert_eq!(
            Event::new(Type::Alert).sshd_pid(7).get("sshd_pid"),
            Some(&Value::from(7))
        );
    }

    proptest! {
        #[test]
        fn every_name_becomes_a_field_name(name: String) {
            prop_assert!(is_field_name(&field_name(&name)));
        }
        #[test]
        fn names_near_the_reserved_ones_too(name in "[a-z_]{0,34}(_whole_sha256|_whole_length|seq)?") {
            prop_assert!(is_field_name(&field_name(&name)));
        }
    }
}
