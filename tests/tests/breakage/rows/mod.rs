//! The rows, by what they break.

mod findings;
mod platform;
mod programs;
mod settings;
mod sshd;
mod state;

use crate::row::Row;

/// What a client reads whose key is not taken.
const KEY_NOT_TAKEN: &str = "Permission denied (publickey)";
/// What a client reads whose name is not known.
const NAME_NOT_KNOWN: &str = "Permission denied (publickey,password)";
/// The line of sshd about a name that is not known.
const INVALID_USER: &str = "Invalid user alice@dev@web1 from";
/// What is left to say of a login after which no program of ours could be started.
const LOGIN_OPENED: &str = "type=\"login.open\" … user=\"alice\"";
/// What PAM's account phase says when the bastion is to blame.
const SORRY: &str = "jms: the bastion cannot let you in just now; please tell your administrator";

/// All of them, in the order of the table.
pub fn all() -> Vec<Row> {
    let mut rows = [
        programs::rows(),
        settings::rows(),
        state::rows(),
        sshd::rows(),
        platform::rows(),
    ]
    .concat();
    for row in &mut rows {
        row.findings = findings::of(&row.name());
    }
    rows
}
