use super::*;
use crate::factor::{Algorithm, Digits, Enrolment, RecoveryCode, Totp, Typed};
use crate::nouns::{Mfa, MfaAsked, Role, User};
use crate::policy::lockout::{Network, Proof};
use crate::policy::{FactorSource, FactorStanding};
use crate::secret::MasterKey;
use crate::settings::Settings;
use crate::store::tests::{Fixture, NOW, fixture};
use crate::store::{Actor, Answerer, Store, StoreError};

const HERE: &str = "192.0.2.7";
const KEY: &str = "SHA256:abc";

fn alice() -> Fixture {
    let mut f = fixture();
    MasterKey::generate(&f.store.paths().secret_key()).unwrap();
    f.everyday();
    f
}

fn user(f: &Fixture) -> User {
    f.store.read().user("alice").unwrap()
}

fn typed(totp: &Totp, step: i64) -> Typed {
    let width = totp.digits.count();
    Typed::parse(format!("{:0width$}", totp.code(step)).as_bytes())
}

/// Enrols alice with the code of the step before [`NOW`], so that the present one is unused.
fn enrol(f: &mut Fixture) -> (Enrolment, Vec<RecoveryCode>) {
    let enrolment = Enrolment::begin(Algorithm::Sha1, Digits::Six).unwrap();
    let first = typed(enrolment.totp(), Totp::step(NOW) - 1);
    let user = user(f);
    let before = f.store.read().before_enrolment(&user).unwrap();
    let done = f
        .store
        .confirm_enrolment(&user, HERE, &enrolment, &first, before, NOW);
    let Confirmed::Done(codes) = done.unwrap() else {
        panic!("the code was right");
    };
    (enrolment, codes)
}

fn answer(f: &mut Fixture, typed: &Typed, now: Time) -> Answered {
    let user = user(f);
    try_answer(&mut f.store, &user, typed, now).unwrap()
}

fn try_answer(
    store: &mut Store,
    user: &User,
    typed: &Typed,
    now: Time,
) -> Result<Answered, StoreError> {
    let limits = Settings::default().lockout.limits();
    let who = Answerer {
        user_id: user.id,
        user: &user.name,
        proof: Proof::Key,
        source: &Network::of(HERE.parse().ok(), &limits),
    };
    store.answer_factor(&who, &limits, HERE, typed, now)
}

fn kind(answered: Answered) -> FactorKind {
    match answered {
        Answered::Passed(passed) => passed.kind,
        other => panic!("{other:?}"),
    }
}

fn refused(answered: Answered) -> FactorRefusal {
    match answered {
        Answered::Refused(refusal) => refusal,
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_code_works_once_and_the_clock_going_back_opens_nothing() {
    let mut f = alice();
    let (enrolment, _) = enrol(&mut f);
    let totp = enrolment.totp();
    let step = Totp::step(NOW);
    assert_eq!(
        refused(answer(&mut f, &typed(totp, step - 1), NOW)),
        FactorRefusal::Used,
        "it enrolled"
    );
    assert_eq!(
        kind(answer(&mut f, &typed(totp, step), NOW)),
        FactorKind::Totp
    );
    assert_eq!(
        refused(answer(&mut f, &typed(totp, step), NOW)),
        FactorRefusal::Used
    );
    for steps_back in [1, 2, 100] {
        let back = NOW.plus(-30_000 * steps_back);
        let code = typed(totp, step - steps_back);
        assert_eq!(refused(answer(&mut f, &code, back)), FactorRefusal::Used);
    }
    let later = NOW.plus(30_000);
    assert_eq!(
        kind(answer(&mut f, &typed(totp, step + 1), later)),
        FactorKind::Totp
    );
    assert_eq!(
        refused(answer(&mut f, &typed(totp, step + 9), later)),
        FactorRefusal::Wrong
    );
    assert_eq!(
        refused(answer(&mut f, &Typed::parse(b"12345678"), later)),
        FactorRefusal::Wrong
    );
    assert_eq!(
        refused(answer(&mut f, &Typed::parse(b"what?"), later)),
        FactorRefusal::Wrong
    );
    let wrong = f.events("factor.refused").len();
    assert_eq!(
        refused(answer(&mut f, &Typed::parse(b""), later)),
        FactorRefusal::Nothing
    );
    assert_eq!(
        f.events("factor.refused").len(),
        wrong,
        "no answer is no event"
    );
    let passed = f.events("factor.passed");
    assert_eq!(passed.len(), 2);
    assert_eq!(passed[0]["factor"], "totp");
    assert_eq!(passed[0]["source"], HERE);
}

#[test]
fn of_two_who_type_one_code_at_once_exactly_one_passes() {
    for by_recovery in [false, true] {
        let mut f = alice();
        let (enrolment, codes) = enrol(&mut f);
        let paths = f.store.paths().clone();
        let alice = user(&f);
        let typed = match by_recovery {
            true => codes[3].expose().to_owned(),
            false => format!("{:06}", enrolment.totp().code(Totp::step(NOW))),
        };
        let typed = typed.as_str();
        let begin = std::sync::Barrier::new(5);
        let passed: usize = std::thread::scope(|scope| {
            let logins: Vec<_> = (0..5)
                .map(|_| {
                    scope.spawn(|| {
                        let mut store = Store::open(&paths).unwrap();
                        store.set_event_sender(event::Sender::to("/nonexistent/log"));
                        begin.wait();
                        let typed = Typed::parse(typed.as_bytes());
                        let answered = try_answer(&mut store, &alice, &typed, NOW).unwrap();
                        usize::from(matches!(answered, Answered::Passed(_)))
                    })
                })
                .collect();
            logins.into_iter().map(|login| login.join().unwrap()).sum()
        });
        assert_eq!(passed, 1);
    }
}

#[test]
fn a_recovery_code_works_once_and_new_ones_end_the_old() {
    let mut f = alice();
    let (_, codes) = enrol(&mut f);
    assert_eq!(codes.len(), 10);
    let typed = |code: &RecoveryCode| Typed::parse(code.expose().to_uppercase().as_bytes());
    let Answered::Passed(passed) = answer(&mut f, &typed(&codes[4]), NOW) else {
        panic!("it is one of the ten");
    };
    assert_eq!(
        (passed.kind, passed.recovery_codes),
        (FactorKind::Recovery, 9)
    );
    assert_eq!(
        refused(answer(&mut f, &typed(&codes[4]), NOW)),
        FactorRefusal::Wrong
    );
    let alice = user(&f);
    let new = f.store.new_recovery_codes(&alice, HERE, NOW).unwrap();
    assert_eq!(
        refused(answer(&mut f, &typed(&codes[0]), NOW)),
        FactorRefusal::Wrong
    );
    assert_eq!(
        kind(answer(&mut f, &typed(&new[0]), NOW)),
        FactorKind::Recovery
    );
    let kept: Vec<String> = f
        .store
        .read()
        .texts("SELECT hash FROM recovery_code", [])
        .unwrap();
    assert!(kept.iter().all(|hash| hash.starts_with("$argon2id$")));
}

#[test]
fn an_enrolment_counts_only_with_its_own_code_and_renewing_ends_the_old() {
    let mut f = alice();
    let alice = user(&f);
    let enrolment = Enrolment::begin(Algorithm::Sha256, Digits::Eight).unwrap();
    let step = Totp::step(NOW);
    let wrong = typed(enrolment.totp(), step + 50);
    let before = f.store.read().before_enrolment(&alice).unwrap();
    let done = f
        .store
        .confirm_enrolment(&alice, HERE, &enrolment, &wrong, before, NOW);
    assert!(matches!(done.unwrap(), Confirmed::Wrong));
    assert!(!f.store.read().factor_of(&alice).unwrap().is_enrolled());
    assert_eq!(
        refused(answer(&mut f, &typed(enrolment.totp(), step), NOW)),
        FactorRefusal::NotEnrolled
    );
    let (old, _) = enrol(&mut f);
    let right = typed(enrolment.totp(), step - 1);
    let before = f.store.read().before_enrolment(&alice).unwrap();
    let done = f
        .store
        .confirm_enrolment(&alice, HERE, &enrolment, &right, before, NOW);
    assert!(matches!(done.unwrap(), Confirmed::Done(_)));
    assert_eq!(
        refused(answer(&mut f, &typed(old.totp(), step), NOW)),
        FactorRefusal::Wrong
    );
    assert_eq!(
        kind(answer(&mut f, &typed(enrolment.totp(), step), NOW)),
        FactorKind::Totp
    );
    let told: Vec<_> = f
        .events("factor.change")
        .iter()
        .map(|event| event["result"].clone())
        .collect();
    assert_eq!(told, ["enrolled", "renewed"]);
}

#[test]
fn the_secret_is_sealed_for_its_row() {
    let mut f = alice();
    let (enrolment, _) = enrol(&mut f);
    let sealed: Vec<u8> = f
        .store
        .read()
        .first("SELECT secret FROM totp", [], |row| Ok(row.get(0)?))
        .unwrap()
        .unwrap();
    let secret = enrolment.totp().secret.expose();
    assert!(!sealed.windows(secret.len()).any(|window| window == secret));
    let other = f.add_user("mallory").unwrap();
    f.store
        .connection
        .execute("UPDATE totp SET user_id = ?1", [other.id])
        .unwrap();
    let now = typed(enrolment.totp(), Totp::step(NOW));
    let moved = try_answer(&mut f.store, &other, &now, NOW);
    assert!(matches!(moved, Err(StoreError::Secret { .. })), "{moved:?}");
}

#[test]
fn too_many_wrong_answers_lock_and_the_right_one_after_them_is_not_looked_at() {
    let mut f = alice();
    let (enrolment, codes) = enrol(&mut f);
    let step = Totp::step(NOW);
    let recovery = Typed::parse(codes[0].expose().as_bytes());
    for wrong in [
        b"1".as_slice(),
        b"12345678",
        b"aaaaa-aaaaa",
        b"",
        b"x",
        b"abcdefghij",
    ] {
        assert!(matches!(
            answer(&mut f, &Typed::parse(wrong), NOW),
            Answered::Refused(_)
        ));
    }
    for right in [&typed(enrolment.totp(), step), &recovery] {
        let locked = answer(&mut f, right, NOW);
        assert!(matches!(locked, Answered::Locked(_)), "{locked:?}");
    }
    let later = NOW.plus(16 * 60_000);
    assert_eq!(
        kind(answer(&mut f, &recovery, later)),
        FactorKind::Recovery,
        "it was not used up"
    );
}

#[test]
fn what_cannot_be_written_down_does_not_count() {
    let mut f = alice();
    let (enrolment, codes) = enrol(&mut f);
    let alice = user(&f);
    let other = rusqlite::Connection::open(f.store.paths().database()).unwrap();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    let now = typed(enrolment.totp(), Totp::step(NOW));
    let locked = try_answer(&mut f.store, &alice, &now, NOW);
    assert!(matches!(locked, Err(StoreError::Busy)), "{locked:?}");
    let code = Typed::parse(codes[0].expose().as_bytes());
    let locked = try_answer(&mut f.store, &alice, &code, NOW);
    assert!(matches!(locked, Err(StoreError::Busy)), "{locked:?}");
    other.execute_batch("ROLLBACK").unwrap();
    assert_eq!(
        kind(answer(&mut f, &now, NOW)),
        FactorKind::Totp,
        "it was not used up either"
    );
}

#[test]
fn a_factor_is_remembered_for_one_key_and_address_and_a_while() {
    let mut f = alice();
    enrol(&mut f);
    let alice = user(&f);
    let minute = 60_000;
    f.store
        .remember_factor(&alice, KEY, HERE, 15 * minute, NOW)
        .unwrap();
    let asked = |f: &Fixture, key: &str, source: &str, now| {
        f.store
            .read()
            .remembered(&alice, key, source, 15 * minute, now)
            .unwrap()
    };
    assert_eq!(asked(&f, KEY, HERE, NOW.plus(14 * minute)), Some(NOW));
    assert_eq!(asked(&f, KEY, HERE, NOW.plus(15 * minute)), None);
    assert_eq!(asked(&f, KEY, HERE, NOW.plus(-1)), None, "from the future");
    assert_eq!(asked(&f, "SHA256:other", HERE, NOW), None);
    assert_eq!(asked(&f, KEY, "192.0.2.8", NOW), None);
    for (key, source, time) in [("", HERE, minute), (KEY, "", minute), ("SHA256:x", HERE, 0)] {
        f.store
            .remember_factor(&alice, key, source, time, NOW)
            .unwrap();
        assert_eq!(asked(&f, key, source, NOW), None);
    }
    // The settings count as they are when it is asked: made shorter, or switched off.
    let later = NOW.plus(5 * minute);
    for (setting, expected) in [(6 * minute, Some(NOW)), (5 * minute, None), (0, None)] {
        let read = f.store.read();
        let found = read.remembered(&alice, KEY, HERE, setting, later).unwrap();
        assert_eq!(found, expected, "{setting}");
    }
    let mallory = f.add_user("mallory").unwrap();
    let of_mallory = f.store.read().remembered(&mallory, KEY, HERE, minute, NOW);
    assert_eq!(of_mallory.unwrap(), None);
    // A reset between the answer and its memory: nothing is remembered, and no login has passed anything.
    f.change(|change| {
        change.reset_factor(
            "alice",
            &RecoveryCode::make_one().unwrap().1,
            NOW.plus(1000),
        )
    })
    .unwrap();
    f.store
        .remember_factor(&alice, KEY, HERE, minute, NOW)
        .unwrap();
    assert_eq!(asked(&f, KEY, HERE, NOW), None);
}

#[test]
fn what_is_remembered_goes_with_each_change_of_user_key_role_and_with_a_reset() {
    type Step = fn(&mut Fixture);
    let steps: [(&str, Step); 6] = [
        ("mfa", |f| edit(f, |user| user.mfa = Mfa::Totp)),
        ("role", |f| edit(f, |user| user.role = Role::Auditor)),
        ("disabled", |f| edit(f, |user| user.enabled = false)),
        ("reset", |f| {
            assert!(
                f.change(|change| change.reset_factor(
                    "alice",
                    &RecoveryCode::make_one().unwrap().1,
                    NOW.plus(1000)
                ))
                .unwrap()
            )
        }),
        ("key", |f| {
            let key = f.store.read().login_keys(Some("alice")).unwrap().remove(0);
            f.change(|change| change.remove_login_key(&key)).unwrap();
        }),
        ("policy of the role", |f| {
            f.change(|change| {
                let mut defaults = change.read().defaults()?;
                defaults.mfa_user = Mfa::Any;
                change.set_defaults(&defaults)
            })
            .unwrap();
        }),
    ];
    for (what, step) in steps {
        let mut f = alice();
        enrol(&mut f);
        let alice = user(&f);
        let key = f
            .store
            .read()
            .login_keys(Some("alice"))
            .unwrap()
            .remove(0)
            .fingerprint;
        f.store
            .remember_factor(&alice, &key, HERE, 60_000, NOW)
            .unwrap();
        step(&mut f);
        assert_eq!(
            f.store
                .read()
                .remembered(&alice, &key, HERE, 60_000, NOW)
                .unwrap(),
            None,
            "{what}"
        );
        let told = f.events("factor.change");
        assert!(
            told.iter().any(|event| event["result"] == "forgotten"),
            "{what}: {told:?}"
        );
    }
}

fn edit(f: &mut Fixture, edit: impl FnOnce(&mut User)) {
    let mut alice = user(f);
    edit(&mut alice);
    f.change(|change| change.set_user(&alice)).unwrap();
}

#[test]
fn the_policy_of_a_role_holds_where_the_user_has_none_and_reaches_the_snapshots() {
    let mut f = alice();
    let asks = |f: &Fixture| {
        let file = snapshot::SnapshotFile::open(&f.store.paths().users_snapshot()).unwrap();
        let reader = snapshot::users::Reader::new(file).unwrap();
        let name = snapshot::UserName::new(b"alice").unwrap();
        let found = reader.by_name(&name).unwrap().unwrap();
        found.flags().contains(snapshot::users::Flags::MFA_AT_LOGIN)
    };
    let of = |f: &Fixture| f.store.read().factor_of(&user(f)).unwrap();
    assert!(!asks(&f));
    assert_eq!(of(&f).because_of, FactorSource::Nobody);
    f.change(|change| {
        let mut defaults = change.read().defaults()?;
        defaults.mfa_user = Mfa::Totp;
        change.set_defaults(&defaults)
    })
    .unwrap();
    assert!(asks(&f));
    let policy = of(&f);
    assert_eq!(
        (policy.demanded, policy.because_of),
        (Mfa::Totp, FactorSource::Role)
    );
    assert!(policy.must_enrol());
    edit(&mut f, |user| user.mfa_asked = MfaAsked::Session);
    assert!(!asks(&f));
    assert!(of(&f).session_asks());
}

#[test]
fn nobody_can_shut_the_last_administrator_out_with_a_factor_that_he_has_no_key_for() {
    let mut f = alice();
    edit(&mut f, |user| user.role = Role::Admin);
    let shut_out = f.change(|change| {
        let mut defaults = change.read().defaults()?;
        defaults.mfa_admin = Mfa::SecurityKey;
        change.set_defaults(&defaults)
    });
    assert!(
        matches!(shut_out, Err(StoreError::Refused { .. })),
        "{shut_out:?}"
    );
    let mut alice = user(&f);
    alice.mfa = Mfa::SecurityKey;
    let shut_out = f.change(|change| change.set_user(&alice));
    assert!(
        matches!(shut_out, Err(StoreError::Refused { .. })),
        "{shut_out:?}"
    );
}

#[test]
fn no_administrator_takes_his_own_factor_away_or_weakens_it() {
    let mut f = alice();
    enrol(&mut f);
    edit(&mut f, |user| {
        user.role = Role::Admin;
        user.mfa = Mfa::Totp;
    });
    let herself = Actor {
        name: "alice".into(),
        why: String::new(),
    };
    let reset = f.store.change(&herself, NOW, |change| {
        let (_, hash) = RecoveryCode::make_one().unwrap();
        change.reset_factor("alice", &hash, NOW.plus(1000))
    });
    assert!(
        matches!(reset, Err(StoreError::NotAllowed { .. })),
        "{reset:?}"
    );
    type Edit = fn(&mut User);
    let edits: [(Edit, bool); 4] = [
        (|user| user.mfa = Mfa::Off, false),
        (|user| user.mfa = Mfa::Any, false),
        (|user| user.mfa_asked = MfaAsked::Session, false),
        (|user| user.comment = "mine".into(), true),
    ];
    for (edit, allowed) in edits {
        let mut alice = user(&f);
        edit(&mut alice);
        let done = f
            .store
            .change(&herself, NOW, |change| change.set_user(&alice));
        assert_eq!(done.is_ok(), allowed, "{done:?}");
    }
    assert!(f.store.read().factor_of(&user(&f)).unwrap().is_enrolled());
}

/// A login that was in order when it began is asked to begin again, without an alert, whoever tightened what.
#[test]
fn what_was_demanded_after_a_login_began_is_no_hole() {
    type Step = fn(&mut Fixture);
    let steps: [(Step, FactorStanding); 3] = [
        (
            |f| edit(f, |user| user.mfa = Mfa::Totp),
            FactorStanding::LaterEnrolled,
        ),
        (
            |f| {
                f.change(|change| {
                    let mut defaults = change.read().defaults()?;
                    defaults.mfa_user = Mfa::SecurityKey;
                    change.set_defaults(&defaults)
                })
                .unwrap();
            },
            FactorStanding::LaterEnrolled,
        ),
        (|_| {}, FactorStanding::Passed),
    ];
    for (step, expected) in steps {
        let mut f = alice();
        enrol(&mut f);
        let (login, _) = f.login(crate::process::myself().unwrap());
        step(&mut f);
        let standing = f
            .store
            .read()
            .factor_standing(&user(&f), &login, 0, NOW)
            .unwrap();
        assert_eq!(standing, expected);
    }
}
