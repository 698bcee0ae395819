//! What is kept of a session's end, and of what went wrong on the way.

use crate::agent::Notice;
use crate::egress::Exit;
use crate::egress::Failure;
use crate::message::{Message, Trouble};
use crate::relay::{End, Stop};
use crate::status;
use event::{Event, Severity};

/// How a session ended, for the client and for the store.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verdict {
    /// The client's exit status.
    pub status: i32,
    /// What the client is told.
    pub message: Option<Message>,
    /// A stable word for the store.
    pub reason: &'static str,
}

/// What an end means. `log` is read only when the client program has failed.
pub fn verdict(end: &End, target: &str, log: impl FnOnce() -> String) -> Verdict {
    let verdict = |status, message, reason| Verdict {
        status,
        message,
        reason,
    };
    let connection = |failure: Failure| {
        let message = Message::Connection {
            target: target.to_owned(),
            failure,
        };
        verdict(status::CONNECTION, Some(message), failure.word())
    };
    match end {
        // ssh's own failure and an asset's command that ended with 255 are told apart by the log.
        End::Ended(Exit::Status(status::CONNECTION)) => match Failure::from_log(&log()) {
            Some(failure) => connection(failure),
            None => verdict(status::CONNECTION, None, "exit"),
        },
        End::Ended(Exit::Status(status)) => verdict(*status, None, "exit"),
        End::Ended(Exit::Signal(_)) => connection(Failure::Lost),
        End::ClientGone => verdict(status::CONNECTION, None, "client-gone"),
        End::Interrupted => verdict(
            status::INTERRUPTED,
            Some(Message::Interrupted),
            "interrupted",
        ),
        End::Signalled(signal) => verdict(
            status::ENDED,
            Some(Message::Signalled(signal.as_str())),
            "signalled",
        ),
        End::Tap(_) => verdict(
            status::BASTION,
            Some(Message::RecordingFailed),
            "recording-failed",
        ),
        End::Stopped(Stop::Killed(reason)) => verdict(
            status::ENDED,
            Some(Message::Killed(reason.clone())),
            "killed",
        ),
        End::Stopped(Stop::Withdrawn(reason)) => verdict(
            status::ENDED,
            Some(Message::Withdrawn(reason.clone())),
            "right-withdrawn",
        ),
        End::Stopped(Stop::NoStore(_)) => verdict(
            status::BASTION,
            Some(Message::Bastion(Trouble::Store)),
            "store-failed",
        ),
        End::Stopped(Stop::NotConnected) => connection(Failure::Silent),
        End::Stopped(Stop::ClientGone) => verdict(status::CONNECTION, None, "client-gone"),
    }
}

/// The event for something that the agent has refused; what an honest client does is none.
pub fn notice(event: Event, notice: &Notice) -> Option<Event> {
    match notice {
        Notice::Connected | Notice::Bound(_) | Notice::Signed { .. } | Notice::PeerClosed => None,
        Notice::Refused(refusal) => Some(
            event
                .severity(Severity::Warning)
                .result("deny")
                .reason(format!("agent: {refusal}")),
        ),
        Notice::Stranger { pid, uid } => Some(
            event
                .result("deny")
                .reason("agent: another process wanted to use the session's key")
                .with("pid", i64::from(*pid))
                .with("uid", u64::from(*uid)),
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::relay::TapFailure;

    fn of(end: End, log: &str) -> (i32, &'static str, bool) {
        let verdict = verdict(&end, "dev@web1", || log.to_owned());
        (verdict.status, verdict.reason, verdict.message.is_some())
    }

    #[test]
    fn the_assets_own_status_stays_silent_even_if_it_is_255() {
        assert_eq!(of(End::Ended(Exit::Status(3)), ""), (3, "exit", false));
        let connected = "Authenticated to 192.0.2.7 ([192.0.2.7]:22) using \"publickey\".\n";
        assert_eq!(
            of(End::Ended(Exit::Status(255)), connected),
            (255, "exit", false)
        );
    }

    #[test]
    fn every_other_end_has_its_status_and_its_sentence() {
        assert_eq!(
            of(
                End::Ended(Exit::Status(255)),
                "Host key verification failed."
            ),
            (255, "host-key-changed", true)
        );
        assert_eq!(
            of(End::Ended(Exit::Signal(9)), ""),
            (255, "connection-lost", true)
        );
        assert_eq!(
            of(End::Tap(TapFailure(String::new())), ""),
            (75, "recording-failed", true)
        );
        assert_eq!(
            of(End::Stopped(Stop::Killed(String::new())), ""),
            (76, "killed", true)
        );
        assert_eq!(
            of(End::Stopped(Stop::Withdrawn(String::new())), ""),
            (76, "right-withdrawn", true)
        );
        assert_eq!(
            of(End::Stopped(Stop::NotConnected), ""),
            (255, "silent", true)
        );
        assert_eq!(of(End::Interrupted, ""), (130, "interrupted", true));
        assert_eq!(of(End::ClientGone, ""), (255, "client-gone", false));
    }
}
