//! The first screen: the administrator's banner, who is there, the keys, and the list if it has room.
#![forbid(unsafe_code)]

use super::catalogue::Catalogue;
use super::page::{Pages, Rows, Size};
use crate::message::menu::Menu as Says;
use crate::text::harmless;
use crate::verbs::closing;
use jms::settings::Menu;

/// What a person sees first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FirstScreen {
    /// Harmless to a terminal.
    pub text: String,
    /// Whether it holds the list of all assets.
    pub lists: bool,
}

/// The first screen for a window of this size.
#[must_use]
pub fn first_screen(catalogue: &Catalogue, own: &Menu, user: &str, size: Size) -> FirstScreen {
    let mut text = String::new();
    for line in own.banner.lines() {
        text.push_str(&harmless(line));
        text.push('\n');
    }
    let assets = catalogue.entries.len();
    text.push_str(&format!("{}\n", Says::Greeting { user, assets }));
    let keys = Says::Keys.to_string();
    let closing = closing(own);
    let tall = |text: &str| text.lines().count();
    // The last line is the prompt's.
    if tall(&text) + tall(&keys) + tall(&closing) < size.lines {
        text.push_str(&format!("{keys}\n{closing}"));
    } else {
        text.push_str(&format!("{}\n", Says::KeysElsewhere));
    }
    if assets == 0 {
        text.push_str(&format!("{}\n", Says::NoAssets));
    }
    // An empty line above it.
    let room = size.lines.saturating_sub(tall(&text) + 2);
    let lists = (1..=room).contains(&assets);
    if lists {
        let mut pages = Pages::new(rows(catalogue, &catalogue.all()));
        text.push_str(&format!("\n{}", pages.next(size).unwrap_or_default()));
    }
    FirstScreen { text, lists }
}

/// Assets as rows of a list.
#[must_use]
pub fn rows(catalogue: &Catalogue, places: &[usize]) -> Rows {
    let entries = places
        .iter()
        .filter_map(|place| catalogue.entries.get(*place));
    let cells = entries.map(|entry| {
        let system_users = entry.accounts.iter().map(|account| &*account.system_user);
        let system_users: Vec<&str> = system_users.collect();
        vec![
            entry.asset.clone(),
            entry.address.clone(),
            system_users.join(","),
            entry.comment.clone(),
        ]
    });
    Rows::Cells(cells.collect())
}
