//! Which of several readings of an accepted line is the right one, and how sure that is.
use crate::action::Certainty;
use crate::line::{Reading, same_but_space, same_without_space};
use crate::typed::{Explained, Typed};

/// What is known of a line when it was accepted.
#[derive(Clone, Copy, Debug)]
pub struct Evidence<'a> {
    /// What the keys say.
    pub typed: &'a Typed,
    /// What the screen showed before the accepting key was passed, when all echo had come.
    pub before: Option<&'a Reading>,
    /// What it showed when the line was taken.
    pub after: Option<&'a Reading>,
    /// A line editor with bracketed paste read it.
    pub editor: bool,
    /// The line's start was seen while nothing moved.
    pub sure: bool,
    /// Something else printed into the line.
    pub disturbed: bool,
    /// No character of it was echoed.
    pub silent: bool,
    /// The last characters of it have not been echoed yet.
    pub unfinished: bool,
}

/// The decision.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Decision {
    /// There was no line.
    Nothing,
    /// It was typed without echo.
    Hidden,
    /// The line.
    Line(String, Certainty),
}

/// Nothing but one sign again and again, as password prompts show.
pub fn masked(text: &str) -> bool {
    let text = text.trim();
    let mut characters = text.chars();
    let Some(first) = characters.next() else {
        return false;
    };
    !first.is_alphanumeric() && characters.all(|c| c == first)
}

fn fully(typed: &Typed) -> bool {
    typed.explained() == Explained::Fully && !typed.text().trim().is_empty()
}

pub fn compact(text: &str) -> String {
    text.chars().filter(|c| !c.is_whitespace()).collect()
}

/// Whether all of `keys` stands in `shown`, in its order and in a few pieces: other output may have come in between. Both
/// without white space.
pub fn stands_in(keys: &str, shown: &str) -> bool {
    let most = 1 + keys.chars().count() / 6;
    let (mut keys, mut shown) = (keys, shown);
    for _ in 0..most {
        if keys.is_empty() {
            return true;
        }
        // The longest start of it that is there; ends are counted in characters.
        let ends: Vec<usize> = keys
            .char_indices()
            .map(|(at, c)| at + c.len_utf8())
            .collect();
        let (mut low, mut high) = (0, ends.len());
        let mut found = None;
        while low < high {
            let middle = (low + high) / 2;
            let end = ends.get(middle).copied().unwrap_or(0);
            match keys.get(..end).and_then(|start| shown.find(start)) {
                Some(at) => {
                    found = Some((at, end));
                    low = middle + 1;
                }
                None => high = middle,
            }
        }
        let Some((at, length)) = found else {
            return false;
        };
        shown = shown.get(at + length..).unwrap_or_default();
        keys = keys.get(length..).unwrap_or_default();
    }
    keys.is_empty()
}

/// Decides.
pub fn decide(evidence: Evidence<'_>) -> Decision {
    let Evidence {
        typed,
        before,
        after,
        editor,
        sure,
        disturbed,
        silent,
        unfinished,
    } = evidence;
    let keys = typed.text();
    let keys = keys.trim_end();
    let after = after.filter(|r| r.found && !r.text.is_empty());
    let before = before.filter(|r| r.found && !r.text.is_empty());
    let seen = after.or(before);
    let Some(seen) = seen else {
        return match () {
            () if typed.shown == 0 && keys.trim().is_empty() => Decision::Nothing,
            () if silent && (typed.explained() != Explained::No || !editor) => Decision::Hidden,
            () if fully(typed) && !silent && editor => {
                Decision::Line(keys.to_owned(), Certainty::Likely)
            }
            () if typed.explained() == Explained::Fully && !keys.is_empty() && !editor => {
                Decision::Hidden
            }
            () => Decision::Nothing,
        };
    };
    let shown = seen.text.as_str();
    let fully = fully(typed);
    if typed.explained() != Explained::No && !keys.is_empty() {
        // Printed text may miss what cannot be seen: tabs, blanks at a row's end.
        if shown == keys {
            return Decision::Line(keys.to_owned(), Certainty::Exact);
        }
        if same_but_space(shown, keys) {
            return Decision::Line(
                keys.to_owned(),
                if typed.tab && editor {
                    Certainty::Likely
                } else {
                    Certainty::Exact
                },
            );
        }
        if same_without_space(shown, keys) {
            return Decision::Line(keys.to_owned(), Certainty::Likely);
        }
    }
    if masked(shown) && keys != shown && typed.shown > 0 && (silent || fully) {
        return Decision::Hidden;
    }
    if silent && !editor && typed.explained() != Explained::No {
        return Decision::Hidden;
    }
    let (tight, whole) = (compact(keys), compact(shown));
    if typed.literal && !editor && tight.replace(char::is_control, "") == whole.replace('^', "") {
        return Decision::Line(keys.to_owned(), Certainty::Likely);
    }
    if fully && editor && unfinished && tight.starts_with(&whole) {
        // The asset is slow to show it.
        return Decision::Line(keys.to_owned(), Certainty::Likely);
    }
    if typed.explained() != Explained::No && !tight.is_empty() {
        // A line editor that scrolls sideways shows a part, marked at its edges.
        let part = whole.trim_matches(|c| matches!(c, '<' | '>' | '*'));
        if part.len() < whole.len() && part.len() >= 8 && tight.contains(part) {
            return Decision::Line(keys.to_owned(), Certainty::Likely);
        }
    }
    // A suggestion behind what was typed was not taken.
    let suggests = |reading: &Reading| {
        [&reading.without_tail, &reading.without_faint]
            .into_iter()
            .flatten()
            .any(|t| same_but_space(t, keys))
    };
    let explained = typed.explained() != Explained::No;
    // What was suggested before may have been taken since, by a key that only looks like a motion.
    let suggested = explained && suggests(seen)
        || fully && before.is_some_and(|b| b.text == seen.text && suggests(b));
    if !tight.is_empty() && suggested && shown.starts_with(keys) {
        return Decision::Line(keys.to_owned(), Certainty::Likely);
    }
    // So behind what stood there, or behind the cursor, where the line editor has made something else of the keys (an
    // abbreviation).
    if let Some(firm) = seen.without_faint.as_deref().filter(|f| !f.is_empty())
        && editor
        && (!explained
            || seen.without_tail.as_deref() == Some(firm)
            || before.is_some_and(|b| b.text == firm))
    {
        return Decision::Line(firm.to_owned(), Certainty::Likely);
    }
    if typed.ahead && fully && keys.ends_with(shown) {
        // A program has taken the first of it before it ended.
        return Decision::Line(shown.to_owned(), Certainty::Likely);
    }
    if fully {
        // What stands in front of it was no part of it.
        if whole.ends_with(&tight) || (disturbed || !editor) && stands_in(&tight, &whole) {
            return Decision::Line(keys.to_owned(), Certainty::Likely);
        }
        if !editor && whole.chars().count() >= 6 && tight.contains(&whole) {
            // The end of a row that was moved sideways.
            return Decision::Line(keys.to_owned(), Certainty::Likely);
        }
        if !editor {
            // Something else was printed where it would stand: nobody has seen it.
            return Decision::Hidden;
        }
    }
    // Blanks in a row may have been a tab.
    let plain = !shown.contains("  ")
        && !shown.contains('\n')
        && !shown.ends_with('>')
        && !shown.starts_with('<');
    let certainty = if sure && !disturbed && !seen.moved && after.is_some() && plain {
        Certainty::Exact
    } else {
        Certainty::Likely
    };
    Decision::Line(shown.to_owned(), certainty)
}

#[cfg(test)]
mod tests {
    use super::stands_in;

    #[test]
    fn keys_stand_in_what_shows_them_in_few_pieces() {
        assert!(stands_in("", "anything"));
        assert!(stands_in("lsconf", "$lsconf"));
        assert!(stands_in("catnotes.txt", "catno[1]+Donetes.txt"));
        assert!(stands_in("echo界", "$echo界"));
        assert!(!stands_in("Hunter12", "job2done"));
        assert!(!stands_in("Hunter12", "HjuobntdoneHer1122"));
        assert!(!stands_in("界", "a"));
        assert!(!stands_in("a界b界c", "xyz"));
        assert!(!stands_in("lsconf", ""));
    }
}
