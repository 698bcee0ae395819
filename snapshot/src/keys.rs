//! The snapshot of login keys: which key belongs to which user, and under what conditions. Format: see the crate's page.
#![forbid(unsafe_code)]

use std::fmt;

use crate::{
    cidr::{self, Cidr},
    container::{Container, Kind, Section, Source},
    error::{Error, WriteError},
    fields::Fields,
    index,
    key_blob::{KeyBlobError, KeyType, MAX_BLOB, parse_key_blob},
    names::UserName,
    writer::{self, NewSection, first_equal},
};

const RECORDS: u32 = 1;
const BY_KEY: u32 = 2;
const HEAP: u32 = 3;
const RECORD: u32 = 128;
const VERIFY_REQUIRED: u16 = 1;
const USER_DISABLED: u16 = 2;
const HAS_VALID_UNTIL: u16 = 4;

/// Most networks that one key may be limited to.
pub const MAX_NETWORKS: usize = 64;

/// SHA-256 of a key blob: what `ssh-keygen -l` shows in base64.
pub type Fingerprint = [u8; 32];

/// What a login with the key depends on.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Conditions {
    /// The networks it may come from; empty: from anywhere.
    pub from: Vec<Cidr>,
    /// Seconds since 1970 UTC from which on the key is refused.
    pub valid_until: Option<u64>,
    /// The security key must have verified its holder (PIN, fingerprint).
    pub verify_required: bool,
    /// The user may not log in at all now.
    pub user_disabled: bool,
}

/// One key of one user.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Key {
    user: UserName,
    fingerprint: Fingerprint,
    key_type: KeyType,
    blob: Vec<u8>,
    conditions: Conditions,
}

/// Why a key cannot be published.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeyError {
    /// The key itself is not taken.
    Blob(KeyBlobError),
    /// `verify-required` on a key that cannot do it, where sshd would ignore it.
    VerifyRequired(KeyType),
    /// More than [`MAX_NETWORKS`] networks.
    Networks(usize),
}

impl fmt::Display for KeyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Blob(error) => error.fmt(f),
            Self::VerifyRequired(found) => {
                write!(
                    f,
                    "verify-required is for security keys, sshd ignores it for a key of type {}",
                    found.name()
                )
            }
            Self::Networks(count) => write!(
                f,
                "the key has {count} networks, at most {MAX_NETWORKS} are possible"
            ),
        }
    }
}

impl std::error::Error for KeyError {}

impl Key {
    /// A key. `fingerprint` must be the SHA-256 of `blob`: the key is found by it, and never if it is not.
    ///
    /// # Errors
    /// Why the key cannot be published.
    pub fn new(
        user: UserName,
        fingerprint: Fingerprint,
        blob: Vec<u8>,
        conditions: Conditions,
    ) -> Result<Self, KeyError> {
        let key_type = parse_key_blob(&blob).map_err(KeyError::Blob)?;
        if conditions.verify_required && !key_type.is_security_key() {
            return Err(KeyError::VerifyRequired(key_type));
        }
        if conditions.from.len() > MAX_NETWORKS {
            return Err(KeyError::Networks(conditions.from.len()));
        }
        Ok(Self {
            user,
            fingerprint,
            key_type,
            blob,
            conditions,
        })
    }

    /// Whose key it is.
    #[must_use]
    pub fn user(&self) -> &UserName {
        &self.user
    }

    /// SHA-256 of the blob, as the writer gave it.
    #[must_use]
    pub fn fingerprint(&self) -> &Fingerprint {
        &self.fingerprint
    }

    /// Its type.
    #[must_use]
    pub fn key_type(&self) -> KeyType {
        self.key_type
    }

    /// The key in wire form.
    #[must_use]
    pub fn blob(&self) -> &[u8] {
        &self.blob
    }

    /// What a login with it depends on.
    #[must_use]
    pub fn conditions(&self) -> &Conditions {
        &self.conditions
    }

    fn flags(&self) -> u16 {
        let flag = |set, flag| if set { flag } else { 0 };
        flag(self.conditions.verify_required, VERIFY_REQUIRED)
            | flag(self.conditions.user_disabled, USER_DISABLED)
            | flag(self.conditions.valid_until.is_some(), HAS_VALID_UNTIL)
    }

    fn write(&self, records: &mut Vec<u8>, heap: &mut Vec<u8>) {
        let (name, length) = self.user.padded();
        records.extend(self.fingerprint);
        records.extend(name);
        records.extend([length, self.key_type as u8]);
        records.extend(self.flags().to_le_bytes());
        // Both counts are bounded by `new`.
        records.extend(
            u32::try_from(self.conditions.from.len())
                .unwrap_or(u32::MAX)
                .to_le_bytes(),
        );
        records.extend(self.conditions.valid_until.unwrap_or(0).to_le_bytes());
        records.extend((heap.len() as u64).to_le_bytes());
        records.extend(
            u32::try_from(self.blob.len())
                .unwrap_or(u32::MAX)
                .to_le_bytes(),
        );
        records.extend([0; 36]);
        heap.extend_from_slice(&self.blob);
        for network in &self.conditions.from {
            network.write(heap);
        }
    }
}

/// Makes the snapshot of these keys, in any order.
///
/// # Errors
/// A user that has the same key twice, or more keys than fit.
pub fn write(generation: u64, keys: impl IntoIterator<Item = Key>) -> Result<Vec<u8>, WriteError> {
    let mut keys: Vec<Key> = keys.into_iter().collect();
    keys.sort_unstable_by(|one, other| {
        (one.user, one.fingerprint).cmp(&(other.user, other.fingerprint))
    });
    if let Some(key) = first_equal(&keys, |one, other| {
        (one.user, one.fingerprint) == (other.user, other.fingerprint)
    }) {
        return Err(WriteError::DuplicateKey(key.user.to_string()));
    }
    let by_key = index::build(keys.len(), |record, seed| {
        keys.get(record).map_or(0, |key| {
            index::hash(seed, &[&key.fingerprint, key.user.as_bytes()])
        })
    })?;
    let mut records = Vec::with_capacity(keys.len().saturating_mul(RECORD as usize));
    let mut heap = Vec::new();
    for key in &keys {
        key.write(&mut records, &mut heap);
    }
    let sections = [
        NewSection {
            id: RECORDS,
            record_size: RECORD,
            bytes: records,
        },
        NewSection {
            id: BY_KEY,
            record_size: 0,
            bytes: by_key,
        },
        NewSection {
            id: HEAP,
            record_size: 0,
            bytes: heap,
        },
    ];
    writer::write(Kind::Keys, generation, &sections)
}

/// The fixed part of a key.
struct Record {
    fingerprint: Fingerprint,
    user: UserName,
    key_type: KeyType,
    flags: u16,
    networks: usize,
    valid_until: u64,
    heap: u64,
    blob: usize,
}

impl Record {
    fn parse(record: &[u8; RECORD as usize]) -> Option<Self> {
        let mut fields = Fields(record);
        let fingerprint = fields.array()?;
        let name = fields.array()?;
        let user = UserName::from_padded(&name, fields.u8()?)?;
        let parsed = Self {
            fingerprint,
            user,
            key_type: KeyType::from_code(fields.u8()?)?,
            flags: fields.u16()?,
            networks: usize::try_from(fields.u32()?).ok()?,
            valid_until: fields.u64()?,
            heap: fields.u64()?,
            blob: usize::try_from(fields.u32()?).ok()?,
        };
        (parsed.networks <= MAX_NETWORKS && parsed.blob <= MAX_BLOB).then_some(parsed)
    }
}

/// Looks keys up in a snapshot.
#[derive(Debug)]
pub struct Reader<S> {
    container: Container<S>,
    records: Section,
    by_key: Section,
    heap: Section,
    count: u32,
}

impl<S: Source> Reader<S> {
    /// Checks the snapshot's header; records are checked when they are read.
    ///
    /// # Errors
    /// An [`Error`] that says what is wrong with the snapshot.
    pub fn new(source: S) -> Result<Self, Error> {
        let container = Container::open(source, Kind::Keys)?;
        let (records, by_key, heap) = (
            container.section(RECORDS)?,
            container.section(BY_KEY)?,
            container.section(HEAP)?,
        );
        let count = records.records(RECORD)?;
        Ok(Self {
            container,
            records,
            by_key,
            heap,
            count,
        })
    }

    /// The generation of the store that the snapshot was made from.
    pub fn generation(&self) -> u64 {
        self.container.generation()
    }

    /// The number of keys.
    pub fn count(&self) -> u32 {
        self.count
    }

    /// The key with this fingerprint, if this user has it.
    ///
    /// # Errors
    /// An [`Error`] if what was read on the way contradicts itself.
    pub fn find(&self, fingerprint: &Fingerprint, user: &UserName) -> Result<Option<Key>, Error> {
        let parts: [&[u8]; 2] = [fingerprint, user.as_bytes()];
        let candidates = index::find(&self.container, &self.by_key, self.count, &parts)?;
        for number in candidates.records() {
            let record = self.fixed(number)?;
            if record.fingerprint == *fingerprint && record.user == *user {
                return self.whole(number, record).map(Some);
            }
        }
        Ok(None)
    }

    /// The key with this number, in order of user and fingerprint from 0.
    ///
    /// # Errors
    /// An [`Error`] if there is no such record or if it holds what none may hold.
    pub fn record(&self, number: u32) -> Result<Key, Error> {
        self.whole(number, self.fixed(number)?)
    }

    /// All keys.
    pub fn iter(&self) -> impl Iterator<Item = Result<Key, Error>> + '_ {
        (0..self.count).map(|number| self.record(number))
    }

    /// Checks everything: checksum, each record, and that each key is found. For the publisher and `jmsctl doctor`.
    ///
    /// # Errors
    /// The first thing that is wrong.
    pub fn verify(&self) -> Result<(), Error> {
        self.container.verify()?;
        for (key, number) in self.iter().zip(0..) {
            let key = key?;
            if number > 0 {
                let previous = self.fixed(u32::saturating_sub(number, 1))?;
                if (previous.user, previous.fingerprint) >= (key.user, key.fingerprint) {
                    return Err(Error::Record {
                        number,
                        problem: "is out of order",
                    });
                }
            }
            if self.find(&key.fingerprint, &key.user)?.as_ref() != Some(&key) {
                return Err(Error::Index("does not lead to every key"));
            }
        }
        Ok(())
    }

    fn fixed(&self, number: u32) -> Result<Record, Error> {
        let mut record = [0; RECORD as usize];
        let offset = u64::from(number).saturating_mul(RECORD.into());
        self.container.read(&self.records, offset, &mut record)?;
        Record::parse(&record).ok_or(Error::Record {
            number,
            problem: "has an impossible name, type or size",
        })
    }

    fn whole(&self, number: u32, record: Record) -> Result<Key, Error> {
        let problem = |problem| Error::Record { number, problem };
        let mut blob = vec![0; record.blob];
        self.container.read(&self.heap, record.heap, &mut blob)?;
        let mut networks = vec![0; record.networks.saturating_mul(cidr::RECORD)];
        self.container.read(
            &self.heap,
            record.heap.saturating_add(blob.len() as u64),
            &mut networks,
        )?;
        let (networks, _) = networks.as_chunks::<{ cidr::RECORD }>();
        let from: Option<Vec<Cidr>> = networks
            .iter()
            .map(|network| Cidr::parse_record(network))
            .collect();
        let conditions = Conditions {
            from: from.ok_or_else(|| problem("has an impossible network"))?,
            valid_until: (record.flags & HAS_VALID_UNTIL != 0).then_some(record.valid_until),
            verify_required: record.flags & VERIFY_REQUIRED != 0,
            user_disabled: record.flags & USER_DISABLED != 0,
        };
        let key = Key::new(record.user, record.fingerprint, blob, conditions)
            .map_err(|_| problem("has an impossible key"))?;
        if key.key_type == record.key_type {
            Ok(key)
        } else {
            Err(problem("has a key of another type"))
        }
    }
}
