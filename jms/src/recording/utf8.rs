//! Bytes into the inside of a JSON string, a piece at a time, without losing a character that a piece's end cuts.
//!
//! Trusts nothing: what is no UTF-8 becomes U+FFFD exactly where `String::from_utf8_lossy` of the
//! whole would put it.
use super::escape::{End, is_plain};

/// A byte that no character begins with.
const NOTHING: u8 = 0xff;

/// What waits of a character whose end has not come yet.
#[derive(Debug, Default)]
pub(super) struct Decoder {
    /// A valid beginning of one character: at most 3 bytes.
    pending: Vec<u8>,
}

impl Decoder {
    /// Appends the text of `bytes` to `line`, escaped; keeps a cut character back.
    pub(super) fn push(&mut self, line: &mut Vec<u8>, mut bytes: &[u8]) {
        let mut end = End::of(line);
        while !self.pending.is_empty() {
            let Some((first, rest)) = bytes.split_first() else {
                return;
            };
            self.pending.push(*first);
            match std::str::from_utf8(&self.pending) {
                Ok(character) => {
                    end.character(character.as_bytes(), character.len());
                    self.pending.clear();
                    bytes = rest;
                }
                Err(error) if error.error_len().is_none() => bytes = rest,
                Err(_) => {
                    // The byte does not continue the character; it is looked at again below.
                    end.byte(NOTHING);
                    self.pending.clear();
                }
            }
        }
        while let Some((first, rest)) = bytes.split_first() {
            if let Some((word, rest)) = bytes.split_first_chunk()
                && is_plain(*word)
            {
                end.plain(*word);
                bytes = rest;
                continue;
            }
            // No character begins with any other byte: it stands for itself, or for nothing.
            if !matches!(first, 0xc2..=0xf4) {
                end.byte(*first);
                bytes = rest;
                continue;
            }
            let length = match Character::at(bytes) {
                Character::Whole(length) => {
                    end.character(bytes, length);
                    length
                }
                Character::Broken(length) => {
                    end.byte(NOTHING);
                    length
                }
                Character::Cut => {
                    self.pending.extend_from_slice(bytes);
                    break;
                }
            };
            bytes = bytes.get(length..).unwrap_or_default();
        }
        end.flush();
    }

    /// The end has come: whether a character waits that will never be whole.
    pub(super) fn finish(&mut self) -> bool {
        let waited = !self.pending.is_empty();
        self.pending.clear();
        waited
    }
}

/// What begins with a byte that a character of several bytes may begin with (Unicode, table 3-7).
enum Character {
    /// A character of so many bytes.
    Whole(usize),
    /// So many bytes that no character can begin with: one U+FFFD.
    Broken(usize),
    /// The beginning of a character, and the end of the piece.
    Cut,
}

impl Character {
    fn at(bytes: &[u8]) -> Self {
        let Some((first, rest)) = bytes.split_first() else {
            return Self::Cut;
        };
        let (length, second) = match first {
            0xe0 => (3, 0xa0..=0xbf),
            0xed => (3, 0x80..=0x9f),
            0xf0 => (4, 0x90..=0xbf),
            0xf4 => (4, 0x80..=0x8f),
            0xf1..=0xf3 => (4, 0x80..=0xbf),
            0xe1..=0xef => (3, 0x80..=0xbf),
            _ => (2, 0x80..=0xbf),
        };
        match rest.first() {
            Some(byte) if !second.contains(byte) => return Self::Broken(1),
            Some(_) if length == 2 => return Self::Whole(2),
            Some(_) => {}
            None => return Self::Cut,
        }
        for taken in 2..length {
            match bytes.get(taken) {
                Some(0x80..=0xbf) => {}
                Some(_) => return Self::Broken(taken),
                None => return Self::Cut,
            }
        }
        Self::Whole(length)
    }
}

#[cfg(test)]
mod tests {
    use super::Decoder;
    use proptest::prelude::{Just, Strategy, any, prop, prop_assert_eq, prop_oneof, proptest};

    fn decode<'a>(pieces: impl IntoIterator<Item = &'a [u8]>) -> String {
        let mut decoder = Decoder::default();
        let mut line = vec![b'"'];
        for piece in pieces {
            decoder.push(&mut line, piece);
        }
        if decoder.finish() {
            line.extend("\u{fffd}".bytes());
        }
        line.push(b'"');
        assert!(!line.iter().any(|byte| *byte < 0x20 || *byte == 0x7f));
        serde_json::from_slice(&line).unwrap()
    }

    #[test]
    fn a_character_cut_in_two_is_whole_again() {
        let euro = "€".as_bytes();
        assert_eq!(decode([&euro[..1], &euro[1..2], &euro[2..]]), "€");
        assert_eq!(decode([&euro[..2], b"x"]), "\u{fffd}x");
        assert_eq!(decode([&euro[..2], &euro[..1], &euro[1..]]), "\u{fffd}€");
    }

    /// All pairs of bytes, and all beginnings of longer characters.
    #[test]
    fn whatever_two_bytes_follow_each_other() {
        for first in 0..=255_u8 {
            for second in 0..=255_u8 {
                for rest in [&b""[..], b"\x80", b"\x80\x80", b"a", b"\xbf\xc2"] {
                    let whole = [&[first, second], rest].concat();
                    assert_eq!(decode([whole.as_slice()]), String::from_utf8_lossy(&whole));
                }
            }
        }
    }

    fn piece() -> impl Strategy<Value = Vec<u8>> {
        prop_oneof![
            prop::collection::vec(any::<u8>(), 0..5),
            prop::collection::vec(any::<u8>(), 0..3000),
            "[ -~]{0,40}\r\n".prop_map(String::into_bytes),
            "\\PC{0,9}".prop_map(String::into_bytes),
            Just("€".as_bytes()[..2].to_vec()),
        ]
    }

    proptest! {
        #[test]
        fn any_split_equals_the_lossy_whole(pieces in prop::collection::vec(piece(), 0..40)) {
            let whole: Vec<u8> = pieces.concat();
            prop_assert_eq!(
                decode(pieces.iter().map(Vec::as_slice)),
                String::from_utf8_lossy(&whole)
            );
        }

        #[test]
        fn text_split_at_every_byte_is_the_text(text in "\\PC{0,40}") {
            prop_assert_eq!(&decode(text.as_bytes().chunks(1)), &text);
        }
    }
}
