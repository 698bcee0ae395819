//! The child that reads one line: keys, history and completion, with a library.
//!
//! It parses what a hostile client sends, so it gives up the service user before the first byte: it
//! can open no file of ours, start no program and no process, and all that it knows is what is
//! granted to its own user. Its answer is as untrusted as the bytes were.
//!
//! The library reads `TERM` and no file: neither terminfo, nor an inputrc, nor a history.

use crate::egress::child::give_up;
use crate::status;
use crate::sys::{self, StandardNumber};
use nix::sys::prctl;
use nix::sys::signal::Signal;
use rustyline::completion::{Completer, Pair};
use rustyline::config::{BellStyle, ColorMode, CompletionType, Config};
use rustyline::error::ReadlineError;
use rustyline::highlight::Highlighter;
use rustyline::hint::Hinter;
use rustyline::history::{History, MemHistory};
use rustyline::validate::Validator;
use rustyline::{Context, Editor, Helper};
use std::ffi::CString;
use std::time::Duration;

/// The exit status for a line; it stands in the pipe.
pub const LINE: i32 = 0;
/// Ctrl-C: the line is thrown away.
pub const INTERRUPTED: i32 = 1;
/// Ctrl-D on an empty line, or the terminal is gone.
pub const END: i32 = 2;

/// Memory that it may take, in bytes: a line without end shall end it and not the machine.
const MEMORY: u64 = 256 * 1024 * 1024;
/// Descriptors: standard ones, and the library's own pipe.
const OPEN_FILES: u64 = 16;
/// From so many completions on it asks before it shows them.
const MANY: usize = 100;
/// How long the menu may take to read the line.
const PATIENCE: Duration = Duration::from_secs(5);

/// What it takes to ask for a line.
#[derive(Debug)]
pub struct Question<'a> {
    /// What precedes the line.
    pub prompt: String,
    /// What a first word can be completed to, sorted.
    pub words: &'a [String],
    /// What a target can be completed to, sorted.
    pub targets: &'a [String],
    /// Lines that were typed before, the oldest first.
    pub history: &'a [String],
    /// The client's terminal type; none for a terminal without sequences.
    pub term: Option<&'a str>,
    /// The user.
    pub uid: u32,
    /// His group.
    pub gid: u32,
}

/// Reads a line from the terminal and writes it to standard error; the exit status.
pub fn run(question: &Question<'_>) -> i32 {
    if shut_in(question.uid, question.gid).is_err() {
        return status::BASTION;
    }
    let term = question.term.and_then(|term| CString::new(term).ok());
    sys::set_environment(c"TERM", term.as_deref().unwrap_or(c"dumb"));
    match read(question) {
        Ok(line) => {
            let answer = sys::standard(StandardNumber::Error);
            match sys::write_within(answer, line.as_bytes(), PATIENCE) {
                Ok(()) => LINE,
                Err(_) => status::BASTION,
            }
        }
        // Bytes that are no text, or a window that changed in an unlucky moment: once more.
        Err(ReadlineError::Interrupted | ReadlineError::Signal(_)) => INTERRUPTED,
        Err(ReadlineError::Io(error)) if error.kind() == std::io::ErrorKind::InvalidData => {
            INTERRUPTED
        }
        Err(_) => END,
    }
}

fn shut_in(uid: u32, gid: u32) -> Result<(), nix::errno::Errno> {
    // Ctrl-Z stops a whole group of processes, and nobody would wake this one.
    sys::default_signals(&[
        libc::SIGPIPE,
        libc::SIGXFSZ,
        libc::SIGTSTP,
        libc::SIGTTIN,
        libc::SIGTTOU,
    ]);
    let menu = nix::unistd::getppid();
    give_up(uid, gid)?;
    prctl::set_no_new_privs()?;
    prctl::set_dumpable(false)?;
    sys::limit(libc::RLIMIT_AS, MEMORY)?;
    sys::limit(libc::RLIMIT_NOFILE, OPEN_FILES)?;
    sys::limit(libc::RLIMIT_NPROC, 0)?;
    // A change of uid clears it.
    prctl::set_pdeathsig(Signal::SIGHUP)?;
    if nix::unistd::getppid() == menu {
        Ok(())
    } else {
        Err(nix::errno::Errno::ESRCH)
    }
}

fn read(question: &Question<'_>) -> rustyline::Result<String> {
    let config = Config::builder()
        .auto_add_history(false)
        .completion_type(CompletionType::List)
        .completion_prompt_limit(MANY)
        .completion_show_all_if_ambiguous(true)
        .color_mode(ColorMode::Disabled)
        .bell_style(BellStyle::Audible)
        .build();
    let mut history = MemHistory::with_config(&config);
    for line in question.history {
        history.add(line)?;
    }
    let mut editor = Editor::with_history(config, history)?;
    editor.set_helper(Some(Words {
        words: question.words,
        targets: question.targets,
    }));
    editor.readline(&question.prompt)
}

/// Completion.
struct Words<'a> {
    words: &'a [String],
    targets: &'a [String],
}

impl Words<'_> {
    /// Where the word at `position` begins, and what it can become.
    fn complete(&self, line: &str, position: usize) -> (usize, Vec<String>) {
        let before = line.get(..position).unwrap_or_default();
        let start = before.rfind([' ', '\t']).map_or(0, |at| at + 1);
        let part = before.get(start..).unwrap_or_default();
        let ahead = before.get(..start).unwrap_or_default().trim();
        let among = match ahead {
            "" if part.contains('@') => self.targets,
            "connect" if part.contains('@') => self.targets,
            "" | "connect" => self.words,
            _ => &[],
        };
        // Sorted, so those with one beginning stand together.
        let first = among.partition_point(|word| word.as_str() < part);
        let fitting = among
            .iter()
            .skip(first)
            .take_while(|word| word.starts_with(part));
        (start, fitting.cloned().collect())
    }
}

impl Completer for Words<'_> {
    type Candidate = Pair;

    fn complete(
        &self,
        line: &str,
        position: usize,
        _: &Context<'_>,
    ) -> rustyline::Result<(usize, Vec<Pair>)> {
        let (start, words) = Words::complete(self, line, position);
        let pairs = words.into_iter().map(|word| Pair {
            display: word.clone(),
            replacement: word,
        });
        Ok((start, pairs.collect()))
    }
}

impl Hinter for Words<'_> {
    type Hint = String;
}
impl Highlighter for Words<'_> {}
impl Validator for Words<'_> {}
impl Helper for Words<'_> {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_completed_where_they_stand() {
        let words: Vec<String> = ["connect", "db1", "ls", "web1", "web2"]
            .map(str::to_owned)
            .into();
        let targets: Vec<String> = ["dba@db1", "dev@web1", "dev@web2"]
            .map(str::to_owned)
            .into();
        let words = Words {
            words: &words,
            targets: &targets,
        };
        let complete = |line: &str| words.complete(line, line.len());
        assert_eq!(complete("we"), (0, vec!["web1".into(), "web2".into()]));
        assert_eq!(complete("connect d"), (8, vec!["db1".into()]));
        assert_eq!(
            complete("dev@"),
            (0, vec!["dev@web1".into(), "dev@web2".into()])
        );
        assert_eq!(complete("connect dba@"), (8, vec!["dba@db1".into()]));
        assert_eq!(complete("web1 l"), (5, vec![]), "a command is the asset's");
        assert_eq!(
            words.complete("web1 x", 2),
            (0, vec!["web1".into(), "web2".into()])
        );
        assert_eq!(complete("").1.len(), 5);
    }
}
