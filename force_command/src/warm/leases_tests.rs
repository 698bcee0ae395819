use super::*;
use std::time::Duration;

const STAYS: Duration = Duration::from_secs(60);

const fn terms(policy: u64, until: Option<i64>) -> Terms {
    let until = match until {
        Some(until) => Some(Time(until)),
        None => None,
    };
    Terms { until, policy }
}

const ATTACH: Word = Word::Attach(terms(5, None));

/// One whose first session has its channel open.
fn connected() -> (Leases, Instant) {
    let now = Instant::now();
    let mut it = Leases::new(Standing::new(STAYS, now), terms(5, None));
    assert_eq!(it.hear(0, Word::Connected, now), Step::Nothing);
    (it, now)
}

/// A session that was admitted and has heard it.
#[track_caller]
fn admitted(it: &mut Leases, now: Instant) -> Number {
    let number = it.come().unwrap();
    assert_eq!(it.hear(number, ATTACH, now), Step::Answer(Reply::Yes));
    it.told(number, true, now);
    number
}

#[track_caller]
fn asking(it: &mut Leases, now: Instant) -> Number {
    let number = admitted(it, now);
    assert_eq!(it.hear(number, Word::Asks, now), Step::Nothing);
    number
}

#[test]
fn a_session_comes_asks_works_and_goes_and_the_last_one_leaves_it_idle() {
    let (mut it, now) = connected();
    let number = asking(&mut it, now);
    assert_eq!(it.hear(number, Word::Resized, now), Step::Nothing);
    assert_eq!(it.hear(number, Word::Connected, now), Step::Nothing);
    assert_eq!(it.hear(number, Word::Resized, now), Step::Resize);
    assert_eq!(it.gone(0, now), None);
    assert!(!it.standing().is_idle());
    assert_eq!(it.gone(number, now), None);
    assert!(it.standing().is_idle());
    assert_eq!(it.standing().over(now + STAYS), Some(Reason::Idle));
    assert_eq!(it.gone(number, now), None, "twice");
}

#[test]
fn whoever_goes_while_he_asks_ends_it_and_whoever_does_not_ask_does_not() {
    let (mut it, now) = connected();
    let (before, asks, refused, works) = (
        admitted(&mut it, now),
        asking(&mut it, now),
        asking(&mut it, now),
        asking(&mut it, now),
    );
    assert_eq!(it.hear(refused, Word::Nothing, now), Step::Nothing);
    assert_eq!(it.hear(works, Word::Connected, now), Step::Nothing);
    let visitor = it.come().unwrap();
    for number in [before, refused, works, visitor] {
        assert_eq!(it.gone(number, now), None);
    }
    assert_eq!(it.gone(asks, now), Some(Reason::Abandoned));
}

#[test]
fn one_that_never_came_to_be_was_not_abandoned_and_takes_nobody_yet() {
    let now = Instant::now();
    let mut it = Leases::new(Standing::new(STAYS, now), terms(5, None));
    let number = it.come().unwrap();
    assert_eq!(it.hear(number, ATTACH, now), Step::Answer(Reply::NotYet));
    assert_eq!(it.hear(number, Word::Asks, now), Step::Nothing);
    assert_eq!(it.gone(number, now), None);
    assert_eq!(it.gone(0, now), Some(Reason::NotConnected));
}

#[test]
fn who_did_not_hear_that_he_may_does_not_use_it() {
    let (mut it, now) = connected();
    let number = it.come().unwrap();
    let until = Word::Attach(terms(5, Some(1)));
    assert_eq!(it.hear(number, until, now), Step::Answer(Reply::Yes));
    it.told(number, false, now);
    assert_eq!(it.until(), None);
    assert_eq!(it.gone(0, now), None);
    assert!(it.standing().is_idle());
    assert_eq!(it.hear(number, Word::Asks, now), Step::Nothing);
    assert_eq!(it.gone(number, now), None);
}

#[test]
fn who_is_no_session_can_end_it_only_if_nobody_uses_it() {
    let (mut it, now) = connected();
    let number = it.come().unwrap();
    for word in [
        Word::Asks,
        Word::Connected,
        Word::Resized,
        Word::Nothing,
        Word::End,
        Word::Broken,
    ] {
        assert_eq!(it.hear(number, word, now), Step::Nothing, "{word:?}");
    }
    assert_eq!(
        it.hear(number, Word::EndIfIdle, now),
        Step::Answer(Reply::No)
    );
    assert_eq!(it.gone(0, now), None);
    assert_eq!(
        it.hear(number, Word::EndIfIdle, now),
        Step::Yield(Reason::Limit)
    );
    assert_eq!(it.hear(99, Word::EndIfIdle, now), Step::Nothing, "nobody");
}

#[test]
fn a_connection_that_does_not_answer_ends_at_once_only_where_nobody_has_a_channel() {
    let (mut it, now) = connected();
    let number = asking(&mut it, now);
    assert_eq!(it.hear(number, Word::End, now), Step::Nothing);
    let new = it.come().unwrap();
    assert_eq!(it.hear(new, ATTACH, now), Step::Answer(Reply::No));
    assert_eq!(it.gone(0, now), None);
    assert_eq!(it.hear(number, Word::End, now), Step::End(Reason::Lost));
    let (mut it, now) = connected();
    assert_eq!(it.hear(0, Word::Broken, now), Step::End(Reason::Lost));
}

#[test]
fn another_policy_takes_nobody_new_whoever_says_it() {
    for tells in [
        |it: &mut Leases| it.policy_is(Some(6)),
        |it: &mut Leases| {
            let number = it.come().unwrap();
            let other = Word::Attach(terms(6, None));
            let said = it.hear(number, other, Instant::now());
            assert_eq!(said, Step::Answer(Reply::No));
        },
    ] {
        let (mut it, now) = connected();
        it.policy_is(Some(5));
        it.policy_is(None);
        let _ = admitted(&mut it, now);
        tells(&mut it);
        let new = it.come().unwrap();
        assert_eq!(it.hear(new, ATTACH, now), Step::Answer(Reply::No));
        assert_eq!((it.gone(0, now), it.gone(1, now)), (None, None));
        assert_eq!(it.standing().over(now), Some(Reason::Changed));
    }
}

#[test]
fn of_all_rights_the_one_that_runs_out_first_counts() {
    let (mut it, now) = connected();
    for (until, first) in [(None, None), (Some(9), 9.into()), (Some(12), 9.into())] {
        let number = it.come().unwrap();
        let word = Word::Attach(terms(5, until));
        assert_eq!(it.hear(number, word, now), Step::Answer(Reply::Yes));
        it.told(number, true, now);
        assert_eq!(it.until(), first.map(Time));
    }
    // The clock was set back, and its time comes.
    it.clock_says(Time(8));
    assert_eq!(it.until(), Some(Time(9)));
    let _ = admitted(&mut it, now);
    it.clock_says(Time(9));
    assert_eq!(it.until(), None, "nobody is woken for it again");
    let new = it.come().unwrap();
    assert_eq!(it.hear(new, ATTACH, now), Step::Answer(Reply::No));
    assert!((0..new).all(|number| it.gone(number, now).is_none()));
    assert_eq!(it.standing().over(now), Some(Reason::Expired));
}

#[test]
fn so_many_are_listened_to_and_a_place_that_is_free_is_anothers() {
    let (mut it, now) = connected();
    let all: Vec<Number> = std::iter::from_fn(|| it.come()).collect();
    assert_eq!(all.len(), MOST - 1);
    assert_eq!(it.gone(all[3], now), None);
    let new = it.come().unwrap();
    assert!(!all.contains(&new) && it.come().is_none());
}
