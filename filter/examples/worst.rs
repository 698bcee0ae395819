//! How long the longest, deepest, worst lines take, under 1,000 rules.
//!
//!     cargo run --release -p filter --example worst

use filter::shell::MAX_LENGTH;
use filter::{Context, Filter, FilterText, Matching, RuleText, Verdict, judge};
use std::time::{Duration, Instant};

const ROUNDS: usize = 15;

fn rules(texts: &[String], regex: bool) -> Vec<RuleText> {
    texts
        .iter()
        .zip(1..)
        .map(|(text, id)| RuleText {
            id,
            priority: 50,
            verdict: Verdict::Deny,
            matching: if regex {
                Matching::Regex(text.clone())
            } else {
                Matching::Command(text.clone())
            },
            ignore_case: false,
        })
        .collect()
}

fn median(filters: &[Filter], line: &str) -> Duration {
    let mut took: Vec<Duration> = (0..ROUNDS)
        .map(|_| {
            let started = Instant::now();
            std::hint::black_box(judge(filters, line, Context::EXEC).verdict);
            started.elapsed()
        })
        .collect();
    took.sort();
    took[ROUNDS / 2]
}

fn main() {
    let commands: Vec<String> = (0..1000)
        .map(|at| format!("program{at} -rf word{at}"))
        .collect();
    let same: Vec<String> = (0..1000).map(|at| format!("rm -rf a word{at}")).collect();
    let regexes: Vec<String> = (0..1000)
        .map(|at| format!(r"^\s*program{at}\b.*word{at}$"))
        .collect();
    let compile = |texts: &[String], regex| {
        let started = Instant::now();
        let text = FilterText {
            name: "f".to_owned(),
            default: Verdict::Allow,
            rules: rules(texts, regex),
        };
        let filter = Filter::compile(&text).expect("rules");
        println!("compiled in {:?}", started.elapsed());
        [filter]
    };
    let filters = [
        ("1000 commands", compile(&commands, false)),
        ("1000 commands of one program", compile(&same, false)),
        ("1000 expressions", compile(&regexes, true)),
    ];
    let fill = |text: &str| text.repeat(MAX_LENGTH / text.len());
    let lines = [
        (
            "ordinary",
            "sudo systemctl restart nginx && tail -n 100 /var/log/nginx/error.log | grep -v x"
                .to_owned(),
        ),
        ("one word", fill("a")),
        ("commands", fill("a;")),
        ("words", format!("rm -rf {}", fill("a ").split_off(8))),
        ("flags", format!("rm {}", fill("-a ").split_off(8))),
        ("letters", format!("rm -{}", fill("a").split_off(8))),
        ("sudo", fill("sudo ")),
        ("substitutions", fill("$(a)")),
        ("deep", fill("$(")),
        ("arithmetic", fill("$((")),
        ("quotes", fill("'a'\"b\"")),
        ("open", fill("rm 'a ")),
        (
            "pieces of a program that cannot be read",
            format!("{}'", fill("rm a ").split_off(8)),
        ),
        ("eval", fill("eval ")),
        ("here-documents", fill("a <<E\n")),
        ("backquotes", fill("`a`")),
        ("braces", fill("${a:-")),
        ("loops", fill("for i in a; do ")),
    ];
    for (name, line) in &lines {
        for (rules, filter) in &filters {
            println!("{name:40} {rules:30} {:?}", median(filter, line));
        }
    }
}
