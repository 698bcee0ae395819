//! People: enough administrators, somebody else who audits them, and a way in when the bastion is broken.
#![forbid(unsafe_code)]

use super::finding::Findings;
use super::stored::Stored;
use super::{mend, table};
use jms::nouns::{Role, User};
use jms::time::Time;

/// Fewer than these, and one illness leaves nobody.
const ENOUGH: usize = 2;

/// Judges who administers and who audits. A person with two accounts is one person: he is known by his login key
/// or his mail address.
pub fn judge(stored: &Stored, findings: &mut Findings) {
    let now = Time::now();
    let able = |user: &&User| can_log_in(user, stored, now);
    let admins: Vec<&User> = stored
        .users
        .iter()
        .filter(|user| user.role == Role::Admin)
        .filter(able)
        .collect();
    if admins.len() < ENOUGH {
        let names: Vec<&str> = admins.iter().map(|user| user.name.as_str()).collect();
        let have = if names.is_empty() {
            "no administrator".to_owned()
        } else {
            format!("only {}", names.join(", "))
        };
        findings.add(
            table::ADMINISTRATORS_FEW,
            format!("{have} can log in (enabled, valid, with a login key), and one is too few"),
            format!(
                "{} && echo 'Public key, then Ctrl-D:' && jmsctl user add \"$name\" --role admin --key -",
                mend::ask("Name of another administrator:", "name")
            ),
        );
    }
    let auditors = || {
        stored
            .users
            .iter()
            .filter(|user| user.role == Role::Auditor)
            .filter(able)
    };
    for admin in &admins {
        if let Some((auditor, why)) =
            auditors().find_map(|auditor| Some((auditor, one_person(admin, auditor, stored)?)))
        {
            findings.add(
                table::ADMINISTRATORS_OWN_AUDITOR,
                format!("the administrator {} and the auditor {} have the same {why}: one person audits himself", admin.name, auditor.name),
                format!("jmsctl user disable {} --comment 'auditor and administrator are one person'", mend::quoted(&auditor.name)),
            );
            return;
        }
    }
}

/// Whether anybody but administrators can look at evidence.
pub fn has_auditor(stored: &Stored) -> bool {
    let now = Time::now();
    stored
        .users
        .iter()
        .any(|user| user.role == Role::Auditor && can_log_in(user, stored, now))
}

fn can_log_in(user: &User, stored: &Stored, now: Time) -> bool {
    let valid = user.valid_from.is_none_or(|from| from <= now)
        && user.valid_until.is_none_or(|until| now < until);
    let has_key = stored
        .keys
        .iter()
        .any(|key| key.user == user.name && key.valid_until.is_none_or(|until| now < until));
    user.enabled && valid && has_key
}

fn one_person(one: &User, other: &User, stored: &Stored) -> Option<&'static str> {
    let keys = |user: &User| {
        let name = user.name.clone();
        stored
            .keys
            .iter()
            .filter(move |key| key.user == name)
            .map(|key| key.fingerprint.as_str())
    };
    if keys(one).any(|key| keys(other).any(|theirs| theirs == key)) {
        return Some("login key");
    }
    (!one.email.is_empty() && one.email.eq_ignore_ascii_case(&other.email))
        .then_some("mail address")
}
