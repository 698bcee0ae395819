//! Whether what the shell announced says all that the engine read.
//!
//! Who knows the token can announce anything. So a reading of the engine gives way to the same text only; what history
//! expansion makes of a line, the shell prints, and the engine has read.
#![forbid(unsafe_code)]

/// Whether nothing of `reading` is lost if `announced` is kept in its place: blanks apart, and the line ends of a construct, which
/// a shell may join to `;` or a blank.
pub(super) fn explains(announced: &str, reading: &str) -> bool {
    let announced = lines(announced).join("\n");
    let mut rest = announced.as_str();
    for (number, line) in lines(reading).into_iter().enumerate() {
        if number > 0 {
            let Some(next) = joint(rest) else {
                return false;
            };
            rest = next;
        }
        let Some(next) = rest.strip_prefix(line.as_str()) else {
            return false;
        };
        rest = next;
    }
    rest.is_empty() && !announced.is_empty()
}

/// What stands behind the place where two lines were joined.
fn joint(rest: &str) -> Option<&str> {
    ["; ", ";", "\n", " "]
        .iter()
        .find_map(|joint| rest.strip_prefix(joint))
}

/// The lines that are not empty, with single blanks.
fn lines(text: &str) -> Vec<String> {
    text.replace("\\\n", "")
        .lines()
        .map(|line| line.split_whitespace().collect::<Vec<_>>().join(" "))
        .filter(|line| !line.is_empty())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_line_and_the_lines_of_a_construct_are_explained() {
        for (announced, reading) in [
            ("ls -l", " ls  -l "),
            (
                "for i in 1 2; do echo loop; done",
                "for i in 1 2\ndo echo loop\ndone",
            ),
            ("if true; then echo x; fi", "if true\nthen\n  echo x\nfi"),
            ("echo a b", "echo a \\\nb"),
            ("one\ntwo\n\nthree", "one\ntwo\nthree"),
            ("cat <<x\nquince\nx", "cat <<x\nquince\nx"),
        ] {
            assert!(explains(announced, reading), "{announced:?} {reading:?}");
        }
    }

    #[test]
    fn what_the_announcement_does_not_say_is_not_explained() {
        for (announced, reading) in [
            ("echo harmless", "rm -r /srv"),
            ("ls", "^;rm -r /srv;^"),
            ("ls", "!$(rm${IFS}-r${IFS}/srv)"),
            ("rm-r/srv", "rm -r /srv"),
            ("echo areboot", "echo a; reboot"),
            ("true # ;rm -r /srv", "rm -r /srv"),
            ("echo quince", "!!"),
            ("one\ntwo", "two"),
            ("one", "one\ntwo"),
            ("", "ls"),
            ("ls", "l\ns"),
        ] {
            assert!(!explains(announced, reading), "{announced:?} {reading:?}");
        }
    }
}
