//! The second factor at login: sshd asks, our module answers, and the login's row says what was passed.
//!
//! What sshd is told to ask is no proof: with the flag of the snapshot, the drop-in's block, our PAM line or the order
//! of sshd's settings gone, each alone, nobody gets in with a key only.

use std::sync::OnceLock;
use std::time::Duration;

use serde_json::Value;
use tests::boot::{ADMINISTRATOR, ADMINISTRATOR_PASSWORD};
use tests::shared_login::hold_the_store;
use tests::{Authenticator, Lab, Outcome, Terminal, eventually};

const CODE: &str = "Code of your authenticator app, or a recovery code: ";
const SOON: Duration = Duration::from_secs(30);

/// Each test has a user of its own, who may use web1 as dev and must pass a code at login.
fn lab() -> &'static Lab {
    static LAB: OnceLock<Lab> = OnceLock::new();
    LAB.get_or_init(|| {
        let lab = Lab::everyday();
        for name in ["bob", "carol", "dave", "erin"] {
            let key = lab.client_of(name).public_key().expect("a key");
            let words = ["jmsctl", "user", "add", name, "--mfa", "totp", "--key", "-"];
            let added = lab.bastion().command(words).input(format!("{key}\n"));
            drop(added.run().expect_status(0));
        }
        drop(jmsctl(
            &lab,
            "grant set everyday --add-user bob,carol,dave,erin",
        ));
        lab
    })
}

#[track_caller]
fn jmsctl(lab: &Lab, line: &str) -> Outcome {
    let done = lab.bastion().run(format!("jmsctl {line} </dev/null"));
    done.expect_status(0)
}

fn target(name: &str) -> String {
    format!("{name}@dev@web1@bastion")
}

/// A login on a terminal, where sshd's question can be answered.
fn on_terminal(name: &str, command: &str) -> Terminal {
    let client = lab().client_of(name);
    client.ssh_on_terminal([
        "-T",
        "-o",
        "NumberOfPasswordPrompts=1",
        &target(name),
        command,
    ])
}

/// One without: nobody is there to be asked.
fn without_terminal(name: &str) -> Outcome {
    let client = lab().client_of(name);
    client.ssh(["-o", "BatchMode=yes", &target(name), "echo quince"])
}

/// Types these answers, one at each question, until the program ends.
#[track_caller]
fn typing(name: &str, answers: &[&str]) -> Outcome {
    let mut login = on_terminal(name, "echo quince");
    for answer in answers {
        login.expect(CODE);
        login.send_line(answer);
    }
    login.wait()
}

/// Enrols on the screen that a first login shows.
#[track_caller]
fn enrol(name: &str) -> (Authenticator, Vec<String>) {
    let client = lab().client_of(name);
    let login = format!("{name}@bastion");
    let mut screen = client
        .command("ssh", ["-tt", &login])
        .in_window(120, 60)
        .on_terminal();
    let shown = screen.expect("code of the app: ");
    let line = shown.lines().map(str::trim).find(|line| {
        let is_group =
            |group: &str| group.len() == 4 && group.bytes().all(|b| b.is_ascii_alphanumeric());
        line.len() == 39 && line.split(' ').all(is_group)
    });
    let app = Authenticator::typed(line.unwrap_or_else(|| panic!("no secret in {shown}")));
    screen.send_line(&app.code(lab().host("client"), -1));
    let codes = screen.expect("type yes when you have noted them: ");
    let codes: Vec<String> = codes
        .split_whitespace()
        .filter(|word| word.len() == 11 && word.as_bytes()[5] == b'-')
        .map(str::to_owned)
        .collect();
    assert_eq!(codes.len(), 10, "{codes:?}");
    screen.send_line("yes");
    screen.expect("jms> ");
    screen.send_line("q");
    drop(screen.wait());
    (app, codes)
}

/// One test at a time: one of them changes how sshd and PAM ask everybody.
fn alone() -> std::sync::MutexGuard<'static, ()> {
    static ALONE: std::sync::Mutex<()> = std::sync::Mutex::new(());
    ALONE
        .lock()
        .unwrap_or_else(std::sync::PoisonError::into_inner)
}

/// Nothing is remembered from here on, not even what was passed a moment ago.
fn remember(seconds: u32) {
    let line = format!("printf '[mfa]\\nremember = {seconds}\\n' >/etc/jms/jms.toml");
    drop(lab().bastion().run(line).expect_status(0));
}

fn refusals(name: &str) -> Vec<Value> {
    let listed = jmsctl(lab(), &format!("login ls --failed --user {name} --json"));
    listed.json_lines().expect("JSON")
}

fn last_reason(name: &str) -> String {
    let refused = refusals(name);
    let last = refused.last().expect("a refusal");
    last["reason"].as_str().unwrap_or_default().to_owned()
}

fn alerts(name: &str) -> usize {
    let listed = jmsctl(lab(), "event ls --type alert --json --limit 1000");
    let listed = listed.json_lines().expect("JSON");
    listed.iter().filter(|event| event["user"] == name).count()
}

#[test]
fn a_code_opens_a_login_once_and_is_remembered_as_long_as_nothing_changes() {
    let _alone = alone();
    remember(900);
    // Before there is one: a program that does not refuse the method is told what to do.
    let told = lab()
        .client_of("bob")
        .ssh([target("bob").as_str(), "echo quince"]);
    let told = told.expect_status(126).expect_stdout("");
    drop(told.expect_stderr_contains("you need a second factor and have none yet"));
    let (app, codes) = enrol("bob");
    let code = |ahead| app.code(lab().host("client"), ahead);
    let quince = |answers: &[&str]| {
        let login = typing("bob", answers).expect_status(0);
        drop(login.expect_stdout_contains("quince"));
    };
    // Enrolling is passing it: not asked again with the same key from the same address, though sshd still asks PAM.
    quince(&[]);
    // A change of the user ends that.
    drop(jmsctl(lab(), "user set bob --mfa any"));
    let first = code(0);
    quince(&[&first]);
    quince(&[]);
    // What was sealed for the session phase of PAM goes no further: the session's environment has the login's token alone.
    let mut open = on_terminal("bob", "echo quince; cat");
    open.expect("quince");
    let ours =
        "cat /proc/[0-9]*/environ 2>/dev/null | tr '\\0' '\\n' | grep -ao '^JMS_[A-Z]*' | sort -u";
    drop(lab().bastion().run(ours).expect_stdout("JMS_LOGIN\n"));
    open.hang_up();
    // A client that does not even begin the method cannot be let in by it.
    drop(without_terminal("bob").expect_status(255));
    let kept = jmsctl(lab(), "login ls --user bob --json --columns factors").text();
    assert!(kept.contains("keyboard-interactive/pam,totp"), "{kept}");
    assert!(
        kept.contains("keyboard-interactive/pam,remembered"),
        "{kept}"
    );
    // A code that was used is none.
    drop(jmsctl(lab(), "user set bob --mfa totp"));
    let used = typing("bob", &[&first]);
    assert!(!used.succeeded(), "{used}");
    assert!(used.text().contains("each works once"), "{used}");
    assert_eq!(last_reason("bob"), "code-used");
    // Nobody there is no answer: it is not counted, and listed for what sshd's log says of it.
    let reasons: Vec<Value> = refusals("bob")
        .iter()
        .map(|row| row["reason"].clone())
        .collect();
    assert_eq!(reasons, ["factor-not-given", "code-used"]);
    // As if the clock had gone back by an hour: no step up to the last that was used opens anything.
    let later = "import sqlite3; db = sqlite3.connect('/var/lib/jms/jms.db'); db.execute('UPDATE totp SET last_step = last_step + 120 WHERE user_id = (SELECT id FROM user WHERE name = ?)', ['bob']); db.commit()";
    drop(
        lab()
            .bastion()
            .command(["python3", "-c", later])
            .run()
            .expect_status(0),
    );
    let back = typing("bob", &[&code(1)]);
    assert!(!back.succeeded(), "{back}");
    assert_eq!(last_reason("bob"), "code-used");
    quince(&[&codes[0]]);
    drop(jmsctl(lab(), "user set bob --mfa any"));
    let again = typing("bob", &[&codes[0]]);
    assert!(!again.succeeded(), "a recovery code works once: {again}");
    let shown = jmsctl(lab(), "user show bob").text();
    assert!(
        shown.contains("asked at login") && shown.contains("9 recovery codes left"),
        "{shown}"
    );
}

#[test]
fn of_two_logins_with_one_code_at_once_exactly_one_is_let_in() {
    let _alone = alone();
    let (app, _) = enrol("carol");
    drop(jmsctl(lab(), "user set carol --mfa any"));
    let code = app.code(lab().host("client"), 0);
    let mut logins: Vec<Terminal> = (0..2)
        .map(|_| on_terminal("carol", "echo quince"))
        .collect();
    for login in &mut logins {
        login.expect(CODE);
    }
    for login in &mut logins {
        login.send_line(&code);
    }
    let ends = logins.into_iter().map(Terminal::wait);
    let let_in = ends.filter(|end| end.text().contains("quince")).count();
    assert_eq!(let_in, 1);

    // A step that cannot be written down is a refusal, and is not used up.
    drop(jmsctl(lab(), "user set carol --mfa totp"));
    let mut login = on_terminal("carol", "echo quince");
    login.expect(CODE);
    let held = hold_the_store(lab().bastion());
    let next = app.code(lab().host("client"), 1);
    login.send_line(&next);
    let refused = login.wait();
    assert!(
        !refused.succeeded() && !refused.text().contains("quince"),
        "{refused}"
    );
    drop(held);
    eventually("the store is free", SOON, || {
        let free = lab().bastion().run("jmsctl user set carol --comment free");
        free.succeeded()
    });
    typing("carol", &[&next]).expect_status(0);
}

/// Without a key or password in the same authentication nobody is asked, whatever sshd was told to ask for; outside sshd
/// nobody of the bastion is anybody.
#[test]
fn a_code_alone_is_nothing() {
    let _alone = alone();
    let bastion = lab().bastion();
    drop(enrol("erin"));
    bastion.write(
        "/etc/ssh/sshd_config.d/00-a.conf",
        "Match Group jms-mfa\n\tAuthenticationMethods keyboard-interactive:pam\n\tKbdInteractiveAuthentication yes\nMatch all\n",
    );
    bastion.reload_sshd();
    let client = lab().client_of("erin");
    let preferred = "PreferredAuthentications=keyboard-interactive";
    let login = client.ssh_on_terminal(["-T", "-o", preferred, &target("erin"), "echo quince"]);
    let refused = login.wait().expect_status(255);
    assert!(
        !refused.text().contains("ode") && refused.text().contains("Permission denied"),
        "{refused}"
    );
    assert_eq!(last_reason("erin"), "no-first-factor");
    drop(
        bastion
            .run("rm /etc/ssh/sshd_config.d/00-a.conf")
            .expect_status(0),
    );
    bastion.reload_sshd();
    for words in [
        &["su", "erin", "-c", "echo quince"][..],
        &["su", "-", "erin"],
        &["sudo", "-u", "erin", "echo", "quince"],
    ] {
        let as_admin = [
            "setpriv",
            "--reuid",
            ADMINISTRATOR,
            "--regid",
            ADMINISTRATOR,
            "--init-groups",
            "--",
        ];
        let command = bastion.command(as_admin.into_iter().chain(words.iter().copied()));
        let mut tried = command.on_terminal();
        if words[0] == "sudo" {
            // The administrator's own password, which is his business.
            tried.expect("assword");
            tried.send_line(ADMINISTRATOR_PASSWORD);
        }
        let refused = tried.wait();
        assert!(
            !refused.succeeded()
                && !refused.text().contains(CODE)
                && !refused.text().contains("quince"),
            "{words:?}: {refused}"
        );
    }
    // login(1) reads the name itself. Debian 13's takes none of a lab's terminals.
    if lab().release().number() == 12 {
        let mut tried = bastion.command(["login"]).on_terminal();
        tried.expect("ogin: ");
        tried.send_line("erin");
        tried.expect("incorrect");
        assert!(!tried.shown().contains(CODE), "{}", tried.shown());
    }
}

/// Each hole alone. Whoever walks through it meets the session phase, which asks the login's own evidence.
#[test]
fn sshd_is_asked_to_ask_and_not_believed_to_have_asked() {
    let _alone = alone();
    let bastion = lab().bastion();
    let (app, _) = enrol("dave");
    remember(0);
    let mut seen = alerts("dave");
    let mut refused_with_alert = |what: &str| {
        let refused = without_terminal("dave");
        assert!(
            !refused.succeeded() && refused.text().is_empty(),
            "{what}: {refused}"
        );
        let now = alerts("dave");
        assert!(now > seen, "{what}: no alert");
        seen = now;
        assert_eq!(last_reason("dave"), "factor-missing", "{what}");
        let admin = lab()
            .client_of(ADMINISTRATOR)
            .ssh(["admin@bastion", "echo in"]);
        assert_eq!(admin.text(), "in\n", "{what}: {admin}");
    };
    let restored = |script: &str| drop(bastion.run(script).expect_status(0));

    // Another drop-in, before ours.
    bastion.write(
        "/etc/ssh/sshd_config.d/00-a.conf",
        "Match Group jms-mfa\n\tAuthenticationMethods publickey\nMatch all\n",
    );
    bastion.reload_sshd();
    refused_with_alert("another drop-in");
    restored("rm /etc/ssh/sshd_config.d/00-a.conf");

    // Ours, without its block.
    restored("cp -p /etc/ssh/sshd_config.d/00-jms.conf /root/00-jms.conf");
    restored("sed -i '/^Match Group jms-mfa$/,/^$/d' /etc/ssh/sshd_config.d/00-jms.conf");
    bastion.reload_sshd();
    refused_with_alert("the drop-in without its block");
    restored("cp -p /root/00-jms.conf /etc/ssh/sshd_config.d/00-jms.conf");
    bastion.reload_sshd();

    // The snapshot from before: the flag is not in it, and nothing publishes a new one meanwhile.
    restored("cp -p /var/lib/jms/public/users.snap /root/users.snap");
    drop(jmsctl(lab(), "user set dave --mfa off"));
    restored("cp -p /var/lib/jms/public/users.snap /root/without.snap");
    drop(jmsctl(lab(), "user set dave --mfa totp"));
    restored("cp -p /root/without.snap /var/lib/jms/public/users.snap");
    refused_with_alert("a snapshot without the flag");
    drop(jmsctl(lab(), "user set dave --comment published"));

    // Another module says yes in the place of ours.
    restored(
        "cp -p /etc/pam.d/common-auth /root/common-auth; \
         sed -i '/pam_jms.so/d; 1i auth sufficient pam_permit.so' /etc/pam.d/common-auth",
    );
    let mut login = on_terminal("dave", "echo quince");
    eventually("the login ends", SOON, || !login.is_running());
    let refused = login.wait();
    assert!(
        !refused.succeeded() && !refused.text().contains("quince"),
        "{refused}"
    );
    assert!(alerts("dave") > seen, "another module: no alert");
    restored("cp -p /root/common-auth /etc/pam.d/common-auth");

    // Our session line is gone: no login is written down, and no session of ours opens.
    restored(
        "cp -p /etc/pam.d/common-session /root/common-session; sed -i '/pam_jms.so/d' /etc/pam.d/common-session",
    );
    let code = app.code(lab().host("client"), 0);
    let before = jmsctl(lab(), "event ls --type alert --json --limit 1000").text();
    let refused = typing("dave", &[&code]);
    assert!(
        !refused.succeeded() && !refused.text().contains("quince"),
        "{refused}"
    );
    let after = jmsctl(lab(), "event ls --type alert --json --limit 1000").text();
    assert!(
        after.len() > before.len() && after.contains("no-login-token"),
        "{after}"
    );
    restored("cp -p /root/common-session /etc/pam.d/common-session");

    // All in order again.
    typing("dave", &[&app.code(lab().host("client"), 1)])
        .expect_status(0)
        .expect_stdout_contains("quince");
}
