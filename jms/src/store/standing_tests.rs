use super::*;
use crate::factor::{Algorithm, Digits, Enrolment, RecoveryCode, Totp, Typed};
use crate::nouns::{Mfa, MfaAsked, Role, Site};
use crate::policy::{Channel, access};
use crate::secret::MasterKey;
use crate::store::tests::{Fixture, NOW, fixture, myself};
use crate::store::{Actor, Change, FactorKind, NewLogin, Store};

/// alice, an administrator, of whom a code is demanded, has logged in with one.
fn alice(asked: MfaAsked) -> (Fixture, Login) {
    let mut f = fixture();
    MasterKey::generate(&f.store.paths().secret_key()).unwrap();
    f.everyday();
    let mut user = f.store.read().user("alice").unwrap();
    (user.role, user.mfa, user.mfa_asked) = (Role::Admin, Mfa::Totp, asked);
    f.change(|change| change.set_user(&user)).unwrap();
    enrol(&mut f);
    let login = log_in(&mut f);
    (f, login)
}

fn enrol(f: &mut Fixture) {
    let user = f.store.read().user("alice").unwrap();
    let app = Enrolment::begin(Algorithm::Sha1, Digits::Six).unwrap();
    let code = format!("{:06}", app.totp().code(Totp::step(NOW)));
    let typed = Typed::parse(code.as_bytes());
    let before = f.store.read().before_enrolment(&user).unwrap();
    f.store
        .confirm_enrolment(&user, "192.0.2.7", &app, &typed, before, NOW)
        .unwrap();
}

fn log_in(f: &mut Fixture) -> Login {
    log_in_at(f, "publickey,keyboard-interactive/pam,totp", Some(NOW), NOW)
}

fn log_in_at(f: &mut Fixture, factors: &str, factor_at: Option<Time>, now: Time) -> Login {
    let user = f.store.read().user("alice").unwrap();
    let new = NewLogin {
        user: &user,
        login_name: "alice",
        source: "192.0.2.7",
        source_port: Some(40_000),
        key_type: "ssh-ed25519",
        fingerprint: "SHA256:abc",
        factors,
        factor_at,
        sshd: myself(),
    };
    let opened = f.store.open_login(&new, now).unwrap();
    let login = f.store.read().login_by_token(&opened.token).unwrap();
    login.unwrap()
}

fn lapse(f: &Fixture, login: &Login) -> Option<Lapse> {
    let standing = f.store.read().standing_with_factor(login, NOW);
    standing.unwrap().err()
}

/// What root does meanwhile, in a process of his own.
fn root_changes<T>(f: &Fixture, work: impl FnOnce(&Change<'_>) -> Result<T, StoreError>) {
    let mut store = Store::open(f.store.paths()).unwrap();
    store.set_event_sender(event::Sender::to(f.store.paths().state().join("no-syslog")));
    let root = Actor {
        name: "root".into(),
        why: String::new(),
    };
    store.change(&root, NOW, work).unwrap();
}

fn reset(change: &Change<'_>) -> Result<(), StoreError> {
    let codes = RecoveryCode::make_all().unwrap();
    let until = NOW.plus(60_000);
    change.reset_factor("alice", &codes[0].1, until).map(drop)
}

fn add_site(store: &mut Store, name: &str) -> Result<Site, StoreError> {
    let alice = Actor {
        name: "alice".into(),
        why: String::new(),
    };
    store.change(&alice, NOW, |change| change.add_site(&Site::new(name, NOW)))
}

#[test]
fn a_login_stands_no_more_once_its_factor_was_reset_wherever_it_is_asked() {
    for asked in [MfaAsked::Login, MfaAsked::Session] {
        let (f, login) = alice(asked);
        assert_eq!(lapse(&f, &login), None, "{asked}");
        root_changes(&f, reset);
        assert_eq!(lapse(&f, &login), Some(Lapse::Factor), "{asked}");
        // Otherwise it stands: she may enrol.
        let standing = f.store.read().standing(&login, NOW).unwrap();
        assert!(standing.is_ok(), "{asked}: {standing:?}");
    }
}

#[test]
fn an_administrator_whose_factor_is_reset_while_her_command_waits_changes_nothing() {
    let (mut f, login) = alice(MfaAsked::Login);
    f.store.set_login(login);
    add_site(&mut f.store, "here").unwrap();
    root_changes(&f, reset);
    let refused = add_site(&mut f.store, "there");
    let said = refused.unwrap_err().to_string();
    assert!(
        said.contains("nothing was changed: your second factor"),
        "{said}"
    );
    assert!(f.store.read().site("there").is_err());
    // A new login with the new factor may.
    enrol(&mut f);
    let login = log_in(&mut f);
    f.store.set_login(login);
    add_site(&mut f.store, "there").unwrap();
}

#[test]
fn an_administrator_of_whom_a_factor_is_demanded_meanwhile_changes_nothing_without() {
    let (mut f, _) = alice(MfaAsked::Login);
    let off = |mfa| {
        move |change: &Change<'_>| {
            let mut user = change.read().user("alice")?;
            (user.mfa, user.mfa_asked) = (mfa, MfaAsked::Session);
            change.set_user(&user).map(drop)
        }
    };
    root_changes(&f, off(Mfa::Off));
    let (login, _) = f.login(myself());
    f.store.set_login(login.clone());
    add_site(&mut f.store, "here").unwrap();
    root_changes(&f, off(Mfa::Totp));
    let refused = add_site(&mut f.store, "there");
    assert!(
        matches!(refused, Err(StoreError::NotAllowed { .. })),
        "{refused:?}"
    );
    // What she passes in that very login counts.
    f.store
        .login_passed_factor(&login.id, FactorKind::Totp, NOW)
        .unwrap();
    add_site(&mut f.store, "there").unwrap();
}

#[test]
fn a_session_of_such_a_login_is_refused_for_what_it_lacks() {
    let (mut f, login) = alice(MfaAsked::Login);
    let limits = access::Counts::default();
    let opening = f.open_session(&login, Channel::Exec, myself(), limits);
    assert!(opening.decision.allow, "{:?}", opening.decision);
    root_changes(&f, reset);
    let refused = f.open_session(&login, Channel::Exec, myself(), limits);
    assert!(!refused.decision.allow);
    assert_eq!(refused.decision.reason, access::Reason::FactorNotPassed);
    let told = f.events("session.refused");
    let reason = told.last().unwrap()["reason"].as_str().unwrap();
    assert!(
        reason.contains("has not passed the second factor"),
        "{reason}"
    );
}

#[test]
fn a_key_alone_keeps_nobody_active_of_whom_a_factor_is_demanded() {
    let day = |days: i64| NOW.plus(days * 24 * 60 * 60 * 1000);
    let (mut f, _) = alice(MfaAsked::Session);
    let seen = |f: &Fixture| {
        let user = f.store.read().user("alice").unwrap();
        f.store.read().seen_at(&user).unwrap()
    };
    assert_eq!(seen(&f), NOW);
    let login = log_in_at(&mut f, "publickey", None, day(1));
    assert_eq!(seen(&f), NOW, "it may be anybody who has the key");
    let user = f.store.read().user("alice").unwrap();
    let passed = f
        .store
        .passed_in_session(&user, &login, FactorKind::Totp, 900_000, day(2));
    assert!(passed.unwrap());
    assert_eq!(seen(&f), day(2));
    // What is remembered is from before; the login that it counts for is from now.
    let login = log_in_at(&mut f, "publickey", None, day(3));
    f.store
        .login_passed_factor(&login.id, FactorKind::Remembered, day(2))
        .unwrap();
    assert_eq!(seen(&f), day(3));
    // Who has to enrol is not here before he has.
    root_changes(&f, reset);
    log_in_at(&mut f, "publickey", None, day(4));
    assert_eq!(seen(&f), day(3));
    // Where sshd asks, who is in has passed it.
    let (mut f, _) = alice(MfaAsked::Login);
    log_in_at(
        &mut f,
        "publickey,keyboard-interactive/pam,totp",
        Some(day(1)),
        day(1),
    );
    assert_eq!(seen(&f), day(1));
}
