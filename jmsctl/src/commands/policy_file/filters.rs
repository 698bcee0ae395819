//! Command filters and their rules in the file.
#![forbid(unsafe_code)]

use super::object::{Object, Surroundings, put, start};
use super::values::{Line, Names};
use filter::{Matching, Verdict};
use jms::nouns::{self, FilterRule, Scope};
use jms::store::{Change, Read, StoreError};
use serde::de::Error;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::collections::BTreeMap;

/// One of the four words.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Word(Verdict);

impl Serialize for Word {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.0.as_str())
    }
}

impl<'de> Deserialize<'de> for Word {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let word = String::deserialize(deserializer)?;
        Verdict::parse(&word)
            .map(Self)
            .ok_or_else(|| D::Error::custom("one of allow, deny, warn, confirm"))
    }
}

impl From<Word> for Verdict {
    fn from(word: Word) -> Self {
        word.0
    }
}

/// `[filter.NAME]`; `[[filter.NAME.rule]]` replaces all its rules.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Filter {
    default: Option<Word>,
    users: Option<Names>,
    user_groups: Option<Names>,
    assets: Option<Names>,
    asset_groups: Option<Names>,
    system_users: Option<Names>,
    comment: Option<Line>,
    rule: Option<Vec<Rule>>,
}

/// A rule without its number, which is this bastion's own affair. A field that is not said has its default, so that a
/// short table and a whole one are the same.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rule {
    verdict: Word,
    #[serde(skip_serializing_if = "Option::is_none")]
    command: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    regex: Option<String>,
    #[serde(default = "fifty")]
    priority: u32,
    #[serde(default)]
    ignore_case: bool,
    #[serde(default = "yes")]
    everywhere: bool,
    #[serde(default)]
    users: Names,
    #[serde(default)]
    user_groups: Names,
    #[serde(default)]
    assets: Names,
    #[serde(default)]
    asset_groups: Names,
    #[serde(default)]
    system_users: Names,
    #[serde(default)]
    comment: Line,
}

fn fifty() -> u32 {
    FilterRule::PRIORITY
}

fn yes() -> bool {
    true
}

impl From<FilterRule> for Rule {
    fn from(rule: FilterRule) -> Self {
        Self {
            verdict: Word(rule.verdict),
            command: rule.command,
            regex: rule.regex,
            priority: rule.priority,
            ignore_case: rule.ignore_case,
            everywhere: rule.everywhere,
            users: rule.scope.users.into(),
            user_groups: rule.scope.user_groups.into(),
            assets: rule.scope.assets.into(),
            asset_groups: rule.scope.asset_groups.into(),
            system_users: rule.scope.system_users.into(),
            comment: Line(rule.comment),
        }
    }
}

impl Rule {
    fn noun(&self, filter: &str, surroundings: &Surroundings) -> Result<FilterRule, StoreError> {
        let matching = match (&self.command, &self.regex) {
            (Some(command), None) => Matching::Command(command.clone()),
            (None, Some(regex)) => Matching::Regex(regex.clone()),
            _ => {
                return Err(StoreError::Refused {
                    sentence: "a rule needs a command or a regex, and not both".to_owned(),
                });
            }
        };
        let scope = Scope {
            users: self.users.clone().into(),
            user_groups: self.user_groups.clone().into(),
            assets: self.assets.clone().into(),
            asset_groups: self.asset_groups.clone().into(),
            system_users: self.system_users.clone().into(),
        };
        if self.everywhere && !scope.is_empty() {
            return Err(StoreError::Refused {
                sentence: format!(
                    "rule “{}” names where it holds: say everywhere = false",
                    matching.text()
                ),
            });
        }
        Ok(FilterRule {
            priority: self.priority,
            ignore_case: self.ignore_case,
            everywhere: self.everywhere,
            scope,
            comment: self.comment.0.clone(),
            ..FilterRule::new(filter, self.verdict.0, matching, surroundings.now)
        })
    }
}

impl Object for Filter {
    const NOUN: &'static str = "filter";

    fn all(read: Read<'_>) -> Result<BTreeMap<String, Self>, StoreError> {
        let mut rules: BTreeMap<String, Vec<Rule>> = BTreeMap::new();
        for rule in read.every_filter_rule()? {
            let filter = rule.filter.clone();
            rules.entry(filter).or_default().push(rule.into());
        }
        let filters = read.filters()?.into_iter();
        Ok(filters
            .map(|filter| {
                let said = Self {
                    default: Some(Word(filter.default)),
                    users: Some(filter.scope.users.into()),
                    user_groups: Some(filter.scope.user_groups.into()),
                    assets: Some(filter.scope.assets.into()),
                    asset_groups: Some(filter.scope.asset_groups.into()),
                    system_users: Some(filter.scope.system_users.into()),
                    comment: Some(Line(filter.comment)),
                    rule: Some(rules.remove(&filter.name).unwrap_or_default()),
                };
                (filter.name, said)
            })
            .collect())
    }

    fn write(
        &self,
        name: &str,
        is_new: bool,
        change: &Change<'_>,
        surroundings: &Surroundings,
    ) -> Result<(), StoreError> {
        let mut filter = start(
            is_new,
            || nouns::Filter::new(name, surroundings.now),
            || change.read().filter(name),
        )?;
        put(&self.default, &mut filter.default);
        put(&self.users, &mut filter.scope.users);
        put(&self.user_groups, &mut filter.scope.user_groups);
        put(&self.assets, &mut filter.scope.assets);
        put(&self.asset_groups, &mut filter.scope.asset_groups);
        put(&self.system_users, &mut filter.scope.system_users);
        put(&self.comment, &mut filter.comment);
        match is_new {
            true => change.add_filter(&filter)?,
            false => change.set_filter(&filter)?,
        };
        let Some(said) = &self.rule else {
            return Ok(());
        };
        let known: Vec<Rule> = change
            .read()
            .filter_rules(name)?
            .into_iter()
            .map(Rule::from)
            .collect();
        let as_known = known.len() == said.len() && said.iter().all(|rule| known.contains(rule));
        if as_known {
            // Their numbers stay.
            return Ok(());
        }
        let rules: Vec<FilterRule> = said
            .iter()
            .map(|rule| rule.noun(name, surroundings))
            .collect::<Result<_, _>>()?;
        change.replace_filter_rules(name, &rules).map(drop)
    }

    fn remove(name: &str, change: &Change<'_>) -> Result<(), StoreError> {
        change.remove_filter(name).map(drop)
    }
}
