//! Manual pages of `jmsctl`: an overview and a page for each noun, from the tree of commands that also makes `--help`.
//!
//! Trusts the tree. Nothing stands here that `--help` says: only what belongs to no command (files, environment, who may).
#![forbid(unsafe_code)]

mod after_help;
mod facts;
mod noun;
mod overview;
mod text;

use crate::cli;
use clap_mangen::Man;
use clap_mangen::roff::Roff;
use std::io;
use std::path::Path;

/// Where all pages of `jmsctl` are: system administration.
const SECTION: &str = "8";

/// The page of a command: of its noun, or of all.
///
/// # Errors
/// None that `Vec<u8>` could cause.
pub fn page(noun: Option<&str>) -> io::Result<Vec<u8>> {
    let mut tree = cli::tree();
    tree.build();
    match noun.and_then(|noun| tree.find_subcommand(noun)) {
        Some(noun) => noun::page(noun),
        None => overview::page(&tree),
    }
}

/// Writes all pages into `folder`, which it makes.
///
/// # Errors
/// What writing says.
pub fn write_all(folder: &Path) -> io::Result<()> {
    std::fs::create_dir_all(folder)?;
    let write = |name: &str, page: Vec<u8>| std::fs::write(folder.join(file(name)), page);
    write("jmsctl", page(None)?)?;
    cli::tree()
        .get_subcommands()
        .map(clap::Command::get_name)
        .try_for_each(|noun| write(&format!("jmsctl-{noun}"), page(Some(noun))?))
}

fn file(name: &str) -> String {
    format!("{name}.{SECTION}")
}

/// The page's head: title and name.
fn head(page: &mut Vec<u8>, name: &str, about: &str) -> io::Result<()> {
    Man::new(cli::tree())
        .title(name.to_uppercase())
        .section(SECTION)
        .date(jms::release::day().to_string())
        .source(format!("jms {}", jms::release::VERSION))
        .manual("System administration of the bastion")
        .render_title(page)?;
    let mut roff = Roff::new();
    roff.control("SH", ["NAME"]);
    // Not as inline text: makewhatis wants the dash that parts name and sentence to be the only one with blanks around it.
    roff.text([text::plain(&format!("{name} - {about}"))]);
    append(page, &roff);
    Ok(())
}

/// Puts a part behind what is there; the head has what all parts need to begin with.
fn append(page: &mut Vec<u8>, part: &Roff) {
    page.extend_from_slice(without_preamble(&part.render()).as_bytes());
}

/// What roff puts before each document, and a page needs once.
fn without_preamble(part: &str) -> &str {
    let mut rest = part;
    while let Some((line, behind)) = rest.split_once('\n') {
        if !line.starts_with(".ie ") && !line.starts_with(".el ") {
            break;
        }
        rest = behind;
    }
    rest
}

#[cfg(test)]
mod tests;
