//! Hostile text in sentences for people: on their terminals, in syslog.

/// So many characters of it stand in a sentence.
const IN_A_SENTENCE: usize = 80;

/// Text for a sentence: one line, no control characters, not too long.
pub fn shown(text: &str) -> String {
    let mut shown: String = text
        .chars()
        .take(IN_A_SENTENCE)
        .map(|one| if one.is_control() { ' ' } else { one })
        .collect();
    if text.chars().nth(IN_A_SENTENCE).is_some() {
        shown.push('…');
    }
    shown
}
