//! Rules of command filters.

use super::change::Change;
use super::error::StoreError;
use super::filter_scopes::Scoped;
use super::filters::verdict;
use super::read::{Read, Visit, all, number, time};
use crate::nouns::{Filter, FilterRule};
use filter::RuleText;
use rusqlite::{Row, params};
use serde::Serialize;
use std::collections::HashMap;

/// The highest priority, which is asked last.
const MAX_PRIORITY: u32 = 1_000_000;

const WITH_FILTER: &str =
    "SELECT r.*, f.name AS filter FROM filter_rule r JOIN filter f ON f.id = r.filter_id";

/// As the decision asks them.
const IN_ORDER: &str = "r.priority,
    CASE r.verdict WHEN 'deny' THEN 0 WHEN 'confirm' THEN 1 WHEN 'warn' THEN 2 ELSE 3 END, r.id";

fn rule(read: Read<'_>, row: &Row<'_>) -> Result<FilterRule, StoreError> {
    let id: i64 = row.get("id")?;
    let scoped = Scoped::rule(row.get("filter_id")?, id);
    let everywhere: bool = row.get("everywhere")?;
    Ok(FilterRule {
        id,
        filter: row.get("filter")?,
        priority: number("priority", row.get("priority")?)?,
        verdict: verdict(row, "verdict")?,
        command: row.get("command")?,
        regex: row.get("regex")?,
        ignore_case: row.get("ignore_case")?,
        everywhere,
        scope: if everywhere {
            crate::nouns::Scope::default()
        } else {
            read.scope_of(scoped)?
        },
        comment: row.get("comment")?,
        created_at: time(row, "created_at")?,
        updated_at: time(row, "updated_at")?,
    })
}

/// What the event says of rules that were replaced.
#[derive(Serialize)]
struct Rules<'a> {
    name: &'a str,
    rules: usize,
    texts: Vec<String>,
}

fn in_words(rule: &RuleText) -> String {
    let kind = match rule.matching {
        filter::Matching::Command(_) => "command",
        filter::Matching::Regex(_) => "regex",
    };
    let text = rule.matching.text();
    format!("{} {} {kind} {text}", rule.priority, rule.verdict.as_str())
}

impl Read<'_> {
    /// The rule of that number.
    ///
    /// # Errors
    /// [`StoreError::NotFound`].
    pub fn filter_rule(self, id: i64) -> Result<FilterRule, StoreError> {
        let found = self.first(&format!("{WITH_FILTER} WHERE r.id = ?1"), [id], |row| {
            rule(self, row)
        })?;
        found.ok_or_else(|| StoreError::NotFound {
            kind: "rule",
            name: id.to_string(),
            nearest: None,
        })
    }

    /// The rules of a filter, in the order in which they are asked.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] for the filter.
    pub fn filter_rules(self, filter: &str) -> Result<Vec<FilterRule>, StoreError> {
        let id = self.id_of("filter", "filter", filter)?;
        self.rows(
            &format!("{WITH_FILTER} WHERE r.filter_id = ?1 ORDER BY {IN_ORDER}"),
            [id],
            |row| rule(self, row),
        )
    }

    /// All rules of all filters, by filter and in that order.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn every_filter_rule(self) -> Result<Vec<FilterRule>, StoreError> {
        all(|visit| self.each_filter_rule(visit))
    }

    /// The same one after the other.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn each_filter_rule(self, visit: Visit<'_, FilterRule>) -> Result<(), StoreError> {
        self.each(
            &format!("{WITH_FILTER} ORDER BY f.name, {IN_ORDER}"),
            [],
            |row| rule(self, row),
            visit,
        )
    }
}

impl Change<'_> {
    /// Adds a rule to a filter.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] for the filter, or for whoever or whatever the rule is for; [`StoreError::Refused`] for
    /// one that could not be used.
    pub fn add_filter_rule(&self, new: &FilterRule) -> Result<FilterRule, StoreError> {
        let filter = self.read().filter(&new.filter)?;
        let added = self.insert_rule(&filter, new)?;
        self.audit("rule", &added.id.to_string(), None, Some(&added))?;
        self.touch(&filter)?;
        self.say_unreachable(&filter, Some(added.id))?;
        Ok(added)
    }

    /// Writes a rule that was read and edited; it stays in its filter.
    ///
    /// # Errors
    /// As [`Change::add_filter_rule`].
    pub fn set_filter_rule(&self, edited: &FilterRule) -> Result<FilterRule, StoreError> {
        let before = self.read().filter_rule(edited.id)?;
        let filter = self.read().filter(&before.filter)?;
        let after = self.write_rule(&filter, edited)?;
        self.audit("rule", &after.id.to_string(), Some(&before), Some(&after))?;
        self.touch(&filter)?;
        self.say_unreachable(&filter, Some(after.id))?;
        Ok(after)
    }

    /// Removes a rule.
    ///
    /// # Errors
    /// [`StoreError::NotFound`].
    pub fn remove_filter_rule(&self, id: i64) -> Result<FilterRule, StoreError> {
        let before = self.read().filter_rule(id)?;
        let filter = self.read().filter(&before.filter)?;
        self.execute("DELETE FROM filter_rule WHERE id = ?1", [id])?;
        self.audit("rule", &id.to_string(), Some(&before), None)?;
        self.touch(&filter)?;
        Ok(before)
    }

    /// Puts `rules` in the place of all that a filter has.
    ///
    /// # Errors
    /// As [`Change::add_filter_rule`].
    pub fn replace_filter_rules(
        &self,
        filter: &str,
        rules: &[FilterRule],
    ) -> Result<Filter, StoreError> {
        let known = self.read().filter(filter)?;
        let in_words_of = |rules: &[FilterRule]| Rules {
            name: &known.name,
            rules: rules.len(),
            texts: rules.iter().map(|rule| in_words(&rule.text())).collect(),
        };
        let before = in_words_of(&self.read().filter_rules(filter)?);
        self.execute("DELETE FROM filter_rule WHERE filter_id = ?1", [known.id])?;
        for rule in rules {
            self.insert_rule(&known, rule)?;
        }
        let after = in_words_of(&self.read().filter_rules(filter)?);
        self.audit("filter", filter, Some(&before), Some(&after))?;
        self.touch(&known)?;
        self.say_unreachable(&known, None)?;
        self.read().filter(filter)
    }

    /// Warns of rules that never speak, of all in the filter or those that `about` has to do with.
    fn say_unreachable(&self, filter: &Filter, about: Option<i64>) -> Result<(), StoreError> {
        let rules = self.read().filter_rules(&filter.name)?;
        let texts: Vec<RuleText> = rules.iter().map(FilterRule::text).collect();
        let by_id: HashMap<i64, &FilterRule> = rules.iter().map(|rule| (rule.id, rule)).collect();
        let holds_with = |one: i64, other: i64| match (by_id.get(&one), by_id.get(&other)) {
            (Some(one), Some(other)) => {
                one.everywhere || !other.everywhere && one.scope == other.scope
            }
            _ => false,
        };
        for found in filter::unreachable(&texts, holds_with) {
            if about.is_none_or(|id| id == found.rule || id == found.by) {
                self.has_consequence(format!(
                    "rule {} is never reached: rule {} speaks first of all that it looks for",
                    found.rule, found.by
                ));
            }
        }
        Ok(())
    }

    fn insert_rule(&self, filter: &Filter, new: &FilterRule) -> Result<FilterRule, StoreError> {
        self.execute(
            "INSERT INTO filter_rule (filter_id, priority, verdict, command, everywhere, created_at, updated_at)
             VALUES (?1, 0, 'deny', '', 1, ?2, ?2)",
            params![filter.id, self.now().0],
        )?;
        let id = self.last_id();
        self.write_rule(filter, &FilterRule { id, ..new.clone() })
    }

    fn write_rule(&self, filter: &Filter, rule: &FilterRule) -> Result<FilterRule, StoreError> {
        let refuse = |sentence: String| Err(StoreError::Refused { sentence });
        if rule.command.is_some() == rule.regex.is_some() {
            return refuse(
                "a rule needs one thing that it looks for: --command 'rm -rf' or --regex RE"
                    .to_owned(),
            );
        }
        if rule.priority > MAX_PRIORITY {
            return refuse(format!("a priority is at most {MAX_PRIORITY}"));
        }
        let text = rule.text();
        if let Err(error) = filter::check(&text) {
            return refuse(format!("“{}”: {error}", text.matching.text()));
        }
        self.execute(
            "UPDATE filter_rule SET priority = ?2, verdict = ?3, command = ?4, regex = ?5, ignore_case = ?6,
                 everywhere = ?7, comment = ?8, updated_at = ?9 WHERE id = ?1",
            params![
                rule.id,
                rule.priority,
                rule.verdict.as_str(),
                rule.command,
                rule.regex,
                rule.ignore_case,
                rule.everywhere,
                rule.comment,
                self.now().0
            ],
        )?;
        let scoped = Scoped::rule(filter.id, rule.id);
        let scope = if rule.everywhere {
            &crate::nouns::Scope::default()
        } else {
            &rule.scope
        };
        self.write_scope(scoped, scope)?;
        self.read().filter_rule(rule.id)
    }

    /// A filter whose rules change has changed.
    fn touch(&self, filter: &Filter) -> Result<(), StoreError> {
        self.execute(
            "UPDATE filter SET updated_at = ?2 WHERE id = ?1",
            params![filter.id, self.now().0],
        )?;
        Ok(())
    }
}
