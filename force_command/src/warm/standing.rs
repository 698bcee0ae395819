//! When a kept connection is over, and who may use it: the rules, without clock and sockets.
#![forbid(unsafe_code)]

use std::time::{Duration, Instant};

/// Why a connection ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reason {
    /// Nobody has used it for its time.
    Idle,
    /// Something of the policy was changed.
    Changed,
    /// A right that it was used by has run out.
    Expired,
    /// It is as old as one may become.
    Aged,
    /// A session on it went while the client may have had its request still to send.
    Abandoned,
    /// Another one needs its place.
    Limit,
    /// The bastion's own programs or settings were changed.
    Replaced,
    /// An administrator ended it.
    Killed,
    /// The process was told to end.
    Signalled,
    /// The asset, or the client, ended it.
    Lost,
    /// It never came to be: the asset did not let us in.
    NotConnected,
}

impl Reason {
    /// A stable word for events.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Idle => "idle",
            Self::Changed => "policy-changed",
            Self::Expired => "right-expired",
            Self::Aged => "age",
            Self::Abandoned => "session-abandoned",
            Self::Limit => "limit",
            Self::Replaced => "bastion-changed",
            Self::Killed => "killed",
            Self::Signalled => "signalled",
            Self::Lost => "connection-lost",
            Self::NotConnected => "not-connected",
        }
    }
}

/// So many sessions may use one connection: three descriptors each, and its client has 256. An asset's sshd takes ten
/// unless it is told otherwise.
const MOST: usize = 32;
/// It becomes so many times as old as it may stay without a session, and no older than an hour: the asset's own rules for
/// its accounts are asked when it is made.
const AGES: u32 = 10;
const OLDEST: Duration = Duration::from_secs(3600);

/// How a connection stands.
#[derive(Debug)]
pub struct Standing {
    stays: Duration,
    sessions: usize,
    connected: bool,
    retired: Option<Reason>,
    idle_since: Instant,
    ages_at: Instant,
}

impl Standing {
    /// One that is being made, for its first session. `stays`: how long it stays without any.
    #[must_use]
    pub fn new(stays: Duration, now: Instant) -> Self {
        Self {
            stays,
            sessions: 1,
            connected: false,
            retired: None,
            idle_since: now,
            ages_at: now + stays.saturating_mul(AGES).min(OLDEST),
        }
    }

    /// The asset has let us in.
    pub fn connected(&mut self) {
        self.connected = true;
    }

    /// Whether it has.
    #[must_use]
    pub fn is_connected(&self) -> bool {
        self.connected
    }

    /// Nobody new may use it, and it ends with its last session; the first reason stays.
    pub fn retire(&mut self, reason: Reason) {
        self.retired.get_or_insert(reason);
    }

    /// Whether a session may use it: then one does.
    pub fn admit(&mut self, now: Instant) -> bool {
        if self.ages_at <= now {
            self.retire(Reason::Aged);
        }
        let admitted = self.connected && self.retired.is_none() && self.sessions < MOST;
        self.sessions += usize::from(admitted);
        admitted
    }

    /// A session uses it no more.
    pub fn leave(&mut self, now: Instant) {
        self.sessions = self.sessions.saturating_sub(1);
        self.idle_since = now;
    }

    /// Whether nobody uses it.
    #[must_use]
    pub fn is_idle(&self) -> bool {
        self.sessions == 0
    }

    /// Why it is over, if it is.
    #[must_use]
    pub fn over(&self, now: Instant) -> Option<Reason> {
        if !self.is_idle() {
            return None;
        }
        let late = self.idle_since + self.stays <= now;
        match self.retired {
            _ if !self.connected => Some(Reason::NotConnected),
            Some(reason) => Some(reason),
            None if self.ages_at <= now => Some(Reason::Aged),
            None => late.then_some(Reason::Idle),
        }
    }

    /// When its time is over if nobody comes.
    #[must_use]
    pub fn deadline(&self) -> Option<Instant> {
        self.is_idle()
            .then(|| (self.idle_since + self.stays).min(self.ages_at))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const STAYS: Duration = Duration::from_secs(60);

    fn connected() -> (Standing, Instant) {
        let now = Instant::now();
        let mut standing = Standing::new(STAYS, now);
        standing.connected();
        (standing, now)
    }

    #[test]
    fn it_stays_for_its_time_after_its_last_session() {
        let (mut it, now) = connected();
        assert_eq!((it.over(now + STAYS * 4), it.deadline()), (None, None));
        assert!(it.admit(now));
        it.leave(now);
        assert_eq!(it.over(now + STAYS * 4), None, "one is left");
        let end = now + STAYS * 4;
        it.leave(end);
        assert_eq!(it.deadline(), Some(end + STAYS));
        assert_eq!(it.over(end + STAYS - Duration::from_millis(1)), None);
        assert_eq!(it.over(end + STAYS), Some(Reason::Idle));
        assert!(it.admit(end + STAYS), "in the last moment");
        assert_eq!(it.over(end + STAYS), None);
    }

    #[test]
    fn however_often_it_is_used_it_becomes_no_older_than_ten_times_that_or_an_hour() {
        let (mut it, now) = connected();
        let end = now + STAYS * 10;
        it.leave(end - Duration::from_secs(1));
        assert_eq!(it.deadline(), Some(end));
        assert!(it.admit(end - Duration::from_secs(1)));
        assert!(!it.admit(end));
        assert_eq!(it.over(end), None, "one is left");
        it.leave(end);
        assert_eq!(it.over(end), Some(Reason::Aged));
        let long = Standing::new(Duration::from_secs(3000), now);
        assert_eq!(long.ages_at, now + OLDEST);
    }

    #[test]
    fn there_is_room_for_so_many_and_no_more() {
        let (mut it, now) = connected();
        assert!((1..MOST).all(|_| it.admit(now)) && !it.admit(now));
        it.leave(now);
        assert!(it.admit(now) && !it.admit(now));
    }

    #[test]
    fn retired_nobody_comes_and_it_ends_with_its_last_session() {
        let (mut it, now) = connected();
        it.retire(Reason::Changed);
        it.retire(Reason::Expired);
        assert!(!it.admit(now));
        assert_eq!(it.over(now), None);
        it.leave(now);
        assert_eq!(it.over(now), Some(Reason::Changed));
    }

    #[test]
    fn one_that_never_was_is_used_by_nobody_and_does_not_stay() {
        let now = Instant::now();
        let mut it = Standing::new(STAYS, now);
        assert!(!it.admit(now));
        it.leave(now);
        assert_eq!(it.over(now), Some(Reason::NotConnected));
    }
}
