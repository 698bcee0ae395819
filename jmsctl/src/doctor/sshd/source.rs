//! The lines of sshd's configuration in the order in which sshd reads them, to say where a value comes from.
//!
//! Trusts root's files; what sshd makes of them, only sshd says (`effective`).
#![forbid(unsafe_code)]

use crate::doctor::system;
use crate::pattern;
use std::path::{Path, PathBuf};

/// The first file that sshd reads.
pub const MAIN: &str = "/etc/ssh/sshd_config";
/// sshd's own limit (`servconf.c`).
const DEEPEST: usize = 16;

/// One setting, where it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// In which file.
    pub file: PathBuf,
    /// Its number there, from 1.
    pub number: usize,
    /// The keyword, in small letters.
    pub keyword: String,
    /// What follows it.
    pub value: String,
    /// The condition of the Match block that it stands in; `None`: it holds for everybody.
    pub condition: Option<String>,
}

impl Line {
    /// Where it stands, for sentences.
    pub fn place(&self) -> String {
        format!("{} line {}", self.file.display(), self.number)
    }
}

/// All settings, in sshd's order.
pub fn lines() -> Vec<Line> {
    let mut all = Vec::new();
    collect(Path::new(MAIN), None, 0, &mut all);
    all
}

/// The settings of one text. A Match block ends with the file that it stands in.
pub fn parse(file: &Path, text: &str, outer: Option<&str>) -> Vec<Line> {
    let mut condition = outer.map(str::to_owned);
    let mut all = Vec::new();
    for (line, number) in text.lines().zip(1..) {
        let line = line.trim();
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        let split = line
            .find(|c: char| c.is_whitespace() || c == '=')
            .unwrap_or(line.len());
        let (keyword, rest) = line.split_at(split);
        let keyword = keyword.to_ascii_lowercase();
        let rest = rest.trim_start_matches(|c: char| c.is_whitespace() || c == '=');
        let value = rest
            .split(" #")
            .next()
            .unwrap_or_default()
            .trim()
            .to_owned();
        if keyword == "match" {
            condition = Some(value);
            continue;
        }
        all.push(Line {
            file: file.to_owned(),
            number,
            keyword,
            value,
            condition: condition.clone(),
        });
    }
    all
}

fn collect(file: &Path, outer: Option<&str>, depth: usize, all: &mut Vec<Line>) {
    let Some(text) = system::read(file).filter(|_| depth < DEEPEST) else {
        return;
    };
    for line in parse(file, &text, outer) {
        if line.keyword == "include" {
            for included in line.value.split_whitespace().flat_map(named) {
                collect(&included, line.condition.as_deref(), depth + 1, all);
            }
        } else {
            all.push(line);
        }
    }
}

/// The files that a word of an Include names, in the order of `glob(3)`.
fn named(word: &str) -> Vec<PathBuf> {
    let word = word.trim_matches('"');
    let path = Path::new("/etc/ssh").join(word);
    let (Some(folder), Some(name)) = (path.parent(), path.file_name()) else {
        return Vec::new();
    };
    let name = name.to_string_lossy();
    if !pattern::is_glob(&name) {
        return vec![path];
    }
    let mut found = system::names_in(folder, "");
    found.retain(|path| {
        pattern::matches(
            &name,
            &path.file_name().unwrap_or_default().to_string_lossy(),
        )
    });
    found
}

/// The address of every `Match Address` that a connection can be tried with, at most eight.
pub fn addresses(lines: &[Line]) -> Vec<String> {
    let mut found: Vec<String> = Vec::new();
    for line in lines {
        let words: Vec<&str> = line
            .condition
            .as_deref()
            .unwrap_or_default()
            .split_whitespace()
            .collect();
        for pair in words.windows(2) {
            let [criterion, patterns] = pair else {
                continue;
            };
            if !criterion.eq_ignore_ascii_case("address") {
                continue;
            }
            for one in patterns.split(',').filter_map(|one| one.split('/').next()) {
                let address = one.replace(['*', '?'], "1");
                if address.parse::<std::net::IpAddr>().is_ok() && !found.contains(&address) {
                    found.push(address);
                }
            }
        }
    }
    found.truncate(8);
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_are_read_with_their_places_and_conditions() {
        let text = "# c\nUsePAM=yes\n\tX11Forwarding \"no\" # why\nMatch User bob Address 10.0.0.0/8,192.0.2.*\n  ForceCommand /bin/true\nMatch all\nPort 22";
        let lines = parse(Path::new("/x"), text, None);
        let shown: Vec<(usize, &str, &str, Option<&str>)> = lines
            .iter()
            .map(|line| {
                (
                    line.number,
                    line.keyword.as_str(),
                    line.value.as_str(),
                    line.condition.as_deref(),
                )
            })
            .collect();
        assert_eq!(
            shown,
            [
                (2, "usepam", "yes", None),
                (3, "x11forwarding", "\"no\"", None),
                (
                    5,
                    "forcecommand",
                    "/bin/true",
                    Some("User bob Address 10.0.0.0/8,192.0.2.*")
                ),
                (7, "port", "22", Some("all")),
            ]
        );
        assert_eq!(addresses(&lines), ["10.0.0.0", "192.0.2.1"]);
    }
}
