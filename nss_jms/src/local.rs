//! Whether a name belongs to the host: an account in `/etc/passwd`, or a member in `/etc/group`.
//!
//! Reads the two files itself, in small pieces and without the heap, because a name service module cannot ask the
//! name service. Trusts them: they are root's.
#![forbid(unsafe_code)]

use std::{
    fs::{File, Metadata},
    io::{self, Read},
    path::Path,
};

/// The field of `/etc/passwd` that holds the account's name.
const ACCOUNT: usize = 0;
/// The field of `/etc/passwd` that holds the account's uid.
const UID: usize = 2;
/// The field of `/etc/group` that lists its members.
const MEMBERS: usize = 3;

/// Whether `name` is an account or a group's member here, or `uid` an account's. A file that does
/// not exist names nobody.
pub(crate) fn is_local(name: &[u8], uid: u32, passwd: &Path, group: &Path) -> io::Result<bool> {
    Ok(names(name, passwd, ACCOUNT)?
        || names(uid.to_string().as_bytes(), passwd, UID)?
        || names(name, group, MEMBERS)?)
}

fn names(name: &[u8], path: &Path, field: usize) -> io::Result<bool> {
    let mut scanner = Scanner::new(name, field);
    Ok(pieces(path, |piece| piece.iter().any(|byte| scanner.sees(*byte)))? || scanner.sees(b'\n'))
}

/// Reads a file in pieces until one is found to be enough, and says whether one was. A file that does not exist is empty.
fn pieces(path: &Path, is_enough: impl FnMut(&[u8]) -> bool) -> io::Result<bool> {
    Ok(open(path)?
        .map(|(file, metadata)| pieces_of(file, &metadata, is_enough))
        .transpose()?
        .unwrap_or(false))
}

/// The file and its state, if it exists.
fn open(path: &Path) -> io::Result<Option<(File, Metadata)>> {
    match File::open(path).and_then(|file| Ok((file.metadata()?, file))) {
        Ok((metadata, file)) => Ok(Some((file, metadata))),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

fn pieces_of(
    mut file: File,
    metadata: &Metadata,
    mut is_enough: impl FnMut(&[u8]) -> bool,
) -> io::Result<bool> {
    let mut buffer = [0; 4096];
    let mut length = 0_u64;
    loop {
        match file.read(&mut buffer) {
            Ok(0) => return Ok(false),
            Ok(count) => {
                if is_enough(buffer.get(..count).unwrap_or_default()) {
                    return Ok(true);
                }
                length = length.saturating_add(count as u64);
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
        // All of it: the next one would only say so.
        if length == metadata.len() {
            return Ok(false);
        }
    }
}

/// Words of a [`Note`]: 32768 bits.
const WORDS: usize = 512;

/// A note of the names and uids that are the host's: one that is not noted is certainly not the host's, one that is may be (a Bloom filter
/// of 4 kB, three bits for each). With the few hundred of an ordinary host one in a hundred thousand others is noted by chance; with
/// ten thousands most are, and the files are read for each question.
#[derive(Debug)]
pub(crate) struct Note {
    words: [u64; WORDS],
}

impl Note {
    pub(crate) const fn new() -> Self {
        Self { words: [0; WORDS] }
    }

    /// Takes down what [`is_local`] would find, anew. Gives the states that the files had before.
    pub(crate) fn take(
        &mut self,
        passwd: &Path,
        group: &Path,
    ) -> io::Result<[Option<Metadata>; 2]> {
        self.words = [0; WORDS];
        let passwd = read(passwd, |word, field| match field {
            ACCOUNT => self.add(word.hash),
            UID => word
                .number
                .into_iter()
                .for_each(|uid| self.add(hash(&uid.to_le_bytes()))),
            _ => {}
        })?;
        let group = read(group, |word, field| {
            if field == MEMBERS {
                self.add(word.hash);
            }
        })?;
        Ok([passwd, group])
    }

    /// Whether the host may have this name or this uid.
    #[inline]
    pub(crate) fn may_have(&self, name: &[u8], uid: u32) -> bool {
        self.has(hash(name)) || self.has(hash(&uid.to_le_bytes()))
    }

    fn add(&mut self, hash: u64) {
        for (word, bit) in places(hash) {
            if let Some(word) = self.words.get_mut(word) {
                *word |= bit;
            }
        }
    }

    #[inline]
    fn has(&self, hash: u64) -> bool {
        places(hash)
            .iter()
            .all(|(word, bit)| self.words.get(*word).is_none_or(|word| word & bit != 0))
    }
}

/// The three bits of a hash.
#[inline]
fn places(hash: u64) -> [(usize, u64); 3] {
    [hash, hash >> 15, hash >> 30].map(|part| {
        (
            (part >> 6) as usize % WORDS,
            1_u64.wrapping_shl(part as u32 & 63),
        )
    })
}

const HASH_START: u64 = 0xCBF2_9CE4_8422_2325;

#[inline]
fn hash_on(state: u64, byte: u8) -> u64 {
    (state ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01B3)
}

/// FNV-1a, and its high bits into the low ones.
#[inline]
fn finish(state: u64) -> u64 {
    (state ^ (state >> 32)).wrapping_mul(0xFF51_AFD7_ED55_8CCD) >> 16
}

#[inline]
fn hash(bytes: &[u8]) -> u64 {
    finish(
        bytes
            .iter()
            .fold(HASH_START, |state, byte| hash_on(state, *byte)),
    )
}

/// A word between two separators.
#[derive(Clone, Copy)]
struct Word {
    hash: u64,
    /// What it is as a number, if it is one.
    number: Option<u32>,
}

/// Hands over each word of a file, and the number of the field that it stands in. Gives the state that the file had before.
fn read(path: &Path, mut each: impl FnMut(Word, usize)) -> io::Result<Option<Metadata>> {
    let Some((file, metadata)) = open(path)? else {
        return Ok(None);
    };
    let (mut field, mut state, mut number) = (0_usize, HASH_START, Some(0_u32));
    let mut take = |byte: u8| {
        if !matches!(byte, b':' | b',' | b'\n') {
            state = hash_on(state, byte);
            let digit = byte.is_ascii_digit().then(|| u32::from(byte & 0x0F));
            number = number
                .and_then(|number| number.checked_mul(10))
                .zip(digit)
                .and_then(|(number, digit)| number.checked_add(digit));
            return;
        }
        each(
            Word {
                hash: finish(state),
                number,
            },
            field,
        );
        (state, number) = (HASH_START, Some(0));
        match byte {
            b':' => field = field.saturating_add(1),
            b'\n' => field = 0,
            _ => {}
        }
    };
    pieces_of(file, &metadata, |piece| {
        piece.iter().for_each(|byte| take(*byte));
        false
    })?;
    take(b'\n');
    Ok(Some(metadata))
}

/// Finds a name among the comma-separated words of one colon-separated field, a byte at a time.
struct Scanner<'a> {
    name: &'a [u8],
    wanted: usize,
    field: usize,
    /// How much of the name the current word has matched so far, if it does match.
    matched: Option<usize>,
}

impl<'a> Scanner<'a> {
    fn new(name: &'a [u8], wanted: usize) -> Self {
        Self {
            name,
            wanted,
            field: 0,
            matched: Some(0),
        }
    }

    /// Takes the next byte; true when a word has just ended that is the name.
    fn sees(&mut self, byte: u8) -> bool {
        let separator = matches!(byte, b':' | b',' | b'\n');
        if !separator {
            let same = |count: &usize| self.name.get(*count) == Some(&byte);
            self.matched = self
                .matched
                .filter(same)
                .map(|count| count.saturating_add(1));
            return false;
        }
        let found = self.field == self.wanted && self.matched == Some(self.name.len());
        self.matched = Some(0);
        match byte {
            b':' => self.field = self.field.saturating_add(1),
            b'\n' => self.field = 0,
            _ => {}
        }
        found
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(name: &str, text: &str, field: usize) -> bool {
        let mut scanner = Scanner::new(name.as_bytes(), field);
        text.bytes().chain([b'\n']).any(|byte| scanner.sees(byte))
    }

    #[test]
    fn accounts() {
        let text = "root:x:0:0:root:/root:/bin/bash\nbob:x:1000:1000:Alice,,,:/home/alice:/bin/sh\n\ncarol:x:1:1::/:/";
        for name in ["root", "bob", "carol"] {
            assert!(found(name, text, ACCOUNT), "{name}");
        }
        for name in ["alice", "Alice", "bo", "bobb", "x", "oot", "carolx"] {
            assert!(!found(name, text, ACCOUNT), "{name}");
        }
    }

    #[test]
    fn members() {
        let text = "sudo:x:27:bob,carol\nusers:x:100:\ndocker:x:999:dave\nlast:x:1:eve";
        for name in ["bob", "carol", "dave", "eve"] {
            assert!(found(name, text, MEMBERS), "{name}");
        }
        for name in ["sudo", "users", "docker", "x", "bo", "carolx", "ave"] {
            assert!(!found(name, text, MEMBERS), "{name}");
        }
    }

    #[test]
    fn files() {
        let folder = tempfile::tempdir().unwrap();
        let (passwd, group) = (folder.path().join("passwd"), folder.path().join("group"));
        assert!(
            !is_local(b"bob", 70_000, &passwd, &group).unwrap(),
            "no file names nobody"
        );
        // The name lies across the end of the first piece that is read.
        let padding = format!("{}\n", "#".repeat(2046));
        std::fs::write(&passwd, format!("{padding}bob:x:1000:1000::/:/bin/sh")).unwrap();
        std::fs::write(&group, format!("{padding}sudo:x:27:carol,dave")).unwrap();
        for (name, local) in [
            (&b"bob"[..], true),
            (b"carol", true),
            (b"dave", true),
            (b"eve", false),
            (b"sudo", false),
        ] {
            assert_eq!(is_local(name, 70_000, &passwd, &group).unwrap(), local);
        }
        for (uid, local) in [(1000, true), (100, false), (10_000, false), (27, false)] {
            let found = is_local(b"eve", uid, &passwd, &group).unwrap();
            assert_eq!(found, local, "{uid}");
        }
        assert!(
            is_local(b"bob", 70_000, folder.path(), &group).is_err(),
            "what cannot be read is no answer"
        );
    }
}
