//! The hash index: from a key to the few records that may have it, in two reads. Format: see the crate's page.
#![forbid(unsafe_code)]

use crate::{
    container::{Container, Section, Source},
    error::{Error, WriteError},
    fields::Fields,
};

const HEADER: u64 = 16;
const ENTRY: usize = 8;
const MAX_BITS: u32 = 24;
const MAX_BUCKET: usize = 32;
const SEEDS: u64 = 64;

/// FNV-1a over the parts of the key, from a seeded start, finished by MurmurHash3's `fmix64`.
pub(crate) fn hash(seed: u64, parts: &[&[u8]]) -> u64 {
    let mut state = 0xCBF2_9CE4_8422_2325 ^ seed;
    for byte in parts.iter().copied().flatten() {
        state = (state ^ u64::from(*byte)).wrapping_mul(0x0000_0100_0000_01B3);
    }
    state ^= state >> 33;
    state = state.wrapping_mul(0xFF51_AFD7_ED55_8CCD);
    state ^= state >> 33;
    state = state.wrapping_mul(0xC4CE_B9FE_1A85_EC53);
    state ^ (state >> 33)
}

fn bucket(hash: u64, bits: u32) -> u64 {
    hash.checked_shr(64_u32.saturating_sub(bits)).unwrap_or(0)
}

/// The low half.
fn tag(hash: u64) -> u32 {
    hash as u32
}

/// Builds the index of `count` records; `key` gives the hash of a record's key under a seed.
pub(crate) fn build(count: usize, key: impl Fn(usize, u64) -> u64) -> Result<Vec<u8>, WriteError> {
    let number = u32::try_from(count).map_err(|_| WriteError::TooLarge)?;
    let bits = count
        .max(1)
        .next_power_of_two()
        .trailing_zeros()
        .min(MAX_BITS);
    let buckets = 1_usize.checked_shl(bits).ok_or(WriteError::TooLarge)?;
    for seed in 0..SEEDS {
        let mut entries: Vec<(u64, u32)> = (0..number)
            .map(|record| (key(record as usize, seed), record))
            .collect();
        entries.sort_unstable();
        let mut starts = Vec::with_capacity(buckets.saturating_add(1));
        let mut at = 0_usize;
        let mut longest = 0;
        for current in 0..buckets as u64 {
            starts.push(at);
            let start = at;
            while entries
                .get(at)
                .is_some_and(|(hash, _)| bucket(*hash, bits) == current)
            {
                at = at.saturating_add(1);
            }
            longest = longest.max(at.saturating_sub(start));
        }
        if longest > MAX_BUCKET {
            continue;
        }
        starts.push(count);
        let mut bytes = Vec::new();
        bytes.extend(seed.to_le_bytes());
        bytes.extend(bits.to_le_bytes());
        bytes.extend(number.to_le_bytes());
        for start in starts {
            bytes.extend(
                u32::try_from(start)
                    .map_err(|_| WriteError::TooLarge)?
                    .to_le_bytes(),
            );
        }
        for (hash, record) in entries {
            bytes.extend(tag(hash).to_le_bytes());
            bytes.extend(record.to_le_bytes());
        }
        return Ok(bytes);
    }
    Err(WriteError::NoSeed)
}

/// The record numbers that an index names for one key. Few, and not yet compared with the key.
pub(crate) struct Candidates {
    bucket: [u8; MAX_BUCKET * ENTRY],
    length: usize,
    tag: u32,
}

impl Candidates {
    pub(crate) fn records(&self) -> impl Iterator<Item = u32> + '_ {
        let (entries, _) = self
            .bucket
            .get(..self.length)
            .unwrap_or_default()
            .as_chunks::<ENTRY>();
        entries.iter().filter_map(|entry| {
            let mut fields = Fields(entry);
            (fields.u32()? == self.tag).then(|| fields.u32()).flatten()
        })
    }
}

/// Finds the candidates for the key made of `parts` in an index over `records` records.
pub(crate) fn find<S: Source>(
    container: &Container<S>,
    section: &Section,
    records: u32,
    parts: &[&[u8]],
) -> Result<Candidates, Error> {
    let malformed = || Error::Index("is malformed");
    let mut header = [0; HEADER as usize];
    container.read(section, 0, &mut header)?;
    let mut fields = Fields(&header);
    let (Some(seed), Some(bits), Some(count)) = (fields.u64(), fields.u32(), fields.u32()) else {
        return Err(malformed());
    };
    if bits > MAX_BITS || count != records {
        return Err(malformed());
    }
    let buckets = 1_u64.checked_shl(bits).ok_or_else(malformed)?;
    let entries = buckets
        .saturating_add(1)
        .saturating_mul(4)
        .saturating_add(HEADER);
    if section.length()
        != u64::from(count)
            .saturating_mul(ENTRY as u64)
            .saturating_add(entries)
    {
        return Err(malformed());
    }

    let hash = hash(seed, parts);
    let mut limits = [0; 8];
    container.read(
        section,
        bucket(hash, bits).saturating_mul(4).saturating_add(HEADER),
        &mut limits,
    )?;
    let mut fields = Fields(&limits);
    let (Some(start), Some(end)) = (fields.u32(), fields.u32()) else {
        return Err(malformed());
    };
    let length = end
        .checked_sub(start)
        .and_then(|count| usize::try_from(count).ok())
        .ok_or_else(malformed)?;
    if length > MAX_BUCKET || end > count {
        return Err(Error::Index("has a bucket that no writer makes"));
    }

    let mut found = Candidates {
        bucket: [0; MAX_BUCKET * ENTRY],
        length: length.saturating_mul(ENTRY),
        tag: tag(hash),
    };
    let into = found.bucket.get_mut(..found.length).ok_or_else(malformed)?;
    container.read(
        section,
        u64::from(start)
            .saturating_mul(ENTRY as u64)
            .saturating_add(entries),
        into,
    )?;
    if found.records().any(|record| record >= records) {
        return Err(Error::Index("names a record that is not there"));
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn buckets_are_chosen_by_the_top_bits() {
        assert_eq!(bucket(u64::MAX, 0), 0);
        assert_eq!(bucket(u64::MAX, 3), 7);
        assert_eq!(bucket(1 << 63, 1), 1);
    }

    #[test]
    fn another_seed_is_tried_when_keys_collide() {
        let crowded = |record: usize, seed: u64| {
            if seed < 3 {
                7
            } else {
                hash(seed, &[&record.to_le_bytes()])
            }
        };
        let bytes = build(100, crowded).unwrap();
        assert_eq!(bytes[..8], 3_u64.to_le_bytes());
        assert_eq!(build(100, |_, _| 7), Err(WriteError::NoSeed));
    }

    #[test]
    fn the_hash_is_the_documented_one() {
        // FNV-1a of "a" is 0xAF63DC4C8601EC8C; fmix64 of it:
        let mut expected: u64 = 0xAF63_DC4C_8601_EC8C;
        expected ^= expected >> 33;
        expected = expected.wrapping_mul(0xFF51_AFD7_ED55_8CCD);
        expected ^= expected >> 33;
        expected = expected.wrapping_mul(0xC4CE_B9FE_1A85_EC53);
        expected ^= expected >> 33;
        assert_eq!(hash(0, &[b"a"]), expected);
        assert_eq!(hash(0, &[b"al", b"ice"]), hash(0, &[b"alice"]));
        assert_ne!(hash(0, &[b"alice"]), hash(1, &[b"alice"]));
    }
}
