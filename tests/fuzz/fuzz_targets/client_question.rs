//! What the asset's client asks through askpass, the asset's own text in it: a stored password is for nothing but a question
//! for it, in the client's own frame, about our account.
#![no_main]

use force_command::egress::ask::Question;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let text = String::from_utf8_lossy(data);
    for text in [
        text.to_string(),
        format!("(dev@asset) {text}"),
        format!("dev@asset{text}"),
    ] {
        let question = Question::parse(&text, "dev");
        let framed = text.starts_with("(dev@asset) ")
            || text.trim_end_matches(['\r', '\n']) == "dev@asset's password: ";
        assert_eq!(question != Question::Other, framed, "{text:?}");
        if question.is_for_password() {
            let words = text.to_ascii_lowercase();
            assert!(words.contains("password") && framed, "{text:?}");
        }
    }
});
