//! Reads a line as a shell would, as far as it must be read to know which programs it starts.
//!
//! What stands here is POSIX shell as bash, dash, ksh and zsh read it, and what fish and csh would still find in a
//! line that these refuse. No tree is kept: the simple commands are, in the order in which they end, from every place
//! in which a shell looks for commands: lists, pipelines, subshells, substitutions, loops, functions, `case`.
//!
//! The line is hostile. Length, depth, number of commands and words are bounded, and so is how much is read in all
//! ([`MAX_WORK`]); a fault never hides what was found before it.

mod ansi_c;
mod budget;
mod compound;
mod cursor;
mod frames;
mod list;
mod other_shells;
mod parser;
mod quoting;
mod redirection;
mod simple;
mod word;

pub(crate) use budget::Budget;
pub use parser::words;
pub(crate) use redirection::is_standard_input;
pub use word::{Hidden, Word};

use crate::shown::shown;
use parser::Parser;

/// The longest line that is read, in bytes.
pub const MAX_LENGTH: usize = 65_536;
/// How deep substitutions, subshells and compound commands may stand in each other.
pub const MAX_DEPTH: usize = 32;
/// How many simple commands a line may have.
pub const MAX_COMMANDS: usize = 512;
/// How many words it may have, in commands, lists and arrays together.
pub const MAX_WORDS: usize = 4096;
/// How much is read for one line, in bytes: each text once for each shell on the line that would read it.
pub const MAX_WORK: usize = 3 * MAX_LENGTH;

/// Why a line could not be read to its end, or not for sure.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fault {
    /// Longer than [`MAX_LENGTH`].
    TooLong,
    /// Deeper than [`MAX_DEPTH`].
    TooDeep,
    /// More commands than [`MAX_COMMANDS`], or more words than [`MAX_WORDS`].
    TooMany,
    /// More to read than [`MAX_WORK`].
    TooMuch,
    /// The line ends inside something: a shell would ask for more.
    Unfinished(&'static str),
    /// A shell would call this a syntax error.
    Unexpected(String),
}

impl std::fmt::Display for Fault {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::TooLong => write!(out, "longer than {MAX_LENGTH} bytes"),
            Self::TooDeep => write!(out, "nested deeper than {MAX_DEPTH}"),
            Self::TooMany => write!(
                out,
                "more than {MAX_COMMANDS} commands or {MAX_WORDS} words"
            ),
            Self::TooMuch => write!(out, "it would be read again and again"),
            Self::Unfinished(what) => write!(out, "{what} is not closed"),
            Self::Unexpected(what) => write!(out, "{} is not expected there", shown(what)),
        }
    }
}

/// What a command gets on its standard input, as far as the line says.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Input {
    /// What the shell itself has.
    #[default]
    Inherited,
    /// Another command's output, a file: not to be known.
    Elsewhere,
    /// A here-document or here-string; `known` is false if it holds expansions.
    Given {
        /// The text.
        text: String,
        /// Whether the program gets exactly that.
        known: bool,
    },
}

/// One simple command.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Simple {
    /// Program and arguments; empty for assignments or redirections alone.
    pub words: Vec<Word>,
    /// Assignments in front.
    pub assignments: Vec<Word>,
    /// Files that it writes to or reads from by redirection, other than `/dev/null`.
    pub redirections: Vec<Word>,
    /// Whether there is any redirection at all, also to `/dev/null` or another descriptor.
    pub redirected: bool,
    /// Its standard input.
    pub input: Input,
    /// How many of the commands right before it are those whose output it gets through pipes.
    pub fed_by: usize,
    /// How it was written.
    pub source: String,
    /// bash would not run this where it stands; fish, or a shell without `[[`, would.
    pub other_shells: bool,
}

/// What is in a line.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Script {
    /// Every simple command.
    pub commands: Vec<Simple>,
    /// What was wrong with the line, first things first.
    pub fault: Option<Fault>,
    /// It is whole, but a shell that reads line by line would wait for the next: a backslash or `|` ends it, or the
    /// text of a here-document is to come.
    pub continues: bool,
}

/// What stands behind a `#`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Comments {
    /// Nothing that runs.
    #[default]
    Skipped,
    /// An interactive zsh has no comments: its commands are found, too.
    AlsoRead,
    /// There are none.
    Words,
}

/// Reads `line`.
pub fn parse(line: &str) -> Script {
    parse_below(line, 0, Comments::Skipped, &Budget::new())
}

/// How many bytes of `text` are the first line with all that belongs to it: what a shell that reads line by line would run
/// before it reads on. `None`: it would read on.
///
/// # Errors
/// [`Fault`]: it cannot be known, because of a bound.
pub fn first_line(text: &str) -> Result<Option<usize>, Fault> {
    Parser::new(text, 0, Comments::Skipped, Budget::new()).first_line()
}

/// Reads a script that stands `depth` levels deep in another.
pub(crate) fn parse_below(line: &str, depth: usize, comments: Comments, budget: &Budget) -> Script {
    if line.len() > MAX_LENGTH {
        return Script {
            fault: Some(Fault::TooLong),
            ..Script::default()
        };
    }
    Parser::new(line, depth, comments, budget.clone()).script()
}

#[cfg(test)]
mod tests;
