//! Passwords, through a real sshd with a real ssh: off by default, asked for by our module alone, changed in the
//! conversation and with `passwd`.

use tests::{Invocation, Lab, Terminal};

const INITIAL: &str = "initial password";
const FIRST: &str = "correct horse battery";
const SECOND: &str = "staple of the horse";

fn bastion_asks_for_passwords(lab: &Lab) {
    lab.bastion()
        .run(
            "install -m 0644 /usr/share/jms/passwords.conf /etc/ssh/sshd_config.d/00-0-jms-passwords.conf
             sshd=$(command -v sshd) && $sshd -t",
        )
        .expect_status(0);
    lab.bastion().reload_sshd();
}

fn switch_on(lab: &Lab) {
    lab.bastion()
        .run("sed -i '/^\\[password\\]/,/^\\[/s/^#enabled = false/enabled = true/' /etc/jms/jms.toml; jmsctl config check")
        .expect_status(0);
}

fn give(lab: &Lab, name: &str) {
    lab.bastion()
        .command(["jmsctl", "user", "password-reset", name, "--password", "-"])
        .input(format!("{INITIAL}\n"))
        .run()
        .expect_status(0);
}

/// Without a key.
fn ssh(lab: &Lab, name: &str, words: &[&str]) -> Invocation {
    let name = format!("{name}@bastion");
    let options = [
        "-o",
        "PubkeyAuthentication=no",
        "-o",
        "NumberOfPasswordPrompts=1",
    ];
    lab.client().command(
        "ssh",
        options
            .iter()
            .copied()
            .chain([name.as_str()])
            .chain(words.iter().copied()),
    )
}

fn types(terminal: &mut Terminal, question: &str, answer: &str) {
    terminal.expect(question);
    terminal.send_line(answer);
}

#[test]
fn a_password_is_off_until_it_is_on_and_then_a_first_factor_of_its_own() {
    let lab = Lab::everyday();
    let bastion = lab.bastion();
    bastion
        .run("jmsctl user add bob && jmsctl user add carol")
        .expect_status(0);
    give(&lab, "bob");

    // sshd does not offer it; where it does, our module asks nothing while the settings say no.
    ssh(&lab, "bob", &["whoami"])
        .run()
        .expect_status(255)
        .expect_stderr_contains("Permission denied (publickey)");
    bastion_asks_for_passwords(&lab);
    let mut off = ssh(&lab, "bob", &["whoami"]).on_terminal();
    off.expect("Permission denied");
    assert!(!off.shown().contains("Password"), "{}", off.shown());
    off.wait().expect_status(255);
    // Keys work as before.
    lab.client()
        .ssh(["alice@bastion", "whoami"])
        .expect_status(0);

    switch_on(&lab);
    // The one that was given is good for one login, in which bob chooses his own.
    let mut login = ssh(&lab, "bob", &["whoami", "--json"]).on_terminal();
    types(&mut login, "Password: ", INITIAL);
    types(&mut login, "must be changed. New password: ", "short");
    types(
        &mut login,
        "too short: at least 12 characters. New password: ",
        FIRST,
    );
    types(&mut login, "The same again: ", FIRST);
    login.expect("\"bob\"");
    login.wait().expect_status(0);
    let logins = bastion.run("jmsctl login ls --json").json_lines().unwrap();
    let factors = &logins.iter().find(|login| login["user"] == "bob").unwrap()["factors"];
    assert_eq!(factors, "keyboard-interactive/pam,password");

    let mut old = ssh(&lab, "bob", &["whoami"]).on_terminal();
    types(&mut old, "Password: ", INITIAL);
    old.wait().expect_status(255);
    let mut new = ssh(&lab, "bob", &["whoami"]).on_terminal();
    types(&mut new, "Password: ", FIRST);
    new.expect("bob");
    new.wait().expect_status(0);

    // sshd's own password method stays off.
    let mut plain = lab.client().ssh_on_terminal([
        "-o",
        "PreferredAuthentications=password",
        "bob@bastion",
        "whoami",
    ]);
    plain.expect("Permission denied (publickey,keyboard-interactive)");
    plain.wait().expect_status(255);

    // `passwd` asks for the old one, shows nothing, and changes it.
    let mut passwd = lab.client().ssh_on_terminal([
        "-t",
        "-o",
        "PubkeyAuthentication=no",
        "bob@bastion",
        "passwd",
    ]);
    types(&mut passwd, "Password: ", FIRST);
    types(&mut passwd, "Old password: ", FIRST);
    types(&mut passwd, "New password: ", FIRST);
    passwd.expect("used before");
    types(&mut passwd, "New password: ", SECOND);
    types(&mut passwd, "The same again: ", SECOND);
    passwd.expect("the password was changed");
    assert!(!passwd.shown().contains(SECOND), "{}", passwd.shown());
    passwd.wait().expect_status(0);
    let mut wrong = lab.client().ssh_on_terminal([
        "-t",
        "-o",
        "PubkeyAuthentication=no",
        "bob@bastion",
        "passwd",
    ]);
    types(&mut wrong, "Password: ", SECOND);
    types(&mut wrong, "Old password: ", FIRST);
    wrong.expect("that is not your password");
    wrong.wait().expect_status(126);

    // Who has none is asked as everybody, and hears nothing.
    let mut without = ssh(&lab, "carol", &["whoami"]).on_terminal();
    types(&mut without, "Password: ", SECOND);
    without.expect("Permission denied (publickey,keyboard-interactive)");
    assert!(!without.shown().contains("jms:"), "{}", without.shown());
    without.wait().expect_status(255);

    // Where a second factor is demanded, the code is asked for whether or not the password was right.
    bastion
        .run("jmsctl user set carol --mfa totp")
        .expect_status(0);
    let mut code = ssh(&lab, "carol", &["whoami"]).on_terminal();
    types(&mut code, "Password: ", "anything at all");
    types(&mut code, "authenticator app", "123456");
    code.expect("Permission denied");
    code.wait().expect_status(255);

    // What sshd is told is known to doctor.
    let found = bastion.run("jmsctl doctor --json").text();
    assert!(!found.contains("sshd.authentication"), "{found}");

    // No log has a password.
    let logs = bastion
        .run("cat /var/log/auth.log; jmsctl event ls --json --limit 0")
        .text();
    for secret in [INITIAL, FIRST, SECOND] {
        assert!(!logs.contains(secret), "{secret} stands in a log");
    }
}
