//! The store, its settings and its key: judged by what the service user could do with them.
#![forbid(unsafe_code)]

use super::finding::Findings;
use super::mounts::Mounts;
use super::stored::{Inside, Stored};
use super::{mend, system, table};
use jms::paths::Paths;
use jms::secret::MasterKeyError;
use jms::settings::SettingsError;
use jms::store::StoreError;
use jms::time::Time;

/// Clocks of one host may differ by this between two reads, in milliseconds.
const CLOCK_TOLERANCE: i64 = 60_000;
/// An event that waits longer than this was not taken, in milliseconds; the next one sends it at once otherwise.
const UNSENT_TOLERANCE: i64 = 10_000;
/// So many events are sent at one opportunity.
const SENT_AT_ONCE: u64 = 200;

/// What only root sees of the store's surroundings.
#[derive(Debug)]
pub struct Surroundings {
    /// Processes that have the store open: id and name.
    pub openers: Vec<(u32, String)>,
    /// Where the store's file system is mounted, if it is read-only.
    pub read_only: Option<String>,
    /// Whether uids were ever given: there were users.
    pub had_users: bool,
}

impl Surroundings {
    /// Looks, as root.
    pub fn gather(paths: &Paths, mounts: &Mounts) -> Self {
        let mount = mounts.of(paths.state()).filter(|mount| mount.has("ro"));
        let given = system::read(paths.uid_high_water()).unwrap_or_default();
        Self {
            openers: openers(paths),
            read_only: mount.map(|mount| mount.point.display().to_string()),
            had_users: given.trim().parse::<u32>().is_ok_and(|uid| uid > 0),
        }
    }
}

/// Processes with a descriptor of the store.
fn openers(paths: &Paths) -> Vec<(u32, String)> {
    let database = paths.database();
    let own = std::process::id();
    let folders = std::fs::read_dir("/proc").into_iter().flatten().flatten();
    let pids = folders.filter_map(|entry| entry.file_name().to_str()?.parse::<u32>().ok());
    let has_it_open = |pid: &u32| {
        let descriptors = std::fs::read_dir(format!("/proc/{pid}/fd"))
            .into_iter()
            .flatten()
            .flatten();
        descriptors
            .filter_map(|entry| entry.path().read_link().ok())
            .any(|target| target == database)
    };
    let name = |pid: u32| {
        (
            pid,
            system::read(format!("/proc/{pid}/comm"))
                .unwrap_or_default()
                .trim()
                .to_owned(),
        )
    };
    pids.filter(|pid| *pid != own)
        .filter(has_it_open)
        .map(name)
        .collect()
}

/// Judges all of it.
pub fn judge(
    inside: &Inside,
    around: &Surroundings,
    paths: &Paths,
    syslog_listens: bool,
    findings: &mut Findings,
) {
    settings(inside, paths, findings);
    key(inside, paths, findings);
    match &inside.store {
        Err(error) => broken(error, inside, around, paths, findings),
        Ok(stored) => {
            if let Err(error) = &stored.write {
                broken(error, inside, around, paths, findings);
            }
            clock(stored, findings);
            unsent(stored, syslog_listens, findings);
            backup(inside, stored, paths, findings);
        }
    }
}

fn settings(inside: &Inside, paths: &Paths, findings: &mut Findings) {
    let Err(error) = &inside.settings else { return };
    let path = paths.settings();
    let shown = mend::path(&path);
    let aside = format!("mv -f {shown} {shown}.wrong");
    let (sentence, command) = match error {
        SettingsError::Read { source, .. } => (
            format!("{} cannot be read ({source})", path.display()),
            format!("chmod 0644 {shown} && chown root:root {shown}"),
        ),
        SettingsError::Wrong { sentence, .. } => {
            let first = sentence.lines().next().unwrap_or_default();
            let last = sentence.trim_end().lines().last().unwrap_or_default();
            let command = match line_of(sentence) {
                Some(number) => mend::comment_out(&path, number),
                None => aside,
            };
            (format!("{}: {first}: {last}", path.display()), command)
        }
    };
    findings.add(
        table::SETTINGS_WRONG,
        format!("{sentence}; sessions are refused until it is right"),
        command,
    );
}

/// `… at line 3, column 1`
fn line_of(sentence: &str) -> Option<usize> {
    let rest = sentence.split("at line ").nth(1)?;
    rest.chars()
        .take_while(char::is_ascii_digit)
        .collect::<String>()
        .parse()
        .ok()
}

fn key(inside: &Inside, paths: &Paths, findings: &mut Findings) {
    let path = mend::path(&paths.secret_key());
    let sentence = match &inside.key {
        Ok(_) if inside.key_is_wrong => {
            format!("{path} is not the key that stored secrets were sealed with")
        }
        Ok(_) => return,
        // Judged with the other files.
        Err(MasterKeyError::Readable(..) | MasterKeyError::WrongOwner(..)) => return,
        Err(MasterKeyError::Io(_, error))
            if error.kind() == std::io::ErrorKind::PermissionDenied =>
        {
            return;
        }
        Err(error) => error.to_string(),
    };
    let ask = mend::ask("Copy of secret.key to put back:", "copy");
    findings.add(
        table::SECRET_KEY,
        format!("{sentence}; no session with a stored secret can begin"),
        format!(
            "{ask} && {}",
            mend::put_back(&path, "-o jms -g jms -m 0400", &[])
        ),
    );
}

fn backup(inside: &Inside, stored: &Stored, paths: &Paths, findings: &mut Findings) {
    let Ok(fingerprint) = &inside.key else { return };
    if stored
        .backup
        .as_ref()
        .is_some_and(|backup| backup.fingerprint == *fingerprint)
    {
        return;
    }
    let path = paths.secret_key();
    let ask = mend::ask(
        &format!(
            "Copy {} to another machine or medium, and name the copy as it is reached from here:",
            path.display()
        ),
        "copy",
    );
    findings.add(
        table::SECRET_KEY_BACKUP,
        format!(
            "nobody has shown a copy of {}: without it no stored secret can be read again",
            path.display()
        ),
        format!("{ask} && jmsctl doctor --confirm-backup \"$copy\""),
    );
}

fn broken(
    error: &StoreError,
    inside: &Inside,
    around: &Surroundings,
    paths: &Paths,
    findings: &mut Findings,
) {
    let database = paths.database();
    let shown = mend::path(&database);
    let restore = format!(
        "{} && {} && jmsctl status > /dev/null",
        mend::ask("Copy of jms.db to put back:", "copy"),
        mend::put_back(&shown, "-o jms -g jms -m 0600", &["-wal", "-shm"]),
    );
    match error {
        StoreError::Missing { .. } | StoreError::NotInitialised => {
            let command = if around.had_users {
                restore
            } else {
                "jmsctl init".to_owned()
            };
            findings.add(table::STORE_MISSING, error.to_string(), command);
        }
        StoreError::TooNew { .. } => findings.add(table::STORE_NEWER, error.to_string(), restore),
        StoreError::Busy => {
            let holders = lock_holders();
            let holder = around.openers.iter().find(|(pid, _)| holders.contains(pid));
            let (sentence, command) = match holder {
                Some((pid, name)) => (
                    format!(
                        "process {pid} ({name}) holds the store's write lock for longer than two seconds"
                    ),
                    format!("kill {pid}; while kill -0 {pid} 2>/dev/null; do sleep 0.1; done"),
                ),
                None => (error.to_string(), "jmsctl status".to_owned()),
            };
            findings.add(table::STORE_BUSY, sentence, command);
        }
        StoreError::NotWritable { source } => {
            let (sentence, command) = match &around.read_only {
                Some(point) => (
                    format!("{point}, where the store lies, is mounted read-only"),
                    format!(
                        "mount -o remount,rw {point} || mount -o remount,bind,rw {point}",
                        point = mend::quoted(point)
                    ),
                ),
                None => (
                    format!("the store cannot be written: {source}"),
                    format!(
                        "chown -h jms:jms {shown}* && {}",
                        mend::as_service_user(&format!("sh -c 'chmod 0600 {shown}*'"))
                    ),
                ),
            };
            findings.add(table::STORE_READ_ONLY, sentence, command);
        }
        _ => {
            let sentence = if inside.store_is_no_file {
                format!("{} is no file", database.display())
            } else {
                error.to_string()
            };
            findings.add(table::STORE_DAMAGED, sentence, restore);
        }
    }
}

/// Processes that hold any write lock, from the kernel's list (proc(5)).
fn lock_holders() -> Vec<u32> {
    let text = system::read("/proc/locks").unwrap_or_default();
    let holder = |line: &str| {
        let words: Vec<&str> = line
            .split_whitespace()
            .filter(|word| *word != "->")
            .collect();
        (words.get(3) == Some(&"WRITE"))
            .then(|| words.get(4)?.parse().ok())
            .flatten()
    };
    text.lines().filter_map(holder).collect()
}

fn clock(stored: &Stored, findings: &mut Findings) {
    let now = Time::now();
    let Some(newest) = stored
        .newest
        .filter(|newest| newest.0 > now.0.saturating_add(CLOCK_TOLERANCE))
    else {
        return;
    };
    let command = if system::exists("/usr/bin/chronyc") {
        "chronyc makestep"
    } else if system::has_systemd() {
        "timedatectl set-ntp true"
    } else {
        "apt-get install --yes chrony && chronyc makestep"
    };
    findings.add(
        table::CLOCK_BEHIND,
        format!("the clock says {now}, and the store has seen {newest}: times of validity and evidence are wrong"),
        command,
    );
}

fn unsent(stored: &Stored, syslog_listens: bool, findings: &mut Findings) {
    let waiting = stored.waiting;
    let age = waiting
        .oldest
        .map_or(0, |oldest| Time::now().0.saturating_sub(oldest.0));
    if waiting.count == 0 || (syslog_listens && age < UNSENT_TOLERANCE) {
        return;
    }
    let rounds = waiting.count.div_ceil(SENT_AT_ONCE);
    let command = if rounds == 1 {
        "jmsctl status > /dev/null".to_owned()
    } else {
        format!("for round in $(seq {rounds}); do jmsctl status > /dev/null; done")
    };
    findings.add(
        table::SYSLOG_UNSENT,
        format!(
            "{} events wait in the store for syslog to take them",
            waiting.count
        ),
        command,
    );
}

#[cfg(test)]
mod tests {
    use super::line_of;

    #[test]
    fn the_line_of_an_error_in_the_settings_is_found() {
        let error = jms::settings::Settings::parse("[recording]\nexec_output = 1\n").unwrap_err();
        assert_eq!(line_of(&error), Some(2), "{error}");
        assert_eq!(
            line_of("session.connect_timeout must be at least 1 second"),
            None
        );
    }
}
