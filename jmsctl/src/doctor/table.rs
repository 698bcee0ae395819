//! The table of everything that doctor can find. The documentation and the tests are held against it.
#![forbid(unsafe_code)]

use super::finding::{Kind, Severity};

macro_rules! kinds {
    ($($name:ident $id:literal $severity:ident $meaning:literal)+) => {
        $(#[doc = $meaning] pub const $name: &Kind = &Kind { id: $id, severity: Severity::$severity, meaning: $meaning };)+

        /// Every row, in the order of the documentation.
        #[cfg(test)]
        pub const ALL: &[&Kind] = &[$($name,)+];
    };
}

kinds! {
    SSHD_CONFIGURATION "sshd.configuration" Critical
        "sshd does not accept its configuration: the next reload or restart fails."
    SSHD_DROP_IN "sshd.drop-in" Critical
        "The package's drop-in `00-jms.conf` is missing, or sshd does not read it: it treats users of the bastion like anybody."
    SSHD_AUTHORIZED_KEYS "sshd.authorized-keys" Critical
        "For users of the bastion sshd does not take keys from our lookup alone."
    SSHD_AUTHENTICATION "sshd.authentication" Critical
        "For users of the bastion sshd accepts other methods than those that the drop-in asks for."
    SSHD_FORCE_COMMAND "sshd.force-command" Critical
        "For users of the bastion sshd does not start our session program, or not as it must be started."
    SSHD_FORWARDING "sshd.forwarding" Critical
        "For users of the bastion sshd itself forwards ports, agents, sockets or displays."
    SSHD_ACCESS_LIST "sshd.access-list" Critical
        "AllowUsers, AllowGroups, DenyUsers or DenyGroups keep users of the bastion out."
    SSHD_LOCAL_ACCOUNTS "sshd.local-accounts" Critical
        "What is meant for users of the bastion applies to root or to unknown names as well."
    SSHD_SERVICE_ACCOUNTS "sshd.service-accounts" Critical
        "Somebody could log in as one of the service's own accounts, jms and jms-keys."
    SSHD_USE_PAM "sshd.use-pam" Critical
        "sshd runs without PAM, so every session of a user of the bastion is refused."
    SSHD_ENVIRONMENT "sshd.environment" Warning
        "Users of the bastion can set environment variables, or start files of their own, in sshd."
    SSHD_CLIENT_ALIVE "sshd.client-alive" Warning
        "sshd does not notice that a client is gone, so sessions stay open behind it."
    SSHD_STRICT_MODES "sshd.strict-modes" Warning
        "sshd does not look at owners and modes before it believes key files."
    SSHD_SUBSYSTEM "sshd.subsystem" Warning
        "sshd has no subsystem sftp (sftp and scp fail), or serves it itself wherever our ForceCommand does not hold."
    SSHD_MAX_STARTUPS "sshd.max-startups" Warning
        "sshd takes fewer connections at once than its own default: one stranger can keep everybody out."
    SSHD_PENALTIES "sshd.penalties" Warning
        "sshd punishes an address for so long that one stranger behind it keeps everybody there out."

    PAM_LINE "pam.line" Critical
        "A phase of sshd's PAM stack has no line of ours, so sessions of users of the bastion are refused."
    PAM_ORDER "pam.order" Critical
        "Our PAM line comes after a line that has decided, or done its work for users of the bastion, already."
    PAM_CONTROL "pam.control" Critical
        "Our PAM line has other control flags than the package's: a broken module could lock everybody out, or let go on whom it refuses; or a wrong password of another module goes on."
    PAM_MODULE "pam.module" Critical
        "The PAM module is missing where libpam looks for it."

    NSSWITCH_PASSWD "nsswitch.passwd" Critical
        "The name service does not ask us for users, or asks us before the host's own files."
    NSSWITCH_ACTION "nsswitch.action" Critical
        "An action in the passwd line of nsswitch.conf ends look-ups before we are asked."
    NSSWITCH_OTHER "nsswitch.other" Critical
        "We stand in a line of nsswitch.conf that is not ours: a fault of ours would break local logins."
    NSSWITCH_HANGS "nsswitch.hangs" Critical
        "Something that is no file stands where the name service reads: whoever looks up a name waits for ever. Nothing else is judged then."
    NSSWITCH_MODULE "nsswitch.module" Critical
        "The name service module is missing where libc looks for it."

    FILES_MISSING "files.missing" Error
        "A file or folder of the bastion is missing."
    FILES_TYPE "files.type" Critical
        "Something else stands in the place of a file or folder of the bastion: a link, a FIFO, a device."
    FILES_OWNER "files.owner" Critical
        "A file or folder of the bastion belongs to somebody else."
    FILES_MODE "files.mode" Critical
        "A file or folder of the bastion has other permissions than it must."
    PROGRAMS_CHANGED "programs.changed" Critical
        "A program or module of the bastion is not the one that the package brought."
    PROGRAMS_SET_UID "programs.set-uid" Critical
        "The session program has lost its set-uid bit or its owner, so every session is refused."
    PROGRAMS_NOSUID "programs.nosuid" Critical
        "The session program lies on a file system mounted nosuid, so every session is refused."
    RUN_FOLDERS "run.folders" Critical
        "The folders of live sessions below /run/jms are missing, so every session is refused."

    ACCOUNTS_SERVICE "accounts.service" Critical
        "An account or group of the service is missing, or can do more than it should."

    PLATFORM_OPENSSH "platform.openssh" Critical
        "OpenSSH is missing, or older than 9.2."
    PLATFORM_LANDLOCK "platform.landlock" Warning
        "The kernel has no Landlock, or was started without it: sessions are shut in by seccomp and their uid alone, or refused."
    PLATFORM_SECCOMP "platform.seccomp" Critical
        "The kernel has no filters of system calls with a listener (seccomp), so every session is refused."
    PLATFORM_NO_NEW_PRIVILEGES "platform.no-new-privileges" Critical
        "sshd runs, or will run, with NoNewPrivileges: the session program cannot become the service user."
    PLATFORM_HIDEPID "platform.hidepid" Critical
        "/proc is mounted with hidepid, so the session program cannot see its own sshd and refuses every session."

    NSCD_CACHING "neighbours.nscd" Warning
        "nscd keeps answers about users: changes of the bastion's users reach sshd late."
    SYSLOG_SILENT "syslog.silent" Error
        "Nobody listens at /dev/log: events wait in the store."
    SYSLOG_STOPPED "syslog.stopped" Critical
        "The log daemon was stopped in its tracks: once its socket is full, sshd, sudo and cron wait for it, and nobody gets in."
    SYSLOG_UNSENT "syslog.unsent" Warning
        "Events wait in the store because syslog has not taken them."
    RSYSLOG_RATE_LIMIT "syslog.rsyslog-rate-limit" Warning
        "rsyslog drops lines when many come at once, and with them events."
    JOURNALD_RATE_LIMIT "syslog.journald-rate-limit" Warning
        "journald drops lines earlier than its default does, and with them events."

    SETTINGS_WRONG "settings.wrong" Critical
        "The settings cannot be read or are not understood, so every session is refused."
    SECRET_KEY "secret-key.missing" Critical
        "The key to stored secrets is missing, cut, or not the one that they were sealed with."
    SECRET_KEY_BACKUP "secret-key.backup" Warning
        "Nobody has shown that a copy of the key to stored secrets lies elsewhere."

    STORE_MISSING "store.missing" Critical
        "There is no store, or an empty one."
    STORE_DAMAGED "store.damaged" Critical
        "The store is damaged, or no store."
    STORE_NEWER "store.newer" Critical
        "The store was written by a newer version of the bastion."
    STORE_BUSY "store.busy" Critical
        "Another process has held the store's write lock for more than two seconds."
    STORE_READ_ONLY "store.read-only" Critical
        "The store cannot be written."
    SNAPSHOT_UNREADABLE "snapshot.unreadable" Critical
        "A snapshot for sshd is missing, cut, damaged or no file."
    SNAPSHOT_OLD "snapshot.old" Error
        "The snapshots for sshd are not those of the store: changes have not reached it."

    NAMES_LOCAL "names.local" Error
        "A user of the bastion has the name of a local account, and ssh reaches that one."
    NAMES_MEMBER "names.member" Error
        "A group of the host lists a user of the bastion as a member, so the name service keeps the name from us."
    NAMES_UID_LOCAL "names.uid-local" Error
        "A local account has a uid of the range of the bastion's users."
    NAMES_UID_RESERVED "names.uid-reserved" Warning
        "The host may give uids of the bastion's range to others."
    NAMES_UID_RANGE "names.uid-range" Critical
        "/etc/jms/uid-range is missing or wrong, or does not hold the uids that users have."
    NAMES_UNKNOWN "names.unknown" Critical
        "The name service does not know a user of the bastion, although the store and the snapshot do."

    CLOCK_BEHIND "clock.behind" Error
        "The clock is behind what the store has seen already."
    DISK_SPACE "disk.space" Critical
        "There is little room left where recordings are kept."
    DISK_INODES "disk.inodes" Critical
        "Few files can still be made where recordings are kept."

    ADMINISTRATORS_FEW "administrators.few" Warning
        "Fewer than two administrators can log in."
    ADMINISTRATORS_OWN_AUDITOR "administrators.own-auditor" Warning
        "An administrator is an auditor under another name: same login key, or same mail address."
    ADMINISTRATORS_LOCAL "administrators.local" Error
        "No local account could log in over ssh and become root if the bastion broke."
    ADMINISTRATORS_UNTRIED "administrators.untried" Warning
        "Nobody has shown in the last year that a local account gets in over ssh and becomes root."

    PROFILE_METHODS "profile.methods" Warning
        "A stranger can tell the names of users from unknown names by the methods that sshd offers."
    PROFILE_ROOT_PASSWORD "profile.root-password" Warning
        "Root can log in over ssh with a password."
    PROFILE_AUDITOR "profile.auditor" Warning
        "Nobody but administrators can look at what administrators do."
}

#[cfg(test)]
mod tests {
    use super::ALL;
    use std::collections::BTreeSet;

    /// The part of `docs/doctor.md` that this table makes.
    fn documentation() -> String {
        let mut text = String::from("| id | severity | what it says |\n| --- | --- | --- |\n");
        for kind in ALL {
            text.push_str(&format!(
                "| `{}` | {} | {} |\n",
                kind.id,
                kind.severity.as_str(),
                kind.meaning
            ));
        }
        text
    }

    #[test]
    fn every_id_is_given_once_and_says_where_it_belongs() {
        let ids: BTreeSet<&str> = ALL.iter().map(|kind| kind.id).collect();
        assert_eq!(ids.len(), ALL.len());
        for id in ids {
            let plain = |c: char| c.is_ascii_lowercase() || c == '-' || c == '.';
            assert!(
                id.matches('.').count() == 1 && id.chars().all(plain),
                "{id}"
            );
        }
    }

    /// With JMS_WRITE_DOCS set, the table in the documentation is written anew.
    #[test]
    fn the_documentation_has_the_whole_table() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/doctor.md");
        let shown = std::fs::read_to_string(path).unwrap();
        let begin = shown.find("| id |").unwrap();
        let end = begin
            + shown[begin..]
                .find("\n\n")
                .map_or(shown[begin..].len(), |at| at + 1);
        if std::env::var_os("JMS_WRITE_DOCS").is_some() {
            let text = format!("{}{}{}", &shown[..begin], documentation(), &shown[end..]);
            std::fs::write(path, text).unwrap();
        } else {
            assert_eq!(&shown[begin..end], documentation());
        }
    }
}
