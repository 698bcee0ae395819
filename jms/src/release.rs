//! Which version this is, and of which day: from the changelog, so that the same sources make the same pages.
#![forbid(unsafe_code)]

/// The version of all parts.
pub const VERSION: &str = env!("CARGO_PKG_VERSION");

/// The changelog in Debian's form (deb-changelog(5)); the first entry is this version's.
pub const CHANGELOG: &str = include_str!("../../packaging/changelog");

/// The day of this version; 1970-01-01 if the changelog does not say it, which a test does not allow.
#[must_use]
pub fn day() -> jiff::civil::Date {
    let line = CHANGELOG.lines().find_map(|line| line.strip_prefix(" -- "));
    line.and_then(|line| line.split_once(">  "))
        .and_then(|(_, time)| jiff::fmt::rfc2822::parse(time).ok())
        .map_or(jiff::civil::date(1970, 1, 1), |time| time.date())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_changelog_begins_with_this_version_and_its_day() {
        assert!(CHANGELOG.starts_with(&format!("jms ({VERSION}) ")));
        assert!(day().year() >= 2026, "{}", day());
    }
}
