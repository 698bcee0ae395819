//! Lists: what stands between separators, and where compound commands open and close.

use super::frames::{Frame, Frames};
use super::parser::{Parser, Until};
use super::{Fault, MAX_DEPTH};

impl Parser<'_> {
    pub(super) fn list(&mut self, until: Until) -> Result<(), Fault> {
        let mut frames = Frames::behind(self.found.len());
        // Whether a compound command just ended, after which only a separator or redirection may come.
        let mut closed = false;
        let mut piped = false;
        loop {
            self.bounded()?;
            if frames.count() + self.depth > MAX_DEPTH {
                return Err(Fault::TooDeep);
            }
            self.blanks();
            let Some(next) = self.cursor.peek() else {
                return self.end_of_text(until, &frames);
            };
            match next {
                '\n' | ';' | '&' | '|' => {
                    // Line ends behind a `|` change nothing.
                    let waits = piped && !closed && next == '\n';
                    (piped, closed) = self.separator(&mut frames)?;
                    piped |= waits;
                    if !piped {
                        frames.begin_pipeline(self.found.len());
                    }
                    let whole = next == '\n' && frames.count() == 0 && !self.continues;
                    if self.only_first && whole && self.depth == 1 {
                        self.first_end = Some(self.cursor.at());
                        return Ok(());
                    }
                    continue;
                }
                ')' => {
                    self.cursor.next();
                    if frames.innermost() == Some(Frame::Parenthesis) {
                        frames.pop();
                        closed = true;
                    } else if until == Until::Parenthesis {
                        return self.close(&frames);
                    } else {
                        self.note(Fault::Unexpected(")".to_owned()));
                    }
                    continue;
                }
                '(' => {
                    if closed {
                        self.note(Fault::Unexpected("(".to_owned()));
                    }
                    if self.cursor.looking_at("((") && self.closes_arithmetic()? {
                        self.cursor.take("((");
                        let from = self.cursor.at();
                        self.arithmetic()?;
                        let inside = self.cursor.since(from);
                        let inside = inside.strip_suffix("))").unwrap_or(inside);
                        self.subshells(inside)?;
                        closed = true;
                    } else {
                        self.cursor.next();
                        frames.push(Frame::Parenthesis, piped);
                        closed = false;
                    }
                    continue;
                }
                _ => {}
            }
            if closed && self.at_redirection() {
                self.redirections_of_compound(&mut piped)?;
                continue;
            }
            self.continues = false;
            let start = self.cursor;
            let first = if self.at_redirection() {
                None
            } else {
                self.word()?
            };
            let reserved = first
                .as_ref()
                .filter(|word| word.bare)
                .map(|word| word.text.clone());
            if until == Until::Brace && frames.count() == 0 && reserved.as_deref() == Some("}") {
                return self.close(&frames);
            }
            if let Some(reserved) = reserved
                && let Some(ends) = self.reserved(&reserved, &mut frames, piped)?
            {
                if closed && !ends {
                    self.note(Fault::Unexpected(reserved));
                }
                closed = ends;
                continue;
            }
            if closed {
                let what = first.as_ref().map_or("", |word| word.text.as_str());
                self.note(Fault::Unexpected(what.to_owned()));
            }
            closed = false;
            if first.is_some() && self.function_parentheses() {
                // Its body is to come.
                self.continues = true;
                continue;
            }
            self.simple(start, first, frames.feeding(piped))?;
            piped = false;
        }
    }

    pub(super) fn end_of_text(&mut self, until: Until, frames: &Frames) -> Result<(), Fault> {
        self.here_documents()?;
        match (frames.innermost(), until) {
            (Some(frame), _) => Err(Fault::Unfinished(frame.name())),
            (None, Until::End) => Ok(()),
            (None, Until::Parenthesis | Until::Brace) => Err(Fault::Unfinished("a substitution")),
        }
    }

    pub(super) fn close(&mut self, frames: &Frames) -> Result<(), Fault> {
        if let Some(frame) = frames.innermost() {
            self.note(Fault::Unfinished(frame.name()));
        }
        Ok(())
    }

    /// Steps over a separator. Whether what follows gets the output of what was before, and whether a compound
    /// command ended behind it.
    pub(super) fn separator(&mut self, frames: &mut Frames) -> Result<(bool, bool), Fault> {
        if self.cursor.take(";;&") || self.cursor.take(";;") || self.cursor.take(";&") {
            if frames.innermost() == Some(Frame::Case) {
                return Ok((false, self.case_pattern(frames)?));
            }
            self.note(Fault::Unexpected(";;".to_owned()));
            return Ok((false, false));
        }
        if self.cursor.take("||") || self.cursor.take("&&") {
            self.continues = true;
            return Ok((false, false));
        }
        match self.cursor.next() {
            Some('|') => {
                self.cursor.take("&");
                self.continues = true;
                Ok((true, false))
            }
            Some('\n') => {
                self.here_documents()?;
                Ok((false, false))
            }
            _ => Ok((false, false)),
        }
    }
}
