//! The read-only files in which the bastion publishes its users and their login keys, and the small rules about names and
//! uids that every part on the login path shares.
//!
//! This crate is loaded into **every process of the host** (through the name service module), so it is small, allocates
//! next to nothing on the way of a lookup, keeps no state and no descriptor between calls, and believes nothing that it
//! reads: the files are written by the service user `jms`, who parses hostile bytes for a living, and read by root.
//!
//! # How a snapshot is read
//!
//! A lookup opens the file, reads the few hundred bytes that it needs with `pread(2)` and closes it. The file is never mapped:
//! a map of a file that somebody truncates is SIGBUS in every process that looks up a name, and the one who could
//! truncate it is exactly the one we do not trust. With `pread` it is a short read, which is an [`Error`]. A lookup among
//! a million users costs about ten system calls, as much as glibc's own `files` service pays for `/etc/passwd`. What is mapped
//! is a copy that the service user cannot touch ([`make_copy`]), while it is the published snapshot's.
//!
//! # How a snapshot is written
//!
//! [`publish()`] writes a temporary file in the same folder, syncs it, renames it over the old one and syncs the folder. A
//! published file is never written or truncated again, so that an open descriptor always sees one whole generation.
//!
//! # The container, version 1
//!
//! All integers are little-endian and unsigned. Offsets count from the start of the file. "CRC-64" is CRC-64/XZ
//! (polynomial 0x42F0E1EBA9EA3693, reflected, initial value and final xor all ones): it finds accidents, not forgeries;
//! against forgeries every offset, count, name and uid is checked when it is used.
//!
//! | offset | size | field |
//! | --- | --- | --- |
//! | 0 | 8 | magic `JMSSNAP\0` |
//! | 8 | 2 | version: 1. Any other is refused |
//! | 10 | 2 | kind: 1 users, 2 keys |
//! | 12 | 4 | number of sections, at most 16 |
//! | 16 | 8 | generation of the store that it was made from |
//! | 24 | 8 | length of the whole file |
//! | 32 | 8 | body checksum: CRC-64 of everything behind the section table |
//! | 40 | 16 | reserved, written as zero, not looked at |
//! | 56 | 8 | header checksum: CRC-64 of bytes 0–55 and of the section table |
//! | 64 | 24 × n | the section table: id (4), record size or 0 (4), offset (8), length (8) |
//!
//! Sections start at multiples of 8. A reader ignores section ids and flag bits that it does not know, so sections
//! (groups, say) and flags are added without a new version. The header checksum is checked on each opening; the body
//! checksum only by `verify`, which the publisher and `jmsctl doctor` call.
//!
//! ## The hash index (a section of both kinds)
//!
//! | offset | size | field |
//! | --- | --- | --- |
//! | 0 | 8 | seed |
//! | 8 | 4 | bits: there are 2^bits buckets, bits ≤ 24 |
//! | 12 | 4 | n: number of entries, equal to the number of records |
//! | 16 | 4 × (2^bits + 1) | start of each bucket in the entries; the last one is n |
//! | … | 8 × n | entries: tag (4: the low half of the hash), record number (4) |
//!
//! The hash is 64-bit FNV-1a of the key, begun at (offset basis xor seed), finished by MurmurHash3's `fmix64`. Its top
//! *bits* bits choose the bucket. No bucket has more than 32 entries: the writer counts the seed up from 0 until that holds, so
//! nobody can slow lookups down by choosing keys that collide.
//!
//! ## Kind 1: users
//!
//! Section 1, records of 64 bytes in ascending order of uid, no uid and no name twice; section 2, hash index by name.
//!
//! | offset | size | field |
//! | --- | --- | --- |
//! | 0 | 4 | uid |
//! | 4 | 4 | flags: 1 second factor at login, 2 disabled |
//! | 8 | 1 | length of the name |
//! | 9 | 7 | reserved, zero |
//! | 16 | 32 | name, padded with zero bytes |
//! | 48 | 16 | reserved, zero |
//!
//! ## Kind 2: keys
//!
//! Section 1, records of 128 bytes in ascending order of (user, fingerprint), no pair twice; section 2, hash index by
//! (fingerprint followed by the user's name); section 3, the heap.
//!
//! | offset | size | field |
//! | --- | --- | --- |
//! | 0 | 32 | SHA-256 of the key blob |
//! | 32 | 32 | user's name, padded with zero bytes |
//! | 64 | 1 | length of the name |
//! | 65 | 1 | key type: 1 ssh-rsa, 2–4 ecdsa-sha2-nistp256/384/521, 5 ssh-ed25519, 6 sk-ssh-ed25519@openssh.com, 7 sk-ecdsa-sha2-nistp256@openssh.com |
//! | 66 | 2 | flags: 1 verify-required, 2 the user is disabled, 4 valid-until holds |
//! | 68 | 4 | number of networks, at most 64; 0 is "from anywhere" |
//! | 72 | 8 | valid until, seconds since 1970 UTC |
//! | 80 | 8 | offset in the heap: the key blob, then the networks |
//! | 88 | 4 | length of the key blob, at most 4096 |
//! | 92 | 36 | reserved, zero |
//!
//! A network is 20 bytes: 4 or 6 (1), prefix length (1), zero (2), address (16, IPv4 in the first four).

#![cfg_attr(
    not(test),
    deny(
        clippy::unwrap_used,
        clippy::expect_used,
        clippy::panic,
        clippy::indexing_slicing,
        clippy::arithmetic_side_effects
    )
)]

mod checksum;
mod cidr;
mod container;
mod copy;
mod error;
mod fields;
mod file;
mod index;
mod key_blob;
pub mod keys;
mod names;
mod publish;
mod uid_range;
pub mod users;
mod writer;

pub use cidr::Cidr;
pub use container::{Container, Kind, Source};
pub use copy::{COPY_HEADER, Identity, MAX_COPY, is_copy_old, make_copy};
pub use error::{Error, WriteError};
pub use file::SnapshotFile;
pub use key_blob::{KeyBlobError, KeyType, parse_key_blob};
pub use names::{
    LoginName, MAX_LOGIN_NAME, MAX_USER_NAME, UserName, is_reserved_user_name, is_valid_user_name,
    split_login_name,
};
pub use publish::{PublishError, publish};
pub use uid_range::{UidRange, UidRangeError, is_possible_uid};

/// Where the snapshot of users is published (`jms:jms-keys` 0644).
pub const USERS_PATH: &str = "/var/lib/jms/public/users.snap";

/// Where the copy of the snapshot of users lies that may be mapped (`jms-keys:jms-keys` 0444).
pub const USERS_COPY_PATH: &str = "/run/jms-keys/users.copy";

/// Where the snapshot of login keys is published (`jms:jms-keys` 0640).
pub const KEYS_PATH: &str = "/var/lib/jms/public/keys.snap";

/// Root's file with the uid range of virtual users and the gids of their two groups.
pub const UID_RANGE_PATH: &str = "/etc/jms/uid-range";
