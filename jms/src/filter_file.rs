//! Rules in a file: TOML, or JSON with the fields of other bastions.
//!
//! The file is text that anybody may have written. What it says is checked by whoever keeps it ([`filter::check`]).
#![forbid(unsafe_code)]

use crate::nouns::FilterRule;
use crate::time::Time;
use filter::{Matching, Verdict};
use serde::de::Error;
use serde::{Deserialize, Deserializer};

/// So many rules one file may have.
pub const MAX_RULES: usize = 10_000;

/// The longest comment, in characters.
const MAX_COMMENT: usize = 1024;

/// A rule as a file says it.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Entry {
    #[serde(default = "fifty")]
    priority: u32,
    #[serde(alias = "action", deserialize_with = "verdict")]
    verdict: Verdict,
    command: Option<String>,
    #[serde(alias = "pattern")]
    regex: Option<String>,
    #[serde(default)]
    ignore_case: bool,
    #[serde(default)]
    comment: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Tables {
    #[serde(default)]
    rule: Vec<Entry>,
}

fn fifty() -> u32 {
    FilterRule::PRIORITY
}

fn verdict<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Verdict, D::Error> {
    let word = String::deserialize(deserializer)?;
    match word.as_str() {
        "deny" | "reject" => Ok(Verdict::Deny),
        "allow" | "accept" => Ok(Verdict::Allow),
        "warn" | "warning" => Ok(Verdict::Warn),
        "confirm" => Ok(Verdict::Confirm),
        other => Err(D::Error::custom(format!(
            "“{}” is none of deny, allow, warn, confirm",
            other.escape_debug()
        ))),
    }
}

/// Reads the rules of a file: a TOML table `[[rule]]` for each, or a JSON list.
///
/// # Errors
/// A sentence with the place: neither TOML nor JSON, an unknown field, a value that cannot be, too many rules.
pub fn parse(text: &str) -> Result<Vec<Entry>, String> {
    let text = text.trim_start_matches('\u{feff}');
    let entries = if is_json(text) {
        serde_json::from_str(text).map_err(|error| error.to_string())?
    } else {
        let tables: Tables = toml::from_str(text).map_err(|error| error.to_string())?;
        tables.rule
    };
    if entries.len() > MAX_RULES {
        return Err(format!("more than {MAX_RULES} rules"));
    }
    for (number, entry) in (1..).zip(&entries) {
        entry
            .complaint()
            .map_or(Ok(()), |sentence| Err(format!("rule {number}: {sentence}")))?;
    }
    Ok(entries)
}

/// `[[rule]]` begins TOML, `[{` and `[]` JSON.
fn is_json(text: &str) -> bool {
    let text = text.trim_start();
    text.strip_prefix('[').is_some_and(|rest| {
        let next = rest.trim_start().chars().next();
        matches!(next, Some('{' | ']'))
    })
}

impl Entry {
    fn complaint(&self) -> Option<String> {
        if self.command.is_some() == self.regex.is_some() {
            return Some("it needs a command or a regex, and not both".to_owned());
        }
        let comment = &self.comment;
        if comment.chars().any(char::is_control) || comment.chars().count() > MAX_COMMENT {
            return Some(format!(
                "a comment is one line without control characters, at most {MAX_COMMENT} long"
            ));
        }
        None
    }

    /// The rule of `filter` that it makes.
    #[must_use]
    pub fn rule(self, filter: &str, now: Time) -> FilterRule {
        let matching = match (self.command, self.regex) {
            (Some(command), _) => Matching::Command(command),
            (None, regex) => Matching::Regex(regex.unwrap_or_default()),
        };
        FilterRule {
            priority: self.priority,
            ignore_case: self.ignore_case,
            comment: self.comment,
            ..FilterRule::new(filter, self.verdict, matching, now)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rules(text: &str) -> Vec<FilterRule> {
        let entries = parse(text).unwrap();
        entries
            .into_iter()
            .map(|entry| entry.rule("f", Time(0)))
            .collect()
    }

    #[test]
    fn toml_and_json_say_the_same() {
        let toml = rules(
            "[[rule]]\nverdict = 'deny'\ncommand = 'rm -rf'\npriority = 10\ncomment = 'gone is gone'\n\n[[rule]]\naction = 'warn'\nregex = 'DROP'\nignore_case = true\n",
        );
        let json = rules(
            r#" [ {"verdict": "deny", "command": "rm -rf", "priority": 10, "comment": "gone is gone"},
                 {"action": "warn", "pattern": "DROP", "ignore_case": true} ]"#,
        );
        assert_eq!(toml, json);
        assert_eq!(toml[0].command.as_deref(), Some("rm -rf"));
        assert_eq!(toml[1].priority, 50);
        assert_eq!(toml[1].regex.as_deref(), Some("DROP"));
    }

    #[test]
    fn a_file_without_rules_is_an_empty_list() {
        for text in ["[]", " [ ] ", "", "# nothing\n"] {
            assert_eq!(rules(text), [], "{text:?}");
        }
    }

    #[test]
    fn what_is_no_rule_is_said_with_its_place() {
        for (text, reason) in [
            ("[{\"pattern\": \"x\"}]", "verdict"),
            ("[{\"pattern\": \"x\", \"action\": \"review\"}]", "none of"),
            ("[{\"action\": \"deny\"}]", "rule 1"),
            (
                "[[rule]]\nverdict = 'deny'\ncommand = 'a'\nregex = 'b'",
                "not both",
            ),
            ("[[rule]]\nverdict = 'deny'\ncomand = 'a'", "comand"),
            (
                "[[rule]]\nverdict = 'deny'\ncommand = 'a'\npriority = -1",
                "-1",
            ),
            (
                "[[rule]]\nverdict = 'deny'\ncommand = 'a'\ncomment = \"\\u001b\"",
                "control",
            ),
            ("rm -rf", "line 1"),
            ("{\"rules\": []}", "line 1"),
        ] {
            let sentence = parse(text).unwrap_err();
            assert!(sentence.contains(reason), "{text:?}: {sentence}");
        }
        let many = format!(
            "[{}]",
            vec![r#"{"action":"deny","pattern":"x"}"#; MAX_RULES + 1].join(",")
        );
        assert!(parse(&many).unwrap_err().contains("more than"));
    }
}
