//! The token that ties a session to its login.

use std::fmt;

use zeroize::Zeroize;

/// The value of `JMS_LOGIN`: 128 random bits as 32 lower-case hexadecimal digits. Who has it and
/// the right uid and the right sshd has the login, so it is neither printed nor left in memory.
#[derive(Clone, PartialEq, Eq)]
pub struct LoginToken(String);

impl LoginToken {
    /// Length in characters.
    pub const LEN: usize = 32;

    /// Accepts exactly 32 lower-case hexadecimal digits.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let digits = text.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'));
        (text.len() == Self::LEN && digits).then(|| Self(text.to_owned()))
    }

    /// The 32 digits.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Drop for LoginToken {
    fn drop(&mut self) {
        self.0.zeroize();
    }
}

impl fmt::Debug for LoginToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("LoginToken(…)")
    }
}
