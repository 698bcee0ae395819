//! `jmsctl defaults`.
#![forbid(unsafe_code)]

use crate::cli::site::{Defaults as Verb, DefaultsSet};
use crate::context::Context;
use crate::failure::Done;

/// Runs a verb.
pub fn run(verb: &Verb, context: &mut Context) -> Done {
    match verb {
        Verb::Show => {
            let defaults = context.store.read().defaults()?;
            context.out.show(&defaults)
        }
        Verb::Set(verb) => set(verb, context),
    }
}

fn set(verb: &DefaultsSet, context: &mut Context) -> Done {
    let edited = context.change((&verb.change).into(), |change| {
        let mut defaults = change.read().defaults()?;
        if let Some(name) = verb.privileged_system_user.clone() {
            defaults.privileged_system_user = name.into_option();
        }
        defaults.port = verb.port.unwrap_or(defaults.port);
        if let Some(shell) = &verb.shell {
            defaults.shell.clone_from(shell);
        }
        defaults.mfa_user = verb.mfa_user.unwrap_or(defaults.mfa_user);
        defaults.mfa_auditor = verb.mfa_auditor.unwrap_or(defaults.mfa_auditor);
        defaults.mfa_admin = verb.mfa_admin.unwrap_or(defaults.mfa_admin);
        change.set_defaults(&defaults)
    })?;
    context.out.changed(&edited)
}
