//! The one decision: may this login open this type of channel to this asset as this system user, now?

use super::{Channel, Right, Rights, Validity};
use crate::time::Time;
use std::fmt;

/// What the store knows that touches one request. Names are for sentences; ids decided who is meant.
#[derive(Debug, Clone)]
pub struct Facts {
    /// The user who logged in.
    pub user: User,
    /// How he logged in.
    pub login: Login,
    /// Where he wants to go.
    pub asset: Asset,
    /// Why the way there cannot be gone, if there are gateways and something is wrong with them.
    pub obstacle: Option<Obstacle>,
    /// The name of the account there.
    pub system_user: String,
    /// Every grant that joins user, asset and system user, directly or through groups, valid or not.
    pub grants: Vec<Grant>,
    /// Live sessions that count against a limit.
    pub running: Counts,
    /// Those limits.
    pub limits: Counts,
}

/// The user's own state.
#[derive(Debug, Clone)]
pub struct User {
    /// Login name.
    pub name: String,
    /// Not disabled.
    pub enabled: bool,
    /// When he may use the bastion.
    pub validity: Validity,
}

/// What counts of a login.
#[derive(Debug, Clone, Copy)]
pub struct Login {
    /// When a second factor was last passed for it; `None`: not at all.
    pub factor_at: Option<Time>,
    /// Since when the session runs that is decided again; `None`: it is to be opened.
    pub session_since: Option<Time>,
    /// What has become of the key that it was made with.
    pub key: Key,
}

/// The key of a login, as the store knows it now. A session lives on it as on its grants.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Key {
    /// There is none to ask about: nobody has logged in yet.
    #[default]
    NotAsked,
    /// It is still a key of this user.
    Held {
        /// Until just before then; `None`: for ever.
        until: Option<Time>,
    },
    /// It was removed.
    Removed,
}

/// The asset's own state.
#[derive(Debug, Clone)]
pub struct Asset {
    /// Its name.
    pub name: String,
    /// Not switched off by an administrator.
    pub active: bool,
}

/// What is wrong with the gateways of an asset.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Obstacle {
    /// The way leads through this one twice.
    Circle(String),
    /// Too many of them.
    TooLong,
    /// It is not said as which system user this one is passed.
    NoSystemUser(String),
    /// An administrator has switched this one off.
    Inactive(String),
}

impl fmt::Display for Obstacle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Circle(gateway) => write!(f, "the way leads through {gateway} twice"),
            Self::TooLong => f.write_str("there are too many gateways on the way"),
            Self::NoSystemUser(gateway) => {
                write!(
                    f,
                    "no system user is named that passes the gateway {gateway}"
                )
            }
            Self::Inactive(gateway) => write!(f, "the gateway {gateway} is not active"),
        }
    }
}

/// One grant that joins the three.
#[derive(Debug, Clone)]
pub struct Grant {
    /// Its name.
    pub name: String,
    /// What it allows.
    pub rights: Rights,
    /// When.
    pub validity: Validity,
    /// A second factor must not be older than this many milliseconds.
    pub require_mfa: Option<i64>,
}

/// Numbers of live sessions; as limits, `None` means no limit.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counts {
    /// Of this login.
    pub login: Option<u32>,
    /// Of this user.
    pub user: Option<u32>,
    /// To this asset.
    pub asset: Option<u32>,
    /// Of the whole bastion.
    pub bastion: Option<u32>,
}

/// The answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Decision {
    /// Whether the channel may be opened.
    pub allow: bool,
    /// The deciding reason.
    pub reason: Reason,
    /// A factor not older than this many milliseconds would turn the answer into yes.
    pub factor_needed: Option<i64>,
    /// What bounds the session.
    pub limits: Limits,
    /// Each rule that spoke, in order, in words: for `access explain`.
    pub steps: Vec<Step>,
}

impl Decision {
    /// The no to a login that has not passed the factor that is demanded of its user, whatever the target.
    #[must_use]
    pub fn without_factor() -> Self {
        let text = "the login has passed the second factor that is demanded of its user";
        Self {
            allow: false,
            reason: Reason::FactorNotPassed,
            factor_needed: None,
            limits: Limits::default(),
            steps: vec![Step {
                passed: false,
                text: text.to_owned(),
            }],
        }
    }
}

/// What bounds an allowed session.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Limits {
    /// The moment at which the rights that it lives on run out.
    pub until: Option<Time>,
}

/// One rule and what it said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step {
    /// Whether it spoke for the request.
    pub passed: bool,
    /// In words.
    pub text: String,
}

/// Why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reason {
    /// All needed rights are granted.
    Granted {
        /// The grants that gave them.
        by: Vec<String>,
    },
    /// The user is disabled.
    UserDisabled,
    /// The user's time has not begun or is over.
    UserNotValid,
    /// The key of the login was removed.
    KeyRemoved,
    /// The key of the login is valid no more.
    KeyExpired,
    /// The asset is switched off.
    AssetInactive,
    /// Its gateways do not lead there.
    NoWay(Obstacle),
    /// No grant that holds now joins user, asset and system user.
    NotGranted,
    /// There are grants, and these rights are in none of them.
    RightsMissing(Rights),
    /// The rights are there for who shows a second factor first.
    FactorNeeded,
    /// The login has not passed the second factor that is demanded of its user now.
    FactorNotPassed,
    /// Too many live sessions.
    LimitReached(Limit),
}

/// Which limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Limit {
    /// Sessions of one login.
    Login,
    /// Sessions of one user.
    User,
    /// Sessions to one asset.
    Asset,
    /// Sessions of the bastion.
    Bastion,
}

impl Reason {
    /// A stable word for events and JSON.
    #[must_use]
    pub fn as_str(&self) -> &'static str {
        match self {
            Self::Granted { .. } => "granted",
            Self::UserDisabled => "user-disabled",
            Self::UserNotValid => "user-not-valid",
            Self::KeyRemoved => "key-removed",
            Self::KeyExpired => "key-expired",
            Self::AssetInactive => "asset-inactive",
            Self::NoWay(_) => "no-way",
            Self::NotGranted => "not-granted",
            Self::RightsMissing(_) => "rights-missing",
            Self::FactorNeeded => "factor-needed",
            Self::FactorNotPassed => "factor-not-passed",
            Self::LimitReached(_) => "limit-reached",
        }
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Granted { by } => write!(f, "granted by {}", by.join(", ")),
            Self::UserDisabled => f.write_str("the user is disabled"),
            Self::UserNotValid => f.write_str("the user's validity has not begun or is over"),
            Self::KeyRemoved => f.write_str("the key of this login was removed"),
            Self::KeyExpired => f.write_str("the key of this login is valid no more"),
            Self::AssetInactive => f.write_str("the asset is not active"),
            Self::NoWay(obstacle) => obstacle.fmt(f),
            Self::NotGranted => f.write_str("no grant that holds now"),
            Self::RightsMissing(rights) => write!(
                f,
                "no grant gives the right {}",
                rights.to_string().replace(',', ", ")
            ),
            Self::FactorNeeded => f.write_str("the grant demands a fresh second factor"),
            Self::FactorNotPassed => f.write_str(
                "the login has not passed the second factor that is demanded of its user now",
            ),
            Self::LimitReached(limit) => write!(
                f,
                "too many sessions {}",
                match limit {
                    Limit::Login => "of this login",
                    Limit::User => "of this user",
                    Limit::Asset => "to this asset",
                    Limit::Bastion => "on this bastion",
                }
            ),
        }
    }
}

/// Decides. Additive: grants only ever add; nothing is allowed without one.
#[must_use]
pub fn decide(facts: &Facts, channel: Channel, now: Time) -> Decision {
    decide_rights(facts, channel.as_str(), channel.needs(), now)
}

/// The same for `needed` rights, whatever it is called that needs them.
#[must_use]
pub fn decide_rights(facts: &Facts, what: &str, needed: Rights, now: Time) -> Decision {
    let mut steps = Vec::new();
    let mut step = |passed: bool, text: String| {
        steps.push(Step { passed, text });
        passed
    };
    let verdict = judge(facts, what, needed, now, &mut step);
    let (allow, reason, factor_needed, limits) = match verdict {
        Ok((by, limits)) => (true, Reason::Granted { by }, None, limits),
        Err((reason, factor_needed)) => (false, reason, factor_needed, Limits::default()),
    };
    Decision {
        allow,
        reason,
        factor_needed,
        limits,
        steps,
    }
}

type Refusal = (Reason, Option<i64>);

fn judge(
    facts: &Facts,
    what: &str,
    needed: Rights,
    now: Time,
    step: &mut impl FnMut(bool, String) -> bool,
) -> Result<(Vec<String>, Limits), Refusal> {
    let user = &facts.user;
    if !step(
        user.enabled,
        format!(
            "user {} is {}",
            user.name,
            if user.enabled { "enabled" } else { "disabled" }
        ),
    ) {
        return Err((Reason::UserDisabled, None));
    }
    if !step(
        user.validity.holds(now),
        format!(
            "user {} is {}",
            user.name,
            validity_in_words(user.validity, now)
        ),
    ) {
        return Err((Reason::UserNotValid, None));
    }
    let key_until = judge_key(facts.login.key, now, step)?;
    let asset = &facts.asset;
    if !step(
        asset.active,
        format!(
            "asset {} is {}",
            asset.name,
            if asset.active { "active" } else { "not active" }
        ),
    ) {
        return Err((Reason::AssetInactive, None));
    }

    let holding: Vec<&Grant> = facts
        .grants
        .iter()
        .filter(|grant| {
            let holds = grant.validity.holds(now);
            step(
                holds,
                format!(
                    "grant {} gives {} and is {}",
                    grant.name,
                    grant.rights,
                    validity_in_words(grant.validity, now)
                ),
            )
        })
        .collect();
    if holding.is_empty() {
        let target = format!(
            "no grant that holds now joins {}, {} and {}",
            user.name, facts.system_user, asset.name
        );
        step(false, target);
        return Err((Reason::NotGranted, None));
    }
    let all: Rights = union(&holding);
    if !step(
        all.covers(needed),
        format!("{what} needs {needed}; the grants give {all}"),
    ) {
        return Err((Reason::RightsMissing(needed.without(all)), None));
    }

    let (usable, stale): (Vec<&Grant>, Vec<&Grant>) = holding
        .into_iter()
        .partition(|grant| fresh(grant, facts.login, now));
    let without_factor = union(&usable);
    if !without_factor.covers(needed) {
        let missing = needed.without(without_factor);
        let age = stale
            .iter()
            .filter(|grant| !grant.rights.without(missing).covers(grant.rights))
            .filter_map(|grant| grant.require_mfa)
            .min();
        step(
            false,
            match age {
                Some(age) => format!(
                    "{missing} only with a second factor that was passed at most {} ago: it is asked for in the session",
                    span(age)
                ),
                None => format!("{missing} only with a second factor that is fresh"),
            },
        );
        return Err((Reason::FactorNeeded, age));
    }

    if let Some(obstacle) = &facts.obstacle {
        step(false, obstacle.to_string());
        return Err((Reason::NoWay(obstacle.clone()), None));
    }
    if let Some(limit) = limit_reached(facts.running, facts.limits) {
        let reason = Reason::LimitReached(limit);
        step(false, reason.to_string());
        return Err((reason, None));
    }

    let used: Vec<&Grant> = usable
        .into_iter()
        .filter(|grant| grant.rights.iter().any(|right| needed.has(right)))
        .collect();
    let until = earliest(
        earliest(user.validity.until, key_until),
        needed
            .iter()
            .map(|right| last_end(&used, right))
            .fold(None, earliest),
    );
    let by = used.iter().map(|grant| grant.name.clone()).collect();
    Ok((by, Limits { until }))
}

/// The end of the key's validity.
fn judge_key(
    key: Key,
    now: Time,
    step: &mut impl FnMut(bool, String) -> bool,
) -> Result<Option<Time>, Refusal> {
    let until = match key {
        Key::NotAsked => return Ok(None),
        Key::Removed => {
            step(false, Reason::KeyRemoved.to_string());
            return Err((Reason::KeyRemoved, None));
        }
        Key::Held { until } => until,
    };
    let validity = Validity { from: None, until };
    let words = format!(
        "the key of this login is {}",
        validity_in_words(validity, now)
    );
    if !step(validity.holds(now), words) {
        return Err((Reason::KeyExpired, None));
    }
    Ok(until)
}

fn union(grants: &[&Grant]) -> Rights {
    grants
        .iter()
        .fold(Rights::NONE, |set, grant| set.union(grant.rights))
}

/// Milliseconds as people say them: `15m`, `8h`, `90s`.
fn span(milliseconds: i64) -> String {
    let seconds = milliseconds / 1000;
    for (unit, name) in [(86_400, "d"), (3600, "h"), (60, "m")] {
        if seconds >= unit && seconds % unit == 0 {
            return format!("{}{name}", seconds / unit);
        }
    }
    format!("{seconds}s")
}

/// A factor from the future (the clock went back) is not fresh.
fn fresh(grant: &Grant, login: Login, now: Time) -> bool {
    // A session is not cut off because time goes by: the factor had to be fresh when it was opened.
    let now = login.session_since.unwrap_or(now);
    grant.require_mfa.is_none_or(|age| {
        login
            .factor_at
            .is_some_and(|at| at <= now && now.0.saturating_sub(at.0) <= age)
    })
}

/// When the last grant that gives `right` ends; `None`: never.
fn last_end(grants: &[&Grant], right: Right) -> Option<Time> {
    grants
        .iter()
        .filter(|grant| grant.rights.has(right))
        .map(|grant| grant.validity.until)
        .reduce(|a, b| a.zip(b).map(|(a, b)| a.max(b)))
        .flatten()
}

fn earliest(a: Option<Time>, b: Option<Time>) -> Option<Time> {
    a.into_iter().chain(b).min()
}

fn limit_reached(running: Counts, limits: Counts) -> Option<Limit> {
    let reached = |count: Option<u32>, limit: Option<u32>| {
        limit.is_some_and(|limit| count.unwrap_or(0) >= limit)
    };
    [
        (running.login, limits.login, Limit::Login),
        (running.user, limits.user, Limit::User),
        (running.asset, limits.asset, Limit::Asset),
        (running.bastion, limits.bastion, Limit::Bastion),
    ]
    .into_iter()
    .find(|(count, limit, _)| reached(*count, *limit))
    .map(|(_, _, which)| which)
}

fn validity_in_words(validity: Validity, now: Time) -> String {
    match (validity.from, validity.until) {
        (Some(from), _) if validity.not_yet(now) => format!("valid only from {from}"),
        (_, Some(until)) if validity.over(now) => format!("valid no more, since {until}"),
        (_, Some(until)) => format!("valid until {until}"),
        _ => "valid".to_owned(),
    }
}

#[cfg(test)]
mod tests;
