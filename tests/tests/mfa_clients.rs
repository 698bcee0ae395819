//! Real clients against a second factor: who gets in without a person, and what the others are told. `docs/mfa.md` keeps
//! the table.

use std::time::Duration;

use tests::{Authenticator, Host, Lab, Outcome, client_host};

/// What alice's factor is like.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Factor {
    None,
    Login,
    Session,
    Remembered,
}

/// A client without a person: its name, what is run at the client host, and what refuses it where sshd asks.
const CLIENTS: [(&str, &str); 5] = [
    (
        "ssh -o BatchMode=yes",
        "ssh -o BatchMode=yes $ON_WEB1 'echo passed'",
    ),
    (
        "sftp -b",
        "echo 'ls /etc/hostname' | sftp -b - $ON_WEB1 && echo passed",
    ),
    (
        "scp",
        "scp -q -o BatchMode=yes $ON_WEB1:/etc/hostname /tmp/got && echo passed",
    ),
    (
        "Ansible",
        "cd /tmp && printf -- '- hosts: all\\n  gather_facts: false\\n  tasks: [{ansible.builtin.raw: id -un}]\\n' >play.yml && ANSIBLE_NOCOLOR=1 ansible-playbook -i $ON_WEB1, play.yml && echo passed",
    ),
    (
        "plink",
        "cd /root && plink -batch -hostkey $(cat fingerprint) -i key.ppk $ON_WEB1 'echo passed' </dev/null",
    ),
];

fn run(client: &Host, script: &str) -> Outcome {
    let script = format!("ON_WEB1=alice@dev@web1@bastion; {script}");
    client
        .command(["bash", "-c", &script])
        .within(Duration::from_secs(60))
        .run()
}

fn jmsctl(lab: &Lab, line: &str) {
    drop(
        lab.bastion()
            .run(format!("jmsctl {line} </dev/null"))
            .expect_status(0),
    );
}

#[test]
fn each_client_passes_where_nobody_has_to_be_asked_and_is_told_why_where_somebody_has() {
    let lab = Lab::everyday();
    let client = client_host::of_alice(&lab);
    drop(
        client
            .run(
                "cd /root && puttygen .ssh/id_ed25519 -o key.ppk -O private
                 ssh-keygen -lf .ssh/known_hosts | sed -n 's/.*\\(SHA256:[^ ]*\\).*ED25519.*/\\1/p' | head -n 1 >fingerprint",
            )
            .expect_status(0),
    );
    let app = enrolled(client);
    let mut table = Vec::new();
    for factor in [
        Factor::None,
        Factor::Session,
        Factor::Remembered,
        Factor::Login,
    ] {
        // A change of what is demanded forgets what was remembered.
        jmsctl(&lab, "user set alice --mfa off");
        match factor {
            Factor::None => {}
            Factor::Session | Factor::Remembered => {
                jmsctl(&lab, "user set alice --mfa totp --mfa-asked session")
            }
            Factor::Login => jmsctl(&lab, "user set alice --mfa totp --mfa-asked login"),
        }
        if factor == Factor::Remembered {
            let mut verify = client
                .command(["ssh", "-t", "alice@bastion", "mfa", "verify"])
                .on_terminal();
            verify.expect("a recovery code: ");
            verify.send_line(&app.code(client, 0));
            verify.expect("The second factor was passed.");
            drop(verify.wait().expect_status(0));
        }
        for (name, script) in CLIENTS {
            let outcome = run(client, script);
            let all = format!("{}{}", outcome.text(), outcome.error_text());
            let passed = outcome.succeeded() && all.contains("passed");
            let expected = matches!(factor, Factor::None | Factor::Remembered);
            assert_eq!(passed, expected, "{name} with {factor:?}: {outcome}\n{all}");
            if factor == Factor::Session {
                assert!(
                    all.contains("your second factor is asked for"),
                    "{name}: {all}"
                );
            }
            table.push(format!(
                "{name:24} {factor:?}: {}",
                if passed { "in" } else { "refused" }
            ));
        }
    }
    println!("{}", table.join("\n"));
    // A person is asked by sshd, after the key.
    let mut person = client
        .command(["ssh", "-t", "alice@dev@web1@bastion", "echo quince"])
        .on_terminal();
    person.expect("ode");
    person.send_line(&app.code(client, 1));
    person.expect("quince");
    drop(person.wait().expect_status(0));
}

/// Alice enrols before anything is demanded of her.
#[track_caller]
fn enrolled(client: &Host) -> Authenticator {
    let mut screen = client
        .command(["ssh", "-t", "alice@bastion", "mfa", "enroll"])
        .in_window(120, 60)
        .on_terminal();
    let shown = screen.expect("code of the app: ");
    let secret = shown
        .lines()
        .map(str::trim)
        .find(|line| line.len() == 39 && line.split(' ').all(|part| part.len() == 4));
    let app = Authenticator::typed(secret.unwrap_or_else(|| panic!("no secret in {shown}")));
    screen.send_line(&app.code(client, -1));
    screen.expect("type yes when you have noted them: ");
    screen.send_line("yes");
    drop(screen.wait().expect_status(0));
    app
}
