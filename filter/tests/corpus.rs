//! The lines of the command corpus (tests/corpus), which were recorded from real shells.

use filter::{Context, Filter, FilterText, Language, Matching, Opaque, RuleText, Verdict, judge};
use serde_json::Value;
use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

/// The cases of a group.
fn cases(group: &str) -> Vec<Value> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../tests/corpus/open")
        .join(group);
    let mut paths: Vec<_> = fs::read_dir(&folder)
        .expect("the corpus")
        .map(|entry| entry.expect("an entry").path())
        .collect();
    paths.sort();
    let read =
        |path| serde_json::from_str(&fs::read_to_string(path).expect("a case")).expect("JSON");
    paths.into_iter().map(read).collect()
}

/// What the shell was given.
fn lines(case: &Value) -> Vec<String> {
    let truth = case["truth"].as_array().expect("lines");
    truth
        .iter()
        .filter_map(|line| line.as_str().or_else(|| line["line"].as_str()))
        .map(str::to_owned)
        .collect()
}

fn compile(case: &Value, default: Verdict) -> Filter {
    let rules = case["filter"]["rules"].as_array().expect("rules");
    let rule = |(rule, id): (&Value, i64)| RuleText {
        id,
        priority: 50,
        verdict: Verdict::Deny,
        matching: Matching::Regex(rule["pattern"].as_str().expect("a pattern").to_owned()),
        ignore_case: false,
    };
    let text = FilterText {
        name: "corpus".to_owned(),
        default,
        rules: rules.iter().zip(1..).map(rule).collect(),
    };
    Filter::compile(&text).expect("rules")
}

fn text(case: &Value, field: &str) -> String {
    case[field].as_str().unwrap_or_default().to_owned()
}

#[test]
fn the_lines_that_must_be_denied_are_denied_and_no_others() {
    let mut denied = 0;
    for case in cases("filter") {
        let filters = [compile(&case, Verdict::Allow)];
        let must: Vec<&str> = case["filter"]["deny"]
            .as_array()
            .expect("lines")
            .iter()
            .filter_map(Value::as_str)
            .collect();
        for line in lines(&case) {
            // A statement for a database ends so; the corpus has no shell's line that does.
            let language = if line.ends_with(';') {
                Language::Text
            } else {
                Language::Shell
            };
            // Lines of a loop are denied with the loop.
            let expected = must
                .iter()
                .any(|denied| line.lines().any(|one| one == *denied));
            let context = Context::TERMINAL.in_language(language);
            let judgement = judge(&filters, &line, context);
            assert_eq!(
                judgement.verdict == Verdict::Deny,
                expected,
                "{} {line:?}: {}",
                text(&case, "id"),
                judgement.sentence()
            );
            denied += usize::from(expected);
        }
    }
    assert!(denied > 30, "only {denied} lines were to be denied");
}

/// What no filter over lines can see: a name that means something else there, a program that starts others by itself.
const BEYOND_A_LINE: &[&str] = &[
    "zap canary.txt",
    "del canary.txt",
    "BASH_ENV=./clean2 bash -c :",
    "import os; os.remove('canary.txt')",
    "./clean.sh",
    ". ./clean.sh",
    "vim notes.txt",
    "sh",
];

#[test]
fn what_evades_a_rule_is_seen_through_or_opaque_or_beyond_a_line_and_never_passes_a_default_of_deny()
 {
    let harmless = ["echo after", "exit()", "python3 -q"];
    let mut seen = 0;
    for case in cases("evasion") {
        let open = [compile(&case, Verdict::Allow)];
        let strict = [compile(&case, Verdict::Deny)];
        for line in lines(&case) {
            let strictly = judge(&strict, &line, Context::EXEC);
            // To a shell this is the beginning of a function, and nothing runs.
            let runs_nothing = line == "exit()" && strictly.is_unfinished();
            assert!(
                strictly.verdict == Verdict::Deny || runs_nothing,
                "{line:?}"
            );
            if harmless.contains(&line.as_str()) || BEYOND_A_LINE.contains(&line.as_str()) {
                continue;
            }
            let judgement = judge(&open, &line, Context::TERMINAL);
            assert!(
                judgement.verdict == Verdict::Deny || judgement.opaque().is_some(),
                "{line:?}: {}",
                judgement.sentence()
            );
            seen += 1;
        }
    }
    assert!(seen >= 8, "only {seen} lines");
}

/// Whether bash finds no fault in it.
fn bash_reads(line: &str) -> bool {
    Command::new("/bin/bash")
        .args(["-n", "-c", line])
        .stderr(Stdio::null())
        .status()
        .expect("bash")
        .success()
}

#[test]
fn every_line_of_bash_that_bash_reads_is_read_to_its_end() {
    let mut read = 0;
    for group in [
        "bash-basic",
        "bash-complete",
        "bash-edit",
        "bash-history",
        "bash-vi",
        "multiline",
        "paste",
        "prompts",
        "utf8",
        "wrap-resize",
        "dash",
        "ksh",
        "ash",
        "typeahead",
    ] {
        for case in cases(group) {
            for line in lines(&case) {
                let judgement = judge(&[], &line, Context::EXEC);
                if judgement.line.fault.is_none() {
                    read += 1;
                    continue;
                }
                assert!(
                    !bash_reads(&line),
                    "{} {line:?}: {:?}",
                    text(&case, "id"),
                    judgement.opaque().map(|opaque: Opaque| opaque.to_string())
                );
            }
        }
    }
    assert!(read > 300, "only {read} lines");
}
