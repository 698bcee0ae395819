//! Commands: where a shell looks for them, and where each one ends.
//!
//! Reserved words open and close frames on a stack; only substitutions and process substitutions recurse. A word
//! where a shell would refuse the line is noted as the fault, and reading goes on as if a command began there.

use super::cursor::Cursor;
use super::redirection::Pending;
use super::word::Word;
use super::{Budget, Comments, Fault, MAX_COMMANDS, MAX_DEPTH, Script, Simple};

/// Where a list of commands ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Until {
    /// At the end of the line.
    End,
    /// At the `)` that closes a substitution.
    Parenthesis,
    /// At the `}` that closes `${ command; }`.
    Brace,
}

pub struct Parser<'a> {
    pub(super) cursor: Cursor<'a>,
    pub(super) depth: usize,
    pub(super) found: Vec<Simple>,
    pub(super) fault: Option<Fault>,
    pub(super) pending: Vec<Pending>,
    pub(super) comments: Comments,
    pub(super) budget: Budget,
    /// What stood behind a `#`, with it.
    pub(super) behind_hash: Vec<&'a str>,
    pub(super) continues: bool,
    /// Whether `$'…'` is known, as dash does not.
    pub(super) ansi_c: bool,
    /// A shell without that would read the line otherwise.
    pub(super) read_otherwise: bool,
    /// Whether only the first whole line is of interest, and where it ends.
    pub(super) only_first: bool,
    pub(super) first_end: Option<usize>,
}

impl<'a> Parser<'a> {
    pub fn new(line: &'a str, depth: usize, comments: Comments, budget: Budget) -> Self {
        Self {
            cursor: Cursor::new(line),
            depth,
            found: Vec::new(),
            fault: None,
            pending: Vec::new(),
            comments,
            budget,
            behind_hash: Vec::new(),
            continues: false,
            ansi_c: true,
            read_otherwise: false,
            only_first: false,
            first_end: None,
        }
    }

    /// Reads no further than to the first line end behind which a shell would run what came before it. `Ok(None)`: there is
    /// none; `Err`: that cannot be known.
    pub fn first_line(mut self) -> Result<Option<usize>, Fault> {
        self.only_first = true;
        match self.commands(Until::End) {
            Ok(()) | Err(Fault::Unfinished(_) | Fault::Unexpected(_)) => Ok(self.first_end),
            Err(fault) => Err(fault),
        }
    }

    pub fn script(mut self) -> Script {
        let whole = self.cursor;
        let read = if self.depth > MAX_DEPTH {
            Err(Fault::TooDeep)
        } else {
            self.budget
                .spend(self.cursor.rest().len())
                .and_then(|()| self.commands(Until::End))
        };
        if let Err(fault) = read {
            self.note(fault);
        }
        self.read_comments();
        if self.read_otherwise {
            self.read_without_ansi_c(whole);
        }
        // Commands around the one that was too many are found behind it.
        self.found.truncate(2 * MAX_COMMANDS);
        Script {
            commands: self.found,
            fault: self.fault,
            continues: self.continues,
        }
    }

    /// Commands that were found elsewhere. Beyond the bound they are a fault of the line, and need not all be kept.
    pub(super) fn take(&mut self, found: impl IntoIterator<Item = Simple>) {
        let room = (2 * MAX_COMMANDS).saturating_sub(self.found.len());
        self.found.extend(found.into_iter().take(room));
    }

    /// Keeps the first fault.
    pub(super) fn note(&mut self, fault: Fault) {
        self.fault.get_or_insert(fault);
    }

    /// A parser for text that stands in this one.
    pub(super) fn below<'b>(&self, text: &'b str) -> Result<Parser<'b>, Fault> {
        if self.depth >= MAX_DEPTH {
            return Err(Fault::TooDeep);
        }
        self.budget.spend(text.len())?;
        let budget = self.budget.clone();
        let mut inner = Parser::new(text, self.depth + 1, self.comments, budget);
        inner.ansi_c = self.ansi_c;
        Ok(inner)
    }

    /// Takes what an inner parser found.
    pub(super) fn adopt(&mut self, mut inner: Parser<'_>) {
        inner.read_comments();
        self.read_otherwise |= inner.read_otherwise;
        self.take(inner.found);
        if let Some(fault) = inner.fault {
            self.note(fault);
        }
    }

    /// Commands in text that had to be unquoted first.
    pub(super) fn inner_script(&mut self, text: &str) -> Result<(), Fault> {
        let mut inner = self.below(text)?;
        let read = inner.commands(Until::End);
        self.adopt(inner);
        match read {
            // The text is whole; only what is in it is not.
            Err(fault @ (Fault::Unfinished(_) | Fault::Unexpected(_))) => self.note(fault),
            other => other?,
        }
        self.bounded()
    }

    pub(super) fn bounded(&self) -> Result<(), Fault> {
        if self.found.len() > MAX_COMMANDS {
            Err(Fault::TooMany)
        } else {
            Ok(())
        }
    }

    /// Reads commands to `until`, which is stepped over.
    pub(super) fn commands(&mut self, until: Until) -> Result<(), Fault> {
        self.deeper(|parser| parser.list(until))
    }

    /// Whatever may stand in itself is read through here.
    pub(super) fn deeper<T>(
        &mut self,
        read: impl FnOnce(&mut Self) -> Result<T, Fault>,
    ) -> Result<T, Fault> {
        if self.depth >= MAX_DEPTH {
            return Err(Fault::TooDeep);
        }
        self.depth += 1;
        let done = read(self);
        self.depth -= 1;
        done
    }

    pub(super) fn blanks(&mut self) {
        loop {
            self.cursor.take_while(|next| matches!(next, ' ' | '\t'));
            if self.cursor.take("\\\n") {
                continue;
            }
            if self.comments != Comments::Words && self.cursor.peek() == Some('#') {
                let comment = self.cursor.take_while(|next| next != '\n');
                if self.comments == Comments::AlsoRead {
                    self.behind_hash.push(comment);
                }
            }
            return;
        }
    }

    pub(super) fn blanks_and_newlines(&mut self) {
        loop {
            self.blanks();
            if !self.cursor.take("\n") {
                return;
            }
        }
    }
}

/// The words as one text.
pub fn words(words: &[Word]) -> String {
    let texts: Vec<&str> = words.iter().map(|word| word.text.as_str()).collect();
    texts.join(" ")
}
