//! What a command prints: tables and objects for people, JSON for programs, remarks on standard error.
//!
//! Everything printed may hold text that nobody trusts, and goes through `text` first.
#![deny(unsafe_code)]

mod list;
mod object;
mod sys;
mod table;
mod text;

pub use list::{Noun, is_listed};
pub use sys::terminal_size;
pub use text::harmless;

use crate::failure::{Done, Failure};
use serde::Serialize;
use std::io::{self, BufWriter, IsTerminal, Stdout, Write};

/// Where and how a command prints.
pub struct Output {
    out: BufWriter<Stdout>,
    json: bool,
    quiet: bool,
    bold: bool,
    columns: Option<u16>,
}

impl Output {
    /// Standard output, in the form that was asked for.
    pub fn new(json: bool, quiet: bool, no_color: bool) -> Self {
        let stdout = io::stdout();
        let is_terminal = stdout.is_terminal();
        let no_color =
            no_color || std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
        Self {
            columns: if is_terminal {
                sys::terminal_size(&stdout).map(|(columns, _)| columns)
            } else {
                None
            },
            out: BufWriter::new(stdout),
            json,
            quiet,
            bold: is_terminal && !no_color,
        }
    }

    /// Whether programs read along.
    pub fn is_json(&self) -> bool {
        self.json
    }

    /// How wide the terminal is; `None` where there is none.
    pub fn columns(&self) -> Option<u16> {
        self.columns
    }

    /// Whether nothing shall be said about what was done.
    pub fn is_quiet(&self) -> bool {
        self.quiet
    }

    /// A remark for the person, on standard error.
    pub fn note(&self, sentence: &str) {
        if !self.quiet {
            warn(sentence);
        }
    }

    /// One object: JSON, or its fields one below the other.
    pub fn show(&mut self, noun: &impl Serialize) -> Done {
        let value = to_value(noun)?;
        if self.json {
            self.json_line(&value)
        } else {
            let text = object::render(&value, self.columns, self.bold);
            self.text(&text)
        }
    }

    /// The object after a change; nothing if nothing shall be said.
    pub fn changed(&mut self, noun: &impl Serialize) -> Done {
        if self.quiet { Ok(()) } else { self.show(noun) }
    }

    /// Objects that a change has removed: JSON as they were, or a line each.
    pub fn removed<T: Noun>(&mut self, removed: &[T], dry_run: bool) -> Done {
        if self.quiet {
            return Ok(());
        }
        for noun in removed {
            let value = to_value(noun)?;
            if self.json {
                self.json_line(&value)?;
            } else {
                let name = value.get(T::KEY).map(table::cell).unwrap_or_default();
                let done = if dry_run {
                    "would be removed"
                } else {
                    "removed"
                };
                self.text(&format!("{} {name} {done}\n", T::NAME))?;
            }
        }
        Ok(())
    }

    /// Text as it is; ours, or made harmless before.
    pub fn text(&mut self, text: &str) -> Done {
        self.bytes(text.as_bytes())
    }

    /// Bytes as they are.
    pub fn bytes(&mut self, bytes: &[u8]) -> Done {
        self.out.write_all(bytes).map_err(failure)
    }

    /// Brings everything out.
    pub fn flush(&mut self) -> Done {
        self.out.flush().map_err(failure)
    }

    fn json_line(&mut self, value: &impl Serialize) -> Done {
        let json =
            serde_json::to_string(value).map_err(|error| Failure::io("write", "JSON", error))?;
        let line = text::harmless_json(&json);
        self.text(&line)?;
        self.text("\n")
    }
}

/// A sentence on standard error. That nobody reads it is no reason to fail.
pub fn warn(sentence: &str) {
    let _ = writeln!(io::stderr(), "jmsctl: {}", harmless_lines(sentence));
}

/// Sentences may have several lines; each is made harmless.
fn harmless_lines(text: &str) -> String {
    let lines: Vec<String> = text.trim_end().lines().map(harmless).collect();
    lines.join("\n")
}

fn failure(error: io::Error) -> Failure {
    if error.kind() == io::ErrorKind::BrokenPipe {
        Failure::ClosedPipe
    } else {
        Failure::io("write", "the output", error)
    }
}

fn to_value(noun: &impl Serialize) -> Done<serde_json::Value> {
    serde_json::to_value(noun).map_err(|error| Failure::io("write", "JSON", error))
}
