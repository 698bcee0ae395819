//! The rest of the grammar: planned nouns, verbs and flags, which say `not in this version`.
#![forbid(unsafe_code)]

use clap::{Arg, ArgAction, ArgMatches, Command};

const NOUNS: &[&str] = &[
    "transfer",
    "sudo-alias",
    "push",
    "credential",
    "ca",
    "batch",
    "recording",
    "report",
    "backup",
    "restore",
    "mail",
    "request",
    "tunnel",
    "organisation",
];

/// Verbs of nouns that are built.
const VERBS: &[(&str, &[&str])] = &[
    ("asset", &["test", "gather"]),
    (
        "session",
        &[
            "export", "search", "watch", "hold", "unhold", "kill", "pause", "resume", "message",
            "join",
        ],
    ),
    ("event", &["resend"]),
];

/// Flags of verbs that are built.
const FLAGS: &[(&str, &[&str], &[&str])] = &[
    ("user", &["set"], &["csv"]),
    ("asset", &["set"], &["csv"]),
    ("system-user", &["add", "set"], &["sudo-alias", "auto-push"]),
    ("grant", &["add", "set"], &["path-allow", "path-deny"]),
    ("session", &["ls"], &["watch"]),
];

/// Adds what is planned to the tree, hidden.
pub(super) fn add_to(mut tree: Command) -> Command {
    for noun in NOUNS {
        tree = tree.subcommand(anything(noun));
    }
    for (noun, verbs) in VERBS {
        tree = tree.mut_subcommand(noun, |noun| {
            verbs
                .iter()
                .fold(noun, |noun, verb| noun.subcommand(anything(verb)))
        });
    }
    for (noun, verbs, flags) in FLAGS {
        tree = tree.mut_subcommand(noun, |noun| {
            verbs.iter().fold(noun, |noun, verb| {
                noun.mut_subcommand(verb, |verb| {
                    flags
                        .iter()
                        .fold(verb, |verb, flag| verb.arg(any_value(flag)))
                })
            })
        });
    }
    tree
}

/// A command that takes whatever follows.
fn anything(name: &'static str) -> Command {
    Command::new(name)
        .hide(true)
        .disable_help_flag(true)
        .disable_version_flag(true)
        .arg(
            Arg::new("rest")
                .num_args(0..)
                .trailing_var_arg(true)
                .allow_hyphen_values(true)
                .value_parser(clap::value_parser!(std::ffi::OsString)),
        )
}

/// A flag with or without a value.
fn any_value(flag: &'static str) -> Arg {
    Arg::new(flag)
        .long(flag)
        .hide(true)
        .num_args(0..=1)
        .action(ArgAction::Append)
        .value_parser(clap::value_parser!(std::ffi::OsString))
}

/// The planned words that were typed, if any were.
pub(super) fn asked_for(matches: &ArgMatches) -> Option<String> {
    let (noun, rest) = matches.subcommand()?;
    if NOUNS.contains(&noun) {
        return Some(noun.to_owned());
    }
    let (verb, rest) = rest.subcommand()?;
    if is_planned(&[noun, verb]) {
        return Some(format!("{noun} {verb}"));
    }
    let flags = FLAGS
        .iter()
        .filter(|(of, verbs, _)| *of == noun && verbs.contains(&verb));
    flags
        .flat_map(|(_, _, flags)| flags.iter())
        .find_map(|flag| {
            let given = rest.try_contains_id(flag).unwrap_or(false);
            given.then(|| format!("{noun} {verb} --{flag}"))
        })
}

/// Whether a noun, or a noun and verb, is planned.
pub(super) fn is_planned(words: &[&str]) -> bool {
    match words {
        [noun] => NOUNS.contains(noun),
        [noun, verb] => VERBS
            .iter()
            .any(|(of, verbs)| of == noun && verbs.contains(verb)),
        _ => false,
    }
}
