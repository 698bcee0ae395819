//! Whether there is room for one more kept connection, and which of those that there are could make it.
#![forbid(unsafe_code)]

use jms::settings::Egress;

/// How many there may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    of_user: usize,
    in_all: usize,
}

impl From<&Egress> for Limits {
    fn from(settings: &Egress) -> Self {
        let most = |count: u32| usize::try_from(count.max(1)).unwrap_or(usize::MAX);
        Self {
            of_user: most(settings.warm_per_user),
            in_all: most(settings.warm_in_all),
        }
    }
}

/// For one more of the user `uid` where those of `uids` are, the oldest first: `None` if there is room for it, or which of
/// them may go for it, in the order in which they are asked. Nobody's goes for a user who has his number already but his own.
#[must_use]
pub fn who_may_go(uids: &[u32], uid: u32, limits: Limits) -> Option<Vec<usize>> {
    let is_own = |other: &u32| *other == uid;
    let has_his_number = uids.iter().filter(|other| is_own(other)).count() >= limits.of_user;
    if !has_his_number && uids.len() < limits.in_all {
        return None;
    }
    let may_go = uids.iter().enumerate();
    let may_go = may_go.filter(|(_, other)| is_own(other) || !has_his_number);
    Some(may_go.map(|(place, _)| place).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMITS: Limits = Limits {
        of_user: 2,
        in_all: 4,
    };

    #[test]
    fn there_is_room_below_both_numbers() {
        for uids in [[].as_slice(), &[1], &[2, 2, 1], &[2, 3, 2]] {
            assert_eq!(who_may_go(uids, 1, LIMITS), None, "{uids:?}");
        }
    }

    #[test]
    fn a_user_who_has_his_number_makes_room_by_his_own_the_oldest_first() {
        assert_eq!(who_may_go(&[2, 1, 1], 1, LIMITS), Some(vec![1, 2]));
        // However many there are in all, nobody else's goes.
        assert_eq!(who_may_go(&[2, 1, 2, 3, 1], 1, LIMITS), Some(vec![1, 4]));
    }

    #[test]
    fn where_there_are_too_many_in_all_the_oldest_goes_whosever_it_is() {
        assert_eq!(who_may_go(&[2, 1, 3, 2], 1, LIMITS), Some(vec![0, 1, 2, 3]));
        assert_eq!(who_may_go(&[2, 2, 3, 3], 1, LIMITS), Some(vec![0, 1, 2, 3]));
    }

    #[test]
    fn a_number_of_none_counts_as_one() {
        let settings = Egress {
            warm_per_user: 0,
            warm_in_all: 0,
            ..Egress::default()
        };
        let limits = Limits::from(&settings);
        assert_eq!((limits.of_user, limits.in_all), (1, 1));
    }
}
