//! The authentication phase: sshd asks PAM for what it has not seen itself.
//!
//! In steps: who is it, may he log in at all, what has he shown (a key; or a password), which second factor is still
//! missing, what is handed on. Before the first factor is good nobody is told anything.

mod after_password;
mod factor;
mod password;
mod repeated;

use event::Type;
use jms::nouns::{LoginKey, Mfa, User};
use jms::policy::factor::FactorPolicy;
use jms::secret::MasterKey;
use jms::settings::Settings;
use jms::store::{FactorKind, Store, StoreError};
use jms::time::Time;
use pam_jms_protocol::{Allow, HelperMessage, Phase, Refusal, Request, Variable};

use self::repeated::said_before;
use crate::answer::{Facts, decide, find_user, refusal_for, refuse, refused, unavailable};
use crate::authentication::{self, first_key};
use crate::connection::Source;
use crate::key::{Standing, standing};
use crate::passed::{Passed, sealing_key};
use crate::person::{Gone, Person};
use crate::report;

/// Why an authentication ends without a yes.
enum End {
    /// With these words.
    Said(HelperMessage),
    /// The store failed.
    Store(StoreError),
    /// Nobody answers.
    Gone(Gone),
}

impl From<StoreError> for End {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

impl From<Gone> for End {
    fn from(gone: Gone) -> Self {
        Self::Gone(gone)
    }
}

/// Everything that the steps know.
struct Login<'a> {
    request: &'a Request,
    settings: &'a Settings,
    source: Source,
    user: User,
    policy: FactorPolicy,
    key: ProvenKey,
}

impl Login<'_> {
    /// A key that verifies its person is demanded: no password stands in for it.
    fn wants_security_key(&self) -> bool {
        self.policy.demanded == Mfa::SecurityKey
    }
}

/// The key that sshd saw proven.
struct ProvenKey {
    /// Empty: none, the first factor is a password.
    fingerprint: String,
    person_verified: bool,
}

impl ProvenKey {
    /// What who logs in with a password has shown.
    fn none() -> Self {
        Self {
            fingerprint: String::new(),
            person_verified: false,
        }
    }
}

/// Talks with the person until there is a verdict.
#[must_use]
pub fn authenticate(
    request: &Request,
    store: &mut Store,
    settings: &Settings,
    person: &mut dyn Person,
) -> HelperMessage {
    match steps(request, store, settings, person) {
        Ok(allow) => HelperMessage::Allow(allow),
        Err(End::Said(message)) => message,
        // Strangers can bring this about: a line for whoever looks, no row and no alert.
        Err(End::Store(error @ StoreError::Crowded)) => {
            let event = report::about(Type::LoginRefused, request, person.now())
                .result("deny")
                .reason(error.as_str());
            report::send(&event);
            refuse(Refusal::Unavailable, &format!("jms: {error}"))
        }
        Err(End::Store(error)) => {
            let alert = report::store_problem(&error);
            report::send(&alert.with("login_name", request.user.as_str()));
            unavailable()
        }
        Err(End::Gone(Gone::Closed)) => unavailable(),
        Err(End::Gone(Gone::NotAnAnswer(error))) => {
            report::send(&report::helper_problem("bad-response", &error.to_string()));
            unavailable()
        }
    }
}

fn steps(
    request: &Request,
    store: &mut Store,
    settings: &Settings,
    person: &mut dyn Person,
) -> Result<Allow, End> {
    // Nobody types a code in vain into a store that could not take it.
    store.check_writable()?;
    let login = who(request, store, settings, person.now())?;
    // Nor uses up a recovery code of which the session phase could not be told.
    let key = sealing_key(store)?;
    let factor = match (login.key.fingerprint.is_empty(), request.phase) {
        (false, _) => factor::second(&login, store, person)?,
        (true, Phase::AuthenticateAfterPassword) => after_password::second(&login, store, person)?,
        (true, _) => password::log_in(&login, store, person)?,
    };
    hand_on(&login, &key, factor, person.now())
}

/// Who it is, and that he has proved a key and may log in. Without a key only who it is, where a password will do.
fn who<'a>(
    request: &'a Request,
    store: &mut Store,
    settings: &'a Settings,
    now: Time,
) -> Result<Login<'a>, End> {
    let source = Source::of(request);
    let Some(user) = find_user(request, store)? else {
        return Err(silent(request, store, "unknown-user", now));
    };
    let policy = store.read().factor_of(&user)?;
    let login = |key, user, source, policy| Login {
        request,
        settings,
        source,
        user,
        policy,
        key,
    };
    let Some(key) = proven_key(request, store, &user, &policy, &source, now)? else {
        // Who shows sshd a key that is none of his, shows no key.
        let others_ask = request.phase == Phase::AuthenticateAfterPassword;
        if !settings.password.enabled && !others_ask {
            return Err(silent(request, store, "no-first-factor", now));
        }
        return Ok(login(ProvenKey::none(), user, source, policy));
    };
    let limits = settings.login.limits();
    let facts = Facts::of(Some(&user), request, store.read(), limits, now)?;
    let decision = decide(&facts, None, now);
    if !decision.allow {
        let reason = decision.reason;
        if said_before(request, store, reason.as_str(), now) {
            return Err(End::Said(refuse(refusal_for(reason), "")));
        }
        let no = refused(request, store, &decision, &facts.rules, None, now);
        return Err(End::Said(no));
    }
    Ok(login(key, user, source, policy))
}

fn proven_key(
    request: &Request,
    store: &Store,
    user: &User,
    policy: &FactorPolicy,
    source: &Source,
    now: Time,
) -> Result<Option<ProvenKey>, StoreError> {
    let text = request.authentication.as_deref().unwrap_or_default();
    let Some(proven) = authentication::parse(text)
        .ok()
        .and_then(|factors| first_key(&factors))
    else {
        return Ok(None);
    };
    let keys: Vec<LoginKey> = store.read().login_keys(Some(&user.name))?;
    let verified_by_rule = policy.demanded == Mfa::SecurityKey;
    Ok(
        match standing(&keys, &proven, verified_by_rule, source.ip, now) {
            Standing::Good { person_verified } => Some(ProvenKey {
                fingerprint: proven.fingerprint.to_string(),
                person_verified,
            }),
            Standing::Unknown | Standing::Expired | Standing::Elsewhere => None,
        },
    )
}

/// A no that a stranger learns nothing from.
fn silent(request: &Request, store: &mut Store, reason: &str, now: Time) -> End {
    if !said_before(request, store, reason, now) {
        let event = report::about(Type::LoginRefused, request, now)
            .result("deny")
            .reason(reason);
        report::keep(store, &event);
    }
    End::Said(refuse(Refusal::FactorMissing, ""))
}

/// Seals what was passed for the session phase.
fn hand_on(
    login: &Login<'_>,
    key: &MasterKey,
    factor: Option<(FactorKind, Time)>,
    now: Time,
) -> Result<Allow, End> {
    let passed = Passed {
        password: login.key.fingerprint.is_empty(),
        factor,
        at: now,
    };
    let value = passed
        .seal(key, &login.user, &login.key.fingerprint, login.request)
        .map_err(|sentence| End::Store(StoreError::Secret { sentence }))?;
    Ok(Allow {
        environment: vec![Variable {
            name: "JMS_FACTOR".to_owned(),
            value,
        }],
        message: String::new(),
    })
}
