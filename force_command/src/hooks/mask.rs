//! The token is shown to nobody, wherever in the output it stands (`set -x`, `declare -p` and whoever looks for it).
//!
//! Nothing but the token itself is changed, and nothing is held back but what can hardly be anything else.
#![forbid(unsafe_code)]

use jms::id::Token;

/// What stands in its place: as wide, so that nothing of the screen moves.
const MASK: u8 = b'*';
/// So many of its characters are waited behind; fewer are shown, and tell nobody anything.
const WAIT: usize = 8;

/// See the module.
pub(super) struct Mask {
    token: Token,
    /// So many characters of the token are the last of what was said.
    matched: usize,
    /// So many of these were shown.
    shown: usize,
}

impl Mask {
    /// For this token.
    pub(super) fn new(token: Token) -> Self {
        Self {
            token,
            matched: 0,
            shown: 0,
        }
    }

    /// What others are to see of the output.
    pub(super) fn feed(&mut self, bytes: &[u8]) -> Vec<u8> {
        let token = self.token.reveal().as_bytes();
        let mut text = token.get(..self.matched).unwrap_or_default().to_vec();
        text.extend_from_slice(bytes);
        let mut from = 0;
        while let Some(place) = text
            .get(from..)
            .and_then(|rest| memchr::memmem::find(rest, token))
        {
            let (start, end) = (from + place, from + place + token.len());
            if let Some(found) = text.get_mut(start..end) {
                found.fill(MASK);
            }
            from = end;
        }
        let matched = (1..token.len())
            .rev()
            .find(|length| {
                token
                    .get(..*length)
                    .is_some_and(|start| text.ends_with(start))
            })
            .unwrap_or(0);
        let begins = text.len() - matched;
        let known = self.shown.saturating_sub(begins);
        let shown = if matched >= WAIT { known } else { matched };
        let out = text
            .get(self.shown..begins + shown)
            .unwrap_or_default()
            .to_vec();
        (self.matched, self.shown) = (matched, shown);
        out
    }

    /// No more comes: what was held back was not all of it.
    pub(super) fn end(&mut self) -> Vec<u8> {
        let held = self.token.reveal().as_bytes().get(self.shown..self.matched);
        let held = held.unwrap_or_default().to_vec();
        (self.matched, self.shown) = (0, 0);
        held
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TOKEN: &str = "0a1122334455667788990a1b2c3d4e5f";

    fn mask() -> Mask {
        Mask::new(Token::parse(TOKEN).unwrap())
    }

    #[test]
    fn the_token_is_not_shown_however_the_reads_cut_it() {
        let output = format!("one {TOKEN}{TOKEN} 0a0a11 {TOKEN} two 0a11");
        let masked = output.replace(TOKEN, &"*".repeat(32));
        for cut in 0..output.len() {
            let mut mask = mask();
            let mut seen = mask.feed(&output.as_bytes()[..cut]);
            seen.extend(mask.feed(&output.as_bytes()[cut..]));
            seen.extend(mask.end());
            assert_eq!(seen.len(), masked.len(), "cut at {cut}");
            let seen = String::from_utf8(seen).unwrap();
            assert!(!seen.contains(&TOKEN[..WAIT]), "cut at {cut}: {seen}");
            assert!(seen.starts_with("one ") && seen.ends_with(" two 0a11"));
        }
    }

    #[test]
    fn a_few_characters_of_it_are_not_waited_behind() {
        let mut mask = mask();
        assert_eq!(mask.feed(b"echo 0a"), b"echo 0a");
        assert_eq!(mask.feed(b"1"), b"1");
        assert_eq!(mask.feed(b"x"), b"x");
        assert_eq!(mask.feed(b"0a112233"), b"");
        assert_eq!(mask.feed(b"!"), b"0a112233!");
    }

    proptest::proptest! {
        #[test]
        fn what_is_not_the_token_passes_unchanged(
            parts in proptest::collection::vec("(0a11|0a112233445566778899|x|\\PC){0,8}", 0..20),
        ) {
            let mut mask = mask();
            let mut seen = Vec::new();
            for part in &parts {
                seen.extend(mask.feed(part.as_bytes()));
            }
            seen.extend(mask.end());
            proptest::prop_assert_eq!(seen, parts.concat().into_bytes());
        }
    }
}
