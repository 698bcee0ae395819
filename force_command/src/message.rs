//! Every sentence that the session program says to a person, in one table, so that a translation has one place.
//!
//! The client sees one line on standard error for each, `jms: …`. It says what happened and what to
//! do, and nothing that the person is not granted to know: what only an administrator may see is in
//! the event.
#![forbid(unsafe_code)]

pub mod factor;
pub mod help;
pub mod menu;

use crate::egress::Failure;
use crate::egress::child::{ChildError, Step};
use crate::request::{COMMAND_LIMIT, NotWords, RequestError};
use crate::start::StartError;
use crate::sys::{self, StandardNumber};
use jms::policy::access::Obstacle;
use jms::policy::{Channel, Rights};
use std::fmt;
use std::time::Duration;

/// What is said outside the errors that have a sentence of their own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Message {
    /// The login was not opened by our PAM module, or is not this one.
    NoLogin,
    /// The login name and the uid are not the same user.
    OtherName,
    /// Another ForceCommand than ours started us.
    OtherForceCommand,
    /// The user was disabled, or his time is over.
    UserNotValid,
    /// A login rule would not let the user in now; his connection is older than that.
    LoginRule,
    /// The target is not granted, or does not exist.
    NotGranted {
        /// As it was worded.
        target: String,
        /// A granted target that is spelled nearly so.
        near: Option<String>,
    },
    /// Several granted targets fit.
    Ambiguous {
        /// As it was worded.
        target: String,
        /// What fits.
        choices: Vec<String>,
    },
    /// The target is granted, this use of it is not.
    RightsMissing {
        /// `SYSTEM_USER@ASSET`.
        target: String,
        /// What was asked for.
        channel: Channel,
        /// Which rights are missing.
        missing: Rights,
    },
    /// A fresh second factor is demanded.
    FactorNeeded(String),
    /// The login has passed no second factor that counts now.
    FactorNotPassed,
    /// Too many sessions; the decision's words.
    LimitReached(String),
    /// Something of the bastion itself is out of order.
    Bastion(Trouble),
    /// The asset cannot be used by this version; why.
    Unsupported {
        /// `SYSTEM_USER@ASSET`.
        target: String,
        /// What it would take.
        what: &'static str,
    },
    /// Something is wrong with its gateways.
    NoWay {
        /// `SYSTEM_USER@ASSET`.
        target: String,
        /// What.
        obstacle: Obstacle,
    },
    /// The asset has no stored host key.
    NoHostKey(String),
    /// The asset has no stored host key, and its first one would be believed, but for a password.
    NoPasswordForStrangers(String),
    /// Somebody has to type something, and there is no terminal.
    NeedsTerminal(String),
    /// The system user has no stored key or password.
    NoCredential(String),
    /// The connection failed or broke.
    Connection {
        /// `SYSTEM_USER@ASSET`.
        target: String,
        /// The gateway where it failed; `None`: at the asset.
        gateway: Option<String>,
        /// How.
        failure: Failure,
    },
    /// The asset takes its time: its name, and the system user there.
    Connecting(String, String),
    /// Ctrl-C while connecting.
    Interrupted,
    /// The recording failed in mid-session.
    RecordingFailed,
    /// A filter does not let the command run; the sentence says which, and why.
    Filtered(String),
    /// The person said no, or nothing, to a filter's question.
    NotConfirmed,
    /// Rules apply, and what is run can no longer be watched.
    CaptureFailed,
    /// A rule, or a setting, forbids that the session goes on; the sentence.
    Forbidden(String),
    /// An administrator ended the session.
    Killed(String),
    /// The right is gone or has run out.
    Withdrawn(String),
    /// The relay got a signal.
    Signalled(&'static str),
    /// `jmsctl` was asked for by somebody whose role it is not for.
    NotAdministrator,
    /// No session of the user's own has this id.
    NoSuchSession(String),
    /// The beginning of an id fits several sessions.
    SeveralSessions(String),
    /// The settings do not let users replay.
    ReplayNotAllowed,
    /// The recording of a session cannot be shown.
    NoRecording(String),
    /// So many bytes of the output are missing in what was played.
    NotRecorded(u64),
    /// The settings know no passwords.
    PasswordsOff,
    /// Nobody can be asked for a password without a terminal.
    PasswordNeedsTerminal,
    /// The user was never given a password.
    NoPassword,
    /// The one that he was given was not used in time.
    PasswordLapsed,
    /// The old password was not right.
    WrongPassword,
    /// Too many wrong answers: which lock, and until when.
    Locked(String),
    /// The two new passwords are not the same.
    PasswordsDiffer,
    /// No new password was chosen.
    PasswordUnchanged,
    /// Somebody else was faster.
    PasswordChangedMeanwhile,
    /// A new password was chosen.
    PasswordChanged,
}

/// What of the bastion is out of order. The event says more.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Trouble {
    /// `/etc/jms/jms.toml`.
    Settings,
    /// The store.
    Store,
    /// Room for recordings, or the recording itself.
    Recording,
    /// The key that opens stored secrets.
    SecretKey,
    /// What the store holds of the asset or system user.
    Policy,
    /// A command filter.
    Filters,
    /// Files in `/run/jms`.
    Run,
    /// The kernel cannot shut the session in.
    Confinement,
    /// A system call that never fails did.
    System,
}

impl fmt::Display for Message {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoLogin => f.write_str("this login was not opened through PAM; tell your administrator"),
            Self::OtherName => f.write_str("the login name and the user id are not the same user; tell your administrator"),
            Self::OtherForceCommand => f.write_str(
                "another ForceCommand of this sshd stands before the bastion's; tell your administrator",
            ),
            Self::UserNotValid => f.write_str("you may not use the bastion now; tell your administrator"),
            Self::LoginRule => f.write_str(
                "a login rule lets you begin nothing new from here at this time; what runs goes on; ask your administrator",
            ),
            Self::NotGranted { target, near: None } => {
                write!(f, "{target} is not granted; `ls` lists what you may reach")
            }
            Self::NotGranted { target, near: Some(near) } => {
                write!(f, "{target} is not granted; did you mean {near}? `ls` lists what you may reach")
            }
            Self::Ambiguous { target, choices } => {
                write!(f, "{target} may be {}; say which", choices.join(" or "))
            }
            Self::RightsMissing { target, channel, missing } => {
                let list: Vec<&str> = missing.iter().map(|right| right.as_str()).collect();
                let rights = if list.len() == 1 { "right" } else { "rights" };
                write!(f, "{} on {target} needs the {rights} {}, which no grant gives you", spoken(*channel), list.join(" and "))
            }
            Self::FactorNeeded(target) => write!(
                f,
                "{target} needs a fresh second factor, which is asked for on a terminal; without one, pass it first: ssh -t USER@bastion mfa verify"
            ),
            Self::FactorNotPassed => factor::Factor::LoginAgain.fmt(f),
            Self::LimitReached(words) => write!(f, "{words}; end one and try again"),
            Self::Bastion(trouble) => write!(f, "{}; tell your administrator", trouble.words()),
            Self::Unsupported { target, what } => write!(f, "{target} needs {what}: not in this version"),
            Self::NoWay { target, obstacle } => write!(f, "{target}: {obstacle}; tell your administrator"),
            Self::NoHostKey(target) => write!(
                f,
                "{target}: no host key of the asset is stored, so nobody can know that it is the asset; an administrator can: jmsctl host-key scan"
            ),
            Self::NoCredential(target) => {
                write!(f, "{target}: the system user has no stored key or password; tell your administrator")
            }
            Self::NoPasswordForStrangers(target) => write!(
                f,
                "{target}: no host key of the asset is stored, and no password is given to a machine that nobody knows; an administrator can: jmsctl host-key scan"
            ),
            Self::NeedsTerminal(target) => {
                write!(f, "{target} asks for a password that you type, which needs a terminal: ssh -t")
            }
            Self::Connection { target, gateway: None, failure } => write!(f, "{target}: {failure}"),
            Self::Connection { target, gateway: Some(gateway), failure } => {
                write!(f, "{target}: its gateway {gateway}: {failure}")
            }
            Self::Connecting(asset, system_user) => write!(f, "connecting to {asset} as {system_user}…"),
            Self::Interrupted => f.write_str("interrupted while connecting"),
            Self::RecordingFailed => {
                f.write_str("the session was ended because it can no longer be recorded; tell your administrator")
            }
            Self::Filtered(sentence) => f.write_str(sentence),
            Self::NotConfirmed => f.write_str("not run"),
            Self::CaptureFailed => f.write_str(
                "the session was ended because its commands can no longer be watched; tell your administrator",
            ),
            Self::Forbidden(sentence) => write!(f, "the session was ended: {sentence}"),
            Self::Killed(reason) if reason.is_empty() => f.write_str("the session was ended by an administrator"),
            Self::Killed(reason) => write!(f, "the session was ended by an administrator: {reason}"),
            Self::Withdrawn(reason) => write!(f, "the session was ended because its right is gone: {reason}"),
            Self::Signalled(signal) => write!(f, "the session was ended by the system ({signal})"),
            Self::NotAdministrator => f.write_str("jmsctl is not allowed for you: it is for administrators and auditors of the bastion"),
            Self::NoSuchSession(id) => write!(f, "no session of yours begins with {id}; `sessions` lists them"),
            Self::SeveralSessions(id) => write!(f, "several sessions begin with {id}; give more of the id"),
            Self::ReplayNotAllowed => f.write_str("users may not replay sessions on this bastion; ask an auditor"),
            Self::PasswordsOff => f.write_str("nobody logs in to this bastion with a password"),
            Self::PasswordNeedsTerminal => f.write_str("passwd asks for passwords, which needs a terminal: ssh -t"),
            Self::NoPassword => f.write_str("you have no password here; ask your administrator for one"),
            Self::PasswordLapsed => f.write_str("the password that you were given is good no more; ask your administrator for another one"),
            Self::WrongPassword => f.write_str("that is not your password; nothing was changed"),
            Self::Locked(words) => f.write_str(words),
            Self::PasswordsDiffer => f.write_str("the two are not the same"),
            Self::PasswordUnchanged => f.write_str("the password was not changed"),
            Self::PasswordChangedMeanwhile => f.write_str("your password was changed meanwhile; nothing was changed now"),
            Self::PasswordChanged => f.write_str("the password was changed"),
            Self::NotRecorded(bytes) => write!(f, "{bytes} bytes of the output were not recorded"),
            Self::NoRecording(id) => write!(f, "the recording of {id} cannot be shown; tell your administrator"),
        }
    }
}

impl Message {
    /// A stable word for the end of a session that could not begin.
    #[must_use]
    pub fn word(&self) -> &'static str {
        match self {
            Self::Bastion(trouble) => trouble.word(),
            Self::Unsupported { .. } => "unsupported",
            Self::NoHostKey(_) | Self::NoPasswordForStrangers(_) => "no-host-key",
            Self::NeedsTerminal(_) => "needs-terminal",
            Self::NoCredential(_) => "no-credential",
            Self::Filtered(_) | Self::NotConfirmed => "filtered",
            Self::Connection { failure, .. } => failure.word(),
            _ => "refused",
        }
    }
}

impl Trouble {
    /// A stable word for events.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Settings => "settings",
            Self::Store => "store",
            Self::Recording => "recording",
            Self::SecretKey => "secret-key",
            Self::Policy => "policy",
            Self::Filters => "filters",
            Self::Run => "run",
            Self::Confinement => "confinement",
            Self::System => "system",
        }
    }

    fn words(self) -> &'static str {
        match self {
            Self::Settings => "the bastion's settings cannot be read",
            Self::Store => "the bastion cannot read or write its store",
            Self::Recording => "the session cannot be recorded, so it cannot be opened",
            Self::SecretKey => "the bastion cannot open its stored keys",
            Self::Policy => "what the bastion knows of this target makes no sense",
            Self::Filters => "the bastion cannot read a command filter that applies here",
            Self::Run => "the bastion cannot prepare the connection",
            Self::Confinement => "the bastion cannot shut the session in",
            Self::System => "the system refuses what a session needs",
        }
    }
}

/// A channel in a sentence.
fn spoken(channel: Channel) -> &'static str {
    match channel {
        Channel::Shell => "a shell",
        Channel::Exec => "a command",
        Channel::Sftp => "sftp",
        Channel::ScpUpload | Channel::ScpDownload => "scp",
        Channel::Rsync => "rsync",
        Channel::GitPush => "git push",
        Channel::GitFetch => "git fetch",
        Channel::Tunnel => "a tunnel",
    }
}

/// How long a sentence waits for a client that does not read.
const PATIENCE: Duration = Duration::from_millis(200);

/// Says a sentence on standard error. A client that does not read must not stop us.
pub fn say(sentence: impl fmt::Display) {
    write(&format!("jms: {sentence}\n"));
}

/// The same on a terminal that is raw: the next line begins where lines begin.
pub fn say_while_raw(sentence: impl fmt::Display) {
    write(&format!("jms: {sentence}\r\n"));
}

fn write(text: &str) {
    let errors = sys::standard(StandardNumber::Error);
    // Nobody is left to be told that it did not arrive.
    let _ = sys::write_within(errors, text.as_bytes(), PATIENCE);
}

impl fmt::Display for StartError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotServiceUser => f.write_str(
                "the session program does not run as its service user (a file system mounted nosuid, NoNewPrivileges, or a lost set-uid bit); tell your administrator",
            ),
            Self::WrongIdentity => {
                f.write_str("the session program is installed with the wrong owner or mode; tell your administrator")
            }
            Self::NotVirtualUser(uid) => {
                write!(f, "this is the session program of the bastion's users, and uid {uid} is none of them")
            }
            Self::UidRange(error) => write!(f, "{error}; tell your administrator"),
            Self::System(what, error) => write!(f, "cannot {what}: {error}; tell your administrator"),
        }
    }
}

impl fmt::Display for RequestError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Nowhere => f.write_str(
                "say where to: ssh USER@SYSTEM_USER@ASSET@bastion, or a command that begins with SYSTEM_USER@ASSET; `ls` lists what you may reach",
            ),
            Self::TransferNowhere(channel) => write!(
                f,
                "say where to: {} needs the target in the login name, USER@SYSTEM_USER@ASSET@bastion; `ls` lists what you may reach",
                spoken(*channel)
            ),
            Self::CopyId => f.write_str(
                "there is no shell on the bastion itself, so ssh-copy-id cannot put a key there; your administrator can: jmsctl key add",
            ),
            Self::BadTarget(text) => write!(
                f,
                "“{}” is not a target: SYSTEM_USER@ASSET or ASSET is; `ls` lists what you may reach",
                text.escape_debug()
            ),
            Self::NotInThisVersion(word) => write!(f, "{word}: not in this version"),
            Self::Usage(word) => write!(f, "usage: {}", help::usage(word)),
            Self::NotWords(NotWords::Open) => f.write_str(
                "a quote, or a backslash at the end, is never closed; quote once for your own shell and once for jmsctl, as in ssh … \"jmsctl user set bob --full-name 'Bob Martin'\"",
            ),
            Self::NotWords(NotWords::Shell(character)) => write!(
                f,
                "jmsctl runs here without a shell, which “{}” is for; put it in quotes if it is part of a word",
                character.escape_debug()
            ),
            Self::TooLong(length) => {
                write!(f, "the command has {length} bytes; at most {COMMAND_LIMIT} can be passed on")
            }
        }
    }
}

impl fmt::Display for ChildError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let what = match self.step {
            Step::Pipes => "make pipes for it",
            Step::Terminal => "make a terminal for it",
            Step::Fork => "make a process for it",
            Step::Session => "give it a session of its own",
            Step::Descriptors => "give it its descriptors",
            Step::Identity => "give up the service user in it",
            Step::Confinement => "confine it",
            Step::Execute => "run its program",
        };
        write!(
            f,
            "the connection to the asset cannot be started: cannot {what} ({})",
            self.errno.desc()
        )
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::UnknownName => "its address is a name that cannot be resolved; tell your administrator",
            Self::Unreachable => "it cannot be reached from the bastion (no route, or a firewall)",
            Self::PortClosed => "it refuses connections on its port; is its ssh server running?",
            Self::NoNameService => "its address is a name, and the bastion's name service does not answer; tell your administrator",
            Self::Silent => "it does not answer",
            Self::Mute => "it lets us connect and then says nothing; is that its ssh server?",
            Self::Stalled => "it began to answer and then stopped, before the login",
            Self::NotSsh => "what answers there does not speak ssh as it should; tell your administrator (is the port right?)",
            Self::NoWayThrough => "it lets us in and does not lead further (AllowTcpForwarding); tell your administrator",
            Self::HungUp => "it closed the connection before the login",
            Self::HostKeyChanged => {
                "its host key is not the one that is stored; nothing was sent. Tell your administrator: jmsctl host-key scan shows the new key"
            }
            Self::HostKeyUnproved => "it did not prove its host key, so it cannot be stored; an administrator can: jmsctl host-key scan",
            Self::NoCommonAlgorithm => "it and the bastion have no algorithm in common; tell your administrator",
            Self::OldAlgorithms => {
                "it speaks only old algorithms, which the bastion does not unless it is told to; an administrator can: jmsctl asset set … --algorithms legacy"
            }
            Self::NoStoredKeyType => {
                "it has no host key of a type that is stored; tell your administrator: jmsctl host-key scan shows the keys that it has"
            }
            Self::LoginRefused => "it refuses the login of this account; tell your administrator (is its key there?)",
            Self::PasswordWithheld => "no password was given to it: the bastion's settings demand a proof of its host key before, which it gives only if it offers logins by key too; tell your administrator",
            Self::PasswordRefused => "it refuses the stored password of this account; tell your administrator",
            Self::TypedRefused => "it refuses what you typed",
            Self::NoPasswordLogin => "it lets nobody in by a password, or asks for something that is not stored; tell your administrator",
            Self::NotTyped => "it asks for a password, and none was typed in time",
            Self::NoSftp => "it has no sftp; try scp -O, or tell your administrator",
            Self::ChannelRefused => "it let us in and then refused to run anything",
            Self::Lost => "the connection to it was lost",
            Self::Other => "the connection to it failed; tell your administrator",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_granted_says_nothing_more() {
        let sentence = Message::NotGranted {
            target: "dev@web9".into(),
            near: None,
        }
        .to_string();
        assert_eq!(
            sentence,
            "dev@web9 is not granted; `ls` lists what you may reach"
        );
    }

    #[test]
    fn the_missing_rights_are_named() {
        let message = Message::RightsMissing {
            target: "dev@web1".into(),
            channel: Channel::Sftp,
            missing: Rights::parse("upload,download").unwrap(),
        };
        assert_eq!(
            message.to_string(),
            "sftp on dev@web1 needs the rights upload and download, which no grant gives you"
        );
    }
}
