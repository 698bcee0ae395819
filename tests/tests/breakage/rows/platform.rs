//! The system around us: disks, clock, log daemon.

use super::{NAME_NOT_KNOWN, SORRY};
use crate::columns::LOCAL;
use crate::row::{Row, row};

pub fn rows() -> Vec<Row> {
    [log(), clock(), accounts(), names()].concat()
}

fn log() -> Vec<Row> {
    vec![
        row("/var/log", "full", "mkdir /tmp/log; cp -a /var/log/. /tmp/log/; tmpfs_over /var/log; cp -a /tmp/log/. /var/log/; rm -r /tmp/log; ! head -c 100m /dev/zero 2> /dev/null > /var/log/filler")
            .mended_by("umount /var/log"),
        row("rsyslog", "stopped", "pkill -x rsyslogd; while pgrep -x rsyslogd; do sleep 0.01; done").mended_by(START_LOG),
        row("rsyslog", "stopped in its tracks (SIGSTOP), its socket full", FULL)
            .mended_by("pkill -CONT -x rsyslogd")
            .hangs()
            .barring(&LOCAL)
            .noted(STOPPED_LOG),
        row("rsyslog", "stopped, its socket gone", "pkill -x rsyslogd; while pgrep -x rsyslogd; do sleep 0.01; done; rm -f /dev/log").mended_by(START_LOG),
    ]
}

const FULL: &str = "pkill -STOP -x rsyslogd
python3 - <<'PYTHON'
import socket
log = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
log.setblocking(False)
log.connect('/dev/log')
try:
    while True: log.send(b'<86>filler: line')
except BlockingIOError:
    pass
PYTHON";
const STOPPED_LOG: &str = "`syslog(3)` of sshd, sudo, su and cron themselves waits for the log daemon, with or without the bastion, on any \
    Debian without journald (which systemd ends when it stands still). The bastion's own programs and `pam_jms.so` wait for no \
    log daemon. Root's open shells and the console are the ways to `kill -CONT` it.";

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

fn names() -> Vec<Row> {
    vec![
        row(
            "nsswitch.conf",
            "a FIFO",
            "rm /etc/nsswitch.conf; mkfifo /etc/nsswitch.conf",
        )
        .mended_by("rm /etc/nsswitch.conf; cp -p /kept/etc/nsswitch.conf /etc/nsswitch.conf")
        .hangs()
        .barring(&LOCAL)
        .noted(NO_NAMES),
    ]
}

const NO_NAMES: &str = "The C library of every process opens this file before it looks up any name, the host's own too, with or \
    without the bastion. Only root can put a FIFO there; root's open shells and single-user mode are the ways to mend it, and \
    `jmsctl doctor` there names it without waiting.";
