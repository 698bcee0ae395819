//! What belongs to no single command: exit statuses, files, environment.
#![forbid(unsafe_code)]

use super::text::{heading, row};
use crate::failure::EXIT_STATUSES;
use clap_mangen::roff::Roff;
use jms::paths::{FORCE_COMMAND, Paths};

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
