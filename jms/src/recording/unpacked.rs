//! A zstd frame whose text is not packed: raw blocks only (RFC 8878, section 3.1.1.2).
//!
//! Trusts nothing in what it reads back.

/// The frame's header: no checksum, no size of the content, a window of 2^20 bytes (section 3.1.1.1).
const HEADER: [u8; 6] = [0x28, 0xb5, 0x2f, 0xfd, 0x00, (20 - 10) << 3];

/// The last block of a frame: raw, and nothing in it.
pub(super) const LAST_BLOCK: [u8; 3] = [1, 0, 0];

/// The most that one block may hold, with any window of at least as much.
const BLOCK: usize = 128 * 1024;

/// Appends `text` as blocks to `frame`; `begins`: behind a header of their own.
pub(super) fn append(frame: &mut Vec<u8>, begins: bool, text: &[u8]) {
    if begins {
        frame.extend_from_slice(&HEADER);
    }
    for piece in text.chunks(BLOCK) {
        let [first, second, third, ..] = ((piece.len() as u64) << 3).to_le_bytes();
        frame.extend_from_slice(&[first, second, third]);
        frame.extend_from_slice(piece);
    }
}

/// The text of a frame that [`append`] made and that has no last block yet. None if it is no such frame.
pub(super) fn text(frame: &[u8]) -> Option<Vec<u8>> {
    let mut rest = frame.strip_prefix(&HEADER)?;
    let mut text = Vec::with_capacity(frame.len());
    while let Some(([first, second, third], behind)) = rest.split_first_chunk() {
        let header = u32::from_le_bytes([*first, *second, *third, 0]);
        let length = usize::try_from(header >> 3).ok()?;
        if header & 7 != 0 {
            return None;
        }
        let (piece, behind) = behind.split_at_checked(length)?;
        text.extend_from_slice(piece);
        rest = behind;
    }
    rest.is_empty().then_some(text)
}

#[cfg(test)]
mod tests {
    use super::{BLOCK, LAST_BLOCK, append, text};

    #[test]
    fn zstd_reads_it_and_so_do_we() {
        let long: Vec<u8> = (0..BLOCK as u32).flat_map(u32::to_le_bytes).collect();
        let mut frame = Vec::new();
        append(&mut frame, true, b"one");
        append(&mut frame, false, &long);
        append(&mut frame, false, b"");
        append(&mut frame, false, b"two");
        let wanted = [b"one", &long[..], b"two"].concat();
        assert_eq!(text(&frame).as_ref(), Some(&wanted));
        frame.extend_from_slice(&LAST_BLOCK);
        assert_eq!(zstd::decode_all(&frame[..]).unwrap(), wanted);
    }

    #[test]
    fn anything_else_is_refused() {
        let mut frame = Vec::new();
        append(&mut frame, true, b"some text");
        for length in (0..frame.len()).filter(|length| *length != super::HEADER.len()) {
            assert_eq!(text(&frame[..length]), None, "{length}");
        }
        for (place, bit) in [(0, 1), (4, 4), (6, 1), (6, 2), (6, 8)] {
            let mut other = frame.clone();
            other[place] ^= bit;
            assert_eq!(text(&other), None, "{place} {bit}");
        }
    }
}
