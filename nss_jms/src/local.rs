//! Whether a name belongs to the host: an account in `/etc/passwd`, or a member in `/etc/group`.
//!
//! Reads the two files itself, in small pieces and without the heap, because a name service module cannot ask the
//! name service. Trusts them: they are root's.
#![forbid(unsafe_code)]

use std::{
    fs::File,
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
    let mut file = match File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(false),
        Err(error) => return Err(error),
    };
    let mut scanner = Scanner::new(name, field);
    let mut buffer = [0; 2048];
    loop {
        match file.read(&mut buffer) {
            Ok(0) => return Ok(scanner.sees(b'\n')),
            Ok(count) => {
                let bytes = buffer.get(..count).unwrap_or_default();
                if bytes.iter().any(|byte| scanner.sees(*byte)) {
                    return Ok(true);
                }
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
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
