//! nsswitch.conf: we are asked for users, after the host's own files, and for nothing else.
#![forbid(unsafe_code)]

use super::finding::Findings;
use super::{mend, system, table};
use std::path::{Path, PathBuf};

const FILE: &str = "/etc/nsswitch.conf";
const SERVICE: &str = "jms";
/// Its file.
pub const MODULE: &str = "libnss_jms.so.2";

/// One line: which service answers for a database, with actions between.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Line {
    number: usize,
    database: String,
    words: Vec<String>,
}

impl Line {
    fn has_us(&self) -> bool {
        self.words.iter().any(|word| word == SERVICE)
    }

    fn with(&self, words: &[&str]) -> String {
        format!("{}: {}", self.database, words.join(" "))
    }
}

/// The file, and the module that it names.
#[derive(Debug)]
pub struct Nsswitch {
    lines: Vec<Line>,
    module: bool,
}

impl Nsswitch {
    /// Reads it.
    pub fn gather() -> Self {
        Self {
            lines: parse(&system::read(FILE).unwrap_or_default()),
            module: module_folders()
                .iter()
                .any(|folder| folder.join(MODULE).is_file()),
        }
    }

    /// Judges it.
    pub fn judge(&self, findings: &mut Findings) {
        if !self.module {
            findings.add(
                table::NSSWITCH_MODULE,
                format!(
                    "{MODULE} is in none of libc's folders: the host knows no user of the bastion"
                ),
                mend::reinstall(),
            );
        }
        for line in self
            .lines
            .iter()
            .filter(|line| line.database != "passwd" && line.has_us())
        {
            let rest: Vec<&str> = line
                .words
                .iter()
                .map(String::as_str)
                .filter(|word| *word != SERVICE)
                .collect();
            findings.add(
                table::NSSWITCH_OTHER,
                format!("{FILE} asks jms for {}, where a fault of ours would break local logins; it answers for passwd only", line.database),
                mend::replace_line(Path::new(FILE), line.number, &line.with(&rest)),
            );
        }
        match self.lines.iter().find(|line| line.database == "passwd") {
            None => findings.add(
                table::NSSWITCH_PASSWD,
                format!("{FILE} has no passwd line, so the host knows no user of the bastion"),
                format!("echo 'passwd: files {SERVICE}' >> {FILE}"),
            ),
            Some(line) => judge_passwd(line, findings),
        }
    }
}

fn judge_passwd(line: &Line, findings: &mut Findings) {
    let place = Path::new(FILE);
    let before: Vec<&str> = line
        .words
        .iter()
        .map(String::as_str)
        .take_while(|word| *word != SERVICE)
        .collect();
    let others: Vec<&str> = line
        .words
        .iter()
        .map(String::as_str)
        .filter(|word| *word != SERVICE)
        .collect();
    if !line.has_us() {
        let mut words = others;
        words.push(SERVICE);
        findings.add(
            table::NSSWITCH_PASSWD,
            format!(
                "the passwd line of {FILE} has no jms, so the host knows no user of the bastion"
            ),
            mend::replace_line(place, line.number, &line.with(&words)),
        );
    } else if !before.iter().any(|word| ["files", "compat"].contains(word)) {
        // Right after the host's own files: nobody else may take our names either.
        let mut words: Vec<&str> = others.clone();
        let at = words
            .iter()
            .position(|word| ["files", "compat"].contains(word));
        match at {
            Some(at) => words.insert(at + 1, SERVICE),
            None => words.splice(0..0, ["files", SERVICE]).for_each(drop),
        }
        findings.add(
            table::NSSWITCH_PASSWD,
            format!("the passwd line of {FILE} asks jms before the host's own files"),
            mend::replace_line(place, line.number, &line.with(&words)),
        );
    } else if let Some(action) = before.iter().find(|word| ends_lookups(word)) {
        let words: Vec<&str> = line
            .words
            .iter()
            .map(String::as_str)
            .filter(|word| word != action)
            .collect();
        findings.add(
            table::NSSWITCH_ACTION,
            format!("the passwd line of {FILE} has {action} before jms, which ends look-ups before jms is asked"),
            mend::replace_line(place, line.number, &line.with(&words)),
        );
    }
}

/// `[NOTFOUND=return]` and its like; `[SUCCESS=return]` is the default and harmless.
fn ends_lookups(word: &str) -> bool {
    let word = word.to_ascii_lowercase();
    word.starts_with('[')
        && word
            .trim_matches(['[', ']'])
            .split_whitespace()
            .any(|action| action.ends_with("=return") && !action.starts_with("success"))
}

fn parse(text: &str) -> Vec<Line> {
    let line = |(line, number): (&str, usize)| {
        let (database, rest) = line.split('#').next()?.split_once(':')?;
        Some(Line {
            number,
            database: database.trim().to_owned(),
            words: words(rest),
        })
    };
    text.lines().zip(1..).filter_map(line).collect()
}

/// Services, and actions in their brackets as one word each.
fn words(text: &str) -> Vec<String> {
    let mut words: Vec<String> = Vec::new();
    let mut open = false;
    for word in text
        .replace('[', " [")
        .replace(']', "] ")
        .split_whitespace()
    {
        match words.last_mut() {
            Some(last) if open => {
                last.push(' ');
                last.push_str(word);
            }
            _ => words.push(word.to_owned()),
        }
        open = (open || word.starts_with('[')) && !word.ends_with(']');
    }
    words
}

/// Where libc looks for modules.
pub fn module_folders() -> Vec<PathBuf> {
    let triplet = format!("{}-linux-gnu", std::env::consts::ARCH);
    vec![
        Path::new("/usr/lib").join(&triplet),
        Path::new("/lib").join(&triplet),
        "/usr/lib64".into(),
        "/lib64".into(),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(text: &str) -> Vec<&'static str> {
        let facts = Nsswitch {
            lines: parse(text),
            module: true,
        };
        let mut findings = Findings::default();
        facts.judge(&mut findings);
        findings
            .into_sorted()
            .iter()
            .map(|finding| finding.id)
            .collect()
    }

    #[test]
    fn stock_lines_are_right() {
        for text in [
            "passwd: files jms\ngroup: files\n",
            "passwd:\tfiles systemd jms # ours\ngroup: files systemd\n",
            "passwd: compat jms sss\n",
            "passwd: files [SUCCESS=return] jms",
            "passwd: files jms [NOTFOUND=return] sss",
        ] {
            assert_eq!(found(text), [""; 0], "{text}");
        }
    }

    #[test]
    fn wrong_lines_are_found() {
        assert_eq!(found("group: files"), ["nsswitch.passwd"]);
        assert_eq!(found("passwd: files sss"), ["nsswitch.passwd"]);
        assert_eq!(found("passwd: jms files"), ["nsswitch.passwd"]);
        assert_eq!(
            found("passwd: files [NOTFOUND=return] jms"),
            ["nsswitch.action"]
        );
        assert_eq!(
            found("passwd: files[!UNAVAIL=return UNAVAIL=continue]jms"),
            ["nsswitch.action"]
        );
        assert_eq!(
            found("passwd: files jms\ngroup: files jms"),
            ["nsswitch.other"]
        );
    }
}
