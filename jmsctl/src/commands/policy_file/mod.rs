//! `jmsctl export`, `diff` and `apply`: the whole policy as one TOML file, without secrets.
//!
//! A table per object, `[asset.web1]`. What a table does not say stays as it is (or gets its default when the
//! object is new); what a list says replaces the list. The file is text that anybody may have written.
#![forbid(unsafe_code)]

mod access;
mod compare;
mod document;
mod filters;
mod keys;
mod login_rules;
mod machines;
mod object;
mod people;
mod plan;
mod values;

pub use document::Document;

use super::accounts::{LocalAccounts, uid_range};
use crate::cli::policy_file::{Apply, Diff, Export};
use crate::context::{Context, Terms};
use crate::failure::{Done, Failure};
use crate::input::FileArgument;
use jms::nouns::CredentialKind;
use jms::store::StoreError;
use object::Surroundings;
use plan::Plan;

/// The longest file that is read, in bytes: a hundred thousand objects.
const LONGEST: u64 = 64 * 1024 * 1024;

/// Prints the policy, or some nouns of it.
pub fn export(verb: &Export, context: &mut Context) -> Done {
    let document = Document::read(context.store.read(), &verb.nouns)?;
    if context.out.is_json() {
        return context.out.show(&document);
    }
    context.out.text(&document.to_text()?)
}

/// Shows what `apply` would do; exit 1 if that is anything.
pub fn diff(verb: &Diff, context: &mut Context) -> Done {
    let wanted = read(&verb.file)?;
    let plan = Plan::make(&wanted, context.store.read(), verb.prune)?;
    plan.show(&mut context.out)?;
    match plan.is_empty() {
        true => Ok(()),
        false => Err(Failure::Failed(format!(
            "the policy differs from {}; jmsctl apply brings it there",
            verb.file.name()
        ))),
    }
}

/// Makes the policy what the file says: all of it, or nothing.
pub fn apply(verb: &Apply, context: &mut Context) -> Done {
    let wanted = read(&verb.file)?;
    let shown = Plan::make(&wanted, context.store.read(), verb.prune)?;
    if !context.out.is_quiet() {
        shown.show(&mut context.out)?;
    }
    if shown.is_empty() {
        context.out.note("nothing to do");
        return missing_secrets(context);
    }
    let range = uid_range(context.paths())?;
    let accounts = LocalAccounts::load()?;
    for name in shown.new_users() {
        accounts.refuse_name(name, &range)?;
    }
    let surroundings = Surroundings {
        now: context.now,
        high_water: context.paths().uid_high_water(),
        range,
        accounts,
    };
    let work = |change: &jms::store::Change<'_>| {
        // What is done is what was shown: two who apply at once do not mix.
        let plan = Plan::make(&wanted, change.read(), verb.prune)?;
        if plan != shown {
            return Err(StoreError::Refused {
                sentence: "somebody else changed the policy after the difference was shown; nothing was changed, look again"
                    .to_owned(),
            });
        }
        plan.carry_out(change, &surroundings)
    };
    if !verb.change.dry_run {
        // What the store refuses is said before anybody is asked.
        context.foresee(work)?;
        context.out.flush()?;
        context.confirm(&format!("Apply {}?", shown.summary()))?;
    }
    context.change_quietly(Terms::from(&verb.change), work)?;
    missing_secrets(context)
}

fn read(file: &FileArgument) -> Done<Document> {
    let text = file.read_up_to(LONGEST)?;
    Document::parse(text.expose())
        .map_err(|sentence| Failure::BadInput(format!("{}: {}", file.name(), sentence.trim_end())))
}

/// The file has no secrets; which of them nobody has given yet is said.
fn missing_secrets(context: &mut Context) -> Done {
    for system_user in context.store.read().system_users()? {
        let flag = match system_user.credential {
            CredentialKind::Key => "--key FILE",
            CredentialKind::Password => "--password -",
            CredentialKind::Ask | CredentialKind::Certificate => continue,
        };
        if !system_user.has_secret {
            context.out.note(&format!(
                "the system user {name} has no {kind} yet: jmsctl system-user set {name} {flag}",
                name = system_user.name,
                kind = system_user.credential,
            ));
        }
    }
    Ok(())
}
