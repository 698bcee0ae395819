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

/// Puts the file `$copy` at a path (a word for `sh`) with these options of install(1), all at once. What stood there, and
/// beside it under the same name with one of `companions` at its end, is kept under a new name: it may be all that is left.
pub fn put_back(path: &str, options: &str, companions: &[&str]) -> String {
    let mut steps = vec![
        r#"[ -f "$copy" ]"#.to_owned(),
        format!(r#"install -T {options} -- "$copy" {path}.new"#),
        format!("wrong={path}.wrong-$(date +%Y%m%d-%H%M%S)"),
    ];
    // The file itself goes first: whoever opens it meanwhile makes no new companion.
    for end in [""].iter().chain(companions) {
        steps.push(format!(
            r#"{{ [ ! -e {path}{end} ] || mv -fT {path}{end} "$wrong"{end}; }}"#
        ));
    }
    steps.push(format!("mv -fT {path}.new {path}"));
    steps.join(" && ")
}

/// Asks for a word, to be used as `$NAME` by what follows.
pub fn ask(question: &str, name: &str) -> String {
    format!("printf '%s ' {} && read -r {name}", quoted(question))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Runs it with `copy` as the answer.
    fn put_back_in(folder: &std::path::Path, copy: &str) -> bool {
        let shown = path(&folder.join("jms.db"));
        let command = put_back(&shown, "-m 0600", &["-wal", "-shm"]);
        let asked = ask("Copy:", "copy");
        std::process::Command::new("sh")
            .args(["-c", &format!("echo {copy} | {{ {asked} && {command}; }}")])
            .current_dir(folder)
            .output()
            .unwrap()
            .status
            .success()
    }

    /// Names and texts of a folder, sorted; a date is `DATE`.
    fn files(folder: &std::path::Path) -> Vec<(String, String)> {
        let entries = std::fs::read_dir(folder).unwrap().map(Result::unwrap);
        let name = |name: String| match name.split_once(".wrong-") {
            Some((before, after)) => {
                let end = after.get("20261121-110000".len()..).unwrap();
                format!("{before}.wrong-DATE{end}")
            }
            None => name,
        };
        let mut files: Vec<_> = entries
            .map(|entry| {
                (
                    name(entry.file_name().into_string().unwrap()),
                    std::fs::read_to_string(entry.path()).unwrap(),
                )
            })
            .collect();
        files.sort();
        files
    }

    #[test]
    fn what_a_copy_replaces_is_kept_together_with_what_was_not_yet_written_into_it() {
        let folder = tempfile::tempdir().unwrap();
        for (name, text) in [
            ("jms.db", "old"),
            ("jms.db-wal", "committed"),
            ("jms.db-shm", "index"),
            ("copy", "copy"),
        ] {
            std::fs::write(folder.path().join(name), text).unwrap();
        }
        let before = files(folder.path());
        for typo in ["no-such-file", ".", "/dev/null"] {
            assert!(!put_back_in(folder.path(), typo), "{typo}");
            assert_eq!(files(folder.path()), before, "{typo}");
        }
        assert!(put_back_in(folder.path(), "copy"));
        let expected = [
            ("copy", "copy"),
            ("jms.db", "copy"),
            ("jms.db.wrong-DATE", "old"),
            ("jms.db.wrong-DATE-shm", "index"),
            ("jms.db.wrong-DATE-wal", "committed"),
        ];
        let expected = expected.map(|(name, text)| (name.to_owned(), text.to_owned()));
        assert_eq!(files(folder.path()), expected);
    }

    #[test]
    fn words_stay_one_word() {
        assert_eq!(quoted("/etc/jms/jms.toml"), "/etc/jms/jms.toml");
        assert_eq!(quoted("it's; rm -rf"), r"'it'\''s; rm -rf'");
        assert_eq!(quoted(""), "''");
    }
}
