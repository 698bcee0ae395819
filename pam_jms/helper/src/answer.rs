//! One question, one answer, from the store.

use event::Type;
use jms::id::Token;
use jms::nouns::{Mfa, User};
use jms::policy::Validity;
use jms::policy::login::{self, Decision, Limits, Question, Reason, Shown};
use jms::policy::login_rule::Outcome;
use jms::process::Process;
use jms::settings::Settings;
use jms::store::{FactorKind, NewLogin, Read, Store, StoreError};
use jms::time::Time;
use pam_jms_protocol::{Allow, HelperMessage, Phase, Refusal, Refuse, Request, Variable};
use snapshot::split_login_name;

use crate::authentication::{self, Factor, first_key};
use crate::connection::Source;
use crate::key::{Standing, standing};
use crate::passed::{Passed, sealing_key};
use crate::published::demands_verification;
use crate::report;

/// The only PAM service in which virtual users exist.
const SERVICE: &str = "sshd";
/// For what the person can do nothing about.
const SORRY: &str = "jms: the bastion cannot let you in just now; please tell your administrator";

/// Answers a request. `sshd` is the helper's parent, as the kernel names it.
#[must_use]
pub fn answer(
    request: &Request,
    store: &mut Store,
    settings: &Settings,
    sshd: Process,
    now: Time,
) -> HelperMessage {
    let limits = settings.login.limits();
    let answered = match request.phase {
        // It is a conversation, which this is not (`authenticate`).
        Phase::Authenticate | Phase::AuthenticateAfterPassword => Ok(unavailable()),
        Phase::Account => account(request, store, limits, now),
        Phase::OpenSession => open_session(request, store, limits, sshd, now),
        Phase::CloseSession => close_session(request, store, sshd, now),
    };
    answered.unwrap_or_else(|error| {
        // Past the store: asking it again would wait again, and the time is nearly over.
        let problem = report::store_problem(&error);
        report::send(&problem.with("login_name", request.user.as_str()));
        unavailable()
    })
}

/// The no for everything that the bastion itself is to blame for.
#[must_use]
pub fn unavailable() -> HelperMessage {
    refuse(Refusal::Unavailable, SORRY)
}

pub(crate) fn refuse(refusal: Refusal, message: &str) -> HelperMessage {
    HelperMessage::Refuse(Refuse {
        refusal,
        message: message.to_owned(),
    })
}

/// What sshd has seen, and what the store says of it.
pub(crate) struct Evidence {
    factors: Vec<Factor>,
    key: Option<Standing>,
    /// What our own authentication phase says, if it was asked.
    passed: Option<Passed>,
}

impl Evidence {
    /// The second factor that our authentication phase saw passed: of all methods, sshd must say that PAM was asked.
    fn second(&self) -> Option<(FactorKind, Time)> {
        let asked = Factor::KeyboardInteractive("pam".to_owned());
        let passed = self.passed.filter(|_| self.factors.contains(&asked))?;
        let verified = Standing::Good {
            person_verified: true,
        };
        passed
            .factor
            .filter(|(kind, _)| *kind != FactorKind::SecurityKey || self.key == Some(verified))
    }

    /// Whether our authentication phase saw the right password: as [`Evidence::second`], and only where sshd saw no key, so
    /// that one which is not good any more is not made good by it.
    fn password(&self) -> bool {
        let asked = Factor::KeyboardInteractive("pam".to_owned());
        let passed = self.passed.filter(|_| self.factors.contains(&asked));
        self.key.is_none() && passed.is_some_and(|passed| passed.password)
    }

    /// The methods in order, and what ours was.
    fn summary(&self) -> String {
        let mut methods = authentication::summary(&self.factors);
        if self.password() {
            methods.push_str(",password");
        }
        match self.second() {
            Some((kind, _)) => format!("{methods},{kind}"),
            None => methods,
        }
    }
}

/// The account phase. After a key sshd has not told PAM its factors yet (SSH_AUTH_INFO_0 is
/// empty), so only the account itself is judged; the session phase judges all of it. The session
/// phase cannot say a word to the person, so a store that would not take the login is seen here.
fn account(
    request: &Request,
    store: &mut Store,
    limits: Limits,
    now: Time,
) -> Result<HelperMessage, StoreError> {
    store.check_writable()?;
    let user = find_user(request, store)?;
    let facts = Facts::of(user.as_ref(), request, store.read(), limits, now)?;
    let decision = decide(&facts, None, now);
    if decision.allow {
        return Ok(HelperMessage::Allow(Allow::default()));
    }
    Ok(refused(request, store, &decision, &facts.rules, None, now))
}

fn open_session(
    request: &Request,
    store: &mut Store,
    limits: Limits,
    sshd: Process,
    now: Time,
) -> Result<HelperMessage, StoreError> {
    let source = Source::of(request);
    let user = find_user(request, store)?;
    let factors = match authentication::parse(request.authentication.as_deref().unwrap_or_default())
    {
        Ok(factors) => factors,
        Err(error) => {
            let event = report::about(Type::LoginRefused, request, now)
                .result("deny")
                .reason("factors-not-understood")
                .with("detail", error.to_string());
            report::keep(store, &event);
            return Ok(unavailable());
        }
    };
    let proven = first_key(&factors);
    let key = match (&user, &proven) {
        (Some(user), Some(proven)) => {
            let keys = store.read().login_keys(Some(&user.name))?;
            let policy = store.read().factor_of(user)?;
            let verified_by_rule = policy.demanded == Mfa::SecurityKey;
            let standing = standing(&keys, proven, verified_by_rule, source.ip, now);
            let key_since = keys
                .iter()
                .find(|key| key.fingerprint == proven.fingerprint.to_string())
                .map_or(now, |key| key.updated_at);
            let since = store.read().factor_demanded_since(user)?.max(key_since);
            let who = (user.name.as_str(), &proven.fingerprint);
            Some(
                standing.as_demanded(|| demands_verification(store.paths(), who, sshd, since, now)),
            )
        }
        _ => None,
    };
    let fingerprint = proven.map_or_else(String::new, |key| key.fingerprint.to_string());
    let passed = match (&user, &request.passed) {
        (Some(user), Some(text)) => {
            let sealed_with = sealing_key(store)?;
            Passed::open(text, &sealed_with, user, &fingerprint, request, now)
        }
        _ => None,
    };
    let evidence = Evidence {
        factors,
        key,
        passed,
    };
    let facts = Facts::of(user.as_ref(), request, store.read(), limits, now)?;
    let decision = decide(&facts, Some(&evidence), now);
    let (true, Some(user)) = (decision.allow, user) else {
        let rules = &facts.rules;
        return Ok(refused(
            request,
            store,
            &decision,
            rules,
            Some(&evidence),
            now,
        ));
    };
    let verified = matches!(
        key,
        Some(Standing::Good {
            person_verified: true
        })
    );
    let factor_at = evidence.second().map(|(_, at)| at);
    let opened = store.open_login_within(
        &NewLogin {
            user: &user,
            login_name: &request.user,
            source: &source.address,
            source_port: source.port,
            key_type: proven.map_or("", |key| key.kind.name()),
            fingerprint: &fingerprint,
            factors: &evidence.summary(),
            factor_at: factor_at.or(verified.then_some(now)),
            sshd,
        },
        limits.logins,
        now,
    );
    let opened = match opened {
        // Others came in at the same moment, after the account phase had counted.
        Err(StoreError::TooManyLogins { .. }) => {
            let decision = Decision {
                allow: false,
                reason: Reason::TooManyLogins,
                factor_needed: None,
            };
            let rules = &facts.rules;
            return Ok(refused(
                request,
                store,
                &decision,
                rules,
                Some(&evidence),
                now,
            ));
        }
        opened => opened?,
    };
    if let Outcome::Notified(rule) = &facts.rules {
        let event = report::about(Type::LoginNotify, request, now)
            .login(opened.id.as_str())
            .result("allow")
            .with("rule", rule.as_str());
        report::keep(store, &event);
    }
    Ok(HelperMessage::Allow(Allow {
        environment: vec![Variable {
            name: "JMS_LOGIN".to_owned(),
            value: opened.token.reveal().to_owned(),
        }],
        message: String::new(),
    }))
}

fn close_session(
    request: &Request,
    store: &mut Store,
    sshd: Process,
    now: Time,
) -> Result<HelperMessage, StoreError> {
    let token = request
        .token
        .as_ref()
        .and_then(|token| Token::parse(token.as_str()));
    let closed = match &token {
        Some(token) => store.close_login(token, sshd, now)?,
        None => false,
    };
    // Whoever works with the store finds what ended without saying so.
    store.sweep(now)?;
    // The same for snapshots that a killed jmsctl left behind. They are no reason to fail.
    let _ = store.publish();
    if closed {
        return Ok(HelperMessage::Allow(Allow::default()));
    }
    let event = report::about(Type::HelperProblem, request, now)
        .result("error")
        .reason("unknown-login");
    report::keep(store, &event);
    Ok(refuse(Refusal::UnknownLogin, ""))
}

/// The row of the user whose name *and* uid are asked about; a name that cannot be one of ours
/// has none, nor has any in another service.
pub(crate) fn find_user(request: &Request, store: &Store) -> Result<Option<User>, StoreError> {
    let Some(name) = split_login_name(request.user.as_bytes()) else {
        return Ok(None);
    };
    if request.service != SERVICE {
        return Ok(None);
    }
    let user = store.read().user_if_any(name.user.as_str())?;
    Ok(user.filter(|user| user.uid == request.uid))
}

/// What the store and the settings know that touches a login.
pub(crate) struct Facts {
    user: Option<login::User>,
    pub(crate) rules: Outcome,
    limits: Limits,
}

impl Facts {
    /// The account and the session phase ask for the same.
    pub(crate) fn of(
        user: Option<&User>,
        request: &Request,
        read: Read<'_>,
        limits: Limits,
        now: Time,
    ) -> Result<Self, StoreError> {
        let Some(user) = user else {
            return Ok(Self {
                user: None,
                rules: Outcome::NoRule,
                limits,
            });
        };
        let row = login::User {
            enabled: user.enabled,
            validity: Validity {
                from: user.valid_from,
                until: user.valid_until,
            },
            factor_at_login: read.factor_of(user)?.at_login(),
            seen_at: read.seen_at(user)?,
            open_logins: match limits.logins {
                Some(_) => read.open_logins_of(user)?,
                None => 0,
            },
        };
        Ok(Self {
            user: Some(row),
            rules: read.judge_login(user, Source::of(request).ip, now)?,
            limits,
        })
    }
}

/// The one place where a login is allowed or refused: asks policy with the facts and what was shown.
pub(crate) fn decide(facts: &Facts, evidence: Option<&Evidence>, now: Time) -> Decision {
    let shown = evidence.map(|evidence| Shown {
        key: matches!(evidence.key, Some(Standing::Good { .. })),
        password: evidence.password(),
        security_key: matches!(
            evidence.key,
            Some(Standing::Good {
                person_verified: true
            })
        ),
        // `keyboard-interactive/pam` alone does not say that *our* module asked: only what it sealed does.
        totp: evidence.second().is_some(),
    });
    login::decide(&Question {
        user: facts.user.as_ref(),
        shown,
        rules: &facts.rules,
        limits: facts.limits,
        now,
    })
}

/// Says no to the person in a few words and to the log in full.
pub(crate) fn refused(
    request: &Request,
    store: &mut Store,
    decision: &Decision,
    rules: &Outcome,
    evidence: Option<&Evidence>,
    now: Time,
) -> HelperMessage {
    let mut reason = decision.reason.as_str();
    let mut sentence = format!("jms: {}", decision.reason);
    let mut event = report::about(Type::LoginRefused, request, now).result("deny");
    if let Some(evidence) = evidence {
        event = event.with("factors", evidence.summary());
        if let Some(key) = first_key(&evidence.factors) {
            event = event.key(key.fingerprint.to_string());
        }
        if let (Reason::NoFirstFactor, Some(key)) = (decision.reason, evidence.key) {
            reason = key.as_str();
            sentence =
                "jms: your key is not valid here any more; ask your administrator".to_owned();
        }
    }
    if decision.reason == Reason::FactorMissing {
        // sshd let somebody through whom it should have had us ask.
        let alert = report::about(Type::Alert, request, now)
            .result("deny")
            .reason(reason)
            .with(
                "detail",
                "sshd did not have the second factor asked for: jmsctl doctor looks at snapshot, drop-in and PAM",
            );
        report::keep(store, &alert);
        // If the snapshots are to blame, the next login finds new ones.
        let _ = store.publish();
    }
    match decision.reason {
        Reason::UnknownUser => event = event.with("uid", u64::from(request.uid)),
        Reason::LoginRule | Reason::LoginRuleUnreadable => {
            event = event.with("rule", rules.rule().unwrap_or_default());
        }
        _ => {}
    }
    if let Outcome::Unreadable { rule, why } = rules
        && decision.reason == Reason::LoginRuleUnreadable
    {
        let alert = report::about(Type::Alert, request, now)
            .result("deny")
            .reason(reason)
            .with("rule", rule.as_str())
            .with("detail", why.as_str());
        report::keep(store, &alert);
    }
    report::keep(store, &event.reason(reason));
    refuse(refusal_for(decision.reason), &sentence)
}

/// What the module is told for it.
pub(crate) fn refusal_for(reason: Reason) -> Refusal {
    match reason {
        Reason::UnknownUser => Refusal::UnknownUser,
        Reason::Disabled => Refusal::Disabled,
        Reason::NotYetValid => Refusal::NotYetValid,
        Reason::Expired => Refusal::Expired,
        Reason::Inactive => Refusal::Disabled,
        Reason::LoginRule => Refusal::LoginRule,
        Reason::TooManyLogins => Refusal::Limit,
        Reason::LoginRuleUnreadable => Refusal::Unavailable,
        Reason::NoFirstFactor | Reason::FactorMissing => Refusal::FactorMissing,
        // A decision that refuses and calls it allowed contradicts itself: still a refusal.
        Reason::Allowed => Refusal::Unavailable,
    }
}
