//! Seals: what follows each frame of a recording. The layout stands in the module's page.
use crate::id::{Id, hex};
use sha2::{Digest, Sha256};
use std::fmt;

/// Magic number of the skippable frame that holds a seal.
pub(super) const MAGIC: u32 = 0x184D_2A5A;
/// Size of a seal without the 8 bytes of magic and size.
pub(super) const BODY: usize = 48;
/// Size of a whole seal in the file.
pub(super) const LENGTH: usize = 8 + BODY;

const NAME: &[u8; 4] = b"JMSR";
const VERSION: u8 = 1;

/// A link of a recording's chain: SHA-256.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Hash(pub [u8; 32]);

impl Hash {
    /// The hash before the first frame of `session`'s recording.
    #[must_use]
    pub fn genesis(session: &Id) -> Self {
        let hasher = Sha256::new_with_prefix(b"jms recording 1\0");
        Self(hasher.chain_update(session.as_str()).finalize().into())
    }

    /// Reads 64 hex digits, as [`fmt::Display`] writes them.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let mut bytes = [0; 32];
        if text.len() != 64 || !text.bytes().all(|digit| digit.is_ascii_hexdigit()) {
            return None;
        }
        for (byte, digits) in bytes.iter_mut().zip(text.as_bytes().chunks_exact(2)) {
            let digits = std::str::from_utf8(digits).ok()?;
            *byte = u8::from_str_radix(digits, 16).ok()?;
        }
        Some(Self(bytes))
    }

    /// Begins the hash of the frame that follows `self`.
    pub(super) fn begin(self) -> Sha256 {
        Sha256::new_with_prefix(self.0)
    }

    /// Ends a hash that [`Hash::begin`] began.
    pub(super) fn end(hasher: Sha256) -> Self {
        Self(hasher.finalize().into())
    }
}

impl fmt::Display for Hash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex(&self.0))
    }
}

impl fmt::Debug for Hash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// What a seal says it seals.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Seals {
    /// The frame before it.
    Frame,
    /// The recording: nothing follows.
    End,
}

/// One seal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Seal {
    pub(super) seals: Seals,
    pub(super) index: u64,
    pub(super) hash: Hash,
}

impl Seal {
    /// The seal as it stands in the file.
    pub(super) fn to_bytes(self) -> [u8; LENGTH] {
        let mut bytes = [0; LENGTH];
        let kind = match self.seals {
            Seals::Frame => 0,
            Seals::End => 1,
        };
        let parts = MAGIC
            .to_le_bytes()
            .into_iter()
            .chain((BODY as u32).to_le_bytes())
            .chain(*NAME)
            .chain([VERSION, kind, 0, 0])
            .chain(self.index.to_le_bytes())
            .chain(self.hash.0);
        for (place, byte) in bytes.iter_mut().zip(parts) {
            *place = byte;
        }
        bytes
    }

    /// Reads what follows magic and size; `None` if it is no seal of a version that is known here.
    pub(super) fn parse(body: &[u8]) -> Option<Self> {
        let (name, rest) = body.split_first_chunk::<4>()?;
        let (kind, rest) = rest.split_first_chunk::<4>()?;
        let (index, rest) = rest.split_first_chunk::<8>()?;
        let hash = Hash(rest.try_into().ok()?);
        let seals = match (name == NAME, kind) {
            (true, [VERSION, 0, 0, 0]) => Seals::Frame,
            (true, [VERSION, 1, 0, 0]) => Seals::End,
            _ => return None,
        };
        Some(Self {
            seals,
            index: u64::from_le_bytes(*index),
            hash,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::{Hash, Seal, Seals};
    use crate::id::Id;

    #[test]
    fn a_seal_reads_back_and_no_bit_of_its_head_may_change() {
        let session = Id::parse("0123456789abcdefghjk").unwrap();
        let seal = Seal {
            seals: Seals::End,
            index: 7,
            hash: Hash::genesis(&session),
        };
        let bytes = seal.to_bytes();
        assert_eq!(bytes[..8], [0x5a, 0x2a, 0x4d, 0x18, 48, 0, 0, 0]);
        assert_eq!(Seal::parse(&bytes[8..]), Some(seal));
        for bit in 0..64 {
            let mut body = bytes[8..].to_vec();
            body[bit / 8] ^= 1 << (bit % 8);
            assert_ne!(Seal::parse(&body), Some(seal), "bit {bit}");
        }
        assert_eq!(Seal::parse(&bytes[8..55]), None);
    }

    /// The formula is a contract: this is `printf 'jms recording 1\0…' | sha256sum`.
    #[test]
    fn the_first_hash_is_made_from_the_session() {
        let session = Id::parse("0123456789abcdefghjk").unwrap();
        let hash = Hash::genesis(&session);
        assert_eq!(hash.to_string(), GENESIS);
        assert_eq!(Hash::parse(GENESIS), Some(hash));
        assert_eq!(Hash::parse(&GENESIS[1..]), None);
        assert_eq!(Hash::parse(&"+".repeat(64)), None);
    }

    const GENESIS: &str = "dcd86a5f630acbd62860a8c6936903238fcbe53953d61fb4437a6d1d267188d5";
}
