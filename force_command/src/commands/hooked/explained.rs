//! Whether what the shell announced says all that the engine read.
//!
//! Who knows the token can announce anything. So a reading of the engine gives way to an announcement only if its text stands
//! there, too; what a history expansion stood for is the one thing that the engine cannot know.
#![forbid(unsafe_code)]

/// Whether nothing of `reading` is lost if `announced` is kept in its place.
pub(super) fn explains(announced: &str, reading: &str) -> bool {
    let read = plain(reading);
    let segments: Vec<String> = announced
        .replace("\\\n", "")
        .split(['\n', ';'])
        .map(plain)
        .collect();
    (0..segments.len()).any(|first| {
        let mut rest = Some(read.as_str());
        for segment in segments.get(first..).unwrap_or_default() {
            rest = rest.and_then(|rest| rest.strip_prefix(segment.as_str()));
            match rest {
                Some("") => return true,
                Some(_) => {}
                None => return false,
            }
        }
        false
    }) || expanded(&plain(announced), reading)
}

/// Without what a shell changes when it joins the lines of a construct.
fn plain(text: &str) -> String {
    let mut text = text.replace("\\\n", "");
    text.retain(|c| !c.is_whitespace() && c != ';');
    text
}

/// Whether `announced` may be what history expansion made of `reading`: all of it that is no expansion is there, in order.
fn expanded(announced: &str, reading: &str) -> bool {
    if let Some(change) = reading.trim_start().strip_prefix('^') {
        return change.contains('^');
    }
    let mut expands = false;
    let mut rest = Some(announced);
    for (number, piece) in pieces(reading).into_iter().enumerate() {
        expands |= number > 0;
        let piece = plain(&piece);
        rest = rest.and_then(|rest| match (number, piece.is_empty()) {
            (_, true) => Some(rest),
            (0, _) => rest.strip_prefix(piece.as_str()),
            _ => rest
                .find(piece.as_str())
                .and_then(|place| rest.get(place + piece.len()..)),
        });
    }
    expands && rest.is_some()
}

/// What stands before, between and behind the expansions of `reading`.
fn pieces(reading: &str) -> Vec<String> {
    let mut pieces = vec![String::new()];
    let mut characters = reading.chars().peekable();
    while let Some(character) = characters.next() {
        let begins = character == '!'
            && characters
                .peek()
                .is_some_and(|next| !next.is_whitespace() && !matches!(next, '=' | '(' | '"'));
        if begins {
            let ends = |c: &char| c.is_whitespace() || matches!(c, ';' | '&' | '|' | '<' | '>');
            while characters.next_if(|c| !ends(c)).is_some() {}
            pieces.push(String::new());
        } else if let Some(piece) = pieces.last_mut() {
            piece.push(character);
        }
    }
    pieces
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_line_and_the_lines_of_a_construct_are_explained() {
        for (announced, reading) in [
            ("ls -l", " ls -l "),
            (
                "for i in 1 2; do echo loop; done",
                "for i in 1 2\ndo echo loop\ndone",
            ),
            ("for i in 1 2; do echo loop; done", "do echo loop"),
            ("echo a b", "echo a \\\nb"),
            ("one\ntwo\nthree", "two\nthree"),
            ("cat <<x\nquince\nx", "cat <<x\nquince\nx"),
        ] {
            assert!(explains(announced, reading), "{announced:?} {reading:?}");
        }
    }

    #[test]
    fn what_history_stood_for_is_explained_by_the_rest_of_the_line() {
        for (announced, reading) in [
            ("echo quince", "!!"),
            ("sudo echo quince", "sudo !!"),
            ("head -n 1 conf/app.ini", "head -n 1 !$"),
            ("cp a b && ls a", "cp !^ b && ls !^:s/b/a/"),
            ("echo two", "^one^two"),
        ] {
            assert!(explains(announced, reading), "{announced:?} {reading:?}");
        }
    }

    #[test]
    fn what_the_announcement_does_not_say_is_not_explained() {
        for (announced, reading) in [
            ("echo harmless", "rm -r /srv"),
            ("echo harmless", "rm -r /srv # !!"),
            ("echo harmless", "! rm -r /srv"),
            ("echo pulse", "ls"),
            ("echo harmless", "^rm"),
            ("", "ls"),
            ("echo harmless", "!! && rm -r /srv"),
        ] {
            assert!(!explains(announced, reading), "{announced:?} {reading:?}");
        }
    }
}
