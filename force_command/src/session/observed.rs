//! What a session's clients did that the event log is to know, without growing with how often they did it.
//!
//! Trusts no client: one that was taken over asks without end, as fast as the kernel lets it.
#![forbid(unsafe_code)]

use crate::agent::Notice;
use crate::egress::handover;

/// So many of one machine's client are told one by one.
const TOLD: usize = 64;

/// What happened between a client and us, for the event log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Observed {
    /// What its agent did or refused.
    Agent(Notice),
    /// A connection that it was refused.
    Client(handover::Refused),
    /// At least so many refusals more, after those that were told.
    More(u64),
}

impl Observed {
    /// Why it is an event; what an honest client does is none.
    #[must_use]
    pub fn reason(&self) -> Option<String> {
        match self {
            Self::Agent(Notice::Refused(refusal)) => Some(format!("agent: {refusal}")),
            Self::Agent(Notice::Withheld) => Some(
                "the client asked for a password before the asset had proved its host key"
                    .to_owned(),
            ),
            Self::Agent(_) => None,
            Self::Client(refused) => Some(refused.to_string()),
            Self::More(count) => Some(format!(
                "the client was refused at least {count} times more"
            )),
        }
    }
}

/// What was observed of each machine's client, by the machine's number.
#[derive(Debug, Default)]
pub struct Observations {
    told: Vec<(usize, Observed)>,
    /// How many of each were told, and how many were only counted.
    counts: Vec<(usize, u64)>,
}

impl Observations {
    /// Adds something that a client did, if it is to be told.
    pub fn add(&mut self, place: usize, one: Observed) {
        if one.reason().is_none() {
            return;
        }
        if self.counts.len() <= place {
            self.counts.resize(place + 1, (0, 0));
        }
        match self.counts.get_mut(place) {
            Some((told, _)) if *told < TOLD => {
                *told += 1;
                self.told.push((place, one));
            }
            Some((_, more)) => *more += 1,
            None => {}
        }
    }

    /// All of it, each with the number of the machine.
    pub fn take(&mut self) -> Vec<(usize, Observed)> {
        let all = std::mem::take(self);
        let more = all.counts.into_iter().enumerate();
        let more = more.filter(|(_, (_, more))| *more > 0);
        let more = more.map(|(place, (_, more))| (place, Observed::More(more)));
        all.told.into_iter().chain(more).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::egress::handover::Refused;

    #[test]
    fn a_client_that_asks_without_end_is_a_bounded_number_of_events_and_a_count() {
        let mut observations = Observations::default();
        for _ in 0..100_000 {
            observations.add(1, Observed::Client(Refused::Local));
        }
        observations.add(0, Observed::Agent(Notice::PeerClosed));
        observations.add(0, Observed::Client(Refused::Connection));
        let all = observations.take();
        assert_eq!(all.len(), TOLD + 2, "each machine has its own count");
        assert!(all.contains(&(0, Observed::Client(Refused::Connection))));
        let last = all.last().unwrap();
        assert_eq!(*last, (1, Observed::More(100_000 - TOLD as u64)));
        assert_eq!(
            last.1.reason().unwrap(),
            "the client was refused at least 99936 times more"
        );
        assert!(observations.take().is_empty());
    }
}
