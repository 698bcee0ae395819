//! One simple command: assignments, words, redirections.

use super::cursor::Cursor;
use super::other_shells::Ampersand;
use super::parser::Parser;
use super::word::Word;
use super::{Fault, Input, Simple};

impl<'a> Parser<'a> {
    /// One simple command, whose first word was read already if there was one. `fed_from`: at which of the commands found the
    /// pipeline began whose output it gets.
    pub(super) fn simple(
        &mut self,
        start: Cursor<'a>,
        first: Option<Word>,
        fed_from: Option<usize>,
    ) -> Result<(), Fault> {
        let mut simple = Simple::default();
        if fed_from.is_some() {
            simple.input = Input::Elsewhere;
        }
        let here_documents = self.pending.len();
        let mut ampersand = None;
        let read = self.rest_of_simple(&mut simple, first, &mut ampersand);
        simple.source = self.cursor.since(start.at()).trim_end().to_owned();
        let behind_ampersand = ampersand.map(|ampersand| self.cursor.since(ampersand.at));
        let before_ampersand =
            ampersand.and_then(|ampersand| ampersand.before(&simple, start.at()));
        // Nothing at all is no command, and must not be read again.
        if self.cursor.at() == start.at() {
            let skipped = self.cursor.next();
            self.note(Fault::Unexpected(
                skipped.map(String::from).unwrap_or_default(),
            ));
            return read;
        }
        simple.fed_by = fed_from.map_or(0, |from| self.found.len().saturating_sub(from));
        self.found.push(simple);
        let command = self.found.len().checked_sub(1);
        for pending in self.pending.iter_mut().skip(here_documents) {
            pending.command = pending.command.or(command);
        }
        self.take(before_ampersand);
        read?;
        behind_ampersand.map_or(Ok(()), |text| self.behind_ampersand(text))
    }

    /// `ampersand`: the first `&>`.
    pub(super) fn rest_of_simple(
        &mut self,
        simple: &mut Simple,
        first: Option<Word>,
        ampersand: &mut Option<Ampersand>,
    ) -> Result<(), Fault> {
        let mut next = first;
        loop {
            if let Some(word) = next.take() {
                if simple.words.is_empty() && word.is_assignment() {
                    simple.assignments.push(word);
                } else {
                    simple.words.push(word);
                }
            }
            self.blanks();
            if self.at_redirection() {
                simple.redirected = true;
                if self.cursor.looking_at("&>") {
                    ampersand.get_or_insert(Ampersand {
                        at: self.cursor.at() + 1,
                        words: simple.words.len(),
                    });
                }
                self.redirection(simple)?;
                continue;
            }
            match self.word()? {
                Some(word) => next = Some(word),
                None if self.cursor.peek() == Some('(') => {
                    // A syntax error in sh; a command substitution in fish.
                    self.note(Fault::Unexpected("(".to_owned()));
                    self.cursor.next();
                    self.commands_of_other_shells()?;
                }
                None => return Ok(()),
            }
        }
    }
}
