//! Lines judged by filters, from everywhere: no panic, no more work than the bounds say, and a verdict that follows from what
//! was found.
#![no_main]

use filter::shell::{MAX_COMMANDS, MAX_WORK};
use filter::{Context, Filter, FilterText, Language, Matching, RuleText, Verdict, judge};
use libfuzzer_sys::fuzz_target;
use std::sync::LazyLock;

fn filter(default: Verdict) -> Filter {
    let rules = [
        (Verdict::Deny, Matching::Command("rm -rf".to_owned())),
        (Verdict::Allow, Matching::Command("ls".to_owned())),
        (Verdict::Warn, Matching::Regex(r"^\s*dd\b".to_owned())),
        (
            Verdict::Confirm,
            Matching::Regex("(shutdown|reboot)".to_owned()),
        ),
        (Verdict::Allow, Matching::Command("git pull ...".to_owned())),
    ];
    let rule = |((verdict, matching), id)| RuleText {
        id,
        priority: 50,
        verdict,
        matching,
        ignore_case: false,
    };
    Filter::compile(&FilterText {
        name: default.as_str().to_owned(),
        default,
        rules: rules.into_iter().zip(1..).map(rule).collect(),
    })
    .expect("rules")
}

static FILTERS: LazyLock<[Filter; 2]> =
    LazyLock::new(|| [filter(Verdict::Allow), filter(Verdict::Deny)]);

fuzz_target!(|data: &[u8]| {
    let line = String::from_utf8_lossy(data);
    let contexts = [
        Context::EXEC,
        Context::SCRIPT,
        Context::TERMINAL,
        Context::TERMINAL.in_language(Language::Text),
    ];
    for context in contexts {
        let judgement = judge(&FILTERS[..], &line, context);
        assert!(judgement.line.work <= MAX_WORK);
        assert!(judgement.line.commands.len() <= 2 * MAX_COMMANDS);
        let strictest = judgement
            .findings
            .iter()
            .map(|finding| finding.verdict)
            .max();
        assert_eq!(judgement.verdict, strictest.unwrap_or(Verdict::Allow));
        assert!(!judgement.sentence().contains(char::is_control));
        // What hides something never passes where only what is listed may.
        if judgement.opaque().is_some() && context.language == Language::Shell {
            assert_eq!(judgement.verdict, Verdict::Deny);
        }
    }
});
