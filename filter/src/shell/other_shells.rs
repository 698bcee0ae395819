//! What shells find in a line that bash reads otherwise, or not at all: dash, fish, an interactive zsh.

use super::cursor::Cursor;
use super::parser::{Parser, Until};
use super::{Comments, Fault, Simple};

/// The first `&>` of a simple command. `a &>file b` is `a &` and `>file b` to a shell that does not know it, as dash does not.
#[derive(Debug, Clone, Copy)]
pub(super) struct Ampersand {
    /// Where its `&` ended.
    pub at: usize,
    /// How many words stand before it.
    pub words: usize,
}

impl Ampersand {
    /// What such a shell runs in the background, if it is less than the whole command, which began at `start`.
    pub(super) fn before(self, simple: &Simple, start: usize) -> Option<Simple> {
        if !(1..simple.words.len()).contains(&self.words) {
            return None;
        }
        let length = self.at.saturating_sub(start + 1);
        let source = simple.source.get(..length).unwrap_or(&simple.source);
        Some(Simple {
            words: simple.words.iter().take(self.words).cloned().collect(),
            source: source.trim_end().to_owned(),
            other_shells: true,
            ..simple.clone()
        })
    }
}

impl<'a> Parser<'a> {
    /// Commands that dash would find in the line.
    pub(super) fn read_without_ansi_c(&mut self, whole: Cursor<'a>) {
        if let Err(fault) = self.budget.spend(whole.rest().len()) {
            return self.note(fault);
        }
        let budget = self.budget.clone();
        let mut inner = Parser::new(whole.rest(), self.depth, self.comments, budget);
        inner.ansi_c = false;
        let read = inner.commands(Until::End);
        if let Err(fault) = self.take_of_other_shells(inner, read) {
            self.note(fault);
        }
    }

    /// Takes what another shell would find. That the line is wrong for it is of no interest, that it is too much is.
    pub(super) fn take_of_other_shells(
        &mut self,
        inner: Parser<'_>,
        read: Result<(), Fault>,
    ) -> Result<(), Fault> {
        self.take(inner.found.into_iter().map(|simple| Simple {
            other_shells: true,
            ..simple
        }));
        match read {
            Ok(()) | Err(Fault::Unfinished(_) | Fault::Unexpected(_)) => self.bounded(),
            Err(fault) => Err(fault),
        }
    }

    /// Commands that a shell without comments would find behind a `#`.
    pub(super) fn read_comments(&mut self) {
        for comment in std::mem::take(&mut self.behind_hash) {
            if !comment.contains([';', '&', '|', '$', '`', '(']) {
                continue;
            }
            if let Err(fault) = self.budget.spend(comment.len()) {
                return self.note(fault);
            }
            let budget = self.budget.clone();
            let mut inner = Parser::new(comment, self.depth, Comments::Words, budget);
            // Those that have comments find no fault in it.
            match inner.commands(Until::End) {
                Ok(()) | Err(Fault::Unfinished(_) | Fault::Unexpected(_)) => {}
                Err(fault) => self.note(fault),
            }
            let words_of_the_command_before = |simple: &Simple| {
                let first = simple.words.first();
                first.is_some_and(|word| word.text.starts_with('#'))
            };
            let commands = inner
                .found
                .into_iter()
                .filter(|simple| !words_of_the_command_before(simple));
            self.take(commands);
            if let Err(fault) = self.bounded() {
                return self.note(fault);
            }
        }
    }

    /// `((…))` is a subshell in a subshell to a shell without arithmetic commands; `$[` is a word to one without that.
    pub(super) fn subshells(&mut self, text: &str) -> Result<(), Fault> {
        let mut inner = self.below(text)?;
        let read = inner.commands(Until::End);
        self.take_of_other_shells(inner, read)
    }

    /// To the closing parenthesis: commands that fish would run here, and that the others do not take for such.
    pub(super) fn commands_of_other_shells(&mut self) -> Result<(), Fault> {
        let known = self.found.len();
        let read = self.commands(Until::Parenthesis);
        for simple in self.found.iter_mut().skip(known) {
            simple.other_shells = true;
        }
        read
    }

    /// What such a shell runs after an [`Ampersand`].
    pub(super) fn behind_ampersand(&mut self, text: &str) -> Result<(), Fault> {
        let mut inner = self.below(text)?;
        let read = inner.commands(Until::End);
        // A redirection alone runs nothing.
        inner.found.retain(|simple| !simple.words.is_empty());
        self.take_of_other_shells(inner, read)
    }
}
