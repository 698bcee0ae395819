//! When to show what: a recording's events as steps with waits. No clock, no terminal.
use super::printable;
use super::safe::{RESET, Safe};
use crate::recording::{Event, Kind};
use std::fmt;
use std::time::Duration;

/// How many times faster than life: 0.01 to 1000.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Speed(f64);

impl Speed {
    /// As it happened.
    pub const NORMAL: Self = Self(1.0);

    /// Checks a speed that somebody asked for.
    #[must_use]
    pub fn new(times: f64) -> Option<Self> {
        (0.01..=1000.0).contains(&times).then_some(Self(times))
    }

    /// Twice as fast, as far as that goes.
    #[must_use]
    pub fn faster(self) -> Self {
        Self::new(self.0 * 2.0).unwrap_or(self)
    }

    /// Half as fast, as far as that goes.
    #[must_use]
    pub fn slower(self) -> Self {
        Self::new(self.0 / 2.0).unwrap_or(self)
    }

    /// How long so much of the recording takes.
    #[must_use]
    pub fn takes(self, recorded: Duration) -> Duration {
        Duration::try_from_secs_f64(recorded.as_secs_f64() / self.0).unwrap_or(Duration::MAX)
    }

    /// How much of the recording is played in so long a time.
    #[must_use]
    pub fn plays(self, time: Duration) -> Duration {
        Duration::try_from_secs_f64(time.as_secs_f64() * self.0).unwrap_or(Duration::MAX)
    }
}

impl fmt::Display for Speed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)
    }
}

/// How a recording is to be played.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Pace {
    /// How fast.
    pub speed: Speed,
    /// The longest wait, in the recording's time (before [`Pace::speed`]); none: as it happened.
    pub idle_limit: Option<Duration>,
    /// Where to begin, in the recording's time. What came before is shown at once, so that the
    /// screen is right.
    pub from: Duration,
    /// Show the recording as it is, with everything in it that could attack the terminal.
    pub raw: bool,
}

impl Default for Pace {
    fn default() -> Self {
        Self {
            speed: Speed::NORMAL,
            idle_limit: None,
            from: Duration::ZERO,
            raw: false,
        }
    }
}

/// What a step shows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Show {
    /// Write this to the terminal. Safe unless [`Pace::raw`].
    Text(String),
    /// From here on the recorded terminal has this many columns and lines. No sequence is sent: an
    /// auditor's window is not the recording's to resize.
    Resize(u16, u16),
    /// A marker; its label is one line without control characters.
    Marker(String),
}

/// One step of a replay.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step {
    /// How long to wait before it.
    pub wait: Duration,
    /// Where it is in the recording's time.
    pub at: Duration,
    /// What to show then.
    pub show: Show,
}

/// A replay: an iterator of steps over events, which usually come from a
/// [`Reader`](crate::recording::Reader).
///
/// The last step (before an error, if reading ends with one) puts the terminal back into order.
/// Whoever stops earlier writes [`Playback::ending`] instead.
pub struct Playback<I, E> {
    events: I,
    pace: Pace,
    safe: Safe,
    last: Duration,
    state: State<E>,
}

enum State<E> {
    Running,
    /// The ending was given; this is still to be reported.
    Failed(E),
    Over,
}

impl<I: Iterator<Item = Result<Event, E>>, E> Playback<I, E> {
    /// Plans to show `events` at `pace`.
    pub fn new(events: I, pace: Pace) -> Self {
        Self {
            events,
            last: pace.from,
            pace,
            safe: Safe::new(),
            state: State::Running,
        }
    }

    /// What puts the terminal back into order now.
    #[must_use]
    pub fn ending(&mut self) -> String {
        match self.pace.raw {
            true => RESET.to_owned(),
            false => self.safe.finish(),
        }
    }

    /// The events, to ask how they ended.
    pub fn events(&self) -> &I {
        &self.events
    }

    /// The same, when they are all that is needed any more.
    pub fn into_events(self) -> I {
        self.events
    }

    /// What `event` shows; none for what a replay does not show.
    fn show(&mut self, event: &Event) -> Option<Show> {
        match event.kind {
            Kind::Output if self.pace.raw => Some(Show::Text(event.data.clone())),
            Kind::Output => {
                let text = self.safe.push(&event.data);
                (!text.is_empty()).then_some(Show::Text(text))
            }
            Kind::Resize => event
                .size()
                .map(|(columns, lines)| Show::Resize(columns, lines)),
            Kind::Marker => Some(Show::Marker(printable(&event.data))),
            // What was typed shows by its echo.
            Kind::Input => None,
        }
    }

    fn wait(&mut self, at: Duration) -> Duration {
        let gap = at.saturating_sub(self.last);
        self.last = self.last.max(at);
        let gap = self.pace.idle_limit.map_or(gap, |limit| gap.min(limit));
        self.pace.speed.takes(gap)
    }
}

impl<I: Iterator<Item = Result<Event, E>>, E> Iterator for Playback<I, E> {
    type Item = Result<Step, E>;

    fn next(&mut self) -> Option<Self::Item> {
        match std::mem::replace(&mut self.state, State::Over) {
            State::Running => {}
            State::Failed(error) => return Some(Err(error)),
            State::Over => return None,
        }
        loop {
            match self.events.next() {
                Some(Ok(event)) => {
                    let Some(show) = self.show(&event) else {
                        continue;
                    };
                    self.state = State::Running;
                    let (wait, at) = (self.wait(event.at), event.at);
                    return Some(Ok(Step { wait, at, show }));
                }
                Some(Err(error)) => self.state = State::Failed(error),
                None => {}
            }
            let show = Show::Text(self.ending());
            let (wait, at) = (Duration::ZERO, self.last);
            return Some(Ok(Step { wait, at, show }));
        }
    }
}
