//! What is answered without the store: help, manual, completions, version, the schema of events.
#![forbid(unsafe_code)]

use crate::cli::{Arguments, Noun, evidence};
use crate::commands::{event, manual};
use crate::failure::Done;
use crate::output::Output;

/// The answer, if the command is one of these.
pub fn answer(arguments: &Arguments, out: &mut Output) -> Option<Done> {
    Some(match &arguments.noun {
        Noun::Help(help) => manual::help(help, out),
        Noun::Man(man) => manual::man(man, out),
        Noun::Completion(completion) => manual::completion(completion.shell, out),
        Noun::Version => manual::version(out),
        Noun::Event(evidence::Event::Schema) => event::schema(out),
        _ => return None,
    })
}
