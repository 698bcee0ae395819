//! `jmsctl`: administration of the bastion from the command line.
//!
//! Started by root, or over ssh by the session program for an administrator or auditor (`remote`). It opens what root named, then becomes the service user and gives up every capability
//! before it parses a key, opens the store or prints what somebody stored. The first stage (`cli`) says
//! what was typed, the second (`commands`) what it means.
#![deny(unsafe_code)]

mod cli;
mod commands;
mod context;
mod doctor;
mod failure;
mod input;
mod manual;
mod output;
mod pages;
mod pattern;
mod privilege;
mod remote;
mod sshd_log;

use cli::{Arguments, Noun, Stop};
use failure::{Done, Failure};
use jms::id::Token;
use output::Output;
use privilege::Caller;
use std::process::ExitCode;

/// Keys pass through this process, and libraries below us free them as they are.
#[global_allocator]
static ALLOCATOR: jms::secret::WipingAllocator = jms::secret::WipingAllocator;

fn main() -> ExitCode {
    let token = privilege::sanitise();
    match run(token.as_ref()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(Stop::Failure(failure)) => {
            if !matches!(failure, Failure::ClosedPipe) {
                output::warn(&failure.to_string());
            }
            failure.exit_code()
        }
        Err(Stop::Refused(refusal)) => {
            let failure = Failure::NotAllowed(refusal.sentence());
            output::warn(&failure.to_string());
            failure.exit_code()
        }
        Err(Stop::Clap(error)) => {
            // Help goes to standard output; that nobody reads it is no failure.
            let _ = error.print();
            ExitCode::from(u8::try_from(error.exit_code()).unwrap_or(2))
        }
    }
}

fn run(token: Option<&Token>) -> Result<(), Stop> {
    privilege::settle().map_err(Stop::Failure)?;
    let words = std::env::args_os().collect();
    match privilege::caller().map_err(Stop::Failure)? {
        Caller::OverSsh(uid) => remote::run(uid, token, words),
        // Who is nobody may read the manual; each command that does more asks for root.
        Caller::Root | Caller::Nobody => {
            let arguments = cli::parse(words, None)?;
            at_home(&arguments).map_err(Stop::Failure)
        }
    }
}

/// Runs a command that was typed on the bastion itself.
fn at_home(arguments: &Arguments) -> Done {
    let global = &arguments.global;
    let mut out = Output::new(global.json, global.quiet, global.no_color);
    if let Some(done) = manual::answer(arguments, &mut out) {
        return done.and_then(|()| out.flush());
    }
    if let Noun::Config(config) = &arguments.noun {
        return commands::config::run(config, arguments, &mut out).and_then(|()| out.flush());
    }
    commands::run(arguments, out)
}
