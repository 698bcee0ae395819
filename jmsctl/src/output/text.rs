//! Text of people and machines that nobody trusts, made harmless for a terminal.
#![forbid(unsafe_code)]

use std::fmt::Write;

/// Whether a terminal might act on this character, or a reader be misled by it: controls (C0, DEL, C1),
/// and what turns or hides the direction of writing (CVE-2021-42574).
fn is_dangerous(character: char) -> bool {
    character.is_control()
        || matches!(character,
            '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}')
}

/// The text with every dangerous character written out: `\u{1b}[2J`.
pub fn harmless(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for character in text.chars() {
        if is_dangerous(character) {
            out.extend(character.escape_default());
        } else {
            out.push(character);
        }
    }
    out
}

/// JSON as serde writes it, with the dangerous characters above ASCII as `\uXXXX`, too. They can only
/// stand inside strings, where both spellings mean the same.
pub fn harmless_json(json: &str) -> String {
    let mut out = String::with_capacity(json.len());
    for character in json.chars() {
        if is_dangerous(character) {
            let mut units = [0; 2];
            for unit in character.encode_utf16(&mut units) {
                // Writing to a String cannot fail.
                let _ = write!(out, "\\u{unit:04x}");
            }
        } else {
            out.push(character);
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_reaches_the_terminal_that_it_could_act_on() {
        assert_eq!(
            harmless("a\u{1b}[2Jb\u{9b}31m\r\n"),
            "a\\u{1b}[2Jb\\u{9b}31m\\r\\n"
        );
        assert_eq!(harmless("user\u{202e}txt.exe"), "user\\u{202e}txt.exe");
        assert_eq!(harmless("plain – “Grüße” 漢字"), "plain – “Grüße” 漢字");
    }

    #[test]
    fn json_means_the_same_after() {
        let text = "C1 \u{9b} turn \u{202e} tag \u{e0041} del \u{7f}";
        let json = serde_json::to_string(text).unwrap();
        let harmless = harmless_json(&json);
        assert!(harmless.is_ascii(), "{harmless}");
        assert_eq!(serde_json::from_str::<String>(&harmless).unwrap(), text);
    }
}
