//! Which passwords are taken.

use super::{Cost, HashError, LONGEST, PasswordHash, leaked};
use crate::secret::SecretString;
use std::fmt;
use std::path::PathBuf;

/// What the settings ask of a new password.
#[derive(Debug, Clone)]
pub struct Policy {
    /// At least so many characters.
    pub minimum_length: u32,
    /// Of so many of four classes: small letters, capital letters, digits, anything else.
    pub minimum_classes: u32,
    /// None of the last so many, the one in force among them.
    pub history: u32,
    /// None of this list.
    pub leaked: Option<PathBuf>,
    /// What a hash takes.
    pub cost: Cost,
}

/// Why a new password is not taken: a sentence for the person who chose it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Objection {
    /// Too few characters.
    TooShort(u32),
    /// More bytes than can be typed at a login.
    TooLong,
    /// Characters that cannot be typed at a login.
    Untypable,
    /// Too few classes of characters.
    TooSimple(u32),
    /// The name of the user is in it, or it in the name.
    LikeTheName,
    /// One of the last ones.
    Used,
    /// In the list of leaked ones.
    Leaked,
    /// The list cannot be read.
    NoList,
}

impl fmt::Display for Objection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TooShort(least) => {
                write!(f, "the password is too short: at least {least} characters")
            }
            Self::TooLong => write!(f, "the password is too long: at most {LONGEST} bytes"),
            Self::Untypable => {
                f.write_str("the password has characters that cannot be typed at a login")
            }
            Self::TooSimple(least) => write!(
                f,
                "the password is too simple: it needs {least} of small letters, capital letters, digits and others"
            ),
            Self::LikeTheName => f.write_str("the password is too much like the user's name"),
            Self::Used => f.write_str("that password was used before; choose another one"),
            Self::Leaked => {
                f.write_str("that password is on a list of leaked ones; choose another one")
            }
            Self::NoList => f.write_str(
                "the list of leaked passwords cannot be read, so none can be taken; tell your administrator",
            ),
        }
    }
}

impl Policy {
    /// Objects to a password for what it is; what it was before is [`Policy::object_to_reuse`]'s.
    ///
    /// # Errors
    /// [`Objection`].
    pub fn object(&self, user: &str, password: &SecretString) -> Result<(), Objection> {
        let text = password.expose();
        if text.len() > LONGEST {
            return Err(Objection::TooLong);
        }
        if text.chars().any(char::is_control) {
            return Err(Objection::Untypable);
        }
        let least = self.minimum_length;
        if u32::try_from(text.chars().count()).is_ok_and(|length| length < least) {
            return Err(Objection::TooShort(least));
        }
        if classes(text) < self.minimum_classes {
            return Err(Objection::TooSimple(self.minimum_classes));
        }
        let lower = zeroize::Zeroizing::new(text.to_lowercase());
        let rest = lower.replace(user, "");
        // The name with a digit or two behind it is the name.
        if rest.chars().count() * 2 < lower.chars().count() {
            return Err(Objection::LikeTheName);
        }
        match self
            .leaked
            .as_deref()
            .map(|list| leaked::is_leaked(list, password))
        {
            None | Some(Ok(false)) => Ok(()),
            Some(Ok(true)) => Err(Objection::Leaked),
            Some(Err(_)) => Err(Objection::NoList),
        }
    }

    /// Objects to a password that is one of `before`, newest first. Takes as long as that many logins.
    ///
    /// # Errors
    /// [`HashError::CannotHash`].
    pub fn object_to_reuse(
        &self,
        before: &[PasswordHash],
        password: &SecretString,
    ) -> Result<Result<(), Objection>, HashError> {
        let last = usize::try_from(self.history).unwrap_or(usize::MAX);
        for hash in before.iter().take(last) {
            if hash.is_of(password)? {
                return Ok(Err(Objection::Used));
            }
        }
        Ok(Ok(()))
    }
}

/// How many of the four classes there are.
fn classes(text: &str) -> u32 {
    let is_of: [fn(char) -> bool; 4] = [
        char::is_lowercase,
        char::is_uppercase,
        char::is_numeric,
        |other| !other.is_lowercase() && !other.is_uppercase() && !other.is_numeric(),
    ];
    is_of
        .iter()
        .map(|is_of| u32::from(text.chars().any(is_of)))
        .sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn policy() -> Policy {
        Policy {
            minimum_length: 12,
            minimum_classes: 1,
            history: 3,
            leaked: None,
            cost: Cost::new(*Cost::MEMORY_KIB.start(), 1).unwrap(),
        }
    }

    fn secret(text: &str) -> SecretString {
        SecretString::from(text.to_owned())
    }

    fn object(policy: &Policy, text: &str) -> Option<Objection> {
        policy.object("alice", &secret(text)).err()
    }

    #[test]
    fn length_counts_characters() {
        assert_eq!(
            object(&policy(), "elevenchars"),
            Some(Objection::TooShort(12))
        );
        assert_eq!(object(&policy(), "twelve chars"), None);
        assert_eq!(object(&policy(), "schlüsselbüü"), None);
        assert_eq!(
            object(&policy(), &"x".repeat(512)),
            Some(Objection::TooLong)
        );
        assert_eq!(
            object(&policy(), "correct\thorse battery"),
            Some(Objection::Untypable)
        );
    }

    #[test]
    fn classes_count_where_they_are_asked_for() {
        let three = Policy {
            minimum_classes: 3,
            ..policy()
        };
        assert_eq!(
            object(&three, "correct horse"),
            Some(Objection::TooSimple(3))
        );
        assert_eq!(object(&three, "Correct horse"), None);
        assert_eq!(object(&three, "Correcthorse1"), None);
    }

    #[test]
    fn the_name_is_no_password() {
        for like in ["alicealice2026", "Alicealice12", "2026alicealice"] {
            assert_eq!(
                object(&policy(), like),
                Some(Objection::LikeTheName),
                "{like}"
            );
        }
        assert_eq!(object(&policy(), "alice in wonderland"), None);
    }

    #[test]
    fn leaked_ones_are_known_as_text_and_as_sha1() {
        let folder = tempfile::tempdir().unwrap();
        let list = folder.path().join("leaked");
        // printf 'correct horse' | sha1sum
        std::fs::write(
            &list,
            "iloveyou1234\r\n\nA0CCFD4BEDEA0B6F6A5B7C8A57A43D4A9A97D8CB:17\nabf7aad6438836dbe526aa231abde2d0eef74d42:3\n",
        )
        .unwrap();
        let policy = Policy {
            leaked: Some(list),
            ..policy()
        };
        assert_eq!(object(&policy, "iloveyou1234"), Some(Objection::Leaked));
        assert_eq!(
            object(&policy, "correct horse battery staple"),
            Some(Objection::Leaked)
        );
        assert_eq!(object(&policy, "correct horse cart"), None);
        let without = Policy {
            leaked: Some(folder.path().join("none")),
            ..policy
        };
        assert_eq!(
            object(&without, "correct horse cart"),
            Some(Objection::NoList)
        );
    }

    #[test]
    fn the_last_ones_are_not_taken_again() {
        let policy = policy();
        let hash = |text: &str| PasswordHash::of(&secret(text), policy.cost).unwrap();
        let before = ["fourth", "third", "second", "first"].map(hash);
        let reuse = |text: &str| policy.object_to_reuse(&before, &secret(text)).unwrap();
        assert_eq!(reuse("second"), Err(Objection::Used));
        assert_eq!(reuse("first"), Ok(()));
    }
}
