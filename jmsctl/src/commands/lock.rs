//! `jmsctl lock`.
#![forbid(unsafe_code)]

use crate::cli::lock::{Lock as Verb, Rm};
use crate::context::Context;
use crate::failure::{Done, Failure};
use crate::output::{Noun, harmless};
use jms::nouns::Lock;
use jms::policy::lockout::{Limits, Network};
use serde::Serialize;
use std::net::IpAddr;

impl Noun for Lock {
    const NAME: &'static str = "lock";
    const KEY: &'static str = "user";
    const FIELDS: &'static [&'static str] = &[
        "user",
        "source",
        "proof",
        "failures",
        "first_at",
        "last_at",
        "locked_until",
    ];
    const COLUMNS: &'static [&'static str] =
        &["user", "source", "proof", "failures", "locked_until"];
}

/// What is counted against a user.
#[derive(Serialize)]
struct Whole {
    user: String,
    locked: bool,
    locks: Vec<Lock>,
}

/// Runs a verb.
pub fn run(verb: &Verb, context: &mut Context) -> Done {
    let (limits, now) = (context.lockout, context.now);
    match verb {
        Verb::Ls(ls) => {
            let mut locks = context.store.read().locks(None, &limits, now)?;
            locks.retain(|lock| ls.all || lock.locked_until.is_some());
            context.out.list(locks, &ls.list).map(drop)
        }
        Verb::Show(verb) => {
            let locks = context.store.read().locks(Some(&verb.user), &limits, now)?;
            context.out.show(&Whole {
                user: verb.user.clone(),
                locked: locks.iter().any(|lock| lock.locked_until.is_some()),
                locks,
            })
        }
        Verb::Rm(verb) => remove(verb, &limits, context),
    }
}

fn remove(verb: &Rm, limits: &Limits, context: &mut Context) -> Done {
    let source = verb
        .source
        .as_deref()
        .map(|text| network(text, limits))
        .transpose()?;
    let (user, source) = (verb.user.as_deref(), source.as_deref());
    let work = |change: &jms::store::Change<'_>| change.remove_locks(user, source, limits);
    if !verb.change.dry_run {
        context.foresee(work)?;
        let whose: Vec<&str> = [user, source].into_iter().flatten().collect();
        context.confirm(&format!("Unlock {}?", harmless(&whose.join(" from "))))?;
    }
    let removed = context.change_quietly((&verb.change).into(), work)?;
    context.out.removed(&removed, verb.change.dry_run)
}

/// The network as it is counted: of an address, or as it is listed.
fn network(text: &str, limits: &Limits) -> Done<String> {
    if let Ok(address) = text.parse::<IpAddr>() {
        return Ok(Network::of(Some(address), limits).as_str().to_owned());
    }
    match text == "unknown" || text.parse::<snapshot::Cidr>().is_ok() {
        true => Ok(text.to_owned()),
        false => Err(Failure::BadInput(format!(
            "“{}” is no address and no network such as 192.0.2.0/24",
            text.escape_debug()
        ))),
    }
}
