//! Hours of the week in a time zone: `Mon-Fri 09:00-18:00 Asia/Shanghai`.
//!
//! The clock on the wall there is what counts. Where it is put back, an hour comes twice and is inside twice; where it is put
//! forward, the hour that does not come is inside never.

use jiff::civil::{DateTime, Weekday};
use std::fmt;
use std::str::FromStr;

const DAYS: [(&str, Weekday); 7] = [
    ("Mon", Weekday::Monday),
    ("Tue", Weekday::Tuesday),
    ("Wed", Weekday::Wednesday),
    ("Thu", Weekday::Thursday),
    ("Fri", Weekday::Friday),
    ("Sat", Weekday::Saturday),
    ("Sun", Weekday::Sunday),
];

/// Minutes of a day.
const MIDNIGHT: u16 = 24 * 60;

/// Hours that come every week.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Weekly {
    /// Monday first: the days on which the hours begin.
    days: [bool; 7],
    /// From and until, in minutes since midnight; an end that is not after its beginning lies on the next day.
    hours: Vec<(u16, u16)>,
    zone: String,
}

/// Why a text is none.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WeeklyError {
    text: String,
    why: String,
}

impl fmt::Display for WeeklyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { text, why } = self;
        write!(
            f,
            "“{}”: {why}; write days, hours and a time zone, as in “Mon-Fri 09:00-18:00 Asia/Shanghai”",
            text.escape_debug()
        )
    }
}

impl std::error::Error for WeeklyError {}

/// The short name of a day.
pub(super) fn day_name(day: Weekday) -> &'static str {
    let found = DAYS.iter().find(|(_, one)| *one == day);
    found.map_or("", |(name, _)| name)
}

fn place(day: Weekday) -> usize {
    usize::from(day.to_monday_zero_offset().unsigned_abs())
}

impl Weekly {
    /// The name of its time zone, as the time zone database has it.
    #[must_use]
    pub fn zone(&self) -> &str {
        &self.zone
    }

    /// Whether it is inside when clock and calendar in its zone show `local`.
    #[must_use]
    pub fn hold_at(&self, local: DateTime) -> bool {
        let minute = i32::from(local.hour()) * 60 + i32::from(local.minute());
        let today = place(local.weekday());
        let begins = |place: usize| self.days.get(place % 7).copied().unwrap_or(false);
        self.hours.iter().any(|&(from, until)| {
            let (from, until) = (i32::from(from), i32::from(until));
            if from < until {
                begins(today) && (from..until).contains(&minute)
            } else {
                begins(today) && minute >= from || begins(today + 6) && minute < until
            }
        })
    }
}

fn days(text: &str) -> Result<[bool; 7], String> {
    let mut days = [false; 7];
    for part in text.split(',') {
        let (first, last) = part.split_once('-').unwrap_or((part, part));
        let place_of = |name: &str| {
            DAYS.iter()
                .position(|(day, _)| day.eq_ignore_ascii_case(name))
                .ok_or_else(|| format!("“{}” is no day", name.escape_debug()))
        };
        let (first, last) = (place_of(first)?, place_of(last)?);
        // Also over the end of the week: Fri-Mon.
        let length = (last + 7 - first) % 7;
        for place in first..=first + length {
            if let Some(day) = days.get_mut(place % 7) {
                *day = true;
            }
        }
    }
    Ok(days)
}

fn minutes(text: &str) -> Result<u16, String> {
    let wrong = || format!("“{}” is no time of day", text.escape_debug());
    let (hour, minute) = text.split_once(':').ok_or_else(wrong)?;
    let number = |digits: &str| {
        let plain = digits.len() == 2 && digits.bytes().all(|byte| byte.is_ascii_digit());
        plain.then(|| digits.parse::<u16>().ok()).flatten()
    };
    let (hour, minute) = number(hour).zip(number(minute)).ok_or_else(wrong)?;
    let minutes = hour * 60 + minute;
    if minute >= 60 || minutes > MIDNIGHT {
        return Err(wrong());
    }
    Ok(minutes)
}

fn hours(text: &str) -> Result<Vec<(u16, u16)>, String> {
    let span = |part: &str| {
        let (from, until) = part
            .split_once('-')
            .ok_or_else(|| format!("“{}” are no hours", part.escape_debug()))?;
        let (from, until) = (minutes(from)?, minutes(until)?);
        if from == MIDNIGHT {
            return Err("hours begin at 23:59 at the latest; 00:00 belongs to the next day".into());
        }
        if from == until {
            return Err("the hours end when they begin; the whole day is 00:00-24:00".into());
        }
        Ok((from, until))
    };
    text.split(',').map(span).collect()
}

/// Letters of names in the time zone database; never a path out of it.
fn zone(text: &str) -> Result<String, String> {
    let plain = |part: &str| {
        part.starts_with(|first: char| first.is_ascii_alphabetic())
            && part
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || b"_+-".contains(&byte))
    };
    if text.len() > 64 || !text.split('/').all(plain) {
        return Err(format!("“{}” is no time zone", text.escape_debug()));
    }
    Ok(text.to_owned())
}

impl FromStr for Weekly {
    type Err = WeeklyError;

    fn from_str(text: &str) -> Result<Self, WeeklyError> {
        let refuse = |why: String| WeeklyError {
            text: text.chars().take(128).collect(),
            why,
        };
        let words: Vec<&str> = text.split_ascii_whitespace().collect();
        match *words.as_slice() {
            [on, at, zone_name] => Ok(Self {
                days: days(on).map_err(refuse)?,
                hours: hours(at).map_err(refuse)?,
                zone: zone(zone_name).map_err(refuse)?,
            }),
            [_, _] => Err(refuse("the time zone is missing".to_owned())),
            _ => Err(refuse("it has not three words".to_owned())),
        }
    }
}

impl fmt::Display for Weekly {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut parts: Vec<String> = Vec::new();
        let mut place = 0;
        while let Some(holds) = self.days.get(place) {
            let run = self
                .days
                .iter()
                .skip(place)
                .take_while(|day| *day == holds)
                .count();
            let name = |place: usize| DAYS.get(place).map_or("", |(name, _)| *name);
            match run {
                _ if !holds => {}
                1 => parts.push(name(place).to_owned()),
                _ => parts.push(format!("{}-{}", name(place), name(place + run - 1))),
            }
            place += run;
        }
        let clock = |minutes: u16| format!("{:02}:{:02}", minutes / 60, minutes % 60);
        let hours = self.hours.iter();
        let hours: Vec<String> = hours
            .map(|(from, until)| format!("{}-{}", clock(*from), clock(*until)))
            .collect();
        write!(f, "{} {} {}", parts.join(","), hours.join(","), self.zone)
    }
}
