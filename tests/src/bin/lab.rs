//! `lab`: throw-away hosts for people and scripts.

use std::ffi::OsString;
use std::process::ExitCode;

use anyhow::Result;
use lexopt::prelude::*;
use tests::host_init::Plan;
use tests::{commands, corpus, host_init, network};

const HELP: &str = "\
lab up [--release 12|13] [--dir FOLDER]     start the hosts and leave them running
lab down [--dir FOLDER]                     remove them
lab on [--dir FOLDER] HOST COMMAND…         a command as root in one of them
lab prepare [--release 12|13]               build the base root that every lab starts from
lab demo [--release 12|13] [COMMAND]        a lab of its own: the way through the bastion, proved and shown;
                                            or this one shell command there, with its exit status
lab corpus [--release 12|13] [-- OPTION…]   a lab of its own: the command corpus, played through the bastion and scored;
                                            OPTIONs are those of tests/corpus/run

FOLDER is target/lab unless said otherwise. It has on, ssh, scp, sftp, rsync and git for the running hosts, and env.
The release is LAB_RELEASE, or 12. It needs root.";

fn main() -> ExitCode {
    match run() {
        Ok(status) => status,
        Err(error) => {
            eprintln!("lab: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run() -> Result<ExitCode> {
    let mut words = std::env::args_os().skip(1);
    let verb = words.next().unwrap_or_default();
    match verb.to_str() {
        // The lab runs itself for the processes that hold namespaces.
        Some("host-init") => host_init::outer(&Plan::from_arguments(words)?)?,
        Some("host-init-inner") => host_init::inner(&Plan::from_arguments(words)?)?,
        Some("network-init") => network::init()?,
        Some("up") => commands::up(&Options::parse(words)?.into_settings()?)?,
        Some("prepare") => commands::prepare(&Options::parse(words)?.into_settings()?)?,
        Some("keep") => commands::keep(&Options::parse(words)?.into_settings()?)?,
        Some("down") => commands::down(&Options::parse(words)?.into_settings()?)?,
        Some("on") => {
            let options = Options::parse(words)?;
            let operands = options.operands.clone();
            return commands::on(&options.into_settings()?, &operands);
        }
        Some("demo") => {
            let options = Options::parse(words)?;
            let line = options.operands.join(&OsString::from(" "));
            return commands::demo(&options.into_settings()?, &line);
        }
        Some("corpus") => {
            let options = Options::parse(words)?;
            let chosen = options.operands.clone();
            return Ok(
                match corpus::play(options.into_settings()?.release(), &chosen)? {
                    true => ExitCode::SUCCESS,
                    false => ExitCode::FAILURE,
                },
            );
        }
        Some("-h" | "--help" | "help") => println!("{HELP}"),
        _ => {
            eprintln!("{HELP}");
            return Ok(ExitCode::from(2));
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// What stands on the command line after the verb.
#[derive(Default)]
struct Options {
    release: Option<String>,
    folder: Option<OsString>,
    operands: Vec<OsString>,
}

impl Options {
    fn parse(words: impl Iterator<Item = OsString>) -> Result<Self> {
        let mut options = Self::default();
        let mut parser = lexopt::Parser::from_args(words);
        while let Some(argument) = parser.next()? {
            match argument {
                Long("release") => options.release = Some(parser.value()?.string()?),
                Long("dir") => options.folder = Some(parser.value()?),
                Value(first) => {
                    // The rest is somebody else's command line, options and all.
                    options.operands.push(first);
                    options.operands.extend(parser.raw_args()?);
                }
                other => return Err(other.unexpected().into()),
            }
        }
        Ok(options)
    }

    fn into_settings(self) -> Result<commands::Settings> {
        commands::Settings::new(self.release.as_deref(), self.folder)
    }
}
