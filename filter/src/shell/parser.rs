//! Commands: where a shell looks for them, and where each one ends.
//!
//! Reserved words open and close frames on a stack; only substitutions and process substitutions recurse. A word
//! where a shell would refuse the line is noted as the fault, and reading goes on as if a command began there.

use super::cursor::Cursor;
use super::quoting::ends_word;
use super::word::Word;
use super::{Budget, Comments, Fault, Input, MAX_COMMANDS, MAX_DEPTH, Script, Simple};
use std::borrow::Cow;

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

/// A compound command that is open.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Frame {
    Parenthesis,
    Brace,
    If,
    Loop,
    Case,
}

impl Frame {
    fn name(self) -> &'static str {
        match self {
            Self::Parenthesis => "(",
            Self::Brace => "{",
            Self::If => "if",
            Self::Loop => "a loop",
            Self::Case => "case",
        }
    }
}

/// The compound commands that are open, the innermost last.
#[derive(Default)]
struct Frames {
    /// What it is, and whether it gets another command's output.
    open: Vec<(Frame, bool)>,
}

impl Frames {
    fn innermost(&self) -> Option<Frame> {
        self.open.last().map(|open| open.0)
    }

    fn push(&mut self, frame: Frame, piped: bool) {
        self.open.push((frame, piped));
    }

    fn are_piped(&self) -> bool {
        self.open.iter().any(|open| open.1)
    }
}

/// A here-document whose text has not come yet.
struct Pending {
    delimiter: String,
    strip_tabs: bool,
    quoted: bool,
    /// To which command it goes; `None` as long as that is being read.
    command: Option<usize>,
}

pub struct Parser<'a> {
    pub(super) cursor: Cursor<'a>,
    depth: usize,
    found: Vec<Simple>,
    fault: Option<Fault>,
    pending: Vec<Pending>,
    comments: Comments,
    pub(super) budget: Budget,
    /// What stood behind a `#`, with it.
    behind_hash: Vec<&'a str>,
    pub(super) continues: bool,
    /// Whether `$'…'` is known, as dash does not.
    pub(super) ansi_c: bool,
    /// A shell without that would read the line otherwise.
    pub(super) read_otherwise: bool,
    /// Whether only the first whole line is of interest, and where it ends.
    only_first: bool,
    first_end: Option<usize>,
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

    /// Commands that dash would find in the line.
    fn read_without_ansi_c(&mut self, whole: Cursor<'a>) {
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
    fn take_of_other_shells(
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

    /// Commands that were found elsewhere. Beyond the bound they are a fault of the line, and need not all be kept.
    fn take(&mut self, found: impl IntoIterator<Item = Simple>) {
        let room = (2 * MAX_COMMANDS).saturating_sub(self.found.len());
        self.found.extend(found.into_iter().take(room));
    }

    /// Commands that a shell without comments would find behind a `#`.
    fn read_comments(&mut self) {
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

    fn bounded(&self) -> Result<(), Fault> {
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

    /// To the closing parenthesis: commands that fish would run here, and that the others do not take for such.
    pub(super) fn commands_of_other_shells(&mut self) -> Result<(), Fault> {
        let known = self.found.len();
        let read = self.commands(Until::Parenthesis);
        for simple in self.found.iter_mut().skip(known) {
            simple.other_shells = true;
        }
        read
    }

    fn list(&mut self, until: Until) -> Result<(), Fault> {
        let mut frames = Frames::default();
        // Whether a compound command just ended, after which only a separator or redirection may come.
        let mut closed = false;
        let mut piped = false;
        loop {
            self.bounded()?;
            if frames.open.len() + self.depth > MAX_DEPTH {
                return Err(Fault::TooDeep);
            }
            self.blanks();
            let Some(next) = self.cursor.peek() else {
                return self.end_of_text(until, &frames);
            };
            match next {
                '\n' | ';' | '&' | '|' => {
                    (piped, closed) = self.separator(&mut frames)?;
                    let whole = next == '\n' && frames.open.is_empty() && !self.continues;
                    if self.only_first && whole && self.depth == 1 {
                        self.first_end = Some(self.cursor.at());
                        return Ok(());
                    }
                    continue;
                }
                ')' => {
                    self.cursor.next();
                    if frames.innermost() == Some(Frame::Parenthesis) {
                        frames.open.pop();
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
            if until == Until::Brace && frames.open.is_empty() && reserved.as_deref() == Some("}") {
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
            self.simple(start, first, piped || frames.are_piped())?;
            piped = false;
        }
    }

    fn end_of_text(&mut self, until: Until, frames: &Frames) -> Result<(), Fault> {
        self.here_documents()?;
        match (frames.innermost(), until) {
            (Some(frame), _) => Err(Fault::Unfinished(frame.name())),
            (None, Until::End) => Ok(()),
            (None, Until::Parenthesis | Until::Brace) => Err(Fault::Unfinished("a substitution")),
        }
    }

    fn close(&mut self, frames: &Frames) -> Result<(), Fault> {
        if let Some(frame) = frames.innermost() {
            self.note(Fault::Unfinished(frame.name()));
        }
        Ok(())
    }

    /// Steps over a separator. Whether what follows gets the output of what was before, and whether a compound
    /// command ended behind it.
    fn separator(&mut self, frames: &mut Frames) -> Result<(bool, bool), Fault> {
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

    /// Opens or closes what a reserved word does. `Some(true)`: a compound command ended; `None`: no such word.
    fn reserved(
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
                    frames.open.pop();
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
                    self.simple(start, first, piped)?;
                }
                false
            }
            _ => return Ok(None),
        };
        Ok(Some(ends))
    }

    fn expect(&mut self, frames: &Frames, wanted: Frame, word: &str) {
        if frames.innermost() != Some(wanted) {
            self.note(Fault::Unexpected(word.to_owned()));
        }
    }

    fn leave(&mut self, frames: &mut Frames, wanted: Frame, word: &str) -> bool {
        self.expect(frames, wanted, word);
        if frames.innermost() == Some(wanted) {
            frames.open.pop();
        }
        true
    }

    /// Whether no `do` or `done` follows, so that a loop with braces is over.
    fn ends_short_loop(&self) -> bool {
        let mut ahead = self.cursor;
        ahead.take_while(|next| matches!(next, ' ' | '\t' | '\n' | ';'));
        let word = ahead.take_while(|next| next.is_ascii_alphabetic());
        !matches!(word, "do" | "done")
    }

    /// `NAME [in WORD…]` or `((…))`.
    fn for_header(&mut self) -> Result<(), Fault> {
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
    fn case_pattern(&mut self, frames: &mut Frames) -> Result<bool, Fault> {
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
                frames.open.pop();
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
    fn condition(&mut self) -> Result<(), Fault> {
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
    fn coprocess_name(&mut self) -> Result<(), Fault> {
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
    fn function_parentheses(&mut self) -> bool {
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

    /// One simple command, whose first word was read already if there was one.
    fn simple(&mut self, start: Cursor<'a>, first: Option<Word>, piped: bool) -> Result<(), Fault> {
        let mut simple = Simple::default();
        if piped {
            simple.input = Input::Elsewhere;
        }
        let here_documents = self.pending.len();
        let mut ampersand = None;
        let read = self.rest_of_simple(&mut simple, first, &mut ampersand);
        simple.source = self.cursor.since(start.at()).trim_end().to_owned();
        let behind_ampersand = ampersand.map(|at| self.cursor.since(at));
        // Nothing at all is no command, and must not be read again.
        if self.cursor.at() == start.at() {
            let skipped = self.cursor.next();
            self.note(Fault::Unexpected(
                skipped.map(String::from).unwrap_or_default(),
            ));
            return read;
        }
        self.found.push(simple);
        let command = self.found.len().checked_sub(1);
        for pending in self.pending.iter_mut().skip(here_documents) {
            pending.command = pending.command.or(command);
        }
        read?;
        behind_ampersand.map_or(Ok(()), |text| self.behind_ampersand(text))
    }

    /// `a &>file b` is `a &` and `>file b` to a shell that does not know `&>`, as dash does not.
    fn behind_ampersand(&mut self, text: &str) -> Result<(), Fault> {
        let mut inner = self.below(text)?;
        let read = inner.commands(Until::End);
        // A redirection alone runs nothing.
        inner.found.retain(|simple| !simple.words.is_empty());
        self.take_of_other_shells(inner, read)
    }

    /// `ampersand`: where the first `&` of a `&>` ended.
    fn rest_of_simple(
        &mut self,
        simple: &mut Simple,
        first: Option<Word>,
        ampersand: &mut Option<usize>,
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
                    ampersand.get_or_insert(self.cursor.at() + 1);
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

    /// Whether `<`, `>`, `&>` or `2>` begins here, and no process substitution.
    fn at_redirection(&self) -> bool {
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

    fn redirection(&mut self, simple: &mut Simple) -> Result<(), Fault> {
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
        if operator.starts_with('<') && is_input {
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
    fn here(&mut self, operator: &str, simple: &mut Simple) -> Result<(), Fault> {
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
    fn redirections_of_compound(&mut self, piped: &mut bool) -> Result<(), Fault> {
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
    fn here_documents(&mut self) -> Result<(), Fault> {
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

    fn blanks(&mut self) {
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
