//! Our drop-in, and other settings of sshd that stand before it or beside it.

use super::{KEY_NOT_TAKEN, LOGIN_OPENED, NAME_NOT_KNOWN};
use crate::row::{Request, Row, row};

pub fn rows() -> Vec<Row> {
    [dropin(), others_win(), subsystem()].concat()
}

const DROPIN: &str = "00-jms.conf";

fn dropin() -> Vec<Row> {
    let gone = |damage, breaks: &str| {
        row(DROPIN, damage, breaks)
            .reloaded()
            .refused(NAME_NOT_KNOWN, "authenticating user alice@dev@web1")
    };
    vec![
        gone("missing", "rm $DROPIN"),
        gone("empty", ": > $DROPIN"),
        row(
            DROPIN,
            "cut in mid-line",
            "sed -i '/AuthorizedKeysCommandUser/,$d' $DROPIN; printf '\\tAuthorizedK' >> $DROPIN",
        )
        .reloaded()
        .noted(CUT_DROPIN),
        row(DROPIN, "garbage", "head -c 1000 /dev/urandom > $DROPIN")
            .reloaded()
            .noted(CUT_DROPIN),
        row(DROPIN, "mode 0000", "chmod 0 $DROPIN").reloaded(),
        row(DROPIN, "mode 0666", "chmod 666 $DROPIN").reloaded(),
        row(DROPIN, "owner nobody", "chown nobody $DROPIN").reloaded(),
        gone(
            "not included by sshd_config",
            "sed -i /^Include/d /etc/ssh/sshd_config",
        ),
        row(
            DROPIN,
            "UsePAM no in sshd_config",
            "sed -i 's/^UsePAM yes/UsePAM no/' /etc/ssh/sshd_config",
        )
        .reloaded()
        .refused(
            "jms: this login was not opened through PAM; tell your administrator",
            "type=\"alert\" … reason=\"no-login-token\"",
        ),
    ]
}

const CUT_DROPIN: &str = "A running sshd goes on with the settings that it has, through `systemctl reload ssh` too, which asks \
    `sshd -t` first. It would not start again before the file is mended: sshd itself treats any line that it does not know, of any \
    drop-in, so. dpkg writes the file whole and renames it into place.";

/// A drop-in that is read before ours.
fn before(text: &str) -> String {
    format!("printf '{text}\\n' > /etc/ssh/sshd_config.d/00-first.conf")
}

const ELSEWHERE: &str = "another drop-in";

fn others_win() -> Vec<Row> {
    let other = |damage, text: &str| row(ELSEWHERE, damage, before(text)).reloaded();
    vec![
        other(
            "AuthorizedKeysCommand before ours",
            "AuthorizedKeysCommand /bin/false\\nAuthorizedKeysCommandUser nobody",
        ),
        other(
            "ForceCommand before ours",
            r#"ForceCommand sh -c "$SSH_ORIGINAL_COMMAND""#,
        ),
        other("AllowGroups before ours", "AllowGroups sudo root"),
        other("AllowUsers before ours", "AllowUsers admin root"),
        other(
            "PasswordAuthentication, no PAM prompt",
            "KbdInteractiveAuthentication no",
        ),
        other(
            "a Match before ours with AuthorizedKeysCommand",
            "Match Group jms-users\\nAuthorizedKeysCommand none\\nMatch all",
        )
        .refused(KEY_NOT_TAKEN, "authenticating user alice@dev@web1"),
        other(
            "a Match before ours with ForceCommand",
            "Match Group jms-users\\nForceCommand /bin/false\\nMatch all",
        )
        .refused("jms: another ForceCommand of this sshd stands before the bastion's", "type=\"alert\" … reason=\"other-force-command\""),
        other(
            "a Match before ours with ForceCommand none",
            "Match Group jms-users\\nForceCommand none\\nMatch all",
        ),
        other(
            "a Match before ours with AllowGroups",
            "Match all\\nAllowGroups sudo root\\nMatch all",
        ),
        other(
            "a Match before ours with AuthenticationMethods",
            "Match Group jms-users\\nAuthenticationMethods password\\nMatch all",
        )
        .refused("no authentication methods enabled", "no authentication methods enabled"),
        other(
            "a Match before ours that allows forwarding, asked for a tunnel",
            "Match all\\nDisableForwarding no\\nAllowTcpForwarding yes\\nPermitOpen any\\nMatch all",
        )
        .asking(Request::Tunnel)
        .refused("administratively prohibited", "refused local port forward"),
        other(
            "a Match before ours with ForceCommand internal-sftp",
            "Match Group jms-users\\nForceCommand internal-sftp\\nMatch all",
        )
        .refused("This service allows sftp connections only", LOGIN_OPENED),
        other(
            "a Match before ours with ForceCommand internal-sftp, asked for sftp",
            "Match Group jms-users\\nForceCommand internal-sftp\\nMatch all",
        )
        .asking(Request::Sftp)
        .reads_the_bastion()
        .noted(INTERNAL_SFTP),
        other(
            "ChrootDirectory in a Match before ours",
            "Match Group jms-users\\nChrootDirectory /usr/share\\nMatch all",
        )
        .refused("/usr/libexec/jms/force-command: No such file or directory", LOGIN_OPENED),
    ]
}

const INTERNAL_SFTP: &str = "sshd's own sftp server runs in sshd's process, as the user: no program of ours, not even the login \
    shell, is started, and PAM does not know what a session will ask for. The user reaches no asset, but those files of the \
    bastion that everybody may read. Only a `Match` block of root's before ours can bring it about.";

fn subsystem() -> Vec<Row> {
    let line = "s|^Subsystem.*|REPLACED|";
    let with = |by: &str| {
        format!(
            "sed -i '{}' /etc/ssh/sshd_config",
            line.replace("REPLACED", by)
        )
    };
    vec![
        row("Subsystem", "missing", with("")).reloaded(),
        row("Subsystem", "missing, asked for sftp", with(""))
            .reloaded()
            .asking(Request::Sftp)
            .refused("subsystem request failed", "subsystem request for sftp"),
        row(
            "Subsystem",
            "internal-sftp",
            with("Subsystem sftp internal-sftp"),
        )
        .reloaded(),
        row(
            "Subsystem",
            "internal-sftp, asked for sftp",
            with("Subsystem sftp internal-sftp"),
        )
        .reloaded()
        .asking(Request::Sftp),
    ]
}
