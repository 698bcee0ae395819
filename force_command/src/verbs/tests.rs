//! What the words answer, from a store with little in it.

use super::*;
use crate::request::Filter;
use jms::paths::Paths;
use jms::policy::Rights;

fn target(asset_id: i64, system_user: &str, asset: &str, comment: &str) -> Target {
    Target {
        asset_id,
        asset: asset.into(),
        address: format!("192.0.2.{asset_id}"),
        comment: comment.into(),
        system_user_id: 1,
        system_user: system_user.into(),
        rights: Rights::parse("shell,exec").unwrap(),
    }
}

fn rows() -> Vec<list::Row> {
    let row = |target, groups: &[&str]| list::Row {
        target,
        groups: groups.iter().map(|path| (*path).into()).collect(),
    };
    vec![
        row(target(1, "backup", "db1", "数据库"), &["/prod/db"]),
        row(
            target(2, "dba", "web1", "front\x1b[2J"),
            &["/prod/web", "/site"],
        ),
        row(
            target(2, "dev", "web1", "front\x1b[2J"),
            &["/prod/web", "/site"],
        ),
    ]
}

#[test]
fn a_line_for_each_target_in_columns_and_nothing_that_moves_the_cursor() {
    assert_eq!(
        list::text(&rows(), false),
        "backup@db1  shell,exec  数据库\ndba@web1    shell,exec  front\u{fffd}[2J\ndev@web1    shell,exec  front\u{fffd}[2J\n"
    );
}

#[test]
fn one_object_for_each_target() {
    let text = list::text(&rows(), true);
    let object: serde_json::Value = serde_json::from_str(text.lines().nth(1).unwrap()).unwrap();
    assert_eq!(object["target"], "dba@web1");
    assert_eq!(object["rights"], json!(["shell", "exec"]));
    assert_eq!(object["comment"], "front\x1b[2J");
    assert_eq!(object["asset_groups"], json!(["/prod/web", "/site"]));
}

#[test]
fn a_person_looks_for_names_addresses_and_comments_in_any_case() {
    let target = target(7, "dev", "Web-7", "Frankfurt");
    for text in ["web", "DEV@WEB", "192.0.2.7", "frank"] {
        assert!(list::holds(&target, text), "{text}");
    }
    assert!(!list::holds(&target, "db"));
}

#[test]
fn a_group_covers_what_lies_below_it_and_not_its_neighbours() {
    assert!(list::is_within("/prod/web", "/prod"));
    assert!(list::is_within("/prod", "/prod"));
    assert!(list::is_within("/prod/web", "/"));
    assert!(!list::is_within("/production", "/prod"));
}

#[test]
fn groups_count_each_asset_once_at_every_level() {
    let rows = rows();
    let places = rows
        .iter()
        .map(|row| (row.target.asset_id, row.groups.clone()))
        .collect();
    let counted: Vec<(String, usize)> = groups::of([1, 2].into_iter(), &places)
        .into_iter()
        .collect();
    let expected = [
        ("/prod", 2),
        ("/prod/db", 1),
        ("/prod/web", 1),
        ("/site", 1),
    ];
    assert_eq!(
        counted,
        expected.map(|(path, count)| (path.to_owned(), count))
    );
}

#[test]
fn clients_are_told_the_settings_address_else_the_one_where_they_came_in() {
    let server = Some(("2001:db8::1".parse().unwrap(), 2222));
    let address = |own, server| {
        let ssh_config::Address { host, port } = ssh_config::address(own, server);
        (host, port)
    };
    assert_eq!(address(("", 0), server), ("2001:db8::1".into(), 2222));
    assert_eq!(
        address(("jump.example", 0), server),
        ("jump.example".into(), 2222)
    );
    assert_eq!(
        address(("jump.example", 22), server),
        ("jump.example".into(), 22)
    );
    assert_eq!(address(("", 0), None), ("bastion".into(), 22));
}

/// A store with one user, who is there.
struct Bastion {
    _folder: tempfile::TempDir,
    store: Store,
    identity: Identity,
}

fn bastion() -> Bastion {
    let folder = tempfile::tempdir().unwrap();
    let paths = Paths::under(folder.path());
    paths.create().unwrap();
    let store = Store::create(&paths).unwrap();
    let mut user = jms::nouns::User::new("alice", Time(1_000));
    user.uid = 70_000;
    let login = jms::nouns::Login {
        id: "login".into(),
        user: "alice".into(),
        uid: 70_000,
        login_name: "alice".into(),
        source: "192.0.2.9".into(),
        source_port: None,
        key_type: "ssh-ed25519".into(),
        key: "SHA256:x".into(),
        factors: "publickey".into(),
        factor_at: None,
        sshd_pid: 1,
        sshd_started: 1,
        opened_at: Time(1_000),
        closed_at: None,
        close_reason: None,
    };
    Bastion {
        _folder: folder,
        store,
        identity: Identity {
            user,
            login,
            tail: None,
        },
    }
}

fn answered(verb: &Verb, settings: &Settings) -> Result<String, NoAnswer> {
    let mut bastion = bastion();
    let desk = Desk {
        store: &mut bastion.store,
        settings,
        identity: &bastion.identity,
        server: None,
        has_terminal: false,
    };
    text(&desk, verb)
}

#[test]
fn who_has_nothing_reads_nothing() {
    let filter = Filter::default();
    for verb in [
        Verb::Ls {
            filter: filter.clone(),
            json: false,
        },
        Verb::Groups { json: true },
        Verb::Sessions {
            online: false,
            limit: 20,
            json: false,
        },
    ] {
        assert_eq!(
            answered(&verb, &Settings::default()),
            Ok(String::new()),
            "{verb:?}"
        );
    }
    let id = "0123abcd".to_owned();
    let nobodys = NoAnswer(Message::NoSuchSession(id.clone()), status::DENIED);
    assert_eq!(
        answered(&Verb::SessionShow { id, json: false }, &Settings::default()),
        Err(nobodys)
    );
}

#[test]
fn help_names_every_word_and_ends_with_the_administrators_own() {
    let mut settings = Settings::default();
    settings.menu.help = "Ask Carol\x1b[2J.".into();
    settings.menu.link = "https://wiki.example/bastion".into();
    let help = answered(
        &Verb::Help {
            verb: None,
            json: false,
        },
        &settings,
    )
    .unwrap();
    assert!(
        help.lines().all(|line| line.chars().count() <= 80),
        "{help}"
    );
    for word in crate::request::KNOWN {
        assert!(help.contains(&format!("\n  {word}")), "{word}: {help}");
    }
    assert!(
        help.ends_with("\nAsk Carol\u{fffd}[2J.\nhttps://wiki.example/bastion\n"),
        "{help}"
    );
    let one = answered(
        &Verb::Help {
            verb: Some("session"),
            json: false,
        },
        &settings,
    )
    .unwrap();
    assert!(
        one.starts_with("session show ID [--json]\nsession replay ID\n\n"),
        "{one}"
    );
    let json = answered(
        &Verb::Help {
            verb: Some("ls"),
            json: true,
        },
        &settings,
    )
    .unwrap();
    let object: serde_json::Value = serde_json::from_str(&json).unwrap();
    assert_eq!(object["verb"], "ls");
}
