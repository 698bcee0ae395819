//! `docs/model.md`: every command in it is run, in its order, and what it says is what happens.

use std::time::Duration;

use tests::boot::authorize;
use tests::{Lab, eventually};

/// The commands of a section of the page.
fn commands<'page>(page: &'page str, heading: &str) -> Vec<&'page str> {
    let section = page
        .split("\n## ")
        .find(|section| section.starts_with(heading))
        .unwrap_or_else(|| panic!("docs/model.md has no section {heading:?}"));
    let blocks = section
        .split("```sh\n")
        .skip(1)
        .filter_map(|rest| rest.split("```").next());
    let lines: Vec<&str> = blocks.flat_map(str::lines).collect();
    assert!(!lines.is_empty(), "no command in {heading:?}");
    lines
}

fn follow(lab: &Lab, page: &str, heading: &str) {
    for command in commands(page, heading) {
        // The page's machines are the hosts that are here.
        let command = command
            .replace("10.1.0.11", &lab.address("web1").to_string())
            .replace("10.2.0.21", &lab.address("web2").to_string());
        lab.bastion()
            .run(format!("cd /root && {command}"))
            .expect_status(0);
    }
}

fn is_allowed(lab: &Lab, login: &str, right: &str) -> bool {
    let explained = lab
        .bastion()
        .run(format!(
            "jmsctl access explain {login} --right {right} --json"
        ))
        .json()
        .expect("an explanation");
    explained["allow"] == true
}

/// The page's ids are those that are here: of the shell that ended with its grant.
fn from_a_name_to_what_was_done(lab: &Lab, page: &str) {
    let newest = |command: &str| {
        let rows = lab.bastion().run(command).json_lines().expect("JSON");
        rows.last().expect("a row").clone()
    };
    let session = newest("jmsctl session ls --user dave --json");
    let text = |name: &str| session[name].as_str().expect("text").to_owned();
    let (login, session) = (text("login"), text("id"));
    let [ls, login_show, session_show] = commands(page, "From a name")[..] else {
        panic!("it takes three commands")
    };
    let run = |command: &str| lab.bastion().run(command).expect_status(0).text();
    assert!(run(ls).contains(&login));
    assert!(run(&login_show.replace("4kq8zd", &login[..6])).contains(&session));
    let shown = run(&session_show.replace("7k2mz9", &session[..6]));
    for part in [
        "right-withdrawn",
        "events:",
        "session.open",
        "session.close",
    ] {
        assert!(shown.contains(part), "no {part} in {shown}");
    }
}

#[test]
fn the_worked_example_of_the_model_works() {
    let page = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/model.md"))
        .expect("docs/model.md");
    let lab = Lab::installed();
    lab.bastion().run("jmsctl init").expect_status(0);
    for person in ["alice", "bob", "dave"] {
        let key = lab.folder().public_key_of(person).expect("a key");
        lab.bastion()
            .write(format!("/root/{person}.pub"), format!("{key}\n"));
    }
    // db1 of the page is the host web2.
    lab.web2().run("useradd --create-home dba").expect_status(0);

    follow(&lab, &page, "Two sites");
    follow(&lab, &page, "Two accounts");
    for (host, account) in [(lab.web1(), "dev"), (lab.web2(), "dba")] {
        let shown = lab
            .bastion()
            .run(format!("jmsctl system-user show {account} --json"))
            .json()
            .expect("a system user");
        let key = shown["public_key"].as_str().expect("its public key");
        authorize(host, account, key).expect("the account takes the key");
    }
    follow(&lab, &page, "A team");
    follow(&lab, &page, "What they may do");

    let ssh = |person: &str, way: &str, command: &str| {
        lab.client_of(person)
            .ssh([format!("{person}@{way}@bastion"), command.to_owned()])
    };
    ssh("alice", "dev@web1", "id -un").expect_stdout("dev\n");
    ssh("alice", "dba@db1", "true").expect_status(126);
    ssh("bob", "dev@web1", "id -un").expect_stdout("dev\n");
    ssh("bob", "dba@db1", "id -un").expect_stdout("dba\n");
    let reached = lab.bastion().run("jmsctl access ls --user bob --json");
    assert_eq!(reached.text().lines().count(), 2, "{reached}");
    assert!(!is_allowed(&lab, "alice@dba@db1", "exec"));
    assert!(is_allowed(&lab, "bob@dba@db1", "exec"));

    follow(&lab, &page, "A contractor");
    ssh("dave", "dev@web1", "id -un").expect_stdout("dev\n");
    lab.client_of("dave")
        .command(
            "scp",
            ["-O", "/etc/hostname", "dave@dev@web1@bastion:/tmp/x"],
        )
        .run()
        .expect_failure();

    let mut shell = lab
        .client_of("dave")
        .ssh_on_terminal(["dave@dev@web1@bastion"]);
    shell.expect("dev@web1");
    follow(&lab, &page, "Changes");
    eventually("dave's session ends", Duration::from_secs(5), || {
        !shell.is_running()
    });
    ssh("dave", "dev@web1", "true").expect_status(126);
    ssh("alice", "dev@web1", "true").expect_failure();
    assert!(is_allowed(&lab, "bob@dev@web2", "shell"));
    from_a_name_to_what_was_done(&lab, &page);
    follow(&lab, &page, "Kept in version control");
}
