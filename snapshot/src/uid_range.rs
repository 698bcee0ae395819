//! Root's file `/etc/jms/uid-range`: which uids are virtual users', and the gids of their two groups.
//!
//! The one thing that the service user cannot forge. Text, one `key value` a line, `#` comments and blank lines allowed:
//!
//! ```text
//! range 70000-99999
//! jms-users 998
//! jms-mfa 997
//! enumerate no
//! ```
//!
//! The last line is optional: `yes` lets `getent passwd` list the virtual users. The gids are numeric because a name service
//! module cannot ask the name service. A word too many, a line twice, an unknown key: the file is bad as a whole.
#![forbid(unsafe_code)]

use std::{fmt, fs::Metadata, io, path::Path};

use crate::file;

/// Longest file that is read, in bytes.
const MAX_FILE: usize = 4096;

/// Whether a virtual user may have this uid at all.
///
/// Not below 1000 (the system's own), not 61184–65535 (systemd's dynamic users, nobody, 16-bit -1), and not the two
/// highest (-1 and -2).
#[must_use]
pub fn is_possible_uid(uid: u32) -> bool {
    matches!(uid, 1000..=61183 | 65536..=4_294_967_293)
}

/// The uid range and the groups of virtual users.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct UidRange {
    first: u32,
    last: u32,
    users_gid: u32,
    mfa_gid: u32,
    enumerate: bool,
}

impl UidRange {
    /// Reads and parses root's file. Neither a symbolic link nor a file that others than its owner may write to is believed, nor one that is
    /// neither root's nor the caller's own.
    ///
    /// # Errors
    /// Why it cannot be read, or what is wrong with it and where.
    pub fn load(path: &Path) -> Result<Self, UidRangeError> {
        Self::load_with_state(path).map(|(range, _)| range)
    }

    /// [`Self::load`], and the state of the file before it was read.
    ///
    /// # Errors
    /// As for [`Self::load`].
    pub fn load_with_state(path: &Path) -> Result<(Self, Metadata), UidRangeError> {
        let mut buffer = [0; MAX_FILE];
        let (text, metadata) = file::read_small(path, &mut buffer).map_err(UidRangeError::Io)?;
        Ok((Self::parse(text)?, metadata))
    }

    /// Parses the text of the file.
    ///
    /// # Errors
    /// What is wrong with it, and where.
    pub fn parse(text: &[u8]) -> Result<Self, UidRangeError> {
        let (mut range, mut users, mut mfa, mut enumerate) = (None, None, None, None);
        for (line, number) in text.split(|byte| *byte == b'\n').zip(1..) {
            let content = line.split(|byte| *byte == b'#').next().unwrap_or_default();
            let mut words = content
                .split(|byte| matches!(byte, b' ' | b'\t'))
                .filter(|word| !word.is_empty());
            let Some(key) = words.next() else { continue };
            let bad = |problem| UidRangeError::Line { number, problem };
            let (Some(value), None) = (words.next(), words.next()) else {
                return Err(bad("is not a key and a value"));
            };
            let new = match key {
                b"range" => range
                    .replace(parse_range(value).ok_or_else(|| bad(BAD_RANGE))?)
                    .is_none(),
                b"jms-users" => users
                    .replace(parse_gid(value).ok_or_else(|| bad(BAD_GID))?)
                    .is_none(),
                b"jms-mfa" => mfa
                    .replace(parse_gid(value).ok_or_else(|| bad(BAD_GID))?)
                    .is_none(),
                b"enumerate" => enumerate
                    .replace(parse_yes_no(value).ok_or_else(|| bad("is neither yes nor no"))?)
                    .is_none(),
                _ => return Err(bad("has an unknown key")),
            };
            if !new {
                return Err(bad("sets a key for the second time"));
            }
        }
        let (first, last) = range.ok_or(UidRangeError::Missing("range"))?;
        let users_gid = users.ok_or(UidRangeError::Missing("jms-users"))?;
        let mfa_gid = mfa.ok_or(UidRangeError::Missing("jms-mfa"))?;
        if users_gid == mfa_gid {
            return Err(UidRangeError::SameGroup);
        }
        Ok(Self {
            first,
            last,
            users_gid,
            mfa_gid,
            enumerate: enumerate.unwrap_or(false),
        })
    }

    /// Whether this uid is a virtual user's.
    #[must_use]
    pub fn contains(&self, uid: u32) -> bool {
        (self.first..=self.last).contains(&uid) && is_possible_uid(uid)
    }

    /// The lowest uid.
    #[must_use]
    pub fn first(&self) -> u32 {
        self.first
    }

    /// The highest uid.
    #[must_use]
    pub fn last(&self) -> u32 {
        self.last
    }

    /// The gid of `jms-users`, the primary group of virtual users.
    #[must_use]
    pub fn users_gid(&self) -> u32 {
        self.users_gid
    }

    /// The gid of `jms-mfa`, the primary group of those whose second factor sshd must ask for.
    #[must_use]
    pub fn mfa_gid(&self) -> u32 {
        self.mfa_gid
    }

    /// Whether `getpwent` lists the virtual users.
    #[must_use]
    pub fn enumerate(&self) -> bool {
        self.enumerate
    }
}

const BAD_RANGE: &str =
    "has no range of uids such as 70000-99999 within 1000-61183 or 65536-4294967293";
const BAD_GID: &str = "has no numeric gid between 1 and 4294967293 (65534 and 65535 are nobody's)";

fn parse_number(text: &[u8]) -> Option<u32> {
    let plain =
        text.iter().all(u8::is_ascii_digit) && (text.first() != Some(&b'0') || text.len() == 1);
    std::str::from_utf8(text)
        .ok()
        .filter(|_| plain)?
        .parse()
        .ok()
}

fn parse_range(text: &[u8]) -> Option<(u32, u32)> {
    let mut ends = text.splitn(2, |byte| *byte == b'-');
    let (first, last) = (parse_number(ends.next()?)?, parse_number(ends.next()?)?);
    let excluded = first <= 65535 && last >= 61184;
    (first <= last && is_possible_uid(first) && is_possible_uid(last) && !excluded)
        .then_some((first, last))
}

fn parse_gid(text: &[u8]) -> Option<u32> {
    parse_number(text).filter(|gid| matches!(gid, 1..=65533 | 65536..=4_294_967_293))
}

fn parse_yes_no(text: &[u8]) -> Option<bool> {
    match text {
        b"yes" => Some(true),
        b"no" => Some(false),
        _ => None,
    }
}

/// What is wrong with the uid range file.
#[derive(Debug)]
pub enum UidRangeError {
    /// It cannot be read, or is not a file that only its owner may write to.
    Io(io::Error),
    /// A line is wrong.
    Line {
        /// Its number, from 1.
        number: usize,
        /// What is wrong with it.
        problem: &'static str,
    },
    /// A line is missing: its key.
    Missing(&'static str),
    /// Both groups have the same gid.
    SameGroup,
}

impl fmt::Display for UidRangeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Io(error) => write!(f, "the uid range file cannot be read: {error}"),
            Self::Line { number, problem } => {
                write!(f, "line {number} of the uid range file {problem}")
            }
            Self::Missing(key) => {
                write!(f, "the uid range file has no line that begins with {key:?}")
            }
            Self::SameGroup => {
                f.write_str("the uid range file gives jms-users and jms-mfa the same gid")
            }
        }
    }
}

impl std::error::Error for UidRangeError {}

impl UidRangeError {
    /// The `errno` that says it best to a caller who only understands such numbers.
    #[must_use]
    pub fn errno(&self) -> i32 {
        match self {
            Self::Io(error) => error.raw_os_error().unwrap_or(libc::EIO),
            _ => libc::EBADMSG,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &str =
        "# by the package\n\nrange 70000-99999\njms-users 998 # primary group\n\tjms-mfa  997  \n";

    #[test]
    fn the_packages_file() {
        let range = UidRange::parse(GOOD.as_bytes()).unwrap();
        assert_eq!(
            (
                range.first(),
                range.last(),
                range.users_gid(),
                range.mfa_gid()
            ),
            (70000, 99999, 998, 997)
        );
        assert!(!range.enumerate());
        assert!(
            !range.contains(69999)
                && range.contains(70000)
                && range.contains(99999)
                && !range.contains(100_000)
        );
    }

    #[test]
    fn enumeration_is_asked_for() {
        assert!(
            UidRange::parse(format!("{GOOD}enumerate yes\n").as_bytes())
                .unwrap()
                .enumerate()
        );
        assert!(
            !UidRange::parse(format!("{GOOD}enumerate no").as_bytes())
                .unwrap()
                .enumerate()
        );
    }

    #[test]
    fn ranges_that_are_not_ours() {
        for bad in [
            "0-99999",
            "999-2000",
            "1000-61184",
            "50000-70000",
            "61184-65535",
            "65535-70000",
            "70000-4294967294",
            "70000-4294967295",
            "70000-4294967296",
            "99999-70000",
            "70000",
            "-70000",
            "70000-",
            "7e4-99999",
            "+70000-99999",
            "070000-99999",
            "70000-99999-100000",
            "0x11170-99999",
        ] {
            let text = GOOD.replace("70000-99999", bad);
            assert!(
                matches!(
                    UidRange::parse(text.as_bytes()),
                    Err(UidRangeError::Line { number: 3, .. })
                ),
                "{bad}"
            );
        }
        for good in ["1000-61183", "65536-4294967293", "70000-70000"] {
            assert!(
                UidRange::parse(GOOD.replace("70000-99999", good).as_bytes()).is_ok(),
                "{good}"
            );
        }
    }

    #[test]
    fn groups_that_are_not_ours() {
        for bad in [
            "0",
            "65534",
            "65535",
            "4294967294",
            "4294967295",
            "root",
            "-1",
            "00",
            "9 9",
            "",
        ] {
            let text = GOOD.replace("998", bad);
            assert!(
                matches!(
                    UidRange::parse(text.as_bytes()),
                    Err(UidRangeError::Line { number: 4, .. })
                ),
                "{bad}"
            );
        }
        assert!(matches!(
            UidRange::parse(GOOD.replace("998", "997").as_bytes()),
            Err(UidRangeError::SameGroup)
        ));
    }

    #[test]
    fn a_line_missing_doubled_or_unknown() {
        for (line, key) in [
            ("range 70000-99999", "range"),
            ("jms-users 998", "jms-users"),
            ("jms-mfa  997", "jms-mfa"),
        ] {
            let without = GOOD.replace(line, "");
            assert!(
                matches!(UidRange::parse(without.as_bytes()), Err(UidRangeError::Missing(missing)) if missing == key)
            );
            let twice = format!("{GOOD}{line}\n");
            assert!(matches!(
                UidRange::parse(twice.as_bytes()),
                Err(UidRangeError::Line { number: 6, .. })
            ));
        }
        assert!(UidRange::parse(format!("{GOOD}shell /bin/sh\n").as_bytes()).is_err());
        assert!(UidRange::parse(b"\xff\xfe\0").is_err());
        assert!(matches!(
            UidRange::parse(b""),
            Err(UidRangeError::Missing("range"))
        ));
    }
}
