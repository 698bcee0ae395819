//! `jmsctl session replay`: first the event that says who looked, then the recording, then whether it is whole.
//!
//! The recording is evidence that may have been tampered with; what is shown of it is made harmless by
//! `jms::replay` unless `--raw` was asked for.
#![forbid(unsafe_code)]

use super::evidence::looked_at;
use super::player;
use crate::cli::evidence::Replay;
use crate::context::Context;
use crate::failure::{Done, Failure};
use crate::output::{Output, terminal_size, warn};
use jms::id::Id;
use jms::nouns::Session;
use jms::recording::{Ended, Hash, ReadError, Reader, verify};
use jms::replay::{Pace, Playback, Show};
use std::io::IsTerminal;
use std::path::{Component, Path, PathBuf};
use std::time::Duration;

/// Plays a recording.
pub fn run(verb: &Replay, context: &mut Context) -> Done {
    let session = context.store.read().session_by_prefix(&verb.session.id)?;
    let path = place(context, &session)?;
    let from = match verb.command {
        Some(number) => place_of_command(context, &session, number)?,
        None => verb.at.unwrap_or_default(),
    };
    let event = looked_at(context, &session, "recording").with("raw", verb.raw);
    context.store.emit(&event)?;

    let pace = Pace {
        speed: verb.speed,
        idle_limit: verb.idle,
        from,
        raw: verb.raw,
    };
    let reader = open(&path).map_err(|error| unreadable(&path, &error))?;
    let named = reader.session().map(Id::as_str);
    if named != Some(&session.id) {
        return Err(Failure::Failed(format!(
            "the file {} is the recording of another session ({}); it was put there by somebody",
            path.display(),
            named.unwrap_or("it does not say which")
        )));
    }
    let interactive = std::io::stdin().is_terminal() && std::io::stdout().is_terminal();
    let ended = if interactive {
        say_if_too_small(reader.header().width, reader.header().height);
        player::run(&path, pace, context)?
    } else {
        print(reader, pace, &mut context.out)?
    };
    context.out.flush()?;
    say_how_it_ended(&session, ended, context);
    check(&session, &path)
}

/// Where in the session's recording the command with this number was accepted.
fn place_of_command(context: &Context, session: &Session, number: i64) -> Done<Duration> {
    let command = context.store.read().command(number)?;
    if command.session != session.id {
        return Err(Failure::Failed(format!(
            "command {number} is not of session {} but of {}",
            session.id, command.session
        )));
    }
    let at = command.at.and_then(|at| u64::try_from(at).ok());
    at.map(Duration::from_millis)
        .ok_or_else(|| Failure::Failed(format!("command {number} has no place in the recording")))
}

/// Where the recording lies: below the folder of recordings, whatever the row says.
fn place(context: &Context, session: &Session) -> Done<PathBuf> {
    let below = Path::new(&session.recording);
    if session.recording.is_empty() {
        return Err(Failure::Failed(format!(
            "the session {} has no recording",
            session.id
        )));
    }
    if below
        .components()
        .any(|part| !matches!(part, Component::Normal(_)))
    {
        return Err(Failure::Failed(format!(
            "the recording of the session {} is said to lie at “{}”, where no recording lies",
            session.id,
            session.recording.escape_debug()
        )));
    }
    Ok(context.paths().recordings().join(below))
}

/// Opens a recording for playing.
pub fn open(path: &Path) -> Result<Reader<std::fs::File>, ReadError> {
    Reader::open(path)
}

fn unreadable(path: &Path, error: &ReadError) -> Failure {
    Failure::Failed(format!("{}: {error}", path.display()))
}

/// Everything at once, for programs: text from `pace.from` on, nothing else.
fn print(reader: Reader<std::fs::File>, pace: Pace, out: &mut Output) -> Done<Option<Ended>> {
    let mut playback = Playback::new(reader, pace);
    let mut damage = None;
    // The last text only puts a terminal back into order, so each waits for the next one.
    let mut waiting: Option<String> = None;
    for step in playback.by_ref() {
        let step = match step {
            Ok(step) => step,
            Err(error) => {
                damage = Some(error);
                break;
            }
        };
        let Show::Text(text) = step.show else {
            continue;
        };
        if let Some(text) = waiting.take() {
            out.text(&text)?;
        }
        // What came before the beginning that was asked for is needed by screens, not by programs.
        waiting = (step.at >= pace.from).then_some(text);
    }
    if let Some(ending) = waiting
        && std::io::stdout().is_terminal()
    {
        out.text(&ending)?;
    }
    match damage {
        Some(error) => {
            out.flush()?;
            Err(Failure::Failed(error.to_string()))
        }
        None => Ok(playback.events().ended()),
    }
}

fn say_if_too_small(width: u16, height: u16) {
    if let Some((columns, lines)) = terminal_size(std::io::stdout())
        && (columns < width || lines < height)
    {
        warn(&format!(
            "the recording is of a terminal of {width} columns and {height} lines; this one has {columns} and {lines}"
        ));
    }
}

fn say_how_it_ended(session: &Session, ended: Option<Ended>, context: &Context) {
    match ended {
        Some(Ended::Cut) if session.ended_at.is_none() => {
            context
                .out
                .note("the session is still live; this is what was recorded so far");
        }
        Some(Ended::Cut) => {
            warn(
                "the recording has no end: its session was killed, or the end of the file was cut off",
            );
        }
        _ => {}
    }
    if let Some(bytes) = session.bytes_not_recorded.filter(|bytes| *bytes > 0) {
        warn(&format!(
            "{bytes} bytes of the output were not recorded (recording.exec_output_bytes)"
        ));
    }
}

/// The chain of hashes, against the last one that the store knows.
fn check(session: &Session, path: &Path) -> Done {
    let Some(id) = Id::parse(&session.id) else {
        return Ok(());
    };
    let expected = session.recording_hash.as_deref().and_then(Hash::parse);
    let found = verify(path, &id, expected)
        .map_err(|error| Failure::Failed(format!("{}: {error}", path.display())))?;
    if found.tampering().is_none()
        && let Some(problem) = found.problems.first()
    {
        warn(&problem.to_string());
    }
    match found.tampering() {
        None => Ok(()),
        Some(problem) => Err(Failure::Failed(format!(
            "THE RECORDING IS NOT WHAT WAS RECORDED: {problem}. Keep {} as it is, and ask who could write it",
            path.display()
        ))),
    }
}
