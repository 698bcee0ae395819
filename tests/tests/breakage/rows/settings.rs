//! `/etc/jms`, and what of the package only other programs read.

use super::{INVALID_USER, NAME_NOT_KNOWN};
use crate::row::{Row, row};

pub fn rows() -> Vec<Row> {
    [toml(), uid_range(), high_water(), secret_key(), others()].concat()
}

const TOML: &str = "jms.toml";
const NO_SETTINGS: &str = "jms: the bastion's settings cannot be read; tell your administrator";
const NO_SETTINGS_LINE: &str = "type=\"settings.problem\"";

fn toml() -> Vec<Row> {
    let bad =
        |damage, breaks: &str| row(TOML, damage, breaks).refused(NO_SETTINGS, NO_SETTINGS_LINE);
    vec![
        row(TOML, "missing", "rm $TOML"),
        row(TOML, "empty", ": > $TOML"),
        bad("a syntax error", "echo '[recording' > $TOML"),
        bad(
            "an unknown word",
            "printf '[recording]\\nkeep = 5\\n' > $TOML",
        ),
        bad("garbage", "head -c 100000 /dev/urandom > $TOML"),
        bad("mode 0000", "chmod 0 $TOML"),
        row(TOML, "mode 0666", "chmod 666 $TOML"),
        row(TOML, "owner nobody", "chown nobody $TOML"),
        bad("a folder", "rm $TOML; mkdir $TOML"),
        bad("a FIFO", "rm $TOML; mkfifo -m 644 $TOML"),
        bad("a link to /dev/zero", "ln -sf /dev/zero $TOML"),
    ]
}

const RANGE: &str = "uid-range";

fn uid_range() -> Vec<Row> {
    let gone =
        |damage, breaks: &str| row(RANGE, damage, breaks).refused(NAME_NOT_KNOWN, INVALID_USER);
    vec![
        gone("missing", "rm $RANGE"),
        gone("empty", ": > $RANGE"),
        gone("cut in the middle", "shorten $RANGE 50"),
        gone("garbage", "head -c 1000 /dev/urandom > $RANGE"),
        row(RANGE, "mode 0000", "chmod 0 $RANGE").refused(
            "jms: the uid range file cannot be read",
            "type=\"settings.problem\" … reason=\"uid-range\"",
        ),
        gone("mode 0666", "chmod 666 $RANGE"),
        gone("owner jms", "chown jms $RANGE"),
        gone("a FIFO", "rm $RANGE; mkfifo $RANGE"),
        gone("a link to /dev/zero", "ln -sf /dev/zero $RANGE"),
        gone(
            "a range without the user's uid",
            "sed -i 's/^range .*/range 80000-80001/' $RANGE",
        ),
    ]
}

const HIGH: &str = "uid-high-water";

fn high_water() -> Vec<Row> {
    [
        "missing",
        "empty",
        "garbage",
        "mode 0000",
        "owner nobody",
        "a FIFO",
    ]
    .into_iter()
    .zip([
        "rm $HIGH",
        ": > $HIGH",
        "echo garbage > $HIGH",
        "chmod 0 $HIGH",
        "chown nobody $HIGH",
        "rm $HIGH; mkfifo $HIGH",
    ])
    .map(|(damage, breaks)| row(HIGH, damage, breaks))
    .collect()
}

const SECRET: &str = "secret.key";
const NO_KEY: &str = "jms: the bastion cannot open its stored keys; tell your administrator";

fn secret_key() -> Vec<Row> {
    let bad = |damage, breaks: &str, line| row(SECRET, damage, breaks).refused(NO_KEY, line);
    vec![
        bad("missing", "rm $SECRET", "/etc/jms/secret.key is missing"),
        bad(
            "empty",
            ": > $SECRET",
            "/etc/jms/secret.key is not exactly 32 bytes long",
        ),
        bad(
            "cut in the middle",
            "shorten $SECRET 50",
            "/etc/jms/secret.key is not exactly 32 bytes long",
        ),
        bad("another key", "head -c 32 /dev/urandom > $SECRET", "secret"),
        bad(
            "mode 0444",
            "chmod 444 $SECRET",
            "/etc/jms/secret.key has mode 0444",
        ),
        bad(
            "owner nobody",
            "chown nobody $SECRET",
            "/etc/jms/secret.key",
        ),
        bad(
            "a FIFO",
            "rm $SECRET; as_jms mkfifo -m 400 /tmp/fifo; mv /tmp/fifo $SECRET",
            "/etc/jms/secret.key is not a regular file",
        ),
    ]
}

fn others() -> Vec<Row> {
    vec![
        row("/etc/jms", "missing", "rm -r /etc/jms").refused(NAME_NOT_KNOWN, INVALID_USER),
        row("/etc/jms", "mode 0700", "chmod 700 /etc/jms").refused(
            "jms: the uid range file cannot be read",
            "type=\"settings.problem\" … reason=\"uid-range\"",
        ),
        row("/etc/jms", "owner jms", "chown jms /etc/jms"),
        row(
            "pam-configs/jms",
            "missing",
            "rm /usr/share/pam-configs/jms",
        ),
        row("pam-configs/jms", "empty", ": > /usr/share/pam-configs/jms"),
        row(
            "pam-configs/jms",
            "mode 0000, owner nobody",
            "chmod 0 /usr/share/pam-configs/jms; chown nobody /usr/share/pam-configs/jms",
        ),
        row(
            "tmpfiles.d/jms.conf",
            "empty",
            ": > /usr/lib/tmpfiles.d/jms.conf",
        ),
        row(
            "tmpfiles.d/jms.conf",
            "mode 0000, owner nobody",
            "chmod 0 /usr/lib/tmpfiles.d/jms.conf; chown nobody /usr/lib/tmpfiles.d/jms.conf",
        ),
        row(
            "home/.hushlogin",
            "mode 0000, owner nobody",
            "chmod 0 /usr/share/jms/home/.hushlogin; chown nobody /usr/share/jms/home/.hushlogin",
        ),
        row(
            "tmpfiles.d/jms.conf",
            "missing",
            "rm /usr/lib/tmpfiles.d/jms.conf",
        ),
        row(
            "home/.hushlogin",
            "missing",
            "rm /usr/share/jms/home/.hushlogin",
        ),
        row(
            "/usr/share/jms/home",
            "missing",
            "rm -r /usr/share/jms/home",
        ),
        row(
            "/usr/share/jms/home",
            "owner jms, mode 0777",
            "chown jms /usr/share/jms/home; chmod 777 /usr/share/jms/home",
        ),
        row(
            "manual pages, completions, documents",
            "missing",
            "dpkg -L jms | grep -E '/(doc|man|lintian|bash-completion|zsh|fish)/' | while read -r path; do [ ! -f $path ] || rm $path; done",
        ),
    ]
}
