//! Text inside a JSON string (RFC 8259), appended to a line of bytes.

/// Appends `text` to `line` as the inside of a JSON string, without the quotes around it.
///
/// U+007F is escaped as well, so that a line looked at in a terminal holds no control character
/// of ASCII.
pub(super) fn escape(line: &mut Vec<u8>, text: &str) {
    let mut plain = text.as_bytes();
    while let Some(at) = plain.iter().position(|byte| special(*byte)) {
        let (before, rest) = plain.split_at(at);
        line.extend_from_slice(before);
        if let Some((byte, rest)) = rest.split_first() {
            one(line, *byte);
            plain = rest;
        }
    }
    line.extend_from_slice(plain);
}

fn special(byte: u8) -> bool {
    byte < 0x20 || matches!(byte, b'"' | b'\\' | 0x7f)
}

fn one(line: &mut Vec<u8>, byte: u8) {
    match byte {
        b'"' => line.extend_from_slice(b"\\\""),
        b'\\' => line.extend_from_slice(b"\\\\"),
        b'\n' => line.extend_from_slice(b"\\n"),
        b'\r' => line.extend_from_slice(b"\\r"),
        b'\t' => line.extend_from_slice(b"\\t"),
        _ => {
            let digit = |value: u8| char::from_digit(u32::from(value), 16).unwrap_or('0') as u8;
            line.extend_from_slice(b"\\u00");
            line.extend_from_slice(&[digit(byte >> 4), digit(byte & 15)]);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::escape;
    use proptest::prelude::{prop_assert, prop_assert_eq, proptest};

    #[test]
    fn escapes_are_the_short_ones() {
        let mut line = Vec::new();
        escape(&mut line, "\u{1b}[0m\r\n\t\"\\\u{7f}€");
        assert_eq!(line, "\\u001b[0m\\r\\n\\t\\\"\\\\\\u007f€".as_bytes());
    }

    proptest! {
        #[test]
        fn any_text_reads_back(text in proptest::prelude::any::<String>()) {
            let mut line = vec![b'"'];
            escape(&mut line, &text);
            line.push(b'"');
            prop_assert!(!line.iter().any(|byte| *byte < 0x20 || *byte == 0x7f));
            prop_assert_eq!(serde_json::from_slice::<String>(&line).unwrap(), text);
        }
    }
}
