//! What can happen, and how loud it is.

/// Severity of a line, as syslog counts it (RFC 5424, table 2). `Emergency` is the kernel's and
/// `Debug` belongs in no audit trail, so neither exists here.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Severity {
    /// Somebody must act now: a safeguard was missing or was walked around.
    Alert,
    /// A part of the bastion is out of order for everybody.
    Critical,
    /// Something failed that should work.
    Error,
    /// A refusal, or something odd.
    Warning,
    /// Normal, but worth knowing: policy changed, evidence was read.
    Notice,
    /// Normal.
    Info,
}

impl Severity {
    /// All severities, the loudest first.
    pub const ALL: [Severity; 6] = [
        Severity::Alert,
        Severity::Critical,
        Severity::Error,
        Severity::Warning,
        Severity::Notice,
        Severity::Info,
    ];

    /// The word in the field `severity`.
    pub fn as_str(self) -> &'static str {
        match self {
            Severity::Alert => "alert",
            Severity::Critical => "critical",
            Severity::Error => "error",
            Severity::Warning => "warning",
            Severity::Notice => "notice",
            Severity::Info => "info",
        }
    }

    /// The severity of that word.
    pub fn from_name(name: &str) -> Option<Severity> {
        Self::ALL.into_iter().find(|one| one.as_str() == name)
    }
}

impl std::fmt::Display for Severity {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}

/// One row of the table makes a variant, its name on the wire, its severity and its description.
macro_rules! types {
    ($($variant:ident $name:literal $severity:ident $description:literal)+) => {
        /// What happened. The dotted names are a promise to people's alert rules: types are
        /// added, never renamed.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Type {
            $(#[doc = $description] $variant,)+
        }

        impl Type {
            /// All types, in the order of the documentation.
            pub const ALL: &'static [Type] = &[$(Type::$variant,)+];

            /// The dotted name in the field `type`.
            pub fn as_str(self) -> &'static str {
                match self { $(Type::$variant => $name,)+ }
            }

            /// The severity that an event of this type has unless told otherwise.
            pub fn severity(self) -> Severity {
                match self { $(Type::$variant => Severity::$severity,)+ }
            }

            /// One sentence for people, shown by `jmsctl event schema`.
            pub fn description(self) -> &'static str {
                match self { $(Type::$variant => $description,)+ }
            }
        }
    };
}

types! {
    KeyAccepted "key.accepted" Info
        "A login key that the user offered is known and was handed to sshd; sshd still has to see the proof."
    KeyRefused "key.refused" Notice
        "A login key that the user offered is unknown, expired or not allowed."
    LoginOpen "login.open" Info
        "A user has logged in to the bastion."
    LoginClose "login.close" Info
        "A login has ended, and all of its sessions with it."
    LoginRefused "login.refused" Warning
        "A user who proved who he is may not log in: disabled, not valid now, not through this service."
    LoginLocked "login.locked" Warning
        "Too many wrong answers: until the lock ends, a user, a network or a user from a network is not asked."
    LoginUnlocked "login.unlocked" Notice
        "An administrator took a lock away; wrong answers count from none again."
    LoginNotify "login.notify" Warning
        "A user has logged in, and a login rule asks for somebody to be told; `rule` says which."
    FactorPassed "factor.passed" Info
        "A user has passed the second factor, or was remembered to have passed it a short while ago."
    FactorRefused "factor.refused" Warning
        "A code was asked for and what was typed was none, was used before, or could not be written down."
    FactorChange "factor.change" Notice
        "A second factor was enrolled, renewed or reset, recovery codes were made, or what was remembered was forgotten."
    PasswordRefused "password.refused" Notice
        "A password that somebody gave for a user is wrong, or was not looked at because of a lock."
    PasswordChange "password.change" Notice
        "A user has chosen a new password, or an administrator gave him one or took it away."
    SessionOpen "session.open" Info
        "A session to an asset has begun and its recording is open."
    SessionClose "session.close" Info
        "A session to an asset has ended."
    SessionRefused "session.refused" Warning
        "A session to an asset was not granted, or the bastion could not open it."
    SessionUnconfined "session.unconfined" Warning
        "A session's client program and relay are shut in without Landlock, which the kernel does not have."
    SessionUnhooked "session.unhooked" Warning
        "The shell of a session was to announce its commands (`--shell-hooks yes`) and does not, or does so no more."
    ConnectionKept "connection.kept" Info
        "A connection to an asset stays for the next session of the same user; `connection` is its id."
    ConnectionUsed "connection.used" Info
        "A session goes over a connection that was kept; `connection` is its id."
    ConnectionEnded "connection.ended" Info
        "A connection that was kept for a next session has ended, and why."
    SessionLost "session.lost" Error
        "A session ended without saying so (killed, power cut); found and closed by whoever looked next."
    RequestRefused "request.refused" Warning
        "What the client asked for is no request that the bastion knows, or its user may not ask it."
    PolicyChange "policy.change" Notice
        "An administrator changed users, assets, grants or settings; `before` and `after` say what."
    CommandDenied "command.denied" Warning
        "A filter did not let a command run; `filter` and `rule` say which."
    CommandWarned "command.warned" Alert
        "A command ran of which a filter warns; `filter` and `rule` say which."
    CommandConfirmed "command.confirmed" Notice
        "A command ran after its user said yes to a filter's question."
    FilterProblem "filter.problem" Critical
        "A command filter cannot be read; the sessions that it applies to are refused, or end."
    CommandHidden "command.hidden" Notice
        "A line was typed without echo while a shell seemed to read it: what it was is known to nobody."
    CommandMany "command.many" Warning
        "More lines come from a terminal than are kept one by one: those beyond are counted, in a row; the recording has them."
    CommandEnded "command.ended" Warning
        "A session was ended over a command: a denied line could not be taken back, or a setting forbids what was typed."
    CaptureProblem "capture.problem" Critical
        "The watch over a session's commands broke; with filters the session was ended, without it went on, recorded."
    EvidenceRead "evidence.read" Notice
        "Somebody looked at a recording, a command or a transfer of somebody."
    RecordingProblem "recording.problem" Critical
        "A recording could not be made, extended or closed; the session was refused or ended."
    RecordingLimit "recording.limit" Notice
        "The limit on a command's recorded output was reached: of what follows, only some KiB a second are recorded."
    StoreProblem "store.problem" Critical
        "The store cannot be read or written."
    SnapshotProblem "snapshot.problem" Error
        "A snapshot of names or keys cannot be published or read."
    SettingsProblem "settings.problem" Error
        "A settings file cannot be read, or says something that is not understood."
    HelperProblem "helper.problem" Error
        "The PAM helper failed or could not be understood; virtual users are refused meanwhile."
    Alert "alert" Alert
        "A safeguard was missing or walked around: look at once."
}

impl Type {
    /// The type of that dotted name.
    pub fn from_name(name: &str) -> Option<Type> {
        Self::ALL.iter().copied().find(|one| one.as_str() == name)
    }
}

impl std::fmt::Display for Type {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_lead_back_to_their_types() {
        for kind in Type::ALL {
            assert_eq!(Type::from_name(kind.as_str()), Some(*kind));
            assert!(
                kind.as_str()
                    .chars()
                    .all(|c| c.is_ascii_lowercase() || c == '.')
            );
            assert!(kind.description().ends_with('.'));
        }
        for severity in Severity::ALL {
            assert_eq!(Severity::from_name(severity.as_str()), Some(severity));
        }
        assert_eq!(Type::from_name("LOGIN.OPEN"), None);
        assert_eq!(Severity::from_name(""), None);
    }

    #[test]
    fn loud_things_are_loud() {
        assert_eq!(Type::Alert.severity(), Severity::Alert);
        assert_eq!(Type::LoginOpen.severity(), Severity::Info);
        assert!(Severity::Alert < Severity::Info, "the loudest sorts first");
    }
}
