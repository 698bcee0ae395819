//! The system around us: disks, clock, log daemon.

use super::{NAME_NOT_KNOWN, SORRY};
use crate::row::{Row, row};

pub fn rows() -> Vec<Row> {
    [log(), clock(), accounts()].concat()
}

fn log() -> Vec<Row> {
    vec![
        row("/var/log", "full", "mkdir /tmp/log; cp -a /var/log/. /tmp/log/; tmpfs_over /var/log; cp -a /tmp/log/. /var/log/; rm -r /tmp/log; ! head -c 100m /dev/zero 2> /dev/null > /var/log/filler")
            .mended_by("umount /var/log"),
        row("rsyslog", "stopped", "pkill -x rsyslogd; while pgrep -x rsyslogd; do sleep 0.01; done").mended_by(START_LOG),
        row("rsyslog", "stopped, its socket gone", "pkill -x rsyslogd; while pgrep -x rsyslogd; do sleep 0.01; done; rm -f /dev/log").mended_by(START_LOG),
    ]
}

const START_LOG: &str =
    "rm -f /dev/log /run/rsyslogd.pid; rsyslogd; until [ -S /dev/log ]; do sleep 0.01; done";

fn clock() -> Vec<Row> {
    let year = 365 * 86400;
    vec![
        row("clock", "10 years back", clock_off_by(-10 * year)).mended_by(CLOCK_BACK),
        row("clock", "10 years ahead", clock_off_by(10 * year)).mended_by(CLOCK_BACK),
    ]
}

/// For every process that starts from now on, set-uid ones too: the loader takes a library of ours before the C library.
/// (faketime's own library makes system calls that sshd's sandbox forbids.)
fn clock_off_by(seconds: i64) -> String {
    format!(
        "cat > /tmp/clock.c <<'CLOCK'\n{CLOCK}CLOCK
         gcc -shared -fPIC -O2 -DOFFSET='({seconds}LL)' -o /usr/lib/clock.so /tmp/clock.c
         year=$(date +%Y)
         echo /usr/lib/clock.so > /etc/ld.so.preload
         [ $(date +%Y) -ne $year ]"
    )
}

const CLOCK: &str = include_str!("clock.c");
const CLOCK_BACK: &str = "rm -f /etc/ld.so.preload";

fn accounts() -> Vec<Row> {
    vec![
        row("user jms", "missing", "sed -i /^jms:/d /etc/passwd")
            .refused(SORRY, "there is no user jms"),
        row(
            "user jms-keys",
            "missing",
            "sed -i /^jms-keys:/d /etc/passwd",
        )
        .refused("Permission denied", "AuthorizedKeysCommandUser"),
        row(
            "group jms-users",
            "missing",
            "sed -i /^jms-users:/d /etc/group",
        )
        .refused(NAME_NOT_KNOWN, "authenticating user alice@dev@web1"),
    ]
}
