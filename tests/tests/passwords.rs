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

/// Logs in with a password and has the next one chosen, by way of what is objected to before.
fn chooses(lab: &Lab, with: &str, objections: &[(&str, &str)], new: &str) {
    let mut login = ssh(lab, "bob", &["whoami", "--json"]).on_terminal();
    types(&mut login, "Password: ", with);
    let mut question = "Your password must be changed. New password: ".to_owned();
    for (refused, objection) in objections {
        types(&mut login, &question, refused);
        question = format!("{objection}. New password: ");
    }
    types(&mut login, &question, new);
    types(&mut login, "The same again: ", new);
    login.expect("\"bob\"");
    login.wait().expect_status(0);
}

#[test]
fn what_the_settings_say_of_a_new_password_holds_in_the_login_that_asks_for_one() {
    const THIRD: &str = "Donkeys do not fly";
    const LEAKED: &str = "Horses do not fly";
    let lab = Lab::everyday();
    let bastion = lab.bastion();
    bastion.run("jmsctl user add bob").expect_status(0);
    give(&lab, "bob");
    bastion_asks_for_passwords(&lab);
    // One as text, one as its SHA-1.
    let set = format!(
        "printf '%s\\n' 'Nothing of interest' >/etc/jms/leaked
         printf '%s' '{LEAKED}' | sha1sum | cut -d' ' -f1 >>/etc/jms/leaked
         sed -i -e 's/^#minimum_classes = 1/minimum_classes = 3/' -e 's/^#history = 5/history = 2/' \\
             -e 's/^#expires_after = 0/expires_after = 30/' -e 's|^#leaked_list = .*|leaked_list = \"/etc/jms/leaked\"|' /etc/jms/jms.toml"
    );
    bastion.run(&set).expect_status(0);
    switch_on(&lab);

    let too_simple = "The password is too simple: it needs 3 of small letters, capital letters, digits and others";
    let leaked = "That password is on a list of leaked ones; choose another one";
    let used = "That password was used before; choose another one";
    chooses(
        &lab,
        INITIAL,
        &[("donkeysdonotfly", too_simple), (LEAKED, leaked)],
        THIRD,
    );
    // A month and a day later another one is demanded, which is none of the last two.
    let age = "python3 -c \"import sqlite3; db = sqlite3.connect('/var/lib/jms/jms.db'); db.execute('UPDATE password SET changed_at = changed_at - 31 * 86400000'); db.commit()\"";
    bastion.run(age).expect_status(0);
    chooses(&lab, THIRD, &[(THIRD, used)], "Correct Horse");
    bastion.run(age).expect_status(0);
    chooses(&lab, "Correct Horse", &[(THIRD, used)], "Battery Staple");
    bastion.run(age).expect_status(0);
    chooses(&lab, "Battery Staple", &[], THIRD);
    let mut login = ssh(&lab, "bob", &["whoami"]).on_terminal();
    types(&mut login, "Password: ", THIRD);
    login.expect("bob");
    login.wait().expect_status(0);

    // A list that cannot be read lets no password be taken, and nobody in whose own has expired.
    bastion.run("rm /etc/jms/leaked").expect_status(0);
    bastion.run(age).expect_status(0);
    let mut login = ssh(&lab, "bob", &["whoami"]).on_terminal();
    types(&mut login, "Password: ", THIRD);
    for _ in 0..3 {
        types(&mut login, "New password: ", "Never Seen Before");
    }
    login.expect("the password was not changed; log in again to choose another one");
    assert!(
        login
            .shown()
            .contains("the list of leaked passwords cannot be read")
            || login
                .shown()
                .contains("The list of leaked passwords cannot be read"),
        "{}",
        login.shown()
    );
    login.wait().expect_status(255);
}
