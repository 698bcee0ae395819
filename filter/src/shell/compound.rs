//! Reserved words, and what stands between them that is no command: names, patterns, conditions.

use super::frames::{Frame, Frames};
use super::parser::{Parser, words};
use super::quoting::ends_word;
use super::{Fault, Simple};

impl Parser<'_> {
    /// Opens or closes what a reserved word does. `Some(true)`: a compound command ended; `None`: no such word.
    pub(super) fn reserved(
        &mut self,
        word: &str,
        frames: &mut Frames,
        piped: bool,
    ) -> Result<Option<bool>, Fault> {
        let ends = match word {
            "if" => {
                frames.push(Frame::If, piped);
                false
            }
            "while" | "until" => {
                frames.push(Frame::Loop, piped);
                false
            }
            "for" | "select" => {
                frames.push(Frame::Loop, piped);
                self.for_header()?;
                false
            }
            "case" => {
                self.blanks();
                self.word()?;
                self.blanks_and_newlines();
                if self.word()?.is_none_or(|word| word.text != "in") {
                    self.note(Fault::Unexpected("case without in".to_owned()));
                }
                frames.push(Frame::Case, piped);
                self.case_pattern(frames)?
            }
            "function" => {
                self.blanks();
                self.word()?;
                self.function_parentheses();
                false
            }
            "{" => {
                frames.push(Frame::Brace, piped);
                false
            }
            "then" | "elif" | "else" => {
                self.expect(frames, Frame::If, word);
                false
            }
            "do" => {
                self.expect(frames, Frame::Loop, word);
                false
            }
            "fi" => self.leave(frames, Frame::If, word),
            "done" => self.leave(frames, Frame::Loop, word),
            "esac" => self.leave(frames, Frame::Case, word),
            "}" => {
                // `for x in a; { …; }` ends with its brace.
                let left = self.leave(frames, Frame::Brace, word);
                if frames.innermost() == Some(Frame::Loop) && self.ends_short_loop() {
                    frames.pop();
                }
                left
            }
            "[[" => {
                self.condition()?;
                true
            }
            "!" => false,
            // Behind a pipe it is a program like any other.
            "time" if !piped => {
                for option in ["-p", "--"] {
                    self.blanks();
                    let mut ahead = self.cursor;
                    if ahead.take(option) && ahead.peek().is_none_or(ends_word) {
                        self.cursor = ahead;
                    }
                }
                false
            }
            "coproc" => {
                self.coprocess_name()?;
                // Here, too, it is a program.
                if self.cursor.looking_at("time") {
                    let start = self.cursor;
                    let first = self.word()?;
                    self.simple(start, first, frames.feeding(piped))?;
                }
                false
            }
            _ => return Ok(None),
        };
        Ok(Some(ends))
    }

    pub(super) fn expect(&mut self, frames: &Frames, wanted: Frame, word: &str) {
        if frames.innermost() != Some(wanted) {
            self.note(Fault::Unexpected(word.to_owned()));
        }
    }

    pub(super) fn leave(&mut self, frames: &mut Frames, wanted: Frame, word: &str) -> bool {
        self.expect(frames, wanted, word);
        if frames.innermost() == Some(wanted) {
            frames.pop();
        }
        true
    }

    /// Whether no `do` or `done` follows, so that a loop with braces is over.
    pub(super) fn ends_short_loop(&self) -> bool {
        let mut ahead = self.cursor;
        ahead.take_while(|next| matches!(next, ' ' | '\t' | '\n' | ';'));
        let word = ahead.take_while(|next| next.is_ascii_alphabetic());
        !matches!(word, "do" | "done")
    }

    /// `NAME [in WORD…]` or `((…))`.
    pub(super) fn for_header(&mut self) -> Result<(), Fault> {
        self.blanks();
        if self.cursor.take("((") {
            return self.arithmetic();
        }
        self.word()?;
        self.blanks_and_newlines();
        let before = self.cursor;
        match self.word()? {
            Some(word) if word.bare && word.text == "in" => loop {
                self.blanks();
                if self.word()?.is_none() {
                    return Ok(());
                }
            },
            _ => {
                self.cursor = before;
                Ok(())
            }
        }
    }

    /// A pattern with its parenthesis, or `esac`: then the command is over.
    pub(super) fn case_pattern(&mut self, frames: &mut Frames) -> Result<bool, Fault> {
        self.blanks_and_newlines();
        let before = self.cursor;
        self.cursor.take("(");
        let mut first = true;
        loop {
            self.blanks();
            let word = self.word()?;
            if first
                && word
                    .as_ref()
                    .is_some_and(|word| word.bare && word.text == "esac")
            {
                frames.pop();
                self.cursor = before;
                self.word()?;
                return Ok(true);
            }
            first = false;
            self.blanks();
            match self.cursor.peek() {
                Some(')') => {
                    self.cursor.next();
                    return Ok(false);
                }
                Some('|') => {
                    self.cursor.next();
                }
                None => return Err(Fault::Unfinished("case")),
                Some(other) if word.is_none() => {
                    self.note(Fault::Unexpected(format!("{other} in a pattern")));
                    return Ok(false);
                }
                Some(_) => self.note(Fault::Unexpected("a second word in a pattern".to_owned())),
            }
        }
    }

    /// From behind `[[` to behind `]]`. A shell without `[[` takes it for a program, and runs what stands behind
    /// `&&` or `||`.
    pub(super) fn condition(&mut self) -> Result<(), Fault> {
        let mut other: Option<Simple> = None;
        let mut open = 0_usize;
        loop {
            self.bounded()?;
            self.blanks_and_newlines();
            let word = self.word()?;
            let closes = word
                .as_ref()
                .is_some_and(|word| word.bare && word.text == "]]");
            match word {
                Some(word) if !closes => {
                    if let Some(simple) = &mut other {
                        simple.words.push(word);
                    }
                    continue;
                }
                _ => {}
            }
            let operator = self.cursor.looking_at("&&") || self.cursor.looking_at("||");
            if closes || operator {
                if let Some(mut simple) = other.take().filter(|simple| !simple.words.is_empty()) {
                    simple.source = words(&simple.words);
                    self.found.push(simple);
                }
                other = Some(Simple {
                    other_shells: true,
                    ..Simple::default()
                });
            }
            if closes {
                return Ok(());
            }
            if operator {
                self.cursor.next();
            }
            match self.cursor.peek() {
                Some('(') => open += 1,
                Some(')') if open > 0 => open -= 1,
                Some(';' | '&' | '|' | ')') if !operator => {
                    self.note(Fault::Unfinished("[["));
                    return Ok(());
                }
                None => return Err(Fault::Unfinished("[[")),
                Some(_) => {}
            }
            self.cursor.next();
        }
    }

    /// `coproc NAME { …; }`: steps over the name.
    pub(super) fn coprocess_name(&mut self) -> Result<(), Fault> {
        self.blanks();
        let before = self.cursor;
        self.word()?;
        self.blanks();
        if !matches!(self.cursor.peek(), Some('{' | '(')) {
            self.cursor = before;
        }
        Ok(())
    }

    /// Steps over the `()` of a function's definition.
    pub(super) fn function_parentheses(&mut self) -> bool {
        let before = self.cursor;
        self.blanks();
        if self.cursor.take("(") {
            self.blanks();
            if self.cursor.take(")") {
                return true;
            }
        }
        self.cursor = before;
        false
    }
}
