//! Real clients against a second factor: who gets in without a person, and what the others are told. `docs/mfa.md` keeps
//! the table.

use std::fs;
use std::path::PathBuf;
use std::time::Duration;

use serde_json::Value;
use tests::{Authenticator, Host, Lab, Outcome, Terminal, client_host, eventually};

/// What alice's factor is like.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Factor {
    None,
    Login,
    Session,
    Remembered,
    /// One that knows its person by the finger.
    SecurityKey,
    /// One that asks for a PIN.
    SecurityKeyWithPin,
}

/// A client without a person: its name, and what is run at the client host. Ansible shares no connection here: each run is a
/// login of its own.
const CLIENTS: [(&str, &str); 6] = [
    (
        "ssh -o BatchMode=yes",
        "ssh -o BatchMode=yes $ON_WEB1 'echo passed'",
    ),
    (
        "sftp -b",
        "echo 'ls /etc/passwd' | sftp -b - $ON_WEB1 && echo passed",
    ),
    (
        "scp",
        "scp -q -o BatchMode=yes $ON_WEB1:/etc/passwd /tmp/got && echo passed",
    ),
    (
        "scp -O",
        "scp -O -q -o BatchMode=yes $ON_WEB1:/etc/passwd /tmp/got && echo passed",
    ),
    (
        "Ansible",
        "cd /tmp && printf -- '- hosts: all\\n  gather_facts: false\\n  tasks: [{ansible.builtin.raw: id -un}]\\n' >play.yml && ANSIBLE_NOCOLOR=1 ANSIBLE_SSH_ARGS='-o ControlMaster=no' ansible-playbook -i $ON_WEB1, play.yml && echo passed",
    ),
    (
        "plink",
        "cd /root && plink -batch -hostkey $(cat fingerprint) -i key.ppk $ON_WEB1 'echo passed' </dev/null",
    ),
];

/// Where the client host has its security key.
const PROVIDER: &str = "/usr/local/lib/security_key.so";

/// The provider that OpenSSH loads: Cargo built it with this test, which depends on it.
fn provider() -> PathBuf {
    let own = std::env::current_exe().expect("a program");
    let beside = own.parent().expect("a folder");
    let found = ["libsecurity_key.so", "../libsecurity_key.so"].map(|name| beside.join(name));
    let found = found.into_iter().find(|path| path.exists());
    found.unwrap_or_else(|| panic!("no libsecurity_key.so in {}", beside.display()))
}

fn make_key(client: &Host, file: &str, options: &str) {
    let line = format!(
        "rm -f {file} {file}.pub; ssh-keygen -q -t ed25519-sk -w {PROVIDER} -N '' {options} -f {file}"
    );
    drop(client.run(line).expect_status(0));
}

/// Alice has one from now on, and nothing else lets her in.
fn security_key(lab: &Lab, client: &Host, options: &str) {
    jmsctl(lab, "user set alice --mfa off");
    make_key(client, "/root/.ssh/id_ed25519_sk", options);
    let public = client.run("cat /root/.ssh/id_ed25519_sk.pub").text();
    let words = ["jmsctl", "key", "add", "alice", "-"];
    let added = lab.bastion().command(words).input(public).run();
    drop(added.expect_status(0));
    jmsctl(lab, "user set alice --mfa security-key");
}

fn security_key_that_is_only_touched(lab: &Lab, client: &Host) {
    let file = "/root/touched_sk";
    make_key(
        client,
        file,
        &format!("-O application={}", security_key::TOUCH_ONLY),
    );
    let public = client.run(format!("cat {file}.pub")).text();
    let words = ["jmsctl", "key", "add", "alice", "-"];
    let added = lab.bastion().command(words).input(public).run();
    drop(added.expect_status(0));
    let only = format!("ssh -o BatchMode=yes -o IdentitiesOnly=yes -i {file} $ON_WEB1 id");
    let refused = run(client, &only);
    assert!(!refused.succeeded(), "{refused}");
    // It is a good key, and sshd says what is missing.
    let said = "user verification requirement not met";
    eventually("sshd says why", Duration::from_secs(20), || {
        let log = lab.bastion().read_text("/var/log/auth.log");
        log.contains(said).then_some(())
    });
    jmsctl(lab, "user set alice --mfa off");
    drop(run(client, &only).expect_status(0));
    jmsctl(lab, "user set alice --mfa security-key");
    drop(client.run(format!("rm {file} {file}.pub")).expect_status(0));
}

fn ssh_on_terminal(client: &Host, words: &str) -> Terminal {
    let line = format!("exec ssh -t {words}");
    client.command(["bash", "-c", &line]).on_terminal()
}

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
    client.write(
        "/root/.ssh/config",
        format!("SecurityKeyProvider {PROVIDER}\n"),
    );
    client.write(
        PROVIDER,
        fs::read(provider()).expect("the software security key"),
    );
    let app = enrolled(client);
    let mut table = Vec::new();
    for factor in [
        Factor::None,
        Factor::Session,
        Factor::Remembered,
        Factor::SecurityKey,
        Factor::SecurityKeyWithPin,
        Factor::Login,
    ] {
        // A change of what is demanded forgets what was remembered.
        jmsctl(&lab, "user set alice --mfa off");
        match factor {
            Factor::None => {}
            Factor::Session | Factor::Remembered => {
                jmsctl(&lab, "user set alice --mfa totp --mfa-asked session")
            }
            Factor::SecurityKey => {
                security_key(&lab, client, "");
                // Refused as long as the person does not show that it is him.
                security_key_that_is_only_touched(&lab, client);
            }
            Factor::SecurityKeyWithPin => security_key(&lab, client, "-O verify-required"),
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
        if factor == Factor::SecurityKeyWithPin {
            // A person is asked for it by his own client.
            let mut person = ssh_on_terminal(client, "alice@dev@web1@bastion 'echo quince'");
            person.expect("Enter PIN for");
            person.send_line(security_key::PIN);
            person.expect("quince");
            drop(person.wait().expect_status(0));
        }
        for (name, script) in CLIENTS {
            let outcome = run(client, script);
            let all = format!("{}{}", outcome.text(), outcome.error_text());
            let passed = outcome.succeeded() && all.contains("passed");
            let expected = match factor {
                Factor::None | Factor::Remembered => true,
                // PuTTY knows no security keys.
                Factor::SecurityKey => name != "plink",
                Factor::Session | Factor::SecurityKeyWithPin | Factor::Login => false,
            };
            assert_eq!(passed, expected, "{name} with {factor:?}: {outcome}\n{all}");
            // In the sftp protocol scp shows no server's words.
            if factor == Factor::Session && name != "scp" {
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
    the_log_of_sshd_is_listed_of_who_did_not_come_as_far_as_the_code(&lab, client);
    who_left_at_the_question_is_told_from_a_client_that_did_not_begin(&lab, client);
    without_the_right_to_read_the_log_the_list_says_what_is_missing(&lab);
}

fn failed(lab: &Lab, flags: &str) -> Vec<Value> {
    let listed = lab
        .bastion()
        .run(format!("jmsctl login ls --failed {flags} --json"));
    listed.expect_status(0).json_lines().expect("JSON")
}

/// The row with this reason and of this key, where there is one.
fn row(lab: &Lab, reason: &str, key: &Value) -> Option<Value> {
    let mut rows = failed(lab, "--user alice").into_iter();
    rows.find(|row| row["reason"] == reason && row["key"] == *key)
}

fn count(lab: &Lab, reason: &str, key: &Value) -> u64 {
    row(lab, reason, key).map_or(0, |row| row["count"].as_u64().expect("a number"))
}

/// Of the clients above; sshd does not log which of them proved a key.
fn the_log_of_sshd_is_listed_of_who_did_not_come_as_far_as_the_code(lab: &Lab, client: &Host) {
    let all = CLIENTS.len() as u64;
    eventually("all are in the log", Duration::from_secs(20), || {
        count(lab, "factor-not-given", &Value::Null) >= all
    });
    let listed = row(lab, "factor-not-given", &Value::Null).expect("a row");
    assert_eq!(listed["login_name"], "alice@dev@web1", "{listed}");
    assert_eq!(
        listed["source"],
        lab.address("client").to_string(),
        "{listed}"
    );
    assert_eq!(listed["seq"], Value::Null, "{listed}");
    assert!(listed["first"].as_str() < listed["time"].as_str());
    let sentence = listed["remark"].as_str().expect("a sentence");
    assert!(
        sentence.contains("proved no key") && sentence.contains("BatchMode"),
        "{sentence}"
    );
    assert_eq!(
        failed(lab, "--since 1h").len(),
        failed(lab, "").len(),
        "all is of the last hour"
    );
    assert!(failed(lab, "--until 1h").is_empty() && failed(lab, "--user bob").is_empty());
    // People read it below the table.
    let table = lab.bastion().run("jmsctl login ls --failed");
    let table = table.expect_status(0);
    assert!(table.text().contains("factor-not-given"), "{table}");
    assert!(table.error_text().contains(sentence), "{table}");
    // Somebody of whom nothing is asked at login, and ends as early, is not listed.
    let rows = failed(lab, "").len();
    jmsctl(lab, "user set alice --mfa off");
    drop(run(
        client,
        "ssh -o BatchMode=yes -o PubkeyAuthentication=no $ON_WEB1 true",
    ));
    assert!(failed(lab, "").len() < rows);
    jmsctl(lab, "user set alice --mfa totp --mfa-asked login");
}

fn who_left_at_the_question_is_told_from_a_client_that_did_not_begin(lab: &Lab, client: &Host) {
    lab.bastion()
        .write("/etc/ssh/sshd_config.d/level.conf", "LogLevel VERBOSE\n");
    lab.bastion().reload_sshd();
    let key = client.run("ssh-keygen -lf /root/.ssh/id_ed25519.pub | cut -d' ' -f2");
    let key = Value::from(key.text().trim());
    eventually(
        "BatchMode is told for certain",
        Duration::from_secs(30),
        || {
            drop(run(client, CLIENTS[0].1));
            count(lab, "factor-not-begun", &key) > 0
        },
    );
    let listed = row(lab, "factor-not-begun", &key).expect("a row");
    let sentence = listed["remark"].as_str().expect("a sentence");
    assert!(
        sentence.contains("without beginning keyboard-interactive")
            && sentence.contains("docs/mfa.md"),
        "{sentence}"
    );
    assert_eq!(listed["factors"], "publickey");
    let begun = count(lab, "factor-not-begun", &key);
    let given = count(lab, "factor-not-given", &key);
    let mut person = ssh_on_terminal(client, "alice@dev@web1@bastion 'echo quince'");
    person.expect("ode");
    drop(person);
    eventually("who left is told", Duration::from_secs(20), || {
        count(lab, "factor-not-given", &key) == given + 1
    });
    // Whose wrong code is listed, is not listed again because he left after it.
    let wrong = || {
        let rows = failed(lab, "--user alice").into_iter();
        rows.filter(|row| row["reason"] == "code-wrong").count()
    };
    let before = wrong();
    let mut person = ssh_on_terminal(client, "alice@dev@web1@bastion 'echo quince'");
    person.expect("ode");
    person.send_line("000000");
    eventually("the wrong code is told", Duration::from_secs(20), || {
        wrong() == before + 1
    });
    drop(person);
    let ends = || {
        let log = lab.bastion().read_text("/var/log/auth.log");
        log.matches("closed by authenticating user").count()
    };
    let (ended, mark) = (ends(), "ssh -o BatchMode=yes $ON_WEB1 true");
    drop(run(client, mark));
    eventually(
        "what came later is in the log",
        Duration::from_secs(20),
        || count(lab, "factor-not-begun", &key) == begun + 1 && ends() > ended,
    );
    assert_eq!(count(lab, "factor-not-given", &key), given + 1);
}

fn without_the_right_to_read_the_log_the_list_says_what_is_missing(lab: &Lab) {
    let key = lab.client_of("dave").public_key().expect("a key");
    let words = [
        "jmsctl", "user", "add", "dave", "--role", "auditor", "--key", "-",
    ];
    drop(
        lab.bastion()
            .command(words)
            .input(key)
            .run()
            .expect_status(0),
    );
    let listed = lab
        .client_of("dave")
        .ssh(["bastion", "jmsctl login ls --failed"]);
    let listed = listed.expect_status(0);
    assert!(listed.text().contains("code-wrong"), "{listed}");
    assert!(!listed.text().contains("factor-not-"), "{listed}");
    drop(listed.expect_stderr_contains("sudo jmsctl login ls --failed"));
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
