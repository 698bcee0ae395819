//! Store, snapshots, recordings, `/run/jms`, and the folders they lie in.

use super::programs::{NO_CONNECTION, NO_CONNECTION_LINE};
use super::{INVALID_USER, KEY_NOT_TAKEN, NAME_NOT_KNOWN, SORRY};
use crate::row::{Row, row};

pub fn rows() -> Vec<Row> {
    [store(), users_snapshot(), keys_snapshot(), folders(), run()].concat()
}

const STORE: &str = "store";
const STORE_LINE: &str = "type=\"store.problem\"";

/// Somebody who writes and does not stop, as a broken backup program might.
const HOLD: &str = "cat > /tmp/hold.py <<'PYTHON'
import os, sqlite3, time
c = sqlite3.connect('/var/lib/jms/jms.db', isolation_level=None)
c.execute('BEGIN IMMEDIATE')
open('/tmp/held', 'w').write(str(os.getpid()))
time.sleep(1000)
PYTHON
chmod 1777 /tmp; rm -f /tmp/held
setsid setpriv --reuid=jms --regid=jms --init-groups -- python3 /tmp/hold.py > /dev/null 2>&1 &
until [ -s /tmp/held ]; do sleep 0.01; done";
const LET_GO: &str =
    "kill -KILL $(cat /tmp/held); while kill -0 $(cat /tmp/held) 2> /dev/null; do sleep 0.01; done";

fn store() -> Vec<Row> {
    let gone = |damage, breaks: &str| row(STORE, damage, breaks).refused(SORRY, STORE_LINE);
    vec![
        gone("missing", "rm $DB"),
        gone("empty", ": > $DB"),
        gone("cut in the middle", "shorten $DB 50"),
        gone("garbage", "head -c 100000 /dev/urandom > $DB"),
        gone("its pages overwritten", "dd if=/dev/urandom of=$DB bs=4096 seek=1 count=1000 conv=notrunc status=none"),
        gone("of a newer version", "python3 -c \"import sqlite3; c = sqlite3.connect('$DB'); c.execute('PRAGMA user_version = 999'); c.close()\"; rm -f $DB-*"),
        gone("mode 0000", "chmod 0 $DB"),
        gone("mode 0444", "chmod 444 $DB"),
        gone("owner nobody", "chown nobody $DB"),
        gone("a FIFO", "rm $DB; as_jms mkfifo $DB"),
        gone("a folder", "rm $DB; mkdir $DB"),
        gone("locked by a writer that does not end", HOLD).mended_by(LET_GO),
        gone("on a file system mounted read-only", "mount --bind /var/lib/jms /var/lib/jms; mount -o remount,bind,ro /var/lib/jms")
            .mended_by("umount /var/lib/jms"),
        gone("on a full disk", "cp -a /var/lib/jms /tmp/whole; tmpfs_over /var/lib/jms; cp -a /tmp/whole/. /var/lib/jms/; rm -r /tmp/whole; ! head -c 100m /dev/zero 2> /dev/null > /var/lib/jms/filler")
            .mended_by("umount /var/lib/jms"),
        row(STORE, "with the log of another store", "head -c 100000 /dev/urandom > $DB-wal; chown jms: $DB-wal"),
    ]
}

const USERS: &str = "users.snap";

fn users_snapshot() -> Vec<Row> {
    let gone =
        |damage, breaks: &str| row(USERS, damage, breaks).refused(NAME_NOT_KNOWN, INVALID_USER);
    vec![
        gone("missing", "rm $USERS"),
        gone("empty", ": > $USERS"),
        gone("cut in the middle", "shorten $USERS 50"),
        gone("garbage", "head -c 100000 /dev/urandom > $USERS"),
        gone("a FIFO", "rm $USERS; as_jms mkfifo $USERS"),
        gone("a folder", "rm $USERS; mkdir $USERS"),
        gone("a link to /dev/zero", "ln -sf /dev/zero $USERS"),
        gone("mode 0666", "chmod 666 $USERS"),
        row(USERS, "mode 0000", "chmod 0 $USERS").refused(NO_CONNECTION, NO_CONNECTION_LINE),
        row(USERS, "owner nobody", "chown nobody $USERS"),
    ]
}

const KEYSNAP: &str = "keys.snap";

fn keys_snapshot() -> Vec<Row> {
    let gone = |damage, breaks: &str| {
        row(KEYSNAP, damage, breaks).refused(KEY_NOT_TAKEN, "type=\"snapshot.problem\"")
    };
    vec![
        gone("missing", "rm $KEYSNAP"),
        gone("empty", ": > $KEYSNAP"),
        gone("cut in the middle", "shorten $KEYSNAP 50"),
        gone("garbage", "head -c 100000 /dev/urandom > $KEYSNAP"),
        gone("a FIFO", "rm $KEYSNAP; as_jms mkfifo -m 644 $KEYSNAP"),
        gone("a folder", "rm $KEYSNAP; mkdir $KEYSNAP"),
        gone("a link to /dev/zero", "ln -sf /dev/zero $KEYSNAP"),
        gone("mode 0666", "chmod 666 $KEYSNAP"),
        gone("mode 0000", "chmod 0 $KEYSNAP"),
        gone(
            "owner nobody, group nogroup",
            "chown nobody:nogroup $KEYSNAP",
        ),
    ]
}

fn folders() -> Vec<Row> {
    let state = "/var/lib/jms";
    let public = "/var/lib/jms/public";
    let recordings = "/var/lib/jms/recordings";
    let unrecorded =
        "jms: the session cannot be recorded, so it cannot be opened; tell your administrator";
    let unrecorded_line = "type=\"recording.problem\"";
    vec![
        row(state, "missing", "rm -r /var/lib/jms").refused(NAME_NOT_KNOWN, INVALID_USER),
        row(state, "mode 0000", "chmod 0 /var/lib/jms").refused(KEY_NOT_TAKEN, "type=\"snapshot.problem\""),
        row(state, "mode 0777", "chmod 777 /var/lib/jms"),
        row(state, "owner root", "chown root /var/lib/jms").refused(SORRY, STORE_LINE),
        row(public, "missing", "rm -r /var/lib/jms/public").refused(NAME_NOT_KNOWN, INVALID_USER),
        row(public, "mode 0700", "chmod 700 /var/lib/jms/public").refused(KEY_NOT_TAKEN, "type=\"snapshot.problem\""),
        row(public, "owner root", "chown root /var/lib/jms/public"),
        row(public, "a link to another folder", "mv /var/lib/jms/public /var/lib/jms/elsewhere; ln -s elsewhere /var/lib/jms/public")
            .refused(NAME_NOT_KNOWN, INVALID_USER),
        row(recordings, "missing", "rm -r /var/lib/jms/recordings").refused(unrecorded, unrecorded_line),
        row(recordings, "mode 0000", "chmod 0 /var/lib/jms/recordings").refused(unrecorded, unrecorded_line),
        row(recordings, "mode 0777", "chmod 777 /var/lib/jms/recordings"),
        row(recordings, "owner root", "chown root /var/lib/jms/recordings").refused(unrecorded, unrecorded_line),
        row(recordings, "on a full disk", "tmpfs_over /var/lib/jms/recordings; ! head -c 100m /dev/zero 2> /dev/null > /var/lib/jms/recordings/filler")
            .mended_by("umount /var/lib/jms/recordings")
            .refused(unrecorded, unrecorded_line),
    ]
}

fn run() -> Vec<Row> {
    let cannot = "jms: the bastion cannot prepare the connection; tell your administrator";
    let line = "type=\"session.refused\"";
    vec![
        row("/run/jms", "missing", "rm -r /run/jms").refused(cannot, line),
        row("/run/jms", "mode 0000", "chmod 0 /run/jms").refused(cannot, line),
        row("/run/jms", "owner root", "chown root /run/jms"),
        row("/run/jms", "full", "cp -a /run/jms /tmp/whole; mount -t tmpfs -o size=4k,nr_inodes=4,mode=711 none /run/jms; chown jms: /run/jms; cp -a /tmp/whole/. /run/jms/; rm -r /tmp/whole")
            .mended_by("umount /run/jms")
            .refused(cannot, line),
        row("/run/jms/sessions", "missing", "rm -r /run/jms/sessions").refused(cannot, line),
        row("/run/jms/egress", "missing", "rm -r /run/jms/egress").refused(cannot, line),
        row("/run/jms/egress", "owner root", "chown root /run/jms/egress").refused(cannot, line),
    ]
}
