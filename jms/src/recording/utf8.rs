//! Bytes into text, a piece at a time, without losing a character that a piece's end cuts.
//!
//! Trusts nothing: what is no UTF-8 becomes U+FFFD exactly where `String::from_utf8_lossy` of the
//! whole would put it.

/// What waits of a character whose end has not come yet.
#[derive(Debug, Default)]
pub(super) struct Decoder {
    /// A valid beginning of one character: at most 3 bytes.
    pending: Vec<u8>,
}

impl Decoder {
    /// Gives `sink` the text of `bytes`, in order and in pieces; keeps a cut character back.
    pub(super) fn push(&mut self, mut bytes: &[u8], mut sink: impl FnMut(&str)) {
        while !self.pending.is_empty() {
            let Some((first, rest)) = bytes.split_first() else {
                return;
            };
            self.pending.push(*first);
            match std::str::from_utf8(&self.pending) {
                Ok(character) => {
                    sink(character);
                    self.pending.clear();
                    bytes = rest;
                }
                Err(error) if error.error_len().is_none() => bytes = rest,
                Err(_) => {
                    // The byte does not continue the character; it is looked at again below.
                    sink("\u{fffd}");
                    self.pending.clear();
                }
            }
        }
        let mut chunks = bytes.utf8_chunks().peekable();
        while let Some(chunk) = chunks.next() {
            if !chunk.valid().is_empty() {
                sink(chunk.valid());
            }
            let invalid = chunk.invalid();
            let cut = chunks.peek().is_none()
                && std::str::from_utf8(invalid).is_err_and(|error| error.error_len().is_none());
            if cut {
                self.pending.extend_from_slice(invalid);
            } else if !invalid.is_empty() {
                sink("\u{fffd}");
            }
        }
    }

    /// The end has come: a character that still waits will never be whole.
    pub(super) fn finish(&mut self, mut sink: impl FnMut(&str)) {
        if !self.pending.is_empty() {
            self.pending.clear();
            sink("\u{fffd}");
        }
    }

    /// Whether part of a character waits.
    pub(super) fn waits(&self) -> bool {
        !self.pending.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::Decoder;
    use proptest::prelude::{any, prop, prop_assert_eq, proptest};

    fn decode<'a>(pieces: impl IntoIterator<Item = &'a [u8]>) -> String {
        let mut decoder = Decoder::default();
        let mut text = String::new();
        for piece in pieces {
            decoder.push(piece, |part| text.push_str(part));
        }
        decoder.finish(|part| text.push_str(part));
        text
    }

    #[test]
    fn a_character_cut_in_two_is_whole_again() {
        let euro = "€".as_bytes();
        assert_eq!(decode([&euro[..1], &euro[1..2], &euro[2..]]), "€");
        assert_eq!(decode([&euro[..2], b"x"]), "\u{fffd}x");
        assert_eq!(decode([&euro[..2], &euro[..1], &euro[1..]]), "\u{fffd}€");
    }

    proptest! {
        #[test]
        fn any_split_equals_the_lossy_whole(
            pieces in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..5), 0..40),
        ) {
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
