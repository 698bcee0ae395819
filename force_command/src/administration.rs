//! `ssh admin@bastion jmsctl …`: asks the store for the role, then becomes `jmsctl`.
//!
//! Decides by the uid and the login row, nothing that the user can set. The program that takes over has
//! the same uids (real the user's, effective and saved the service user's), which no other way gives it, a
//! clean environment, and asks the store everything again.

use crate::identity::Identity;
use crate::message::{Message, Trouble, say};
use crate::start::Start;
use crate::{report, status, sys};
use event::Type;
use jms::nouns::Role;
use jms::paths::JMSCTL;
use jms::store::Store;
use std::ffi::CString;

/// Becomes `jmsctl` with `words`. Returns the exit status only if that is not allowed, or failed.
pub fn run(store: &mut Store, start: &Start, identity: &Identity, words: &[Vec<u8>]) -> i32 {
    let request = [&b"jmsctl"[..]]
        .into_iter()
        .chain(words.iter().map(Vec::as_slice))
        .collect::<Vec<_>>()
        .join(&b' ');
    match identity.user.role {
        Role::Admin | Role::Auditor => {}
        Role::User => {
            let event = report::refused(Type::RequestRefused, identity, &request, "role");
            report::emit(store, &event);
            say(Message::NotAdministrator);
            return status::NOT_ALLOWED;
        }
    }
    let failure = become_jmsctl(start, words);
    let event = report::refused(
        Type::RequestRefused,
        identity,
        &request,
        "cannot-run-jmsctl",
    );
    report::emit(store, &event.result("error").with("error", failure));
    say(Message::Bastion(Trouble::System));
    status::BASTION
}

/// Returns only when it failed, with the reason.
fn become_jmsctl(start: &Start, words: &[Vec<u8>]) -> String {
    let text = |bytes: &[u8]| CString::new(bytes).map_err(|error| error.to_string());
    let prepared = || -> Result<_, String> {
        let mut arguments = vec![text(b"jmsctl")?];
        for word in words {
            arguments.push(text(word)?);
        }
        let environment = environment(start);
        let environment = environment.iter().map(|line| text(line.as_bytes()));
        let environment = environment.collect::<Result<Vec<_>, _>>()?;
        Ok((text(JMSCTL.as_bytes())?, arguments, environment))
    };
    match prepared() {
        Ok((program, arguments, environment)) => {
            // The store's own descriptors close by themselves; this is for those that nobody thought of.
            match sys::close_from(3, true) {
                Ok(()) => sys::execute(&program, &arguments, &environment)
                    .desc()
                    .to_owned(),
                Err(errno) => errno.desc().to_owned(),
            }
        }
        Err(reason) => reason,
    }
}

/// What `jmsctl` is told: the login's token, the kind of terminal, the language. All of it was validated.
fn environment(start: &Start) -> Vec<String> {
    let given = &start.environment;
    let mut lines = vec!["PATH=/usr/sbin:/usr/bin:/sbin:/bin".to_owned()];
    lines.extend(
        given
            .token
            .as_ref()
            .map(|token| format!("JMS_LOGIN={}", token.reveal())),
    );
    lines.extend(given.own_term().map(|term| format!("TERM={term}")));
    let locale = given.own_locale();
    lines.extend(locale.map(|(name, value)| format!("{name}={value}")));
    lines
}
