//! The event of each run, so that refused keys, and people who try other people's names, are seen.
#![forbid(unsafe_code)]

use std::os::unix::process::parent_id;

use event::{Event, Severity, Type};

use crate::{decision::Refusal, request::Request};

/// What is logged. An ordinary agent offers several keys, so one that is not the user's is no news; what should be in
/// order and is not, is.
pub(crate) fn event<A: AsRef<[u8]>>(
    arguments: &[A],
    request: Option<&Request>,
    outcome: Result<(), &Refusal>,
) -> Event {
    let event = match outcome {
        Ok(()) => Event::new(Type::KeyAccepted).result("allow"),
        Err(refusal) => {
            let (kind, severity) = kind(refusal);
            Event::new(kind)
                .severity(severity)
                .result("deny")
                .reason(refusal.to_string())
        }
    };
    let event = event.sshd_pid(parent_id());
    let text = |number: usize| {
        let argument = arguments.get(number).map(AsRef::as_ref);
        argument.map(|bytes| {
            String::from_utf8_lossy(bytes)
                .chars()
                .take(256)
                .collect::<String>()
        })
    };
    let event = match request {
        Some(request) => event
            .user(request.user.as_str())
            .key(request.fingerprint_text()),
        None => event.key(text(1)),
    };
    event.with("login_name", text(0))
}

fn kind(refusal: &Refusal) -> (Type, Severity) {
    match refusal {
        Refusal::NotRegistered | Refusal::KeyType(_) => (Type::KeyRefused, Severity::Info),
        Refusal::RsaBits(_) | Refusal::UserDisabled | Refusal::Expired(_) => {
            (Type::KeyRefused, Severity::Notice)
        }
        Refusal::Arguments(_) => (Type::KeyRefused, Severity::Warning),
        Refusal::Snapshot(_) => (Type::SnapshotProblem, Severity::Error),
        Refusal::Forged => (Type::SnapshotProblem, Severity::Alert),
    }
}

#[cfg(test)]
mod tests {
    use event::Format;

    use super::*;
    use crate::request::tests::{FINGERPRINT, KEY};

    #[test]
    fn a_refused_key() {
        let arguments = ["alice@dev@web1", FINGERPRINT, "ssh-ed25519", KEY];
        let request = Request::parse(&arguments).unwrap();
        let refused = event(&arguments, Some(&request), Err(&Refusal::NotRegistered));
        assert_eq!(
            (refused.kind(), refused.level()),
            (Type::KeyRefused, Severity::Info)
        );
        let line = refused.to_line(Format::KeyValue, None);
        for field in [
            r#"user="alice""#,
            r#"reason="not a key of this user""#,
            r#"login_name="alice@dev@web1""#,
            &format!(r#"key="{FINGERPRINT}""#),
        ] {
            assert!(line.contains(field), "{field} is not in {line}");
        }
    }

    #[test]
    fn garbage_stays_on_one_line() {
        let arguments = [&b"al\nice\xff"[..], &[b'x'; 100_000]];
        let refused = event(&arguments, None, Err(&Refusal::Arguments("as a test")));
        assert_eq!(refused.level(), Severity::Warning);
        let line = refused.to_line(Format::KeyValue, None);
        assert!(!line.contains('\n') && line.len() < 2000, "{line}");
        assert!(event::<&[u8]>(&[], None, Err(&Refusal::Forged)).level() == Severity::Alert);
    }
}
