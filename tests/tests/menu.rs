//! The menu, as a person at a terminal meets it.

use std::sync::OnceLock;
use std::time::Duration;

use tests::{Lab, Outcome, Terminal, eventually};

const ALICE: &str = "alice@bastion";
const PROMPT: &str = "jms> ";

/// Hosts that no test of this file changes for the others: alice may use web1 as dev and as dba, db1 as dev, and
/// what lies at the same address as web2 under two names.
fn lab() -> &'static Lab {
    static LAB: OnceLock<Lab> = OnceLock::new();
    LAB.get_or_init(many)
}

fn jmsctl(lab: &Lab, line: &str) -> Outcome {
    lab.bastion()
        .run(format!("jmsctl {line} </dev/null"))
        .expect_status(0)
}

fn many() -> Lab {
    let lab = Lab::everyday().without_kept_connections();
    let (web1, web2) = (lab.address("web1"), lab.address("web2"));
    let key = jmsctl(&lab, "system-user show dev --json").json();
    let key = key.expect("a system user")["public_key"].clone();
    lab.web1().run(format!(
        "useradd -m -s /bin/bash dba && install -d -m 700 -o dba ~dba/.ssh && echo {key} >~dba/.ssh/authorized_keys && chown dba ~dba/.ssh/authorized_keys"
    )).expect_status(0);
    for line in [
        "system-user add dba --credential key --generate ed25519".to_owned(),
        "asset set web1 --comment '生产环境 front'".to_owned(),
        format!("asset add twin-a --address {web2} --scan --comment 'one of two'"),
        format!("asset add twin-b --address {web2} --scan"),
        format!("asset add db1 --address {web1} --scan --comment 'data\u{202e}base'"),
        "grant add more --user alice --asset twin-a,twin-b,db1 --system-user dev --rights shell,exec".to_owned(),
        "grant add dba --user alice --asset web1 --system-user dba --rights shell".to_owned(),
        "asset-group add /prod".to_owned(),
        "asset-group add /prod/web".to_owned(),
        "asset-group set /prod/web --add-asset web1".to_owned(),
        "asset-group add /prod/db".to_owned(),
        "asset-group set /prod/db --add-asset db1".to_owned(),
        "asset-group add /secret".to_owned(),
        "asset-group set /secret --add-asset web2".to_owned(),
    ] {
        jmsctl(&lab, &line);
    }
    lab
}

fn menu() -> Terminal {
    let mut menu = lab().client().ssh_on_terminal([ALICE]);
    menu.expect(PROMPT);
    menu
}

#[track_caller]
fn leave(mut menu: Terminal) {
    menu.send_line("q");
    menu.wait().expect_status(0);
}

/// Types a line at the prompt, and what was shown until the next one.
#[track_caller]
fn say(menu: &mut Terminal, line: &str) -> String {
    menu.send_line(line);
    menu.expect(PROMPT)
}

#[test]
fn the_first_screen_says_who_how_to_and_what() {
    let mut menu = lab().client().ssh_on_terminal([ALICE]);
    let screen = menu.expect(PROMPT);
    for text in ["alice: 4 assets", "/TEXT", "1  db1", "4  web1"] {
        assert!(screen.contains(text), "{text}: {screen}");
    }
    leave(menu);
}

#[test]
fn a_number_of_the_list_connects_and_the_menu_comes_back() {
    let mut menu = menu();
    let list = say(&mut menu, "p");
    assert!(list.contains("2  twin-a"), "{list}");
    menu.send_line("2");
    menu.expect("dev@web2");
    menu.send_line("exit 3");
    menu.expect(PROMPT);
    menu.send_line("whoami");
    menu.expect("alice");
    menu.expect(PROMPT);
    leave(menu);
}

#[test]
fn a_part_of_a_name_connects_when_only_one_asset_has_it() {
    let mut menu = menu();
    let several = say(&mut menu, "twin");
    assert!(several.contains("2 fit “twin”"), "{several}");
    menu.send_line("win-a");
    menu.expect("dev@web2");
    menu.send_line("exit");
    menu.expect(PROMPT);
    let none = say(&mut menu, "nothing");
    assert!(none.contains("nothing that you may reach fits"), "{none}");
    leave(menu);
}

#[test]
fn several_system_users_are_a_choice() {
    let mut menu = menu();
    menu.send_line("web1");
    menu.expect("web1 may be:");
    menu.expect("1  dba@web1");
    menu.expect("2  dev@web1");
    menu.expect("which? ");
    menu.send_line("");
    menu.expect(PROMPT);
    menu.send_line("4");
    menu.expect("which? ");
    menu.send_line("2");
    menu.expect("dev@web1:");
    menu.send_line("exit");
    menu.expect(PROMPT);
    leave(menu);
}

#[test]
fn searches_groups_and_the_words_of_the_command_line_work_without_ssh() {
    let mut menu = menu();
    let found = say(&mut menu, "/twin");
    assert!(
        found.contains("1  twin-a") && found.contains("2  twin-b") && !found.contains("web1"),
        "{found}"
    );
    let narrowed = say(&mut menu, "//one of");
    assert!(
        narrowed.contains("1  twin-a") && !narrowed.contains("twin-b"),
        "{narrowed}"
    );
    let groups = say(&mut menu, "g");
    assert!(
        groups.contains("1  /prod      2") && groups.contains("3  /prod/web  1"),
        "{groups}"
    );
    assert!(!groups.contains("secret"), "{groups}");
    let group = say(&mut menu, "g3");
    assert!(
        group.contains("/prod/web:") && group.contains("1  web1"),
        "{group}"
    );
    assert!(say(&mut menu, "g 9").contains("there is no group 9"));
    assert!(say(&mut menu, "99").contains("the list has no line 99"));
    assert!(say(&mut menu, "ls db1").contains("dev@db1  shell,exec"));
    assert!(say(&mut menu, "ls a b").contains("jms: usage: ls [TEXT]"));
    assert!(say(&mut menu, "transfers").contains("jms: transfers: not in this version"));
    assert!(say(&mut menu, "r").contains("4 assets"));
    assert!(say(&mut menu, "?").contains("lists your assets"));
    assert!(say(&mut menu, "root@web1").contains("jms: root@web1 is not granted"));
    menu.send_line("dev@twin-a echo from $(hostname)");
    menu.expect("from web2\r\n");
    menu.expect(PROMPT);
    leave(menu);
}

#[test]
fn what_an_administrator_wrote_cannot_act_on_the_terminal() {
    let mut menu = menu();
    let list = say(&mut menu, "p");
    assert!(list.contains("data\u{fffd}base"), "{list}");
    assert!(!list.contains('\u{202e}'), "{list}");
    leave(menu);
}

#[test]
fn ctrl_c_throws_the_line_away_and_ctrl_d_leaves() {
    let mut menu = menu();
    menu.send("rubbish");
    menu.expect("rubbish");
    menu.send("\x03");
    menu.expect(PROMPT);
    let answer = say(&mut menu, "version");
    assert!(
        answer.contains("jms ") && !answer.contains("rubbish"),
        "{answer}"
    );
    // Back through the history, to the end of it, and no further.
    menu.send("\x1b[A");
    menu.expect("version");
    menu.send("\r");
    menu.expect("jms ");
    menu.expect(PROMPT);
    menu.send("\x1a");
    menu.send("version\r");
    menu.expect("\njms ");
    menu.expect(PROMPT);
    menu.send("\x04");
    menu.wait().expect_status(0);
}

#[test]
fn names_are_completed() {
    let mut menu = menu();
    menu.send("twi\t");
    menu.expect("twin-");
    menu.send("b\r");
    menu.expect("dev@web2");
    menu.send_line("exit");
    menu.expect(PROMPT);
    leave(menu);
}

/// The screen of a window after a conversation.
fn screen(shown: &str, columns: u16, lines: u16) -> String {
    let size = |number: u16| number.try_into().expect("not zero");
    let mut parser = vt100::Parser::new(size(lines), size(columns), 0);
    parser.process(shown.as_bytes());
    parser.screen().contents()
}

fn in_window(columns: u16, lines: u16, term: &str) -> Terminal {
    let ssh = lab().client().command("ssh", [ALICE]);
    ssh.variable("TERM", term)
        .in_window(columns, lines)
        .on_terminal()
}

#[test]
fn wide_characters_keep_the_columns_straight_in_80_by_24() {
    let mut menu = in_window(80, 24, "xterm-256color");
    menu.expect(PROMPT);
    say(&mut menu, "p");
    let screen = screen(&menu.shown(), 80, 24);
    let lines: Vec<&str> = screen.lines().collect();
    let line = |begin: &str| {
        lines
            .iter()
            .rev()
            .find(|line| line.starts_with(begin))
            .copied()
    };
    assert!(
        line("4  web1").is_some_and(|line| line.ends_with("生产环境 front")),
        "{screen}"
    );
    assert!(
        line("2  twin-a").is_some_and(|line| line.ends_with("one of two")),
        "{screen}"
    );
    assert!(
        lines
            .last()
            .is_some_and(|line| line.starts_with(PROMPT.trim_end())),
        "{screen}"
    );
    leave(menu);
}

#[test]
fn a_window_of_one_by_one_and_one_of_500_by_200_work() {
    for (columns, lines) in [(1, 1), (500, 200), (0, 0)] {
        let mut menu = in_window(columns, lines, "xterm-256color");
        menu.expect(PROMPT);
        menu.send_line("twin-a echo be''gun; stty size");
        menu.expect(&format!("begun\r\n{lines} {columns}\r\n"));
        menu.expect(PROMPT);
        menu.send_line("q");
        menu.wait().expect_status(0);
    }
}

#[test]
fn a_dumb_terminal_gets_no_sequence_at_all() {
    let mut menu = in_window(80, 24, "dumb");
    menu.expect(PROMPT);
    assert!(say(&mut menu, "p").contains("4  web1"));
    menu.send("half\x03");
    menu.expect(PROMPT);
    menu.send_line("web1");
    menu.expect("which? ");
    menu.send("\x03");
    menu.expect(PROMPT);
    let shown = menu.shown();
    assert!(!shown.contains('\x1b'), "{shown:?}");
    menu.send("\x04");
    menu.wait().expect_status(0);
}

#[test]
fn pages_are_as_long_as_the_window() {
    let lab = Lab::everyday().without_kept_connections();
    let script = "for n in $(seq 1 40); do jmsctl asset add many$n --address 192.0.2.$n; done; \
                  jmsctl grant add many --user alice --asset $(seq -s, -f many%g 1 40) --system-user dev --rights shell";
    drop(lab.bastion().run(script).expect_status(0));
    let mut menu = lab.client().ssh_on_terminal([ALICE]);
    let first = menu.expect(PROMPT);
    assert!(
        first.contains("alice: 41 assets") && !first.contains("many1"),
        "{first}"
    );
    let page = say(&mut menu, "p");
    assert!(page.contains("1–21 of 41; n next, b back"), "{page}");
    assert!(page.lines().count() <= 24, "{page}");
    assert!(say(&mut menu, "").contains("22–41 of 41; b back"));
    assert!(say(&mut menu, "n").contains("there is no more"));
    assert!(say(&mut menu, "b").contains("1–21 of 41"));
    menu.resize(80, 50);
    assert!(say(&mut menu, "p").contains("\r\n41  web1"));
    menu.send_line("q");
    menu.wait().expect_status(0);
}

#[test]
fn a_session_from_the_menu_is_like_any_other() {
    let lab = Lab::everyday().without_kept_connections();
    let mut menu = lab.client().ssh_on_terminal([ALICE]);
    menu.expect(PROMPT);
    menu.send_line("web1");
    menu.expect("dev@web1");
    let session = lab
        .bastion()
        .run("jmsctl session ls --online --json")
        .json()
        .expect("a session");
    let login = lab
        .bastion()
        .run("jmsctl login ls --json")
        .json()
        .expect("a login");
    assert_eq!(session["login"], login["id"]);
    assert_eq!(
        (&session["channel"], &session["terminal"]),
        (&"shell".into(), &true.into())
    );
    // The end of the right ends the session, and the menu offers no more.
    drop(jmsctl(&lab, "grant rm everyday --yes"));
    menu.expect("the session was ended because its right is gone");
    menu.expect(PROMPT);
    let list = say(&mut menu, "p");
    assert!(list.contains("nothing is granted to you yet"), "{list}");
    menu.send_line("connect web1");
    menu.expect("jms: web1 is not granted");
    menu.expect(PROMPT);
    menu.send_line("q");
    menu.wait().expect_status(0);
    let id = session["id"].as_str().expect("an id");
    let replayed = lab
        .bastion()
        .run(format!("jmsctl session replay {id}"))
        .expect_status(0);
    replayed.expect_stdout_contains("dev@web1");
    let refused = lab
        .bastion()
        .run("jmsctl event ls --type session.refused --json")
        .json_lines();
    assert!(
        refused
            .expect("events")
            .iter()
            .any(|event| event["reason"] == "not-granted")
    );
}

/// Processes of ours on the bastion, with their pids there.
fn ours(lab: &Lab) -> Vec<String> {
    let found = lab.bastion().run("pgrep -x force-command");
    found.text().lines().map(str::to_owned).collect()
}

fn nothing_is_left(lab: &Lab) -> bool {
    let left = lab
        .bastion()
        .run("ls /run/jms/sessions /run/jms/egress; pgrep -u alice -l ssh | grep -v sshd");
    ours(lab).is_empty() && left.text().trim() == "/run/jms/egress:\n\n/run/jms/sessions:"
}

#[test]
fn a_hung_up_terminal_ends_the_menu_and_its_session_at_once() {
    let lab = Lab::everyday().without_kept_connections();
    let mut menu = lab.client().ssh_on_terminal([ALICE]);
    menu.expect(PROMPT);
    menu.hang_up();
    eventually(
        "nothing is left of an idle menu",
        Duration::from_secs(5),
        || nothing_is_left(&lab),
    );
    let mut menu = lab.client().ssh_on_terminal([ALICE]);
    menu.expect(PROMPT);
    menu.send_line("web1");
    menu.expect("dev@web1");
    menu.hang_up();
    eventually(
        "nothing is left of menu and session",
        Duration::from_secs(5),
        || nothing_is_left(&lab),
    );
    let session = lab
        .bastion()
        .run("jmsctl session ls --json")
        .json()
        .expect("a session");
    assert_eq!(session["end_reason"], "client-gone");
}

#[test]
fn a_menu_that_is_killed_takes_its_session_with_it() {
    let lab = Lab::everyday().without_kept_connections();
    let mut menu = lab.client().ssh_on_terminal([ALICE]);
    menu.expect(PROMPT);
    menu.send_line("web1");
    menu.expect("dev@web1");
    // The oldest is the menu.
    drop(
        lab.bastion()
            .run("pkill -KILL -o -x force-command")
            .expect_status(0),
    );
    eventually("its session ends", Duration::from_secs(5), || {
        ours(&lab).is_empty()
    });
    let session = lab
        .bastion()
        .run("jmsctl session ls --json")
        .json()
        .expect("a session");
    assert_eq!(session["end_reason"], "client-gone");
}

#[test]
fn a_killed_session_leaves_a_terminal_that_the_menu_can_use() {
    let mut menu = menu();
    menu.send_line("db1");
    menu.expect("dev@web1");
    let id = "jmsctl session ls --online --asset db1 --json";
    let pid = lab().bastion().run(id).json().expect("a session")["relay_pid"].clone();
    drop(
        lab()
            .bastion()
            .run(format!("kill -KILL {pid}"))
            .expect_status(0),
    );
    menu.expect(PROMPT);
    let who = say(&mut menu, "whoami");
    assert!(
        who.lines()
            .any(|line| line.split_whitespace().eq(["user", "alice"])),
        "{who}"
    );
    leave(menu);
}

#[test]
fn an_idle_menu_does_nothing_and_its_reader_can_do_nothing() {
    let lab = Lab::everyday().without_kept_connections();
    let mut menu = lab.client().ssh_on_terminal([ALICE]);
    menu.expect(PROMPT);
    let [own, reader] = <[String; 2]>::try_from(ours(&lab)).expect("the menu and its reader");
    let status = |pid: &str, field: &str| {
        let line = lab
            .bastion()
            .run(format!("sed -n 's/^{field}:\\s*//p' /proc/{pid}/status"));
        line.text().trim().to_owned()
    };
    let uid = lab.bastion().run("id -u alice").text().trim().to_owned();
    assert_eq!(
        status(&reader, "Uid"),
        [&uid; 4].map(String::as_str).join("\t")
    );
    assert_eq!(status(&reader, "NoNewPrivs"), "1");
    assert_ne!(status(&own, "Uid"), status(&reader, "Uid"));
    let files = lab
        .bastion()
        .run(format!("readlink /proc/{reader}/fd/*"))
        .text();
    assert!(
        !files.contains("jms") && !files.contains("anon_inode"),
        "{files}"
    );
    let turns = || {
        [&own, &reader].map(|pid| {
            (
                status(pid, "voluntary_ctxt_switches"),
                status(pid, "nonvoluntary_ctxt_switches"),
            )
        })
    };
    // It has settled when it has not moved for a moment; then it must not move at all.
    let mut before = turns();
    eventually("the menu settles", Duration::from_secs(10), || {
        std::thread::sleep(Duration::from_millis(300));
        let now = turns();
        std::mem::replace(&mut before, now.clone()) == now
    });
    std::thread::sleep(Duration::from_secs(2));
    assert_eq!(turns(), before);
    menu.send_line("q");
    menu.wait().expect_status(0);
}

#[test]
fn banner_help_and_link_are_the_administrators() {
    let lab = Lab::everyday().without_kept_connections();
    let settings = "[menu]\nbanner = \"ACME bastion\\nAuthorised use only\"\nhelp = \"Ask Carol.\"\nlink = \"https://wiki.example/\"\n";
    lab.bastion().write("/etc/jms/jms.toml", settings);
    let mut menu = lab.client().ssh_on_terminal([ALICE]);
    let first = menu.expect(PROMPT);
    assert!(
        first.starts_with("ACME bastion\r\nAuthorised use only\r\nalice: 1 asset\r\n"),
        "{first}"
    );
    assert!(
        first.contains("Ask Carol.\r\nhttps://wiki.example/\r\n"),
        "{first}"
    );
    menu.send_line("q");
    menu.wait().expect_status(0);
}

#[test]
fn a_disabled_user_is_put_out_of_the_menu() {
    let lab = Lab::everyday().without_kept_connections();
    let mut menu = lab.client().ssh_on_terminal([ALICE]);
    menu.expect(PROMPT);
    jmsctl(&lab, "asset set web1 --comment changed");
    menu.send_line("p");
    menu.expect("changed");
    menu.expect(PROMPT);
    menu.send("half a li");
    menu.expect("half a li");
    jmsctl(&lab, "user disable alice");
    eventually("the menu ends", Duration::from_secs(3), || {
        !menu.is_running()
    });
    let outcome = menu.wait().expect_status(76);
    outcome.expect_stdout_contains("you may not use the bastion now");
}
