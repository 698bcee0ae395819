//! The host's own accounts and groups, from its files: the service's among them.
#![forbid(unsafe_code)]

use super::finding::Findings;
use super::{mend, system, table};

/// Programs that are no shell.
const NO_SHELL: [&str; 5] = [
    "/usr/sbin/nologin",
    "/sbin/nologin",
    "/bin/false",
    "/usr/bin/false",
    "/nonexistent",
];

/// A line of `/etc/passwd`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Account {
    /// Name.
    pub name: String,
    /// Uid.
    pub uid: u32,
    /// Primary group.
    pub gid: u32,
    /// Home.
    pub home: String,
    /// Login shell.
    pub shell: String,
    /// The field of `/etc/shadow`; empty: none needed; `None`: no line.
    pub password: Option<String>,
    /// Days since 1970 after which it is closed.
    pub expires: Option<i64>,
}

impl Account {
    /// Whether it has a shell to start.
    pub fn has_shell(&self) -> bool {
        !NO_SHELL.contains(&self.shell.as_str())
    }

    /// Whether a password could open it.
    pub fn has_password(&self) -> bool {
        self.password
            .as_deref()
            .is_some_and(|hash| !hash.is_empty() && !hash.starts_with(['!', '*']))
    }
}

/// A line of `/etc/group`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Group {
    /// Name.
    pub name: String,
    /// Gid.
    pub gid: u32,
    /// Members beside those whose primary group it is.
    pub members: Vec<String>,
}

/// The host's accounts and groups.
#[derive(Debug, Default)]
pub struct Accounts {
    /// `/etc/passwd` with `/etc/shadow`.
    pub accounts: Vec<Account>,
    /// `/etc/group`.
    pub groups: Vec<Group>,
}

impl Accounts {
    /// Reads the files.
    pub fn gather() -> Self {
        let read = |path: &str| system::read(path).unwrap_or_default();
        Self::parse(
            &read("/etc/passwd"),
            &read("/etc/shadow"),
            &read("/etc/group"),
        )
    }

    fn parse(passwd: &str, shadow: &str, group: &str) -> Self {
        let fields = |line: &str| line.split(':').map(str::to_owned).collect::<Vec<_>>();
        let shadow: Vec<Vec<String>> = shadow.lines().map(fields).collect();
        let account = |line: &str| {
            let fields = fields(line);
            let secret = shadow
                .iter()
                .find(|secret| secret.first() == fields.first());
            Some(Account {
                name: fields.first()?.clone(),
                uid: fields.get(2)?.parse().ok()?,
                gid: fields.get(3)?.parse().ok()?,
                home: fields.get(5)?.clone(),
                shell: match fields.get(6)?.as_str() {
                    "" => "/bin/sh".to_owned(),
                    shell => shell.to_owned(),
                },
                password: secret.and_then(|secret| secret.get(1)).cloned(),
                expires: secret.and_then(|secret| secret.get(7)?.parse().ok()),
            })
        };
        let group_of = |line: &str| {
            let fields = fields(line);
            let members = fields.get(3)?.split(',').filter(|name| !name.is_empty());
            Some(Group {
                name: fields.first()?.clone(),
                gid: fields.get(2)?.parse().ok()?,
                members: members.map(str::to_owned).collect(),
            })
        };
        Self {
            accounts: passwd.lines().filter_map(account).collect(),
            groups: group.lines().filter_map(group_of).collect(),
        }
    }

    /// The account of that name.
    pub fn account(&self, name: &str) -> Option<&Account> {
        self.accounts.iter().find(|account| account.name == name)
    }

    /// The uid of that name.
    pub fn uid(&self, name: &str) -> Option<u32> {
        self.account(name).map(|account| account.uid)
    }

    /// The group of that name.
    pub fn group(&self, name: &str) -> Option<&Group> {
        self.groups.iter().find(|group| group.name == name)
    }

    /// The gid of that name.
    pub fn gid(&self, name: &str) -> Option<u32> {
        self.group(name).map(|group| group.gid)
    }

    /// The names of the groups that an account is in.
    pub fn groups_of(&self, account: &Account) -> Vec<String> {
        let within =
            |group: &&Group| group.gid == account.gid || group.members.contains(&account.name);
        self.groups
            .iter()
            .filter(within)
            .map(|group| group.name.clone())
            .collect()
    }

    /// Judges the service's own accounts and groups.
    pub fn judge(&self, findings: &mut Findings) {
        for name in ["jms", "jms-keys"] {
            let Some(account) = self.account(name) else {
                findings.add(
                    table::ACCOUNTS_SERVICE,
                    format!("there is no account {name}"),
                    mend::configure_again(),
                );
                return;
            };
            if account.uid == 0 || account.gid == 0 {
                findings.add(
                    table::ACCOUNTS_SERVICE,
                    format!("{name} is root here, which it must never be"),
                    format!(
                        "sed -i '/^{name}:/d' /etc/passwd /etc/shadow && {}",
                        mend::configure_again()
                    ),
                );
            } else if account.has_shell() {
                findings.add(
                    table::ACCOUNTS_SERVICE,
                    format!("{name} has the login shell {}", account.shell),
                    format!("usermod --shell /usr/sbin/nologin {name}"),
                );
            } else if account.has_password() || account.password.as_deref() == Some("") {
                findings.add(
                    table::ACCOUNTS_SERVICE,
                    format!("{name} can be opened with a password"),
                    format!("usermod --password '!' {name}"),
                );
            }
        }
        for name in ["jms", "jms-keys", "jms-users", "jms-mfa"] {
            if self.group(name).is_none() {
                findings.add(
                    table::ACCOUNTS_SERVICE,
                    format!("there is no group {name}"),
                    mend::configure_again(),
                );
                return;
            }
        }
        if !self
            .group("jms-keys")
            .is_some_and(|group| group.members.iter().any(|member| member == "jms"))
        {
            findings.add(
                table::ACCOUNTS_SERVICE,
                "jms is no member of jms-keys, so sshd's key lookup cannot be given new snapshots",
                mend::configure_again(),
            );
        }
        for name in ["jms-users", "jms-mfa"] {
            let Some(group) = self.group(name) else {
                continue;
            };
            if let Some(member) = group.members.first() {
                findings.add(
                    table::ACCOUNTS_SERVICE,
                    format!("{name} has the member {member}: sshd would start our session program for that account, which refuses it"),
                    format!("gpasswd --delete {} {name}", mend::quoted(member)),
                );
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PASSWD: &str = "root:x:0:0::/root:/bin/bash\njms:x:101:103::/nonexistent:/usr/sbin/nologin\njms-keys:x:102:104::/nonexistent:/usr/sbin/nologin\n\n+nis\n";
    const SHADOW: &str = "root:*:1::::::\njms:!:1::::::\njms-keys:!:1::::::\n";
    const GROUP: &str = "jms:x:103:\njms-keys:x:104:jms\njms-users:x:105:\njms-mfa:x:106:\n";

    fn found(passwd: &str, shadow: &str, group: &str) -> usize {
        let mut findings = Findings::default();
        Accounts::parse(passwd, shadow, group).judge(&mut findings);
        findings.into_sorted().len()
    }

    #[test]
    fn the_services_accounts_can_do_nothing() {
        assert_eq!(found(PASSWD, SHADOW, GROUP), 0);
        assert_eq!(
            found(&PASSWD.replace("jms:x:101:", "jms:x:0:"), SHADOW, GROUP),
            1
        );
        assert_eq!(
            found(
                &PASSWD.replace("/usr/sbin/nologin\njms-keys", "/bin/sh\njms-keys"),
                SHADOW,
                GROUP
            ),
            1
        );
        assert_eq!(
            found(PASSWD, &SHADOW.replace("jms:!", "jms:$6$x"), GROUP),
            1
        );
        assert_eq!(found(PASSWD, SHADOW, &GROUP.replace("104:jms", "104:")), 1);
        assert_eq!(found(PASSWD, SHADOW, &GROUP.replace("105:", "105:root")), 1);
        assert_eq!(found("", SHADOW, GROUP), 1);
    }
}
