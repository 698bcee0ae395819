//! Where sshd's own lines are read: the journal where there is one, else the file that syslog writes.
//!
//! Opened with the rights that are there (root's on the bastion itself, then given up), read without them. Trusts
//! root's log folder and journalctl; the lines are for `jms::sshd_log`.
#![forbid(unsafe_code)]

mod files;
mod journal;
mod lines;

use crate::failure::{Done, Failure};
use jms::sshd_log::Line;
use jms::time::Time;
use std::cell::Cell;

/// Times of interest.
#[derive(Debug, Clone, Copy, Default)]
pub struct Within {
    /// Not before.
    pub since: Option<Time>,
    /// Before.
    pub until: Option<Time>,
}

impl Within {
    /// Whether that time is one of them.
    pub fn holds(self, at: Time) -> bool {
        self.since.is_none_or(|since| since <= at) && self.until.is_none_or(|until| at < until)
    }
}

/// The opened logs.
pub struct Log {
    journal: Option<journal::Journal>,
    files: Vec<files::LogFile>,
    denied: Option<String>,
}

impl Log {
    /// Opens what there is, as whoever we are now. Lines of other times come, too.
    pub fn open(within: Within) -> Done<Self> {
        let journal = journal::Journal::open(within)?;
        let (files, denied) = files::open(within)?;
        if journal.is_none() && files.is_empty() && denied.is_none() {
            return Err(Failure::Failed(format!(
                "there is no journal here, and no {}: sshd's own lines are nowhere to be found; is a syslog daemon installed?",
                files::NAMES
                    .map(|name| format!("{}/{name}", files::FOLDER))
                    .join(", ")
            )));
        }
        Ok(Self {
            journal,
            files,
            denied,
        })
    }

    /// Reads all of it, in the order in which it was written. The files are read only where the journal says nothing about
    /// sshd at all: else both say the same. Returns what could not be read and is missing, a sentence each; `list` is
    /// the flag with which root is to look himself.
    pub fn read(self, list: &str, each: &mut impl FnMut(Line)) -> Done<Vec<String>> {
        let mut remarks = Vec::new();
        let sshd = Cell::new(false);
        let mut take = |line: Line| {
            if line != Line::Other {
                sshd.set(true);
                each(line);
            }
        };
        let mut denied = self.denied;
        if let Some(journal) = self.journal {
            match journal.read(&mut take)? {
                journal::Outcome::Read => {}
                journal::Outcome::Denied => {
                    denied.get_or_insert_with(|| "the journal".to_owned());
                }
                journal::Outcome::Failed(sentence) => remarks.push(sentence),
            }
        }
        if sshd.get() {
            return Ok(remarks);
        }
        let mut was_read = false;
        for file in self.files {
            match file.read(&mut take) {
                Ok(()) => was_read = true,
                Err(sentence) => remarks.push(sentence),
            }
        }
        match denied {
            // Nothing found where nothing may be read would look like good news.
            Some(what) if !sshd.get() && !was_read => Err(Failure::NotAllowed(format!(
                "{what} is root's, and sshd's own lines stand there: run sudo jmsctl login ls {list} on the bastion, or ask root for the copy that docs/logins.md tells of"
            ))),
            _ => Ok(remarks),
        }
    }
}
