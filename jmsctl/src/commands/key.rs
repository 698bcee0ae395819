//! `jmsctl key`.
#![forbid(unsafe_code)]

use crate::cli::key::{Add, Fingerprint, Key as Verb, Rm, Set};
use crate::cli::values::Clearable;
use crate::context::Context;
use crate::failure::{Done, Failure};
use crate::input::FileArgument;
use crate::output::Noun;
use jms::keys::{KeyKind, PublicKey};
use jms::nouns::LoginKey;
use jms::store::{Change, Read, StoreError};
use jms::time::Time;

impl Noun for LoginKey {
    const NAME: &'static str = "login key";
    const KEY: &'static str = "fingerprint";
    const FIELDS: &'static [&'static str] = &[
        "user",
        "type",
        "fingerprint",
        "from",
        "valid_until",
        "verify_required",
        "comment",
        "created_at",
        "updated_at",
    ];
    const COLUMNS: &'static [&'static str] = &[
        "user",
        "type",
        "fingerprint",
        "from",
        "valid_until",
        "comment",
    ];
}

/// The most networks that one key may name: as many as the snapshot of keys holds.
const MOST_NETWORKS: usize = 64;

/// Runs a verb.
pub fn run(verb: &Verb, context: &mut Context) -> Done {
    match verb {
        Verb::Add(verb) => add(verb, context),
        Verb::Set(verb) => set(verb, context),
        Verb::Rm(verb) => rm(verb, context),
        Verb::Ls(verb) => {
            let read = context.store.read();
            if let Some(user) = &verb.user {
                read.user(user)?;
            }
            let user = verb.user.as_deref();
            context
                .out
                .list_each(&verb.ls(), |visit| read.each_login_key(user, visit))
        }
        Verb::Show(verb) => {
            let keys = find(context.store.read(), &verb.key)?;
            keys.iter().try_for_each(|key| context.out.show(key))
        }
    }
}

/// Reads the public key in `file` as a login key of `user`, usable without conditions.
pub fn login_key(file: &FileArgument, user: &str, now: Time) -> Done<LoginKey> {
    let text = file.read()?;
    let key = PublicKey::parse_line(text.expose())
        .map_err(|error| Failure::BadInput(format!("{}: {error}", file.name())))?;
    Ok(noun(&key, user, now))
}

/// A public key as a login key of `user`, usable without conditions.
pub fn noun(key: &PublicKey, user: &str, now: Time) -> LoginKey {
    let comment: String = key
        .comment()
        .chars()
        .filter(|character| !character.is_control())
        .take(1024)
        .collect();
    LoginKey {
        id: 0,
        user: user.to_owned(),
        kind: key.kind().as_str().to_owned(),
        blob: key.blob().to_vec(),
        fingerprint: key.fingerprint().to_string(),
        from: Vec::new(),
        valid_until: None,
        verify_required: false,
        comment,
        created_at: now,
        updated_at: now,
    }
}

/// Whether the conditions of a key go together.
pub fn check(key: &LoginKey) -> Result<(), StoreError> {
    if key.verify_required && !KeyKind::parse(&key.kind).is_some_and(KeyKind::is_security_key) {
        return refuse(&format!(
            "--verify-required is for keys in security keys (sk-…); this one is {}, which cannot verify its person",
            key.kind
        ));
    }
    if key.from.len() > MOST_NETWORKS {
        return refuse(&format!(
            "a key may name at most {MOST_NETWORKS} networks, not {}",
            key.from.len()
        ));
    }
    Ok(())
}

fn add(verb: &Add, context: &mut Context) -> Done {
    // That he does not exist is said before a file is read.
    context.store.read().user(&verb.user)?;
    let mut key = login_key(&verb.key, &verb.user, context.now)?;
    key.from = without_doubles(verb.from.clone());
    key.valid_until = verb.valid_until.clone().and_then(Clearable::into_option);
    key.verify_required = verb.verify_required;
    if let Some(comment) = &verb.change.comment {
        key.comment.clone_from(comment);
    }
    check(&key)?;
    let added = context.change((&verb.change).into(), |change| change.add_login_key(&key))?;
    context.out.changed(&added)
}

fn set(verb: &Set, context: &mut Context) -> Done {
    let edited = context.change((&verb.change).into(), |change| {
        let mut key = find_one(change.read(), &verb.key)?;
        apply(verb, &mut key)?;
        check(&key)?;
        change.set_login_key(&key)
    })?;
    context.out.changed(&edited)
}

fn apply(verb: &Set, key: &mut LoginKey) -> Result<(), StoreError> {
    if let Some(from) = verb.from.clone() {
        key.from = from
            .into_iter()
            .filter_map(Clearable::into_option)
            .collect();
    }
    key.from.extend(verb.add_from.iter().cloned());
    key.from.retain(|network| !verb.rm_from.contains(network));
    key.from = without_doubles(std::mem::take(&mut key.from));
    if key.from.is_empty() && !verb.rm_from.is_empty() {
        return refuse(
            "no network would be left, and the key would be usable from anywhere; if you want that, say --from none",
        );
    }
    if let Some(until) = verb.valid_until.clone() {
        key.valid_until = until.into_option();
    }
    key.verify_required = verb.verify_required.unwrap_or(key.verify_required);
    if let Some(comment) = &verb.change.comment {
        key.comment.clone_from(comment);
    }
    Ok(())
}

fn rm(verb: &Rm, context: &mut Context) -> Done {
    let remove = |change: &Change<'_>| {
        let key = find_one(change.read(), &verb.key)?;
        change.remove_login_key(&key)
    };
    if !verb.change.dry_run {
        let key = context.foresee(remove)?;
        context.confirm(&format!(
            "Remove the login key {} of {}?",
            key.fingerprint, key.user
        ))?;
    }
    let removed = context.change_quietly((&verb.change).into(), remove)?;
    context.out.removed(&[removed], verb.change.dry_run)
}

/// The keys that are meant; several only if several users have one key.
fn find(read: Read<'_>, wanted: &Fingerprint) -> Result<Vec<LoginKey>, StoreError> {
    let mut keys = read.login_keys_by_fingerprint(&wanted.fingerprint)?;
    if let Some(user) = &wanted.user {
        read.user(user)?;
        keys.retain(|key| key.user == *user);
    }
    let first = keys.first().map(|key| key.fingerprint.clone());
    let Some(first) = first else {
        return Err(StoreError::NotFound {
            kind: "login key",
            name: wanted.fingerprint.clone(),
            nearest: None,
        });
    };
    if keys.iter().any(|key| key.fingerprint != first) {
        return refuse(&format!(
            "several keys begin with {}; give more of the fingerprint",
            wanted.fingerprint.escape_debug()
        ));
    }
    Ok(keys)
}

fn find_one(read: Read<'_>, wanted: &Fingerprint) -> Result<LoginKey, StoreError> {
    let mut keys = find(read, wanted)?;
    let users: Vec<String> = keys.iter().map(|key| key.user.clone()).collect();
    match (keys.pop(), keys.is_empty()) {
        (Some(key), true) => Ok(key),
        _ => refuse(&format!(
            "this key belongs to {}; say whose with --user NAME",
            users.join(" and ")
        )),
    }
}

fn refuse<T>(sentence: &str) -> Result<T, StoreError> {
    Err(StoreError::Refused {
        sentence: sentence.to_owned(),
    })
}

fn without_doubles(networks: Vec<String>) -> Vec<String> {
    let mut once: Vec<String> = Vec::with_capacity(networks.len());
    for network in networks {
        if !once.contains(&network) {
            once.push(network);
        }
    }
    once
}
