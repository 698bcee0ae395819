//! The two plug-ins, the three programs that sshd's way leads through, and `jmsctl`.

use super::{INVALID_USER, KEY_NOT_TAKEN, LOGIN_OPENED, NAME_NOT_KNOWN, SORRY};
use crate::columns::LOCAL;
use crate::row::{Row, row};

pub fn rows() -> Vec<Row> {
    [
        nss(),
        pam(),
        helper(),
        keys_command(),
        force_command(),
        askpass(),
        jmsctl(),
    ]
    .concat()
}

/// The system's ssh, which runs as the user, wants a name for its uid.
pub const NO_CONNECTION: &str =
    "jms: dev@web1: the connection to it failed; tell your administrator";
pub const NO_CONNECTION_LINE: &str = "type=\"session.close\" … user=\"alice\"";

const NSS: &str = "libnss_jms.so.2";

fn nss() -> Vec<Row> {
    let gone =
        |damage, breaks: &str| row(NSS, damage, breaks).refused(NAME_NOT_KNOWN, INVALID_USER);
    vec![
        gone("missing", "rm $NSS"),
        gone("empty", ": > $NSS"),
        gone("cut within its header", "cut_to $NSS 40"),
        gone("cut after 900 bytes", "cut_to $NSS 900"),
        gone("cut in the middle", "shorten $NSS 50"),
        gone("cut by one byte", "cut_to $NSS $(($(stat -c %s $NSS) - 1))"),
        gone(
            "its second half zeros, as after a power cut",
            "unwritten $NSS",
        ),
        gone("a text file", "echo text > $NSS"),
        gone("a folder", "rm $NSS; mkdir $NSS"),
        row(NSS, "mode 0000", "chmod 0 $NSS").refused(NO_CONNECTION, NO_CONNECTION_LINE),
        row(NSS, "mode 0666", "chmod 666 $NSS"),
        row(NSS, "owner nobody", "chown nobody $NSS"),
        gone(
            "not in nsswitch.conf",
            "sed -i 's/^\\(passwd:.*\\) jms/\\1/' /etc/nsswitch.conf",
        ),
        row(NSS, "a FIFO", "rm $NSS; mkfifo $NSS")
            .hangs()
            .barring(&["sudo", "su -"])
            .noted(FIFO_NAMES),
        row(
            NSS,
            "its middle overwritten with zeros",
            "dd if=/dev/zero of=$NSS bs=4096 seek=1 count=40 conv=notrunc status=none",
        )
        .refused("Connection closed", "")
        .barring(&["sudo", "su -"])
        .noted(ZEROS),
    ]
}

const FIFO_NAMES: &str = "The C library opens the module and waits for somebody to write into the FIFO, in every process \
    that asks for a name or a uid that no local file has, which pam_unix does on purpose before it checks a password for sudo or \
    su (`pam_unix_non_existent:`); sshd cuts such a connection after LoginGraceTime. Local names are answered before the module is loaded. Only root can put a FIFO there.";
const ZEROS: &str = "A damaged plug-in of the right length with its end in place is loaded as it is: the loader gives up in every \
    process that asks for a name or a uid that no local file has, which pam_unix does on purpose before it checks a \
    password for sudo or su (`pam_unix_non_existent:`). It takes root or a dying disk; `dpkg --verify jms` shows it.";
const PAM_FIFO: &str = "libpam loads every module that is named in a stack before it runs one, so nobody at all gets in \
    while the C library waits for somebody to write into the FIFO. The same holds for each module of libpam itself. Only \
    root can put a FIFO there; root's open shells, single-user mode and a console without PAM are the ways to mend it.";

const PAM: &str = "pam_jms.so";
const NO_PAM: &str = "jms: this login was not opened through PAM; tell your administrator";
const NO_PAM_LINE: &str = "type=\"alert\" … reason=\"no-login-token\"";

fn pam() -> Vec<Row> {
    let gone = |damage, breaks: &str| row(PAM, damage, breaks).refused(NO_PAM, NO_PAM_LINE);
    vec![
        gone("missing", "rm $PAM"),
        gone("empty", ": > $PAM"),
        gone("cut within its header", "cut_to $PAM 40"),
        gone("cut after 900 bytes", "cut_to $PAM 900"),
        gone("cut in the middle", "shorten $PAM 50"),
        gone("cut by one byte", "cut_to $PAM $(($(stat -c %s $PAM) - 1))"),
        gone(
            "its second half zeros, as after a power cut",
            "unwritten $PAM",
        ),
        gone("a text file", "echo text > $PAM"),
        gone("a folder", "rm $PAM; mkdir $PAM"),
        row(PAM, "mode 0000", "chmod 0 $PAM"),
        row(PAM, "mode 0666", "chmod 666 $PAM"),
        row(PAM, "owner nobody", "chown nobody $PAM"),
        row(PAM, "a FIFO", "rm $PAM; mkfifo $PAM")
            .hangs()
            .barring(&LOCAL)
            .noted(PAM_FIFO),
        gone("no line in pam.d", "sed -i /pam_jms/d /etc/pam.d/common-*"),
        gone(
            "no session line in pam.d",
            "sed -i /pam_jms/d /etc/pam.d/common-session",
        ),
        row(
            PAM,
            "no account line in pam.d",
            "sed -i /pam_jms/d /etc/pam.d/common-account",
        ),
    ]
}

const HELPER: &str = "jms-pam-helper";
const NOT_STARTED: &str =
    "pam_jms(sshd:account): user \"alice@dev@web1\": refused: jms-pam-helper did not start";
const FAILED: &str = "pam_jms(sshd:account): user \"alice@dev@web1\": refused: jms-pam-helper";

fn helper() -> Vec<Row> {
    let gone = |damage, breaks: &str| row(HELPER, damage, breaks).refused(SORRY, NOT_STARTED);
    vec![
        gone("missing", "rm $HELPER"),
        gone("empty", ": > $HELPER"),
        row(HELPER, "cut in the middle", "shorten $HELPER 50").refused(SORRY, FAILED),
        gone("mode 0644", "chmod 644 $HELPER"),
        gone("mode 0700", "chmod 700 $HELPER"),
        row(HELPER, "mode 0777", "chmod 777 $HELPER"),
        row(HELPER, "owner nobody", "chown nobody $HELPER"),
        row(
            HELPER,
            "never answers",
            "printf '#!/bin/sh\\nexec sleep 1000\\n' > $HELPER",
        )
        .refused(
            SORRY,
            "refused: jms-pam-helper did not answer within 5 seconds",
        ),
        row(
            HELPER,
            "stopped in its tracks",
            "printf '#!/bin/sh\\nkill -STOP $$\\n' > $HELPER",
        )
        .refused(
            SORRY,
            "refused: jms-pam-helper did not answer within 5 seconds",
        ),
        row(
            HELPER,
            "says nothing",
            "printf '#!/bin/sh\\nexit 0\\n' > $HELPER",
        )
        .refused(SORRY, "refused: jms-pam-helper gave no answer"),
        row(
            HELPER,
            "says yes without words",
            "printf '#!/bin/sh\\nyes\\n' > $HELPER",
        )
        .refused(SORRY, "refused: jms-pam-helper"),
        row(HELPER, "a FIFO", "rm $HELPER; mkfifo -m 755 $HELPER").refused(SORRY, NOT_STARTED),
    ]
}

const KEYS: &str = "authorized-keys-command";

fn keys_command() -> Vec<Row> {
    let gone = |damage, breaks: &str, line| row(KEYS, damage, breaks).refused(KEY_NOT_TAKEN, line);
    vec![
        gone("missing", "rm $KEYS", "AuthorizedKeysCommand"),
        gone("empty", ": > $KEYS", "AuthorizedKeysCommand"),
        gone(
            "cut in the middle",
            "shorten $KEYS 50",
            "AuthorizedKeysCommand",
        ),
        gone("mode 0644", "chmod 644 $KEYS", "AuthorizedKeysCommand"),
        gone("mode 0700", "chmod 700 $KEYS", "AuthorizedKeysCommand"),
        gone("mode 0777", "chmod 777 $KEYS", "AuthorizedKeysCommand"),
        gone(
            "owner nobody",
            "chown nobody $KEYS",
            "AuthorizedKeysCommand",
        ),
        gone(
            "a FIFO",
            "rm $KEYS; mkfifo -m 755 $KEYS",
            "AuthorizedKeysCommand",
        ),
    ]
}

const FORCE: &str = "force-command";
const NOT_SET_UID: &str = "jms: the session program does not run as its service user";
const NOT_SET_UID_LINE: &str = "type=\"alert\" … reason=\"not-service-user\"";

fn force_command() -> Vec<Row> {
    vec![
        row(FORCE, "missing", "rm $FORCE")
            .refused("Permission denied", "User alice@dev@web1 not allowed because shell /usr/libexec/jms/force-command does not exist"),
        row(FORCE, "empty", ": > $FORCE; chmod 4755 $FORCE")
            .refused("/usr/libexec/jms/force-command: Exec format error", LOGIN_OPENED),
        row(FORCE, "cut in the middle", "shorten $FORCE 50; chmod 4755 $FORCE").refused("", LOGIN_OPENED),
        row(FORCE, "mode 0755", "chmod 755 $FORCE").refused(NOT_SET_UID, NOT_SET_UID_LINE),
        row(FORCE, "mode 4700", "chmod 4700 $FORCE")
            .refused("/usr/libexec/jms/force-command: Permission denied", LOGIN_OPENED),
        row(FORCE, "mode 6755", "chmod 6755 $FORCE")
            .refused("jms: the session program is installed with the wrong owner or mode", "type=\"alert\" … reason=\"wrong-identity\""),
        row(FORCE, "owner root", "chown root $FORCE; chmod 4755 $FORCE")
            .refused("jms: the session program is installed with the wrong owner or mode", "type=\"alert\" … reason=\"wrong-identity\""),
        row(FORCE, "owner nobody", "chown nobody $FORCE; chmod 4755 $FORCE")
            .refused("jms: the bastion cannot read or write its store; tell your administrator", "type=\"store.problem\""),
        row(FORCE, "on a file system mounted nosuid", "mount --bind $LIBEXEC $LIBEXEC; mount -o remount,bind,nosuid $LIBEXEC")
            .mended_by("umount $LIBEXEC")
            .refused(NOT_SET_UID, NOT_SET_UID_LINE),
        row("/usr/libexec/jms", "mode 0700", "chmod 700 $LIBEXEC").refused(KEY_NOT_TAKEN, "AuthorizedKeysCommand"),
        row("/usr/libexec/jms", "owner nobody", "chown nobody $LIBEXEC").refused(KEY_NOT_TAKEN, "AuthorizedKeysCommand"),
        row("/usr/libexec/jms", "missing", "rm -r $LIBEXEC").refused("Permission denied", "does not exist"),
    ]
}

const ASKPASS: &str = "askpass";

/// Only a login with a password at the asset needs it.
fn askpass() -> Vec<Row> {
    vec![
        row(ASKPASS, "missing", "rm $LIBEXEC/askpass"),
        row(ASKPASS, "cut in the middle", "shorten $LIBEXEC/askpass 50"),
        row(ASKPASS, "mode 0644", "chmod 644 $LIBEXEC/askpass"),
        row(ASKPASS, "mode 0777", "chmod 777 $LIBEXEC/askpass"),
        row(ASKPASS, "owner nobody", "chown nobody $LIBEXEC/askpass"),
        row(
            ASKPASS,
            "a FIFO",
            "rm $LIBEXEC/askpass; mkfifo -m 755 $LIBEXEC/askpass",
        ),
    ]
}

const JMSCTL: &str = "jmsctl";

fn jmsctl() -> Vec<Row> {
    vec![
        row(JMSCTL, "missing", "rm $JMSCTL"),
        row(JMSCTL, "cut in the middle", "shorten $JMSCTL 50"),
        row(JMSCTL, "mode 0000", "chmod 0 $JMSCTL"),
        row(JMSCTL, "owner nobody", "chown nobody $JMSCTL"),
    ]
}
