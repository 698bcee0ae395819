//! The way in when the bastion is broken: an account of the host itself that sshd lets in and that can become root.
//!
//! Judged by what sshd and sudo themselves say about each account, and by the key files and hashes that they would use.
#![forbid(unsafe_code)]

use super::accounts::{Account, Accounts};
use super::finding::Findings;
use super::sshd::{ADDRESS, Effective, kept_out};
use super::stored::Stored;
use super::{mend, system, table};
use jms::time::Time;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

/// What was shown longer ago than this, in milliseconds, may have changed.
const A_YEAR: i64 = 366 * 24 * 60 * 60 * 1000;
const USUAL_PORT: &str = "22";
/// Of a host with more accounts than these, so many are asked about.
const ASKED: usize = 100;

/// What was found out about the host's accounts.
#[derive(Debug)]
pub struct Local {
    way_in: Option<String>,
    /// Why those that came near do not count.
    refused: Vec<String>,
    /// Lists of sshd that a new account has to be on.
    lists: Vec<&'static str>,
    /// sshd's port.
    port: String,
}

impl Local {
    /// Looks until one account would get in.
    pub fn gather(accounts: &Accounts, everybody: &Effective, today: i64) -> Self {
        let has = |list: &&str| !everybody.words(list).is_empty();
        let mut local = Self {
            way_in: None,
            refused: Vec::new(),
            lists: ["allowusers", "allowgroups"]
                .into_iter()
                .filter(has)
                .collect(),
            port: everybody.get("port").unwrap_or(USUAL_PORT).to_owned(),
        };
        let has_shell =
            |account: &&Account| account.has_shell() && Path::new(&account.shell).exists();
        for account in accounts.accounts.iter().filter(has_shell).take(ASKED) {
            match why_not(account, accounts, today) {
                Ok(()) => {
                    local.way_in = Some(account.name.clone());
                    break;
                }
                Err(why) => local.refused.push(format!("{}: {why}", account.name)),
            }
        }
        local
    }

    /// Judges it, with what the store remembers of somebody who tried.
    pub fn judge(&self, accounts: &Accounts, stored: Option<&Stored>, findings: &mut Findings) {
        if let Some(name) = &self.way_in {
            if stored.is_some_and(|stored| !was_tried(stored, accounts)) {
                findings.add(
                    table::ADMINISTRATORS_UNTRIED,
                    format!("nobody has shown in the last year that {name}, or another local account, gets in over ssh and becomes root"),
                    self.try_it(name),
                );
            }
            return;
        }
        let shown: Vec<&str> = self.refused.iter().take(3).map(String::as_str).collect();
        let why = if shown.is_empty() {
            String::new()
        } else {
            format!(" ({})", shown.join("; "))
        };
        findings.add(
            table::ADMINISTRATORS_LOCAL,
            format!("no local account could log in over ssh and become root{why}"),
            self.make_one(),
        );
    }

    /// From the host itself, where that is let in; the documentation has the way from elsewhere.
    fn try_it(&self, name: &str) -> String {
        let port = if self.port == USUAL_PORT {
            String::new()
        } else {
            format!("-p {} ", mend::quoted(&self.port))
        };
        let sudo = if name == "root" { "" } else { "sudo " };
        format!(
            "ssh -t {port}{}@localhost {sudo}jmsctl doctor --confirm-local-account",
            mend::quoted(name)
        )
    }

    /// Makes an account with a login key and sudo, or completes one that there is.
    fn make_one(&self) -> String {
        let group = if system::exists("/usr/bin/apt-get") {
            "sudo"
        } else {
            "wheel"
        };
        // sudo passes over files with a dot in their name, and a person's name may have one.
        let sudoers = "/etc/sudoers.d/jms-local-administrators";
        let mut steps = vec![
            mend::ask("Name of a local administrator:", "name"),
            r#"{ id -- "$name" > /dev/null 2>&1 || useradd --create-home --shell /bin/bash -- "$name"; }"#.to_owned(),
            format!(r#"usermod --append --groups {group} -- "$name""#),
            r#"keys=$(getent passwd -- "$name" | cut -d: -f6)/.ssh"#.to_owned(),
            r#"install -d -m 0700 -o "$name" "$keys""#.to_owned(),
            r#"echo 'Public key, then Ctrl-D:' && cat >> "$keys"/authorized_keys"#.to_owned(),
            r#"chown "$name" "$keys"/authorized_keys && chmod 0600 "$keys"/authorized_keys"#.to_owned(),
            // Without a password, sudo could not ask for one.
            format!(r#"{{ cat {sudoers} 2> /dev/null; printf '%s ALL=(ALL:ALL) NOPASSWD: ALL\n' "$name"; }} > {sudoers}.new"#),
            format!("visudo -cqf {sudoers}.new && chmod 0440 {sudoers}.new && mv -f {sudoers}.new {sudoers}"),
        ];
        let file = "/etc/ssh/sshd_config.d/60-jms-local-administrator.conf";
        for list in &self.lists {
            let entry = if *list == "allowusers" {
                "\"$name\""
            } else {
                group
            };
            steps.push(format!("echo {list} {entry} >> {file}"));
        }
        if !self.lists.is_empty() {
            steps.push(mend::reload_sshd());
        }
        steps.join(" && ")
    }
}

/// Whether somebody showed it within a year, and the account is still there.
fn was_tried(stored: &Stored, accounts: &Accounts) -> bool {
    let since = Time::now().plus(-A_YEAR);
    stored.tried.as_ref().is_some_and(|tried| {
        let account = accounts.account(&tried.name);
        tried.at > since && account.is_some_and(Account::has_shell)
    })
}

fn why_not(account: &Account, accounts: &Accounts, today: i64) -> Result<(), String> {
    if account.expires.is_some_and(|day| day < today) {
        return Err("it has expired".into());
    }
    let effective = Effective::ask(&account.name, ADDRESS)
        .map_err(|_| "sshd's configuration is wrong".to_owned())?;
    if let Some(out) = kept_out(&effective, &account.name, &accounts.groups_of(account)) {
        return Err(format!("{} keeps it out", out.keyword));
    }
    if effective
        .get("forcecommand")
        .is_some_and(|command| command != "none")
    {
        return Err("a ForceCommand holds for it".into());
    }
    if !can_authenticate(account, &effective) {
        return Err("it has neither a login key nor a password that sshd takes".into());
    }
    if account.uid == 0 || can_sudo(&account.name) {
        Ok(())
    } else {
        Err("it cannot become root with sudo".into())
    }
}

fn can_authenticate(account: &Account, effective: &Effective) -> bool {
    let root = account.uid == 0;
    let permit_root = effective
        .get("permitrootlogin")
        .unwrap_or("prohibit-password");
    if root && !["yes", "prohibit-password", "without-password"].contains(&permit_root) {
        return false;
    }
    let by_key = effective.is_on("pubkeyauthentication") && has_key(account, effective);
    let may_type = !root || permit_root == "yes";
    let by_password = may_type && account.has_password();
    let can = |method: &str| match method.split(':').next().unwrap_or_default() {
        "publickey" => by_key,
        "password" => by_password && effective.is_on("passwordauthentication"),
        "keyboard-interactive" => {
            by_password
                && effective.is_on("kbdinteractiveauthentication")
                && effective.is_on("usepam")
        }
        "none" => true,
        _ => false,
    };
    let lists = effective.words("authenticationmethods");
    if lists.is_empty() || lists == ["any"] {
        return ["publickey", "password", "keyboard-interactive"]
            .into_iter()
            .any(can);
    }
    lists.iter().any(|list| list.split(',').all(can))
}

/// Whether a key file of the account has a key that sshd would believe.
fn has_key(account: &Account, effective: &Effective) -> bool {
    // Whoever looks keys up elsewhere has them there.
    let elsewhere = effective
        .get("authorizedkeyscommand")
        .is_some_and(|command| command != "none");
    let strict = effective.is_on("strictmodes");
    elsewhere
        || effective
            .words("authorizedkeysfile")
            .into_iter()
            .filter(|file| *file != "none")
            .any(|file| {
                let file = file
                    .replace("%h", &account.home)
                    .replace("%u", &account.name)
                    .replace("%%", "%");
                let path = Path::new(&account.home).join(file);
                let is_key =
                    |line: &str| !line.trim().is_empty() && !line.trim_start().starts_with('#');
                system::read(&path).is_some_and(|text| text.lines().any(is_key))
                    && (!strict || is_private(&path, account))
            })
}

/// sshd believes a file that nobody but root and its owner could have written, up to the home.
fn is_private(path: &Path, account: &Account) -> bool {
    let mut parts: Vec<PathBuf> = vec![path.to_owned()];
    parts.extend(
        path.ancestors()
            .skip(1)
            .take_while(|part| part.starts_with(&account.home))
            .map(Path::to_owned),
    );
    parts.iter().all(|part| {
        part.metadata().is_ok_and(|metadata| {
            [0, account.uid].contains(&metadata.uid()) && metadata.mode() & 0o022 == 0
        })
    })
}

fn can_sudo(name: &str) -> bool {
    let Some(said) = system::run("sudo", &["-n", "-l", "-U", name]) else {
        return false;
    };
    // “User admin may run the following commands on bastion:\n    (ALL : ALL) ALL”
    let rules = said
        .out
        .split("may run the following commands")
        .nth(1)
        .unwrap_or_default();
    said.succeeded
        && rules.lines().any(|line| {
            let line = line.trim();
            let as_root = ["(ALL", "(root"]
                .iter()
                .any(|begin| line.starts_with(begin));
            as_root
                && line
                    .split([')', ' ', ':', ','])
                    .any(|word| word == "ALL" || word.ends_with("/su") || word.ends_with("sh"))
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn account(uid: u32, password: Option<&str>) -> Account {
        Account {
            name: "admin".into(),
            uid,
            gid: uid,
            home: "/nonexistent".into(),
            shell: "/bin/bash".into(),
            password: password.map(str::to_owned),
            expires: None,
        }
    }

    #[test]
    fn methods_and_what_the_account_has_must_meet() {
        let hash = Some("$y$j9T$x");
        let can =
            |account: &Account, text: &str| can_authenticate(account, &Effective::parse(text));
        let on = "passwordauthentication yes\nauthenticationmethods any\n";
        assert!(can(&account(1000, hash), on));
        assert!(!can(&account(1000, Some("!")), on));
        assert!(!can(
            &account(1000, hash),
            "passwordauthentication yes\nauthenticationmethods publickey,password\n"
        ));
        assert!(!can(
            &account(0, hash),
            "passwordauthentication yes\npermitrootlogin prohibit-password\n"
        ));
        assert!(can(
            &account(0, hash),
            "passwordauthentication yes\npermitrootlogin yes\n"
        ));
        assert!(!can(
            &account(0, hash),
            "passwordauthentication yes\npermitrootlogin no\n"
        ));
    }
}
