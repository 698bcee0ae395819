//! What stands behind the flags: times, lists, yes and no. Trusts nothing that was typed.
#![forbid(unsafe_code)]

use jms::time::Time;
use std::str::FromStr;

/// `none` takes an attribute away, anything else sets it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Clearable<T> {
    /// `none`
    Nothing,
    /// A value.
    Set(T),
}

impl<T> Clearable<T> {
    /// What the attribute is afterwards.
    pub fn into_option(self) -> Option<T> {
        match self {
            Self::Nothing => None,
            Self::Set(value) => Some(value),
        }
    }
}

/// A moment that lies ahead, as `--valid-until` takes it; `2h` is two hours from now.
pub fn validity(text: &str) -> Result<Clearable<Time>, String> {
    if text == "none" {
        return Ok(Clearable::Nothing);
    }
    moment(text, 1).map(Clearable::Set)
}

/// A moment that lies behind, as `--since` takes it; `2h` is two hours ago.
pub fn past(text: &str) -> Result<Time, String> {
    moment(text, -1)
}

/// A moment in full, or ahead of now as `2h`.
pub fn moment_or_now(text: &str) -> Result<Time, String> {
    match text {
        "now" => Ok(Time::now()),
        _ => moment(text, 1),
    }
}

fn moment(text: &str, direction: i64) -> Result<Time, String> {
    let now = jiff::Zoned::now();
    let start_of = |day: jiff::civil::Date| {
        let start = day.to_zoned(now.time_zone().clone());
        start
            .map(|start| Time(start.timestamp().as_millisecond()))
            .map_err(|_| "there is no such day here".to_owned())
    };
    if text == "today" {
        return start_of(now.date());
    }
    if let Some(time) = Time::parse_rfc3339(text) {
        return Ok(time);
    }
    if text.len() == "2026-12-31".len()
        && let Ok(day) = text.parse::<jiff::civil::Date>()
    {
        return start_of(day);
    }
    let milliseconds = duration(text).ok_or_else(|| {
        "write a time as 2026-12-31T18:00:00Z, a day as 2026-12-31 or today, or a span as 90s, 30m, 2h, 3d, 4w"
            .to_owned()
    })?;
    Ok(Time(now.timestamp().as_millisecond()).plus(milliseconds.saturating_mul(direction)))
}

/// `90s`, `30m`, `2h`, `3d`, `4w` in milliseconds.
fn duration(text: &str) -> Option<i64> {
    let unit = text.chars().last()?;
    let digits = text.strip_suffix(unit)?;
    if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let seconds: i64 = match unit {
        's' => 1,
        'm' => 60,
        'h' => 3600,
        'd' => 86_400,
        'w' => 604_800,
        _ => return None,
    };
    digits
        .parse::<i64>()
        .ok()?
        .checked_mul(seconds)?
        .checked_mul(1000)
}

/// A span such as `15m` in seconds, at least one, or `none`.
pub fn span_or_none(text: &str) -> Result<Clearable<u32>, String> {
    if text == "none" {
        return Ok(Clearable::Nothing);
    }
    let seconds = duration(text).and_then(|milliseconds| u32::try_from(milliseconds / 1000).ok());
    match seconds {
        Some(seconds) if seconds > 0 => Ok(Clearable::Set(seconds)),
        _ => Err("write a span as 90s, 15m, 8h, 1d, or none".to_owned()),
    }
}

/// `yes` or `no`.
pub fn yes_no(text: &str) -> Result<bool, String> {
    match text {
        "yes" => Ok(true),
        "no" => Ok(false),
        _ => Err("say yes or no".to_owned()),
    }
}

/// A number from one up, or `none`.
pub fn count_or_none(text: &str) -> Result<Clearable<u32>, String> {
    match text.parse() {
        _ if text == "none" => Ok(Clearable::Nothing),
        Ok(number) if number > 0 => Ok(Clearable::Set(number)),
        _ => Err("write a number from 1 up, or none".to_owned()),
    }
}

/// A name, or `none`.
pub fn text_or_none(text: &str) -> Result<Clearable<String>, String> {
    match text {
        "none" => Ok(Clearable::Nothing),
        _ => Ok(Clearable::Set(text.to_owned())),
    }
}

/// The path of a login shell, without anything that a shell would read as more than a path.
pub fn shell(text: &str) -> Result<String, String> {
    let plain =
        |character: char| character.is_ascii_graphic() && !"'\"\\:$`;&|<>()*?".contains(character);
    if text.starts_with('/') && text.chars().all(plain) && text.len() <= 255 {
        one_line(text)
    } else {
        Err("write the path of the shell, as in /bin/bash".to_owned())
    }
}

/// The path of a login shell, or `none`.
pub fn shell_or_none(text: &str) -> Result<Clearable<String>, String> {
    match text {
        "none" => Ok(Clearable::Nothing),
        _ => shell(text).map(Clearable::Set),
    }
}

/// Text for an attribute: one line, no control characters, at most 1024 characters.
pub fn one_line(text: &str) -> Result<String, String> {
    if text.chars().count() > 1024 {
        return Err("at most 1024 characters".to_owned());
    }
    if text.chars().any(char::is_control) {
        return Err("one line, without control characters".to_owned());
    }
    Ok(text.to_owned())
}

/// A network as it is stored: `10.0.0.0/8`.
pub fn network(text: &str) -> Result<String, String> {
    let network = snapshot::Cidr::from_str(text).map_err(|error| error.to_string())?;
    Ok(network.to_string())
}

/// The same, or the word `none`.
pub fn network_or_none(text: &str) -> Result<String, String> {
    match text {
        "none" => Ok(text.to_owned()),
        _ => network(text),
    }
}

/// The first and last uid of `--uid-range A-B`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Uids {
    /// Lowest.
    pub first: u32,
    /// Highest.
    pub last: u32,
}

impl FromStr for Uids {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let number = |text: &str| text.parse::<u32>().ok();
        let (first, last) = text
            .split_once('-')
            .and_then(|(first, last)| Some((number(first)?, number(last)?)))
            .ok_or("write the first and the last uid, as in 70000-99999")?;
        if first > last {
            return Err("the first uid is above the last".to_owned());
        }
        // The file's own parser knows which uids are nobody's; it is asked, not copied.
        let text = format!("range {first}-{last}\njms-users 1\njms-mfa 2\n");
        snapshot::UidRange::parse(text.as_bytes()).map_err(
            |_| "uids must lie within 1000-61183 or 65536-4294967293: the others are the system's",
        )?;
        Ok(Self { first, last })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_count_from_now_in_both_directions() {
        let now = Time::now().0;
        assert!((past("2h").unwrap().0 - (now - 7_200_000)).abs() < 5_000);
        let Clearable::Set(until) = validity("3d").unwrap() else {
            panic!()
        };
        assert!((until.0 - (now + 3 * 86_400_000)).abs() < 5_000);
        assert_eq!(validity("none"), Ok(Clearable::Nothing));
        assert!(past("today").unwrap().0 <= now);
    }

    #[test]
    fn times_are_rfc3339_or_days() {
        assert_eq!(past("1970-01-01T00:00:01Z"), Ok(Time(1000)));
        assert!(past("2026-12-31").is_ok());
        for bad in [
            "",
            "2",
            "h",
            "-2h",
            "2y",
            "yesterday",
            "99999999999999999999d",
            "2026-13-01",
        ] {
            assert!(past(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn uids_of_the_system_are_refused() {
        assert_eq!(
            "70000-99999".parse(),
            Ok(Uids {
                first: 70_000,
                last: 99_999
            })
        );
        for bad in [
            "1",
            "a-b",
            "9-1",
            "0-99999",
            "61000-61200",
            "65534-65534",
            "60000-70000",
        ] {
            assert!(bad.parse::<Uids>().is_err(), "{bad}");
        }
    }

    #[test]
    fn an_attribute_is_one_line() {
        assert!(one_line("Alice Liddell").is_ok());
        assert!(one_line("a\nb").is_err() && one_line("\u{1b}[2J").is_err());
        assert!(one_line(&"a".repeat(1025)).is_err());
    }
}
