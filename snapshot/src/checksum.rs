//! CRC-64/XZ: finds torn and rotten files. A byte at a time for a header, with one small table; eight at a time for a whole file.
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

/// For a byte that so many others stand behind: what it comes to at their end.
const TABLES: [[u64; 256]; 8] = tables();

#[expect(
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    reason = "computed at compile time; loops end at 8 and 256"
)]
const fn tables() -> [[u64; 256]; 8] {
    let mut tables = [TABLE; 8];
    let mut behind = 1;
    while behind < 8 {
        let mut byte = 0;
        while byte < 256 {
            let before = tables[behind - 1][byte];
            tables[behind][byte] = (before >> 8) ^ TABLE[(before & 0xFF) as usize];
            byte += 1;
        }
        behind += 1;
    }
    tables
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

    /// The same for many bytes.
    #[expect(
        clippy::indexing_slicing,
        reason = "the indices are bytes, the tables have 256 entries"
    )]
    pub(crate) fn add_many(mut self, bytes: &[u8]) -> Self {
        let (eights, rest) = bytes.as_chunks::<8>();
        for eight in eights {
            let [a, b, c, d, e, f, g, h] = (self.0 ^ u64::from_le_bytes(*eight)).to_le_bytes();
            self.0 = TABLES[7][usize::from(a)]
                ^ TABLES[6][usize::from(b)]
                ^ TABLES[5][usize::from(c)]
                ^ TABLES[4][usize::from(d)]
                ^ TABLES[3][usize::from(e)]
                ^ TABLES[2][usize::from(f)]
                ^ TABLES[1][usize::from(g)]
                ^ TABLES[0][usize::from(h)];
        }
        self.add(rest)
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
    fn eight_at_a_time_is_the_same() {
        let bytes: Vec<u8> = (0..100_u8).map(|byte| byte.wrapping_mul(37)).collect();
        for end in 0..bytes.len() {
            let begun = Crc64::new().add(b"before");
            assert_eq!(
                begun.add_many(&bytes[..end]).value(),
                begun.add(&bytes[..end]).value(),
                "{end}"
            );
        }
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
