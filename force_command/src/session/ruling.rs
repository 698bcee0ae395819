//! What the filters say of the command that is asked for, before the asset is connected to.
//!
//! Whatever is asked for is kept, with what was said of it, before anything of it can have run. File transfer programs
//! are no commands: they have rights of their own.
#![forbid(unsafe_code)]

use super::Refused;
use super::confirm::{Answer, Question};
use super::open::Open;
use crate::commands::Judged;
use crate::identity::Identity;
use crate::message::{Message, Trouble, say};
use crate::report;
use crate::request::Connect;
use crate::text;
use event::Type;
use filter::{Context, Filter, FilterText, NotPlain, Reads, Verdict, enforce, judge};
use jms::nouns::Captured;
use jms::policy::{Channel, Decision};
use jms::store::{NewCommand, Store, StoreError};
use jms::time::Time;
use std::borrow::Cow;
use std::fmt::Display;
use std::time::Duration;

/// What may go on.
#[derive(Debug, PartialEq, Eq)]
pub struct Ruling {
    /// What the asset is told to run; not what was asked for where filters are enforced.
    pub command: Option<Vec<u8>>,
    /// Filters are enforced: what runs is what was judged, and nothing of the user's own environment goes with it.
    pub enforced: bool,
    /// Whether standard input is a script, and who reads it.
    pub script: Option<Reads>,
    /// The filters that apply, as they were read.
    pub filters: Vec<FilterText>,
}

/// Who asks, for what.
pub struct Asking<'a> {
    /// Who.
    pub identity: &'a Identity,
    /// What.
    pub connect: &'a Connect,
    /// Within what.
    pub session: &'a Open,
}

impl Asking<'_> {
    /// Reads the filters that apply, has them judge what is asked for, and keeps both. `ask`: puts a question to the person.
    ///
    /// # Errors
    /// [`Refused`]: denied, not confirmed, or a filter cannot be read.
    pub fn rule(
        &self,
        store: &mut Store,
        mut ask: impl FnMut(&Question) -> Answer,
    ) -> Result<Ruling, Refused> {
        let Some(command) = self.command() else {
            let texts = self.filters(store)?;
            self.compile(store, &texts)?;
            let reads_script = self.connect.channel == Channel::Shell && !self.connect.terminal;
            return Ok(Ruling {
                enforced: false,
                command: self.connect.command.clone(),
                script: reads_script.then_some(Reads::Shell),
                filters: texts,
            });
        };
        let line = String::from_utf8_lossy(command);
        let mut confirmed: Option<String> = None;
        loop {
            let (judged, ruling) = self.judge(store, command, &line)?;
            let accepted = match judged.verdict {
                Verdict::Allow | Verdict::Warn => Ok(()),
                Verdict::Deny => Err(Refused::denied(Message::Filtered(judged.sentence.clone()))),
                Verdict::Confirm if confirmed.as_ref() == Some(&judged.sentence) => Ok(()),
                Verdict::Confirm if !self.connect.terminal => {
                    Err(Refused::denied(Message::Filtered(format!(
                        "{}; only who sits at a terminal can say yes: ssh -t",
                        judged.sentence
                    ))))
                }
                Verdict::Confirm => match ask(&Question(judged.sentence.clone())) {
                    Answer::Yes => {
                        // Everything is looked at again: the person took his time.
                        self.still_granted(store)?;
                        confirmed = Some(judged.sentence);
                        continue;
                    }
                    Answer::No => Err(Refused::denied(Message::NotConfirmed)),
                    Answer::Gone => Err(Refused::new(
                        Message::NotConfirmed,
                        crate::status::CONNECTION,
                    )),
                },
            };
            self.keep(store, &line, &judged, accepted.is_ok())?;
            accepted?;
            if judged.verdict == Verdict::Warn && self.connect.terminal {
                say(&judged.sentence);
            }
            return Ok(ruling);
        }
    }

    /// What is said of the command now, and what goes on if it may.
    fn judge(
        &self,
        store: &mut Store,
        command: &[u8],
        line: &str,
    ) -> Result<(Judged, Ruling), Refused> {
        let texts = self.filters(store)?;
        let filters = self.compile(store, &texts)?;
        let judgement = judge(&filters, line, Context::EXEC);
        let script = judgement.reads().filter(|_| !self.connect.terminal);
        let enforcer = self.enforcer(store, &filters)?;
        let (kept, passed) = match enforcer {
            Some(by) => enforced(command, &filters, by),
            None => {
                let unread = Judged::of_bytes(command, &filters);
                (unread.unwrap_or_else(|| judgement.into()), command.to_vec())
            }
        };
        let ruling = Ruling {
            enforced: enforcer.is_some(),
            command: Some(passed),
            script,
            filters: texts,
        };
        Ok((kept, ruling))
    }

    fn still_granted(&self, store: &Store) -> Result<(), Refused> {
        let decision = self.decide(store, self.connect.channel)?;
        match decision {
            Some(decision) if decision.allow => Ok(()),
            decision => {
                let reason = decision.map_or_else(
                    || "user, asset or system user was removed".to_owned(),
                    |decision| decision.reason.to_string(),
                );
                Err(Refused::new(
                    Message::Withdrawn(reason),
                    crate::status::ENDED,
                ))
            }
        }
    }

    fn decide(&self, store: &Store, channel: Channel) -> Result<Option<Decision>, Refused> {
        let (identity, target) = (self.identity, self.session.target);
        store
            .decide_again(
                identity.user.uid,
                &identity.login,
                target,
                channel,
                self.session.opened_at,
                Time::now(),
            )
            .map_err(|error| Refused::because(Trouble::Store, error))
    }

    /// The command that is asked for; `None` for a login shell, and for file transfer programs.
    fn command(&self) -> Option<&[u8]> {
        let command = self.connect.command.as_deref();
        command.filter(|_| matches!(self.connect.channel, Channel::Exec | Channel::Shell))
    }

    fn filters(&self, store: &mut Store) -> Result<Vec<FilterText>, Refused> {
        let egress = &self.session.egress;
        let read = store.read().filters_for(
            &self.identity.user.name,
            &egress.asset.name,
            &egress.system_user.name,
        );
        read.map_err(|error| match error {
            StoreError::Nonsense { .. } => self.problem(store, error),
            other => Refused::because(Trouble::Store, other),
        })
    }

    fn compile(&self, store: &mut Store, texts: &[FilterText]) -> Result<Vec<Filter>, Refused> {
        Filter::compile_all(texts).map_err(|error| self.problem(store, error))
    }

    /// A filter that cannot be read forbids everything: what it would have forbidden is not known.
    fn problem(&self, store: &mut Store, error: impl Display) -> Refused {
        let event = report::about(Type::FilterProblem, &self.identity.login)
            .session(self.session.id.as_str())
            .asset(self.session.egress.asset.name.as_str())
            .system_user(self.session.egress.system_user.name.as_str())
            .result("deny")
            .reason(error.to_string());
        report::emit(store, &event);
        Refused::new(Message::Bastion(Trouble::Filters), crate::status::BASTION)
    }

    /// The filter that makes this session an enforced one: its default is to deny, and whoever asks has no shell here in which
    /// he could write what he likes.
    fn enforcer<'f>(
        &self,
        store: &Store,
        filters: &'f [Filter],
    ) -> Result<Option<&'f str>, Refused> {
        let Some(filter) = filters
            .iter()
            .find(|filter| filter.default == Verdict::Deny)
        else {
            return Ok(None);
        };
        let shell = self.decide(store, Channel::Shell)?;
        let has_shell = shell.is_some_and(|decision| decision.allow);
        Ok((!has_shell).then_some(filter.name.as_str()))
    }

    fn keep(
        &self,
        store: &mut Store,
        line: &str,
        kept: &Judged,
        accepted: bool,
    ) -> Result<(), Refused> {
        let command = self.command().unwrap_or_default();
        let line = match std::str::from_utf8(command) {
            Ok(_) => Cow::Borrowed(line),
            Err(_) => Cow::Owned(text::escaped(command)),
        };
        let new = NewCommand {
            line: &line,
            cut: false,
            captured: Captured::Exact,
            verdict: kept.verdict,
            accepted,
            filter: &kept.filter,
            rule: &kept.rule,
            reason: &kept.sentence,
            recorded_at: Some(Duration::ZERO),
        };
        store
            .add_command(&self.session.id, &self.identity.login, &new, Time::now())
            .map(drop)
            .map_err(|error| Refused::because(Trouble::Store, error))
    }
}

/// The verdict on a command where filters are enforced, and the form in which it is passed on.
fn enforced(command: &[u8], filters: &[Filter], by: &str) -> (Judged, Vec<u8>) {
    let plain = std::str::from_utf8(command)
        .map_err(|_| NotPlain::Bytes)
        .and_then(enforce);
    match plain {
        Ok(line) => (
            judge(filters, &line, Context::EXEC).into(),
            line.into_bytes(),
        ),
        Err(error) => (Judged::denied(by, &error), Vec::new()),
    }
}
