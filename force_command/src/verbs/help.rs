//! `help`, `help WORD`: from the table of messages and the administrator's own words.
#![forbid(unsafe_code)]

use crate::message::help::{MORE, PAGES, Page, WAYS, page};
use crate::text::{harmless, json_line};
use jms::settings::Menu;
use serde_json::json;

/// The page of one word, or of all.
#[must_use]
pub fn text(own: &Menu, word: Option<&str>, json: bool) -> String {
    let pages: Vec<&Page> = match word {
        Some(word) => page(word).into_iter().collect(),
        None => PAGES.iter().collect(),
    };
    if json {
        return pages
            .into_iter()
            .map(|page| {
                json_line(&json!({
                    "verb": page.word,
                    "usage": page.usage,
                    "summary": page.summary,
                    "details": page.details,
                }))
            })
            .collect();
    }
    match pages.as_slice() {
        [page] if word.is_some() => one(page),
        pages => all(pages, own),
    }
}

fn one(page: &Page) -> String {
    let mut text: String = page
        .usage
        .iter()
        .map(|usage| format!("{usage}\n"))
        .collect();
    text.push_str(&format!("\n{}\n", page.summary));
    if !page.details.is_empty() {
        text.push_str(&format!("\n{}\n", page.details));
    }
    text
}

fn all(pages: &[&Page], own: &Menu) -> String {
    let forms = || {
        pages.iter().flat_map(|page| {
            let summaries = [page.summary].into_iter().chain(std::iter::repeat(""));
            let usages = page.usage.iter();
            usages
                .map(|usage| usage.trim_end_matches(" [--json]"))
                .zip(summaries)
        })
    };
    let width = forms().map(|(usage, _)| usage.len()).max().unwrap_or(0);
    let mut text = WAYS.to_owned();
    for (usage, summary) in forms() {
        let line = format!("  {usage:width$}  {summary}");
        text.push_str(line.trim_end());
        text.push('\n');
    }
    text.push_str(MORE);
    text.push_str(&closing(own));
    text
}

/// The administrator's own help and link, made harmless; nothing if there are none.
#[must_use]
pub fn closing(own: &Menu) -> String {
    let mut text = String::new();
    for own in [&own.help, &own.link] {
        for line in own.lines() {
            text.push_str(&harmless(line));
            text.push('\n');
        }
    }
    if text.is_empty() {
        return text;
    }
    format!("\n{text}")
}
