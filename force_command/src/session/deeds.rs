//! What is done in a terminal, written into the store; and the filters that hold there, read from it.
#![forbid(unsafe_code)]

use crate::commands::{Board, Line, Note, Rules};
use crate::report;
use capture::Certainty;
use event::Type;
use jms::id::Id;
use jms::nouns::{Captured, Login};
use jms::store::{NewCommand, Store, StoreError};
use jms::time::Time;
use std::cell::RefCell;
use std::fmt::Display;
use std::time::{Duration, Instant};

/// Between attempts to write into a store that was busy.
const AGAIN: Duration = Duration::from_millis(200);
/// So many lines are written together.
const TOGETHER: usize = 256;
/// So many failures in a row end the session: what is run has to be kept.
const ATTEMPTS: u32 = 10;

/// Whose filters.
#[derive(Debug, Clone, Copy)]
pub struct Whose<'a> {
    /// The login.
    pub login: &'a Login,
    /// Name of the asset.
    pub asset: &'a str,
    /// Name of the system user.
    pub system_user: &'a str,
}

/// Between the board of one session and the store.
pub struct Deeds<'a> {
    /// Where the tap leaves what was done.
    pub board: &'a RefCell<Board>,
    session: &'a Id,
    whose: Whose<'a>,
    write_at: Option<Instant>,
    failures: u32,
}

impl<'a> Deeds<'a> {
    /// Of this session.
    pub fn new(board: &'a RefCell<Board>, session: &'a Id, whose: Whose<'a>) -> Self {
        Self {
            board,
            session,
            whose,
            write_at: None,
            failures: 0,
        }
    }

    /// When [`Deeds::write`] has something to do, if ever.
    pub fn next_deadline(&self) -> Option<Instant> {
        let waiting = self.board.borrow().waiting_since()?;
        Some(self.write_at.unwrap_or(waiting))
    }

    /// Writes the first of what waits, in one transaction: whoever pastes thousands of lines neither waits for the disk
    /// thousands of times nor keeps others from the store. The rest is due at once, after whatever else is.
    ///
    /// # Errors
    /// A sentence, once the store has not taken it for a while: the session must end.
    pub fn write(&mut self, store: &mut Store) -> Result<(), String> {
        let notes = self.board.borrow().first(TOGETHER);
        match self.keep(store, &notes) {
            Ok(()) => {
                self.board.borrow_mut().kept(notes.len());
                (self.write_at, self.failures) = (None, 0);
                Ok(())
            }
            Err(error) => {
                self.failures += 1;
                self.write_at = Some(Instant::now() + AGAIN);
                match self.failures {
                    ATTEMPTS.. => Err(error.to_string()),
                    _ => Ok(()),
                }
            }
        }
    }

    /// Writes all that waits; at the end of the session.
    ///
    /// # Errors
    /// As [`Deeds::write`], at the first failure.
    pub fn write_all(&mut self, store: &mut Store) -> Result<(), String> {
        while self.board.borrow().waiting() > 0 {
            self.write(store)?;
            if self.failures > 0 {
                std::thread::sleep(AGAIN);
            }
        }
        Ok(())
    }

    /// Reads the filters again.
    ///
    /// # Errors
    /// They cannot be read, or one of them cannot be understood: nobody knows then what is forbidden.
    pub fn read_rules(&mut self, store: &mut Store) -> Result<(), String> {
        let hidden = self.board.borrow().rules().hidden();
        let Whose {
            login,
            asset,
            system_user,
        } = self.whose;
        let texts = store
            .read()
            .filters_for(&login.user, asset, system_user)
            .map_err(|error| error.to_string())?;
        if self.board.borrow().rules().are(&texts) {
            return Ok(());
        }
        match Rules::compile(texts, hidden) {
            Ok(rules) => {
                self.board.borrow_mut().change(rules);
                Ok(())
            }
            Err(error) => {
                self.tell(store, Type::FilterProblem, "deny", &error);
                Err(error.to_string())
            }
        }
    }

    fn keep(&self, store: &mut Store, notes: &[Note]) -> Result<(), StoreError> {
        let lines: Vec<(NewCommand<'_>, Time)> = notes
            .iter()
            .filter_map(|note| match note {
                Note::Line(line) | Note::Hidden(line) => Some((new_command(line), line.at)),
                Note::Unhooked(_) | Note::TooMany | Note::Broken => None,
            })
            .collect();
        if !lines.is_empty() {
            let lines: Vec<_> = lines.iter().map(|(new, at)| (new, *at)).collect();
            store.add_commands(self.session, self.whose.login, &lines)?;
        }
        for note in notes {
            match note {
                Note::Line(_) => {}
                Note::Hidden(line) => self.tell(
                    store,
                    Type::CommandHidden,
                    if line.accepted { "allow" } else { "deny" },
                    "typed without echo where a shell reads",
                ),
                Note::Unhooked(why) => self.tell(store, Type::SessionUnhooked, "error", why),
                Note::TooMany => self.tell(
                    store,
                    Type::CommandMany,
                    "counted",
                    "more lines than filter.lines_per_hour: those beyond are counted; the recording has them",
                ),
                Note::Broken => self.tell(
                    store,
                    Type::CaptureProblem,
                    "error",
                    "the capture of commands broke; the recording goes on",
                ),
            }
        }
        Ok(())
    }

    fn tell(&self, store: &mut Store, kind: Type, result: &'static str, reason: impl Display) {
        let Whose {
            login,
            asset,
            system_user,
        } = self.whose;
        let event = report::about(kind, login)
            .session(self.session.as_str())
            .asset(asset)
            .system_user(system_user)
            .result(result)
            .reason(reason.to_string());
        report::emit(store, &event);
    }
}

fn new_command(line: &Line) -> NewCommand<'_> {
    let judged = &line.judged;
    NewCommand {
        line: &line.text,
        cut: line.cut,
        captured: match line.certainty {
            Certainty::Exact => Captured::Exact,
            Certainty::Likely => Captured::Likely,
            Certainty::Raw => Captured::Raw,
        },
        verdict: judged.verdict,
        accepted: line.accepted,
        filter: &judged.filter,
        rule: &judged.rule,
        reason: &judged.sentence,
        recorded_at: Some(line.recorded_at),
    }
}
