//! Login rules in the file.
#![forbid(unsafe_code)]

use super::object::{Object, Surroundings, put, start};
use super::values::{Line, LoginVerdict, Names};
use jms::nouns;
use jms::store::{Change, Read, StoreError};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// `[login-rule.NAME]`; one that names nobody is about everybody.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LoginRule {
    priority: Option<u32>,
    verdict: LoginVerdict,
    users: Option<Names>,
    user_groups: Option<Names>,
    roles: Option<Names>,
    sources: Option<Names>,
    times: Option<Names>,
    comment: Option<Line>,
}

impl Object for LoginRule {
    const NOUN: &'static str = "login-rule";

    fn all(read: Read<'_>) -> Result<BTreeMap<String, Self>, StoreError> {
        let rules = read.login_rules()?.into_iter();
        Ok(rules
            .map(|rule| {
                let said = Self {
                    priority: Some(rule.priority),
                    verdict: LoginVerdict(rule.verdict),
                    users: Some(rule.users.into()),
                    user_groups: Some(rule.user_groups.into()),
                    roles: Some(rule.roles.into()),
                    sources: Some(rule.sources.into()),
                    times: Some(rule.times.into()),
                    comment: Some(Line(rule.comment)),
                };
                (rule.name, said)
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
        let verdict = self.verdict.into();
        let mut rule = start(
            is_new,
            || nouns::LoginRule::new(name, verdict, surroundings.now),
            || change.read().login_rule(name),
        )?;
        rule.verdict = verdict;
        put(&self.priority, &mut rule.priority);
        put(&self.users, &mut rule.users);
        put(&self.user_groups, &mut rule.user_groups);
        put(&self.roles, &mut rule.roles);
        put(&self.sources, &mut rule.sources);
        put(&self.times, &mut rule.times);
        put(&self.comment, &mut rule.comment);
        rule.everybody = !rule.names_somebody();
        match is_new {
            true => change.add_login_rule(&rule).map(drop),
            false => change.set_login_rule(&rule).map(drop),
        }
    }

    fn remove(name: &str, change: &Change<'_>) -> Result<(), StoreError> {
        change.remove_login_rule(name).map(drop)
    }
}
