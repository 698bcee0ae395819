//! What doctor cannot see for itself and somebody has to show: a copy of the key, a way in without the bastion. It is compared
//! or looked at, then noted in the store.
#![forbid(unsafe_code)]

use crate::cli::flags::Global;
use crate::context::{Asker, Context, Terms};
use crate::doctor;
use crate::failure::{Done, Failure};
use crate::input::FileArgument;
use crate::output::Output;
use crate::privilege;
use jms::paths::Paths;
use jms::secret::MasterKey;
use jms::settings::Settings;
use jms::store::Store;
use serde_json::json;

/// No change of policy, so there is nothing to try or to explain.
const PLAIN: Terms = Terms {
    dry_run: false,
    why: None,
};

/// Compares a copy of the key with the key, and remembers that there is one.
pub fn backup(file: &FileArgument, global: &Global, paths: &Paths, out: Output) -> Done {
    privilege::become_service_user()?;
    let copy = file.read_secret()?;
    let path = paths.secret_key();
    let key = MasterKey::load(&path).map_err(|error| Failure::Failed(error.to_string()))?;
    if !key.is(&copy) {
        return Err(Failure::Failed(format!(
            "{} is no copy of {}; nothing was noted",
            file.name(),
            path.display()
        )));
    }
    let mut context = context(global, paths, out)?;
    let fingerprint = key.fingerprint();
    context.change(PLAIN, |change| change.note_key_backup(&fingerprint))?;
    if context.out.is_json() {
        context.out.changed(&json!({"key": path.display().to_string(), "fingerprint": fingerprint, "confirmed_at": context.now}))?;
    } else {
        context.out.note(&format!(
            "{} is a copy of {}; noted",
            file.name(),
            path.display()
        ));
    }
    context.out.flush()
}

/// Looks how whoever runs this came in, and remembers the local account by which he did: it was let in, and it became root.
pub fn local_account(global: &Global, paths: &Paths, out: Output) -> Done {
    let name = doctor::account_behind_ssh(paths).map_err(Failure::Failed)?;
    privilege::become_service_user()?;
    let mut context = context(global, paths, out)?;
    context.change(PLAIN, |change| change.note_local_account(&name))?;
    if context.out.is_json() {
        context
            .out
            .changed(&json!({"account": name, "confirmed_at": context.now}))?;
    } else {
        context.out.note(&format!(
            "the local account {name} got in over ssh and became root; noted"
        ));
    }
    context.out.flush()
}

fn context(global: &Global, paths: &Paths, out: Output) -> Done<Context> {
    let settings = Settings::load(&paths.settings()).unwrap_or_default();
    let store = Store::open(paths)?;
    Ok(Context::new(store, global, &settings, out, Asker::Root))
}
