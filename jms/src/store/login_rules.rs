//! Login rules: written once they are understood, read without leaving anything out.

use super::change::{Change, replace_links, valid};
use super::error::StoreError;
use super::read::{Read, Visit, all, number, time, word};
use super::selector::Selector;
use crate::names::LabelName;
use crate::nouns::{LoginRule, Role, User};
use crate::policy::login_rule::{Candidate, Judge, Outcome, Rule, Step, Verdict, Weekly};
use crate::time::Time;
use crate::time_zone;
use jiff::tz::TimeZone;
use rusqlite::{Row, params};
use snapshot::Cidr;
use std::cell::RefCell;
use std::collections::HashMap;
use std::net::IpAddr;

/// The order in which rules are asked.
const ORDER: &str =
    "ORDER BY priority, CASE verdict WHEN 'deny' THEN 0 WHEN 'notify' THEN 1 ELSE 2 END, name";

/// In milliseconds.
const MINUTE: i64 = 60_000;
const MINUTES_OF_AN_HOUR: i64 = 60;

/// Between two networks or roles, and between two times, as they are stored.
const COMMA: char = ',';
const SEMICOLON: char = ';';

/// The parts of a text; of an empty one none. An empty part stays, so that it is refused, and is never wider than it looks.
fn list(text: &str, mark: char) -> Vec<String> {
    if text.is_empty() {
        return Vec::new();
    }
    let parts = text.split(mark).map(str::trim);
    parts.map(str::to_owned).collect()
}

fn login_rule(read: Read<'_>, row: &Row<'_>) -> Result<LoginRule, StoreError> {
    let id: i64 = row.get("id")?;
    Ok(LoginRule {
        id,
        name: row.get("name")?,
        priority: number("priority", row.get("priority")?)?,
        verdict: word("verdict", &row.get::<_, String>("verdict")?, Verdict::parse)?,
        everybody: row.get("everybody")?,
        users: read.texts(
            "SELECT u.name FROM user u JOIN login_rule_user l ON l.user_id = u.id WHERE l.login_rule_id = ?1 ORDER BY 1",
            [id],
        )?,
        user_groups: read.texts(
            "SELECT g.name FROM user_group g JOIN login_rule_user_group l ON l.user_group_id = g.id WHERE l.login_rule_id = ?1 ORDER BY 1",
            [id],
        )?,
        roles: list(&row.get::<_, String>("roles")?, COMMA),
        sources: list(&row.get::<_, String>("sources")?, COMMA),
        times: list(&row.get::<_, String>("times")?, SEMICOLON),
        comment: row.get("comment")?,
        created_at: time(row, "created_at")?,
        updated_at: time(row, "updated_at")?,
    })
}

/// The roles of a text, or what is wrong with it.
fn roles(text: &str) -> Result<Vec<Role>, String> {
    let parsed = list(text, COMMA).into_iter().map(|role| {
        Role::parse(&role).ok_or_else(|| format!("“{}” is no role", role.escape_debug()))
    });
    parsed.collect()
}

/// The networks of a text, or what is wrong with it.
fn sources(text: &str) -> Result<Vec<Cidr>, String> {
    let parsed = list(text, COMMA).into_iter();
    let parsed = parsed.map(|network| network.parse::<Cidr>().map_err(|error| error.to_string()));
    parsed.collect()
}

/// The times of a text, or what is wrong with it.
fn times(text: &str) -> Result<Vec<Weekly>, String> {
    let parsed = list(text, SEMICOLON).into_iter();
    let parsed = parsed.map(|times| times.parse::<Weekly>().map_err(|error| error.to_string()));
    parsed.collect()
}

/// A row as it comes up for a user of that role. Whatever cannot be read is the candidate's own trouble, not the caller's.
fn candidate(row: &Row<'_>, role: Role) -> Candidate {
    let text = |column: &str| {
        let text = row.get::<_, String>(column);
        text.map_err(|error| format!("{column}: {error}"))
    };
    let name = text("name").unwrap_or_else(|_| "(its name cannot be read)".to_owned());
    let about = row
        .get::<_, bool>("named")
        .map_err(|error| error.to_string())
        .and_then(|named| Ok(named || roles(&text("roles")?)?.contains(&role)));
    let rule = || {
        let verdict = text("verdict")?;
        Ok(Rule {
            verdict: Verdict::parse(&verdict)
                .ok_or_else(|| format!("“{}” is no verdict", verdict.escape_debug()))?,
            sources: sources(&text("sources")?)?,
            times: times(&text("times")?)?,
        })
    };
    match about {
        Ok(concerns) => Candidate {
            name,
            concerns,
            rule: rule(),
        },
        Err(why) => Candidate {
            name,
            concerns: true,
            rule: Err(why),
        },
    }
}

/// Time zones, each read once, however many rules name it.
#[derive(Default)]
struct KnownZones(RefCell<HashMap<String, Option<TimeZone>>>);

impl KnownZones {
    fn find(&self, name: &str) -> Option<TimeZone> {
        let mut known = self.0.borrow_mut();
        let zone = known.entry(name.to_owned());
        zone.or_insert_with(|| time_zone::find(name)).clone()
    }
}

impl Read<'_> {
    /// The login rule of that name.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] with the nearest name.
    pub fn login_rule(self, name: &str) -> Result<LoginRule, StoreError> {
        let found = self.first("SELECT * FROM login_rule WHERE name = ?1", [name], |row| {
            login_rule(self, row)
        })?;
        found.ok_or_else(|| self.missing("login rule", "login_rule", name))
    }

    /// Every login rule, in the order in which they are asked.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn login_rules(self) -> Result<Vec<LoginRule>, StoreError> {
        all(|visit| self.each_login_rule(visit))
    }

    /// The same one after the other.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn each_login_rule(self, visit: Visit<'_, LoginRule>) -> Result<(), StoreError> {
        self.each(
            &format!("SELECT * FROM login_rule {ORDER}"),
            [],
            |row| login_rule(self, row),
            visit,
        )
    }

    /// What the login rules say of a login of `user` from `source` at `now`.
    ///
    /// # Errors
    /// [`StoreError`] when the rules cannot be asked; one that cannot be read is [`Outcome::Unreadable`].
    pub fn judge_login(
        self,
        user: &User,
        source: Option<IpAddr>,
        now: Time,
    ) -> Result<Outcome, StoreError> {
        Ok(self.judged(user, source, now, false)?.0)
    }

    /// The same with each rule that was tried, those that are not about him among them.
    ///
    /// # Errors
    /// As [`Read::judge_login`].
    pub fn explain_login(
        self,
        user: &User,
        source: Option<IpAddr>,
        now: Time,
    ) -> Result<(Outcome, Vec<Step>), StoreError> {
        self.judged(user, source, now, true)
    }

    fn judged(
        self,
        user: &User,
        source: Option<IpAddr>,
        now: Time,
        others_too: bool,
    ) -> Result<(Outcome, Vec<Step>), StoreError> {
        let zones = KnownZones::default();
        let zones = |name: &str| zones.find(name);
        let mut judge = Judge::new(source, now, &zones);
        self.each_candidate(user, others_too, &mut |candidate| judge.consider(candidate))?;
        Ok(judge.finish())
    }

    /// Until when a login of `user` from `source` would be let in, if that ends in the hour after `now`; a minute is the
    /// shortest time that rules know.
    ///
    /// # Errors
    /// As [`Read::judge_login`].
    pub fn lets_in_until(
        self,
        user: &User,
        source: Option<IpAddr>,
        now: Time,
    ) -> Result<Option<Time>, StoreError> {
        let mut candidates = Vec::new();
        self.each_candidate(user, false, &mut |candidate| {
            candidates.push(candidate);
            true
        })?;
        let zones = KnownZones::default();
        let zones = |name: &str| zones.find(name);
        let lets_in = |at: Time| {
            let mut judge = Judge::new(source, at, &zones);
            candidates
                .iter()
                .all(|candidate| judge.consider(candidate.clone()));
            judge.finish().0.allows()
        };
        let has_times = |candidate: &Candidate| {
            let rule = candidate.rule.as_ref();
            rule.is_ok_and(|rule| !rule.times.is_empty())
        };
        if !lets_in(now) {
            return Ok(Some(now));
        }
        if !candidates.iter().any(has_times) {
            return Ok(None);
        }
        let this_minute = now.0 - now.0.rem_euclid(MINUTE);
        let minutes = (1..=MINUTES_OF_AN_HOUR).map(|minute| Time(this_minute + minute * MINUTE));
        Ok(minutes.into_iter().find(|at| !lets_in(*at)))
    }

    /// The rules that come up for a user, in their order, until `visit` wants no more.
    fn each_candidate(
        self,
        user: &User,
        others_too: bool,
        visit: Visit<'_, Candidate>,
    ) -> Result<(), StoreError> {
        let sql = format!(
            "SELECT * FROM (SELECT r.*, everybody = 1
                    OR id IN (SELECT login_rule_id FROM login_rule_user WHERE user_id = ?1)
                    OR id IN (SELECT l.login_rule_id FROM user_group_member m
                              JOIN login_rule_user_group l ON l.user_group_id = m.user_group_id
                              WHERE m.user_id = ?1) AS named
                FROM login_rule r)
             WHERE ?2 OR named OR roles <> '' {ORDER}"
        );
        self.each(
            &sql,
            params![user.id, others_too],
            |row| Ok(candidate(row, user.role)),
            visit,
        )
    }

    /// Names of the login rules that name this row.
    pub(super) fn login_rules_linked(
        self,
        what: Selector,
        id: i64,
    ) -> Result<Vec<String>, StoreError> {
        let (table, column) = match what {
            Selector::User => ("login_rule_user", "user_id"),
            Selector::UserGroup => ("login_rule_user_group", "user_group_id"),
            _ => return Ok(Vec::new()),
        };
        self.texts(
            &format!(
                "SELECT r.name FROM login_rule r JOIN {table} l ON l.login_rule_id = r.id WHERE l.{column} = ?1 ORDER BY 1"
            ),
            [id],
        )
    }
}

impl Change<'_> {
    /// Adds a login rule.
    ///
    /// # Errors
    /// [`StoreError::Exists`]; [`StoreError::NotFound`] for whom it names; [`StoreError::Refused`] for what could not be
    /// read later.
    pub fn add_login_rule(&self, new: &LoginRule) -> Result<LoginRule, StoreError> {
        valid(LabelName::new(&new.name))?;
        self.refuse_taken("login rule", "login_rule", &new.name)?;
        self.execute(
            "INSERT INTO login_rule (name, priority, verdict, everybody, created_at, updated_at) VALUES (?1, ?2, ?3, 0, ?4, ?4)",
            params![new.name, new.priority, new.verdict.as_str(), self.now().0],
        )?;
        let added = self.write_login_rule(self.last_id(), new)?;
        self.audit("login-rule", &added.name, None, Some(&added))?;
        Ok(added)
    }

    /// Writes a login rule that was read and edited; the name never changes.
    ///
    /// # Errors
    /// As [`Change::add_login_rule`].
    pub fn set_login_rule(&self, edited: &LoginRule) -> Result<LoginRule, StoreError> {
        let before = self.read().login_rule(&edited.name)?;
        let after = self.write_login_rule(before.id, edited)?;
        self.audit("login-rule", &after.name, Some(&before), Some(&after))?;
        Ok(after)
    }

    /// Removes a login rule.
    ///
    /// # Errors
    /// [`StoreError::NotFound`].
    pub fn remove_login_rule(&self, name: &str) -> Result<LoginRule, StoreError> {
        let before = self.read().login_rule(name)?;
        self.execute("DELETE FROM login_rule WHERE id = ?1", [before.id])?;
        self.audit("login-rule", name, Some(&before), None)?;
        Ok(before)
    }

    fn write_login_rule(&self, id: i64, rule: &LoginRule) -> Result<LoginRule, StoreError> {
        let refused = |sentence: String| StoreError::Refused { sentence };
        if rule.priority == 0 || rule.priority > LoginRule::LAST_PRIORITY {
            return Err(refused(format!(
                "a priority is a number from 1 to {}; lower ones are asked first",
                LoginRule::LAST_PRIORITY
            )));
        }
        if rule.everybody == rule.names_somebody() {
            return Err(refused(
                "a login rule is about everybody, or about those that it names: --everybody, or --user, --user-group, --role"
                    .to_owned(),
            ));
        }
        let roles = roles(&rule.roles.join(",")).map_err(refused)?;
        let networks = sources(&rule.sources.join(",")).map_err(refused)?;
        let mut weekly = Vec::new();
        for text in &rule.times {
            let times: Weekly =
                text.parse()
                    .map_err(|error: crate::policy::login_rule::WeeklyError| {
                        refused(error.to_string())
                    })?;
            if time_zone::find(times.zone()).is_none() {
                let near = time_zone::nearest(times.zone());
                let near = near.map(|near| format!("; did you mean {near}?"));
                return Err(refused(format!(
                    "there is no time zone “{}”{}",
                    times.zone(),
                    near.unwrap_or_default()
                )));
            }
            weekly.push(times);
        }
        let joined = |parts: Vec<String>, mark: &str| parts.join(mark);
        self.execute(
            "UPDATE login_rule SET priority = ?2, sources = ?3, times = ?4, roles = ?5, verdict = ?6, everybody = ?7,
                    comment = ?8, updated_at = ?9 WHERE id = ?1",
            params![
                id,
                rule.priority,
                joined(networks.iter().map(Cidr::to_string).collect(), ","),
                joined(weekly.iter().map(Weekly::to_string).collect(), "; "),
                joined(roles.iter().map(Role::to_string).collect(), ","),
                rule.verdict.as_str(),
                rule.everybody,
                rule.comment,
                self.now().0
            ],
        )?;
        let read = self.read();
        let users = rule
            .users
            .iter()
            .map(|name| read.id_of("user", "user", name));
        let this = ("login_rule_id", id);
        replace_links(self, "login_rule_user", this, "user_id", users)?;
        let groups = rule.user_groups.iter();
        let groups = groups.map(|name| read.id_of("user group", "user_group", name));
        replace_links(self, "login_rule_user_group", this, "user_group_id", groups)?;
        read.login_rule(&rule.name)
    }
}

#[cfg(test)]
#[path = "login_rules_tests.rs"]
mod tests;
