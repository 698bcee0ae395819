//! What belongs to no single command: exit statuses, files, environment, the date of this version.
#![forbid(unsafe_code)]

use super::text::{heading, row};
use crate::failure::EXIT_STATUSES;
use clap_mangen::roff::Roff;
use jms::paths::{FORCE_COMMAND, Paths};

/// Whose first entry is this version's.
const CHANGELOG: &str = include_str!("../../../packaging/changelog");

/// The day of this version, `YYYY-MM-DD`, from the changelog; the same sources make the same pages.
pub(super) fn date() -> String {
    let line = CHANGELOG.lines().find_map(|line| line.strip_prefix(" -- "));
    line.and_then(|line| line.split_once(">  "))
        .and_then(|(_, time)| jiff::fmt::rfc2822::parse(time).ok())
        .map(|time| time.date().to_string())
        .unwrap_or_default()
}

pub(super) fn exit_status_section(roff: &mut Roff) {
    heading(roff, "EXIT STATUS");
    for (status, what) in EXIT_STATUSES {
        row(roff, &status.to_string(), what);
    }
}

pub(super) fn environment_section(roff: &mut Roff) {
    heading(roff, "ENVIRONMENT");
    row(
        roff,
        "NO_COLOR",
        "If it is set and not empty, nothing is coloured.",
    );
    row(
        roff,
        "TZ",
        "The time zone of times that are shown and of times given without one. With --json times are in UTC.",
    );
}

pub(super) fn files_section(roff: &mut Roff) {
    let paths = Paths::system();
    heading(roff, "FILES");
    for (path, what) in [
        (
            paths.settings(),
            "Settings of the bastion; see jms.toml(5).",
        ),
        (
            paths.secret_key(),
            "The key to the stored secrets. Without it, and a backup of it, they are lost.",
        ),
        (
            paths.uid_range(),
            "The uids of users, and the groups that they are in.",
        ),
        (
            paths.uid_high_water(),
            "The highest uid that was ever given to a user; it only grows.",
        ),
        (
            paths.database(),
            "The store: everything that jmsctl changes, and the evidence.",
        ),
        (
            paths.users_snapshot(),
            "Names of users, derived from the store; see nss_jms(8).",
        ),
        (
            paths.keys_snapshot(),
            "Their keys, derived from the store; see authorized-keys-command(8).",
        ),
        (paths.recordings(), "Recordings of sessions, by day."),
        (
            FORCE_COMMAND.into(),
            "The session program; see force-command(8).",
        ),
    ] {
        row(roff, &path.display().to_string(), what);
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_date_is_the_changelogs() {
        let date = super::date();
        assert!(
            date.parse::<jiff::civil::Date>().is_ok(),
            "packaging/changelog begins without a date: {date:?}"
        );
        let version = concat!("jms (", env!("CARGO_PKG_VERSION"), ")");
        assert!(super::CHANGELOG.starts_with(version), "{version}");
    }
}
