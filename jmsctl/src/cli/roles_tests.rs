//! The table against every command that there is, and the rules against what people type.

use super::*;
use crate::cli::{tree, unbuilt};

/// Every command that can be run, by its words.
fn commands() -> Vec<(Vec<String>, Command)> {
    fn walk(command: &Command, words: &[String], found: &mut Vec<(Vec<String>, Command)>) {
        if !command.has_subcommands() {
            found.push((words.to_vec(), command.clone()));
        }
        for inner in command.get_subcommands() {
            let mut words = words.to_vec();
            words.push(inner.get_name().to_owned());
            walk(inner, &words, found);
        }
    }
    let mut found = Vec::new();
    let mut tree = tree();
    tree.build();
    walk(&tree, &[], &mut found);
    found
}

/// Every row, a command each.
fn rows() -> Vec<(Vec<&'static str>, Who)> {
    let expand = |row: &Row| -> Vec<(Vec<&'static str>, Who)> {
        let verbs = row.1.split(' ');
        let words = |verb: &'static str| {
            let words = row.0.split(' ').chain((!verb.is_empty()).then_some(verb));
            (words.collect(), row.2)
        };
        verbs.map(words).collect()
    };
    TABLE.iter().flat_map(expand).collect()
}

#[test]
fn every_command_has_one_row_that_says_who_may_use_it() {
    let rows = rows();
    for (words, _) in commands() {
        let own = rows.iter().filter(|(row, _)| *row == words).count();
        assert_eq!(
            own,
            1,
            "`jmsctl {}` has {own} rows in cli/roles.rs: say there who may use it over ssh",
            words.join(" ")
        );
    }
}

#[test]
fn every_row_is_a_command_that_exists_or_is_planned() {
    let commands = commands();
    for (row, _) in rows() {
        let exists = commands.iter().any(|(words, _)| *words == row);
        let planned = (1..=row.len()).any(|length| unbuilt::is_planned(&row[..length]));
        assert!(exists || planned, "{row:?} is no command");
    }
}

#[test]
fn a_command_without_a_row_is_roots() {
    for words in [
        &["nonsense"][..],
        &["user"],
        &["user", "nonsense"],
        &[],
        &["user", "add", "x"],
        &["session", ""],
    ] {
        assert_eq!(who_may(words), Who::Root, "{words:?}");
    }
}

#[test]
fn nobody_but_root_deletes_or_releases_evidence() {
    for words in [
        &["session", "unhold"][..],
        &["recording", "prune"],
        &["recording", "key", "rm"],
        &["restore"],
    ] {
        assert_eq!(who_may(words), Who::Root, "{words:?}");
    }
    // No noun of evidence has any other verb that takes something away.
    for (row, who) in rows() {
        let evidence = [
            "login",
            "session",
            "command",
            "transfer",
            "recording",
            "event",
        ];
        let takes_away = ["rm", "prune", "unhold", "set"];
        if evidence.contains(&row[0]) && row.iter().any(|word| takes_away.contains(word)) {
            assert_eq!(who, Who::Root, "{row:?}");
        }
    }
}

#[test]
fn auditors_read_and_nothing_else() {
    let reading = [
        "ls",
        "show",
        "replay",
        "search",
        "verify",
        "export",
        "watch",
        "explain",
        "schema",
        "checkpoint",
        "du",
        "status",
        "report",
        "completion",
        "man",
        "version",
        "help",
    ];
    for (row, who) in rows() {
        if who == Who::Auditor {
            assert!(reading.contains(row.last().unwrap()), "{row:?}");
        }
    }
}

/// Every argument that takes a file or folder is of a type by which it is recognised. A new one of another type,
/// under whatever name, would be a hole.
#[test]
fn whatever_is_called_a_file_is_recognised_as_one() {
    // A path on assets, not on the bastion.
    let elsewhere = ["shell"];
    for (words, command) in commands() {
        for argument in command.get_arguments() {
            let names = argument.get_value_names().unwrap_or_default();
            let called = names.iter().any(|name| {
                ["FILE", "FOLDER", "PATH", "DIR"].iter().any(|word| {
                    name.as_str()
                        .split(['|', ' ', '_'])
                        .any(|part| part == *word)
                })
            });
            let elsewhere = elsewhere.contains(&argument.get_id().as_str());
            if called && !elsewhere {
                assert!(
                    file_kind(argument).is_some(),
                    "`jmsctl {}` {}: make it a FileArgument, or a PathBuf that roles.rs refuses over ssh",
                    words.join(" "),
                    argument.get_id()
                );
            }
        }
    }
}

fn typed(asker: OverSsh, line: &str) -> Result<(), Refusal> {
    let tree = unbuilt::add_to(tree());
    let matches = tree
        .clone()
        .try_get_matches_from(line.split(' '))
        .unwrap_or_else(|error| panic!("{line}: {error}"));
    check(asker, &tree, &matches)
}

#[test]
fn roles_are_told_apart() {
    assert_eq!(typed(OverSsh::Admin, "jmsctl user add bob"), Ok(()));
    assert_eq!(
        typed(OverSsh::Auditor, "jmsctl session replay 7k2mz9"),
        Ok(())
    );
    let refused = typed(OverSsh::Auditor, "jmsctl user add bob").unwrap_err();
    assert_eq!(refused.word(), "role");
    assert_eq!(
        refused.sentence(),
        "user add is not allowed for you: it is for administrators"
    );
    let refused = typed(OverSsh::Admin, "jmsctl config show").unwrap_err();
    assert!(refused.sentence().contains("root on the bastion itself"));
}

/// For each command that takes a file: a path is refused, and standard input is not.
#[test]
fn no_argument_of_any_command_reaches_a_file_over_ssh() {
    let mut tried = 0;
    for (words, command) in commands() {
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        for argument in command.get_arguments() {
            let Some(kind) = file_kind(argument) else {
                continue;
            };
            if who_may(&words) == Who::Root {
                continue;
            }
            tried += 1;
            // The argument alone: what else the command demands does not matter to the check.
            let id = argument.get_id().clone();
            let parser = argument.get_value_parser().clone();
            let leaf = Command::new("leaf").arg(Arg::new(id).long("it").value_parser(parser));
            let matches = |value: &str| {
                let given = leaf.clone().try_get_matches_from(["leaf", "--it", value]);
                file_of(&leaf, &given.unwrap())
            };
            let refused = matches("/etc/shadow");
            assert!(refused.is_some(), "{words:?} {}", argument.get_id());
            let standard = kind == FileKind::Read && argument.get_id() != "config";
            assert_eq!(
                matches("-").is_none(),
                standard,
                "{words:?} {}",
                argument.get_id()
            );
        }
    }
    // Global flags are arguments of every command.
    assert!(tried > commands().len(), "{tried}");
}

#[test]
fn files_are_refused_wherever_they_are_typed() {
    for line in [
        "jmsctl key add bob /etc/shadow",
        "jmsctl user add bob --key /etc/shadow",
        "jmsctl user add bob --key=/etc/shadow",
        "jmsctl --config /etc/shadow user ls",
        "jmsctl user ls --config /etc/shadow",
        "jmsctl --config - user ls",
        "jmsctl host-key add web1 /etc/ssh/ssh_host_rsa_key.pub",
        "jmsctl system-user add dev --key /root/.ssh/id_rsa",
        "jmsctl system-user set dev --key /root/.ssh/id_rsa",
        "jmsctl man --out /tmp",
        "jmsctl key add bob ./-",
    ] {
        let refused = typed(OverSsh::Admin, line).unwrap_err();
        assert_eq!(refused.word(), "file", "{line}");
    }
    for line in [
        "jmsctl key add bob -",
        "jmsctl user add bob --key -",
        "jmsctl system-user set dev --key -",
    ] {
        assert_eq!(typed(OverSsh::Admin, line), Ok(()), "{line}");
    }
}
