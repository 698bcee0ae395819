//! Help, manual pages, completions, version: all from the one tree of commands.
#![forbid(unsafe_code)]

use crate::cli::{self, Man, Shell, Words};
use crate::failure::{Done, Failure};
use crate::output::Output;
use crate::pages;
use serde_json::json;

/// `help [NOUN [VERB]]`
pub fn help(help: &Words, out: &mut Output) -> Done {
    let text = cli::find(&help.words)?.render_help().to_string();
    out.text(&text)
}

/// `man [NOUN [VERB]] | --out FOLDER`: a verb is explained on the page of its noun.
pub fn man(man: &Man, out: &mut Output) -> Done {
    if let Some(folder) = &man.out {
        return pages::write_all(folder)
            .map_err(|error| Failure::io("write the pages into", folder.display(), error));
    }
    cli::find(&man.words.words)?;
    let noun = man.words.words.first().map(String::as_str);
    let page = pages::page(noun).map_err(|error| Failure::io("write", "the page", error))?;
    out.bytes(&page)
}

/// `completion SHELL`
pub fn completion(shell: Shell, out: &mut Output) -> Done {
    let generator = match shell {
        Shell::Bash => clap_complete::Shell::Bash,
        Shell::Zsh => clap_complete::Shell::Zsh,
        Shell::Fish => clap_complete::Shell::Fish,
    };
    let mut script = Vec::new();
    clap_complete::generate(generator, &mut cli::tree(), "jmsctl", &mut script);
    out.bytes(&script)
}

/// `version`
pub fn version(out: &mut Output) -> Done {
    let version = env!("CARGO_PKG_VERSION");
    if out.is_json() {
        return out.show(&json!({"version": version}));
    }
    out.text(&format!("jmsctl {version}\n"))
}
