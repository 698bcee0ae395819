//! The page of one noun: each of its verbs with options, remarks and examples.
#![forbid(unsafe_code)]

use super::after_help::{AfterHelp, Remark};
use super::text::{heading, lines, paragraph, plain};
use super::{append, facts, head, without_preamble};
use crate::cli::roles::{Who, who_may};
use clap::{Arg, Command};
use clap_mangen::Man;
use clap_mangen::roff::{Roff, bold};
use std::io;

/// Of a noun of the built tree.
pub(super) fn page(noun: &Command) -> io::Result<Vec<u8>> {
    let mut page = Vec::new();
    let name = format!("jmsctl-{}", noun.get_name());
    head(&mut page, &name, &about(noun))?;
    let verbs: Vec<&Command> = noun.get_subcommands().collect();
    let commands = if verbs.is_empty() { vec![noun] } else { verbs };

    let mut roff = Roff::new();
    heading(&mut roff, "SYNOPSIS");
    for (number, command) in commands.iter().enumerate() {
        if number > 0 {
            roff.control("br", []);
        }
        synopsis(&mut roff, command);
    }
    heading(&mut roff, "DESCRIPTION");
    roff.text([plain(&sentence(&about(noun)))]);
    remarks(&mut roff, noun);
    append(&mut page, &roff);

    if noun.has_subcommands() {
        append(&mut page, &titled("VERBS"));
        for verb in &commands {
            section_of_verb(&mut page, noun, verb)?;
        }
    } else {
        options(&mut page, noun, "OPTIONS")?;
    }

    let mut roff = Roff::new();
    heading(&mut roff, "GLOBAL FLAGS");
    roff.text([plain(&global_flags(noun))]);
    heading(&mut roff, "WHO MAY");
    who(&mut roff, noun, &commands);
    examples_section(&mut roff, noun, &commands);
    facts::exit_status_section(&mut roff);
    facts::files_section(&mut roff);
    heading(&mut roff, "SEE ALSO");
    roff.text([
        bold("jmsctl"),
        plain("(8), "),
        bold("jms.toml"),
        plain("(5)"),
    ]);
    append(&mut page, &roff);
    Ok(page)
}

fn titled(title: &str) -> Roff {
    let mut roff = Roff::new();
    heading(&mut roff, title);
    roff
}

/// One line about a command.
pub(super) fn about(command: &Command) -> String {
    command
        .get_about()
        .map(ToString::to_string)
        .unwrap_or_default()
}

/// As a sentence of its own.
fn sentence(about: &str) -> String {
    format!("{}.", about.trim_end_matches('.'))
}

/// How it is typed, in the words of `--help`.
fn synopsis(roff: &mut Roff, command: &Command) {
    let usage = command.clone().render_usage().to_string();
    let usage = usage.trim_start_matches("Usage:").trim();
    let words = command.get_bin_name().unwrap_or_else(|| command.get_name());
    match usage.strip_prefix(words) {
        Some(rest) => roff.text([bold(words), plain(rest)]),
        None => roff.text([plain(usage)]),
    };
}

fn section_of_verb(page: &mut Vec<u8>, noun: &Command, verb: &Command) -> io::Result<()> {
    let mut roff = Roff::new();
    let title = format!("{} {}", noun.get_name(), verb.get_name());
    roff.control("SS", [title.as_str()]);
    roff.text([plain(&sentence(&about(verb)))]);
    append(page, &roff);
    options(page, verb, "")?;
    let mut roff = Roff::new();
    remarks(&mut roff, verb);
    append(page, &roff);
    Ok(())
}

/// The options of a command, without the ones that every command takes.
fn options(page: &mut Vec<u8>, command: &Command, title: &str) -> io::Result<()> {
    let own = command.clone().mut_args(|argument| {
        let everywhere = argument.is_global_set() || argument.get_id() == "help";
        with_values(argument)
            .hide(everywhere)
            .help_heading(None::<&str>)
    });
    if own.get_arguments().all(clap::Arg::is_hide_set) {
        return Ok(());
    }
    let mut rendered = Vec::new();
    Man::new(own).render_options_section(&mut rendered)?;
    let rendered = String::from_utf8_lossy(&rendered);
    let options = without_preamble(&rendered);
    match (title, options.strip_prefix(".SH OPTIONS\n")) {
        ("", Some(rows)) => page.extend_from_slice(rows.as_bytes()),
        _ => page.extend_from_slice(options.as_bytes()),
    }
    Ok(())
}

/// Its possible values behind its sentence, in the words of `--help`.
fn with_values(argument: Arg) -> Arg {
    let values: Vec<String> = argument
        .get_possible_values()
        .iter()
        .filter(|value| !value.is_hide_set())
        .map(|value| value.get_name().to_owned())
        .collect();
    if values.is_empty()
        || argument.is_hide_possible_values_set()
        || !argument.get_action().takes_values()
    {
        return argument;
    }
    let help = argument
        .get_help()
        .map(ToString::to_string)
        .unwrap_or_default();
    argument
        .help(format!("{help} [possible values: {}]", values.join(", ")))
        .hide_possible_values(true)
}

fn remarks(roff: &mut Roff, command: &Command) {
    for remark in AfterHelp::of(command).remarks {
        match remark {
            Remark::Text(text) => paragraph(roff, &text),
            Remark::Lines(literal) => lines(roff, &literal),
        }
    }
}

fn global_flags(noun: &Command) -> String {
    let flags: Vec<String> = noun
        .get_arguments()
        .filter(|argument| argument.is_global_set())
        .filter_map(|argument| argument.get_long())
        .map(|long| format!("--{long}"))
        .collect();
    format!(
        "{}, --help and --version are explained in jmsctl(8).",
        flags.join(", ")
    )
}

fn who(roff: &mut Roff, noun: &Command, commands: &[&Command]) {
    let of = |command: &Command| match noun.has_subcommands() {
        true => who_may(&[noun.get_name(), command.get_name()]),
        false => who_may(&[noun.get_name()]),
    };
    roff.text([plain("Root on the bastion may use all of it.")]);
    for (who, whom) in [
        (Who::Auditor, "Auditors and administrators over ssh"),
        (Who::Admin, "Administrators over ssh"),
        (Who::Root, "Nobody else"),
    ] {
        let names: Vec<&str> = commands
            .iter()
            .filter(|command| of(command) == who)
            .map(|command| command.get_name())
            .collect();
        if !names.is_empty() {
            roff.text([plain(&format!("{whom}: {}.", names.join(", ")))]);
        }
    }
}

fn examples_section(roff: &mut Roff, noun: &Command, commands: &[&Command]) {
    heading(roff, "EXAMPLES");
    let mut said: Vec<String> = Vec::new();
    for command in commands {
        let examples = AfterHelp::of(command).examples;
        if examples.is_empty() {
            continue;
        }
        if !said.is_empty() {
            roff.control("PP", []);
        }
        roff.text([plain(&format!("{}:", about(command)))]);
        lines(roff, &examples);
        said.extend(examples);
    }
    let more: Vec<String> = AfterHelp::of(noun)
        .examples
        .into_iter()
        .filter(|example| !said.contains(example))
        .collect();
    if !more.is_empty() {
        paragraph(roff, "Also:");
        lines(roff, &more);
    }
}
