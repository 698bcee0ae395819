//! A secret on its way to an authenticator app: nothing is stored before a code proves that it arrived.
#![forbid(unsafe_code)]

use super::{Algorithm, Digits, Totp, TotpSecret};
use crate::secret::SecretString;
use std::fmt::Write as _;

/// Who hands out the secret, as apps show it beside the account.
pub const ISSUER: &str = "jms";

/// A new generator that nobody has proved to have yet.
#[derive(Debug)]
pub struct Enrolment {
    totp: Totp,
}

impl Enrolment {
    /// With a new secret.
    ///
    /// # Errors
    /// The kernel gives no random numbers.
    pub fn begin(algorithm: Algorithm, digits: Digits) -> Result<Self, getrandom::Error> {
        Ok(Self {
            totp: Totp {
                secret: TotpSecret::random(algorithm)?,
                algorithm,
                digits,
            },
        })
    }

    /// The generator.
    #[must_use]
    pub fn totp(&self) -> &Totp {
        &self.totp
    }

    /// The text that a QR code carries to the app (Google's "Key Uri Format"). `bastion`: how people call the
    /// bastion; may be empty. It holds the secret.
    #[must_use]
    pub fn uri(&self, user: &str, bastion: &str) -> SecretString {
        let issuer = match bastion {
            "" => ISSUER.to_owned(),
            name => format!("{ISSUER} {name}"),
        };
        let (issuer, user) = (percent_encoded(&issuer), percent_encoded(user));
        let mut uri = String::with_capacity(256);
        uri.push_str("otpauth://totp/");
        let _ = write!(uri, "{issuer}:{user}?secret=");
        uri.push_str(self.totp.secret.to_base32().expose());
        let _ = write!(uri, "&issuer={issuer}");
        // What apps assume is not said: each word makes the code larger, and it must fit on a screen of 24 lines.
        if self.totp.algorithm == Algorithm::Sha256 {
            uri.push_str("&algorithm=SHA256");
        }
        if self.totp.digits != Digits::Six {
            let _ = write!(uri, "&digits={}", self.totp.digits.count());
        }
        SecretString::from(uri)
    }
}

/// RFC 3986, 2.1: all but the unreserved characters.
fn percent_encoded(text: &str) -> String {
    let mut encoded = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => {
                encoded.push(char::from(byte));
            }
            other => {
                let _ = write!(encoded, "%{other:02X}");
            }
        }
    }
    encoded
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_uri_says_everything_and_nothing_can_be_smuggled_into_it() {
        let enrolment = Enrolment {
            totp: Totp {
                secret: TotpSecret::from_bytes(b"12345678901234567890".to_vec().into()),
                algorithm: Algorithm::Sha1,
                digits: Digits::Six,
            },
        };
        assert_eq!(
            enrolment.uri("alice", "bastion.example").expose(),
            "otpauth://totp/jms%20bastion.example:alice?secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ\
             &issuer=jms%20bastion.example"
        );
        let other = Enrolment::begin(Algorithm::Sha256, Digits::Eight).unwrap();
        let uri = other.uri("alice", "");
        assert!(
            uri.expose()
                .ends_with("&issuer=jms&algorithm=SHA256&digits=8")
        );
        let odd = enrolment.uri("a&secret=X", "é:?#");
        assert!(
            odd.expose().starts_with(
                "otpauth://totp/jms%20%C3%A9%3A%3F%23:a%26secret%3DX?secret=GEZDGNBVGY3TQOJQ"
            ),
            "{}",
            odd.expose()
        );
        assert!(!format!("{enrolment:?}").contains("GEZD"));
    }
}
