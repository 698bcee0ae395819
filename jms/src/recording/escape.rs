//! Text inside a JSON string (RFC 8259), appended to a line of bytes.
//!
//! Eight bytes at a time where nothing in them is to be escaped, which is most of what programs print; else by a table.

/// Bytes that are looked at together.
pub(super) const WORD: usize = 8;

/// What one byte becomes: the text, and how much of it counts.
#[derive(Clone, Copy)]
struct Escaped {
    text: [u8; WORD],
    length: usize,
}

/// For each byte of ASCII what it becomes; U+FFFD for all others.
static ESCAPED: [Escaped; 256] = table();

const fn table() -> [Escaped; 256] {
    let mut table = [Escaped {
        text: [0xef, 0xbf, 0xbd, 0, 0, 0, 0, 0],
        length: 3,
    }; 256];
    let hex = b"0123456789abcdef";
    let mut byte = 0;
    while byte < 0x80_u8 {
        let short = match byte {
            b'"' | b'\\' => byte,
            b'\n' => b'n',
            b'\r' => b'r',
            b'\t' => b't',
            _ => 0,
        };
        let (text, length) = if short != 0 {
            ([b'\\', short, 0, 0, 0, 0, 0, 0], 2)
        } else if byte < 0x20 || byte == 0x7f {
            let digits = [hex[(byte >> 4) as usize], hex[(byte & 15) as usize]];
            ([b'\\', b'u', b'0', b'0', digits[0], digits[1], 0, 0], 6)
        } else {
            ([byte, 0, 0, 0, 0, 0, 0, 0], 1)
        };
        table[byte as usize] = Escaped { text, length };
        byte += 1;
    }
    table
}

/// Whether these are eight bytes of ASCII that stand for themselves.
pub(super) fn is_plain(word: [u8; WORD]) -> bool {
    const ONES: u64 = u64::from_ne_bytes([1; WORD]);
    const HIGH: u64 = ONES << 7;
    let word = u64::from_ne_bytes(word);
    // A high bit for each byte that is below 32; for each that is this one.
    let below = word.wrapping_sub(ONES * 0x20) & !word;
    let is = |byte: u8| {
        let zero = word ^ (ONES * u64::from(byte));
        zero.wrapping_sub(ONES) & !zero
    };
    (word | below | is(b'"') | is(b'\\') | is(0x7f)) & HIGH == 0
}

/// The end of a line that is being written, gathered in a small array: one copy into the line for many bytes.
pub(super) struct End<'a> {
    line: &'a mut Vec<u8>,
    bytes: [u8; END],
    length: usize,
}

const END: usize = 1024;

impl<'a> End<'a> {
    pub(super) fn of(line: &'a mut Vec<u8>) -> Self {
        Self {
            line,
            bytes: [0; END],
            length: 0,
        }
    }

    /// Adds a word of which `length` bytes count: what is behind them is written over later.
    fn put(&mut self, word: [u8; WORD], length: usize) {
        if self.length > END - WORD {
            self.flush();
        }
        let room = self.bytes.get_mut(self.length..);
        if let Some(room) = room.and_then(<[u8]>::first_chunk_mut) {
            *room = word;
            self.length += length;
        }
    }

    /// Eight bytes that stand for themselves.
    pub(super) fn plain(&mut self, word: [u8; WORD]) {
        self.put(word, WORD);
    }

    /// One byte of ASCII; U+FFFD for any other.
    pub(super) fn byte(&mut self, byte: u8) {
        if let Some(escaped) = ESCAPED.get(usize::from(byte)) {
            self.put(escaped.text, escaped.length);
        }
    }

    /// The character of `length` bytes that `bytes` begin with, which is not one of ASCII.
    pub(super) fn character(&mut self, bytes: &[u8], length: usize) {
        if let Some(word) = bytes.first_chunk() {
            return self.put(*word, length);
        }
        let mut word = [0; WORD];
        for (place, byte) in word.iter_mut().zip(bytes) {
            *place = *byte;
        }
        self.put(word, length);
    }

    /// Adds what was gathered to the line.
    pub(super) fn flush(&mut self) {
        let gathered = self.bytes.get(..self.length).unwrap_or_default();
        self.line.extend_from_slice(gathered);
        self.length = 0;
    }
}

/// Appends `text` to `line` as the inside of a JSON string, without the quotes around it.
///
/// U+007F is escaped as well, so that a line looked at in a terminal holds no control character
/// of ASCII.
pub(super) fn escape(line: &mut Vec<u8>, text: &str) {
    let mut end = End::of(line);
    let mut rest = text.as_bytes();
    while let Some((first, behind)) = rest.split_first() {
        if let Some((word, behind)) = rest.split_first_chunk()
            && is_plain(*word)
        {
            end.plain(*word);
            rest = behind;
            continue;
        }
        if first.is_ascii() {
            end.byte(*first);
        } else {
            end.character(rest, 1);
        }
        rest = behind;
    }
    end.flush();
}

#[cfg(test)]
mod tests {
    use super::{WORD, escape, is_plain};
    use proptest::prelude::{any, prop_assert, prop_assert_eq, proptest};

    #[test]
    fn escapes_are_the_short_ones() {
        let mut line = Vec::new();
        escape(&mut line, "\u{1b}[0m\r\n\t\"\\\u{7f}€");
        assert_eq!(line, "\\u001b[0m\\r\\n\\t\\\"\\\\\\u007f€".as_bytes());
    }

    #[test]
    fn a_word_is_plain_if_each_of_its_bytes_is() {
        for byte in 0..=255_u8 {
            for place in 0..WORD {
                for others in [b'a', b' ', b'~', b'!', b'#', b'[', b']'] {
                    let mut word = [others; WORD];
                    word[place] = byte;
                    let plain = matches!(byte, 0x20..=0x7e) && byte != b'"' && byte != b'\\';
                    assert_eq!(is_plain(word), plain, "{word:?}");
                }
            }
        }
    }

    proptest! {
        #[test]
        fn any_text_reads_back(text in any::<String>(), times in 1_usize..100) {
            let text = text.repeat(times);
            let mut line = vec![b'"'];
            escape(&mut line, &text);
            line.push(b'"');
            prop_assert!(!line.iter().any(|byte| *byte < 0x20 || *byte == 0x7f));
            prop_assert_eq!(serde_json::from_slice::<String>(&line).unwrap(), text);
        }

        #[test]
        fn any_bytes_are_as_plain_as_each(word in any::<[u8; WORD]>()) {
            let plain = |byte: &u8| matches!(byte, 0x20..=0x7e) && !b"\"\\".contains(byte);
            prop_assert_eq!(is_plain(word), word.iter().all(plain));
        }
    }
}
