//! Whatever comes in, what comes out is harmless: checked by other code than the filter's.
use super::safe;
use crate::replay::Safe;
use proptest::prelude::{ProptestConfig, any, prop, prop_assert, prop_assert_eq, proptest};

/// Whether `text` holds nothing but text and sequences of an allowed form; written apart from the
/// filter, by looking at what comes out.
fn harmless(text: &str) -> Result<(), String> {
    let mut rest = text;
    while let Some(c) = rest.chars().next() {
        rest = &rest[c.len_utf8()..];
        match c {
            '\x1b' => {}
            '\x08'..='\r' => continue,
            _ if c.is_control() => return Err(format!("control {c:?}")),
            _ => continue,
        }
        let Some(after) = rest.strip_prefix('[') else {
            if !rest.starts_with(['7', '8', 'D', 'E', 'M']) {
                return Err(format!("escape {rest:?}"));
            }
            rest = &rest[1..];
            continue;
        };
        let end = after
            .find(|c: char| !matches!(c, '0'..='9' | ';' | ':' | '?'))
            .ok_or("unfinished")?;
        let (parameters, last) = (&after[..end], after[end..].chars().next().unwrap());
        rest = &after[end + 1..];
        let good = match parameters.strip_prefix('?') {
            Some(mode) => {
                ["6", "7", "25", "47", "1047", "1048", "1049"].contains(&mode)
                    && matches!(last, 'h' | 'l')
            }
            None if last == 'm' => parameters.split([';', ':']).all(|part| part.len() <= 3),
            None => {
                let parts: Vec<_> = parameters.split(';').collect();
                let form = match last {
                    'h' | 'l' => parameters == "4",
                    's' | 'u' => parameters.is_empty(),
                    'J' | 'K' => ["", "0", "1", "2"].contains(&parameters),
                    'H' | 'f' | 'r' => parts.len() <= 2,
                    _ => parts.len() == 1 && "ABCDEFGILMPSTXZ@`abde".contains(last),
                };
                form && parts
                    .iter()
                    .all(|part| part.len() <= 4 && !part.contains(':'))
            }
        };
        if !good {
            return Err(format!("sequence {parameters:?} {last:?}"));
        }
    }
    Ok(())
}

/// Text that is rich in what terminals understand.
fn terminal_text() -> impl prop::strategy::Strategy<Value = String> {
    let piece = prop::sample::select(vec![
        "\x1b", "\x1b[", "\x1b]", "\x1bP", "\x1b_", "\x1b(", "[", "]", "?", ">", ";", ":", "0",
        "1", "4", "8", "25", "38", "1049", "2004", "99999", "h", "l", "m", "J", "t", "n", "c", "r",
        "T", "$", " ", "!", "p", "q", "\\", "\x07", "\x18", "\x0e", "\x0f", "\n", "\r", "\0",
        "\x7f", "\u{9b}", "\u{9c}", "\u{9d}", "€", "\u{202e}", "text",
    ]);
    prop::strategy::Strategy::prop_map(prop::collection::vec(piece, 0..60), |pieces| {
        pieces.concat()
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4000))]
    #[test]
    fn whatever_comes_in_only_harmless_sequences_come_out(text in terminal_text()) {
        let mut filter = Safe::new();
        let shown = filter.push(&text);
        prop_assert_eq!(harmless(&shown), Ok(()), "{:?} gave {:?}", text, shown);
        prop_assert_eq!(harmless(&filter.finish()), Ok(()));
        prop_assert_eq!(safe(&shown), shown, "it changes what it made itself");
    }

    #[test]
    fn any_cut_gives_the_same(text in terminal_text(), cuts in prop::collection::vec(any::<prop::sample::Index>(), 0..6)) {
        let mut filter = Safe::new();
        let mut cuts: Vec<_> = cuts.iter().map(|cut| cut.index(text.len() + 1)).collect();
        cuts.retain(|cut| text.is_char_boundary(*cut));
        cuts.sort_unstable();
        let mut shown = String::new();
        let mut start = 0;
        for cut in cuts.into_iter().chain([text.len()]) {
            shown += &filter.push(&text[start..cut]);
            start = cut;
        }
        prop_assert_eq!(shown, safe(&text));
    }

    #[test]
    fn any_text_at_all_is_made_harmless(text in any::<String>()) {
        prop_assert!(harmless(&safe(&text)).is_ok());
    }
}
