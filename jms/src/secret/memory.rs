//! Bytes and text that are wiped when dropped and that no formatter prints.
#![forbid(unsafe_code)]

use super::SecretError;
use std::fmt;
use zeroize::Zeroizing;

/// Secret bytes: wiped on drop, `[secret]` in `Debug`; no `Display`, no `Clone`, no serialization.
pub struct SecretBytes(Zeroizing<Vec<u8>>);

/// Secret text: wiped on drop, `[secret]` in `Debug`; no `Display`, no `Clone`, no serialization.
pub struct SecretString(Zeroizing<String>);

impl SecretBytes {
    /// The bytes, for the moment in which they are used.
    #[must_use]
    pub fn expose(&self) -> &[u8] {
        &self.0
    }

    /// The same secret as text.
    ///
    /// # Errors
    /// [`SecretError::NotText`] when the bytes are no UTF-8; they are wiped all the same.
    pub fn into_string(mut self) -> Result<SecretString, SecretError> {
        // `take` moves the allocation, so that no second copy is made.
        match String::from_utf8(std::mem::take(&mut *self.0)) {
            Ok(text) => Ok(SecretString::from(text)),
            Err(error) => {
                drop(Zeroizing::new(error.into_bytes()));
                Err(SecretError::NotText)
            }
        }
    }
}

impl SecretString {
    /// The text, for the moment in which it is used.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl From<Vec<u8>> for SecretBytes {
    fn from(bytes: Vec<u8>) -> Self {
        Self(Zeroizing::new(bytes))
    }
}

impl From<String> for SecretString {
    fn from(text: String) -> Self {
        Self(Zeroizing::new(text))
    }
}

impl fmt::Debug for SecretBytes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[secret]")
    }
}

impl fmt::Debug for SecretString {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[secret]")
    }
}
