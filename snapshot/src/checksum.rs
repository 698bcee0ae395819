//! CRC-64/XZ, a byte at a time: finds torn and rotten files.
#![forbid(unsafe_code)]

/// The polynomial 0x42F0E1EBA9EA3693 (ECMA-182), bits reflected.
const POLYNOMIAL: u64 = 0xC96C_5795_D787_0F42;

const TABLE: [u64; 256] = table();

#[expect(
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    reason = "computed at compile time; loops end at 256 and 8"
)]
const fn table() -> [u64; 256] {
    let mut table = [0; 256];
    let mut byte = 0;
    while byte < 256 {
        let mut value = byte as u64;
        let mut bit = 0;
        while bit < 8 {
            value = if value & 1 == 1 {
                (value >> 1) ^ POLYNOMIAL
            } else {
                value >> 1
            };
            bit += 1;
        }
        table[byte] = value;
        byte += 1;
    }
    table
}

/// A checksum in the making.
#[derive(Clone, Copy)]
pub(crate) struct Crc64(u64);

impl Crc64 {
    pub(crate) fn new() -> Self {
        Self(u64::MAX)
    }

    #[expect(
        clippy::indexing_slicing,
        reason = "the index is a byte, the table has 256 entries"
    )]
    pub(crate) fn add(mut self, bytes: &[u8]) -> Self {
        for byte in bytes {
            let [low, ..] = self.0.to_le_bytes();
            self.0 = (self.0 >> 8) ^ TABLE[usize::from(low ^ byte)];
        }
        self
    }

    pub(crate) fn value(self) -> u64 {
        !self.0
    }
}

#[cfg(test)]
mod tests {
    use super::Crc64;

    #[test]
    fn agrees_with_the_published_check_value() {
        assert_eq!(
            Crc64::new().add(b"123456789").value(),
            0x995D_C9BB_DF19_39FA
        );
    }

    #[test]
    fn does_not_depend_on_how_the_bytes_are_cut() {
        let whole = Crc64::new().add(b"one two three").value();
        assert_eq!(
            Crc64::new().add(b"one ").add(b"").add(b"two three").value(),
            whole
        );
    }
}
