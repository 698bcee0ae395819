//! The commands that mend: lines for `sh`, made for this host, to be read and then run by root.
#![forbid(unsafe_code)]

use super::system;
use std::path::Path;

/// Sets the drop-in's blocks in front of everything else that sshd reads.
const INCLUDE_FIRST: &str =
    "sed -i '1i Include /etc/ssh/sshd_config.d/00-jms.conf' /etc/ssh/sshd_config";

/// A word for `sh`.
pub fn quoted(word: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"_-./=:,@+%".contains(&byte);
    if !word.is_empty() && word.bytes().all(plain) {
        word.to_owned()
    } else {
        format!("'{}'", word.replace('\'', r"'\''"))
    }
}

/// A path for `sh`.
pub fn path(path: &Path) -> String {
    quoted(&path.to_string_lossy())
}

/// Brings the package's files back: programs, and what is missing of its configuration.
pub fn reinstall() -> String {
    if system::exists("/usr/bin/dpkg") || !system::exists("/usr/bin/rpm") {
        "apt-get install --reinstall --yes -o Dpkg::Options::=--force-confmiss jms".to_owned()
    } else {
        "dnf --assumeyes reinstall jms".to_owned()
    }
}

/// Runs the package's own scripts again: accounts, folders, nsswitch and PAM are brought to their state.
pub fn configure_again() -> String {
    if system::exists("/usr/sbin/dpkg-reconfigure") {
        "dpkg-reconfigure jms".to_owned()
    } else {
        reinstall()
    }
}

/// Installs the newest version of a package of the distribution.
pub fn upgrade(packages: &str) -> String {
    if system::exists("/usr/bin/dpkg") {
        format!("apt-get update && apt-get install --yes {packages}")
    } else {
        format!("dnf --assumeyes upgrade {packages}")
    }
}

/// Asks sshd whether the new configuration is right, and has it read.
pub fn reload_sshd() -> String {
    let sshd = "/usr/sbin/sshd";
    if system::has_systemd() {
        let unit = if system::exists("/usr/lib/systemd/system/ssh.service") {
            "ssh"
        } else {
            "sshd"
        };
        format!("{sshd} -t && systemctl reload-or-restart {unit}")
    } else {
        format!("{sshd} -t && kill -HUP $(cat /run/sshd.pid)")
    }
}

/// Starts a service anew, so that it reads its configuration.
pub fn restart(unit: &str, program: &str) -> String {
    if system::has_systemd() {
        format!("systemctl restart {unit}")
    } else {
        format!(
            "{{ pkill -x {program}; while pgrep -x {program} >/dev/null; do sleep 0.1; done; {program}; }}"
        )
    }
}

/// Lets the package's drop-in win against everything else that sshd reads.
pub fn drop_in_first() -> String {
    format!("{INCLUDE_FIRST} && {}", reload_sshd())
}

/// Replaces a drop-in that somebody changed by the package's.
pub fn drop_in_anew() -> String {
    let file = "/etc/ssh/sshd_config.d/00-jms.conf";
    format!("mv -f {file} {file}.changed && {}", reinstall())
}

/// Sets a global option of sshd before anybody else can.
pub fn option_first(line: &str) -> String {
    format!(
        "sed -i {} /etc/ssh/sshd_config && {}",
        quoted(&format!("1i {line}")),
        reload_sshd()
    )
}

/// Takes one line of a file out of force.
pub fn comment_out(file: &Path, number: usize) -> String {
    format!("sed -i '{number}s/^/# /' {}", path(file))
}

/// Changes one line of a file to another.
pub fn replace_line(file: &Path, number: usize, line: &str) -> String {
    let script = format!("{number}c\\{line}");
    format!(
        "sed -i --follow-symlinks {} {}",
        quoted(&script),
        path(file)
    )
}

/// A command as the service user: root changes no modes inside of that user's folders, who could put links there.
pub fn as_service_user(command: &str) -> String {
    format!("setpriv --reuid=jms --regid=jms --init-groups -- {command}")
}

/// Asks for a word, to be used as `$NAME` by what follows.
pub fn ask(question: &str, name: &str) -> String {
    format!("printf '%s ' {} && read -r {name}", quoted(question))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_stay_one_word() {
        assert_eq!(quoted("/etc/jms/jms.toml"), "/etc/jms/jms.toml");
        assert_eq!(quoted("it's; rm -rf"), r"'it'\''s; rm -rf'");
        assert_eq!(quoted(""), "''");
    }
}
