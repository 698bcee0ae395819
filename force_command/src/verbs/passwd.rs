//! `passwd`: a user who has a password chooses another one. The old one is asked for, nothing is shown or kept.
//!
//! Trusts the store for who may: only who was given a password has one, and only where the settings say so.
#![forbid(unsafe_code)]

use super::{Desk, NoAnswer};
use crate::message::{Message, Trouble, say_while_raw};
use crate::relay::Descriptors;
use crate::session::person::{Answer, Person};
use crate::status;
use crate::terminal::Terminal;
use jms::password::{Objection, PasswordHash, Policy};
use jms::policy::lockout::{Network, Proof};
use jms::secret::SecretString;
use jms::store::{Answerer, PasswordAnswer, StoreError, StoredPassword};
use jms::time::Time;
use nix::fcntl::{FcntlArg, OFlag, fcntl};
use nix::sys::termios::{SetArg, cfmakeraw, tcgetattr, tcsetattr};

/// So often a new password is asked for.
const TRIES: usize = 3;

/// Asks and changes.
///
/// # Errors
/// [`NoAnswer`]; the password is what it was.
pub fn run(desk: &mut Desk<'_>) -> Result<(), NoAnswer> {
    let no = |message| NoAnswer(message, status::DENIED);
    if !desk.settings.password.enabled {
        return Err(no(Message::PasswordsOff));
    }
    if !desk.has_terminal {
        return Err(NoAnswer(Message::PasswordNeedsTerminal, status::REQUEST));
    }
    let user = desk.identity.user.clone();
    if desk.store.read().password(user.id)?.is_none() {
        return Err(no(Message::NoPassword));
    }
    let terminal =
        Raw::take().ok_or(NoAnswer(Message::Bastion(Trouble::System), status::BASTION))?;
    let old = terminal.ask("Old password: ")?;
    let before = prove(desk, &old)?;
    if before.has_lapsed(desk.settings.password.initial(), Time::now()) {
        return Err(no(Message::PasswordLapsed));
    }
    let new = terminal.new_password(desk, &old)?;
    let hash = PasswordHash::of(&new, desk.settings.password.cost()).map_err(hashing)?;
    desk.store
        .choose_password(
            &user,
            &before,
            &hash,
            desk.settings.password.history,
            &desk.identity.login.source,
            Time::now(),
        )
        .map_err(|error| match error {
            StoreError::Refused { .. } => no(Message::PasswordChangedMeanwhile),
            error => error.into(),
        })?;
    say_while_raw(Message::PasswordChanged);
    Ok(())
}

fn hashing(_: jms::password::HashError) -> NoAnswer {
    NoAnswer(Message::Bastion(Trouble::System), status::BASTION)
}

/// The old password, through the door that counts wrong ones: who finds a terminal unattended must not try them all.
fn prove(desk: &mut Desk<'_>, old: &SecretString) -> Result<StoredPassword, NoAnswer> {
    let limits = desk.settings.lockout.limits();
    let login = &desk.identity.login;
    let source = Network::of(login.source_address(), &limits);
    let who = Answerer {
        user_id: desk.identity.user.id,
        user: &desk.identity.user.name,
        proof: match login.key.is_empty() {
            true => Proof::None,
            false => Proof::Key,
        },
        source: &source,
    };
    let cost = desk.settings.password.cost();
    let answer = desk
        .store
        .answer_password(&who, &limits, cost, old, false, Time::now())?;
    match answer {
        PasswordAnswer::Right(stored) => Ok(stored),
        PasswordAnswer::Wrong => Err(NoAnswer(Message::WrongPassword, status::DENIED)),
        PasswordAnswer::Locked(locked) => Err(NoAnswer(
            Message::Locked(locked.to_string()),
            status::DENIED,
        )),
    }
}

/// The client's terminal, which shows nothing of what is typed; as before when it goes away.
struct Raw(Terminal);

impl Raw {
    fn take() -> Option<Self> {
        let input = Descriptors::standard().input;
        let terminal = Self(Terminal::find(None).ok()?);
        let mut modes = tcgetattr(input).ok()?;
        cfmakeraw(&mut modes);
        tcsetattr(input, SetArg::TCSADRAIN, &modes).ok()?;
        let flags = OFlag::from_bits_truncate(fcntl(input, FcntlArg::F_GETFL).ok()?);
        fcntl(input, FcntlArg::F_SETFL(flags | OFlag::O_NONBLOCK)).ok()?;
        Some(terminal)
    }

    fn ask(&self, prompt: &str) -> Result<SecretString, NoAnswer> {
        let Descriptors { input, output, .. } = Descriptors::standard();
        let person = Person {
            input,
            output,
            target: "",
        };
        match person.put(prompt).wait(&[], None) {
            Answer::Typed(secret) => Ok(secret),
            Answer::GivenUp | Answer::Late | Answer::Gone | Answer::Disturbed => {
                Err(NoAnswer(Message::PasswordUnchanged, status::DENIED))
            }
        }
    }

    fn new_password(&self, desk: &Desk<'_>, old: &SecretString) -> Result<SecretString, NoAnswer> {
        let policy = desk.settings.password.policy();
        let user = &desk.identity.user;
        for _ in 0..TRIES {
            let new = self.ask("New password: ")?;
            if let Err(objection) = object(desk, &policy, user.id, &user.name, old, &new)? {
                say_while_raw(objection);
                continue;
            }
            if self.ask("The same again: ")?.expose() == new.expose() {
                return Ok(new);
            }
            say_while_raw(Message::PasswordsDiffer);
        }
        Err(NoAnswer(Message::PasswordUnchanged, status::DENIED))
    }
}

fn object(
    desk: &Desk<'_>,
    policy: &Policy,
    user_id: i64,
    name: &str,
    old: &SecretString,
    new: &SecretString,
) -> Result<Result<(), Objection>, NoAnswer> {
    if let Err(objection) = policy.object(name, new) {
        return Ok(Err(objection));
    }
    if old.expose() == new.expose() {
        return Ok(Err(Objection::Used));
    }
    let before = desk.store.read().passwords_before(user_id)?;
    policy.object_to_reuse(&before, new).map_err(hashing)
}

impl Drop for Raw {
    fn drop(&mut self) {
        self.0.restore();
    }
}
