//! The bastion's own words: `ls`, `groups`, `whoami`, `ssh-config`, `sessions`, `session`, `commands`, `help`,
//! `version`. Only here, and in the menu, standard output is ours.
//!
//! Trusts the store. What it shows is only ever the user's own: targets that are granted to him now,
//! and his own logins and sessions.
#![forbid(unsafe_code)]

mod commands;
mod groups;
mod help;
mod list;
mod mfa;
mod passwd;
mod replay;
mod sessions;
mod ssh_config;
#[cfg(test)]
mod tests;
mod whoami;

pub use groups::of as groups_of;
pub use help::closing;
pub use list::is_within;

use crate::identity::Identity;
use crate::message::{Message, Trouble, say};
use crate::request::Verb;
use crate::status;
use crate::text::json_line;
use jms::settings::Settings;
use jms::store::{Store, StoreError, Target};
use jms::time::Time;
use serde_json::json;
use std::io::Write;
use std::net::IpAddr;

/// What an answer is made of.
pub struct Desk<'a> {
    /// The store.
    pub store: &'a mut Store,
    /// The settings.
    pub settings: &'a Settings,
    /// Who asks.
    pub identity: &'a Identity,
    /// Where his connection came in, if sshd said so.
    pub server: Option<(IpAddr, u16)>,
    /// Standard input and output are a terminal.
    pub has_terminal: bool,
}

/// Why there is no answer: the sentence, and the exit status.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NoAnswer(pub Message, pub i32);

impl From<StoreError> for NoAnswer {
    fn from(_: StoreError) -> Self {
        Self(Message::Bastion(Trouble::Store), status::BASTION)
    }
}

/// Answers on standard output; the exit status.
pub fn answer(desk: &mut Desk<'_>, verb: &Verb) -> i32 {
    let answered = match verb {
        Verb::SessionReplay { id } => replay::run(desk, id),
        Verb::Passwd => passwd::run(desk),
        verb => text(desk, verb).map(|text| print(&text)),
    };
    match answered {
        Ok(()) => status::DONE,
        Err(NoAnswer(message, status)) => {
            say(message);
            status
        }
    }
}

/// The answer as text. Harmless to a terminal, whatever it shows.
///
/// # Errors
/// [`NoAnswer`].
pub fn text(desk: &Desk<'_>, verb: &Verb) -> Result<String, NoAnswer> {
    Ok(match verb {
        Verb::Ls { filter, json } => list::text(&list::select(desk, filter)?, *json),
        Verb::Groups { json } => groups::text(desk, *json)?,
        Verb::Whoami { json } => {
            let policy = desk.store.read().factor_of(&desk.identity.user)?;
            whoami::text(desk.identity, &policy, *json)
        }
        Verb::SshConfig { filter, json } => {
            ssh_config::text(desk, &list::select(desk, filter)?, *json)
        }
        Verb::Sessions {
            online,
            limit,
            json,
        } => sessions::list(desk, *online, *limit, *json)?,
        Verb::Commands { limit, json } => commands::list(desk, *limit, *json)?,
        Verb::SessionShow { id, json } => sessions::show(desk, id, *json)?,
        Verb::MfaStatus { json } => mfa::text(desk, *json)?,
        // Done elsewhere: they ask something.
        Verb::SessionReplay { .. } | Verb::Passwd | Verb::Mfa(_) => String::new(),
        Verb::Help { verb, json } => help::text(&desk.settings.menu, *verb, *json),
        Verb::Version { json: true } => json_line(&json!({ "version": VERSION })),
        Verb::Version { json: false } => format!("jms {VERSION}\n"),
    })
}

const VERSION: &str = env!("CARGO_PKG_VERSION");

/// What the user may reach now.
///
/// # Errors
/// [`NoAnswer`] when the store cannot be asked.
pub fn granted(desk: &Desk<'_>) -> Result<Vec<Target>, NoAnswer> {
    Ok(desk
        .store
        .read()
        .targets(&desk.identity.user, Time::now())?)
}

/// A client that reads no more is no failure of ours.
fn print(text: &str) {
    let _ = std::io::stdout().write_all(text.as_bytes());
}
