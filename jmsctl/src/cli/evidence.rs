//! `jmsctl login …`, `jmsctl session …` and `jmsctl event …` as they are typed.
#![forbid(unsafe_code)]

use super::flags::{List, Prefix, Span};
use clap::{Args, Subcommand};
use jms::replay::Speed;
use std::time::Duration;

/// Verbs of `login`.
#[derive(Debug, Subcommand)]
pub enum Login {
    /// List logins, the newest last
    #[command(
        after_help = "Examples:\n  jmsctl login ls --since today\n  jmsctl login ls --user alice --json\n  jmsctl login ls --failed --since 3d\n  jmsctl login ls --unknown --since today\n  jmsctl login ls --follow --json"
    )]
    Ls(LoginLs),
    /// Show a login with its sessions, and with what it was refused, changed and looked at
    #[command(
        after_help = "Examples:\n  jmsctl login show 7k2mz9\n  jmsctl login show 7k2mz9 --json | jq -r .sessions[].id"
    )]
    Show(Prefix),
}

/// `login ls`
#[derive(Debug, Args)]
pub struct LoginLs {
    /// Logins of users who proved who they are and were not let in: disabled, not valid now, wrong factors; and, as sshd
    /// itself wrote it down, those who ended before they gave the second factor that sshd asks for
    #[arg(long, conflicts_with = "unknown")]
    pub failed: bool,
    /// Names that do not exist and somebody asked for, as sshd itself wrote them down, with the
    /// existing name that is nearest; --user means that one
    #[arg(long)]
    pub unknown: bool,
    /// Wait for new ones and print them as they open and close (with --failed: as they are refused, without
    /// what only sshd's log has), until interrupted
    #[arg(long, conflicts_with = "unknown")]
    pub follow: bool,
    /// Only of these users (names or globs)
    #[arg(long, value_name = "NAME,…", value_delimiter = ',')]
    pub user: Vec<String>,
    /// Only of who is in these user groups now
    #[arg(long, value_name = "NAME,…", value_delimiter = ',')]
    pub user_group: Vec<String>,
    /// From when until when.
    #[command(flatten)]
    pub span: Span,
    /// Flags of lists.
    #[command(flatten)]
    pub list: List,
}

/// Verbs of `session`.
#[derive(Debug, Subcommand)]
pub enum Session {
    /// List sessions, the newest last
    #[command(
        after_help = "A connection to an asset that stays for its user's next session is a row of the channel
`kept`, while it does: no session, and in no store.

Examples:
  jmsctl session ls --online
  jmsctl session ls --user alice --asset 'web*' --since 3d --json"
    )]
    Ls(SessionLs),
    /// Show a session with its commands, transfers and events, and with who looked at it
    #[command(
        after_help = "Examples:\n  jmsctl session show 7k2mz9\n  jmsctl session show 7k2mz9 --json | jq .events"
    )]
    Show(Prefix),
    /// Play a recording; that somebody did is an event
    #[command(after_help = "Keys, on a terminal:
  blank       pause, and go on
  .           show the next piece of output, and pause
  left right  five seconds back, five seconds on
  down up     a minute back, a minute on
  0, Home     from the beginning
  + -         twice as fast, half as fast;  n: as it happened
  i           cut long pauses short (to --idle, else to two seconds), and no longer
  q           quit

Without a terminal the output comes at once, and there are no keys; over ssh,
`ssh -t` gives one. Escape sequences that could attack the reader's terminal are
taken out unless --raw is given.

Examples:
  jmsctl session replay 7k2mz9 --speed 4 --idle 2
  ssh -t carol@bastion jmsctl session replay 7k2mz9
  jmsctl session replay 7k2mz9 --command 4711
  jmsctl session replay 7k2mz9 | grep 'rm -rf'")]
    Replay(Replay),
}

/// `session ls`
#[derive(Debug, Args)]
pub struct SessionLs {
    /// Only live ones
    #[arg(long, conflicts_with = "past")]
    pub online: bool,
    /// Only those that have ended
    #[arg(long)]
    pub past: bool,
    /// Only of these users (names or globs)
    #[arg(long, value_name = "NAME,…", value_delimiter = ',')]
    pub user: Vec<String>,
    /// Only of who is in these user groups now
    #[arg(long, value_name = "NAME,…", value_delimiter = ',')]
    pub user_group: Vec<String>,
    /// Only to these assets (names or globs)
    #[arg(long, value_name = "NAME,…", value_delimiter = ',')]
    pub asset: Vec<String>,
    /// Only to what is at or below these places now
    #[arg(long, value_name = "/PATH,…", value_delimiter = ',')]
    pub asset_group: Vec<String>,
    /// Only to what stands in these sites now
    #[arg(long, value_name = "NAME,…", value_delimiter = ',')]
    pub site: Vec<String>,
    /// Only as these system users (names or globs)
    #[arg(long, value_name = "NAME,…", value_delimiter = ',')]
    pub system_user: Vec<String>,
    /// From when until when.
    #[command(flatten)]
    pub span: Span,
    /// Flags of lists.
    #[command(flatten)]
    pub list: List,
}

/// `session replay`
#[derive(Debug, Args)]
pub struct Replay {
    /// The session.
    #[command(flatten)]
    pub session: Prefix,
    /// So many times faster
    #[arg(long, value_name = "X", default_value = "1", value_parser = speed)]
    pub speed: Speed,
    /// Pauses are at most so many seconds long
    #[arg(long, value_name = "SEC", value_parser = seconds)]
    pub idle: Option<Duration>,
    /// Begin so many seconds after the start (90, or 1:30, or 1:02:03)
    #[arg(long, value_name = "T", value_parser = position)]
    pub at: Option<Duration>,
    /// Begin where this command of the session was accepted: its number, as `command ls` shows it
    #[arg(long, value_name = "N", conflicts_with = "at")]
    pub command: Option<i64>,
    /// Print what the asset sent as it is, with every escape sequence
    #[arg(long)]
    pub raw: bool,
}

/// Verbs of `event`.
#[derive(Debug, Subcommand)]
pub enum Event {
    /// List events, the newest last
    #[command(after_help = "Examples:
  jmsctl event ls --since 2h --type policy.change
  jmsctl event ls --follow --json")]
    Ls(EventLs),
    /// Explain the fields and types of events
    #[command(after_help = "Example:\n  jmsctl event schema --json")]
    Schema,
}

/// `event ls`
#[derive(Debug, Args)]
pub struct EventLs {
    /// Wait for new ones and print them as they come, until interrupted
    #[arg(long)]
    pub follow: bool,
    /// Only of this type, or of all that begin with it and a dot
    #[arg(long = "type", value_name = "TYPE")]
    pub kind: Option<String>,
    /// Only of this administrator or user
    #[arg(long, value_name = "NAME")]
    pub actor: Option<String>,
    /// Only what syslog has not taken yet
    #[arg(long)]
    pub unsent: bool,
    /// From when until when.
    #[command(flatten)]
    pub span: Span,
    /// Flags of lists.
    #[command(flatten)]
    pub list: List,
}

/// At most a hundred years: what a clock can wait for.
const LONGEST: f64 = 3.2e9;

fn seconds(text: &str) -> Result<Duration, String> {
    let seconds = text
        .parse::<f64>()
        .ok()
        .filter(|seconds| *seconds <= LONGEST);
    let duration = seconds.and_then(|seconds| Duration::try_from_secs_f64(seconds).ok());
    duration.ok_or_else(|| "write seconds, as in 2 or 0.5".to_owned())
}

fn speed(text: &str) -> Result<Speed, String> {
    let speed = text.parse().ok().and_then(Speed::new);
    speed.ok_or_else(|| "write a factor from 0.01 to 1000".to_owned())
}

fn position(text: &str) -> Result<Duration, String> {
    let parts: Vec<&str> = text.split(':').collect();
    let total = parts.iter().try_fold(Duration::ZERO, |total, part| {
        total.checked_mul(60)?.checked_add(seconds(part).ok()?)
    });
    total
        .filter(|_| parts.len() <= 3)
        .ok_or_else(|| "write seconds, M:SS or H:MM:SS".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn positions_are_read_as_people_write_them() {
        assert_eq!(position("90"), Ok(Duration::from_secs(90)));
        assert_eq!(position("1:30"), Ok(Duration::from_secs(90)));
        assert_eq!(position("1:02:03.5"), Ok(Duration::from_millis(3_723_500)));
        for bad in ["", "1:", "a", "1:2:3:4", "-1", "inf", "NaN", "1e300"] {
            assert!(position(bad).is_err(), "{bad}");
        }
        assert!(speed("0").is_err() && speed("2").is_ok() && seconds("-1").is_err());
    }
}
