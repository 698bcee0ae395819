//! Time zones by name: those of the system, which its distribution keeps up to date, and where it has none, those that came
//! with this program.
#![forbid(unsafe_code)]

use jiff::tz::{TimeZone, TimeZoneDatabase};
use std::fs::File;
use std::io::Read;
use std::path::Path;

/// Where every Linux keeps them.
const SYSTEM: &str = "/usr/share/zoneinfo";
/// Longer than any of them.
const LONGEST: u64 = 64 * 1024;

/// The zone of that name; `None`: there is none.
#[must_use]
pub fn find(name: &str) -> Option<TimeZone> {
    find_in(Path::new(SYSTEM), name)
}

/// Read by name, without a walk over the whole database: a login does not wait for that.
fn find_in(system: &Path, name: &str) -> Option<TimeZone> {
    if name == "UTC" {
        return Some(TimeZone::UTC);
    }
    // A name is two or three words; nothing leads out of the folder.
    let is_word = |part: &str| {
        part.starts_with(|first: char| first.is_ascii_alphabetic())
            && part
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || b"_+-".contains(&byte))
    };
    if !name.split('/').all(is_word) {
        return None;
    }
    of_system(&system.join(name), name).or_else(|| bundled(name))
}

/// The program's own are found under any spelling; a name has one.
fn bundled(name: &str) -> Option<TimeZone> {
    let zone = TimeZoneDatabase::bundled().get(name).ok()?;
    (zone.iana_name() == Some(name)).then_some(zone)
}

fn of_system(path: &Path, name: &str) -> Option<TimeZone> {
    let file = File::open(path).ok()?;
    let mut data = Vec::new();
    file.take(LONGEST).read_to_end(&mut data).ok()?;
    TimeZone::tzif(name, &data).ok()
}

/// A name like this one that exists, for “did you mean”.
#[must_use]
pub fn nearest(name: &str) -> Option<String> {
    let names: Vec<String> = TimeZoneDatabase::bundled()
        .available()
        .map(|name| name.to_string())
        .collect();
    let same = |one: &&String| one.eq_ignore_ascii_case(name);
    let city = |one: &&String| {
        one.rsplit_once('/')
            .is_some_and(|(_, city)| city.eq_ignore_ascii_case(name))
    };
    if let Some(found) = names.iter().find(same).or_else(|| names.iter().find(city)) {
        return Some(found.clone());
    }
    crate::names::nearest(name, names.iter().map(String::as_str)).map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::time::Time;

    #[test]
    fn a_zone_is_found_with_and_without_the_systems_database() {
        let empty = tempfile::tempdir().unwrap();
        let summer = Time::parse_rfc3339("2026-07-01T10:00:00Z").unwrap();
        for system in [Path::new(SYSTEM), empty.path()] {
            let zone = find_in(system, "Europe/Berlin").unwrap();
            assert_eq!(zone.to_datetime(summer.timestamp()).hour(), 12);
        }
        assert!(find("UTC").is_some());
    }

    #[test]
    fn what_is_no_zone_is_none_and_no_other_file() {
        for name in [
            "",
            "Mars/Olympus",
            "../../etc/passwd",
            "/etc/passwd",
            "Europe",
            "Europe/",
            "zone.tab",
            "tzdata.zi",
        ] {
            assert!(find(name).is_none(), "{name}");
        }
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("Broken"), "no time zone").unwrap();
        assert!(find_in(folder.path(), "Broken").is_none());
    }

    #[test]
    fn a_zone_that_is_nearly_right_is_named() {
        assert_eq!(nearest("asia/shanghai").as_deref(), Some("Asia/Shanghai"));
        assert_eq!(nearest("Berlin").as_deref(), Some("Europe/Berlin"));
        assert_eq!(nearest("Europe/Berlim").as_deref(), Some("Europe/Berlin"));
        assert_eq!(nearest("Nowhere"), None);
    }
}
