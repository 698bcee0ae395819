//! Keys and waits, on a terminal and a clock that only the test moves.
use crate::recording::{Event, Kind};
use crate::replay::{Pace, PlayError, RESET, Screen, play};
use std::collections::VecDeque;
use std::time::Duration;

const QUITS: &str = "nothing is typed any more";

/// Types each of `typed` after its moment; writes down what is shown when, in milliseconds.
struct Script {
    now: Duration,
    typed: VecDeque<(u64, &'static str)>,
    shown: Vec<(u64, String)>,
}

impl Screen for Script {
    type Error = &'static str;

    fn show(&mut self, text: &str) -> Result<(), Self::Error> {
        let now = u64::try_from(self.now.as_millis()).unwrap();
        self.shown.push((now, text.to_owned()));
        Ok(())
    }

    fn typed(&mut self, time: Option<Duration>) -> Result<Vec<u8>, Self::Error> {
        let key = self.typed.front().map(|(at, _)| Duration::from_millis(*at));
        let until = time.map(|time| self.now + time);
        match (key, until) {
            (Some(key), until) if until.is_none_or(|until| key <= until) => {
                self.now = self.now.max(key);
                let (_, typed) = self.typed.pop_front().unwrap();
                Ok(typed.as_bytes().to_vec())
            }
            (_, Some(until)) => {
                self.now = until;
                Ok(Vec::new())
            }
            (_, None) => Err(QUITS),
        }
    }

    fn now(&self) -> Duration {
        self.now
    }
}

fn events() -> Result<impl Iterator<Item = Result<Event, &'static str>>, &'static str> {
    let event = |at: u64, data: &str| {
        Ok(Event {
            at: Duration::from_millis(at),
            kind: Kind::Output,
            data: data.to_owned(),
        })
    };
    Ok(vec![
        event(1000, "a"),
        event(2000, "b"),
        event(12_000, "c"),
        event(13_000, "d"),
    ]
    .into_iter())
}

/// The letters that were shown and when; whether it was played to its end.
fn played(
    pace: Pace,
    typed: &[(u64, &'static str)],
) -> (Vec<(u64, String)>, Result<bool, &'static str>) {
    let mut screen = Script {
        now: Duration::ZERO,
        typed: typed.iter().copied().collect(),
        shown: Vec::new(),
    };
    let whole = match play(events, pace, &mut screen) {
        Ok(events) => Ok(events.is_some()),
        Err(PlayError::Screen(error) | PlayError::Recording(error)) => Err(error),
    };
    screen
        .shown
        .retain(|(_, text)| text.len() == 1 || text == RESET);
    for (_, text) in &mut screen.shown {
        if text == RESET {
            *text = "again".to_owned();
        }
    }
    (screen.shown, whole)
}

fn shown(typed: &[(u64, &'static str)]) -> Vec<(u64, String)> {
    played(Pace::default(), typed).0
}

fn expected(rows: &[(u64, &str)]) -> Vec<(u64, String)> {
    rows.iter()
        .map(|(at, text)| (*at, (*text).to_owned()))
        .collect()
}

#[test]
fn untouched_it_plays_as_it_happened_to_its_end() {
    let (shown, whole) = played(Pace::default(), &[]);
    assert_eq!(
        shown,
        expected(&[(1000, "a"), (2000, "b"), (12_000, "c"), (13_000, "d")])
    );
    assert_eq!(whole, Ok(true));
}

#[test]
fn a_pause_takes_as_long_as_it_takes() {
    assert_eq!(
        shown(&[(500, " "), (5500, " ")]),
        expected(&[(6000, "a"), (7000, "b"), (17_000, "c"), (18_000, "d")])
    );
    // Nobody goes on: nothing more is shown.
    assert_eq!(
        played(Pace::default(), &[(1500, " ")]),
        (expected(&[(1000, "a")]), Err(QUITS))
    );
}

#[test]
fn speed_changes_in_the_midst_of_a_wait() {
    assert_eq!(
        shown(&[(500, "+")]),
        expected(&[(750, "a"), (1250, "b"), (6250, "c"), (6750, "d")])
    );
    assert_eq!(
        shown(&[(0, "++"), (250, "-"), (750, "n")]),
        expected(&[(250, "a"), (750, "b"), (10_750, "c"), (11_750, "d")])
    );
}

#[test]
fn the_idle_limit_is_switched_on_and_off() {
    assert_eq!(
        shown(&[(0, "i")]),
        expected(&[(1000, "a"), (2000, "b"), (4000, "c"), (5000, "d")])
    );
    // In the midst of a long pause, it is over; switched off again, the next one is long.
    assert_eq!(shown(&[(5000, "i")])[2], (5000, "c".to_owned()));
    let named = Pace {
        idle_limit: Some(Duration::from_millis(100)),
        ..Pace::default()
    };
    assert_eq!(
        played(named, &[(150, "i")]).0,
        expected(&[(100, "a"), (1100, "b"), (11_100, "c"), (12_100, "d")])
    );
}

#[test]
fn single_steps_show_one_piece_each_and_stop() {
    assert_eq!(
        played(Pace::default(), &[(100, "."), (200, "."), (300, "..")]),
        (
            expected(&[(100, "a"), (200, "b"), (300, "c"), (300, "d")]),
            Err(QUITS)
        )
    );
    // A blank after a step goes on.
    assert_eq!(
        shown(&[(100, "."), (200, " ")]),
        expected(&[(100, "a"), (1200, "b"), (11_200, "c"), (12_200, "d")])
    );
}

#[test]
fn the_arrows_seek_and_the_screen_is_right_after() {
    // At 3 s forth to 8 s: what came before at once, then four seconds to c.
    assert_eq!(
        shown(&[(3000, "\u{1b}[C")]),
        expected(&[
            (1000, "a"),
            (2000, "b"),
            (3000, "again"),
            (3000, "a"),
            (3000, "b"),
            (7000, "c"),
            (8000, "d")
        ])
    );
    // Back, further than there is; and Home is the same.
    for back in ["\u{1b}[D", "\u{1b}[B", "\u{1b}[H", "0"] {
        assert_eq!(
            shown(&[(1500, back)])[..3],
            expected(&[(1000, "a"), (1500, "again"), (2500, "a")])[..],
            "{back:?}"
        );
    }
    // Past the end is the end.
    let (shown, whole) = played(Pace::default(), &[(500, "\u{1b}[A")]);
    assert_eq!(shown.last().unwrap(), &(500, "d".to_owned()));
    assert_eq!(whole, Ok(true));
}

#[test]
fn in_a_pause_that_is_cut_short_the_place_moves_with_what_was_played() {
    // 10 s in 2 s: after one of them it is at 7 s, and five back from there at 2 s.
    let limited = Pace {
        idle_limit: Some(Duration::from_secs(2)),
        ..Pace::default()
    };
    assert_eq!(
        played(limited, &[(3000, "\u{1b}[D")]).0[2..],
        expected(&[
            (3000, "again"),
            (3000, "a"),
            (3000, "b"),
            (5000, "c"),
            (6000, "d")
        ])[..]
    );
}

#[test]
fn who_quits_has_not_seen_the_end() {
    assert_eq!(
        played(Pace::default(), &[(1500, "q")]),
        (expected(&[(1000, "a")]), Ok(false))
    );
}
