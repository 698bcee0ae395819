use super::*;

fn at(text: &str) -> Time {
    Time::parse_rfc3339(text).unwrap()
}

fn holds(times: &str, now: &str) -> bool {
    let times: Weekly = times.parse().unwrap();
    let zone = crate::time_zone::find(times.zone()).unwrap();
    times.hold_at(zone.to_datetime(at(now).timestamp()))
}

#[test]
fn hours_are_those_of_the_zone() {
    let office = "Mon-Fri 09:00-18:00 Asia/Shanghai";
    // 2026-11-20 is a Friday; Shanghai is eight hours ahead.
    for (now, expected) in [
        ("2026-11-20T00:59:59Z", false),
        ("2026-11-20T01:00:00Z", true),
        ("2026-11-20T09:59:59Z", true),
        ("2026-11-20T10:00:00Z", false),
        ("2026-11-21T02:00:00Z", false),
        // Sunday evening in UTC is Monday morning there.
        ("2026-11-23T01:30:00Z", true),
        ("2026-11-22T17:30:00Z", false),
    ] {
        assert_eq!(holds(office, now), expected, "{now}");
    }
}

#[test]
fn a_night_belongs_to_the_day_on_which_it_begins() {
    let night = "Fri 22:00-06:00 UTC";
    for (now, expected) in [
        ("2026-11-20T21:59:00Z", false),
        ("2026-11-20T22:00:00Z", true),
        ("2026-11-21T00:00:00Z", true),
        ("2026-11-21T05:59:59Z", true),
        ("2026-11-21T06:00:00Z", false),
        ("2026-11-21T22:00:00Z", false),
        // The night from Thursday to Friday is not Friday's.
        ("2026-11-20T05:00:00Z", false),
    ] {
        assert_eq!(holds(night, now), expected, "{now}");
    }
    // Sunday's night ends on Monday.
    assert!(holds("Sun 22:00-06:00 UTC", "2026-11-23T05:00:00Z"));
    assert!(holds("Sat-Sun 00:00-24:00 UTC", "2026-11-22T23:59:59Z"));
    assert!(!holds("Sat-Sun 00:00-24:00 UTC", "2026-11-23T00:00:00Z"));
    assert!(holds("Fri-Mon 10:00-11:00 UTC", "2026-11-22T10:30:00Z"));
    assert!(!holds("Fri-Mon 10:00-11:00 UTC", "2026-11-24T10:30:00Z"));
}

#[test]
fn the_clock_on_the_wall_counts_when_it_is_put_forward_or_back() {
    // Berlin, 2026-03-29: 02:00 becomes 03:00 at 01:00 UTC.
    let early = "Sun 01:30-03:30 Europe/Berlin";
    for (now, expected) in [
        ("2026-03-29T00:29:00Z", false),
        ("2026-03-29T00:30:00Z", true),
        ("2026-03-29T01:00:00Z", true),
        ("2026-03-29T01:29:59Z", true),
        ("2026-03-29T01:30:00Z", false),
    ] {
        assert_eq!(holds(early, now), expected, "{now}");
    }
    // An hour that does not come.
    let gone = "Sun 02:15-02:45 Europe/Berlin";
    for minute in 0..120 {
        let now = at("2026-03-29T00:00:00Z").plus(minute * 60_000).to_string();
        assert!(!holds(gone, &now), "{now}");
    }
    // 2026-10-25: 03:00 becomes 02:00 at 01:00 UTC; the hour comes twice.
    for (now, expected) in [
        ("2026-10-25T00:14:00Z", false),
        ("2026-10-25T00:15:00Z", true),
        ("2026-10-25T00:45:00Z", false),
        ("2026-10-25T01:15:00Z", true),
        ("2026-10-25T01:45:00Z", false),
    ] {
        assert_eq!(holds(gone, now), expected, "{now}");
    }
    // The office opens at nine before and after.
    for (now, expected) in [
        ("2026-03-27T08:00:00Z", true),
        ("2026-03-27T07:59:00Z", false),
        ("2026-03-30T07:00:00Z", true),
        ("2026-03-30T06:59:00Z", false),
    ] {
        assert_eq!(
            holds("Mon-Fri 09:00-17:00 Europe/Berlin", now),
            expected,
            "{now}"
        );
    }
}

#[test]
fn times_are_written_as_they_are_read() {
    for (text, written) in [
        (
            "mon-fri 09:00-18:00 Asia/Shanghai",
            "Mon-Fri 09:00-18:00 Asia/Shanghai",
        ),
        ("Mon,Wed,Thu 22:00-06:00 UTC", "Mon,Wed-Thu 22:00-06:00 UTC"),
        ("Mon-Sun  00:00-24:00  UTC", "Mon-Sun 00:00-24:00 UTC"),
        (
            "Fri-Mon 08:00-12:00,13:00-17:00 America/Argentina/Salta",
            "Mon,Fri-Sun 08:00-12:00,13:00-17:00 America/Argentina/Salta",
        ),
        ("Sun 23:59-00:00 Etc/GMT+5", "Sun 23:59-00:00 Etc/GMT+5"),
    ] {
        let times: Weekly = text.parse().unwrap();
        assert_eq!(times.to_string(), written);
        assert_eq!(written.parse::<Weekly>().unwrap(), times);
    }
}

#[test]
fn wrong_times_are_refused_with_a_reason() {
    for (text, reason) in [
        ("", "three words"),
        ("Mon-Fri", "three words"),
        ("Mon-Fri 09:00-18:00", "time zone is missing"),
        ("Mon-Fri 09:00 - 18:00 UTC", "three words"),
        ("Mo-Fr 09:00-18:00 UTC", "“Mo” is no day"),
        ("Mon- 09:00-18:00 UTC", "no day"),
        ("Mon,,Tue 09:00-18:00 UTC", "no day"),
        ("Mon 9:00-18:00 UTC", "“9:00” is no time of day"),
        ("Mon 09:00-18:60 UTC", "no time of day"),
        ("Mon 09:00-24:01 UTC", "no time of day"),
        ("Mon 09:00-99:99 UTC", "no time of day"),
        ("Mon 09:00 UTC", "no hours"),
        ("Mon 09:00-09:00 UTC", "00:00-24:00"),
        ("Mon 24:00-06:00 UTC", "next day"),
        ("Mon 09:00-18:00 ../../etc/passwd", "no time zone"),
        ("Mon 09:00-18:00 +08:00", "no time zone"),
        ("Mon 09:00-18:00 Asia//Shanghai", "no time zone"),
    ] {
        let error = text.parse::<Weekly>().unwrap_err().to_string();
        assert!(error.contains(reason), "{text:?}: {error}");
        assert!(
            error.contains("Mon-Fri 09:00-18:00 Asia/Shanghai"),
            "{error}"
        );
    }
}

/// `NAME VERDICT [SOURCES] [TIMES]`, about the user.
fn rule(name: &str, verdict: Verdict, sources: &[&str], times: &[&str]) -> Candidate {
    Candidate {
        name: name.into(),
        concerns: true,
        rule: Ok(Rule {
            verdict,
            sources: sources.iter().map(|one| one.parse().unwrap()).collect(),
            times: times.iter().map(|one| one.parse().unwrap()).collect(),
        }),
    }
}

fn judge(rules: Vec<Candidate>, source: Option<&str>) -> (Outcome, Vec<Step>) {
    let source = source.map(|source| source.parse().unwrap());
    let zones = |name: &str| crate::time_zone::find(name);
    let mut judge = Judge::new(source, at("2026-11-20T10:30:00Z"), &zones);
    for rule in rules {
        if !judge.consider(rule) {
            break;
        }
    }
    judge.finish()
}

#[test]
fn the_first_rule_that_fits_speaks() {
    let rules = vec![
        Candidate {
            concerns: false,
            ..rule("others", Verdict::Deny, &[], &[])
        },
        rule("elsewhere", Verdict::Deny, &["10.0.0.0/8"], &[]),
        rule("night", Verdict::Deny, &[], &["Mon-Sun 22:00-06:00 UTC"]),
        rule(
            "office",
            Verdict::Notify,
            &["203.0.113.0/24", "2001:db8::/32"],
            &["Fri 10:00-11:00 UTC"],
        ),
        rule("nobody", Verdict::Deny, &[], &[]),
    ];
    let (outcome, steps) = judge(rules.clone(), Some("203.0.113.7"));
    assert_eq!(outcome, Outcome::Notified("office".into()));
    assert!(outcome.allows());
    let said: Vec<&str> = steps.iter().map(|step| step.because.as_str()).collect();
    assert_eq!(
        said,
        [
            "is not about him",
            "is not about logins from there, only 10.0.0.0/8",
            "does not hold now: it is Fri 10:30 in UTC, not Mon-Sun 22:00-06:00 UTC",
            "fits from 203.0.113.0/24,2001:db8::/32 and at this time (Fri 10:00-11:00 UTC)",
        ]
    );
    assert_eq!(
        judge(rules.clone(), Some("10.1.2.3")).0,
        Outcome::Denied("elsewhere".into())
    );
    assert_eq!(
        judge(rules.clone(), Some("192.0.2.1")).0,
        Outcome::Denied("nobody".into())
    );
    // IPv4 written in IPv6 is the same address.
    assert_eq!(
        judge(rules.clone(), Some("::ffff:10.1.2.3")).0,
        Outcome::Denied("elsewhere".into())
    );
    assert_eq!(
        judge(rules, Some("2001:db8::1")).0,
        Outcome::Notified("office".into())
    );
    assert_eq!(judge(Vec::new(), Some("192.0.2.1")).0, Outcome::NoRule);
}

#[test]
fn without_a_source_networks_only_deny() {
    let rules = |verdict| vec![rule("network", verdict, &["203.0.113.0/24"], &[])];
    assert_eq!(
        judge(rules(Verdict::Deny), None).0,
        Outcome::Denied("network".into())
    );
    assert_eq!(judge(rules(Verdict::Allow), None).0, Outcome::NoRule);
    assert_eq!(judge(rules(Verdict::Notify), None).0, Outcome::NoRule);
}

#[test]
fn what_cannot_be_read_refuses_when_it_comes_up() {
    let broken = |concerns| Candidate {
        name: "broken".into(),
        concerns,
        rule: Err("the store says “x”".into()),
    };
    let allow = || rule("allow", Verdict::Allow, &[], &[]);
    let (outcome, steps) = judge(vec![broken(true), allow()], None);
    assert!(matches!(&outcome, Outcome::Unreadable { rule, .. } if rule == "broken"));
    assert!(!outcome.allows());
    assert_eq!(steps.len(), 1);
    assert_eq!(
        judge(vec![broken(false), allow()], None).0,
        Outcome::Allowed("allow".into())
    );
    assert_eq!(
        judge(vec![allow(), broken(true)], None).0,
        Outcome::Allowed("allow".into())
    );
    // A zone that was there when the rule was written, and is gone.
    let gone = rule(
        "gone",
        Verdict::Allow,
        &[],
        &["Mon-Sun 00:00-24:00 UTC", "Mon 09:00-18:00 Mars/Olympus"],
    );
    let (outcome, _) = judge(vec![gone], None);
    assert!(matches!(&outcome, Outcome::Unreadable { why, .. } if why.contains("Mars/Olympus")));
}
