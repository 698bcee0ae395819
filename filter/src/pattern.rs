//! `--command 'rm -rf'`: a program and, if given, flags and words.
//!
//! To forbid, a pattern is read widely: flags in any order and spelling, other words between. To allow, narrowly:
//! exactly these arguments. `*` in a word stands for anything within one part of a path; the word `...` at the end of an
//! allowing pattern for whatever follows.

use crate::look_into::{Command, Opaque};
use crate::program::{self, Token};
use crate::shell::{self, Hidden, Word};
use std::collections::HashSet;
use std::fmt;

/// The folders in which a program that is named without one is expected.
const SYSTEM_FOLDERS: &[&str] = &[
    "/bin",
    "/sbin",
    "/usr/bin",
    "/usr/sbin",
    "/usr/local/bin",
    "/usr/local/sbin",
];

/// What is wrong with the text of a pattern.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PatternError {
    /// There is no program in it.
    Empty,
    /// It is more than one command, or has redirections, variables or substitutions.
    NoPlainCommand,
    /// It cannot be read.
    Unreadable(shell::Fault),
}

impl fmt::Display for PatternError {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Empty => write!(out, "it names no program"),
            Self::NoPlainCommand => write!(
                out,
                "a command is a program with flags and words (* within a word), without ; | & < > $ ` and quotes around them; use --regex for anything else"
            ),
            Self::Unreadable(fault) => write!(out, "it cannot be read: {fault}"),
        }
    }
}

impl std::error::Error for PatternError {}

/// An operand, and how it is compared.
#[derive(Debug, Clone)]
struct Operand {
    word: Word,
    /// An absolute path in its plainest form.
    text: String,
}

impl Operand {
    fn new(word: &Word) -> Self {
        let text = if word.text.starts_with('/') {
            plain_path(&word.text)
        } else {
            word.text.clone()
        };
        Self {
            word: word.clone(),
            text,
        }
    }
}

/// A command of the line, with its arguments sorted once for all rules.
pub struct Given<'a> {
    command: &'a Command,
    /// The program as it was written.
    path: &'a str,
    /// Without its folder.
    name: &'a str,
    flags: HashSet<String>,
    operands: Vec<Operand>,
    /// The texts of the operands.
    texts: HashSet<String>,
}

impl<'a> Given<'a> {
    /// `None`: the line does not say which program it is.
    pub fn new(command: &'a Command) -> Option<Self> {
        let name = command.program()?;
        let path = command.simple.words.first()?.known()?;
        let sorted = program::arguments(name, command.simple.words.iter().skip(1));
        let operands: Vec<Operand> = sorted.operands.into_iter().map(Operand::new).collect();
        Some(Self {
            command,
            path,
            name,
            flags: sorted.flags.into_iter().collect(),
            texts: operands
                .iter()
                .map(|operand| operand.text.clone())
                .collect(),
            operands,
        })
    }

    /// The program's name without its folder.
    pub fn program(&self) -> &str {
        self.name
    }

    /// Whether there are arguments that are not known.
    pub fn hides(&self) -> bool {
        let mut arguments = self.command.simple.words.iter().skip(1);
        self.command.more_arguments || arguments.any(|word| word.hidden.is_some())
    }

    /// Whether the flag is there. A long one may be cut (getopt_long(3)).
    fn has(&self, flag: &str) -> bool {
        if self.flags.contains(flag) {
            return true;
        }
        let shortest = "--x".len();
        flag.starts_with("--")
            && (shortest..flag.len())
                .filter_map(|length| flag.get(..length))
                .any(|cut| self.flags.contains(cut))
    }
}

/// A parsed pattern.
#[derive(Debug, Clone)]
pub struct Pattern {
    program: String,
    words: Vec<Word>,
    flags: Vec<String>,
    operands: Vec<Operand>,
    /// `...` ended it.
    open: bool,
    ignore_case: bool,
}

impl Pattern {
    /// Reads a pattern as it is written in a rule.
    pub fn parse(text: &str, ignore_case: bool) -> Result<Self, PatternError> {
        let script = shell::parse(text);
        if let Some(fault) = script.fault {
            return Err(PatternError::Unreadable(fault));
        }
        let [simple] = script.commands.as_slice() else {
            return Err(if script.commands.is_empty() {
                PatternError::Empty
            } else {
                PatternError::NoPlainCommand
            });
        };
        let plain = simple.assignments.is_empty()
            && simple.redirections.is_empty()
            && simple.input == shell::Input::Inherited
            && simple
                .words
                .iter()
                .all(|word| matches!(word.hidden, None | Some(Hidden::Pattern)));
        let (Some(first), true) = (simple.words.first(), plain) else {
            return Err(PatternError::NoPlainCommand);
        };
        if first.hidden.is_some() {
            return Err(PatternError::NoPlainCommand);
        }
        if first.text.is_empty() {
            return Err(PatternError::Empty);
        }
        let mut words: Vec<Word> = simple.words.iter().skip(1).cloned().collect();
        let open = words.last().is_some_and(|word| word.text == "...");
        if open {
            words.pop();
        }
        let program = first.text.clone();
        let name = program.rsplit('/').next().unwrap_or(&program);
        let sorted = program::arguments(name, words.iter());
        Ok(Self {
            flags: sorted.flags,
            operands: sorted.operands.into_iter().map(Operand::new).collect(),
            program,
            words,
            open,
            ignore_case,
        })
    }

    /// The program's name without its folder, by which rules are found.
    pub fn program(&self) -> &str {
        self.program.rsplit('/').next().unwrap_or(&self.program)
    }

    /// Program, flags and words, without the `...`.
    pub fn words(&self) -> Vec<Word> {
        let mut words = vec![Word::literal(&self.program)];
        words.extend(self.words.iter().cloned());
        words
    }

    /// Whether only the program is named.
    pub fn is_program_only(&self) -> bool {
        self.words.is_empty() && !self.open
    }

    /// Whether `given` is one that this pattern is meant to catch.
    pub fn catches(&self, given: &Given<'_>) -> bool {
        self.names(given) && self.flags.iter().all(|flag| given.has(flag)) && self.has_words(given)
    }

    fn names(&self, given: &Given<'_>) -> bool {
        if self.program.contains('/') {
            self.equal(given.path, &self.program)
        } else {
            self.equal(given.name, &self.program)
        }
    }

    /// Whether all words are there, in their order.
    fn has_words(&self, given: &Given<'_>) -> bool {
        let mut operands = given.operands.iter();
        // A word that is nowhere need not be looked for in its place.
        let somewhere = self.ignore_case
            || self
                .operands
                .iter()
                .all(|wanted| wanted.word.hidden.is_some() || given.texts.contains(&wanted.text));
        somewhere
            && self
                .operands
                .iter()
                .all(|wanted| operands.any(|one| self.operand_matches(wanted, one)))
    }

    /// What keeps it from being known whether this pattern catches `given`, which it does not as far as can be seen.
    pub fn may_catch(&self, given: &Given<'_>) -> Option<Opaque> {
        if !self.names(given) {
            return None;
        }
        let arguments = || given.command.simple.words.iter().skip(1);
        let argument = |word: &Word| word.hidden.map(Opaque::Argument);
        let more = given
            .command
            .more_arguments
            .then_some(Opaque::MoreArguments);
        let as_flag = arguments()
            .take_while(|word| word.text != "--")
            .find(|word| word.may_be_flag())
            .and_then(argument)
            .or_else(|| more.clone());
        let as_word = arguments().find_map(argument).or(more);
        let flags = self.flags.iter().all(|flag| given.has(flag));
        let words = self.has_words(given);
        match (flags, words) {
            (true, true) => None,
            (false, true) => as_flag,
            (true, false) => as_word,
            (false, false) => as_flag.filter(|_| as_word.is_some()),
        }
    }

    /// Whether `given` is exactly what this pattern lists.
    pub fn allows(&self, given: &Given<'_>) -> bool {
        let simple = &given.command.simple;
        let plain = simple.assignments.is_empty() && simple.redirections.is_empty();
        let tilde = simple.words.first().is_some_and(|word| word.tilde);
        if !self.is_program(given.path) || tilde || !plain {
            return false;
        }
        if self.is_program_only() {
            return true;
        }
        if given.command.more_arguments && !self.open {
            return false;
        }
        let rest = simple.words.get(1..).unwrap_or_default();
        if self.open {
            // What follows is free; what comes before is as listed, in place.
            return rest.len() >= self.words.len() && self.in_place(&self.words, rest);
        }
        let wanted = program::tokens(self.program(), &self.words);
        let given = program::tokens(self.program(), rest);
        wanted.len() == given.len()
            && wanted.iter().zip(&given).all(|pair| match pair {
                (Token::Word(wanted), Token::Word(given)) => {
                    self.word_matches_exactly(wanted, given)
                }
                (wanted, given) => wanted == given,
            })
    }

    fn in_place(&self, wanted: &[Word], given: &[Word]) -> bool {
        wanted
            .iter()
            .zip(given)
            .all(|(wanted, given)| self.word_matches_exactly(wanted, given))
    }

    /// `rm` is `rm` and `/bin/rm`, and nobody's own `./rm`.
    fn is_program(&self, text: &str) -> bool {
        if self.equal(text, &self.program) {
            return true;
        }
        let Some((folder, name)) = text.rsplit_once('/') else {
            return false;
        };
        SYSTEM_FOLDERS.contains(&folder) && self.equal(name, &self.program)
    }

    fn equal(&self, one: &str, other: &str) -> bool {
        if self.ignore_case {
            one.to_lowercase() == other.to_lowercase()
        } else {
            one == other
        }
    }

    fn operand_matches(&self, wanted: &Operand, given: &Operand) -> bool {
        if wanted.word.hidden.is_some() {
            self.glob(&wanted.text, &given.text)
        } else {
            self.equal(&wanted.text, &given.text)
        }
    }

    /// The shell must hand on exactly what was matched.
    fn word_matches_exactly(&self, wanted: &Word, given: &Word) -> bool {
        let Some(text) = given.known().filter(|_| !given.tilde) else {
            return false;
        };
        if wanted.hidden.is_some() {
            // A way up would leave what the pattern covers.
            !text.split('/').any(|part| part == "..") && self.glob(&wanted.text, text)
        } else {
            self.equal(&wanted.text, text)
        }
    }

    fn glob(&self, pattern: &str, text: &str) -> bool {
        if self.ignore_case {
            glob(&pattern.to_lowercase(), &text.to_lowercase())
        } else {
            glob(pattern, text)
        }
    }
}

/// `//etc/./x/../` as `/etc`.
fn plain_path(text: &str) -> String {
    let mut parts: Vec<&str> = Vec::new();
    for part in text.split('/') {
        match part {
            "" | "." => {}
            ".." => {
                parts.pop();
            }
            part => parts.push(part),
        }
    }
    format!("/{}", parts.join("/"))
}

/// `*` and `?`, within one part of a path; a hyphen first is never covered, so that no flag slips in.
fn glob(pattern: &str, text: &str) -> bool {
    let pattern: Vec<char> = pattern.chars().collect();
    let text: Vec<char> = text.chars().collect();
    if text.first() == Some(&'-') && pattern.first() != Some(&'-') {
        return false;
    }
    let (mut at, mut from) = (0, 0);
    // Where the last star was, and up to where it covers.
    let mut star: Option<(usize, usize)> = None;
    loop {
        let (wanted, given) = (pattern.get(at), text.get(from));
        match (wanted, given) {
            (None, None) => return true,
            (Some('*'), _) => {
                star = Some((at, from));
                at += 1;
            }
            (Some('?'), Some(given)) if *given != '/' => {
                at += 1;
                from += 1;
            }
            (Some(wanted), Some(given)) if wanted == given => {
                at += 1;
                from += 1;
            }
            _ => {
                let Some((star_at, covered)) = star else {
                    return false;
                };
                match text.get(covered) {
                    Some(given) if *given != '/' => {
                        star = Some((star_at, covered + 1));
                        at = star_at + 1;
                        from = covered + 1;
                    }
                    _ => return false,
                }
            }
        }
    }
}
