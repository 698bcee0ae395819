//! The private section of an OpenSSH key file: two check numbers, the key, its comment, padding (`PROTOCOL.key`).

use super::{Material, PrivateKey, PrivateKeyError};
use crate::keys::ecdsa::Curve;
use crate::keys::wire::{Reader, Writer};
use crate::keys::{KeyKind, PublicKey, rsa};
use ssh_key::private::Ed25519Keypair;
use zeroize::Zeroizing;

/// The block size of “no cipher”, to which the section is padded.
const BLOCK: usize = 8;
/// Written as the two equal check numbers; they only matter under a passphrase.
const CHECK: u32 = 0x6a6d_736b;

pub(super) fn read(section: &[u8], public: &PublicKey) -> Result<PrivateKey, PrivateKeyError> {
    let mut reader = Reader::new(section);
    reader.uint32()?;
    reader.uint32()?;
    let kind = KeyKind::parse(reader.text()?);
    if kind != Some(public.kind()) {
        return Err(PrivateKeyError::Inconsistent);
    }
    let material = match public.kind() {
        KeyKind::Ed25519 => read_ed25519(&mut reader, public)?,
        KeyKind::Rsa => read_rsa(&mut reader, public)?,
        kind => match Curve::of(kind) {
            Some(curve) if !kind.is_security_key() => read_ecdsa(&mut reader, public, curve)?,
            _ => return Err(PrivateKeyError::SecurityKey(kind)),
        },
    };
    let comment = String::from_utf8_lossy(reader.string()?);
    let padding = reader.rest();
    if !padding
        .iter()
        .zip(1_u8..)
        .all(|(byte, expected)| *byte == expected)
        || padding.len() > 255
    {
        return Err(PrivateKeyError::Damaged("its padding is wrong"));
    }
    Ok(PrivateKey {
        public: public.clone().with_comment(&comment),
        material,
    })
}

fn read_ed25519(reader: &mut Reader<'_>, public: &PublicKey) -> Result<Material, PrivateKeyError> {
    let point = reader.string()?;
    let (seed, again) = reader
        .string()?
        .split_first_chunk::<32>()
        .ok_or(PrivateKeyError::Damaged("the private number is cut off"))?;
    let seed = Box::new(Zeroizing::new(*seed));
    let derived = Ed25519Keypair::from_seed(&seed).public;
    if point != again || derived.0 != point || fields(public)?.rest() != prefixed(point) {
        return Err(PrivateKeyError::Inconsistent);
    }
    Ok(Material::Ed25519(seed))
}

fn read_ecdsa(
    reader: &mut Reader<'_>,
    public: &PublicKey,
    curve: Curve,
) -> Result<Material, PrivateKeyError> {
    let name = reader.string()?;
    let point = reader.string()?;
    let scalar = Zeroizing::new(reader.positive()?.to_vec());
    let mut expected = fields(public)?;
    let same = name == curve.name().as_bytes()
        && expected.string()? == name
        && expected.string()? == point
        && curve.public_point(&scalar).as_deref() == Some(point);
    if same {
        Ok(Material::Ecdsa(curve, scalar))
    } else {
        Err(PrivateKeyError::Inconsistent)
    }
}

fn read_rsa(reader: &mut Reader<'_>, public: &PublicKey) -> Result<Material, PrivateKeyError> {
    let n = reader.positive()?.to_vec();
    let e = reader.positive()?.to_vec();
    let mut secret = || {
        reader
            .positive()
            .map(|number| Zeroizing::new(number.to_vec()))
    };
    let private = rsa::Private {
        d: secret()?,
        iqmp: secret()?,
        p: secret()?,
        q: secret()?,
        n,
        e,
    };
    let mut expected = fields(public)?;
    if expected.positive()? != private.e || expected.positive()? != private.n {
        return Err(PrivateKeyError::Inconsistent);
    }
    if private.has_small_exponent() {
        return Err(PrivateKeyError::RsaExponent);
    }
    Ok(Material::Rsa(Box::new(private)))
}

/// The fields of a public key after its kind.
fn fields(public: &PublicKey) -> Result<Reader<'_>, PrivateKeyError> {
    let mut reader = Reader::new(public.blob());
    reader.string()?;
    Ok(reader)
}

fn prefixed(bytes: &[u8]) -> Vec<u8> {
    let mut field = Vec::new();
    field.put_string(bytes);
    field
}

pub(super) fn write(key: &PrivateKey) -> Zeroizing<Vec<u8>> {
    // Large enough for the largest key from the start: a vector that grows leaves copies behind.
    let mut section = Zeroizing::new(Vec::with_capacity(key.public.blob().len() * 8 + 512));
    section.extend_from_slice(&CHECK.to_be_bytes());
    section.extend_from_slice(&CHECK.to_be_bytes());
    match &key.material {
        Material::Ed25519(seed) => {
            let pair = Zeroizing::new(Ed25519Keypair::from_seed(seed).to_bytes());
            section.extend_from_slice(key.public.blob());
            section.put_string(&*pair);
        }
        Material::Ecdsa(_, scalar) => {
            section.extend_from_slice(key.public.blob());
            section.put_positive(scalar);
        }
        Material::Rsa(private) => {
            section.put_string(KeyKind::Rsa.as_str().as_bytes());
            for number in [
                &private.n,
                &private.e,
                &*private.d,
                &*private.iqmp,
                &*private.p,
                &*private.q,
            ] {
                section.put_positive(number);
            }
        }
    }
    section.put_string(key.public.comment().as_bytes());
    let missing = section.len().next_multiple_of(BLOCK) - section.len();
    section.extend((1_u8..).take(missing));
    section
}
