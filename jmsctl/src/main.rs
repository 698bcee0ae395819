//! `jmsctl`: administration of the bastion from the command line.
//!
//! Started by root. It opens what root named, then becomes the service user and gives up every capability
//! before it parses a key, opens the store or prints what somebody stored. The first stage (`cli`) says
//! what was typed, the second (`commands`) what it means.
#![deny(unsafe_code)]

mod cli;
mod commands;
mod context;
mod doctor;
mod failure;
mod input;
mod output;
mod pattern;
mod privilege;

use cli::{Arguments, Noun, Stop};
use failure::Done;
use output::Output;
use std::process::ExitCode;

/// Keys pass through this process, and libraries below us free them as they are.
#[global_allocator]
static ALLOCATOR: jms::secret::WipingAllocator = jms::secret::WipingAllocator;

fn main() -> ExitCode {
    privilege::sanitise();
    let arguments = match cli::parse(std::env::args_os()) {
        Ok(arguments) => arguments,
        Err(Stop::Failure(failure)) => {
            output::warn(&failure.to_string());
            return failure.exit_code();
        }
        Err(Stop::Clap(error)) => {
            // Help goes to standard output; that nobody reads it is no failure.
            let _ = error.print();
            return ExitCode::from(u8::try_from(error.exit_code()).unwrap_or(2));
        }
    };
    match run(&arguments) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            if !matches!(failure, failure::Failure::ClosedPipe) {
                output::warn(&failure.to_string());
            }
            failure.exit_code()
        }
    }
}

fn run(arguments: &Arguments) -> Done {
    privilege::settle()?;
    let global = &arguments.global;
    let mut out = Output::new(global.json, global.quiet, global.no_color);
    match &arguments.noun {
        Noun::Help(help) => commands::manual::help(help, &mut out)?,
        Noun::Man(man) => commands::manual::man(man, &mut out)?,
        Noun::Completion(completion) => commands::manual::completion(completion.shell, &mut out)?,
        Noun::Version => commands::manual::version(&mut out)?,
        Noun::Event(cli::evidence::Event::Schema) => commands::event::schema(&mut out)?,
        Noun::Config(config) => commands::config::run(config, arguments, &mut out)?,
        _ => return commands::run(arguments, out),
    }
    out.flush()
}
