//! `jmsctl config`. Needs no store and no root; called by root, it gives root up like the others.
#![forbid(unsafe_code)]

use crate::cli::{Arguments, Check, Config as Verb};
use crate::failure::{Done, Failure};
use crate::input::FileArgument;
use crate::output::{Output, harmless};
use crate::privilege;
use jms::paths::Paths;
use jms::settings::Settings;
use serde_json::json;

/// Runs a verb.
pub fn run(verb: &Verb, arguments: &Arguments, out: &mut Output) -> Done {
    arguments.open_files()?;
    if privilege::require_root().is_ok() {
        privilege::become_service_user()?;
    }
    let source = Source {
        named: match verb {
            Verb::Check(Check { file: Some(file) }) => Some(file),
            _ => arguments.global.config.as_ref(),
        },
    };
    match verb {
        Verb::Check(_) => {
            source.settings()?;
            if out.is_json() {
                return out.show(&json!({"file": source.name(), "right": true}));
            }
            out.text(&format!("{} is right\n", source.name()))
        }
        Verb::Show(show) if show.effective => {
            let settings = source.settings()?;
            if out.is_json() {
                return out.show(&settings);
            }
            let text = toml::to_string(&settings)
                .map_err(|error| Failure::io("write", "the settings", error))?;
            out.text(&text)
        }
        Verb::Show(_) => {
            let text = source.text()?;
            if out.is_json() {
                let table: toml::Table =
                    toml::from_str(&text).map_err(|error| source.wrong(&error.to_string()))?;
                return out.show(&table);
            }
            text.lines()
                .try_for_each(|line| out.text(&format!("{}\n", harmless(line))))
        }
        Verb::Path => {
            if out.is_json() {
                return out.show(&json!({"path": source.name()}));
            }
            out.text(&format!("{}\n", source.name()))
        }
    }
}

/// Where settings come from: a named file, or the bastion's own.
struct Source<'a> {
    named: Option<&'a FileArgument>,
}

impl Source<'_> {
    fn name(&self) -> String {
        match self.named {
            Some(file) => file.name(),
            None => Paths::system().settings().display().to_string(),
        }
    }

    fn wrong(&self, sentence: &str) -> Failure {
        Failure::Failed(format!("{}: {}", self.name(), sentence.trim_end()))
    }

    fn settings(&self) -> Done<Settings> {
        match self.named {
            Some(file) => {
                Settings::parse(file.read()?.expose()).map_err(|sentence| self.wrong(&sentence))
            }
            None => Settings::load(&Paths::system().settings())
                .map_err(|error| Failure::Failed(error.to_string())),
        }
    }

    fn text(&self) -> Done<String> {
        if let Some(file) = self.named {
            return Ok(file.read()?.expose().to_owned());
        }
        match std::fs::read_to_string(Paths::system().settings()) {
            // Without a file the defaults hold, and there is nothing to show.
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(String::new()),
            other => other.map_err(|error| Failure::io("read", self.name(), error)),
        }
    }
}
