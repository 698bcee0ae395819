//! From what is to what the file says: the steps, shown before they are taken.
#![forbid(unsafe_code)]

use super::access::{Defaults, Grant, SystemUser, SystemUserOverride};
use super::compare::{Field, differences, table};
use super::document::{Document, Section};
use super::filters::Filter;
use super::login_rules::LoginRule;
use super::machines::{Asset, AssetGroup, Site};
use super::object::{Object, Surroundings};
use super::people::{User, UserGroup};
use crate::failure::Done;
use crate::output::{Output, harmless};
use jms::store::{Change, Read, StoreError};
use serde::Serialize;
use std::collections::BTreeMap;

/// What is done to an object.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
enum Action {
    Add,
    Set,
    Rm,
}

type Work = Box<dyn Fn(&Change<'_>, &Surroundings) -> Result<(), StoreError>>;

/// One object and what is done to it.
#[derive(Serialize)]
struct Step {
    action: Action,
    noun: &'static str,
    name: String,
    fields: Vec<Field>,
    #[serde(skip)]
    work: Work,
    /// What needs all objects to be written, and none to be removed yet.
    #[serde(skip)]
    finish: Work,
}

/// All steps in their order, and what the file leaves alone.
pub struct Plan {
    steps: Vec<Step>,
    /// Objects that the store has and the file has not.
    left: Vec<(&'static str, String)>,
}

impl PartialEq for Plan {
    fn eq(&self, other: &Self) -> bool {
        let key = |step: &Step| (step.action, step.noun, step.name.clone());
        self.steps.len() == other.steps.len()
            && self
                .steps
                .iter()
                .zip(&other.steps)
                .all(|(one, two)| key(one) == key(two) && one.fields == two.fields)
    }
}

impl Plan {
    /// Compares the file with the store. `prune`: what the file does not have is removed.
    pub fn make(wanted: &Document, read: Read<'_>, prune: bool) -> Result<Self, StoreError> {
        let mut plan = Self {
            steps: Vec::new(),
            left: Vec::new(),
        };
        let defaults = wanted.defaults.clone();
        let defaults: Section<Defaults> =
            defaults.map(|defaults| BTreeMap::from([(String::new(), defaults)]));
        plan.section::<Site>(wanted.site.as_ref(), read)?;
        plan.section::<UserGroup>(wanted.user_group.as_ref(), read)?;
        plan.section::<AssetGroup>(wanted.asset_group.as_ref(), read)?;
        plan.section::<User>(wanted.user.as_ref(), read)?;
        plan.section::<SystemUser>(wanted.system_user.as_ref(), read)?;
        plan.section::<Defaults>(defaults.as_ref(), read)?;
        plan.section::<Asset>(wanted.asset.as_ref(), read)?;
        plan.section::<SystemUserOverride>(wanted.system_user_override.as_ref(), read)?;
        plan.section::<Grant>(wanted.grant.as_ref(), read)?;
        plan.section::<Filter>(wanted.filter.as_ref(), read)?;
        plan.section::<LoginRule>(wanted.login_rule.as_ref(), read)?;
        if prune {
            // Against the order of writing: what names others goes before them, what lies below before what is above.
            for (noun, name) in std::mem::take(&mut plan.left).into_iter().rev() {
                plan.steps.push(removal(noun, name));
            }
        }
        Ok(plan)
    }

    fn section<T: Object + 'static>(
        &mut self,
        wanted: Option<&BTreeMap<String, T>>,
        read: Read<'_>,
    ) -> Result<(), StoreError> {
        let Some(wanted) = wanted else { return Ok(()) };
        let stored = T::all(read)?;
        for (name, object) in wanted {
            let said = table(object)?;
            let (action, fields) = match stored.get(name) {
                None => (Action::Add, differences(&toml::Table::new(), &said)),
                Some(stored) => (Action::Set, differences(&table(stored)?, &said)),
            };
            if action == Action::Set && fields.is_empty() {
                continue;
            }
            let is_new = action == Action::Add;
            let (object, named) = (object.clone(), name.clone());
            let (last, also_named) = (object.clone(), name.clone());
            self.steps.push(Step {
                action,
                noun: T::NOUN,
                name: name.clone(),
                fields,
                work: Box::new(move |change, surroundings| {
                    object.write(&named, is_new, change, surroundings)
                }),
                finish: Box::new(move |change, _| last.finish(&also_named, change)),
            });
        }
        let gone = stored
            .into_keys()
            .filter(|name| !wanted.contains_key(name) && !T::is_permanent(name));
        self.left.extend(gone.map(|name| (T::NOUN, name)));
        Ok(())
    }

    /// Whether store and file agree.
    pub fn is_empty(&self) -> bool {
        self.steps.is_empty()
    }

    /// Names of users that are not there yet.
    pub fn new_users(&self) -> impl Iterator<Item = &str> {
        let new = |step: &&Step| step.action == Action::Add && step.noun == User::NOUN;
        self.steps.iter().filter(new).map(|step| step.name.as_str())
    }

    /// Takes all steps.
    pub fn carry_out(
        &self,
        change: &Change<'_>,
        surroundings: &Surroundings,
    ) -> Result<(), StoreError> {
        let removals = |step: &&Step| step.action == Action::Rm;
        for step in self.steps.iter().filter(|step| !removals(step)) {
            (step.work)(change, surroundings).map_err(|error| step.blame(error))?;
        }
        for step in &self.steps {
            (step.finish)(change, surroundings).map_err(|error| step.blame(error))?;
        }
        for step in self.steps.iter().filter(removals) {
            match (step.work)(change, surroundings) {
                // It went with something that went before.
                Ok(()) | Err(StoreError::NotFound { .. }) => {}
                Err(error) => return Err(step.blame(error)),
            }
        }
        Ok(())
    }

    /// `2 to add, 1 to change, 3 to remove`
    pub fn summary(&self) -> String {
        let count = |action| {
            self.steps
                .iter()
                .filter(|step| step.action == action)
                .count()
        };
        let parts = [
            (count(Action::Add), "to add"),
            (count(Action::Set), "to change"),
            (count(Action::Rm), "to remove"),
        ];
        let said = parts.iter().filter(|(count, _)| *count > 0);
        said.map(|(count, what)| format!("{count} {what}"))
            .collect::<Vec<_>>()
            .join(", ")
    }

    /// Prints the steps, one object each.
    pub fn show(&self, out: &mut Output) -> Done {
        for step in &self.steps {
            if out.is_json() {
                out.show(step)?;
                continue;
            }
            let sign = match step.action {
                Action::Add => '+',
                Action::Set => '~',
                Action::Rm => '-',
            };
            let head = format!("{sign} {} {}", step.noun, step.name);
            out.text(&format!("{}\n", harmless(head.trim_end())))?;
            for field in &step.fields {
                out.text(&format!("    {}\n", harmless(&field.in_words())))?;
            }
        }
        let left: Vec<String> = self
            .left
            .iter()
            .map(|(noun, name)| format!("{noun} {name}"))
            .collect();
        if !left.is_empty() {
            let some: Vec<&str> = left.iter().take(5).map(String::as_str).collect();
            let more = if left.len() > some.len() { ", …" } else { "" };
            out.note(&format!(
                "not in the file, and left alone without --prune: {}{more} ({} in all)",
                some.join(", "),
                left.len()
            ));
        }
        if !self.is_empty() {
            out.note(&self.summary());
        }
        Ok(())
    }
}

impl Step {
    /// Says which table of the file is to blame.
    fn blame(&self, error: StoreError) -> StoreError {
        match error {
            StoreError::NotFound { .. }
            | StoreError::Refused { .. }
            | StoreError::Exists { .. } => StoreError::Refused {
                sentence: format!("{} {}: {error}; nothing was changed", self.noun, self.name),
            },
            other => other,
        }
    }
}

fn removal(noun: &'static str, name: String) -> Step {
    fn of<T: Object>(name: &str) -> (Work, Work) {
        let (removed, named) = (name.to_owned(), name.to_owned());
        (
            Box::new(move |change, _| T::remove(&removed, change)),
            Box::new(move |change, _| T::let_go(&named, change)),
        )
    }
    let (work, finish) = match noun {
        Site::NOUN => of::<Site>(&name),
        UserGroup::NOUN => of::<UserGroup>(&name),
        AssetGroup::NOUN => of::<AssetGroup>(&name),
        User::NOUN => of::<User>(&name),
        SystemUser::NOUN => of::<SystemUser>(&name),
        Asset::NOUN => of::<Asset>(&name),
        SystemUserOverride::NOUN => of::<SystemUserOverride>(&name),
        Grant::NOUN => of::<Grant>(&name),
        Filter::NOUN => of::<Filter>(&name),
        LoginRule::NOUN => of::<LoginRule>(&name),
        _ => of::<Defaults>(&name),
    };
    Step {
        action: Action::Rm,
        noun,
        name,
        fields: Vec::new(),
        work,
        finish,
    }
}
