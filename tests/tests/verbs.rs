//! The bastion's own words over ssh, and what a client's own ssh does with `ssh-config`.

use std::fs;
use std::path::Path;
use std::sync::OnceLock;

use tests::{Lab, Outcome, Terminal};

const ALICE: &str = "alice@bastion";

/// Hosts that no test of this file changes for the others: alice may use web1 as dev and as dba, and twin-a and
/// twin-b, which lie at one address, as dev.
fn lab() -> &'static Lab {
    static LAB: OnceLock<Lab> = OnceLock::new();
    LAB.get_or_init(|| {
        let lab = Lab::everyday();
        let web2 = lab.address("web2");
        for line in [
            "system-user add dba --credential key --generate ed25519".to_owned(),
            "asset set web1 --comment '生产环境'".to_owned(),
            format!("asset add twin-a --address {web2} --scan"),
            format!("asset add twin-b --address {web2} --scan"),
            "grant add more --user alice --asset twin-a,twin-b --system-user dev --rights shell,exec,upload,download".to_owned(),
            "grant add dba --user alice --asset web1 --system-user dba --rights shell,exec".to_owned(),
            "asset-group add /prod".to_owned(),
            "asset-group add /prod/web".to_owned(),
            "asset-group set /prod/web --add-asset web1,twin-a".to_owned(),
            "asset-group add /secret".to_owned(),
            "asset-group set /secret --add-asset web2".to_owned(),
            "user add bob --key -".to_owned(),
        ] {
            jmsctl(&lab, &line);
        }
        authorize_dba(&lab);
        lab
    })
}

fn jmsctl(lab: &Lab, line: &str) {
    let key = lab.client_of("bob").public_key().expect("a key");
    let words = format!("jmsctl {line}");
    let invocation = lab.bastion().command(["bash", "-c", &words]);
    drop(invocation.input(format!("{key}\n")).run().expect_status(0));
}

fn authorize_dba(lab: &Lab) {
    let shown = lab
        .bastion()
        .run("jmsctl system-user show dba --json")
        .json();
    let key = shown.expect("a system user")["public_key"].clone();
    let script = format!(
        "useradd -m -s /bin/bash dba && install -d -m 700 -o dba ~dba/.ssh && echo {key} >~dba/.ssh/authorized_keys && chown dba ~dba/.ssh/authorized_keys"
    );
    drop(lab.web1().run(script).expect_status(0));
}

fn alice(command: &str) -> Outcome {
    lab().client().ssh([ALICE, command])
}

fn objects(command: &str) -> Vec<serde_json::Value> {
    let outcome = alice(command).expect_status(0).expect_stderr("");
    outcome.json_lines().expect("one object per line")
}

#[test]
fn ls_narrows_by_text_and_by_group_and_shows_wide_characters() {
    alice("ls 生产").expect_status(0).expect_stdout(
        "dba@web1  shell,exec                  生产环境\ndev@web1  shell,exec,upload,download  生产环境\n",
    );
    let names = |command: &str| -> Vec<String> {
        let name = |object: serde_json::Value| object["target"].as_str().map(str::to_owned);
        objects(command).into_iter().filter_map(name).collect()
    };
    assert_eq!(
        names("ls --json --group /prod"),
        ["dev@twin-a", "dba@web1", "dev@web1"]
    );
    assert_eq!(names("ls TWIN --group=/ --json"), ["dev@twin-a"]);
    assert_eq!(names("ls --json TWIN"), ["dev@twin-a", "dev@twin-b"]);
    alice("ls nothing").expect_status(0).expect_stdout("");
}

#[test]
fn groups_are_those_that_hold_something_of_ones_own() {
    alice("groups")
        .expect_status(0)
        .expect_stdout("/prod      2\n/prod/web  2\n");
    let objects = objects("groups --json");
    assert_eq!(objects[0]["path"], "/prod");
    assert_eq!(objects[0]["assets"], 2);
    let bobs = lab().client_of("bob").ssh(["bob@bastion", "groups"]);
    bobs.expect_status(0).expect_stdout("");
}

#[test]
fn every_word_has_help_and_says_how_it_is_used() {
    let help = alice("help").expect_status(0).expect_stderr("").text();
    for object in objects("help --json") {
        let word = object["verb"].as_str().expect("a word");
        assert!(help.contains(&format!("\n  {word}")), "{word}: {help}");
        alice(&format!("help {word}"))
            .expect_status(0)
            .expect_stdout_contains(word);
    }
    alice("help nothing")
        .expect_status(2)
        .expect_stderr("jms: usage: help [WORD] [--json]\n");
    alice("session show 12").expect_status(2).expect_stdout("");
    assert!(objects("version --json")[0]["version"].is_string());
}

#[test]
fn own_sessions_are_listed_and_shown_and_nobody_elses() {
    alice("dev@web1 exit 7").expect_status(7);
    let listed = objects("sessions --json --limit 1").remove(0);
    assert_eq!(
        (&listed["target"], &listed["exit_status"]),
        (&"dev@web1".into(), &7.into())
    );
    let id = listed["id"].as_str().expect("an id");
    let beginning = id.get(..8).expect("eight characters");
    let shown = objects(&format!("session show {beginning} --json")).remove(0);
    assert_eq!(shown, listed);
    alice(&format!("session show {beginning}"))
        .expect_status(0)
        .expect_stdout_contains("request      exit 7\n");
    alice("sessions").expect_stdout_contains(id);
    let bob = |command: &str| lab().client_of("bob").ssh(["bob@bastion", command]);
    bob("sessions").expect_status(0).expect_stdout("");
    let refused = bob(&format!("session show {beginning}"))
        .expect_status(126)
        .error_text();
    assert_eq!(
        refused,
        format!("jms: no session of yours begins with {beginning}; `sessions` lists them\n")
    );
    let same = bob("session show 00000000").expect_status(126).error_text();
    assert_eq!(
        same,
        refused.replace(beginning, "00000000"),
        "as if it were not there"
    );
}

#[test]
fn a_user_replays_his_own_session_only_where_the_setting_allows_it() {
    let lab = Lab::everyday();
    let alice = |command: &str| lab.client().ssh([ALICE, command]);
    let mut shell = lab.client().ssh_on_terminal(["alice@dev@web1@bastion"]);
    shell.expect("dev@web1");
    shell.send_line("echo seen be''fore");
    shell.expect("seen before");
    shell.send_line("exit");
    shell.wait().expect_status(0);
    let id = alice("sessions --json").json().expect("a session")["id"].clone();
    let id = id.as_str().expect("an id");
    let replay = format!("session replay {id}");
    alice(&replay)
        .expect_status(126)
        .expect_stdout("")
        .expect_stderr_contains("may not replay");
    lab.bastion().write(
        "/etc/jms/jms.toml",
        "[recording]\nusers_may_replay = true\n",
    );
    alice(&replay)
        .expect_status(0)
        .expect_stdout_contains("seen before");
    let mut on_terminal = lab.client().ssh_on_terminal(["-t", ALICE, &replay]);
    on_terminal.expect("seen before");
    on_terminal.wait().expect_status(0);
    let seen = lab
        .bastion()
        .run("jmsctl event ls --type evidence.read --json");
    assert_eq!(seen.json_lines().expect("events").len(), 2);
}

#[test]
fn the_system_user_that_is_meant_is_chosen_on_a_terminal() {
    let client = lab().client();
    let mut ssh = client.ssh_on_terminal(["-t", "alice@web1@bastion", "id -un; tty"]);
    ssh.expect("web1 may be:");
    ssh.expect("1  dba@web1");
    ssh.expect("2  dev@web1");
    ssh.expect("which? ");
    ssh.send_line("3");
    ssh.expect("that is none of them");
    ssh.expect("which? ");
    ssh.send_line("2");
    ssh.expect("dev\r\n/dev/pts/");
    ssh.wait().expect_status(0);

    let mut shell = client.ssh_on_terminal(["alice@web1@bastion"]);
    shell.expect("which? ");
    shell.send_line("dba");
    shell.expect("dba@web1");
    shell.send_line("exit 5");
    shell.wait().expect_status(5);

    for key in ["\r", "\x03", "\x04"] {
        let mut shell = client.ssh_on_terminal(["alice@web1@bastion"]);
        shell.expect("which? ");
        shell.send(key);
        shell.wait().expect_status(2);
    }
}

#[test]
fn an_address_of_two_assets_is_a_choice_on_a_terminal() {
    let address = lab().address("web2").to_string();
    let mut shell = lab()
        .client()
        .ssh_on_terminal([&format!("alice@dev@{address}@bastion")]);
    shell.expect("1  dev@twin-a");
    shell.expect("2  dev@twin-b");
    shell.expect("which? ");
    shell.send_line("twin-b");
    shell.expect("dev@web2");
    shell.send_line("exit");
    shell.wait().expect_status(0);
    let last = objects("sessions --json --limit 30");
    assert!(
        last.iter().any(|session| session["target"] == "dev@twin-b"),
        "{last:?}"
    );
}

#[test]
fn without_a_terminal_what_is_ambiguous_is_status_2_with_the_choices() {
    alice("web1 id")
        .expect_status(2)
        .expect_stdout("")
        .expect_stderr("jms: web1 may be dba@web1 or dev@web1; say which\n");
    let address = lab().address("web2");
    alice(&format!("connect {address} id"))
        .expect_status(2)
        .expect_stderr(format!(
            "jms: {address} may be dev@twin-a or dev@twin-b; say which\n"
        ));
}

/// A person whose own ssh is told nothing but what `ssh-config` printed.
struct Home(tempfile::TempDir);

impl Home {
    fn new() -> Self {
        let home = Self(tempfile::tempdir().expect("a folder"));
        let text = alice("ssh-config")
            .expect_status(0)
            .expect_stderr("")
            .text();
        // Paths of masters begin at the person's own home, which no test may touch.
        let text = text.replace("~/.ssh", &home.0.path().display().to_string());
        fs::write(home.config(), text).expect("a file");
        home
    }

    fn config(&self) -> String {
        self.0.path().join("jms.conf").display().to_string()
    }

    fn path(&self, name: &str) -> String {
        self.0.path().join(name).display().to_string()
    }

    /// Words for `ssh`, `scp` and `sftp`: this configuration behind the lab's own (key, known hosts).
    fn with<'word>(&'word self, words: &[&'word str]) -> Vec<String> {
        let lab = lab().folder().path().join("people/alice/ssh_config");
        let both = self.0.path().join("both.conf");
        let text = format!("Include {}\nInclude {}\n", self.config(), lab.display());
        fs::write(&both, text).expect("a file");
        let first = ["-F".to_owned(), both.display().to_string()];
        first
            .into_iter()
            .chain(words.iter().map(|word| (*word).to_owned()))
            .collect()
    }
}

#[test]
fn ssh_config_makes_ssh_scp_and_sftp_work_with_an_assets_name_alone() {
    let home = Home::new();
    let client = lab().client();
    let run = |program: &str, words: &[&str]| client.command(program, home.with(words));
    run("ssh", &["twin-a", "hostname; id -un"])
        .run()
        .expect_status(0)
        .expect_stdout("web2\ndev\n");
    run("ssh", &["web1+dba", "id -un"])
        .run()
        .expect_status(0)
        .expect_stdout("dba\n");
    // The master of the first one serves the second, and is seen to.
    run("ssh", &["-O", "check", "twin-a"])
        .run()
        .expect_status(0)
        .expect_stderr_contains("Master running");
    fs::write(home.path("sent"), "by scp\n").expect("a file");
    run(
        "scp",
        &["-q", &home.path("sent"), "twin-a:/tmp/from-config"],
    )
    .run()
    .expect_status(0);
    assert_eq!(lab().web2().read_text("/tmp/from-config"), "by scp\n");
    let batch = format!("get /tmp/from-config {}\n", home.path("got"));
    run("sftp", &["-q", "-b", "-", "twin-a"])
        .input(batch)
        .run()
        .expect_status(0);
    assert_eq!(
        fs::read_to_string(Path::new(&home.path("got"))).expect("a file"),
        "by scp\n"
    );
    run("ssh", &["web1", "id"])
        .run()
        .expect_status(2)
        .expect_stderr_contains("dba@web1 or dev@web1");
    let mut asked: Terminal = run("ssh", &["-t", "web1", "id -un"]).on_terminal();
    asked.expect("which? ");
    asked.send_line("1");
    asked.expect("dba\r\n");
    drop(asked.wait().expect_status(0));
    for host in ["twin-a", "web1", "web1+dba"] {
        let _ = run("ssh", &["-O", "exit", host]).run();
    }
}

#[test]
fn ssh_config_says_the_address_of_the_settings() {
    let lab = Lab::everyday();
    let config = || {
        lab.client()
            .ssh([ALICE, "ssh-config"])
            .expect_status(0)
            .text()
    };
    assert!(config().contains(&format!(
        "HostName {}\n    Port 22\n",
        lab.address("bastion")
    )));
    lab.bastion().write(
        "/etc/jms/jms.toml",
        "[bastion]\naddress = \"jump.example.org\"\nport = 2222\n",
    );
    assert!(config().contains(
        "Host web1\n    HostName jump.example.org\n    Port 2222\n    User alice@dev@web1\n"
    ));
    let object = lab
        .client()
        .ssh([ALICE, "ssh-config web --json"])
        .json()
        .expect("one object");
    assert_eq!(
        (&object["host"], &object["user"]),
        (&"web1".into(), &"alice@dev@web1".into())
    );
}

#[test]
fn a_person_at_a_terminal_is_told_what_is_waited_for_and_a_program_is_not() {
    let lab = Lab::everyday();
    // Connections to it are taken and never answered: an sshd that is stopped.
    drop(lab.web1().run("pkill -STOP -o sshd").expect_status(0));
    let mut shell = lab.client().ssh_on_terminal(["alice@dev@web1@bastion"]);
    shell.expect("jms: connecting to web1 as dev…\r\n");
    shell.send("\x03");
    shell.wait().expect_status(130);
    let mut command = lab
        .client()
        .command("ssh", ["alice@dev@web1@bastion", "true"])
        .spawn();
    std::thread::sleep(std::time::Duration::from_millis(1500));
    assert_eq!(
        (command.stdout_so_far(), command.stderr_so_far()),
        (String::new(), String::new())
    );
    drop(lab.web1().run("pkill -CONT -o sshd").expect_status(0));
    command.close_input();
    command
        .wait()
        .expect_status(0)
        .expect_stdout("")
        .expect_stderr("");
}

#[test]
fn neither_motd_nor_last_login_of_the_bastion_comes_before_anything() {
    let lab = Lab::everyday();
    lab.bastion().write("/etc/motd", "MOTD OF THE BASTION\n");
    drop(lab.bastion().run("mkdir -p /etc/update-motd.d && printf '#!/bin/sh\\necho DYNAMIC MOTD\\n' >/etc/update-motd.d/99 && chmod 755 /etc/update-motd.d/99").expect_status(0));
    let client = lab.client();
    client
        .ssh(["alice@dev@web1@bastion", "echo out"])
        .expect_status(0)
        .expect_stdout("out\n")
        .expect_stderr("");
    for _ in 0..2 {
        let on_terminal = client
            .ssh_on_terminal(["-t", "alice@dev@web1@bastion", "echo out"])
            .wait();
        let shown = on_terminal.text();
        assert!(shown.starts_with("out\r\n"), "{shown:?}");
    }
    let mut menu = client.ssh_on_terminal([ALICE]);
    let shown = menu.expect("jms> ");
    assert!(shown.starts_with("alice: 1 asset\r\n"), "{shown:?}");
}
