//! Builds a container in memory.
#![forbid(unsafe_code)]

use crate::{
    checksum::Crc64,
    container::{ENTRY, HEADER, Kind, MAGIC, MAX_LENGTH, MAX_SECTIONS, VERSION},
    error::WriteError,
};

/// A section to write.
pub(crate) struct NewSection {
    pub(crate) id: u32,
    pub(crate) record_size: u32,
    pub(crate) bytes: Vec<u8>,
}

/// The whole snapshot file.
pub(crate) fn write(
    kind: Kind,
    generation: u64,
    sections: &[NewSection],
) -> Result<Vec<u8>, WriteError> {
    debug_assert!(sections.len() <= MAX_SECTIONS);
    let body = HEADER.saturating_add(sections.len().saturating_mul(ENTRY));
    let mut file = vec![0; body];
    let mut table = Vec::with_capacity(body);
    for section in sections {
        file.resize(file.len().next_multiple_of(8), 0);
        table.extend(section.id.to_le_bytes());
        table.extend(section.record_size.to_le_bytes());
        table.extend((file.len() as u64).to_le_bytes());
        table.extend((section.bytes.len() as u64).to_le_bytes());
        file.extend_from_slice(&section.bytes);
    }
    if file.len() as u64 > MAX_LENGTH {
        return Err(WriteError::TooLarge);
    }
    let body_checksum = Crc64::new()
        .add_many(file.get(body..).unwrap_or_default())
        .value();
    let mut header = Vec::with_capacity(body);
    header.extend(MAGIC);
    header.extend(VERSION.to_le_bytes());
    header.extend((kind as u16).to_le_bytes());
    header.extend(
        u32::try_from(sections.len())
            .map_err(|_| WriteError::TooLarge)?
            .to_le_bytes(),
    );
    header.extend(generation.to_le_bytes());
    header.extend((file.len() as u64).to_le_bytes());
    header.extend(body_checksum.to_le_bytes());
    header.extend([0; 16]);
    let checksum = Crc64::new().add(&header).add(&table).value();
    header.extend(checksum.to_le_bytes());
    header.append(&mut table);
    if let Some(front) = file.get_mut(..header.len()) {
        front.copy_from_slice(&header);
    }
    Ok(file)
}

/// The first of two neighbours that are equal, in a sorted list.
pub(crate) fn first_equal<T>(sorted: &[T], equal: impl Fn(&T, &T) -> bool) -> Option<&T> {
    sorted
        .iter()
        .zip(sorted.iter().skip(1))
        .find(|(one, other)| equal(one, other))
        .map(|(one, _)| one)
}
