//! Makes what people read from the tables of the programs: manual pages (templates in `pages`), the shipped file of
//! settings, the changelog for people. `jmsctl man` makes the pages of `jmsctl`.
//!
//! A tool of the build: nothing of it is installed. Trusts the sources that it is built from.
#![forbid(unsafe_code)]

mod changelog;
mod mdoc;
mod pages;
mod parts;
#[cfg(test)]
mod samples;
mod template;

use std::path::Path;
use std::process::ExitCode;

const USAGE: &str = "\
manual pages FOLDER     writes the pages into FOLDER/man5 and FOLDER/man8
manual settings         prints the file of settings that the package ships
manual changelog        prints the changelog for people";

fn main() -> ExitCode {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let done = match words.as_slice() {
        ["pages", folder] => pages::write(Path::new(folder)),
        ["settings"] => {
            print!("{}", jms::settings::shipped());
            Ok(())
        }
        ["changelog"] => {
            print!("{}", changelog::for_people(jms::release::CHANGELOG));
            Ok(())
        }
        _ => Err(USAGE.to_owned()),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(sentence) => {
            eprintln!("{sentence}");
            ExitCode::FAILURE
        }
    }
}
