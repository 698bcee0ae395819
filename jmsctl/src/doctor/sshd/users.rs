//! What sshd would do for users of the bastion, against what the drop-in asks for.
#![forbid(unsafe_code)]

use super::effective::Effective;
use super::{Member, Sshd, access, expected};
use crate::doctor::finding::{Findings, Kind};
use crate::doctor::{mend, table};
use std::path::Path;

/// A client that is gone is noticed within so many seconds, or it is a finding.
const LONGEST_SILENCE: u64 = 300;

/// Judges every user who was asked about, and every address.
pub fn judge(sshd: &Sshd, findings: &mut Findings) {
    for (member, effective) in &sshd.members {
        if !holds_at_all(effective) {
            if !findings.has(table::SSHD_DROP_IN) {
                let sentence = format!(
                    "{} does not hold for {}: it is not included, or stands behind a Match",
                    expected::DROP_IN,
                    member.name
                );
                findings.add(table::SSHD_DROP_IN, sentence, mend::drop_in_first());
            }
            continue;
        }
        settings(sshd, member, effective, findings);
        environment(sshd, member, effective, findings);
        client_alive(sshd, member, effective, findings);
        access_lists(sshd, member, effective, findings);
    }
}

/// Whether anything of ours reaches the user.
fn holds_at_all(effective: &Effective) -> bool {
    ["forcecommand", "authorizedkeyscommand"]
        .iter()
        .any(|keyword| {
            effective
                .get(keyword)
                .is_some_and(|value| value.starts_with("/usr/libexec/jms/"))
        })
}

fn settings(sshd: &Sshd, member: &Member, effective: &Effective, findings: &mut Findings) {
    let mut wrong: Vec<(&'static Kind, Vec<String>, String)> = Vec::new();
    let passwords = sshd
        .lines
        .iter()
        .any(|line| line.file == Path::new(expected::PASSWORDS));
    for expected in expected::for_group(&member.group, passwords) {
        // What this sshd was built without, it does not do either.
        let Some(found) = effective.get(&expected.keyword) else {
            continue;
        };
        if found.eq_ignore_ascii_case(&expected.value) {
            continue;
        }
        let (origin, command) = origin(sshd, member, &expected.keyword);
        let sentence = format!(
            "{} is “{found}” and not “{}”{origin}",
            expected.keyword, expected.value
        );
        match wrong.iter_mut().find(|(kind, ..)| *kind == expected.kind) {
            Some((_, sentences, _)) => sentences.push(sentence),
            None => wrong.push((expected.kind, vec![sentence], command)),
        }
    }
    for (kind, sentences, command) in wrong {
        if !findings.has(kind) {
            findings.add(
                kind,
                format!("for {}: {}", member.name, sentences.join("; ")),
                command,
            );
        }
    }
}

/// Who says what differs, for the sentence, and what mends it.
fn origin(sshd: &Sshd, member: &Member, keyword: &str) -> (String, String) {
    let ours = sshd.drop_in.as_deref().unwrap_or_default();
    if expected::said_by(ours, &member.group, keyword) != expected::shipped(&member.group, keyword)
    {
        let command = format!("{} && {}", mend::drop_in_anew(), mend::reload_sshd());
        return (format!(" ({} was changed)", expected::DROP_IN), command);
    }
    let Some(line) = sshd.elsewhere(keyword) else {
        return (String::new(), mend::drop_in_first());
    };
    let command = if keyword == "authenticationmethods" {
        // A list: sshd does not take “any” in a second line, wherever it stands.
        format!(
            "{} && {}",
            mend::comment_out(&line.file, line.number),
            mend::reload_sshd()
        )
    } else {
        mend::drop_in_first()
    };
    (format!(" ({} comes first)", line.place()), command)
}

fn environment(sshd: &Sshd, member: &Member, effective: &Effective, findings: &mut Findings) {
    let accepted = expected::accepted_environment();
    let words = effective.words("acceptenv");
    let Some(word) = words
        .iter()
        .find(|word| !accepted.iter().any(|known| known == *word))
    else {
        return;
    };
    if findings.has(table::SSHD_ENVIRONMENT) {
        return;
    }
    let adds = |value: &str| value.split_whitespace().any(|one| one == *word);
    let line = sshd
        .lines
        .iter()
        .find(|line| line.keyword == "acceptenv" && line.condition.is_some() && adds(&line.value));
    let (place, command) = match line {
        Some(line) if line.file != Path::new(expected::DROP_IN) => (
            format!(" ({})", line.place()),
            format!(
                "{} && {}",
                mend::comment_out(&line.file, line.number),
                mend::reload_sshd()
            ),
        ),
        _ => (
            format!(" ({} was changed)", expected::DROP_IN),
            format!("{} && {}", mend::drop_in_anew(), mend::reload_sshd()),
        ),
    };
    findings.add(
        table::SSHD_ENVIRONMENT,
        format!(
            "for {}: sshd accepts the variable {word} from clients{place}",
            member.name
        ),
        command,
    );
}

fn client_alive(sshd: &Sshd, member: &Member, effective: &Effective, findings: &mut Findings) {
    let interval = effective.number("clientaliveinterval").unwrap_or(0);
    let count = effective.number("clientalivecountmax").unwrap_or(0);
    let silence = interval.saturating_mul(count);
    if (1..=LONGEST_SILENCE).contains(&silence) || findings.has(table::SSHD_CLIENT_ALIVE) {
        return;
    }
    let keyword = if interval == 0 || interval > LONGEST_SILENCE {
        "clientaliveinterval"
    } else {
        "clientalivecountmax"
    };
    let ours = expected::said_by(
        sshd.drop_in.as_deref().unwrap_or_default(),
        &member.group,
        keyword,
    );
    let is_ours = ours.as_deref() == effective.get(keyword);
    let command = if is_ours {
        format!("{} && {}", mend::drop_in_anew(), mend::reload_sshd())
    } else {
        mend::drop_in_first()
    };
    let sentence = if silence == 0 {
        format!(
            "for {}: a client that is gone is never noticed ({keyword} {})",
            member.name,
            effective.get(keyword).unwrap_or("0")
        )
    } else {
        format!(
            "for {}: a client that is gone is noticed after {silence} seconds only",
            member.name
        )
    };
    findings.add(table::SSHD_CLIENT_ALIVE, sentence, command);
}

fn access_lists(sshd: &Sshd, member: &Member, effective: &Effective, findings: &mut Findings) {
    let groups = [member.group.clone()];
    let Some(out) = access::kept_out(effective, &member.name, &groups) else {
        return;
    };
    if findings.has(table::SSHD_ACCESS_LIST) {
        return;
    }
    let (sentence, command) = match &out.pattern {
        None => {
            let (origin, command) = origin(sshd, member, out.keyword);
            (
                format!(
                    "for {}: {} does not name users of the bastion{origin}",
                    member.name, out.keyword
                ),
                command,
            )
        }
        Some(pattern) => {
            let line = sshd.lines.iter().find(|line| {
                line.keyword == out.keyword
                    && line.value.split_whitespace().any(|one| one == pattern)
            });
            let sentence = format!(
                "for {}: {} has the pattern {pattern}",
                member.name, out.keyword
            );
            match line {
                None => (sentence, mend::drop_in_first()),
                Some(line) => {
                    let rest: Vec<&str> = line
                        .value
                        .split_whitespace()
                        .filter(|one| one != pattern)
                        .collect();
                    let change = if rest.is_empty() {
                        mend::comment_out(&line.file, line.number)
                    } else {
                        mend::replace_line(
                            &line.file,
                            line.number,
                            &format!("{} {}", out.keyword, rest.join(" ")),
                        )
                    };
                    (
                        format!("{sentence} ({})", line.place()),
                        format!("{change} && {}", mend::reload_sshd()),
                    )
                }
            }
        }
    };
    findings.add(table::SSHD_ACCESS_LIST, sentence, command);
}
