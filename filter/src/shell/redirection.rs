//! Redirections and here-documents.

use super::parser::Parser;
use super::{Fault, Input, Simple};
use std::borrow::Cow;

/// A here-document whose text has not come yet.
pub struct Pending {
    pub(super) delimiter: String,
    pub(super) strip_tabs: bool,
    pub(super) quoted: bool,
    /// To which command it goes; `None` as long as that is being read.
    pub(super) command: Option<usize>,
}

impl Parser<'_> {
    /// Whether `<`, `>`, `&>` or `2>` begins here, and no process substitution.
    pub(super) fn at_redirection(&self) -> bool {
        let rest = self.cursor.rest();
        if rest.starts_with("&>") {
            return true;
        }
        let rest = match rest.strip_prefix('{') {
            // `{name}>file`
            Some(name) => match name.split_once('}') {
                Some((name, behind)) if is_name(name) => behind,
                _ => return false,
            },
            None => rest.trim_start_matches(|digit: char| digit.is_ascii_digit()),
        };
        let mut characters = rest.chars();
        match (characters.next(), characters.next()) {
            (Some('<' | '>'), second) => second != Some('('),
            _ => false,
        }
    }

    pub(super) fn redirection(&mut self, simple: &mut Simple) -> Result<(), Fault> {
        let descriptor = self
            .cursor
            .take_while(|next| !matches!(next, '<' | '>' | '&'));
        let is_input = descriptor.is_empty() || descriptor == "0";
        for operator in ["<<-", "<<<", "<<"] {
            if self.cursor.take(operator) {
                return self.here(operator, simple);
            }
        }
        let operator = ["&>>", "&>", "<>", "<&", ">>", ">&", ">|", ">", "<"]
            .into_iter()
            .find(|operator| self.cursor.take(operator))
            .unwrap_or("");
        self.blanks();
        let Some(target) = self.word()? else {
            self.note(Fault::Unexpected("a redirection without a file".to_owned()));
            return Ok(());
        };
        // `<&0` and `</dev/stdin` change nothing.
        let the_same = match operator {
            "<&" => target.known() == Some("0"),
            _ => target.known().is_some_and(is_standard_input),
        };
        if operator.starts_with('<') && is_input && !the_same {
            simple.input = Input::Elsewhere;
        }
        let duplicates =
            matches!(operator, "<&" | ">&") && target.known().is_some_and(is_descriptor);
        if !duplicates && target.known() != Some("/dev/null") {
            simple.redirections.push(target);
        }
        Ok(())
    }

    /// `<<WORD`, `<<-WORD`, `<<<WORD`, behind the operator.
    pub(super) fn here(&mut self, operator: &str, simple: &mut Simple) -> Result<(), Fault> {
        self.blanks();
        let from = self.cursor.at();
        let Some(word) = self.word()? else {
            self.note(Fault::Unexpected(operator.to_owned()));
            return Ok(());
        };
        if operator == "<<<" {
            simple.input = Input::Given {
                known: word.hidden.is_none(),
                text: word.text,
            };
            return Ok(());
        }
        // To dash the `$` is part of the delimiter.
        let delimiter = self.cursor.since(from);
        self.read_otherwise |= delimiter.contains("$'") || delimiter.contains("$\"");
        self.pending.push(Pending {
            quoted: word.bare_length < word.text.len() || !word.bare,
            delimiter: word.text,
            strip_tabs: operator == "<<-",
            command: None,
        });
        Ok(())
    }

    /// Redirections behind a compound command. A here-document there may be read by any shell within.
    pub(super) fn redirections_of_compound(&mut self, piped: &mut bool) -> Result<(), Fault> {
        *piped = false;
        let start = self.cursor;
        let mut simple = Simple::default();
        let here_documents = self.pending.len();
        let read = self.redirection(&mut simple);
        simple.source = self.cursor.since(start.at()).trim_end().to_owned();
        self.found.push(simple);
        let command = self.found.len().checked_sub(1);
        for pending in self.pending.iter_mut().skip(here_documents) {
            pending.command = pending.command.or(command);
        }
        read
    }

    /// Reads the text of the here-documents that were announced on the line that just ended.
    pub(super) fn here_documents(&mut self) -> Result<(), Fault> {
        for pending in std::mem::take(&mut self.pending) {
            let mut body = String::new();
            let mut delimited = false;
            while self.cursor.peek().is_some() {
                let line = self.cursor.take_line();
                let line: Cow<'_, str> = if pending.strip_tabs {
                    line.trim_start_matches('\t').into()
                } else {
                    line.into()
                };
                if line == pending.delimiter {
                    delimited = true;
                    break;
                }
                body.push_str(&line);
                body.push('\n');
            }
            self.continues |= !delimited;
            let input = match self.here_document(&body, pending.quoted) {
                Ok(input) => input,
                // The text ended where its delimiter says; only what is in it did not.
                Err(fault @ (Fault::Unfinished(_) | Fault::Unexpected(_))) => {
                    self.note(fault);
                    Input::Elsewhere
                }
                Err(fault) => return Err(fault),
            };
            if let Some(command) = pending.command.and_then(|at| self.found.get_mut(at)) {
                command.input = input;
            }
        }
        Ok(())
    }
}

fn is_name(text: &str) -> bool {
    !text.is_empty()
        && text
            .chars()
            .all(|letter| letter.is_ascii_alphanumeric() || letter == '_')
}

/// `1`, `2-`, `-`: another descriptor, no file.
fn is_descriptor(text: &str) -> bool {
    let digits = text.strip_suffix('-').unwrap_or(text);
    !text.is_empty() && digits.chars().all(|digit| digit.is_ascii_digit())
}

/// Whether a file is a name of standard input, however its path is written.
pub(crate) fn is_standard_input(path: &str) -> bool {
    if !path.starts_with('/') {
        return false;
    }
    let parts: Vec<&str> = path
        .split('/')
        .filter(|part| !matches!(*part, "" | "."))
        .collect();
    let is_zero = |text: &str| !text.is_empty() && text.chars().all(|digit| digit == '0');
    match parts.as_slice() {
        ["dev", "stdin"] => true,
        ["dev", "fd", number]
        | ["proc", _, "fd", number]
        | ["proc", _, "task", _, "fd", number] => is_zero(number),
        _ => false,
    }
}
