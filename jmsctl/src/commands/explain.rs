//! `jmsctl access explain`: the one decision about one login, each step and its reason, in words.
//!
//! What it says about policy comes from `jms::policy::decide_rights` on the facts that the session program
//! gives it. Remarks are about what lies beyond the decision and would still be in the way.
#![forbid(unsafe_code)]

use crate::cli::access::Explain;
use crate::context::Context;
use crate::failure::{Done, Failure};
use jms::nouns::{Asset, CredentialKind, HostKeyPolicy, SystemUser, User};
use jms::policy::{Decision, Reason, Right, Rights, Validity, decide_rights};
use jms::store::{Lack, Read, StoreError};
use jms::time::Time;
use serde::Serialize;

/// The explanation. Fields are a promise to scripts.
#[derive(Serialize)]
struct Explanation {
    /// `USER@SYSTEM_USER@ASSET`
    login: String,
    user: String,
    system_user: String,
    asset: String,
    /// The right that was asked for; `null`: all.
    right: Option<&'static str>,
    /// Whether it is allowed; without a right, whether any is.
    allow: bool,
    rights: Vec<Verdict>,
    steps: Vec<Step>,
    /// Grants that miss it by one, in words.
    near_misses: Vec<String>,
    /// What would be in the way beside the decision.
    remarks: Vec<String>,
}

/// The decision about one right.
#[derive(Serialize)]
struct Verdict {
    right: &'static str,
    allow: bool,
    /// A stable word.
    reason: &'static str,
    /// The same as a sentence.
    because: String,
    /// The grants that give it.
    grants: Vec<String>,
    /// A second factor not older than so many seconds would turn the answer into yes.
    factor_needed: Option<i64>,
    valid_until: Option<Time>,
}

#[derive(Serialize, PartialEq, Eq)]
struct Step {
    passed: bool,
    text: String,
}

/// Runs the verb.
pub fn explain(verb: &Explain, context: &mut Context) -> Done {
    let explanation = explanation(verb, context)?;
    if context.out.is_json() {
        return context.out.show(&explanation);
    }
    let text = in_words(&explanation);
    context.out.text(&text)
}

fn explanation(verb: &Explain, context: &Context) -> Done<Explanation> {
    let (read, now) = (context.store.read(), context.now);
    let (user, system_user, asset) = parties(read, &verb.login, now)?;
    let facts = read.facts(&user, None, (asset.id, system_user.id), context.limits)?;
    let asked = verb.right.map_or(Right::ALL.to_vec(), |right| vec![right]);
    let mut verdicts = Vec::new();
    let mut steps: Vec<Step> = Vec::new();
    for right in asked {
        let needed = Rights::NONE.with(right);
        let decision = decide_rights(&facts, right.as_str(), needed, now);
        verdicts.push(verdict(right, &decision));
        for step in decision.steps {
            let step = Step {
                passed: step.passed,
                text: step.text,
            };
            if !steps.contains(&step) {
                steps.push(step);
            }
        }
    }
    let allow = verdicts.iter().any(|verdict| verdict.allow);
    let mut near_misses = Vec::new();
    if facts.grants.is_empty() {
        for miss in read.near_misses(&user, &asset, &system_user)? {
            let lacks = match miss.lacks {
                Lack::User => format!("does not name {} or a group of his", user.name),
                Lack::Asset => {
                    format!("does not name {}, a place above it or its site", asset.name)
                }
                Lack::SystemUser => format!("does not name the system user {}", system_user.name),
            };
            near_misses.push(format!("grant {} {lacks}", miss.grant));
        }
    }
    Ok(Explanation {
        login: format!("{}@{}@{}", user.name, system_user.name, asset.name),
        right: verb.right.map(Right::as_str),
        allow,
        rights: verdicts,
        steps,
        near_misses,
        remarks: remarks(read, &user, &system_user, &asset, now)?,
        user: user.name,
        system_user: system_user.name,
        asset: asset.name,
    })
}

/// The three that a login names.
pub(super) fn parties(read: Read<'_>, login: &str, now: Time) -> Done<(User, SystemUser, Asset)> {
    let usage = || {
        Failure::BadInput(format!(
            "write the login as USER@SYSTEM_USER@ASSET, not “{}”",
            login.escape_debug()
        ))
    };
    let (user, rest) = login.split_once('@').ok_or_else(usage)?;
    let user = read.user(user)?;
    let Some((system_user, asset)) = rest.rsplit_once('@') else {
        return only_one(read, user, rest, now);
    };
    Ok((user, read.system_user(system_user)?, read.asset(asset)?))
}

/// `USER@ASSET`: as the session program reads it.
fn only_one(read: Read<'_>, user: User, asset: &str, now: Time) -> Done<(User, SystemUser, Asset)> {
    let asset = read.asset(asset)?;
    let mut granted = read.targets(&user, now)?;
    granted.retain(|target| target.asset_id == asset.id);
    match granted.as_slice() {
        [one] => {
            let system_user = read.system_user(&one.system_user)?;
            Ok((user, system_user, asset))
        }
        [] => Err(Failure::BadInput(format!(
            "nothing on {1} is granted to {0} now; ask about one system user: {0}@SYSTEM_USER@{1}",
            user.name, asset.name
        ))),
        several => {
            let names: Vec<&str> = several.iter().map(|one| one.system_user.as_str()).collect();
            Err(Failure::BadInput(format!(
                "{} reaches {} as {}; say which: {0}@{}@{1}",
                user.name,
                asset.name,
                names.join(", "),
                names.first().unwrap_or(&"SYSTEM_USER")
            )))
        }
    }
}

fn verdict(right: Right, decision: &Decision) -> Verdict {
    Verdict {
        right: right.as_str(),
        allow: decision.allow,
        reason: decision.reason.as_str(),
        because: decision.reason.to_string(),
        grants: match &decision.reason {
            Reason::Granted { by } => by.clone(),
            _ => Vec::new(),
        },
        factor_needed: decision
            .factor_needed
            .map(|milliseconds| milliseconds / 1000),
        valid_until: decision.limits.until,
    }
}

/// What the decision does not ask, and a login or a connection would fail of.
fn remarks(
    read: Read<'_>,
    user: &User,
    system_user: &SystemUser,
    asset: &Asset,
    now: Time,
) -> Result<Vec<String>, StoreError> {
    let mut remarks = Vec::new();
    let holds = |until| Validity { from: None, until }.holds(now);
    let keys = read.login_keys(Some(&user.name))?;
    if !keys.iter().any(|key| holds(key.valid_until)) {
        remarks.push(format!("{} has no login key that is valid now", user.name));
    }
    if asset.host_key_policy == HostKeyPolicy::Refuse
        && read.host_keys(Some(&asset.name))?.is_empty()
    {
        remarks.push(format!(
            "no host key of {0} is stored, so it cannot be reached: jmsctl host-key scan {0}",
            asset.name
        ));
    }
    let stored = matches!(
        system_user.credential,
        CredentialKind::Key | CredentialKind::Password
    );
    if stored && !read.has_credential(system_user, asset)? {
        remarks.push(format!(
            "no {} of {} is stored, so {} will not let it in",
            system_user.credential, system_user.name, asset.name
        ));
    }
    Ok(remarks)
}

fn in_words(explanation: &Explanation) -> String {
    let word = |yes: bool| if yes { "yes" } else { "no" };
    let mut text = format!("{}\n\n", explanation.login);
    for step in &explanation.steps {
        text.push_str(&format!("  {:3}  {}\n", word(step.passed), step.text));
    }
    text.push('\n');
    for verdict in &explanation.rights {
        let until = match verdict.valid_until {
            Some(until) => format!(", until {until}"),
            None => String::new(),
        };
        text.push_str(&format!(
            "{:8}  {:3}  {}{until}\n",
            verdict.right,
            word(verdict.allow),
            verdict.because
        ));
    }
    for (title, lines) in [
        ("nearly", &explanation.near_misses),
        ("beside that", &explanation.remarks),
    ] {
        for line in lines {
            text.push_str(&format!("{title}: {line}\n"));
        }
    }
    text
}
