//! Module, helper and store together, in a sandbox, driven by pamtester as by sshd.

#[path = "../../tests/sandbox/mod.rs"]
mod sandbox;

use std::fs;
use std::os::unix::fs::chown;
use std::path::Path;
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use base64::Engine;
use jms::keys::Fingerprint;
use jms::nouns::{LoginKey, User};
use jms::paths::Paths;
use jms::store::{Actor, LoginSearch, Store};
use jms::time::Time;
use sandbox::{Ran, SERVICE_UID, Sandbox};

const HELPER: &str = env!("CARGO_BIN_EXE_jms-pam-helper");
const KEY: &str = "AAAAC3NzaC1lZDI1NTE5AAAAIPAaKq47/kg4Dt6K28HYdE4b1kAbFDdHGTRDjiXV2R1I";
const SESSION: [&str; 3] = ["acct_mgmt", "open_session", "close_session"];

/// A sandbox with the real helper and a store that knows alice and her key.
fn bastion() -> Sandbox {
    let sandbox = Sandbox::new().program(Path::new(HELPER));
    let paths = Paths::under(sandbox.folder());
    paths.create().expect("folders");
    let mut store = Store::create(&paths).expect("a store");
    let high_water = paths.uid_high_water();
    let now = Time::now();
    let blob = base64::engine::general_purpose::STANDARD
        .decode(KEY)
        .expect("a key");
    let actor = Actor {
        name: "root".into(),
        why: String::new(),
    };
    store
        .change(&actor, now, |change| {
            change.add_user(
                &User::new("alice", now),
                70_001..=70_001,
                &high_water,
                |_| false,
            )?;
            change.add_login_key(&LoginKey {
                id: 0,
                user: "alice".into(),
                kind: "ssh-ed25519".into(),
                fingerprint: Fingerprint::of(&blob).to_string(),
                blob,
                from: Vec::new(),
                valid_until: None,
                verify_required: false,
                comment: String::new(),
                created_at: now,
                updated_at: now,
            })
        })
        .expect("alice");
    drop(store);
    give_to_service(paths.state());
    sandbox
}

fn give_to_service(path: &Path) {
    chown(path, Some(SERVICE_UID), Some(SERVICE_UID)).expect("chown");
    if path.is_dir() {
        for entry in fs::read_dir(path).expect("a folder") {
            give_to_service(&entry.expect("an entry").path());
        }
    }
}

fn pam(sandbox: &Sandbox, phases: &[&str]) -> Ran {
    sandbox.run(&command(phases))
}

fn command(phases: &[&str]) -> String {
    format!(
        "exec pamtester -I rhost=203.0.113.7 -I tty=ssh \
         -E SSH_CONNECTION='203.0.113.7 50022 192.0.2.1 22' \
         -E SSH_AUTH_INFO_0='publickey ssh-ed25519 {KEY}' sshd alice {}",
        phases.join(" ")
    )
}

fn logins(sandbox: &Sandbox) -> Vec<jms::nouns::Login> {
    let store = Store::open(&Paths::under(sandbox.folder())).expect("the store");
    let search = LoginSearch {
        limit: 100,
        ..LoginSearch::default()
    };
    store.read().logins(&search).expect("logins")
}

#[test]
fn a_login_is_opened_and_closed() {
    let sandbox = bastion();
    let ran = pam(&sandbox, &SESSION);
    assert!(ran.went_well(), "{} {:?}", ran.text(), ran.log);
    let logins = logins(&sandbox);
    assert_eq!(logins.len(), 1);
    assert_eq!(logins[0].close_reason.as_deref(), Some("closed"));
    assert_eq!(logins[0].source_port, Some(50022));
    assert!(
        ran.logged("type=\"login.open\"") && ran.logged("type=\"login.close\""),
        "{:?}",
        ran.log
    );
    assert!(ran.time < Duration::from_secs(3), "{:?}", ran.time);
}

#[test]
fn one_process_answers_account_and_session_and_another_closes() {
    let sandbox = bastion().helper(&format!(
        "echo started >>$SEEN/starts; exec {HELPER} \"$@\""
    ));
    let ran = pam(&sandbox, &SESSION);
    assert!(ran.went_well(), "{} {:?}", ran.text(), ran.log);
    let starts = fs::read_to_string(sandbox.seen("starts")).expect("it was started");
    assert_eq!(starts.lines().count(), 2);
    assert_eq!(logins(&sandbox).len(), 1);
    // The last of a login leaves the store as it is between logins.
    let log = Paths::under(sandbox.folder())
        .database()
        .with_extension("db-wal");
    assert!(!log.exists());
}

#[test]
fn a_login_that_is_not_closed_belongs_to_the_process_that_opened_it() {
    let sandbox = bastion();
    let ran = pam(&sandbox, &["open_session"]);
    assert!(ran.went_well(), "{} {:?}", ran.text(), ran.log);
    let login = logins(&sandbox).remove(0);
    assert_eq!(login.closed_at, None);
    assert!(
        ran.logged(&format!("sshd_pid=\"{}\"", login.sshd_pid)),
        "{:?}",
        ran.log
    );
}

#[test]
fn who_is_disabled_stays_out_and_reads_why() {
    let sandbox = bastion();
    let paths = Paths::under(sandbox.folder());
    let mut store = Store::open(&paths).expect("the store");
    let actor = Actor {
        name: "root".into(),
        why: String::new(),
    };
    let disable = |change: &jms::store::Change<'_>| {
        let mut alice = change.read().user("alice")?;
        alice.enabled = false;
        change.set_user(&alice)
    };
    store
        .change(&actor, Time::now(), disable)
        .expect("disables");
    drop(store);
    give_to_service(paths.state());
    for phase in ["acct_mgmt", "open_session"] {
        let ran = pam(&sandbox, &[phase]);
        assert!(!ran.went_well());
        // sshd would print what the session phase says on the session's standard output.
        let told = ran.text().contains("jms: this account is disabled");
        assert_eq!(told, phase == "acct_mgmt", "{}", ran.text());
        assert!(
            ran.logged("type=\"login.refused\"") && ran.logged("user-disabled"),
            "{:?}",
            ran.log
        );
    }
    assert_eq!(logins(&sandbox), []);
}

#[test]
fn without_a_store_nobody_of_ours_gets_in_and_somebody_is_alerted() {
    for damage in [
        "rm -rf /var/lib/jms/*",
        "umount /var/lib/jms; rm -rf /var/lib/jms",
        "echo garbage >/var/lib/jms/jms.db; rm -f /var/lib/jms/jms.db-*",
        ": >/var/lib/jms/jms.db; rm -f /var/lib/jms/jms.db-*",
        "chmod 0 /var/lib/jms/jms.db",
        "chown root /var/lib/jms; chmod 700 /var/lib/jms",
        "rm /var/lib/jms/jms.db*; mkfifo -m 666 /var/lib/jms/jms.db",
        "mv /var/lib/jms/jms.db /var/lib/jms/other; ln -s other /var/lib/jms/jms.db",
    ] {
        for phase in ["acct_mgmt", "open_session"] {
            let ran = bastion().run(&format!("{damage}; {}", command(&[phase])));
            assert!(!ran.went_well(), "{damage} {phase}");
            assert!(
                ran.logged("type=\"store.problem\""),
                "{damage}: {:?}",
                ran.log
            );
            assert!(ran.logged("severity=\"alert\""), "{damage}: {:?}", ran.log);
            let told = ran.text().contains("jms: the bastion cannot let you in");
            assert_eq!(told, phase == "acct_mgmt", "{}", ran.text());
            assert!(
                ran.time < Duration::from_millis(6500),
                "{damage}: {:?}",
                ran.time
            );
        }
    }
}

#[test]
fn a_locked_store_is_waited_for_but_not_for_ever() {
    let sandbox = bastion();
    let paths = Paths::under(sandbox.folder());
    let (held, is_held) = mpsc::channel();
    let (release, released) = mpsc::channel::<()>();
    let writer = thread::spawn(move || {
        let mut store = Store::open(&paths).expect("the store");
        let actor = Actor {
            name: "root".into(),
            why: String::new(),
        };
        let wait = |_: &jms::store::Change<'_>| {
            held.send(()).expect("somebody waits");
            let _ = released.recv();
            Ok(())
        };
        store
            .change(&actor, Time::now(), wait)
            .expect("nothing changed");
    });
    is_held.recv().expect("the lock is held");
    let ran = pam(&sandbox, &["open_session"]);
    drop(release);
    writer.join().expect("the writer ends");
    assert!(!ran.went_well());
    assert!(ran.time >= Duration::from_secs(2), "{:?}", ran.time);
    assert!(ran.time < Duration::from_millis(5500), "{:?}", ran.time);
    assert!(ran.logged("store-busy"), "{:?}", ran.log);
    let ran = pam(&sandbox, &["open_session"]);
    assert!(ran.went_well(), "{} {:?}", ran.text(), ran.log);
}

#[test]
fn bad_settings_are_said_and_stop_nobody_here() {
    let sandbox = bastion();
    let ran = sandbox.run(&format!(
        "echo 'what = is this' >/etc/jms/jms.toml; {}",
        command(&SESSION)
    ));
    assert!(ran.went_well(), "{} {:?}", ran.text(), ran.log);
    assert!(ran.logged("type=\"settings.problem\""), "{:?}", ran.log);
    let json = "printf '[syslog]\\nformat = \"json\"\\n' >/etc/jms/jms.toml";
    let ran = sandbox.run(&format!("{json}; {}", command(&SESSION)));
    assert!(ran.logged("\"type\":\"login.open\""), "{:?}", ran.log);
}

#[test]
fn started_by_hand_it_answers_nobody() {
    let sandbox = bastion();
    let ran = sandbox.run("exec /usr/libexec/jms/jms-pam-helper </dev/null");
    assert_eq!(ran.output.status.code(), Some(1));
    assert!(
        ran.text()
            .contains("started by pam_jms.so as the user jms, not by hand"),
        "{}",
        ran.text()
    );
    assert!(ran.logged("wrong-user"), "{:?}", ran.log);
    // With jms's uid and a group too many, or with a capability left.
    for (started, logged) in [
        (
            "setpriv --reuid 64998 --regid 64998 --groups 64998,64990",
            "wrong-group",
        ),
        (
            "setpriv --reuid 70001 --regid 64998 --clear-groups",
            "wrong-user",
        ),
        (
            "setpriv --reuid 64998 --regid 0 --clear-groups",
            "wrong-group",
        ),
    ] {
        let ran = sandbox.run(&format!(
            "exec {started} /usr/libexec/jms/jms-pam-helper </dev/null"
        ));
        assert_eq!(ran.output.status.code(), Some(1), "{started}");
        assert!(ran.logged(logged), "{started}: {:?}", ran.log);
    }
    // As jms but without a question, and with another version's.
    let jms = "setpriv --reuid 64998 --regid 64998 --clear-groups /usr/libexec/jms/jms-pam-helper";
    let ran = sandbox.run(&format!("exec {jms} </dev/null"));
    assert!(ran.logged("bad-request"), "{:?}", ran.log);
    let ran = sandbox.run(&format!(
        "printf 'JMSP\\0\\003\\0\\002\\0\\0\\0\\0' | {jms}"
    ));
    assert!(ran.logged("speaks version 3"), "{:?}", ran.log);
    // A refusal in the version that every module reads.
    assert!(
        ran.output.stdout.starts_with(b"JMSP\0\x01\x01\x01"),
        "{:?}",
        ran.output.stdout
    );
}

#[test]
fn capabilities_that_were_left_are_given_up() {
    let sandbox = bastion();
    let jms = "setpriv --reuid 64998 --regid 64998 --clear-groups --inh-caps +net_raw --ambient-caps +net_raw";
    // It waits for its question on a FIFO while we look.
    let ran = sandbox.run(&format!(
        "mkfifo /dev/question; {jms} /usr/libexec/jms/jms-pam-helper </dev/question >/dev/null & \
         exec 3>/dev/question; sleep 1; cat /proc/$!/status; exec 3>&-; wait"
    ));
    for set in ["CapInh", "CapPrm", "CapEff", "CapAmb"] {
        assert!(
            ran.text().contains(&format!("{set}:\t0000000000000000")),
            "{}",
            ran.text()
        );
    }
    assert!(ran.text().contains("NoNewPrivs:\t1"), "{}", ran.text());
    assert!(
        ran.text().contains("Name:\tjms-pam-helper"),
        "{}",
        ran.text()
    );
}
