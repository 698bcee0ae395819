//! A second factor that is asked for in the session: where, how often, and what it opens.

use std::sync::OnceLock;

use tests::{Authenticator, Lab, Outcome, Terminal};

const PROMPT: &str = "second factor, the app's code or a recovery code: ";

/// What precedes the code of the factor that is to be replaced.
const OLD: &str = "first the factor that you have, the app's code or a recovery code: ";

/// Each test has a user of its own, who may use web1 as dev and has an app.
fn lab() -> &'static Lab {
    static LAB: OnceLock<Lab> = OnceLock::new();
    LAB.get_or_init(|| {
        let lab = Lab::everyday();
        for name in ["bob", "carol", "dave"] {
            let key = lab.client_of(name).public_key().expect("a key");
            drop(
                lab.bastion()
                    .command(["jmsctl", "user", "add", name, "--key", "-"])
                    .input(format!("{key}\n"))
                    .run()
                    .expect_status(0),
            );
        }
        jmsctl(&lab, "grant set everyday --add-user bob,carol,dave");
        lab
    })
}

fn jmsctl(lab: &Lab, line: &str) -> Outcome {
    lab.bastion()
        .run(format!("jmsctl {line} </dev/null"))
        .expect_status(0)
}

fn terminal(name: &str, words: &[&str]) -> Terminal {
    let client = lab().client_of(name);
    client
        .command("ssh", words)
        .in_window(120, 60)
        .on_terminal()
}

/// The person enrols with `mfa enroll`, before anything is demanded; the app and its recovery codes.
#[track_caller]
fn enrolled(name: &str) -> (Authenticator, Vec<String>) {
    let mut screen = terminal(name, &["-t", &format!("{name}@bastion"), "mfa", "enroll"]);
    let shown = screen.expect("code of the app: ");
    let secret = shown
        .lines()
        .map(str::trim)
        .find(|line| line.len() == 39 && line.split(' ').all(|part| part.len() == 4));
    let app = Authenticator::typed(secret.unwrap_or_else(|| panic!("no secret in {shown}")));
    screen.send_line(&app.code(lab().host("client"), -1));
    screen.expect("Recovery codes");
    let codes = screen.expect("type yes when you have noted them: ");
    let codes: Vec<String> = codes
        .split_whitespace()
        .filter(|word| word.len() == 11 && word.contains('-'))
        .map(str::to_owned)
        .collect();
    screen.send_line("yes");
    screen.wait().expect_status(0);
    (app, codes)
}

/// What was remembered is forgotten, as when a quarter of an hour has gone by.
fn forget(name: &str) {
    let line = format!(
        "jmsctl user set {name} --mfa off && jmsctl user set {name} --mfa totp --mfa-asked session"
    );
    drop(lab().bastion().run(line).expect_status(0));
}

#[test]
fn it_is_asked_for_before_anything_else_once_a_login_and_a_code_works_once() {
    let (app, codes) = enrolled("bob");
    forget("bob");
    let client = lab().client_of("bob");
    let refused = client
        .ssh(["bob@dev@web1@bastion", "id"])
        .expect_status(126)
        .expect_stdout("");
    drop(
        refused
            .expect_stderr_contains("jms: your second factor is asked for, which needs a terminal"),
    );
    let sftp = client
        .command("sftp", ["-b", "/dev/null", "bob@dev@web1@bastion"])
        .run();
    assert!(
        sftp.error_text()
            .contains("your second factor is asked for"),
        "{sftp}"
    );

    let socket = format!("{}/bob", lab().folder().path().display());
    let share = ["-o", "ControlMaster=auto", "-o"];
    let path = format!("ControlPath={socket}");
    let code = app.code(lab().host("client"), 0);
    let mut shell = terminal(
        "bob",
        &[
            share[0],
            share[1],
            share[2],
            &path,
            "-t",
            "bob@dev@web1@bastion",
        ],
    );
    let before = shell.expect(PROMPT);
    assert!(!before.contains("dev@web1"), "{before}");
    shell.send_line("123456");
    shell.expect("that is not it");
    shell.expect(PROMPT);
    shell.send_line(&code);
    shell.expect("dev@web1");
    // A second channel of the same login is not asked.
    let second = client.ssh(["-o", &path, "bob@dev@web1@bastion", "echo quince"]);
    drop(second.expect_status(0).expect_stdout("quince\n"));
    shell.send_line("exit");
    let shown = shell.wait().text();
    assert!(!shown.contains(&code), "a code is not echoed: {shown}");

    // Another login within a quarter of an hour: the same key, the same address.
    drop(
        client
            .ssh(["-o", "BatchMode=yes", "bob@dev@web1@bastion", "id -un"])
            .expect_stdout("dev\n"),
    );
    forget("bob");
    let mut again = terminal("bob", &["-t", "bob@bastion", "mfa", "verify"]);
    again.expect(PROMPT);
    again.send_line(&code);
    again.expect("that is not it");
    again.expect(PROMPT);
    again.send_line(&codes[0]);
    again.expect("The second factor was passed.");
    again.wait().expect_status(0);
    drop(
        client
            .ssh(["bob@dev@web1@bastion", "id -un"])
            .expect_stdout("dev\n"),
    );
    let login = jmsctl(lab(), "login ls --user bob --json --limit 1").text();
    assert!(login.contains("remembered"), "{login}");
    let events = jmsctl(lab(), "event ls --json --limit 500").text();
    assert!(!events.contains(&code) && !events.contains(&codes[0]));
}

#[test]
fn a_new_factor_takes_the_old_one_and_new_recovery_codes_take_a_code() {
    let (app, codes) = enrolled("carol");
    let mut renewal = terminal("carol", &["-t", "carol@bastion", "mfa", "renew"]);
    for _ in 0..3 {
        renewal.expect(OLD);
        renewal.send_line("abcde-f2345");
        renewal.expect("that is not it");
    }
    let left = renewal.wait().expect_status(126);
    assert!(!left.text().contains("camera"), "{left}");

    let mut recovery = terminal("carol", &["-t", "carol@bastion", "mfa", "recovery"]);
    recovery.expect(OLD);
    recovery.send_line(&app.code(lab().host("client"), 0));
    let anew = recovery.expect("type yes when you have noted them: ");
    assert!(!anew.contains(&codes[0]), "{anew}");
    recovery.send_line("yes");
    recovery.wait().expect_status(0);
    let known = anew
        .split_whitespace()
        .find(|word| word.len() == 11 && word.contains('-'))
        .expect("a code");

    let mut renewal = terminal("carol", &["-t", "carol@bastion", "mfa", "renew"]);
    renewal.expect(OLD);
    renewal.send_line(known);
    renewal.expect("code of the app: ");
    // The line drops: the old factor stays.
    renewal.hang_up();
    drop(renewal);
    let status = lab()
        .client_of("carol")
        .ssh(["carol@bastion", "mfa", "status", "--json"])
        .json()
        .expect("an object");
    assert_eq!(status["recovery_codes"], 9, "{status}");
    lab()
        .client_of("carol")
        .ssh(["carol@bastion", "mfa", "renew"])
        .expect_status(126)
        .expect_stderr_contains("needs a terminal");
}

#[test]
fn a_grant_that_demands_a_fresh_factor_asks_on_a_terminal_and_says_so_elsewhere() {
    let (app, _) = enrolled("dave");
    jmsctl(lab(), "grant set everyday --rm-user dave");
    jmsctl(
        lab(),
        "grant add fresh --user dave --asset web1 --system-user dev --rights shell,exec --require-mfa 15m",
    );
    let explained = lab()
        .bastion()
        .run("jmsctl access explain dave@dev@web1")
        .text();
    assert!(explained.contains("passed at most 15m ago"), "{explained}");
    // Passed just now, by enrolling: fresh enough for a program, too.
    let client = lab().client_of("dave");
    drop(
        client
            .ssh(["dave@dev@web1@bastion", "id -un"])
            .expect_stdout("dev\n"),
    );
    jmsctl(lab(), "user set dave --mfa totp --mfa-asked session");
    jmsctl(lab(), "user set dave --mfa off");
    drop(
        client
            .ssh(["dave@dev@web1@bastion", "id"])
            .expect_status(126)
            .expect_stdout("")
            .expect_stderr_contains("dev@web1 needs a fresh second factor"),
    );
    let mut shell = terminal("dave", &["-t", "dave@dev@web1@bastion"]);
    shell.expect("dev@web1 asks for the second factor anew");
    shell.send_line(&app.code(lab().host("client"), 0));
    shell.expect("dev@web1:");
    // Policy that changes does not end what is open.
    jmsctl(lab(), "grant set fresh --require-mfa 5m");
    shell.send_line("echo quin''ce; exit 4");
    shell.expect("quince");
    shell.wait().expect_status(4);
}
