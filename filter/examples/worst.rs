//! How long the longest, deepest, worst lines take, under 1,000 rules.
//!
//!     cargo run --release -p filter --example worst

#[path = "../tests/worst_lines/mod.rs"]
mod worst_lines;

use filter::{Context, Filter, FilterText, Matching, RuleText, Verdict, judge};
use std::time::{Duration, Instant};
use worst_lines::{lines, ordinary};

const ROUNDS: usize = 25;

fn compile(name: &str, matching: impl Fn(usize) -> Matching) -> Filter {
    let rules = (0..1000).zip(1..).map(|(at, id)| RuleText {
        id,
        priority: 50,
        verdict: Verdict::Deny,
        matching: matching(at),
        ignore_case: false,
    });
    let text = FilterText {
        name: name.to_owned(),
        default: Verdict::Allow,
        rules: rules.collect(),
    };
    let started = Instant::now();
    let filter = Filter::compile(&text).expect("rules");
    println!("{name}: compiled in {:?}", started.elapsed());
    filter
}

fn shortest(filters: &[Filter], line: &str) -> Duration {
    let mut took: Vec<Duration> = (0..ROUNDS)
        .map(|_| {
            let started = Instant::now();
            std::hint::black_box(judge(filters, line, Context::EXEC).verdict);
            started.elapsed()
        })
        .collect();
    took.sort();
    // Others use the machine, too.
    took[0]
}

fn main() {
    let filters = [
        compile("commands", |at| {
            Matching::Command(format!("program{at} -rf word{at}"))
        }),
        compile("commands of one program", |at| {
            Matching::Command(format!("rm -rf a word{at}"))
        }),
        compile("expressions", |at| {
            Matching::Regex(format!(r"^\s*program{at}\b.*word{at}$"))
        }),
        compile("expressions that share much", |at| {
            Matching::Regex(format!(r"(a|b|\w+).*a.*x{at}"))
        }),
        compile("expressions that count", |at| {
            Matching::Regex(format!(r"a.{{100}}b{at}"))
        }),
        compile("expressions that begin anywhere", |at| {
            Matching::Regex(format!(r"program{at}\s.*word{at}"))
        }),
    ];
    let mut worst = Duration::ZERO;
    let ordinary = ordinary()
        .into_iter()
        .map(|line| ("ordinary", line.to_owned()));
    for (name, line) in ordinary.chain(lines()) {
        for filter in &filters {
            let took = shortest(std::slice::from_ref(filter), &line);
            worst = worst.max(took);
            println!("{name:40} {:35} {took:?}", filter.name);
        }
    }
    println!("the worst of all: {worst:?}");
}
