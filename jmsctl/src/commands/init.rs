//! `jmsctl init`: what the package's scripts left to do, and the first administrator.
#![forbid(unsafe_code)]

use super::accounts::{LocalAccounts, uid_range};
use super::key::login_key;
use super::user::{Whole, add_to};
use super::{host, settings};
use crate::cli::{Arguments, Init};
use crate::context::{Asker, Context};
use crate::failure::{Done, Failure};
use crate::output::{Output, harmless};
use crate::privilege;
use jms::nouns::{Role, User};
use jms::paths::Paths;
use jms::store::{Store, StoreError};
use jms::time::Time;
use serde::Serialize;

/// What `init` has done.
#[derive(Serialize)]
struct Summary {
    store: String,
    created: bool,
    uid_range: String,
    first_admin: Option<Whole>,
}

/// Runs it: files of root's as root, the rest as the service user.
pub fn run(init: &Init, arguments: &Arguments, paths: &Paths, out: Output) -> Done {
    host::prepare(paths, init.uid_range)?;
    privilege::become_service_user()?;
    let settings = settings(arguments.global.config.as_ref(), paths)?;
    let range = uid_range(paths)?;
    let accounts = LocalAccounts::load()?;
    let existed = match Store::open(paths) {
        Ok(_) => true,
        Err(StoreError::Missing { .. } | StoreError::NotInitialised) => false,
        Err(error) => return Err(error.into()),
    };
    // Everything that can be wrong with the first administrator is found before there is a store.
    let first = match &init.first_admin {
        Some(name) if !existed => {
            jms::names::UserName::new(name).map_err(Failure::bad)?;
            accounts.refuse_name(name, &range)?;
            let now = Time::now();
            let mut user = User::new(name, now);
            user.role = Role::Admin;
            let key = init
                .key
                .as_ref()
                .map(|file| login_key(file, name, now))
                .transpose()?;
            Some((user, key))
        }
        _ => None,
    };
    let store = if existed {
        Store::open(paths)?
    } else {
        Store::create(paths)?
    };
    let mut context = Context::new(store, &arguments.global, &settings, out, Asker::Root);
    let mut first_admin = None;
    if let Some((user, key)) = first {
        let high_water = paths.uid_high_water();
        let terms = crate::context::Terms {
            dry_run: false,
            why: None,
        };
        let added = context.change(terms, |change| {
            add_to(change, &user, key.as_ref(), &range, &high_water, &accounts)
        });
        first_admin = Some(added?);
    } else if let Some(name) = &init.first_admin {
        first_admin = already_there(&context, name)?;
    }
    let summary = Summary {
        store: paths.database().display().to_string(),
        created: !existed,
        uid_range: format!("{}-{}", range.first(), range.last()),
        first_admin,
    };
    print(&summary, init, &mut context)?;
    context.out.flush()
}

/// The user who is wanted as first administrator of a store that exists.
fn already_there(context: &Context, name: &str) -> Done<Option<Whole>> {
    match Whole::read(context.store.read(), name) {
        Ok(user) => Ok(Some(user)),
        Err(StoreError::NotFound { .. }) => {
            context.out.note(&format!(
                "there is a store already, so {} was not added; do it with: jmsctl user add NAME --role admin --key FILE",
                harmless(name)
            ));
            Ok(None)
        }
        Err(error) => Err(error.into()),
    }
}

fn print(summary: &Summary, init: &Init, context: &mut Context) -> Done {
    if context.out.is_json() {
        return context.out.changed(summary);
    }
    if !summary.created {
        context.out.note(&format!(
            "{} is there already; nothing was changed in it",
            summary.store
        ));
        return Ok(());
    }
    context.out.changed(summary)?;
    if init.first_admin.is_none() {
        context
            .out
            .note("next: jmsctl user add NAME --role admin --key FILE");
    }
    Ok(())
}
