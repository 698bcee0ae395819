//! The tree as a whole: sound, explained, and silent about what is not built.

use super::*;

fn walk(command: &clap::Command, visit: &mut impl FnMut(&clap::Command)) {
    visit(command);
    for verb in command.get_subcommands() {
        walk(verb, visit);
    }
}

#[test]
fn the_tree_is_sound_and_every_command_has_an_example() {
    tree().debug_assert();
    unbuilt::add_to(tree()).debug_assert();
    walk(&tree(), &mut |command| {
        let after = command.get_after_help().map(ToString::to_string);
        assert!(
            after.is_some_and(|after| after.contains("Example") && after.contains("jmsctl ")),
            "{}",
            command.get_name()
        );
    });
}

#[test]
fn every_flag_is_explained() {
    walk(&tree(), &mut |command| {
        for argument in command.get_arguments() {
            assert!(
                argument.get_help().is_some(),
                "{} {}",
                command.get_name(),
                argument.get_id()
            );
        }
    });
}

#[test]
fn what_is_planned_says_so_and_what_is_not_is_unknown() {
    let words = |line: &str| line.split(' ').map(OsString::from).collect::<Vec<_>>();
    for line in [
        "jmsctl report --format html",
        "jmsctl sudo-alias add ops",
        "jmsctl session kill 7k2mz9",
        "jmsctl user set alice --csv x.csv",
        "jmsctl system-user add dev --auto-push",
        "jmsctl help report",
    ] {
        let stop = parse(words(line), None);
        match stop {
            Err(Stop::Failure(Failure::NotInThisVersion(_))) => {}
            Ok(Arguments {
                noun: Noun::Help(help),
                ..
            }) => {
                assert!(matches!(
                    find(&help.words),
                    Err(Failure::NotInThisVersion(_))
                ));
            }
            _ => panic!("{line}"),
        }
    }
    assert!(matches!(
        parse(words("jmsctl nonsense"), None),
        Err(Stop::Clap(_))
    ));
    assert!(matches!(
        parse(words("jmsctl user add alice --nonsense 1"), None),
        Err(Stop::Clap(_))
    ));
    assert!(
        matches!(find(&["grnat".into()]), Err(Failure::Missing(sentence)) if sentence.contains("grant"))
    );
}

#[test]
fn help_shows_nothing_that_is_not_built() {
    let help = tree().render_long_help().to_string();
    for word in ["batch", "backup"] {
        assert!(!help.contains(&format!("  {word} ")), "{word}");
    }
}
