//! Playing on a terminal: when to show what, and what keys change of it. The terminal and its clock are the caller's.
//!
//! Trusts neither the recording nor what is typed.
#![forbid(unsafe_code)]

use super::{Key, Keys, Pace, Playback, RESET, Show, Speed};
use crate::recording::Event;
use std::time::Duration;

/// A clean screen, for playing again from another moment.
const CLEAN: &str = "\u{1b}[2J\u{1b}[H";
/// What the key makes of long pauses where nobody named a limit.
const IDLE: Duration = Duration::from_secs(2);

/// The terminal that is played on.
pub trait Screen {
    /// Why it cannot be used any more.
    type Error;

    /// Shows text now.
    ///
    /// # Errors
    /// The terminal is gone.
    fn show(&mut self, text: &str) -> Result<(), Self::Error>;

    /// What is typed within `time` (`None`: whenever); empty where nothing was, also before that time is over.
    ///
    /// # Errors
    /// The terminal is gone, or whoever watches may not any more.
    fn typed(&mut self, time: Option<Duration>) -> Result<Vec<u8>, Self::Error>;

    /// The time on a clock that only runs forward.
    fn now(&self) -> Duration;
}

/// Why playing ended before the end.
#[derive(Debug, PartialEq, Eq)]
pub enum PlayError<R, S> {
    /// The recording cannot be read.
    Recording(R),
    /// The terminal cannot be used.
    Screen(S),
}

/// Plays a recording until its end or until somebody quits (then `None`). `open` gives its events from the start,
/// as often as they are needed.
///
/// # Errors
/// [`PlayError`].
pub fn play<I, R, S>(
    mut open: impl FnMut() -> Result<I, R>,
    pace: Pace,
    screen: &mut S,
) -> Result<Option<I>, PlayError<R, S::Error>>
where
    I: Iterator<Item = Result<Event, R>>,
    S: Screen,
{
    let mut player = Player {
        pace,
        idle: pace.idle_limit.unwrap_or(IDLE),
        paused: false,
        keys: Keys::default(),
        screen,
    };
    loop {
        let events = open().map_err(PlayError::Recording)?;
        match player.round(events)? {
            Round::Over(events) => return Ok(events),
            Round::Again => {}
        }
        player.show(RESET)?;
        player.show(CLEAN)?;
    }
}

struct Player<'a, S> {
    pace: Pace,
    idle: Duration,
    paused: bool,
    keys: Keys,
    screen: &'a mut S,
}

/// How a round of playing ended.
enum Round<I> {
    Over(Option<I>),
    /// It is to be played from `pace.from`.
    Again,
}

/// What to do after a wait.
enum Next {
    Show,
    Seek,
    Quit,
}

impl<S: Screen> Player<'_, S> {
    fn show<R>(&mut self, text: &str) -> Result<(), PlayError<R, S::Error>> {
        self.screen.show(text).map_err(PlayError::Screen)
    }

    /// Plays from `pace.from`; what came before is shown at once, so that the screen is right.
    fn round<I, R>(&mut self, events: I) -> Result<Round<I>, PlayError<R, S::Error>>
    where
        I: Iterator<Item = Result<Event, R>>,
    {
        let mut playback = Playback::new(events, self.pace);
        let mut shown = self.pace.from;
        while let Some(step) = playback.next() {
            let step = step.map_err(PlayError::Recording)?;
            let next = match step.at < self.pace.from {
                true => Next::Show,
                false => self.wait(shown, step.at).map_err(PlayError::Screen)?,
            };
            match next {
                Next::Show => {}
                Next::Seek => return Ok(Round::Again),
                Next::Quit => {
                    let ending = playback.ending();
                    self.show(&format!("{ending}\r\n"))?;
                    return Ok(Round::Over(None));
                }
            }
            shown = shown.max(step.at);
            if let Show::Text(text) = step.show {
                self.show(&text)?;
            }
        }
        Ok(Round::Over(Some(playback.into_events())))
    }

    /// Waits from one moment of the recording to another, or until a key says otherwise.
    fn wait(&mut self, from: Duration, to: Duration) -> Result<Next, S::Error> {
        let gap = to.saturating_sub(from);
        let mut played = Duration::ZERO;
        loop {
            while let Some(key) = self.keys.take() {
                let here = self.here(from, gap, played);
                match key {
                    Key::Pause => self.paused = !self.paused,
                    Key::Step => {
                        self.paused = true;
                        return Ok(Next::Show);
                    }
                    Key::Back(far) => return Ok(self.seek(here.saturating_sub(far))),
                    Key::Forth(far) => return Ok(self.seek(here.saturating_add(far))),
                    Key::Start => return Ok(self.seek(Duration::ZERO)),
                    Key::Faster => self.pace.speed = self.pace.speed.faster(),
                    Key::Slower => self.pace.speed = self.pace.speed.slower(),
                    Key::Normal => self.pace.speed = Speed::NORMAL,
                    Key::Idle => {
                        let idle = self.idle;
                        self.pace.idle_limit = self.pace.idle_limit.xor(Some(idle));
                    }
                    Key::Quit => return Ok(Next::Quit),
                }
            }
            let left = self.limited(gap).saturating_sub(played);
            if left.is_zero() && !self.paused {
                return Ok(Next::Show);
            }
            let begun = self.screen.now();
            let time = (!self.paused).then(|| self.pace.speed.takes(left));
            let typed = self.screen.typed(time)?;
            if !self.paused {
                let passed = self.screen.now().saturating_sub(begun);
                played = played.saturating_add(self.pace.speed.plays(passed));
            }
            self.keys.push(&typed);
        }
    }

    fn limited(&self, gap: Duration) -> Duration {
        self.pace.idle_limit.map_or(gap, |limit| gap.min(limit))
    }

    /// The moment of the recording, when so much of a gap that is cut short was played.
    fn here(&self, from: Duration, gap: Duration, played: Duration) -> Duration {
        let limited = self.limited(gap);
        if limited.is_zero() {
            return from;
        }
        let share = played.as_secs_f64() / limited.as_secs_f64();
        from.saturating_add(gap.mul_f64(share.clamp(0.0, 1.0)))
    }

    fn seek(&mut self, to: Duration) -> Next {
        self.pace.from = to;
        Next::Seek
    }
}
