//! The secret that the bastion and a person's authenticator app share.
#![forbid(unsafe_code)]

use super::Algorithm;
use crate::secret::{SecretBytes, SecretString};
use data_encoding::BASE32_NOPAD;
use std::fmt;

/// A shared secret: wiped on drop, never printed.
pub struct TotpSecret(SecretBytes);

impl TotpSecret {
    /// A new one from the kernel, as long as the hash (RFC 4226, section 4, R6: at least 16 bytes).
    ///
    /// # Errors
    /// The kernel gives no random numbers.
    pub fn random(algorithm: Algorithm) -> Result<Self, getrandom::Error> {
        let mut bytes = vec![0; algorithm.key_length()];
        getrandom::fill(&mut bytes)?;
        Ok(Self(SecretBytes::from(bytes)))
    }

    /// One that the store had.
    #[must_use]
    pub fn from_bytes(bytes: SecretBytes) -> Self {
        Self(bytes)
    }

    /// The raw bytes, for the moment in which they are used.
    #[must_use]
    pub fn expose(&self) -> &[u8] {
        self.0.expose()
    }

    /// As apps take it where it is typed: base32 without padding (RFC 4648).
    #[must_use]
    pub fn to_base32(&self) -> SecretString {
        SecretString::from(BASE32_NOPAD.encode(self.expose()))
    }
}

impl fmt::Debug for TotpSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[secret]")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_shown_on_purpose_only() {
        let secret = TotpSecret::from_bytes(b"12345678901234567890".to_vec().into());
        assert_eq!(
            secret.to_base32().expose(),
            "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"
        );
        assert_eq!(format!("{secret:?}"), "[secret]");
    }

    #[test]
    fn new_ones_are_as_long_as_the_hash_and_differ() {
        let one = TotpSecret::random(Algorithm::Sha1).unwrap();
        let other = TotpSecret::random(Algorithm::Sha1).unwrap();
        assert_eq!(one.expose().len(), 20);
        assert_ne!(one.expose(), other.expose());
        let long = TotpSecret::random(Algorithm::Sha256).unwrap();
        assert_eq!(long.expose().len(), 32);
    }
}
