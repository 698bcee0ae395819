//! The enforcing mode: one command, each word of which is known, written so that no login shell reads it differently.
//!
//! sshd gives a command line to the login shell of the account, and nobody here knows which shell that is: bash, dash, zsh,
//! fish, csh, ksh and busybox agree on little. What they agree on is used, and nothing else: a word between single
//! quotes is itself, `"'"` is a quote, `\\` a backslash, `""` nothing. Words that some of them would still change
//! are refused.

use crate::context::Context;
use crate::judge::judge;
use std::fmt;

/// Why a command cannot be passed on in this mode.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NotPlain {
    /// It is no text.
    Bytes,
    /// It is more or less than one program with known arguments.
    NotOneCommand,
    /// Its program is a word that shells act upon, or no plain name.
    Program(String),
    /// A character that some shell does not leave alone.
    Character(char),
    /// It would take its commands from standard input.
    ReadsInput,
}

impl fmt::Display for NotPlain {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Bytes => write!(out, "it is no UTF-8 text"),
            Self::NotOneCommand => write!(
                out,
                "only one program with its arguments can be run here: no ; | & < > $ ` ~, no patterns, no assignments outside quotes"
            ),
            Self::Program(name) => {
                write!(out, "{} is no plain name of a program", name.escape_debug())
            }
            Self::Character(one) => write!(out, "shells do not agree on “{}”", one.escape_debug()),
            Self::ReadsInput => write!(
                out,
                "a program that takes its commands from standard input cannot be run here"
            ),
        }
    }
}

impl std::error::Error for NotPlain {}

/// Words that some shell takes for more than the name of a program, even in quotes (fish does).
const ACTED_UPON: &[&str] = &[
    "-",
    "and",
    "begin",
    "breaksw",
    "builtin",
    "case",
    "command",
    "coproc",
    "default",
    "do",
    "done",
    "elif",
    "else",
    "end",
    "endif",
    "endsw",
    "esac",
    "eval",
    "exec",
    "fi",
    "for",
    "foreach",
    "function",
    "goto",
    "if",
    "in",
    "nocorrect",
    "noglob",
    "not",
    "or",
    "repeat",
    "select",
    "switch",
    "then",
    "time",
    "until",
    "while",
];

/// `text` as one command in a form that every login shell reads alike; judge that, and pass that on.
///
/// # Errors
/// [`NotPlain`]: there is no such form.
pub fn enforce(text: &str) -> Result<String, NotPlain> {
    let judgement = judge(&[], text, Context::EXEC);
    if judgement.reads().is_some() {
        return Err(NotPlain::ReadsInput);
    }
    let words = judgement
        .single_command()
        .filter(|words| !words.is_empty())
        .ok_or(NotPlain::NotOneCommand)?;
    if let Some(one) = words
        .iter()
        .flat_map(|word| word.chars())
        .find(|one| !is_left_alone(*one))
    {
        return Err(NotPlain::Character(one));
    }
    let program = words.first().copied().unwrap_or_default();
    if !is_plain_name(program) {
        return Err(NotPlain::Program(program.to_owned()));
    }
    let quoted: Vec<String> = words.iter().map(|word| quote(word)).collect();
    let line = quoted.join(" ");
    // What is passed on says the same to whoever reads it here.
    if judge(&[], &line, Context::EXEC).single_command().as_ref() != Some(&words) {
        return Err(NotPlain::NotOneCommand);
    }
    Ok(line)
}

/// csh replaces `!` even in quotes; fish has a meaning of its own for some code points that Unicode leaves open.
fn is_left_alone(one: char) -> bool {
    let open = matches!(one, '\u{e000}'..='\u{f8ff}' | '\u{fdd0}'..='\u{fdef}')
        || u32::from(one) & 0xfffe == 0xfffe
        || one >= '\u{f0000}';
    !(one.is_control() || one == '!' || one == char::REPLACEMENT_CHARACTER || open)
}

fn is_plain_name(program: &str) -> bool {
    let name = program.rsplit('/').next().unwrap_or(program);
    let plain = |one: char| one.is_ascii_alphanumeric() || "_./+-@:,".contains(one);
    !name.is_empty()
        && !program.starts_with(['-', '@', ':', '+'])
        && program.chars().all(plain)
        && !ACTED_UPON.contains(&program)
}

/// One word, as every shell reads it.
fn quote(word: &str) -> String {
    if word.is_empty() {
        return "\"\"".to_owned();
    }
    let mut quoted = String::with_capacity(word.len() + 2);
    let mut open = false;
    for one in word.chars() {
        let special = match one {
            '\'' => Some("\"'\""),
            '\\' => Some("\\\\"),
            _ => None,
        };
        if open != special.is_none() {
            quoted.push('\'');
            open = !open;
        }
        match special {
            Some(text) => quoted.push_str(text),
            None => quoted.push(one),
        }
    }
    if open {
        quoted.push('\'');
    }
    quoted
}

#[cfg(test)]
#[path = "enforce_tests.rs"]
mod tests;
