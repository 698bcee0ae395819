//! What a stranger without a registered key can tell apart: of names in every state of a user, and names that nobody has.

use tests::strangers::{State, prepare};
use tests::{Client, Lab};

/// Everything that `ssh -vvv` says of a try, without what is the stranger's own: the name, and how long it took.
fn seen(stranger: &Client, name: &str, target: &str, options: &[&str]) -> String {
    let login = format!("{name}{target}");
    let mut words = vec!["-vvv", "-l", &login];
    words.extend(options);
    words.extend(["bastion", "whoami"]);
    let outcome = stranger.ssh(words).expect_status(255).expect_stdout("");
    let text = outcome.error_text().replace('\r', "").replace(name, "NAME");
    let of_this_connection = |line: &&str| {
        // Sizes of the client's random numbers, its process, and times.
        !["bits set", "in 0.", "Bytes per second", "pid", "fd "]
            .iter()
            .any(|word| line.contains(word))
    };
    text.lines()
        .filter(of_this_connection)
        .collect::<Vec<_>>()
        .join("\n")
}

#[test]
fn names_of_every_state_are_answered_alike_byte_for_byte() {
    let lab = Lab::everyday();
    let states: Vec<State> = prepare(&lab, 2);
    let stranger = lab.client_of("mallory");
    let ways: [(&str, &[&str]); 5] = [
        ("", &[]),
        ("@dev@web1", &[]),
        ("", &["-o", "PreferredAuthentications=none"]),
        (
            "",
            &[
                "-o",
                "PreferredAuthentications=password,keyboard-interactive",
            ],
        ),
        ("", &["-o", "PubkeyAuthentication=no"]),
    ];
    for (target, options) in ways {
        let known = seen(&stranger, "k0001", target, options);
        assert!(
            known.contains("Authentications that can continue: publickey\n"),
            "{known}"
        );
        assert!(known.contains("Permission denied (publickey)."), "{known}");
        for state in &states {
            for name in &state.names {
                assert_eq!(
                    seen(&stranger, name, target, options),
                    known,
                    "{} ({target} {options:?})",
                    state.name
                );
            }
        }
    }
    // The tries were real ones: whoever has the key is told why, or gets in.
    let owner = lab.client_of("owner");
    owner
        .ssh(["k0001@bastion", "whoami"])
        .expect_status(0)
        .expect_stdout_contains("k0001");
    owner
        .ssh(["e0001@bastion", "whoami"])
        .expect_status(255)
        .expect_stderr_contains("jms: this account has expired");
    owner
        .ssh(["r0001@bastion", "whoami"])
        .expect_status(255)
        .expect_stderr_contains("jms: a login rule does not let you in");
    owner
        .ssh(["d0001@bastion", "whoami"])
        .expect_status(255)
        .expect_stdout("");
}
