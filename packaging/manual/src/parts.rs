//! What fills the places of the templates: a name for each table or fact of a program.
#![forbid(unsafe_code)]

use crate::mdoc::{escaped, list, text, words};
use force_command::message::help::{PAGES, Page};
use force_command::start::environment::VARIABLES;
use force_command::status;
use jms::paths::{self, Paths};
use jms::settings::SECTIONS;

/// The text of a place; `None`: there is no such place.
pub fn part(name: &str) -> Option<String> {
    let paths = Paths::system();
    let path = |path: std::path::PathBuf| Some(path.display().to_string());
    match name {
        "date" => Some(jms::release::day().strftime("%B %-d, %Y").to_string()),
        "version" => Some(jms::release::VERSION.to_owned()),
        "settings" => Some(settings()),
        "words" => Some(session_words()),
        "environment" => Some(list("Ev", VARIABLES.iter().copied())),
        "exit statuses" => Some(exit_statuses()),
        "home" => Some(nss_jms::record::HOME.to_owned()),
        "shell" => Some(nss_jms::record::SHELL.to_owned()),
        "name limit" => Some(snapshot::MAX_USER_NAME.to_string()),
        "target limit" => Some(snapshot::MAX_LOGIN_NAME.to_string()),
        "settings file" => path(paths.settings()),
        "uid range" => path(paths.uid_range()),
        "secret key" => path(paths.secret_key()),
        "store" => path(paths.database()),
        "users snapshot" => path(paths.users_snapshot()),
        "users copy" => Some(snapshot::USERS_COPY_PATH.to_owned()),
        "keys snapshot" => path(paths.keys_snapshot()),
        "recordings" => path(paths.recordings()),
        "sessions" => path(paths.sessions()),
        "egress" => path(paths.egress()),
        "programs" => path(paths.programs().to_owned()),
        "service user" => Some(paths::SERVICE_USER.to_owned()),
        _ => None,
    }
}

fn settings() -> String {
    let mut page = String::new();
    for section in SECTIONS {
        page.push_str(&format!(".Ss [{}]\n", section.name));
        page.push_str(&text(&section.about.join("\n")));
        page.push_str(".Bl -tag -width Ds\n");
        for setting in section.settings {
            page.push_str(&format!(
                ".It Cm {} No = Ar {}\n",
                setting.key,
                words(&setting.to_string())
            ));
            page.push_str(&text(&setting.about.join("\n")));
            let default = match setting.default_in(section) {
                Some(value) => format!("Default: {value}."),
                None => "Not set by default.".to_owned(),
            };
            page.push_str(&format!(".br\n{}\n", escaped(&default)));
        }
        page.push_str(".El\n");
    }
    page
}

fn session_words() -> String {
    let mut page = String::from(".Bl -tag -width Ds\n");
    for row in PAGES {
        for usage in row.usage {
            let (word, rest) = usage.split_once(' ').unwrap_or((usage, ""));
            page.push_str(&format!(".It Ic {}", words(word)));
            if !rest.is_empty() {
                page.push_str(&format!(" No {}", words(rest)));
            }
            page.push('\n');
        }
        page.push_str(&explained(row));
    }
    page.push_str(".El\n");
    page
}

/// Summary and details; lines that are moved to the right are typed as they are.
fn explained(row: &Page) -> String {
    let mut page = text(&format!("{}.", capitalised(row.summary)));
    for line in row.details.lines() {
        match line.strip_prefix("  ") {
            Some(typed) => page.push_str(&format!(".Dl {}\n", words(typed))),
            None => page.push_str(&text(line)),
        }
    }
    page
}

fn capitalised(sentence: &str) -> String {
    let mut letters = sentence.chars();
    letters.next().map_or_else(String::new, |first| {
        first.to_uppercase().chain(letters).collect()
    })
}

fn exit_statuses() -> String {
    let rows: Vec<(String, &str)> = status::MEANINGS
        .iter()
        .map(|(status, what)| (status.to_string(), *what))
        .collect();
    list(
        "",
        rows.iter().map(|(status, what)| (status.as_str(), *what)),
    )
}
