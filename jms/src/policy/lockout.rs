//! How many wrong answers are too many, and for how long nobody is asked then.
//!
//! Pure: counters and the moment come in, what becomes of them goes out. Three limits stand beside each other: of a
//! user from one network, of a user from everywhere, of a network for all users. Answers after a proven key and
//! answers without one have counters of their own, and the network's limit is for answers without a key only: so
//! nobody can lock a person who proves his key, except with that key.

use crate::time::Time;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// Nobody waits so long for his turn, in milliseconds.
const PATIENCE: i64 = 60_000;

/// One limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limit {
    /// So many wrong answers lock; 0: never.
    pub failures: u32,
    /// …if they come within so many milliseconds of the first of them.
    pub window: i64,
    /// For so many milliseconds.
    pub lock: i64,
}

/// The limits of the settings.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Of a user from one network.
    pub user_and_source: Limit,
    /// Of a user from everywhere.
    pub user: Limit,
    /// Of a network, for all users, without a key.
    pub source: Limit,
    /// How many bits of an IPv4 address name its network.
    pub ipv4_prefix: u8,
    /// How many bits of an IPv6 address name its network.
    pub ipv6_prefix: u8,
}

/// Whether a key was proven before the answer, in the same authentication.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Proof {
    /// By sshd; the key is the user's.
    Key,
    /// None: anybody could say that.
    None,
}

impl Proof {
    /// The word in the store, in events and JSON.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Key => "key",
            Self::None => "none",
        }
    }

    /// Reads the word back.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        [Self::Key, Self::None]
            .into_iter()
            .find(|proof| proof.as_str() == text)
    }
}

/// Wrong answers so far, as the store keeps them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Counter {
    /// Wrong answers since `first_at`.
    pub failures: u32,
    /// When the first of them came.
    pub first_at: Time,
    /// When the last of them came.
    pub last_at: Time,
    /// Until when nobody is asked.
    pub locked_until: Option<Time>,
}

/// What a counter means now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// Nobody is asked until then.
    Locked(Time),
    /// So many more wrong answers lock.
    Open(u32),
}

impl Limit {
    /// What `counter` means at `now`; `None`: there was no wrong answer yet.
    ///
    /// A lock that has longer to go than any lock lasts was made by a clock that was ahead, or before the setting was
    /// shortened: it holds no more.
    #[must_use]
    pub fn standing(&self, counter: Option<&Counter>, now: Time) -> Standing {
        if self.failures == 0 {
            return Standing::Open(u32::MAX);
        }
        match counter {
            None => Standing::Open(self.failures),
            Some(counter) => match counter.locked_until {
                Some(until) if now < until && until <= self.latest_end(now) => {
                    Standing::Locked(until)
                }
                Some(_) => Standing::Open(self.failures),
                None if self.is_over(counter, now) => Standing::Open(self.failures),
                None => Standing::Open(self.failures.saturating_sub(counter.failures)),
            },
        }
    }

    /// The counter after one more wrong answer at `now`. A held lock is neither counted on nor prolonged.
    #[must_use]
    pub fn after_wrong(&self, counter: Option<&Counter>, now: Time) -> Counter {
        if let (Some(counter), Standing::Locked(_)) = (counter, self.standing(counter, now)) {
            return *counter;
        }
        let going_on =
            counter.filter(|counter| counter.locked_until.is_none() && !self.is_over(counter, now));
        let failures = going_on.map_or(0, |counter| counter.failures) + 1;
        let locks = self.failures > 0 && failures >= self.failures;
        Counter {
            failures,
            // A clock that went back must not make the window longer.
            first_at: going_on.map_or(now, |counter| counter.first_at.min(now)),
            last_at: now,
            locked_until: locks.then(|| now.plus(self.lock)),
        }
    }

    /// The end of the longest lock that can hold at `now`. Who asks has looked at the clock before the lock was made, if he
    /// waited for his turn since.
    fn latest_end(&self, now: Time) -> Time {
        now.plus(self.lock).plus(PATIENCE)
    }

    fn is_over(&self, counter: &Counter, now: Time) -> bool {
        now >= counter.first_at.plus(self.window)
    }
}

/// A network whose wrong answers count together, as text: `192.0.2.7/32`, `2001:db8:0:1::/64`. What has no address
/// (sshd could not tell) is one network, `unknown`.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Network(String);

impl Network {
    /// The network of a client.
    #[must_use]
    pub fn of(address: Option<IpAddr>, limits: &Limits) -> Self {
        // `::ffff:192.0.2.7` is an IPv4 client on a socket that listens for both.
        Self(match address.map(|address| address.to_canonical()) {
            None => "unknown".to_owned(),
            Some(IpAddr::V4(address)) => {
                let bits = u32::from(limits.ipv4_prefix).min(32);
                let mask = u32::MAX.checked_shl(32 - bits).unwrap_or(0);
                format!("{}/{bits}", Ipv4Addr::from(u32::from(address) & mask))
            }
            Some(IpAddr::V6(address)) => {
                let bits = u32::from(limits.ipv6_prefix).min(128);
                let mask = u128::MAX.checked_shl(128 - bits).unwrap_or(0);
                format!("{}/{bits}", Ipv6Addr::from(u128::from(address) & mask))
            }
        })
    }

    /// A network that the store kept as text.
    pub(crate) fn from_store(text: String) -> Self {
        Self(text)
    }

    /// As text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const LIMIT: Limit = Limit {
        failures: 3,
        window: 600,
        lock: 900,
    };

    fn after(limit: Limit, times: &[i64]) -> Option<Counter> {
        times.iter().fold(None, |counter, &at| {
            Some(limit.after_wrong(counter.as_ref(), Time(at)))
        })
    }

    #[test]
    fn so_many_within_the_window_lock_and_then_it_begins_anew() {
        let counter = after(LIMIT, &[0, 10]);
        assert_eq!(
            LIMIT.standing(counter.as_ref(), Time(20)),
            Standing::Open(1)
        );
        let counter = after(LIMIT, &[0, 10, 20]);
        assert_eq!(
            LIMIT.standing(counter.as_ref(), Time(919)),
            Standing::Locked(Time(920))
        );
        assert_eq!(
            LIMIT.standing(counter.as_ref(), Time(920)),
            Standing::Open(3)
        );
        let counter = after(LIMIT, &[0, 10, 20, 920]);
        assert_eq!(counter.map(|counter| counter.failures), Some(1));
    }

    #[test]
    fn old_wrong_answers_are_forgotten() {
        let counter = after(LIMIT, &[0, 10, 600]);
        assert_eq!(
            LIMIT.standing(counter.as_ref(), Time(601)),
            Standing::Open(2)
        );
        let counter = after(LIMIT, &[0, 10]);
        assert_eq!(
            LIMIT.standing(counter.as_ref(), Time(600)),
            Standing::Open(3)
        );
    }

    #[test]
    fn while_locked_tries_neither_count_nor_prolong() {
        let locked = after(LIMIT, &[0, 10, 20]);
        assert_eq!(after(LIMIT, &[0, 10, 20, 30, 400, 900]), locked);
    }

    #[test]
    fn a_clock_that_was_ahead_locks_nobody_for_years() {
        let counter = after(LIMIT, &[1_000_000, 1_000_001, 1_000_002]);
        assert_eq!(LIMIT.standing(counter.as_ref(), Time(5)), Standing::Open(3));
        let counter = after(LIMIT, &[1_000_000, 1_000_001]);
        assert_eq!(LIMIT.standing(counter.as_ref(), Time(5)), Standing::Open(1));
        let counter = LIMIT.after_wrong(counter.as_ref(), Time(5));
        assert_eq!(
            LIMIT.standing(Some(&counter), Time(6)),
            Standing::Locked(Time(905))
        );
    }

    #[test]
    fn who_looked_at_the_clock_before_the_lock_was_made_is_locked_too() {
        let locked = after(LIMIT, &[0, 10, 20]);
        assert_eq!(
            LIMIT.standing(locked.as_ref(), Time(15)),
            Standing::Locked(Time(920))
        );
        assert_eq!(after(LIMIT, &[0, 10, 20, 15]), locked);
    }

    #[test]
    fn a_limit_of_none_never_locks() {
        let off = Limit {
            failures: 0,
            ..LIMIT
        };
        let counter = after(off, &[0; 100]);
        assert_eq!(
            off.standing(counter.as_ref(), Time(1)),
            Standing::Open(u32::MAX)
        );
    }

    #[test]
    fn networks_are_named_by_their_prefix() {
        let limits = |ipv4_prefix, ipv6_prefix| Limits {
            user_and_source: LIMIT,
            user: LIMIT,
            source: LIMIT,
            ipv4_prefix,
            ipv6_prefix,
        };
        for (address, ipv4, ipv6, network) in [
            ("192.0.2.77", 32, 64, "192.0.2.77/32"),
            ("192.0.2.77", 24, 64, "192.0.2.0/24"),
            ("192.0.2.77", 0, 64, "0.0.0.0/0"),
            ("::ffff:192.0.2.77", 32, 64, "192.0.2.77/32"),
            ("2001:db8:1:2:3:4:5:6", 32, 64, "2001:db8:1:2::/64"),
            ("2001:db8:1:2:3:4:5:6", 32, 128, "2001:db8:1:2:3:4:5:6/128"),
            ("2001:db8::1", 32, 0, "::/0"),
        ] {
            let address = Some(address.parse().unwrap());
            assert_eq!(Network::of(address, &limits(ipv4, ipv6)).as_str(), network);
        }
        assert_eq!(Network::of(None, &limits(32, 64)).as_str(), "unknown");
    }

    proptest! {
        /// Whatever the times: within any lock's length no more than the limit's answers are ever heard.
        #[test]
        fn never_more_answers_than_the_limit_between_two_locks(steps in proptest::collection::vec(0_i64..400, 1..200)) {
            let (mut now, mut counter, mut heard) = (Time(0), None, Vec::new());
            for step in steps {
                now = now.plus(step);
                if let Standing::Open(left) = LIMIT.standing(counter.as_ref(), now) {
                    prop_assert!(left > 0);
                    counter = Some(LIMIT.after_wrong(counter.as_ref(), now));
                    heard.push(now);
                }
            }
            for window in heard.windows(2 * LIMIT.failures as usize) {
                let first = window.first().map_or(0, |at| at.0);
                let last = window.last().map_or(0, |at| at.0);
                prop_assert!(last - first >= LIMIT.window.min(LIMIT.lock));
            }
        }
    }
}
