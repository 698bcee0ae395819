//! Names in syslog lines: what a client sent must not look like anything but a name.
#![forbid(unsafe_code)]

/// Longest name in a line, in bytes of the name.
const SHOWN: usize = 256;

/// Printable ASCII stays, except the quote and the backslash; every other byte becomes `\xNN`.
/// Longer ones are cut, marked by three dots.
pub(crate) fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len().min(SHOWN));
    for byte in text.bytes().take(SHOWN) {
        match byte {
            b' '..=b'~' if byte != b'"' && byte != b'\\' => escaped.push(char::from(byte)),
            _ => escaped.push_str(&format!("\\x{byte:02x}")),
        }
    }
    if text.len() > SHOWN {
        escaped.push_str("...");
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::escape;

    #[test]
    fn a_name_cannot_end_its_quotes_or_its_line() {
        assert_eq!(escape("alice@dev@web1"), "alice@dev@web1");
        assert_eq!(escape("a\" uid=\"0"), "a\\x22 uid=\\x220");
        assert_eq!(escape("a\nsshd: ok\\é"), "a\\x0asshd: ok\\x5c\\xc3\\xa9");
        assert_eq!(escape(&"x".repeat(300)), format!("{}...", "x".repeat(256)));
    }
}
