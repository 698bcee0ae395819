//! Our PAM lines behind another module that asks for the password: the stack of docs/passwords.md, with pam_unix in the
//! place of LDAP, through a real sshd.

use tests::boot::ADMINISTRATOR;
use tests::{Authenticator, Invocation, Lab, Outcome, Terminal};

/// In /etc/shadow; the store has none.
const PASSWORD: &str = "a password of the directory";
const WRONG: &str = "another password";
const CODE: &str = "authenticator app, or a recovery code: ";

/// The block as it is written down for administrators.
fn documented() -> String {
    let page = include_str!("../../docs/passwords.md");
    let lines: Vec<&str> = page
        .lines()
        .filter(|line| line.starts_with("auth "))
        .collect();
    assert_eq!(lines.len(), 5, "{lines:?}");
    let block = format!("{}\n", lines.join("\n"));
    assert!(block.contains("pam_sss.so forward_pass"));
    block.replace("pam_sss.so forward_pass", "pam_unix.so")
}

/// What an administrator does: the block into sshd's stack, passwords.conf; and the directory's accounts.
const SET_UP: &str = r#"set -e
install -m 0644 /usr/share/jms/passwords.conf /etc/ssh/sshd_config.d/00-0-jms-passwords.conf
awk '/^@include common-auth/ { while ((getline line < "/root/block") > 0) print line } { print }' /etc/pam.d/sshd > /root/sshd
cat /root/sshd > /etc/pam.d/sshd
for name in carol dave; do
    entry=$(getent passwd $name)
    echo "$entry" | sed 's/:\*:/:x:/' >> /etc/passwd
    echo "$name:!:19000:0:99999:7:::" >> /etc/shadow
    echo "$name:a password of the directory" | chpasswd --crypt-method SHA512
done
sshd=$(command -v sshd) && $sshd -t
"#;

fn jmsctl(lab: &Lab, line: &str) -> Outcome {
    lab.bastion()
        .run(format!("jmsctl {line} </dev/null"))
        .expect_status(0)
}

/// carol and dave are users of the bastion and have a password in /etc/shadow; dave has an app, and must use it.
fn lab() -> (Lab, Authenticator) {
    let lab = Lab::everyday();
    let bastion = lab.bastion();
    jmsctl(&lab, "user add carol");
    let key = lab.folder().public_key_of("dave").unwrap();
    bastion
        .command(["jmsctl", "user", "add", "dave", "--key", "-"])
        .input(format!("{key}\n"))
        .run()
        .expect_status(0);
    let app = enrol(&lab);
    jmsctl(&lab, "user set dave --mfa totp");
    bastion.write("/root/block", documented());
    bastion.run(SET_UP).expect_status(0);
    bastion.reload_sshd();
    (lab, app)
}

fn enrol(lab: &Lab) -> Authenticator {
    let mut screen = lab
        .client_of("dave")
        .command("ssh", ["-t", "dave@bastion", "mfa", "enroll"])
        .in_window(120, 60)
        .on_terminal();
    let shown = screen.expect("code of the app: ");
    let secret = shown
        .lines()
        .map(str::trim)
        .find(|line| line.len() == 39 && line.split(' ').all(|part| part.len() == 4));
    let app = Authenticator::typed(secret.unwrap_or_else(|| panic!("no secret in {shown}")));
    screen.send_line(&app.code(lab.host("client"), -1));
    screen.expect("type yes when you have noted them: ");
    screen.send_line("yes");
    screen.wait().expect_status(0);
    app
}

/// Without a key, asked once.
fn without_key(lab: &Lab, name: &str) -> Invocation {
    lab.client().command(
        "ssh",
        [
            "-o",
            "PubkeyAuthentication=no",
            "-o",
            "NumberOfPasswordPrompts=1",
            &format!("{name}@bastion"),
            "whoami",
        ],
    )
}

/// Types each answer at its question; what the client said and how it ended.
#[track_caller]
fn meets(mut client: Terminal, types: &[(&str, &str)]) -> (String, Outcome) {
    for (question, answer) in types {
        client.expect(question);
        client.send_line(answer);
    }
    // What nobody asked for would leave the client waiting.
    let outcome = client.wait();
    (outcome.text(), outcome)
}

fn failures(lab: &Lab) -> Vec<u64> {
    let counted = jmsctl(lab, "lock ls --all --json").json_lines().unwrap();
    counted
        .iter()
        .filter_map(|counter| counter["failures"].as_u64())
        .collect()
}

#[test]
fn behind_another_module_a_password_is_its_business_and_the_second_factor_ours() {
    let (lab, app) = lab();
    let code = |ahead| app.code(lab.host("client"), ahead);
    let bastion = lab.bastion();
    let refused = |(shown, outcome): (String, Outcome)| {
        outcome.expect_status(255);
        assert!(shown.contains("Permission denied"), "{shown}");
        assert!(!shown.contains("jms:"), "a stranger is told: {shown}");
    };

    // The other module's password, and nothing of ours: no row, no counter.
    let (_, outcome) = meets(
        without_key(&lab, "carol").on_terminal(),
        &[("Password: ", PASSWORD)],
    );
    outcome.expect_status(0).expect_stdout_contains("carol");
    let login = jmsctl(&lab, "login ls --json --limit 1")
        .json_lines()
        .unwrap();
    assert_eq!(login[0]["factors"], "keyboard-interactive/pam,password");
    refused(meets(
        without_key(&lab, "carol").on_terminal(),
        &[("Password: ", WRONG)],
    ));
    assert_eq!(failures(&lab), [0; 0]);

    // The code is asked for whether or not the password was right; only both are enough.
    refused(meets(
        without_key(&lab, "dave").on_terminal(),
        &[("Password: ", PASSWORD), (CODE, "000000")],
    ));
    assert_eq!(failures(&lab), [1, 1, 1]);
    let (_, outcome) = meets(
        without_key(&lab, "dave").on_terminal(),
        &[("Password: ", PASSWORD), (CODE, &code(0))],
    );
    outcome.expect_status(0).expect_stdout_contains("dave");
    refused(meets(
        without_key(&lab, "dave").on_terminal(),
        &[("Password: ", WRONG), (CODE, &code(1))],
    ));

    // Who has proved a key is asked for the code alone. What was typed behind a wrong password is used up, so he gives
    // it wrong, and is told so: he is no stranger.
    let (shown, outcome) = meets(
        lab.client_of("dave").ssh_on_terminal([
            "-o",
            "NumberOfPasswordPrompts=1",
            "dave@bastion",
            "whoami",
        ]),
        &[(CODE, "000000")],
    );
    assert!(!shown.contains("Password"), "{shown}");
    assert!(shown.contains("that is not a code"), "{shown}");
    outcome.expect_status(255);

    // A user who exists here only has no password there.
    refused(meets(
        without_key(&lab, "alice").on_terminal(),
        &[("Password: ", PASSWORD)],
    ));
    lab.client()
        .ssh(["alice@bastion", "whoami"])
        .expect_status(0);

    // Why carol may not log in she is told when the password was right, and only then.
    jmsctl(&lab, "user disable carol");
    refused(meets(
        without_key(&lab, "carol").on_terminal(),
        &[("Password: ", WRONG)],
    ));
    let (shown, outcome) = meets(
        without_key(&lab, "carol").on_terminal(),
        &[("Password: ", PASSWORD)],
    );
    assert!(shown.contains("this account is disabled"), "{shown}");
    outcome.expect_status(255);
    jmsctl(&lab, "user enable carol");

    // Doctor finds nothing amiss in the stack; without our module nobody of ours gets in, and the administrator does.
    let found = bastion.run("jmsctl doctor --json").text();
    assert!(!found.contains("\"pam."), "{found}");
    bastion
        .run("mv $(find / -xdev -name pam_jms.so) /root/")
        .expect_status(0);
    refused(meets(
        without_key(&lab, "carol").on_terminal(),
        &[("Password: ", PASSWORD)],
    ));
    let administrator = lab.client_of(ADMINISTRATOR);
    administrator
        .ssh([&format!("{ADMINISTRATOR}@bastion"), "true"])
        .expect_status(0);
    let mut by_password = administrator.ssh_on_terminal([
        "-o",
        "PubkeyAuthentication=no",
        &format!("{ADMINISTRATOR}@bastion"),
        "echo in",
    ]);
    by_password.expect("password: ");
    by_password.send_line(tests::boot::ADMINISTRATOR_PASSWORD);
    by_password
        .wait()
        .expect_status(0)
        .expect_stdout_contains("in");
}
