//! What the menu says.
#![forbid(unsafe_code)]

use std::fmt;

/// A sentence of the menu.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Menu<'a> {
    /// The first line: who, and how much there is.
    Greeting {
        /// The user.
        user: &'a str,
        /// How many assets he may reach.
        assets: usize,
    },
    /// The keys.
    Keys,
    /// Where they are, for a window that is too small for them.
    KeysElsewhere,
    /// What precedes the line that is typed.
    Prompt,
    /// Which part of something long is shown, and how to go on.
    Part {
        /// The first row, from 1.
        from: usize,
        /// The last.
        to: usize,
        /// Of so many.
        of: usize,
        /// Whether there is more after it.
        more: bool,
    },
    /// Nothing is granted.
    NoAssets,
    /// Nothing that was looked for is granted.
    NothingFits(&'a str),
    /// Several assets fit.
    SeveralFit {
        /// What was typed.
        text: &'a str,
        /// How many.
        count: usize,
    },
    /// No row has this number.
    NoSuchNumber(usize),
    /// No group has this number.
    NoSuchGroup(usize),
    /// No asset group holds a granted asset.
    NoGroups,
    /// How to see the assets of a group.
    GroupHint,
    /// The heading of a group's assets.
    Group(&'a str),
    /// No session yet.
    NoSessions,
    /// The answer of a word is empty.
    Empty,
    /// There is no page in this direction.
    NoMorePages,
    /// Everything was read anew.
    Refreshed(usize),
    /// Which of several targets.
    Choose(&'a str),
    /// What precedes the choice that is typed.
    ChoicePrompt,
    /// What was typed is none of the choices.
    NotAChoice,
    /// The line is longer than anything that it could ask for.
    LineTooLong,
}

// The first blanks are escaped: a line that follows a backslash loses its own.
const KEYS: &str = "\
\x20 p             lists your assets; n and b turn the pages
  NUMBER        connects to that line of the list
  NAME          connects to the asset with this name, or with this part of its
                name, address or comment if no other has it
  /TEXT         searches; //TEXT searches in what was found
  g, g NUMBER   asset groups; the assets of one
  s             your own sessions
  r             reads everything anew
  h or ?        this help
  q             the end; Ctrl-D is, too
  SYSTEM_USER@ASSET [COMMAND] and the words of `help` are understood as well
";

impl fmt::Display for Menu<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Greeting { user, assets: 1 } => write!(f, "{user}: 1 asset"),
            Self::Greeting { user, assets } => write!(f, "{user}: {assets} assets"),
            Self::Keys => f.write_str(KEYS.trim_end_matches('\n')),
            Self::KeysElsewhere => f.write_str("h helps"),
            Self::Prompt => f.write_str("jms> "),
            Self::Part {
                from,
                to,
                of,
                more: true,
            } => {
                write!(f, "{from}–{to} of {of}; n next, b back")
            }
            Self::Part {
                from,
                to,
                of,
                more: false,
            } => write!(f, "{from}–{to} of {of}; b back"),
            Self::NoAssets => f.write_str("nothing is granted to you yet; ask your administrator"),
            Self::NothingFits(text) => write!(
                f,
                "nothing that you may reach fits “{text}”; p lists it, h helps"
            ),
            Self::SeveralFit { text, count } => write!(f, "{count} fit “{text}”:"),
            Self::NoSuchNumber(number) => write!(f, "the list has no line {number}; p shows it"),
            Self::NoSuchGroup(number) => write!(f, "there is no group {number}; g lists them"),
            Self::NoGroups => f.write_str("no asset group holds anything that you may reach"),
            Self::GroupHint => f.write_str("g NUMBER lists the assets of one"),
            Self::Group(path) => write!(f, "{path}:"),
            Self::NoSessions => f.write_str("you have had no session yet"),
            Self::Empty => f.write_str("there is nothing to show"),
            Self::NoMorePages => f.write_str("there is no more; p begins again"),
            Self::Refreshed(1) => f.write_str("1 asset"),
            Self::Refreshed(assets) => write!(f, "{assets} assets"),
            Self::Choose(target) => write!(f, "{target} may be:"),
            Self::ChoicePrompt => f.write_str("which? "),
            Self::NotAChoice => f.write_str("that is none of them; an empty line leaves it"),
            Self::LineTooLong => f.write_str("that is too long"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_keys_fit_the_smallest_usual_window() {
        let keys = Menu::Keys.to_string();
        assert!(
            keys.starts_with("  p ") && keys.lines().count() < 14,
            "{keys}"
        );
        for line in keys.lines() {
            assert!(line.chars().count() <= 80, "{line}");
        }
    }
}
