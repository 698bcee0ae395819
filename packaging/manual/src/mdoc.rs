//! Text for pages in mdoc(7).
#![forbid(unsafe_code)]

/// Text within a line: nothing in it is an escape.
pub fn escaped(text: &str) -> String {
    text.replace('\\', "\\e").replace('-', "\\-")
}

/// Lines of text, code in backticks set in bold, none of them a macro.
pub fn text(lines: &str) -> String {
    let mut code = false;
    let mut out = String::new();
    // A sentence begins a line: mdoc(7) wants to know where one ends.
    let lines = lines.replace(". ", ".\n");
    for line in lines.lines().filter(|line| !line.trim().is_empty()) {
        let line = escaped(line.trim());
        if line.starts_with(['.', '\'']) {
            out.push_str("\\&");
        }
        for (number, piece) in line.split('`').enumerate() {
            if number > 0 {
                code = !code;
                out.push_str(if code { "\\fB" } else { "\\fR" });
            }
            out.push_str(piece);
        }
        out.push('\n');
    }
    out
}

/// Words behind a macro, none of them a macro or a delimiter itself.
pub fn words(text: &str) -> String {
    let protected = |word: &str| {
        let word = escaped(word).replace('"', "\\(dq");
        if word.chars().count() <= 3 {
            format!("\\&{word}")
        } else {
            word
        }
    };
    text.split_whitespace()
        .map(protected)
        .collect::<Vec<_>>()
        .join(" ")
}

/// A list of words with what they mean, the words in the style of `style` (`Cm`, `Ev`, `Pa`, …; empty: plain).
pub fn list<'a>(style: &str, rows: impl IntoIterator<Item = (&'a str, &'a str)>) -> String {
    let mut out = String::from(".Bl -tag -width Ds\n");
    for (word, what) in rows {
        let tag = format!(".It {style} {}\n", words(word)).replace("  ", " ");
        out.push_str(&tag);
        out.push_str(&text(what));
    }
    out.push_str(".El\n");
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_becomes_a_macro_or_an_escape() {
        assert_eq!(text(".Sh x\n'y\\n"), "\\&.Sh x\n\\&'y\\en\n");
        assert_eq!(text("One. Two."), "One.\nTwo.\n");
        assert_eq!(text("a `b-c` d"), "a \\fBb\\-c\\fR d\n");
        assert_eq!(
            words("Nm | connect \"x\""),
            "\\&Nm \\&| connect \\(dqx\\(dq"
        );
        assert_eq!(
            list("Cm", [("ls", "what")]),
            ".Bl -tag -width Ds\n.It Cm \\&ls\nwhat\n.El\n"
        );
    }
}
