//! Any event, in both formats: one line, bounded, not to be forged, and read back whole.

use event::{Event, Format, LINE_MAX, ParseError, Severity, Type, VALUE_MAX, Value};
use jiff::Timestamp;
use proptest::collection::vec;
use proptest::prelude::*;

/// Reads `key="value"` lines as strictly as a log reader could: names, `=`, a JSON string,
/// one space between two fields, nothing else.
fn fields(line: &str) -> Vec<(String, String)> {
    let mut rest = line;
    let mut found = Vec::new();
    loop {
        let (name, tail) = rest.split_once('=').expect("a name and an equals sign");
        assert!(
            !name.is_empty()
                && name
                    .bytes()
                    .all(|b| matches!(b, b'a'..=b'z' | b'0'..=b'9' | b'_')),
            "{name:?} is no field name"
        );
        let mut strings = serde_json::Deserializer::from_str(tail).into_iter::<String>();
        let value = strings.next().expect("a value").expect("a JSON string");
        found.push((name.to_owned(), value));
        rest = &tail[strings.byte_offset()..];
        if rest.is_empty() {
            return found;
        }
        rest = rest.strip_prefix(' ').expect("one space between fields");
    }
}

fn value<'a>(fields: &'a [(String, String)], name: &str) -> Option<&'a str> {
    let mut values = fields
        .iter()
        .filter(|(known, _)| known == name)
        .map(|(_, value)| value.as_str());
    let value = values.next();
    assert_eq!(values.next(), None, "{name} is there twice");
    value
}

/// What a terminal, a log reader or an eye could take for something else.
fn is_clean(line: &str) -> bool {
    !line.chars().any(|c| {
        c.is_control()
            || matches!(c, '\u{2028}' | '\u{2029}' | '\u{61c}' | '\u{200b}'..='\u{200f}'
                | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}')
    })
}

fn text() -> impl Strategy<Value = String> {
    prop_oneof![
        6 => "\\PC{0,40}",
        4 => any::<String>(),
        2 => "[\"\\\\ =\n\r\t\u{0}\u{1b}\u{85}\u{9b}\u{2028}\u{202e}\u{e0041}]{0,60}",
        1 => (any::<char>(), 0usize..9000).prop_map(|(c, n)| c.to_string().repeat(n)),
    ]
}

fn extra_value() -> impl Strategy<Value = Value> {
    prop_oneof![
        text().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        any::<bool>().prop_map(Value::from),
        Just(Value::from(None::<&str>)),
    ]
}

prop_compose! {
    fn any_event()(
        kind in proptest::sample::select(Type::ALL),
        severity in proptest::sample::select(&Severity::ALL[..]),
        time in -62_000_000_000_000i64..253_000_000_000_000,
        texts in vec(proptest::option::of(text()), 10),
        pid: Option<u32>,
        port: Option<u16>,
        extra in vec(("\\PC{0,40}|[a-z_]{1,12}", extra_value()), 0..40),
    ) -> Event {
        let t = |i: usize| texts[i].clone();
        let event = Event::new(kind)
            .severity(severity)
            .at(Timestamp::from_millisecond(time).unwrap())
            .login(t(0)).session(t(1)).sshd_pid(pid).user(t(2)).source(t(3)).source_port(port)
            .key(t(4)).asset(t(5)).address(t(6)).system_user(t(7)).result(t(8)).reason(t(9));
        extra.into_iter().fold(event, |event, (name, value)| event.with(&name, value))
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn json_is_one_bounded_line_and_reads_back(event in any_event(), seq: Option<u64>) {
        let line = event.to_json(seq);
        prop_assert!(line.len() <= LINE_MAX, "{} bytes", line.len());
        prop_assert!(is_clean(&line));
        let object: serde_json::Value = serde_json::from_str(&line).expect("JSON");
        prop_assert_eq!(object["seq"].as_u64(), seq);
        let back = Event::from_json(&line).expect("our own event");
        prop_assert_eq!(back.to_json(seq), line);
        if !object.as_object().unwrap().keys().any(|name| name.ends_with("_whole_length") || name == "fields_dropped") {
            prop_assert_eq!(back, event);
        }
    }

    #[test]
    fn key_value_is_one_bounded_line_and_says_the_same(event in any_event(), seq: Option<u64>) {
        let line = event.to_line(Format::KeyValue, seq);
        prop_assert!(line.len() <= LINE_MAX, "{} bytes", line.len());
        prop_assert!(is_clean(&line));
        let fields = fields(&line);
        prop_assert_eq!(value(&fields, "type"), Some(event.kind().as_str()));
        prop_assert_eq!(value(&fields, "severity"), Some(event.level().as_str()));
        prop_assert_eq!(value(&fields, "seq").map(str::to_owned), seq.map(|seq| seq.to_string()));
        for name in event::FIELDS {
            let said = value(&fields, name);
            let known = event.get(name).and_then(Value::as_text);
            prop_assert_eq!(said.is_some(), known.is_some());
            let whole = value(&fields, &format!("{name}_whole_length"));
            if let (Some(said), Some(known)) = (said, known) {
                prop_assert!(known.starts_with(said));
                prop_assert!(said == known || whole.is_some());
            }
        }
    }

    #[test]
    fn text_from_outside_is_an_event_or_an_error(text in "\\PC{0,200}|\\{\"schema\":1,\"[a-z_]{1,12}\":[0-9\"nul{}\\[\\]]{0,20}\\}") {
        if let Ok(event) = Event::from_json(&text) {
            prop_assert!(event.to_json(None).len() <= LINE_MAX);
        }
    }
}

fn sample() -> Event {
    Event::new(Type::SessionOpen)
        .at("2026-11-21T02:44:41.0409Z".parse().unwrap())
        .login("k3v9")
        .sshd_pid(4711)
        .user("alice")
        .source("192.0.2.7".parse::<std::net::IpAddr>().unwrap())
        .source_port(50022)
        .result("allow")
        .with("command", "echo \"hi\"\nroot")
        .with("bytes", 17u64)
}

#[test]
fn the_two_formats_look_like_the_documentation() {
    assert_eq!(
        sample().to_line(Format::KeyValue, Some(7)),
        r#"schema="1" seq="7" time="2026-11-21T02:44:41.040Z" type="session.open" severity="info" login="k3v9" sshd_pid="4711" user="alice" source="192.0.2.7" source_port="50022" result="allow" command="echo \"hi\"\nroot" bytes="17""#
    );
    assert_eq!(
        sample().to_json(None),
        r#"{"schema":1,"seq":null,"time":"2026-11-21T02:44:41.040Z","type":"session.open","severity":"info","login":"k3v9","session":null,"sshd_pid":4711,"user":"alice","source":"192.0.2.7","source_port":50022,"key":null,"asset":null,"address":null,"system_user":null,"result":"allow","reason":null,"command":"echo \"hi\"\nroot","bytes":17}"#
    );
}

#[test]
fn a_long_value_is_cut_and_named_by_its_hash() {
    let line = sample()
        .reason("a".repeat(5000))
        .to_line(Format::KeyValue, None);
    let fields = fields(&line);
    assert_eq!(
        value(&fields, "reason"),
        Some("a".repeat(VALUE_MAX).as_str())
    );
    assert_eq!(value(&fields, "reason_whole_length"), Some("5000"));
    // printf 'a%.0s' $(seq 5000) | sha256sum
    let sha256 = value(&fields, "reason_whole_sha256").unwrap();
    assert_eq!(
        sha256,
        "c526c6222044dab5674de9c4ac7f4566ebb5e4d8bf9d8ea34c9cc8a7cc3c869c"
    );
}

#[test]
fn named_fields_stay_when_extra_ones_fill_the_line() {
    let mut event = sample().reason("\u{1b}".repeat(4096));
    for i in 0..32 {
        event = event.with(&format!("extra{i}"), "\u{1b}".repeat(4096));
    }
    for line in [
        event.to_json(Some(1)),
        event.to_line(Format::KeyValue, Some(1)),
    ] {
        assert!(line.len() <= LINE_MAX);
        assert!(line.contains("fields_dropped") && line.contains("reason_whole_sha256"));
        assert!(line.contains("alice") && line.contains("192.0.2.7"));
    }
}

#[test]
fn a_cut_value_keeps_the_hash_of_the_first_whole_when_it_is_cut_again() {
    let once = sample().reason("é".repeat(5000)).to_json(None);
    let whole = |line: &str| {
        let object: serde_json::Value = serde_json::from_str(line).unwrap();
        (
            object["reason_whole_sha256"].clone(),
            object["reason_whole_length"].clone(),
        )
    };
    let again = Event::from_json(&once)
        .unwrap()
        .with("x", "\u{1}".repeat(4000))
        .with("y", "\u{1}".repeat(900));
    let again = again.to_json(None);
    assert_ne!(once, again);
    assert_eq!(whole(&again), whole(&once));
    assert_eq!(whole(&once).1, 10000);
}

#[test]
fn what_schema_1_does_not_say_is_refused() {
    let good = sample().to_json(Some(7));
    assert!(Event::from_json(&good).is_ok());
    for (from, to) in [
        ("\"schema\":1", "\"schema\":2"),
        ("\"seq\":7", "\"seq\":-7"),
        ("session.open", "session.opened"),
        ("\"info\"", "\"quiet\""),
        ("2026-11-21T02:44:41.040Z", "yesterday"),
        ("\"sshd_pid\":4711", "\"sshd_pid\":\"4711\""),
        ("\"user\":\"alice\"", "\"user\":4711"),
        ("\"bytes\":17", "\"bytes\":{\"a\":1}"),
        ("\"bytes\":17", "\"bytes\":1.5"),
        ("\"bytes\":17", "\"Bytes\":17"),
        ("\"bytes\":17", "\"reason_whole_length\":17"),
        ("\"key\":null,", ""),
    ] {
        assert!(good.contains(from), "{from}");
        let bad = good.replace(from, to);
        assert!(
            matches!(Event::from_json(&bad), Err(ParseError::Field(_))),
            "{bad}"
        );
    }
    assert!(matches!(
        Event::from_json("[]"),
        Err(ParseError::NotJson(_))
    ));
    assert!(matches!(
        Event::from_json(&" ".repeat(70_000)),
        Err(ParseError::TooLong(70_000))
    ));
}
