//! The arguments: `%u %f %t %k` of sshd_config(5), the same in OpenSSH 9.2 and 10.0.
//!
//! All of it comes from the client by way of sshd. The key decides; `%f` is only compared, because `FingerprintHash md5`
//! would make it useless for the lookup.
#![forbid(unsafe_code)]

use base64::{
    Engine,
    engine::general_purpose::{STANDARD, STANDARD_NO_PAD},
};
use sha2::{Digest, Sha256};
use snapshot::{
    KeyBlobError, KeyType, UserName, keys::Fingerprint, parse_key_blob, split_login_name,
};

use crate::decision::Refusal;

/// Longest key in base64 that is looked at; a longer one is in no snapshot.
const MAX_KEY: usize = 8192;

/// What sshd asks: may this user log in with this key?
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Request {
    pub(crate) user: UserName,
    pub(crate) key_type: KeyType,
    pub(crate) fingerprint: Fingerprint,
    pub(crate) blob: Vec<u8>,
}

impl Request {
    /// Parses the arguments behind the program's name.
    pub(crate) fn parse<A: AsRef<[u8]>>(arguments: &[A]) -> Result<Self, Refusal> {
        let [login, fingerprint, type_name, key] = arguments else {
            return Err(Refusal::Arguments("there are not four of them"));
        };
        let login = split_login_name(login.as_ref())
            .ok_or(Refusal::Arguments("the login name is none of ours"))?;
        let (type_name, key) = (type_name.as_ref(), key.as_ref());
        let blob = Some(key)
            .filter(|key| key.len() <= MAX_KEY)
            .and_then(|key| STANDARD.decode(key).ok());
        let blob = blob.ok_or(Refusal::Arguments("the key is not in base64, or too long"))?;
        let key_type = parse_key_blob(&blob).map_err(|error| match error {
            KeyBlobError::Type => Refusal::KeyType(printable(type_name)),
            KeyBlobError::RsaBits(bits) => Refusal::RsaBits(bits),
            KeyBlobError::Form => Refusal::Arguments("the key is malformed"),
        })?;
        if type_name != key_type.name().as_bytes() {
            return Err(Refusal::Arguments("the type is not the key's"));
        }
        let digest: Fingerprint = Sha256::digest(&blob).into();
        let named = fingerprint.as_ref().strip_prefix(b"SHA256:");
        if named.is_some_and(|named| STANDARD_NO_PAD.encode(digest).as_bytes() != named) {
            return Err(Refusal::Arguments("the fingerprint is not the key's"));
        }
        Ok(Self {
            user: login.user,
            key_type,
            fingerprint: digest,
            blob,
        })
    }

    /// The key's fingerprint as people know it.
    pub(crate) fn fingerprint_text(&self) -> String {
        format!("SHA256:{}", STANDARD_NO_PAD.encode(self.fingerprint))
    }
}

/// A name of a key type as sshd says it, at most 64 characters.
fn printable(name: &[u8]) -> String {
    String::from_utf8_lossy(name).chars().take(64).collect()
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    pub(crate) const KEY: &str =
        "AAAAC3NzaC1lZDI1NTE5AAAAIKo+EtJAoRyvq8kWK1oMIF95epo46QFteWhJC1QIpDjP";
    pub(crate) const FINGERPRINT: &str = "SHA256:5cP09QyJwbcn+3obpDgLxKA6bhJoh6HV62mSmAado0I";
    const GOOD: [&str; 4] = ["alice@dev@web1", FINGERPRINT, "ssh-ed25519", KEY];

    fn with(position: usize, value: &str) -> Result<Request, Refusal> {
        let mut arguments = GOOD;
        arguments[position] = value;
        Request::parse(&arguments)
    }

    #[test]
    fn what_sshd_gives() {
        let request = Request::parse(&GOOD).unwrap();
        assert_eq!(
            (request.user.as_str(), request.key_type),
            ("alice", KeyType::Ed25519)
        );
        assert_eq!(request.fingerprint_text(), FINGERPRINT);
        assert_eq!(with(0, "alice").unwrap(), request);
        let other_hash = "MD5:00:11:22:33:44:55:66:77:88:99:aa:bb:cc:dd:ee:ff";
        assert_eq!(
            with(1, other_hash).unwrap(),
            request,
            "FingerprintHash md5 must lock nobody out"
        );
    }

    #[test]
    fn what_sshd_never_gives() {
        for (position, value) in [
            (0, ""),
            (0, "root"),
            (0, "Alice"),
            (0, "alice@"),
            (0, "alice\n"),
            (0, "--help"),
            (1, "SHA256:5cP09QyJwbcn+3obpDgLxKA6bhJoh6HV62mSmAado0J"),
            (1, "SHA256:"),
            (2, "ssh-rsa"),
            (2, ""),
            (3, ""),
            (3, "AAAA"),
            (3, "not base64"),
            (3, &KEY[..KEY.len() - 4]),
            (3, &format!("{KEY}\n")),
            (3, &"A".repeat(10_000)),
        ] {
            assert!(
                matches!(with(position, value), Err(Refusal::Arguments(_))),
                "{value:?}"
            );
        }
        for count in [0, 1, 3] {
            assert!(matches!(
                Request::parse(&GOOD[..count]),
                Err(Refusal::Arguments(_))
            ));
        }
        assert!(matches!(
            Request::parse(&[GOOD[0]; 5]),
            Err(Refusal::Arguments(_))
        ));
        assert!(matches!(
            Request::parse(&[&b"\xff\xfe\0"[..]; 4]),
            Err(Refusal::Arguments(_))
        ));
    }

    #[test]
    fn certificates_and_old_types_are_ordinary_refusals() {
        let dsa = STANDARD.encode(b"\0\0\0\x07ssh-dss\0\0\0\x01x");
        let arguments = ["alice", "SHA256:x", "ssh-dss", &dsa];
        assert_eq!(
            Request::parse(&arguments),
            Err(Refusal::KeyType("ssh-dss".into()))
        );
    }
}
