//! Names and uids: those of the bastion's users against those of the host.
#![forbid(unsafe_code)]

use super::accounts::Accounts;
use super::finding::Findings;
use super::stored::Stored;
use super::{mend, system, table};
use jms::paths::Paths;
use snapshot::UidRange;

/// What `jmsctl init` takes unless told otherwise.
const USUAL: (u32, u32) = (70_000, 99_999);
/// So many users are looked up in the name service.
const ASKED: usize = 200;
/// Ranges of /etc/login.defs, with the values that Debian ships.
const DEFINITIONS: [(&str, u64, u64); 3] = [
    ("UID", 1_000, 60_000),
    ("SUB_UID", 100_000, 600_100_000),
    ("SYS_UID", 101, 999),
];

/// What the host's files say about uids.
#[derive(Debug)]
pub struct Names {
    uid_range: Option<String>,
    login_defs: String,
    subuid: String,
    highest: u32,
}

impl Names {
    /// Reads them.
    pub fn gather(paths: &Paths) -> Self {
        let read = |path: &str| system::read(path).unwrap_or_default();
        Self {
            uid_range: system::read(paths.uid_range()),
            login_defs: read("/etc/login.defs"),
            subuid: read("/etc/subuid"),
            highest: system::read(paths.uid_high_water())
                .and_then(|text| text.trim().parse().ok())
                .unwrap_or(0),
        }
    }

    /// The range, if root's file is right.
    pub fn range(&self) -> Option<UidRange> {
        UidRange::parse(self.uid_range.as_deref()?.as_bytes()).ok()
    }

    /// Judges them.
    pub fn judge(
        &self,
        accounts: &Accounts,
        stored: Option<&Stored>,
        paths: &Paths,
        findings: &mut Findings,
    ) {
        self.judge_range(accounts, stored, paths, findings);
        let Some(range) = self.range() else { return };
        local_uids(&range, accounts, findings);
        self.reserved_uids(&range, findings);
        if let Some(stored) = stored {
            names(stored, accounts, findings);
            known(stored, &range, accounts, findings);
        }
    }

    fn judge_range(
        &self,
        accounts: &Accounts,
        stored: Option<&Stored>,
        paths: &Paths,
        findings: &mut Findings,
    ) {
        let path = mend::path(&paths.uid_range());
        let uids = || {
            stored
                .into_iter()
                .flat_map(|stored| stored.users.iter().map(|user| user.uid))
        };
        let around = |first: u32, last: u32| {
            let lowest = uids().min().unwrap_or(first).min(first);
            let highest = uids().max().unwrap_or(last).max(last).max(self.highest);
            format!("{lowest}-{highest}")
        };
        let Some(text) = &self.uid_range else {
            findings.add(
                table::NAMES_UID_RANGE,
                format!("{path} is missing or no file: the name service answers for no user of the bastion"),
                format!("rm -rf {path} && jmsctl init --uid-range {} > /dev/null", around(USUAL.0, USUAL.1)),
            );
            return;
        };
        let range = match UidRange::parse(text.as_bytes()) {
            Ok(range) => range,
            Err(error) => {
                findings.add(
                    table::NAMES_UID_RANGE,
                    format!("{path}: {error}: the name service answers for no user of the bastion"),
                    format!(
                        "mv -f {path} {path}.wrong && jmsctl init --uid-range {} > /dev/null",
                        around(USUAL.0, USUAL.1)
                    ),
                );
                return;
            }
        };
        for (name, gid) in [
            ("jms-users", range.users_gid()),
            ("jms-mfa", range.mfa_gid()),
        ] {
            if let Some(found) = accounts.gid(name).filter(|found| *found != gid) {
                findings.add(
                    table::NAMES_UID_RANGE,
                    format!(
                        "{path} says that {name} has the gid {gid}, and /etc/group says {found}"
                    ),
                    format!("sed -i -E 's/^({name}[[:space:]]+).*/\\1{found}/' {path}"),
                );
                return;
            }
        }
        if let Some(user) =
            stored.and_then(|stored| stored.users.iter().find(|user| !range.contains(user.uid)))
        {
            findings.add(
                table::NAMES_UID_RANGE,
                format!(
                    "{} has the uid {}, which is not in {path} ({}-{})",
                    user.name,
                    user.uid,
                    range.first(),
                    range.last()
                ),
                format!(
                    "jmsctl init --uid-range {} > /dev/null",
                    around(range.first(), range.last())
                ),
            );
        }
    }

    fn reserved_uids(&self, range: &UidRange, findings: &mut Findings) {
        let (first, last) = (u64::from(range.first()), u64::from(range.last()));
        let overlaps = |low: u64, high: u64| low <= last && high >= first;
        for line in self.subuid.lines() {
            let fields: Vec<&str> = line.split(':').collect();
            if let [name, begin, count] = fields.as_slice()
                && let (Ok(begin), Ok(count)) = (begin.parse::<u64>(), count.trim().parse::<u64>())
                && count > 0
                && overlaps(begin, begin.saturating_add(count - 1))
            {
                let end = begin.saturating_add(count - 1);
                findings.add(
                    table::NAMES_UID_RESERVED,
                    format!("/etc/subuid gives {begin} to {end} to {name}"),
                    format!("usermod --del-subuids {begin}-{end} {}", mend::quoted(name)),
                );
                return;
            }
        }
        for (prefix, usual_low, usual_high) in DEFINITIONS {
            let (Some(low), Some(high)) = (
                definition(&self.login_defs, &format!("{prefix}_MIN")),
                definition(&self.login_defs, &format!("{prefix}_MAX")),
            ) else {
                continue;
            };
            if overlaps(low, high) {
                findings.add(
                    table::NAMES_UID_RESERVED,
                    format!("/etc/login.defs keeps {low} to {high} for others ({prefix}_MIN to {prefix}_MAX)"),
                    format!(
                        "sed -i -E -e 's/^({prefix}_MIN[[:space:]]+).*/\\1{usual_low}/' -e 's/^({prefix}_MAX[[:space:]]+).*/\\1{usual_high}/' /etc/login.defs"
                    ),
                );
                return;
            }
        }
    }
}

fn definition(text: &str, name: &str) -> Option<u64> {
    text.lines().find_map(|line| {
        let mut words = line.split_ascii_whitespace();
        (words.next()? == name)
            .then(|| words.next()?.parse().ok())
            .flatten()
    })
}

fn local_uids(range: &UidRange, accounts: &Accounts, findings: &mut Findings) {
    let Some(account) = accounts
        .accounts
        .iter()
        .find(|account| range.contains(account.uid))
    else {
        return;
    };
    let is_taken = |uid: u32| accounts.accounts.iter().any(|account| account.uid == uid);
    let free = (1_000..60_000)
        .find(|uid| !is_taken(*uid) && !range.contains(*uid))
        .unwrap_or(60_001);
    findings.add(
        table::NAMES_UID_LOCAL,
        format!(
            "the local account {} has the uid {}, which is of the bastion's range",
            account.name, account.uid
        ),
        format!("usermod --uid {free} {}", mend::quoted(&account.name)),
    );
}

fn names(stored: &Stored, accounts: &Accounts, findings: &mut Findings) {
    let enabled = || stored.users.iter().filter(|user| user.enabled);
    if let Some(user) = enabled().find(|user| accounts.account(&user.name).is_some()) {
        findings.add(
            table::NAMES_LOCAL,
            format!("{0} is an account of this host by now, and ssh reaches that one; the user {0} of the bastion has no way in", user.name),
            format!("jmsctl user disable {} --comment 'a local account has this name'", mend::quoted(&user.name)),
        );
    }
    for group in &accounts.groups {
        // That members of our own groups are wrong is judged with the service's accounts.
        if ["jms-users", "jms-mfa"].contains(&group.name.as_str()) {
            continue;
        }
        if let Some(user) = enabled().find(|user| group.members.contains(&user.name)) {
            findings.add(
                table::NAMES_MEMBER,
                format!("the group {} lists {} as a member, so the name service keeps that name from the bastion", group.name, user.name),
                format!("gpasswd --delete {} {}", mend::quoted(&user.name), mend::quoted(&group.name)),
            );
            return;
        }
    }
}

/// Whether the name service knows our users, where nothing that was found explains why it should not.
fn known(stored: &Stored, range: &UidRange, accounts: &Accounts, findings: &mut Findings) {
    let explained = [
        table::NSSWITCH_PASSWD,
        table::NSSWITCH_ACTION,
        table::NSSWITCH_MODULE,
        table::SNAPSHOT_UNREADABLE,
        table::SNAPSHOT_OLD,
        table::NAMES_UID_RANGE,
        table::NAMES_LOCAL,
        table::NAMES_MEMBER,
        table::NAMES_UID_LOCAL,
        table::FILES_MODE,
        table::FILES_OWNER,
    ];
    if explained.into_iter().any(|kind| findings.has(kind)) {
        return;
    }
    // A disabled user whose name is a local account's is out of the way.
    let ours = |user: &&jms::nouns::User| accounts.account(&user.name).is_none();
    let asked = || stored.users.iter().filter(ours).take(ASKED);
    let names: Vec<&str> = asked().map(|user| user.name.as_str()).collect();
    let known = system::uids_of(&names);
    for user in asked() {
        let is_ours = |(name, uid): &(String, u32)| *name == user.name && range.contains(*uid);
        if known.iter().any(is_ours) {
            continue;
        }
        let command = if system::exists("/run/nscd/socket") {
            "nscd --invalidate passwd".to_owned()
        } else {
            mend::reinstall()
        };
        findings.add(
            table::NAMES_UNKNOWN,
            format!(
                "the name service does not know {}, so sshd refuses that user",
                user.name
            ),
            command,
        );
        return;
    }
}
