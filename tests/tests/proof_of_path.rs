//! The spine: alice reaches web1 as dev through the bastion's own sshd, recorded, and people in between notice nothing.
//!
//! The sentences are those of [`tests::proof`], which the demo shows too.

use std::sync::OnceLock;

use tests::{Lab, proof};

/// Hosts in which alice has gone the way once; no test changes them for the others.
fn lab() -> &'static (Lab, String) {
    static LAB: OnceLock<(Lab, String)> = OnceLock::new();
    LAB.get_or_init(|| {
        let lab = Lab::everyday();
        let word = proof::random_word();
        holds(proof::word_is_read(&lab, &word));
        (lab, word)
    })
}

#[track_caller]
fn holds<Found>(proof: anyhow::Result<Found>) -> Found {
    match proof {
        Ok(found) => found,
        Err(error) => panic!("{error:#}"),
    }
}

#[test]
fn a_word_in_web1s_own_root_folder_is_read_through_the_bastion() {
    holds(proof::word_is_read(&lab().0, &lab().1));
}

#[test]
fn the_clients_network_has_no_route_to_web1() {
    holds(proof::client_has_no_route(&lab().0));
}

#[test]
fn web1_saw_dev_log_in_from_the_bastion_with_the_stored_key() {
    holds(proof::asset_saw_the_bastion(&lab().0));
}

#[test]
fn the_bastions_sshd_is_the_systems_own_and_unchanged() {
    holds(proof::sshd_is_the_systems(&lab().0));
}

#[test]
fn the_session_is_listed() {
    holds(proof::session_is_listed(&lab().0));
}

#[test]
fn the_word_is_in_the_recording() {
    holds(proof::word_is_recorded(&lab().0, &lab().1));
    // The search can fail: a word that nobody showed is not there.
    assert!(proof::word_is_recorded(&lab().0, &proof::random_word()).is_err());
}

#[test]
fn syslog_has_the_sessions_opening_and_end() {
    holds(proof::syslog_has_the_session(&lab().0));
}

#[test]
fn between_logins_nothing_of_the_package_runs_and_sshd_alone_is_enough() {
    let lab = Lab::everyday();
    let word = proof::random_word();
    holds(proof::word_is_read(&lab, &word));
    holds(proof::no_daemon(&lab));
    holds(proof::login_works_after_killing_all(&lab, &word));
}

#[test]
fn what_was_not_granted_is_refused() {
    let (lab, _) = lab();
    lab.client()
        .ssh(["alice@dev@web2@bastion", "true"])
        .expect_status(126)
        .expect_stdout("");
    lab.client_of("mallory")
        .ssh(["alice@dev@web1@bastion", "true"])
        .expect_status(255)
        .expect_stdout("");
}
