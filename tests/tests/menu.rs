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
    let lab = Lab::everyday();
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
fn a_disabled_user_is_put_out_of_the_menu() {
    let lab = Lab::everyday();
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
