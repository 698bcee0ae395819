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
pub struct Question<'a> {
    /// What precedes the line.
    pub prompt: String,
    /// What the last word can become: asked with what stands before it, and with the word.
    pub complete: &'a dyn Fn(&str, &str) -> Vec<String>,
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
    editor.set_helper(Some(Words(question.complete)));
    editor.readline(&question.prompt)
}

/// Completion.
struct Words<'a>(&'a dyn Fn(&str, &str) -> Vec<String>);

/// Where the word at `position` begins, what stands before it, and the word.
fn split(line: &str, position: usize) -> (usize, &str, &str) {
    let before = line.get(..position).unwrap_or_default();
    let start = before.rfind([' ', '\t']).map_or(0, |at| at + 1);
    let (ahead, part) = before.split_at_checked(start).unwrap_or((before, ""));
    (start, ahead.trim(), part)
}

impl Completer for Words<'_> {
    type Candidate = Pair;

    fn complete(
        &self,
        line: &str,
        position: usize,
        _: &Context<'_>,
    ) -> rustyline::Result<(usize, Vec<Pair>)> {
        let (start, ahead, part) = split(line, position);
        let pairs = self.0(ahead, part).into_iter().map(|word| Pair {
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
    fn the_word_at_the_cursor_is_completed() {
        assert_eq!(split("we", 2), (0, "", "we"));
        assert_eq!(split("  connect  web", 14), (11, "connect", "web"));
        assert_eq!(split("web1 x", 2), (0, "", "we"));
        assert_eq!(split("网 ", 4), (4, "网", ""));
        assert_eq!(split("", 9), (0, "", ""));
    }
}
