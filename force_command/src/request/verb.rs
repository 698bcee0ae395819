//! The bastion's own words (`ssh alice@bastion ls`).

use super::RequestError;
use jms::id::is_prefix;
use jms::names::AssetGroupPath;

/// Sessions that `sessions` lists unless told otherwise.
const SESSIONS: u32 = 20;
/// Lines that `commands` lists unless told otherwise.
const COMMANDS: u32 = 20;
/// The shortest beginning of an id that is looked up.
const SHORTEST_ID: usize = 6;

/// One of our own words with its arguments.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verb {
    /// `ls [TEXT] [--group /PATH]`: granted assets, system users, rights.
    Ls {
        /// What to list.
        filter: Filter,
        /// One object per line.
        json: bool,
    },
    /// `groups`: asset groups that hold something granted.
    Groups {
        /// One object per line.
        json: bool,
    },
    /// `whoami`.
    Whoami {
        /// One object.
        json: bool,
    },
    /// `ssh-config [TEXT] [--group /PATH]`: stanzas for the client's own configuration.
    SshConfig {
        /// Which assets.
        filter: Filter,
        /// One object per stanza and line.
        json: bool,
    },
    /// `sessions [--online] [--limit N]`: the user's own.
    Sessions {
        /// Only those that run.
        online: bool,
        /// At most so many, the newest.
        limit: u32,
        /// One object per line.
        json: bool,
    },
    /// `commands [--limit N]`: the lines of the user's own sessions.
    Commands {
        /// At most so many, the newest.
        limit: u32,
        /// One object per line.
        json: bool,
    },
    /// `session show ID`: one of the user's own.
    SessionShow {
        /// The beginning of its id.
        id: String,
        /// One object.
        json: bool,
    },
    /// `session replay ID`: one of the user's own, where the settings allow it.
    SessionReplay {
        /// The beginning of its id.
        id: String,
    },
    /// `passwd`: another password for himself.
    Passwd,
    /// `mfa [status]`: the user's own second factor.
    MfaStatus {
        /// One object.
        json: bool,
    },
    /// `mfa enroll|renew|recovery|verify`: what asks something on a terminal.
    Mfa(MfaWish),
    /// `help [VERB]`.
    Help {
        /// Only this one.
        verb: Option<&'static str>,
        /// One object per verb and line.
        json: bool,
    },
    /// `version`.
    Version {
        /// One object.
        json: bool,
    },
}

/// What somebody wants of his own second factor.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MfaWish {
    /// The first one.
    Enroll,
    /// Another in place of the one that there is.
    Renew,
    /// New recovery codes.
    Recovery,
    /// Pass it now, for what asks for it later and has no terminal.
    Verify,
}

impl MfaWish {
    /// The word.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Enroll => "enroll",
            Self::Renew => "renew",
            Self::Recovery => "recovery",
            Self::Verify => "verify",
        }
    }
}

/// Which of the granted targets.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Filter {
    /// Only lines that hold this text.
    pub text: Option<String>,
    /// Only what lies in this asset group or below.
    pub group: Option<String>,
}

/// Words that this version knows; `connect` and `jmsctl` are requests of their own.
pub const KNOWN: &[&str] = &[
    "ls",
    "groups",
    "connect",
    "whoami",
    "ssh-config",
    "sessions",
    "session",
    "commands",
    "passwd",
    "mfa",
    "jmsctl",
    "help",
    "version",
];

/// Reads a verb and its arguments. `None` when `first` is not a word of ours.
pub fn parse(first: &[u8], rest: &[u8]) -> Option<Result<Verb, RequestError>> {
    let word = jms::names::VERBS
        .iter()
        .copied()
        .find(|verb| verb.as_bytes() == first)?;
    if !KNOWN.contains(&word) {
        return Some(Err(RequestError::NotInThisVersion(word)));
    }
    let rest = String::from_utf8_lossy(rest);
    Some(arguments(word, &rest).ok_or(RequestError::Usage(word)))
}

/// The words behind a verb: options with and without values, and the rest in order.
#[derive(Default)]
struct Given<'a> {
    json: bool,
    online: bool,
    group: Option<&'a str>,
    limit: Option<&'a str>,
    words: Vec<&'a str>,
}

impl<'a> Given<'a> {
    fn read(rest: &'a str) -> Option<Self> {
        let mut given = Self::default();
        let mut arguments = rest.split_ascii_whitespace();
        while let Some(argument) = arguments.next() {
            let (name, value) = match argument.split_once('=') {
                Some((name, value)) if name.starts_with("--") => (name, Some(value)),
                _ => (argument, None),
            };
            match (name, value) {
                ("--json", None) => given.json = true,
                ("--online", None) => given.online = true,
                ("--group", value) => given.group = Some(value.or_else(|| arguments.next())?),
                ("--limit", value) => given.limit = Some(value.or_else(|| arguments.next())?),
                _ if argument.starts_with('-') => return None,
                _ => given.words.push(argument),
            }
        }
        Some(given)
    }

    fn limit(&self, usual: u32) -> Option<u32> {
        match self.limit {
            Some(number) => number.parse().ok().filter(|limit| *limit > 0),
            None => Some(usual),
        }
    }

    fn filter(&self) -> Option<Filter> {
        let text = match self.words.as_slice() {
            [] => None,
            [text] => Some((*text).to_owned()),
            _ => return None,
        };
        let group = match self.group {
            Some(path) => Some(AssetGroupPath::new(path).ok()?.to_string()),
            None => None,
        };
        Some(Filter { text, group })
    }
}

fn arguments(word: &'static str, rest: &str) -> Option<Verb> {
    let given = Given::read(rest)?;
    let json = given.json;
    let filters = word == "ls" || word == "ssh-config";
    let lists_sessions = word == "sessions";
    let lists_evidence = lists_sessions || word == "commands";
    if (given.group.is_some() && !filters)
        || (given.limit.is_some() && !lists_evidence)
        || (given.online && !lists_sessions)
    {
        return None;
    }
    match (word, given.words.as_slice()) {
        ("ls", _) => Some(Verb::Ls {
            filter: given.filter()?,
            json,
        }),
        ("ssh-config", _) => Some(Verb::SshConfig {
            filter: given.filter()?,
            json,
        }),
        ("groups", []) => Some(Verb::Groups { json }),
        ("whoami", []) => Some(Verb::Whoami { json }),
        ("version", []) => Some(Verb::Version { json }),
        ("sessions", []) => Some(Verb::Sessions {
            online: given.online,
            limit: given.limit(SESSIONS)?,
            json,
        }),
        ("commands", []) => Some(Verb::Commands {
            limit: given.limit(COMMANDS)?,
            json,
        }),
        ("session", ["show", id]) => Some(Verb::SessionShow { id: of(id)?, json }),
        ("session", ["replay", id]) if !json => Some(Verb::SessionReplay { id: of(id)? }),
        ("passwd", []) if !json => Some(Verb::Passwd),
        ("mfa", [] | ["status"]) => Some(Verb::MfaStatus { json }),
        ("mfa", [wish]) if !json => {
            use MfaWish::{Enroll, Recovery, Renew, Verify};
            let all = [Enroll, Renew, Recovery, Verify];
            all.into_iter()
                .find(|one| one.as_str() == *wish)
                .map(Verb::Mfa)
        }
        ("help", []) => Some(Verb::Help { verb: None, json }),
        ("help", [verb]) => Some(Verb::Help {
            verb: Some(KNOWN.iter().find(|known| *known == verb)?),
            json,
        }),
        _ => None,
    }
}

/// What can be the beginning of a session's id.
fn of(id: &str) -> Option<String> {
    (id.len() >= SHORTEST_ID && is_prefix(id)).then(|| id.to_owned())
}
