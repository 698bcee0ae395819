//! The settings, each declared once: `/// what it does`, name, type, default, and where it matters `least`, `most`, `unit`,
//! `example`. After a change: `make generated` writes the shipped file anew.
#![forbid(unsafe_code)]

use super::describe::{Described, Section, Setting, settings};
use super::{Format, HiddenInput, HostKeyPolicy, OutputLimit};
use serde::{Deserialize, Serialize};

settings! {
    /// Logins to the bastion. Each connection is one, however many sessions share it.
    login: Login {
        /// Who has not logged in for so many days stays out until an administrator lets him in again (`jmsctl user enable`);
        /// 0: no such limit.
        inactivity_days: u32 = 0, unit "days";
        /// Logins of one user at the same time; 0: no limit. One more is refused with a sentence.
        limit_user: u32 = 0, unit "logins";
    }

    /// What sessions are shut in with: seccomp and Landlock.
    confinement: Confinement {
        /// Whether sessions are refused where the kernel has no Landlock. If not, they go on without that part, and each
        /// of them is an event.
        require_landlock: bool = false;
        /// Whether a client program may have a login signed without saying for which connection, as OpenSSH before 8.9
        /// does. If so, an asset that took it over could use the connection to log in at another asset.
        allow_unbound_agent: bool = false;
        /// Whether a password is given only once the client program has proved for which connection. Newer ones (Debian
        /// 13's) do so only where the asset offers logins by key as well; where not, their own check of the asset's host
        /// key has to do.
        require_bound_password: bool = false;
    }

    /// Wrong answers to questions for passwords, one-time passwords and recovery codes, and when nobody is asked any
    /// more. Answers after a proven key and answers without one are counted apart.
    lockout: Lockout {
        /// So many wrong answers for one user from one network lock that user there; 0: never.
        failures: u32 = 5, unit "answers";
        /// …if they come within so many seconds of the first of them.
        window: u32 = 600, least 1, unit "seconds";
        /// For so many seconds. While locked, nothing is counted and nothing prolongs the lock.
        lock: u32 = 900, least 1, unit "seconds";
        /// So many wrong answers for one user from everywhere lock that user everywhere; 0: never. Those without a
        /// key do not lock somebody who proves his key.
        user_failures: u32 = 30, unit "answers";
        /// …if they come within so many seconds of the first of them.
        user_window: u32 = 86_400, least 1, unit "seconds";
        /// For so many seconds.
        user_lock: u32 = 14_400, least 1, unit "seconds";
        /// So many wrong answers without a key from one network, for all users together, lock that network for
        /// everybody without a key; 0: never.
        source_failures: u32 = 50, unit "answers";
        /// …if they come within so many seconds of the first of them.
        source_window: u32 = 3600, least 1, unit "seconds";
        /// For so many seconds.
        source_lock: u32 = 3600, least 1, unit "seconds";
        /// How many bits of an IPv4 address are its network: 32 is the address alone.
        ipv4_prefix: u16 = 32, unit "bits";
        /// The same for IPv6, where one person has a network of 64 bits to choose from.
        ipv6_prefix: u16 = 64, unit "bits";
    }

    /// Passwords of users, for those who cannot always use a key. Only who was given one has one (`jmsctl user
    /// password-reset`), and sshd must be told to ask for them: `/usr/share/jms/passwords.conf`.
    password: Password {
        /// Whether a password lets users in.
        enabled: bool = false;
        /// A new one has at least so many characters.
        minimum_length: u32 = 12, least 1, unit "characters";
        /// …of at least so many of four classes: small letters, capital letters, digits, anything else.
        minimum_classes: u32 = 1, least 1, unit "classes";
        /// …and is none of the last so many.
        history: u32 = 5, unit "passwords";
        /// So many hours the one is good that `jmsctl user password-reset` gives, with which its user chooses another; 0: until
        /// he has done so.
        initial_hours: u32 = 72, unit "hours";
        /// Days after which another one must be chosen at the next login; 0: never.
        expires_after: u32 = 0, unit "days";
        /// A file of leaked passwords, none of which is taken: one a line, as text or as SHA-1 in hexadecimal digits. It
        /// must be readable for the user `jms` and have at most 256 MiB; while it does not, no new password is taken. Empty:
        /// none.
        leaked_list: String = String::new();
        /// Memory that checking one takes (argon2id), in KiB: 8192 to 131072. Eight are checked at once at
        /// most, and four more of users who have proved a key. With `passes` and two more than `history` multiplied, at most
        /// 1048576: so long a user waits whose new password is compared with all the old ones.
        memory: u32 = 19_456, least 8_192, unit "KiB";
        /// How often it is gone through: 1 to 10.
        passes: u32 = 2, least 1, unit "passes";
    }

    /// Second factors.
    mfa: Mfa {
        /// So many seconds after a user has passed a second factor, it counts for further logins with the same key from
        /// the same address, so that programs without a terminal work; 0: for none. At most a day.
        remember: u32 = 900, unit "seconds";
        /// So many hours the code is good that `jmsctl user mfa-reset` prints, with which a user enrols a new one.
        enrolment_code_hours: u32 = 24, least 1, unit "hours";
    }

    /// What is recorded, and who may see it.
    recording: Recording {
        /// Of the output of a command without a terminal, so many bytes are recorded, and behind them 16 KiB a second: what a
        /// person can read, in a shell that is started as a command (`ssh … bash -i`), and not what streams. 0: none, at no
        /// time; `"all"`: all of it, at the price of a slower stream and a large recording where somebody fetches an image or a
        /// dump that way. When the limit is reached is an event (`recording.limit`); what is left out is marked in the
        /// recording, and counted in the session's row. Whatever has a terminal here is recorded whole, the bytes of file
        /// transfers never. The command, its exit status and how many bytes went either way are kept in any case.
        exec_output_bytes: OutputLimit = OutputLimit::Bytes(16 * 1024 * 1024), unit "bytes";
        /// No session begins with less room than this for recordings, in MiB.
        minimum_free_mib: u64 = 64, unit "MiB";
        /// Whether users may replay their own sessions: `ssh USER@bastion session replay ID`.
        users_may_replay: bool = false;
    }

    /// Connections to assets, and how many there may be.
    session: Session {
        /// Seconds until a connection to an asset is given up.
        connect_timeout: u32 = 15, least 1, unit "seconds";
        /// Seconds between questions to a silent asset; 0: never asked. For clients, sshd's drop-in says the same.
        alive_interval: u32 = 15, unit "seconds";
        /// How many questions may stay unanswered: a dead asset is noticed after `alive_interval` * (`alive_count_max` + 1)
        /// seconds, which is one minute.
        alive_count_max: u32 = 3, unit "questions";
        /// What happens when no host key of an asset is stored: `asset` (what its own `--host-key-policy` says), `refuse`,
        /// or `pin` (the first one that it proves is stored after the login). A password is never given to an asset
        /// without one.
        host_key_policy: HostKeyPolicy = HostKeyPolicy::Asset;
        /// Live sessions of one login; 0: no limit. sshd's `MaxSessions`, 10 in our drop-in, counts them too. One more
        /// than any limit is refused with a sentence and status 75.
        limit_login: u32 = 20, unit "sessions";
        /// Live sessions of one user; 0: no limit. An Ansible run has as many as it has forks.
        limit_user: u32 = 100, unit "sessions";
        /// Live sessions to one asset, unless it has a limit of its own; 0: no limit.
        limit_asset: u32 = 200, unit "sessions";
        /// Live sessions of the bastion; 0: no limit.
        limit_bastion: u32 = 1000, unit "sessions";
    }

    /// Connections to assets that stay for the next session of the same user as the same system user.
    egress: Egress {
        /// So many seconds a connection to an asset stays when its last session has ended, so that the next one need not
        /// log in there again; 0: it ends with its session. At most an hour. What changes in the policy meanwhile ends it
        /// at once.
        warm_seconds: u32 = 60, unit "seconds";
        /// Connections of one user that may stay, 1 to 60; the oldest one without a session goes first. Of more that are made at
        /// once the kernel would not let their clients be given what they need.
        warm_per_user: u32 = 10, least 1, most 60, unit "connections";
        /// The same for all users together, 1 to 1000. Each is two processes.
        warm_in_all: u32 = 200, least 1, most 1000, unit "connections";
    }

    /// How command filters and the capture of commands treat what is typed at a terminal.
    filter: Filter {
        /// What happens, where filters apply, to a line that was typed without echo while a shell seems to read: `allow` (it
        /// goes on; an event says that there was one), `deny` (it is not sent) or `end` (the session ends). What it was is
        /// never kept. Passwords that other programs ask for are not meant.
        hidden_input: HiddenInput = HiddenInput::Allow;
        /// Milliseconds for which the return key is held at most, where filters apply, while the asset has not shown yet what
        /// was typed before it.
        hold: u32 = 300, least 50, unit "milliseconds";
        /// Seconds for which a question whether a command is to run waits for its answer; then it is not run.
        answer_timeout: u32 = 60, least 5, unit "seconds";
        /// So many lines of one terminal are kept one by one, at once and in each hour; of those beyond, how many they were
        /// (an event says so, and the recording has them). What is denied, and what a rule warns of or asks about, is always
        /// kept.
        lines_per_hour: u32 = 10_000, least 100, unit "lines";
        /// So many MiB are kept of the lines of one script on standard input that filters allow; of what comes behind, how much
        /// it was. What is denied, and what a rule warns of, is always kept.
        script_kept_mib: u32 = 4, unit "MiB";
    }

    /// What syslog is told.
    syslog: Syslog {
        /// How events are written: `key-value` (name="value" …) or `json`.
        format: Format = Format::KeyValue;
    }

    /// How users reach the bastion.
    bastion: Bastion {
        /// The name or address that `ssh-config` tells users' own ssh; empty: where the client came in.
        address: String = String::new();
        /// The port that it tells them; 0: where the client came in.
        port: u16 = 0;
    }

    /// What users read. Lines are parted by `\n`.
    menu: Menu {
        /// Shown above the menu.
        banner: String = String::new();
        /// Shown below the help.
        help: String = String::new();
        /// A page to read, shown with the help.
        link: String = String::new();
    }
}
