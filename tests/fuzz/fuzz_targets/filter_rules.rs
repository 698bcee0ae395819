//! Files of rules, and the rules in them: what is taken can be compiled, or is refused when it is written.
#![no_main]

use filter::{Context, Filter, FilterText, Verdict, check, judge, unreachable};
use jms::filter_file::parse;
use jms::time::Time;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let text = String::from_utf8_lossy(data);
    // The whole as a file, and as the pattern of one rule.
    let pattern = serde_json::json!([{"pattern": text, "action": "deny"}]).to_string();
    let command = serde_json::json!([{"command": text, "action": "allow"}]).to_string();
    for file in [text.as_ref(), &pattern, &command] {
        let Ok(entries) = parse(file) else { continue };
        let rules = entries
            .into_iter()
            .map(|entry| entry.rule("f", Time(0)).text());
        let rules: Vec<_> = rules.filter(|rule| check(rule).is_ok()).take(20).collect();
        let _ = unreachable(&rules, |_, _| true);
        let filter = Filter::compile(&FilterText {
            name: "f".to_owned(),
            default: Verdict::Allow,
            rules,
        });
        let filter = [filter.expect("rules that were checked")];
        judge(&filter, "ls; rm -rf x", Context::EXEC);
    }
});
