//! `jmsctl user password-reset`: shown once, kept as a hash, told without it.

use crate::bastion::{Bastion, text};

fn bastion() -> Bastion {
    let bastion = Bastion::new();
    bastion.ok(&["user", "add", "alice"]);
    bastion
}

#[test]
fn a_new_password_is_shown_once_and_kept_nowhere() {
    let bastion = bastion();
    let given = bastion.json(&["user", "password-reset", "alice"]).remove(0);
    let password = given["password"].as_str().unwrap().to_owned();
    assert_eq!(password.len(), 24);
    assert_eq!(given["must_change"], true);
    assert!(given["valid_until"].as_str().unwrap().ends_with('Z'));
    let again = bastion.json(&["user", "password-reset", "alice"]).remove(0);
    assert_ne!(again["password"], password.as_str());
    let everything = bastion.sh("cat /var/lib/jms/jms.db* | tr -cd '[:print:]'");
    assert!(everything.contains("$argon2id$v=19$m=19456,t=2,p=1$"));
    assert!(!everything.contains(&password));
    let told = bastion.json(&["event", "ls", "--type", "password.change"]);
    assert_eq!(told.len(), 2);
    assert_eq!(told[0]["user"], "alice");
    // One that was only tried is not shown: nobody could log in with it.
    let dry = bastion.json(&["user", "password-reset", "alice", "--dry-run"]);
    assert!(dry[0]["password"].is_null());
}

#[test]
fn a_given_one_follows_the_policy_and_can_be_taken_away() {
    let bastion = bastion();
    let reset = |password: &str| {
        bastion.run_with(
            &["user", "password-reset", "alice", "--password", "-"],
            password,
        )
    };
    let short = reset("short\n");
    assert_eq!(short.status.code(), Some(2));
    assert!(text(&short.stderr).contains("at least 12 characters"));
    let good = reset("correct horse battery\n");
    assert!(good.status.success(), "{}", text(&good.stderr));
    assert!(!text(&good.stdout).contains("correct horse"));
    assert!(text(&good.stderr).contains("enabled = true"));
    bastion.ok(&["user", "password-reset", "alice", "--remove", "--yes"]);
    let gone = bastion.run(&["user", "password-reset", "alice", "--remove", "--yes"]);
    assert_eq!(gone.status.code(), Some(3));
    let nobody = bastion.run(&["user", "password-reset", "nobody"]);
    assert_eq!(nobody.status.code(), Some(3));
}
