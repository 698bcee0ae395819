//! What was typed at the menu. Pure; it knows neither grants nor terminals.
//!
//! Trusts nothing: any text has a meaning or is a question about it.
#![forbid(unsafe_code)]

use crate::request::{self, Request, RequestError};

/// What a line asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Typed {
    /// An empty line: the next page, if there is one.
    Nothing,
    /// `p`: the list of assets.
    List,
    /// `n`: the next page.
    Next,
    /// `b`: the page before.
    Back,
    /// `/TEXT`: the assets that it fits.
    Search(String),
    /// `//TEXT`: those of the shown list that it fits.
    SearchShown(String),
    /// A line of the shown list, from 1.
    Number(usize),
    /// `g`: asset groups.
    Groups,
    /// `g3`: the assets of the group with this number, from 1.
    Group(usize),
    /// `r`: read everything anew.
    Refresh,
    /// `s`: own sessions.
    Sessions,
    /// `h`, `?`.
    Help,
    /// `q`.
    Quit,
    /// A word of ours, or `SYSTEM_USER@ASSET` with or without a command.
    Request(Request),
    /// A word of ours with arguments that it does not have.
    Error(RequestError),
    /// Anything else: an asset, or a part of one.
    Name(String),
}

/// Understands a line.
#[must_use]
pub fn parse(line: &str) -> Typed {
    let line = line.trim();
    if let Some(text) = line.strip_prefix("//") {
        return Typed::SearchShown(text.trim().to_owned());
    }
    if let Some(text) = line.strip_prefix('/') {
        return Typed::Search(text.trim().to_owned());
    }
    match line {
        "" => Typed::Nothing,
        "p" | "P" => Typed::List,
        "n" | "N" => Typed::Next,
        "b" | "B" => Typed::Back,
        "g" | "G" => Typed::Groups,
        "r" | "R" => Typed::Refresh,
        "s" | "S" => Typed::Sessions,
        "h" | "H" | "?" => Typed::Help,
        "q" | "Q" | "exit" | "quit" | "logout" => Typed::Quit,
        _ => number(line).unwrap_or_else(|| word(line)),
    }
}

/// `12`, `g3`, `g 3`.
fn number(line: &str) -> Option<Typed> {
    let (group, digits) = match line.strip_prefix(['g', 'G']) {
        Some(digits) => (true, digits.trim_start()),
        None => (false, line),
    };
    if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    // A number that is too large is on no list.
    let number = digits.parse().unwrap_or(usize::MAX);
    Some(if group {
        Typed::Group(number)
    } else {
        Typed::Number(number)
    })
}

fn word(line: &str) -> Typed {
    let first = line.split([' ', '\t']).next().unwrap_or_default();
    let ours = jms::names::VERBS.contains(&first);
    if !ours && !first.contains('@') {
        return Typed::Name(line.to_owned());
    }
    match request::parse(None, Some(line.as_bytes()), true) {
        Ok(Request::Menu) => Typed::Nothing,
        Ok(request) => Typed::Request(request),
        Err(error) => Typed::Error(error),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::request::Verb;
    use proptest::prelude::*;

    #[test]
    fn the_letters_that_fingers_know() {
        for (line, typed) in [
            ("", Typed::Nothing),
            (" p ", Typed::List),
            ("P", Typed::List),
            ("n", Typed::Next),
            ("b", Typed::Back),
            ("g", Typed::Groups),
            ("g12", Typed::Group(12)),
            ("g 3", Typed::Group(3)),
            ("r", Typed::Refresh),
            ("s", Typed::Sessions),
            ("h", Typed::Help),
            ("?", Typed::Help),
            ("q", Typed::Quit),
            ("exit", Typed::Quit),
            ("7", Typed::Number(7)),
            ("99999999999999999999999", Typed::Number(usize::MAX)),
            ("/web 生产", Typed::Search("web 生产".into())),
            ("//1", Typed::SearchShown("1".into())),
            ("10.0.0.1", Typed::Name("10.0.0.1".into())),
            ("web1 uptime", Typed::Name("web1 uptime".into())),
            ("gateway", Typed::Name("gateway".into())),
        ] {
            assert_eq!(parse(line), typed, "{line}");
        }
    }

    #[test]
    fn the_words_of_the_command_line_mean_the_same() {
        assert_eq!(
            parse("whoami --json"),
            Typed::Request(Request::Verb(Verb::Whoami { json: true }))
        );
        assert_eq!(parse("ls a b"), Typed::Error(RequestError::Usage("ls")));
        let Typed::Request(Request::Connect(connect)) = parse("dev@web1 top -b") else {
            panic!("no connection")
        };
        assert_eq!(connect.wording.to_string(), "dev@web1");
        assert_eq!(connect.command.as_deref(), Some(&b"top -b"[..]));
        assert!(connect.terminal);
        assert!(matches!(
            parse("connect web1"),
            Typed::Request(Request::Connect(_))
        ));
        assert!(matches!(
            parse("dev@we;b"),
            Typed::Error(RequestError::BadTarget(_))
        ));
    }

    proptest! {
        #[test]
        fn every_line_has_a_meaning(line in any::<String>()) {
            let _ = parse(&line);
        }
    }
}
