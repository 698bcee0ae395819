//! What stands behind a command's options in `--help`: examples, and remarks.
//!
//! Blocks are parted by empty lines. One that begins with `Example:` or `Examples:` holds examples; others are remarks, whose
//! lines that are moved to the right are commands or tables and stay as they are.
#![forbid(unsafe_code)]

/// The two, apart.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct AfterHelp {
    /// Lines for a shell.
    pub examples: Vec<String>,
    /// The rest, in order.
    pub remarks: Vec<Remark>,
}

/// A paragraph of a remark.
#[derive(Debug, PartialEq, Eq)]
pub enum Remark {
    /// Sentences, whose lines may be filled anew.
    Text(String),
    /// Lines that stay as they are.
    Lines(Vec<String>),
}

impl AfterHelp {
    /// Reads what `command` says.
    pub fn of(command: &clap::Command) -> Self {
        let text = command.get_after_help().map(ToString::to_string);
        Self::read(&text.unwrap_or_default())
    }

    fn read(text: &str) -> Self {
        let mut read = Self::default();
        for block in text.split("\n\n") {
            let rest = block
                .strip_prefix("Examples:\n")
                .or(block.strip_prefix("Example:\n"));
            match rest {
                Some(examples) => read.examples.extend(moved(examples)),
                None => read.remark(block),
            }
        }
        read
    }

    /// A block may go from sentences to lines and back.
    fn remark(&mut self, block: &str) {
        let mut remarks: Vec<Remark> = Vec::new();
        for line in block.lines() {
            match (line.strip_prefix("  "), remarks.last_mut()) {
                (Some(line), Some(Remark::Lines(lines))) => lines.push(line.to_owned()),
                (Some(line), _) => remarks.push(Remark::Lines(vec![line.to_owned()])),
                (None, Some(Remark::Text(text))) => {
                    text.push(' ');
                    text.push_str(line);
                }
                (None, _) => remarks.push(Remark::Text(line.to_owned())),
            }
        }
        self.remarks.extend(remarks);
    }
}

fn moved(lines: &str) -> impl Iterator<Item = String> {
    lines.lines().map(|line| line.trim_start().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn examples_and_remarks_are_told_apart() {
        let read = AfterHelp::read(
            "One\nsentence.\n\nExamples:\n  jmsctl a\n  jmsctl b | c\n\nMore:\n  jmsctl d\n    e",
        );
        assert_eq!(read.examples, ["jmsctl a", "jmsctl b | c"]);
        assert_eq!(
            read.remarks,
            [
                Remark::Text("One sentence.".into()),
                Remark::Text("More:".into()),
                Remark::Lines(vec!["jmsctl d".into(), "  e".into()]),
            ]
        );
        assert_eq!(AfterHelp::read(""), AfterHelp::default());
    }
}
