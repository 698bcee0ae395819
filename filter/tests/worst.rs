//! No line takes more than a bounded amount of work, and none is too much to be judged.

mod worst_lines;

use filter::shell::{MAX_COMMANDS, MAX_WORK};
use filter::{Context, Filter, FilterText, Matching, RuleText, Verdict, judge};
use worst_lines::{lines, ordinary};

fn filter(rules: impl Iterator<Item = Matching>) -> Filter {
    let rule = |(matching, id)| RuleText {
        id,
        priority: 50,
        verdict: Verdict::Deny,
        matching,
        ignore_case: false,
    };
    let text = FilterText {
        name: "f".to_owned(),
        default: Verdict::Allow,
        rules: rules.zip(1..).map(rule).collect(),
    };
    Filter::compile(&text).expect("rules")
}

#[test]
fn the_worst_lines_take_no_more_work_than_the_bound() {
    let rules = (0..1000).map(|at| Matching::Command(format!("rm -rf word{at}")));
    let filters = [filter(rules)];
    for (name, line) in lines() {
        for context in [Context::EXEC, Context::TERMINAL, Context::SCRIPT.in_doubt()] {
            let judgement = judge(&filters, &line, context);
            assert!(judgement.line.work <= MAX_WORK, "{name}");
            assert!(judgement.comparisons <= 32_000, "{name}");
            assert!(
                judgement.findings.len() <= 4 * MAX_COMMANDS,
                "{name}: {}",
                judgement.findings.len()
            );
        }
    }
}

#[test]
fn the_bound_is_reached_by_some_and_far_from_ordinary_lines() {
    let work = |line: &str| judge(&[], line, Context::EXEC).line.work;
    let most = lines().iter().map(|(_, line)| work(line)).max();
    assert_eq!(most, Some(MAX_WORK), "nothing comes near the bound");
    for line in ordinary() {
        assert!(work(line) < MAX_WORK / 500, "{line}");
    }
}

#[test]
fn what_is_too_much_is_opaque_and_what_it_names_is_still_found() {
    let filters = [filter(std::iter::once(Matching::Command(
        "rm -rf".to_owned(),
    )))];
    let strict = FilterText {
        name: "strict".to_owned(),
        default: Verdict::Deny,
        rules: Vec::new(),
    };
    let strict = [Filter::compile(&strict).expect("no rules")];
    for text in [
        format!(
            "{{ {}}} <<E\n{}\nE\nrm -rf x",
            "sh;".repeat(500),
            "a".repeat(50_000)
        ),
        format!("{}rm -rf x", "a;".repeat(2000)),
        format!("echo {}; rm -rf x", "a ".repeat(5000)),
        format!("{}rm -rf x", "sudo ".repeat(5000)),
        format!("{}'rm -rf x'", "eval ".repeat(20)),
    ] {
        let judged = judge(&filters, &text, Context::EXEC);
        assert!(judged.opaque().is_some(), "{:.40}", text);
        assert_eq!(judged.verdict, Verdict::Deny, "{:.40}", text);
        assert_eq!(judge(&strict, &text, Context::EXEC).verdict, Verdict::Deny);
    }
}

#[test]
fn a_program_that_is_named_too_often_is_taken_at_its_word() {
    let rules = (0..1000).map(|at| Matching::Command(format!("rm -rf word{at}")));
    let filters = [filter(rules)];
    let line = "rm a; ".repeat(300);
    assert_eq!(judge(&filters, &line, Context::EXEC).verdict, Verdict::Deny);
    assert_eq!(
        judge(&filters, "rm a; rm b", Context::EXEC).verdict,
        Verdict::Allow
    );
}
