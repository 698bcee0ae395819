//! What kind of channel a command is, and so which rights it needs: a shell, a command, or a file transfer program.
//!
//! A text that is taken for a transfer here runs with the rights of a transfer and without `exec`,
//! so a text is taken for one only if it can be nothing else (see [`super::words::simple`]).

use super::words::{Word, simple};
use jms::policy::Channel;

/// What kind of channel `command` is, or a shell without one. With a terminal a command is never a transfer: no
/// transfer program asks for one, and whatever runs there instead may be talked to. A shell that takes its commands from
/// the terminal is a shell, whoever starts it.
#[must_use]
pub fn channel_of(command: Option<&[u8]>, terminal: bool) -> Channel {
    match command {
        None => Channel::Shell,
        Some(command) if terminal && takes_commands(command) => Channel::Shell,
        Some(_) if terminal => Channel::Exec,
        Some(command) => classify(command),
    }
}

/// Whether a shell that `command` starts reads what is typed.
fn takes_commands(command: &[u8]) -> bool {
    let text = String::from_utf8_lossy(command);
    filter::judge(&[], &text, filter::Context::EXEC).reads() == Some(filter::Reads::Shell)
}

/// Recognises what `command` is. Everything that is not certainly a transfer is [`Channel::Exec`].
#[must_use]
pub fn classify(command: &[u8]) -> Channel {
    let Some(words) = simple(command) else {
        return Channel::Exec;
    };
    let Some((program, arguments)) = words.split_first() else {
        return Channel::Exec;
    };
    if program.pattern {
        return Channel::Exec;
    }
    let channel = match program.bytes.as_slice() {
        b"internal-sftp" => Some(Channel::Sftp),
        path if path.ends_with(b"/sftp-server") => Some(Channel::Sftp),
        b"scp" => scp(arguments),
        b"rsync" => rsync(arguments),
        b"git-upload-pack" | b"git-upload-archive" => git(arguments, Channel::GitFetch),
        b"git-receive-pack" => git(arguments, Channel::GitPush),
        b"git" => git_subcommand(arguments),
        _ => None,
    };
    channel.unwrap_or(Channel::Exec)
}

/// `scp [-vrpdq] -t|-f [--] PATH…`, as `scp.c` writes it. Other options (`-S` runs a program) make it a command.
fn scp(arguments: &[Word]) -> Option<Channel> {
    let (mut sink, mut source, mut paths, mut only_paths) = (false, false, 0_usize, false);
    for word in arguments {
        if only_paths || !word.may_be_option() {
            paths += 1;
        } else if word.bytes == b"--" {
            only_paths = true;
        } else if paths > 0 || word.pattern || word.bytes == b"-" {
            // Some getopt(3) would read an option here, another would not.
            return None;
        } else {
            for letter in word.bytes.iter().skip(1) {
                match letter {
                    b't' => sink = true,
                    b'f' => source = true,
                    b'v' | b'r' | b'p' | b'd' | b'q' => {}
                    _ => return None,
                }
            }
        }
    }
    match (sink, source, paths) {
        (_, _, 0) => None,
        (true, false, _) => Some(Channel::ScpUpload),
        (false, true, _) => Some(Channel::ScpDownload),
        _ => None,
    }
}

/// `rsync --server [--sender] OPTIONS . PATH…`, which way it goes is not asked yet. A daemon (which can be told to run commands) is a
/// command, and so are arguments that would come over the wire, unseen (`--secluded-args`, `-s`).
fn rsync(arguments: &[Word]) -> Option<Channel> {
    let (first, rest) = arguments.split_first()?;
    if first.bytes != b"--server" {
        return None;
    }
    for word in rest {
        let long = word.bytes.strip_prefix(b"--");
        let unseen = |name: &&[u8]| {
            [&b"daemon"[..], b"secluded-args", b"protect-args"]
                .iter()
                .any(|it| name.starts_with(it))
        };
        if word.may_be_option() && word.pattern || long.as_ref().is_some_and(unseen) {
            return None;
        }
        if long.is_none() && word.bytes.first() == Some(&b'-') {
            // `-e` takes the rest of its word as a value.
            let letters = word.bytes.iter().take_while(|letter| **letter != b'e');
            if letters.into_iter().any(|letter| *letter == b's') {
                return None;
            }
        }
    }
    Some(Channel::Rsync)
}

/// `git-upload-pack PATH` and its siblings, as git's client and git-shell(1) know them.
fn git(arguments: &[Word], channel: Channel) -> Option<Channel> {
    match arguments {
        [path] if !path.may_be_option() => Some(channel),
        _ => None,
    }
}

fn git_subcommand(arguments: &[Word]) -> Option<Channel> {
    let (subcommand, arguments) = arguments.split_first()?;
    let channel = match subcommand.bytes.as_slice() {
        b"upload-pack" | b"upload-archive" => Channel::GitFetch,
        b"receive-pack" => Channel::GitPush,
        _ => return None,
    };
    git(arguments, channel)
}
