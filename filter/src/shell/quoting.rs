//! Words: quotes, backslashes, and what a shell expands.

use super::ansi_c;
use super::cursor::Cursor;
use super::parser::{Parser, Until};
use super::word::{Hidden, Word};
use super::{Fault, Input};

/// Characters that end a word where no quote protects them.
pub fn ends_word(character: char) -> bool {
    matches!(
        character,
        ' ' | '\t' | '\n' | ';' | '&' | '|' | '<' | '>' | '(' | ')'
    )
}

/// A word that is being read.
#[derive(Default)]
struct Growing {
    word: Word,
    /// Nothing but plain characters so far.
    bare: bool,
    /// `[` was there, and would make a pattern with `]`.
    bracket: bool,
    /// How many `{` are open, and whether `,` or `..` stood in them.
    braces: usize,
    separated: bool,
}

impl Growing {
    fn new() -> Self {
        Self {
            bare: true,
            ..Self::default()
        }
    }

    fn hide(&mut self, reason: Hidden) {
        self.word.hidden.get_or_insert(reason);
    }

    /// A quote, backslash or expansion begins.
    fn no_longer_bare(&mut self) {
        if self.bare {
            self.bare = false;
            self.word.bare_length = self.word.text.len();
        }
    }

    fn plain(&mut self, character: char) {
        match character {
            '*' | '?' => self.hide(Hidden::Pattern),
            '[' => self.bracket = true,
            ']' if self.bracket => self.hide(Hidden::Pattern),
            '{' => self.braces += 1,
            ',' if self.braces > 0 => self.separated = true,
            '.' if self.braces > 0 && self.word.text.ends_with('.') => self.separated = true,
            '}' if self.braces > 0 => {
                self.braces -= 1;
                if self.separated {
                    self.word.splits = true;
                    self.hide(Hidden::Braces);
                }
            }
            '~' if self.word.text.is_empty() && self.bare => self.word.tilde = true,
            _ => {}
        }
        self.word.text.push(character);
    }

    fn finish(mut self) -> Word {
        self.word.bare = self.bare && self.word.hidden.is_none();
        if self.bare {
            self.word.bare_length = self.word.text.len();
        }
        // `a[1]=x` is no pattern.
        if self.word.hidden == Some(Hidden::Pattern) && self.word.is_assignment() {
            self.word.hidden = None;
        }
        self.word
    }
}

impl Parser<'_> {
    /// The word that begins here. `None`: none does.
    pub(super) fn word(&mut self) -> Result<Option<Word>, Fault> {
        let start = self.cursor.at();
        let mut growing = Growing::new();
        if self.cursor.peek().is_some_and(|next| !ends_word(next)) {
            self.budget.word()?;
        }
        while let Some(next) = self.cursor.peek() {
            match next {
                '<' | '>' if self.cursor.second() == Some('(') => {
                    let from = self.cursor.at();
                    growing.no_longer_bare();
                    growing.hide(Hidden::Substitution);
                    self.cursor.next();
                    self.cursor.next();
                    self.commands(Until::Parenthesis)?;
                    growing.word.text.push_str(self.cursor.since(from));
                }
                '(' => {
                    if !self.group(&mut growing)? {
                        break;
                    }
                }
                _ if ends_word(next) => break,
                '\\' => self.backslash(&mut growing),
                '\'' => {
                    growing.no_longer_bare();
                    self.cursor.next();
                    let quoted = self.cursor.take_while(|character| character != '\'');
                    growing.word.text.push_str(quoted);
                    if self.cursor.next().is_none() {
                        return Err(Fault::Unfinished("a quote"));
                    }
                }
                '"' => {
                    growing.no_longer_bare();
                    self.cursor.next();
                    self.double_quoted(&mut growing)?;
                }
                '$' => self.dollar(&mut growing, false)?,
                '`' => self.backquoted(&mut growing, false)?,
                _ => {
                    self.cursor.next();
                    growing.plain(next);
                }
            }
        }
        Ok((self.cursor.at() > start).then(|| growing.finish()))
    }

    fn backslash(&mut self, growing: &mut Growing) {
        self.cursor.next();
        match self.cursor.next() {
            // A line that goes on is as if the break were not there.
            Some('\n') => {}
            Some(character) => {
                growing.no_longer_bare();
                growing.word.text.push(character);
            }
            // At the end of a script bash leaves it out; at the end of a line that it is given it is a letter.
            None => {
                self.continues = true;
                growing.no_longer_bare();
            }
        }
    }

    /// `name=( … )`, `@( … )` and zsh's `=( … )`. `false`: the parenthesis is none of the word's.
    fn group(&mut self, growing: &mut Growing) -> Result<bool, Fault> {
        let from = self.cursor.at();
        let text = growing.word.text.as_str();
        if text == "=" && growing.bare {
            self.cursor.next();
            self.commands(Until::Parenthesis)?;
            growing.hide(Hidden::Substitution);
        } else if growing.bare && text.ends_with('=') {
            self.cursor.next();
            self.deeper(Self::array)?;
        } else if text.ends_with(['?', '*', '+', '@', '!']) && !growing.word.tilde {
            // bash reads patterns here, fish runs commands: both are looked for.
            self.cursor.next();
            self.commands_of_other_shells()?;
            growing.hide(Hidden::Pattern);
        } else {
            return Ok(false);
        }
        growing.no_longer_bare();
        growing.word.text.push_str(self.cursor.since(from));
        Ok(true)
    }

    /// The words of an array, to its closing parenthesis.
    fn array(&mut self) -> Result<(), Fault> {
        loop {
            self.blanks_and_newlines();
            if self.cursor.take(")") {
                return Ok(());
            }
            if self.word()?.is_some() {
                continue;
            }
            match self.cursor.next() {
                Some(other) => self.note(Fault::Unexpected(format!("{other} in an array"))),
                None => return Err(Fault::Unfinished("an array")),
            }
        }
    }

    /// From behind `"` to the closing one.
    fn double_quoted(&mut self, growing: &mut Growing) -> Result<(), Fault> {
        self.expanding_text(growing, Some('"'))
    }

    /// Text in which a shell expands and does not split: to `end`, or to the end of the line.
    fn expanding_text(&mut self, growing: &mut Growing, end: Option<char>) -> Result<(), Fault> {
        loop {
            match self.cursor.peek() {
                None if end.is_none() => return Ok(()),
                None => return Err(Fault::Unfinished("a quote")),
                found if found == end => {
                    self.cursor.next();
                    return Ok(());
                }
                Some('\\') => {
                    self.cursor.next();
                    match self.cursor.next() {
                        Some('\n') => {}
                        Some(character @ ('$' | '`' | '\\')) => growing.word.text.push(character),
                        Some('"') if end == Some('"') => growing.word.text.push('"'),
                        Some(character) => {
                            growing.word.text.push('\\');
                            growing.word.text.push(character);
                        }
                        None => growing.word.text.push('\\'),
                    }
                }
                Some('$') => self.dollar(growing, true)?,
                Some('`') => self.backquoted(growing, true)?,
                Some(character) => {
                    self.cursor.next();
                    growing.word.text.push(character);
                }
            }
        }
    }

    /// What begins with `$`.
    fn dollar(&mut self, growing: &mut Growing, in_quotes: bool) -> Result<(), Fault> {
        let from = self.cursor.at();
        self.cursor.next();
        match self.cursor.peek() {
            Some('\'') if !in_quotes && self.ansi_c => {
                growing.no_longer_bare();
                self.cursor.next();
                let text = ansi_c::decode(&mut self.cursor);
                // To dash this is `$` and a quote that ends before.
                self.read_otherwise |= self.cursor.since(from).contains("\\'");
                growing
                    .word
                    .text
                    .push_str(&text.ok_or(Fault::Unfinished("a quote"))?);
                return Ok(());
            }
            Some('"') if !in_quotes && self.ansi_c => {
                growing.no_longer_bare();
                self.cursor.next();
                return self.double_quoted(growing);
            }
            Some('(') if self.cursor.looking_at("((") && self.closes_arithmetic()? => {
                self.cursor.take("((");
                self.arithmetic()?;
                growing.hide(Hidden::Arithmetic);
            }
            Some('(') => {
                self.cursor.next();
                self.commands(Until::Parenthesis)?;
                growing.hide(Hidden::Substitution);
            }
            Some('{') => {
                self.cursor.next();
                let runs = matches!(self.cursor.peek(), Some(' ' | '\t' | '\n' | '|'));
                if runs {
                    // ksh and bash 5.3: `${ command; }`.
                    self.cursor.take("|");
                    self.commands(Until::Brace)?;
                    growing.hide(Hidden::Substitution);
                } else {
                    self.parameter(in_quotes)?;
                    growing.hide(Hidden::Variable);
                }
            }
            Some('[') => {
                self.cursor.next();
                let inside = self.cursor;
                self.scan_to(']', "arithmetic")?;
                let inside = self.cursor.since(inside.at());
                if inside.contains([';', '&', '|', '\n', '(']) {
                    self.subshells(inside.strip_suffix(']').unwrap_or(inside))?;
                }
                growing.hide(Hidden::Arithmetic);
            }
            Some(letter) if letter.is_ascii_alphabetic() || letter == '_' => {
                self.cursor
                    .take_while(|next| next.is_ascii_alphanumeric() || next == '_');
                growing.hide(Hidden::Variable);
            }
            Some('0'..='9' | '@' | '*' | '#' | '?' | '-' | '$' | '!') => {
                self.cursor.next();
                growing.hide(Hidden::Variable);
            }
            _ => {
                growing.word.text.push('$');
                return Ok(());
            }
        }
        growing.no_longer_bare();
        let text = self.cursor.since(from);
        // `"$@"` does so in quotes, too.
        growing.word.splits |= !in_quotes || text.contains('@');
        growing.word.text.push_str(text);
        Ok(())
    }

    /// From behind `${` to its `}`.
    /// Between double quotes a single one is a letter like others in the word of `${x:-word}`, and a quote in the pattern of
    /// `${x#pattern}`.
    fn parameter(&mut self, in_quotes: bool) -> Result<(), Fault> {
        let mut ahead = self.cursor;
        ahead.take_while(|next| matches!(next, '!' | '#'));
        ahead.take_while(|next| next.is_ascii_alphanumeric() || matches!(next, '_' | '@' | '*'));
        if ahead.take("[") {
            ahead.take_while(|next| next != ']');
            ahead.take("]");
        }
        ahead.take(":");
        let is_word = matches!(ahead.peek(), Some('-' | '=' | '+' | '?'));
        let quotes = !(in_quotes && is_word);
        self.deeper(|parser| parser.scan('}', "${", quotes))
    }

    /// From behind `((` to behind `))`.
    pub(super) fn arithmetic(&mut self) -> Result<(), Fault> {
        self.scan_to(')', "arithmetic")?;
        self.cursor.take(")");
        Ok(())
    }

    /// To the `end` that belongs to what was opened before, over everything that is quoted, expanded or
    /// opened on the way. Commands in substitutions are found.
    fn scan_to(&mut self, end: char, what: &'static str) -> Result<(), Fault> {
        self.deeper(|parser| parser.scan(end, what, false))
    }

    fn scan(&mut self, end: char, what: &'static str, quotes: bool) -> Result<(), Fault> {
        let opens = match end {
            '}' => '{',
            ']' => '[',
            _ => '(',
        };
        let mut open = 0_usize;
        let mut aside = Growing::new();
        loop {
            match self.cursor.peek() {
                None => return Err(Fault::Unfinished(what)),
                Some('\\') => {
                    self.cursor.next();
                    self.cursor.next();
                }
                Some('\'') if quotes => {
                    self.cursor.next();
                    self.cursor.take_while(|character| character != '\'');
                    self.cursor.next();
                }
                Some('"') => {
                    self.cursor.next();
                    self.double_quoted(&mut aside)?;
                }
                Some('$') => self.dollar(&mut aside, true)?,
                Some('`') => self.backquoted(&mut aside, true)?,
                Some(character) => {
                    self.cursor.next();
                    if character == end {
                        if open == 0 {
                            return Ok(());
                        }
                        open -= 1;
                    } else if character == opens && end != '}' {
                        open += 1;
                    }
                }
            }
            aside.word.text.clear();
        }
    }

    /// Whether the `((` here is closed by `))`, as bash asks before it takes it for arithmetic.
    pub(super) fn closes_arithmetic(&self) -> Result<bool, Fault> {
        let mut ahead = self.cursor;
        let closes = closes_arithmetic(&mut ahead);
        // Looking ahead is cheaper than reading.
        self.budget.spend((ahead.at() - self.cursor.at()) / 4)?;
        Ok(closes)
    }

    /// A command in backquotes. Within, a backslash protects `$`, a backquote and itself.
    fn backquoted(&mut self, growing: &mut Growing, in_quotes: bool) -> Result<(), Fault> {
        let from = self.cursor.at();
        self.cursor.next();
        let mut script = String::new();
        loop {
            match self.cursor.next() {
                None => return Err(Fault::Unfinished("a backquote")),
                Some('`') => break,
                Some('\\') => match self.cursor.next() {
                    Some(character @ ('$' | '`' | '\\')) => script.push(character),
                    Some('"') if in_quotes => script.push('"'),
                    Some(character) => {
                        script.push('\\');
                        script.push(character);
                    }
                    None => return Err(Fault::Unfinished("a backquote")),
                },
                Some(character) => script.push(character),
            }
        }
        self.inner_script(&script)?;
        growing.no_longer_bare();
        growing.hide(Hidden::Substitution);
        growing.word.splits |= !in_quotes;
        growing.word.text.push_str(self.cursor.since(from));
        Ok(())
    }

    /// What a here-document gives, and which commands run to make it.
    pub(super) fn here_document(&mut self, body: &str, quoted: bool) -> Result<Input, Fault> {
        if quoted {
            return Ok(Input::Given {
                text: body.to_owned(),
                known: true,
            });
        }
        let mut inner = self.below(body)?;
        let mut growing = Growing::new();
        let read = inner.expanding_text(&mut growing, None);
        self.adopt(inner);
        read?;
        Ok(Input::Given {
            known: growing.word.hidden.is_none(),
            text: growing.word.text,
        })
    }
}

/// As [`Parser::closes_arithmetic`], from the place to which `ahead` goes.
fn closes_arithmetic(ahead: &mut Cursor<'_>) -> bool {
    ahead.take("((");
    let mut open = 0_usize;
    while let Some(character) = ahead.next() {
        match character {
            '\\' => {
                ahead.next();
            }
            '\'' => {
                ahead.take_while(|quoted| quoted != '\'');
                ahead.next();
            }
            '"' => loop {
                match ahead.next() {
                    Some('\\') => {
                        ahead.next();
                    }
                    Some('"') | None => break,
                    Some(_) => {}
                }
            },
            '(' => open += 1,
            ')' if open == 0 => return ahead.peek() == Some(')'),
            ')' => open -= 1,
            _ => {}
        }
    }
    false
}
