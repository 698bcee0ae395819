//! `jmsctl user password-reset`: a password for one login, made here or given; shown once, kept as a hash.
#![forbid(unsafe_code)]

use super::secret;
use crate::cli::user::PasswordReset;
use crate::context::Context;
use crate::failure::{Done, Failure};
use jms::password::{HashError, PasswordHash, initial};
use jms::secret::SecretString;
use jms::time::Time;
use serde::Serialize;

/// What is printed: the one time that the password is seen.
#[derive(Serialize)]
struct Given<'a> {
    user: &'a str,
    /// `None`: the administrator knows it already, or it was taken away.
    password: Option<&'a str>,
    must_change: bool,
    /// It is good until then; `None`: until it is changed.
    valid_until: Option<Time>,
}

/// Runs it.
pub fn reset(verb: &PasswordReset, context: &mut Context) -> Done {
    if verb.remove {
        return remove(verb, context);
    }
    let failed = |error: HashError| Failure::Failed(error.to_string());
    // A name that nobody has is said before a password is asked for.
    context.store.read().user(&verb.name)?;
    let policy = context.password.policy();
    let typed = verb
        .password
        .as_ref()
        .map(|file| secret::password(file, "Password for one login"))
        .transpose()?;
    if let Some(typed) = &typed {
        policy
            .object(&verb.name, typed)
            .map_err(|objection| Failure::BadInput(objection.to_string()))?;
    }
    let made: Option<SecretString> = match typed {
        Some(_) => None,
        None => Some(initial().map_err(failed)?),
    };
    let Some(password) = made.as_ref().or(typed.as_ref()) else {
        return Ok(());
    };
    let hash = PasswordHash::of(password, policy.cost).map_err(failed)?;
    context.change((&verb.change).into(), |change| {
        change.give_password(&verb.name, &hash)
    })?;
    if !context.password.enabled {
        context
            .out
            .note("passwords let nobody in yet: set enabled = true in [password] of jms.toml");
    }
    let shown = Given {
        user: &verb.name,
        // What was not kept is not shown: somebody might hand it over.
        password: made
            .as_ref()
            .filter(|_| !verb.change.dry_run)
            .map(SecretString::expose),
        must_change: true,
        valid_until: context
            .password
            .initial()
            .map(|initial| context.now.plus(initial)),
    };
    context.out.show(&shown)
}

fn remove(verb: &PasswordReset, context: &mut Context) -> Done {
    let work = |change: &jms::store::Change<'_>| change.remove_password(&verb.name);
    if !verb.change.dry_run {
        context.foresee(work)?;
        context.confirm(&format!(
            "Take the password of {} away?",
            crate::output::harmless(&verb.name)
        ))?;
    }
    context.change_quietly((&verb.change).into(), work)?;
    context.out.changed(&Given {
        user: &verb.name,
        password: None,
        must_change: false,
        valid_until: None,
    })
}
