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
    let user = f.store.read().user("alice").unwrap();
    let new = NewLogin {
        user: &user,
        login_name: "alice",
        source: "192.0.2.7",
        source_port: Some(40_000),
        key_type: "ssh-ed25519",
        fingerprint: "SHA256:abc",
        factors: "publickey,keyboard-interactive/pam,totp",
        factor_at: Some(NOW),
        sshd: myself(),
    };
    let opened = f.store.open_login(&new, NOW).unwrap();
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
