//! The pace of playing.
use crate::recording::{Event, Kind};
use crate::replay::{Pace, Playback, RESET, Safe, Show, Speed, Step};
use std::time::Duration;

fn event(at: u64, kind: Kind, data: &str) -> Result<Event, String> {
    let (at, data) = (Duration::from_millis(at), data.to_owned());
    Ok(Event { at, kind, data })
}

fn play(pace: Pace, events: Vec<Result<Event, String>>) -> Vec<Result<(u64, Show), String>> {
    let steps = Playback::new(events.into_iter(), pace);
    steps
        .map(|step| {
            step.map(|Step { wait, show, .. }| (u64::try_from(wait.as_millis()).unwrap(), show))
        })
        .collect()
}

fn text(text: &str) -> Show {
    Show::Text(text.to_owned())
}

fn end() -> Show {
    Show::Text(Safe::new().finish())
}

#[test]
fn waits_follow_speed_idle_limit_and_start() {
    let events = || {
        vec![
            event(1000, Kind::Output, "a"),
            event(1500, Kind::Input, "typed"),
            event(2000, Kind::Output, "b"),
            event(60_000, Kind::Output, "c"),
        ]
    };
    let all = |waits: [u64; 3]| {
        let [a, b, c] = waits;
        vec![
            Ok((a, text("a"))),
            Ok((b, text("b"))),
            Ok((c, text("c"))),
            Ok((0, end())),
        ]
    };
    let pace = Pace::default();
    assert_eq!(play(pace, events()), all([1000, 1000, 58_000]));
    let speed = Speed::new(4.0).unwrap();
    let idle_limit = Some(Duration::from_secs(2));
    assert_eq!(
        play(Pace { speed, ..pace }, events()),
        all([250, 250, 14_500])
    );
    assert_eq!(
        play(
            Pace {
                speed,
                idle_limit,
                ..pace
            },
            events()
        ),
        all([250, 250, 500])
    );
    let from = Duration::from_millis(1700);
    assert_eq!(play(Pace { from, ..pace }, events()), all([0, 300, 58_000]));
}

#[test]
fn markers_and_sizes_are_told_and_cannot_attack() {
    let events = vec![
        event(0, Kind::Resize, "132x43"),
        event(0, Kind::Resize, "huge"),
        event(0, Kind::Marker, "ls\x1b[21t\n"),
        event(0, Kind::Output, "\x1b]0;only a title\x07"),
    ];
    let marker = Show::Marker("ls\u{fffd}[21t\u{fffd}".to_owned());
    let wanted = vec![
        Ok((0, Show::Resize(132, 43))),
        Ok((0, marker)),
        Ok((0, end())),
    ];
    assert_eq!(play(Pace::default(), events), wanted);
}

#[test]
fn the_terminal_is_put_in_order_before_an_error_is_told() {
    let events = vec![
        event(0, Kind::Output, "a"),
        Err("damaged".to_owned()),
        event(0, Kind::Output, "b"),
    ];
    let wanted = vec![
        Ok((0, text("a"))),
        Ok((0, end())),
        Err("damaged".to_owned()),
    ];
    assert_eq!(play(Pace::default(), events), wanted);
}

#[test]
fn raw_is_raw() {
    let pace = Pace {
        raw: true,
        ..Pace::default()
    };
    let attack = "\x1b]0;x\x07";
    let wanted = vec![Ok((0, text(attack))), Ok((0, text(RESET)))];
    assert_eq!(play(pace, vec![event(0, Kind::Output, attack)]), wanted);
}

#[test]
fn a_hostile_time_waits_and_does_not_overflow() {
    let mut late = event(0, Kind::Output, "a").unwrap();
    late.at = Duration::MAX;
    let pace = Pace {
        speed: Speed::new(0.01).unwrap(),
        ..Pace::default()
    };
    let mut steps = Playback::new([Ok::<_, String>(late)].into_iter(), pace);
    assert_eq!(steps.next().unwrap().unwrap().wait, Duration::MAX);
    for wrong in [0.0, -1.0, f64::NAN, f64::INFINITY] {
        assert_eq!(Speed::new(wrong), None);
    }
}
