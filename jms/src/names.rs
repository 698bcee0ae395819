//! One validated type for each kind of name; refused at the door, plain data behind it.
//!
//! Trusts nothing: every constructor takes text that a person, an asset or a file gave.
#![forbid(unsafe_code)]

use std::fmt;

/// The words of the session program (`ssh alice@bastion ls`): an asset may not be called like one.
pub const VERBS: &[&str] = &[
    "ls",
    "groups",
    "connect",
    "whoami",
    "ssh-config",
    "sessions",
    "session",
    "key",
    "mfa",
    "passwd",
    "transfers",
    "commands",
    "run",
    "put",
    "jmsctl",
    "help",
    "version",
];

/// The word that takes an attribute away on the command line, and so names nothing.
const NOTHING: &str = "none";

/// Why a text is not a name of its kind.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NameError {
    kind: &'static str,
    given: String,
    rule: &'static str,
}

impl fmt::Display for NameError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "“{}” is not a name for {} {}: {}",
            self.given.escape_debug(),
            article(self.kind),
            self.kind,
            self.rule
        )
    }
}

impl std::error::Error for NameError {}

/// `an` before what begins with a vowel as it is spoken: an asset, a user.
#[must_use]
pub fn article(noun: &str) -> &'static str {
    match noun.starts_with(['a', 'e', 'i', 'o']) {
        true => "an",
        false => "a",
    }
}

fn error(kind: &'static str, given: &str, rule: &'static str) -> NameError {
    // A hostile name may be long; the sentence need not be.
    NameError {
        kind,
        given: given.chars().take(64).collect(),
        rule,
    }
}

macro_rules! name_type {
    ($(#[$doc:meta])* $name:ident, $kind:literal, $rule:literal, $valid:expr) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(String);

        impl $name {
            /// Accepts `text` when it follows the rule of this kind of name.
            ///
            /// # Errors
            /// [`NameError`] with the rule in words.
            pub fn new(text: &str) -> Result<Self, NameError> {
                let valid: fn(&str) -> bool = $valid;
                if valid(text) { Ok(Self(text.to_owned())) } else { Err(error($kind, text, $rule)) }
            }

            /// The name as text.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl std::str::FromStr for $name {
            type Err = NameError;
            fn from_str(text: &str) -> Result<Self, NameError> {
                Self::new(text)
            }
        }
    };
}

fn spelled(text: &str, longest: usize, first: fn(u8) -> bool, rest: fn(u8) -> bool) -> bool {
    let mut bytes = text.bytes();
    text.len() <= longest && bytes.next().is_some_and(first) && bytes.all(rest)
}

name_type! {
    /// A person or robot that logs in to the bastion: `^[a-z_][a-z0-9_.-]{0,31}$`.
    UserName, "user",
    "1 to 32 characters: a lower-case letter or _, then lower-case letters, digits, _ . -",
    |text| spelled(text, 32, |b| b.is_ascii_lowercase() || b == b'_',
        |b| b.is_ascii_lowercase() || b.is_ascii_digit() || b"_.-".contains(&b))
}

name_type! {
    /// An account on assets: `^[A-Za-z_][A-Za-z0-9_.-]{0,63}\$?$`. The dollar is Windows's and Samba's.
    SystemUserName, "system user",
    "1 to 64 characters: a letter or _, then letters, digits, _ . -, and perhaps a $ at the end",
    |text| spelled(text.strip_suffix('$').unwrap_or(text), 64, |b| b.is_ascii_alphabetic() || b == b'_',
        |b| b.is_ascii_alphanumeric() || b"_.-".contains(&b))
}

name_type! {
    /// A machine, device, database or cluster: `^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$`, never a verb of ours.
    AssetName, "asset",
    "1 to 63 characters: a letter or digit, then letters, digits, . _ -; and none of the bastion's own words (ls, help, none, …)",
    |text| spelled(text, 63, |b| b.is_ascii_alphanumeric(),
        |b| b.is_ascii_alphanumeric() || b"._-".contains(&b)) && !VERBS.contains(&text) && text != NOTHING
}

name_type! {
    /// A grant, user group, site, filter, alias: what only administrators see.
    LabelName, "policy object",
    "1 to 64 characters: a letter, digit or _, then letters, digits, . _ -; and not “none”, which takes away",
    |text| spelled(text, 64, |b| b.is_ascii_alphanumeric() || b == b'_',
        |b| b.is_ascii_alphanumeric() || b"._-".contains(&b)) && text != NOTHING
}

name_type! {
    /// A place in the tree of assets, `/prod/web`. `/` is the whole tree.
    AssetGroupPath, "asset group",
    "a path such as /prod/web: each part 1 to 64 letters, digits, . _ -; at most 16 parts",
    |text| text == "/" || text.strip_prefix('/').is_some_and(|parts| {
        parts.split('/').count() <= 16
            && parts.split('/').all(|part| part != "." && part != ".."
                && spelled(part, 64, |b| b.is_ascii_alphanumeric() || b == b'_',
                    |b| b.is_ascii_alphanumeric() || b"._-".contains(&b)))
    })
}

name_type! {
    /// Where an asset answers: a host name (RFC 1123 with underscores, which exist) or an IP address.
    Address, "address",
    "a host name, an IPv4 or an IPv6 address (without brackets, port or user)",
    |text| text.parse::<std::net::IpAddr>().is_ok()
        || (text.len() <= 253 && !text.is_empty() && text.split('.').all(|label| {
            spelled(label, 63, |b| b.is_ascii_alphanumeric() || b == b'_',
                |b| b.is_ascii_alphanumeric() || b"-_".contains(&b))
        }))
}

/// The existing name nearest to `given`, if one is within two edits: for “did you mean”.
#[must_use]
pub fn nearest<'a>(given: &str, names: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    names
        .into_iter()
        .filter(|name| name.len().abs_diff(given.len()) <= 2)
        .map(|name| (strsim::osa_distance(given, name), name))
        .filter(|(distance, _)| *distance <= 2)
        .min()
        .map(|(_, name)| name)
}

/// Many names, of which the nearest to each of many others is asked for.
#[derive(Debug)]
pub struct Nearest<'a> {
    names: Vec<(u64, &'a str)>,
}

impl<'a> Nearest<'a> {
    /// For these names.
    #[must_use]
    pub fn new(names: impl IntoIterator<Item = &'a str>) -> Self {
        Self {
            names: names
                .into_iter()
                .map(|name| (letters(name), name))
                .collect(),
        }
    }

    /// The one nearest to `given`, if it is within two edits and has something in common with it.
    #[must_use]
    pub fn to(&self, given: &str) -> Option<&'a str> {
        // Longer ones are no names of users, and comparing costs with the length.
        if given.len() > 64 {
            return None;
        }
        let wanted = letters(given);
        // Two edits change at most four letters of a set.
        let near = self.names.iter().filter(|(set, name)| {
            name.len().abs_diff(given.len()) <= 8 && (set ^ wanted).count_ones() <= 4
        });
        near.map(|(_, name)| (strsim::osa_distance(given, name), *name))
            .filter(|(distance, name)| *distance <= 2 && *distance < name.len().min(given.len()))
            .min()
            .map(|(_, name)| name)
    }
}

/// The set of a name's letters, some of which share a bit.
fn letters(name: &str) -> u64 {
    name.chars()
        .fold(0, |set, letter| set | 1 << (u32::from(letter) % 64))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn user_names_are_what_nss_and_sshd_can_carry() {
        for good in [
            "alice",
            "_svc",
            "a",
            "betty1210",
            "j.doe-2",
            &"a".repeat(32),
        ] {
            assert!(UserName::new(good).is_ok(), "{good}");
        }
        for bad in [
            "",
            "Alice",
            "1a",
            "-a",
            "a b",
            "a@b",
            "a:b",
            "a/b",
            "é",
            "a\n",
            &"a".repeat(33),
        ] {
            assert!(UserName::new(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_system_user_may_end_in_one_dollar() {
        for good in [
            "dev",
            "Administrator",
            "host$",
            "_x",
            &format!("{}$", "a".repeat(64)),
        ] {
            assert!(SystemUserName::new(good).is_ok(), "{good}");
        }
        for bad in ["$", "a$b", "a$$", "0a", "-a", "a@b", &"a".repeat(65)] {
            assert!(SystemUserName::new(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn an_asset_is_never_called_like_a_verb() {
        assert!(AssetName::new("web1").is_ok());
        for verb in VERBS {
            assert!(AssetName::new(verb).is_err(), "{verb}");
        }
        for bad in ["", "-web", ".web", "we b", "web@1", "we:b", &"a".repeat(64)] {
            assert!(AssetName::new(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn asset_groups_are_absolute_paths_without_tricks() {
        for good in ["/", "/prod", "/prod/web", "/a.b/c_d-e"] {
            assert!(AssetGroupPath::new(good).is_ok(), "{good}");
        }
        for bad in [
            "", "prod", "/prod/", "//", "/a//b", "/..", "/a/../b", "/a b",
        ] {
            assert!(AssetGroupPath::new(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn addresses_cannot_be_options_or_carry_users_and_ports() {
        for good in [
            "web1",
            "web1.example.org",
            "192.0.2.7",
            "2001:db8::7",
            "my_host",
        ] {
            assert!(Address::new(good).is_ok(), "{good}");
        }
        for bad in [
            "",
            "-oProxyCommand=x",
            "a b",
            "root@web1",
            "web1:22",
            "[::1]",
            "a..b",
            "web1.",
        ] {
            assert!(Address::new(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn the_nearest_name_is_within_two_edits() {
        let names = ["web1", "web2", "db1"];
        assert_eq!(nearest("wbe1", names), Some("web1"));
        assert_eq!(nearest("webb2", names), Some("web2"));
        assert_eq!(nearest("mail", names), None);
    }

    #[test]
    fn of_many_names_the_nearest_is_found_as_of_few() {
        let names = Nearest::new(["betty1210", "alice", "bob"]);
        assert_eq!(names.to("betty1211"), Some("betty1210"));
        assert_eq!(names.to("ebtty120"), Some("betty1210"));
        assert_eq!(names.to("alicé"), Some("alice"));
        assert_eq!(names.to("alice"), Some("alice"));
        assert_eq!(names.to("xy"), None);
        assert_eq!(names.to(""), None);
        assert_eq!(names.to(&"a".repeat(1000)), None);
    }

    #[test]
    fn the_sentence_names_the_rule_and_not_a_megabyte() {
        let text = UserName::new(&"A".repeat(1_000_000))
            .unwrap_err()
            .to_string();
        assert!(text.len() < 300 && text.contains("lower-case"), "{text}");
    }
}
