//! The bastion's own words (`ssh alice@bastion ls`).

use super::RequestError;

/// One of our own words with its arguments.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verb {
    /// `ls [TEXT] [--json]`: granted assets, system users, rights.
    Ls {
        /// Only lines that hold this text.
        text: Option<String>,
        /// One JSON object per line.
        json: bool,
    },
    /// `whoami [--json]`.
    Whoami {
        /// One JSON object.
        json: bool,
    },
    /// `help [VERB]`.
    Help,
    /// `version`.
    Version,
}

const LS: &str = "ls [TEXT] [--json]";
const WHOAMI: &str = "whoami [--json]";

/// Reads a verb and its arguments. `None` when `first` is not a word of ours.
pub fn parse(first: &[u8], rest: &[u8]) -> Option<Result<Verb, RequestError>> {
    let word = jms::names::VERBS
        .iter()
        .copied()
        .find(|verb| verb.as_bytes() == first)?;
    let rest = String::from_utf8_lossy(rest);
    Some(arguments(word, &rest))
}

fn arguments(word: &'static str, rest: &str) -> Result<Verb, RequestError> {
    let mut json = false;
    let mut texts = Vec::new();
    for argument in rest.split_ascii_whitespace() {
        match argument {
            "--json" => json = true,
            "--group" if word == "ls" => return Err(RequestError::NotInThisVersion("ls --group")),
            text => texts.push(text.to_owned()),
        }
    }
    let option = texts.iter().any(|text| text.starts_with('-'));
    match word {
        "ls" if texts.len() > 1 || option => Err(RequestError::Usage(LS)),
        "ls" => Ok(Verb::Ls {
            text: texts.pop(),
            json,
        }),
        "whoami" if !texts.is_empty() => Err(RequestError::Usage(WHOAMI)),
        "whoami" => Ok(Verb::Whoami { json }),
        "help" => Ok(Verb::Help),
        "version" => Ok(Verb::Version),
        other => Err(RequestError::NotInThisVersion(other)),
    }
}
