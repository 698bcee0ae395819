//! With sshd's own settings, which from OpenSSH 9.8 on keep addresses away that misbehave, ordinary work costs nobody the access.

use tests::boot::ADMINISTRATOR;
use tests::{Lab, Release};

/// Takes back what the lab sets for tests that fail to log in on purpose.
fn with_sshds_own_settings(lab: &Lab) {
    let bastion = lab.bastion();
    bastion
        .run("rm /etc/ssh/sshd_config.d/50-lab.conf")
        .expect_success();
    bastion.reload_sshd();
    let settings = bastion.run("sshd -T").expect_success().text();
    assert_eq!(
        settings.contains("persourcepenalties crash:"),
        lab.release() == Release::Debian13,
        "{settings}"
    );
}

#[test]
fn logins_and_refused_requests_cost_no_penalty() {
    let lab = Lab::everyday();
    with_sshds_own_settings(&lab);
    let alice = lab.client();
    for turn in 0..12 {
        alice
            .ssh(["alice@dev@web1@bastion", &format!("exit {turn}")])
            .expect_status(turn);
        // Not granted, no such machine, no such word.
        for way in [
            ["alice@dev@web2@bastion", "true"],
            ["alice@dev@nowhere@bastion", "true"],
            ["alice@bastion", "no-such-verb"],
        ] {
            alice
                .ssh(way)
                .expect_failure()
                .expect_stderr_contains("jms: ");
        }
        // A session that its client breaks off.
        let mut broken_off = alice
            .command("ssh", ["alice@dev@web1@bastion", "echo in; cat"])
            .spawn();
        tests::eventually(
            "the session runs",
            std::time::Duration::from_secs(20),
            || broken_off.stdout_so_far() == "in\n",
        );
        broken_off.kill();
    }
    lab.client_of(ADMINISTRATOR)
        .ssh(["admin@bastion", "id -un"])
        .expect_stdout("admin\n");
    assert!(!lab.bastion().auth_log().contains("penalty"));
}
