//! Pages say what `--help` says, and can be read by what reads pages.

use super::after_help::AfterHelp;
use super::*;
use clap::Command;

fn source(noun: Option<&str>) -> String {
    // As in the page's source, without what roff needs.
    String::from_utf8(page(noun).unwrap())
        .unwrap()
        .replace("\\-", "-")
        .replace("\\*(Aq", "'")
        .replace("\\\\", "\\")
        .replace("\\fB", "")
        .replace("\\fI", "")
        .replace("\\fR", "")
}

fn nouns() -> Vec<Command> {
    let mut tree = cli::tree();
    tree.build();
    tree.get_subcommands().cloned().collect()
}

#[test]
fn a_page_says_everything_that_help_says() {
    for noun in nouns() {
        let page = source(Some(noun.get_name()));
        let verbs: Vec<&Command> = noun.get_subcommands().collect();
        for command in verbs.into_iter().chain([&noun]) {
            let about = command.get_about().unwrap().to_string();
            assert!(page.contains(&about), "{}: {about}", noun.get_name());
            let own = command
                .get_arguments()
                .filter(|argument| !argument.is_global_set() && argument.get_id() != "help");
            for argument in own {
                let help = argument.get_help().unwrap().to_string();
                assert!(page.contains(&help), "{}: {help}", noun.get_name());
                if let Some(long) = argument.get_long() {
                    assert!(page.contains(&format!("--{long}")), "{long}");
                }
            }
            for example in AfterHelp::of(command).examples {
                assert!(
                    example.chars().count() <= 98,
                    "--help would break this line: {example}"
                );
                assert!(page.contains(&example), "{}: {example}", noun.get_name());
            }
        }
    }
}

#[test]
fn the_overview_names_every_noun_and_global_flag() {
    let overview = source(None);
    for noun in nouns() {
        let reference = format!("jmsctl-{}(8)", noun.get_name());
        assert!(overview.contains(&reference), "{reference}");
    }
    for argument in cli::tree().get_arguments() {
        assert!(overview.contains(&argument.get_help().unwrap().to_string()));
    }
}

#[test]
fn every_page_has_the_sections_that_people_look_for() {
    let pages = nouns().into_iter().map(|noun| noun.get_name().to_owned());
    for noun in pages.map(Some).chain([None]) {
        let page = source(noun.as_deref());
        for section in [
            "NAME",
            "SYNOPSIS",
            "DESCRIPTION",
            "EXAMPLES",
            "\"EXIT STATUS\"",
            "FILES",
            "\"SEE ALSO\"",
        ] {
            let heading = format!("\n.SH {section}\n");
            assert_eq!(page.matches(&heading).count(), 1, "{noun:?}: {section}");
        }
    }
}
