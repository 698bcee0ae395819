//! Which names a user of the bastion may have, and how a login name such as `alice@dev@web1` divides.
//!
//! Trusts nothing: login names come from whoever connects to sshd.
#![forbid(unsafe_code)]

use std::fmt;

/// Longest name of a user, in bytes (`useradd` has the same limit; utmp cuts there).
pub const MAX_USER_NAME: usize = 32;

/// Longest login name (`user@target`), in bytes.
pub const MAX_LOGIN_NAME: usize = 128;

/// Names that mean something to the system whatever `/etc/passwd` says, and our own service accounts.
const RESERVED: [&[u8]; 6] = [b"root", b"nobody", b"toor", b"jms", b"jms-keys", b"sshd"];

/// Whether `name` matches `^[a-z_][a-z0-9_.-]{0,31}$`.
#[must_use]
pub fn is_valid_user_name(name: &[u8]) -> bool {
    let Some((first, rest)) = name.split_first() else {
        return false;
    };
    name.len() <= MAX_USER_NAME
        && matches!(first, b'a'..=b'z' | b'_')
        && rest
            .iter()
            .all(|byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'_' | b'.' | b'-'))
}

/// Whether no virtual user may ever have this name, on any host.
///
/// Names of a host's own accounts are refused as well, where the accounts are known: by `jmsctl` when a user is added and
/// by the name service module when it answers.
#[must_use]
pub fn is_reserved_user_name(name: &[u8]) -> bool {
    RESERVED.contains(&name)
}

/// The name of a virtual user: valid and not reserved. Lives without the heap.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct UserName {
    // Zero behind the length, so that the derived comparisons are those of the names.
    bytes: [u8; MAX_USER_NAME],
    length: u8,
}

impl UserName {
    /// The name, if it is valid and not reserved.
    #[must_use]
    pub fn new(name: &[u8]) -> Option<Self> {
        if !is_valid_user_name(name) || is_reserved_user_name(name) {
            return None;
        }
        let mut bytes = [0; MAX_USER_NAME];
        bytes.get_mut(..name.len())?.copy_from_slice(name);
        Some(Self {
            bytes,
            length: u8::try_from(name.len()).ok()?,
        })
    }

    /// From a record: a field padded with zero bytes, and the length.
    pub(crate) fn from_padded(bytes: &[u8; MAX_USER_NAME], length: u8) -> Option<Self> {
        let (name, padding) = bytes.split_at_checked(usize::from(length))?;
        if padding.iter().any(|byte| *byte != 0) {
            return None;
        }
        Self::new(name)
    }

    /// The name padded with zero bytes, and its length.
    pub(crate) fn padded(&self) -> (&[u8; MAX_USER_NAME], u8) {
        (&self.bytes, self.length)
    }

    /// The name as bytes.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        self.bytes
            .get(..usize::from(self.length))
            .unwrap_or_default()
    }

    /// The name as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        std::str::from_utf8(self.as_bytes()).unwrap_or_default()
    }
}

impl fmt::Display for UserName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl fmt::Debug for UserName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "UserName({})", self.as_str())
    }
}

/// A login name, divided.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LoginName<'a> {
    /// Who logs in.
    pub user: UserName,
    /// What stands behind the first `@`, if there is one: not empty, only bytes of `[A-Za-z0-9_.$@-]`. What it means is
    /// for the session program to say.
    pub target: Option<&'a [u8]>,
}

/// Divides a login name at its first `@`.
///
/// `None` if the user's name is invalid or reserved, if the target is empty or has a byte that no name of a system user
/// or an asset has, or if the whole is longer than [`MAX_LOGIN_NAME`].
#[must_use]
pub fn split_login_name(name: &[u8]) -> Option<LoginName<'_>> {
    if name.len() > MAX_LOGIN_NAME {
        return None;
    }
    let mut parts = name.splitn(2, |byte| *byte == b'@');
    let user = UserName::new(parts.next()?)?;
    let target = parts.next();
    let acceptable = |target: &[u8]| {
        !target.is_empty()
            && target.iter().all(|byte| {
                byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'.' | b'$' | b'@' | b'-')
            })
    };
    if target.is_some_and(|target| !acceptable(target)) {
        return None;
    }
    Some(LoginName { user, target })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn user_names() {
        for good in [
            "a",
            "_",
            "alice",
            "a.b-c_9",
            "abcdefghijabcdefghijabcdefghijab",
        ] {
            assert!(is_valid_user_name(good.as_bytes()), "{good}");
            assert_eq!(UserName::new(good.as_bytes()).unwrap().as_str(), good);
        }
        for bad in [
            "",
            "A",
            "9a",
            "-a",
            ".a",
            "a b",
            "a@b",
            "a:b",
            "a/b",
            "é",
            "a\n",
            "a\0",
            "abcdefghijabcdefghijabcdefghijabc",
        ] {
            assert!(!is_valid_user_name(bad.as_bytes()), "{bad:?}");
            assert_eq!(UserName::new(bad.as_bytes()), None, "{bad:?}");
        }
    }

    #[test]
    fn reserved_names_are_no_names_of_virtual_users() {
        for name in ["root", "nobody", "jms", "jms-keys"] {
            assert!(is_valid_user_name(name.as_bytes()));
            assert_eq!(UserName::new(name.as_bytes()), None);
            assert_eq!(
                split_login_name(format!("{name}@dev@web1").as_bytes()),
                None
            );
        }
    }

    #[test]
    fn padded_names_have_one_form() {
        let mut field = [0; MAX_USER_NAME];
        field[..5].copy_from_slice(b"alice");
        assert_eq!(UserName::from_padded(&field, 5), UserName::new(b"alice"));
        assert_eq!(
            UserName::from_padded(&field, 4),
            None,
            "a byte of the name in the padding"
        );
        assert_eq!(
            UserName::from_padded(&field, 6),
            None,
            "a zero byte in the name"
        );
        assert_eq!(UserName::from_padded(&field, 200), None);
    }

    #[test]
    fn login_names() {
        let alice = UserName::new(b"alice").unwrap();
        let split = |name: &'static str| split_login_name(name.as_bytes());
        assert_eq!(
            split("alice"),
            Some(LoginName {
                user: alice,
                target: None
            })
        );
        assert_eq!(
            split("alice@web1"),
            Some(LoginName {
                user: alice,
                target: Some(b"web1")
            })
        );
        assert_eq!(
            split("alice@dev@web1"),
            Some(LoginName {
                user: alice,
                target: Some(b"dev@web1")
            })
        );
        assert_eq!(
            split("alice@Svc-1$@db_1.a"),
            Some(LoginName {
                user: alice,
                target: Some(b"Svc-1$@db_1.a")
            })
        );
        for bad in [
            "",
            "@",
            "alice@",
            "@web1",
            "Alice@web1",
            "alice@we b1",
            "alice@web1:22",
            "alice@web/1",
            "alice@w%",
            "alice@wéb",
        ] {
            assert_eq!(split(bad), None, "{bad:?}");
        }
    }

    #[test]
    fn login_names_end_at_128_bytes() {
        let name = format!("alice@{}", "a".repeat(122));
        assert!(split_login_name(name.as_bytes()).is_some());
        assert!(split_login_name(format!("{name}a").as_bytes()).is_none());
    }
}
