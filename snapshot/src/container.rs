//! The container that both kinds of snapshot share: header, section table, bounded reads. Format: see the crate's page.
//!
//! Trusts nothing that it reads; every offset and length is checked before use.
#![forbid(unsafe_code)]

use crate::{checksum::Crc64, error::Error, fields::Fields};

pub(crate) const MAGIC: [u8; 8] = *b"JMSSNAP\0";
pub(crate) const VERSION: u16 = 1;
pub(crate) const HEADER: usize = 64;
pub(crate) const ENTRY: usize = 24;
pub(crate) const MAX_SECTIONS: usize = 16;

/// Longest snapshot, in bytes: far above a million users or keys.
pub(crate) const MAX_LENGTH: u64 = 4 << 30;

/// What a snapshot holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u16)]
pub enum Kind {
    /// Names and uids of users.
    Users = 1,
    /// Login keys.
    Keys = 2,
}

/// Something that bytes can be read from at any offset: a slice, or an opened file.
pub trait Source {
    /// Length in bytes.
    fn length(&self) -> u64;

    /// Fills `into` with the bytes from `offset` on.
    ///
    /// # Errors
    /// [`Error::Io`] if there are not that many, or if they cannot be read.
    fn read_at(&self, offset: u64, into: &mut [u8]) -> Result<(), Error>;
}

impl Source for &[u8] {
    fn length(&self) -> u64 {
        self.len() as u64
    }

    fn read_at(&self, offset: u64, into: &mut [u8]) -> Result<(), Error> {
        let bytes = usize::try_from(offset)
            .ok()
            .and_then(|start| self.get(start..start.checked_add(into.len())?))
            .ok_or_else(|| Error::Io(std::io::ErrorKind::UnexpectedEof.into()))?;
        into.copy_from_slice(bytes);
        Ok(())
    }
}

/// One section: where it lies.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Section {
    id: u32,
    record_size: u32,
    offset: u64,
    length: u64,
}

impl Section {
    pub(crate) fn length(&self) -> u64 {
        self.length
    }

    /// The number of records, if they are of `size` bytes and fill the section.
    pub(crate) fn records(&self, size: u32) -> Result<u32, Error> {
        let problem = |problem| Error::Section {
            id: self.id,
            problem,
        };
        if self.record_size != size {
            return Err(problem("has records of another size"));
        }
        let (Some(count), Some(0)) = (
            self.length.checked_div(size.into()),
            self.length.checked_rem(size.into()),
        ) else {
            return Err(problem("ends within a record"));
        };
        u32::try_from(count).map_err(|_| problem("has too many records"))
    }
}

/// A snapshot whose header and section table have been checked.
#[derive(Debug)]
pub struct Container<S> {
    source: S,
    generation: u64,
    body: u64,
    body_checksum: u64,
    sections: [Section; MAX_SECTIONS],
}

impl<S: Source> Container<S> {
    /// Reads and checks the header and the section table.
    ///
    /// # Errors
    /// An [`Error`] that says what is wrong with them.
    pub fn open(source: S, kind: Kind) -> Result<Self, Error> {
        let length = source.length();
        if !(HEADER as u64..=MAX_LENGTH).contains(&length) {
            return Err(Error::Size(length));
        }
        let mut header = [0; HEADER];
        source.read_at(0, &mut header)?;
        let mut table = [0; MAX_SECTIONS * ENTRY];
        let parsed = Header::parse(&header).ok_or(Error::Foreign)?;
        if parsed.magic != MAGIC {
            return Err(Error::Foreign);
        }
        if parsed.version != VERSION {
            return Err(Error::Version(parsed.version));
        }
        if parsed.kind != kind as u16 {
            return Err(Error::Kind {
                expected: kind,
                found: parsed.kind,
            });
        }
        if parsed.length != length {
            return Err(Error::Length {
                header: parsed.length,
                file: length,
            });
        }
        let table = usize::try_from(parsed.sections)
            .ok()
            .and_then(|count| table.get_mut(..count.checked_mul(ENTRY)?))
            .ok_or(Error::HeaderChecksum)?;
        source.read_at(HEADER as u64, table)?;
        let checked = header
            .split_last_chunk::<8>()
            .map_or(&header[..], |(head, _)| head);
        if Crc64::new().add(checked).add(table).value() != parsed.checksum {
            return Err(Error::HeaderChecksum);
        }
        let body = (HEADER as u64).saturating_add(table.len() as u64);
        Ok(Self {
            source,
            generation: parsed.generation,
            body,
            body_checksum: parsed.body_checksum,
            sections: sections(table, body, length)?,
        })
    }

    /// The generation of the store that the snapshot was made from.
    pub fn generation(&self) -> u64 {
        self.generation
    }

    /// The section with this id.
    pub(crate) fn section(&self, id: u32) -> Result<Section, Error> {
        let found = self.sections.iter().find(|section| section.id == id);
        found.copied().ok_or(Error::Section {
            id,
            problem: "is missing",
        })
    }

    /// Fills `into` from a section, `offset` bytes behind its start.
    pub(crate) fn read(
        &self,
        section: &Section,
        offset: u64,
        into: &mut [u8],
    ) -> Result<(), Error> {
        let outside = Error::Section {
            id: section.id,
            problem: "is too short for what refers to it",
        };
        match offset.checked_add(into.len() as u64) {
            Some(end) if end <= section.length => self
                .source
                .read_at(section.offset.saturating_add(offset), into),
            _ => Err(outside),
        }
    }

    /// Reads the whole body and compares it with its checksum.
    ///
    /// # Errors
    /// [`Error::BodyChecksum`] if they differ.
    pub fn verify(&self) -> Result<(), Error> {
        let (mut checksum, mut at, end) = (Crc64::new(), self.body, self.source.length());
        let mut buffer = vec![0; 1 << 16];
        while at < end {
            let step = end.saturating_sub(at).min(buffer.len() as u64);
            let part = usize::try_from(step)
                .ok()
                .and_then(|step| buffer.get_mut(..step))
                .ok_or(Error::BodyChecksum)?;
            self.source.read_at(at, part)?;
            checksum = checksum.add_many(part);
            at = at.saturating_add(step);
        }
        if checksum.value() == self.body_checksum {
            Ok(())
        } else {
            Err(Error::BodyChecksum)
        }
    }
}

struct Header {
    magic: [u8; 8],
    version: u16,
    kind: u16,
    sections: u32,
    generation: u64,
    length: u64,
    body_checksum: u64,
    checksum: u64,
}

impl Header {
    fn parse(bytes: &[u8; HEADER]) -> Option<Self> {
        let mut fields = Fields(bytes);
        let header = Self {
            magic: fields.array()?,
            version: fields.u16()?,
            kind: fields.u16()?,
            sections: fields.u32()?,
            generation: fields.u64()?,
            length: fields.u64()?,
            body_checksum: fields.u64()?,
            checksum: 0,
        };
        fields.take(16)?;
        Some(Self {
            checksum: fields.u64()?,
            ..header
        })
    }
}

/// The section table, each section within `body..length`, no id twice.
fn sections(table: &[u8], body: u64, length: u64) -> Result<[Section; MAX_SECTIONS], Error> {
    let mut sections = [Section::default(); MAX_SECTIONS];
    let mut fields = Fields(table);
    for slot in 0..MAX_SECTIONS {
        let (Some(id), Some(record_size), Some(offset), Some(bytes)) =
            (fields.u32(), fields.u32(), fields.u64(), fields.u64())
        else {
            break;
        };
        let problem = |problem| Error::Section { id, problem };
        if id == 0 || sections.iter().any(|section| section.id == id) {
            return Err(problem("is there twice, or has the id 0"));
        }
        if offset < body || offset.checked_add(bytes).is_none_or(|end| end > length) {
            return Err(problem("lies outside the file"));
        }
        if let Some(section) = sections.get_mut(slot) {
            *section = Section {
                id,
                record_size,
                offset,
                length: bytes,
            };
        }
    }
    Ok(sections)
}
