//! Bytes into the inside of a JSON string, a piece at a time, without losing a character that a piece's end cuts.
//!
//! Trusts nothing: what is no UTF-8 becomes U+FFFD exactly where `String::from_utf8_lossy` of the
//! whole would put it.
use super::escape::{End, REPLACEMENT, is_plain};

/// The longest character, in bytes.
const LONGEST: usize = 4;

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
                    end.character(character.as_bytes());
                    self.pending.clear();
                    bytes = rest;
                }
                Err(error) if error.error_len().is_none() => bytes = rest,
                Err(_) => {
                    // The byte does not continue the character; it is looked at again below.
                    end.character(REPLACEMENT);
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
            let first = bytes.get(..LONGEST).unwrap_or(bytes);
            let (character, length) = match std::str::from_utf8(first) {
                Ok(text) => (true, text.chars().next().map_or(1, char::len_utf8)),
                Err(error) if error.valid_up_to() > 0 => (true, length_of(first)),
                Err(error) => match error.error_len() {
                    Some(length) => (false, length),
                    None => {
                        self.pending.extend_from_slice(first);
                        break;
                    }
                },
            };
            let (taken, rest) = bytes.split_at_checked(length).unwrap_or((bytes, &[]));
            end.character(if character { taken } else { REPLACEMENT });
            bytes = rest;
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

/// How long the valid character is that begins here.
fn length_of(bytes: &[u8]) -> usize {
    match bytes.first() {
        Some(0xf0..) => 4,
        Some(0xe0..) => 3,
        _ => 2,
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
