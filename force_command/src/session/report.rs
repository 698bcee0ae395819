//! What a session's end means, for the client and for what is kept of it.

use crate::egress::Exit;
use crate::egress::Failure;
use crate::message::{self, Message};
use crate::relay::{End, Stop, TapFailure};
use crate::status;

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

/// Where a connection failed, if it did: the gateway's name, or `None` for the asset; and how.
pub type Trouble = Option<(Option<String>, Failure)>;

/// What an end means. `trouble` is asked only when the connection may have failed.
pub fn verdict(end: &End, target: &str, trouble: impl FnOnce() -> Trouble) -> Verdict {
    let verdict = |status, message, reason| Verdict {
        status,
        message,
        reason,
    };
    let connection = |(gateway, failure): (Option<String>, Failure)| {
        let message = Message::Connection {
            target: target.to_owned(),
            gateway,
            failure,
        };
        verdict(status::CONNECTION, Some(message), failure.word())
    };
    match end {
        // ssh's own failure and an asset's command that ended with 255 are told apart by the log.
        End::Ended(Exit::Status(status::CONNECTION)) => match trouble() {
            Some(trouble) => connection(trouble),
            None => verdict(status::CONNECTION, None, "exit"),
        },
        End::Ended(Exit::Status(status)) => verdict(*status, None, "exit"),
        End::Ended(Exit::Signal(_)) => connection((None, Failure::Lost)),
        End::ClientGone => verdict(status::CONNECTION, None, "client-gone"),
        End::Interrupted | End::Stopped(Stop::Interrupted) => verdict(
            status::INTERRUPTED,
            Some(Message::Interrupted),
            "interrupted",
        ),
        End::Signalled(signal) => verdict(
            status::ENDED,
            Some(Message::Signalled(signal.as_str())),
            "signalled",
        ),
        End::Tap(TapFailure::Recording(_)) => verdict(
            status::BASTION,
            Some(Message::RecordingFailed),
            "recording-failed",
        ),
        End::Tap(TapFailure::Capture(_)) => verdict(
            status::BASTION,
            Some(Message::CaptureFailed),
            "capture-failed",
        ),
        End::Tap(TapFailure::Forbidden(sentence)) => verdict(
            status::ENDED,
            Some(Message::Forbidden(sentence.clone())),
            "filtered",
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
            Some(Message::Bastion(message::Trouble::Store)),
            "store-failed",
        ),
        End::Stopped(Stop::NotConnected) => {
            connection(trouble().unwrap_or((None, Failure::Silent)))
        }
        End::Stopped(Stop::ClientGone) => verdict(status::CONNECTION, None, "client-gone"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(end: End, trouble: Option<Failure>) -> (i32, &'static str, bool) {
        let verdict = verdict(&end, "dev@web1", || trouble.map(|it| (None, it)));
        (verdict.status, verdict.reason, verdict.message.is_some())
    }

    #[test]
    fn the_assets_own_status_stays_silent_even_if_it_is_255() {
        assert_eq!(of(End::Ended(Exit::Status(3)), None), (3, "exit", false));
        assert_eq!(
            of(End::Ended(Exit::Status(255)), None),
            (255, "exit", false)
        );
    }

    #[test]
    fn every_other_end_has_its_status_and_its_sentence() {
        assert_eq!(
            of(End::Ended(Exit::Status(255)), Some(Failure::HostKeyChanged)),
            (255, "host-key-changed", true)
        );
        assert_eq!(
            of(End::Ended(Exit::Signal(9)), None),
            (255, "connection-lost", true)
        );
        assert_eq!(
            of(End::Tap(TapFailure::Recording(String::new())), None),
            (75, "recording-failed", true)
        );
        assert_eq!(
            of(End::Tap(TapFailure::Capture(String::new())), None),
            (75, "capture-failed", true)
        );
        assert_eq!(
            of(End::Tap(TapFailure::Forbidden(String::new())), None),
            (76, "filtered", true)
        );
        assert_eq!(
            of(End::Stopped(Stop::Killed(String::new())), None),
            (76, "killed", true)
        );
        assert_eq!(
            of(End::Stopped(Stop::Withdrawn(String::new())), None),
            (76, "right-withdrawn", true)
        );
        assert_eq!(
            of(End::Stopped(Stop::NotConnected), Some(Failure::Stalled)),
            (255, "stalled", true)
        );
        assert_eq!(of(End::Interrupted, None), (130, "interrupted", true));
        assert_eq!(of(End::ClientGone, None), (255, "client-gone", false));
    }
}
