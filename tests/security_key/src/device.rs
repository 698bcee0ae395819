//! What the key can do: make keys, and sign when its person is there.
//!
//! It knows its person by the finger, so it says of each signature that it verified him (`UV`). A key that was made with
//! `verify-required` takes the PIN as well; one made for the application [`TOUCH_ONLY`] knows only that somebody touched it.
#![forbid(unsafe_code)]

use ring::rand::{SecureRandom, SystemRandom};
use ring::signature::{Ed25519KeyPair, KeyPair};
use sha2::{Digest, Sha256};

/// What verifies the person where a key asks for it.
pub const PIN: &str = "2468";
/// Keys for this application are signed with after a touch, whoever's finger it was.
pub const TOUCH_ONLY: &str = "ssh:touch";

/// Somebody is there (`SSH_SK_USER_PRESENCE_REQD` of OpenSSH's sk-api.h).
pub(crate) const PRESENT: u8 = 0x01;
/// It is the key's own person (`SSH_SK_USER_VERIFICATION_REQD`).
pub(crate) const VERIFIED: u8 = 0x04;

const SEED: usize = 32;

/// Why the key does not do it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Refusal {
    /// Anything that has no number of its own.
    General,
    /// It wants the PIN.
    PinRequired,
}

/// A key that was just made.
pub(crate) struct Made {
    pub(crate) public: Vec<u8>,
    pub(crate) handle: Vec<u8>,
}

/// A signature, and what it was made over beside the text.
pub(crate) struct Signed {
    pub(crate) flags: u8,
    pub(crate) counter: u32,
    pub(crate) signature: Vec<u8>,
}

pub(crate) fn make() -> Result<Made, Refusal> {
    let mut seed = [0; SEED];
    SystemRandom::new()
        .fill(&mut seed)
        .map_err(|_| Refusal::General)?;
    let pair = Ed25519KeyPair::from_seed_unchecked(&seed).map_err(|_| Refusal::General)?;
    Ok(Made {
        public: pair.public_key().as_ref().to_vec(),
        handle: seed.to_vec(),
    })
}

/// Signs as WebAuthn (section 6.3.3) says: over the hash of the application, the flags, the counter, the hash of the text.
pub(crate) fn sign(
    handle: &[u8],
    application: &str,
    text: &[u8],
    asked: u8,
    pin: Option<&str>,
) -> Result<Signed, Refusal> {
    let wants_pin = asked & VERIFIED != 0;
    if wants_pin && pin != Some(PIN) {
        return Err(Refusal::PinRequired);
    }
    let flags = match application {
        TOUCH_ONLY => PRESENT,
        _ => PRESENT | VERIFIED,
    };
    // Like keys that count nothing: sshd looks at no counter.
    let counter = 0_u32;
    let pair = Ed25519KeyPair::from_seed_unchecked(handle).map_err(|_| Refusal::General)?;
    let mut message = Sha256::digest(application.as_bytes()).to_vec();
    message.push(flags);
    message.extend(counter.to_be_bytes());
    message.extend(Sha256::digest(text));
    Ok(Signed {
        flags,
        counter,
        signature: pair.sign(&message).as_ref().to_vec(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use ring::signature::{ED25519, UnparsedPublicKey};

    #[test]
    fn a_signature_is_of_its_application_and_says_whether_the_person_was_verified() {
        let Ok(made) = make() else { panic!("no key") };
        for (application, asked, pin, expected) in [
            ("ssh:", PRESENT, None, PRESENT | VERIFIED),
            ("ssh:", PRESENT | VERIFIED, Some(PIN), PRESENT | VERIFIED),
            (TOUCH_ONLY, PRESENT, None, PRESENT),
        ] {
            let Ok(signed) = sign(&made.handle, application, b"quince", asked, pin) else {
                panic!("not signed for {application}")
            };
            assert_eq!(signed.flags, expected);
            let mut message = Sha256::digest(application).to_vec();
            message.extend([signed.flags, 0, 0, 0, 0]);
            message.extend(Sha256::digest(b"quince"));
            let public = UnparsedPublicKey::new(&ED25519, &made.public);
            assert!(public.verify(&message, &signed.signature).is_ok());
        }
    }

    #[test]
    fn what_asks_for_the_pin_is_not_signed_without() {
        let handle = [7; SEED];
        for pin in [None, Some(""), Some("1357")] {
            let refused = sign(&handle, "ssh:", b"quince", PRESENT | VERIFIED, pin);
            assert_eq!(refused.err(), Some(Refusal::PinRequired));
        }
        let refused = sign(b"short", "ssh:", b"quince", PRESENT, None);
        assert_eq!(refused.err(), Some(Refusal::General));
    }
}
