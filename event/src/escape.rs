//! Text that cannot leave its place: one string literal of JSON, on one line, for any text.
//!
//! Both formats of a line use it, so a value is unescaped by any JSON reader.

/// True for a character that must not appear as itself: it ends a line, steers a terminal, turns
/// the reading direction or cannot be seen, and so could forge what a reader believes.
pub(crate) fn is_unsafe(c: char) -> bool {
    matches!(c,
        // C0, DEL and C1 (a terminal may take U+009B for ESC [)
        '\u{0}'..='\u{1f}' | '\u{7f}'..='\u{9f}'
        // line and paragraph separators
        | '\u{2028}' | '\u{2029}'
        // bidirectional controls (Unicode TR 9)
        | '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}'
        // drawn as nothing: zero width, soft hyphen, fillers, invisible operators, annotations, tags
        | '\u{ad}' | '\u{34f}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}' | '\u{180b}'..='\u{180f}'
        | '\u{200b}'..='\u{200d}' | '\u{2060}'..='\u{2065}' | '\u{206a}'..='\u{206f}' | '\u{3164}'
        | '\u{feff}' | '\u{ffa0}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e0fff}')
}

/// Appends `text` to `out` between double quotes.
pub(crate) fn quote_into(out: &mut String, text: &str) {
    out.push('"');
    for c in text.chars() {
        escape_char(out, c);
    }
    out.push('"');
}

/// Appends one character, escaped where it must be.
pub(crate) fn escape_char(out: &mut String, c: char) {
    match c {
        '"' => out.push_str("\\\""),
        '\\' => out.push_str("\\\\"),
        '\n' => out.push_str("\\n"),
        '\r' => out.push_str("\\r"),
        '\t' => out.push_str("\\t"),
        c if is_unsafe(c) => unicode(out, c),
        c => out.push(c),
    }
}

/// Appends `\uXXXX`, twice for a character outside the basic plane (RFC 8259 section 7).
pub(crate) fn unicode(out: &mut String, c: char) {
    const HEX: &[u8; 16] = b"0123456789abcdef";
    for unit in c.encode_utf16(&mut [0; 2]) {
        out.push_str("\\u");
        for shift in [12, 8, 4, 0] {
            out.push(char::from(HEX[usize::from((*unit >> shift) & 15)]));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn quoted(text: &str) -> String {
        let mut out = String::new();
        quote_into(&mut out, text);
        out
    }

    #[test]
    fn a_value_cannot_end_its_line_or_its_quotes() {
        assert_eq!(quoted("a\" user=\"root"), r#""a\" user=\"root""#);
        assert_eq!(quoted("a\\"), r#""a\\""#);
        assert_eq!(
            quoted("a\nNov 21 sshd[1]: Accepted"),
            r#""a\nNov 21 sshd[1]: Accepted""#
        );
        assert_eq!(
            quoted("\u{1b}[2J\u{9b}\u{7f}\0"),
            r#""\u001b[2J\u009b\u007f\u0000""#
        );
        assert_eq!(
            quoted("\u{2028}\u{202e}\u{2066}"),
            r#""\u2028\u202e\u2066""#
        );
        assert_eq!(quoted("\u{e0041}"), r#""\udb40\udc41""#);
        assert_eq!(quoted("é 🔑 名"), "\"é 🔑 名\"");
    }

    proptest! {
        #[test]
        fn every_text_comes_back_through_json(text: String) {
            let line = quoted(&text);
            prop_assert!(!line.chars().any(is_unsafe));
            prop_assert_eq!(serde_json::from_str::<String>(&line).unwrap(), text);
        }
    }
}
