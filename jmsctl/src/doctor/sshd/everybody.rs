//! What sshd would do for root, for names that nobody has, for the service's accounts; what holds for all.
#![forbid(unsafe_code)]

use super::effective::Effective;
use super::{Sshd, expected};
use crate::doctor::finding::Findings;
use crate::doctor::{mend, system, table};
use std::path::Path;

/// sshd's own default (sshd_config(5)): 10:30:100.
const USUAL_STARTUPS: (u64, u64) = (10, 100);
/// Longer punishments for one failure than these seconds keep neighbours behind one address out.
const LONGEST_PENALTY: u64 = 60;
/// sshd 10's own defaults, each said: what is not said comes from the next line that says it.
const USUAL_PENALTIES: &str = "PerSourcePenalties crash:90 authfail:5 noauth:1 grace-exceeded:10 refuseconnection:10 max:600 min:15 overflow:permissive";

/// Judges all of it.
pub fn judge(sshd: &Sshd, findings: &mut Findings) {
    local_accounts(sshd, findings);
    service_accounts(sshd, findings);
    let all = &sshd.unknown;
    if all.get("usepam") == Some("no") {
        findings.add(
            table::SSHD_USE_PAM,
            "UsePAM is off: no login of a user of the bastion is opened, and every session is refused",
            mend::option_first("UsePAM yes"),
        );
    }
    if all.get("strictmodes") == Some("no") {
        findings.add(
            table::SSHD_STRICT_MODES,
            "StrictModes is off: sshd believes key files of local accounts that others may write",
            mend::option_first("StrictModes yes"),
        );
    }
    if let Some(value) = all
        .get("permituserenvironment")
        .filter(|value| *value != "no")
        && !findings.has(table::SSHD_ENVIRONMENT)
    {
        findings.add(
            table::SSHD_ENVIRONMENT,
            format!("PermitUserEnvironment is “{value}”: key files and home folders may set variables before programs start"),
            mend::option_first("PermitUserEnvironment no"),
        );
    }
    subsystem(sshd, findings);
    startups(sshd, findings);
    penalties(all, findings);
}

fn local_accounts(sshd: &Sshd, findings: &mut Findings) {
    for (who, effective) in [("root", &sshd.root), ("unknown names", &sshd.unknown)] {
        let ours = ["forcecommand", "authorizedkeyscommand"]
            .into_iter()
            .find(|keyword| {
                effective
                    .get(keyword)
                    .is_some_and(|value| value.contains("/usr/libexec/jms/"))
            });
        let Some(keyword) = ours else { continue };
        let lines: Vec<_> = sshd
            .lines
            .iter()
            .filter(|line| {
                line.value.contains("/usr/libexec/jms/")
                    && line.file != Path::new(expected::DROP_IN)
            })
            .collect();
        let command = if lines.is_empty() {
            format!("{} && {}", mend::drop_in_anew(), mend::reload_sshd())
        } else {
            let changes: Vec<String> = lines
                .iter()
                .map(|line| mend::comment_out(&line.file, line.number))
                .collect();
            format!("{} && {}", changes.join(" && "), mend::reload_sshd())
        };
        let place = lines
            .first()
            .map(|line| format!(" ({})", line.place()))
            .unwrap_or_default();
        findings.add(
            table::SSHD_LOCAL_ACCOUNTS,
            format!(
                "for {who}: {keyword} is ours{place}; local logins must not depend on the bastion"
            ),
            command,
        );
        return;
    }
}

fn service_accounts(sshd: &Sshd, findings: &mut Findings) {
    for (name, effective) in &sshd.service {
        let open = [
            ("authorizedkeysfile", "none"),
            ("authorizedkeyscommand", "none"),
            ("trustedusercakeys", "none"),
            ("passwordauthentication", "no"),
            ("kbdinteractiveauthentication", "no"),
        ]
        .into_iter()
        .find(|(keyword, wanted)| effective.get(keyword).is_some_and(|value| value != *wanted));
        let Some((keyword, wanted)) = open else {
            continue;
        };
        // Without our drop-in, that is the finding.
        if sshd.drop_in.is_none() || findings.has(table::SSHD_DROP_IN) {
            return;
        }
        let value = effective.get(keyword).unwrap_or_default();
        let command = if sshd.elsewhere(keyword).is_some() {
            mend::drop_in_first()
        } else {
            format!("{} && {}", mend::drop_in_anew(), mend::reload_sshd())
        };
        findings.add(
            table::SSHD_SERVICE_ACCOUNTS,
            format!("for {name}: {keyword} is “{value}” and not “{wanted}”; nobody logs in as that account"),
            command,
        );
        return;
    }
}

fn subsystem(sshd: &Sshd, findings: &mut Findings) {
    let server = [
        "/usr/lib/openssh/sftp-server",
        "/usr/libexec/openssh/sftp-server",
    ]
    .into_iter()
    .find(|path| system::exists(path))
    .unwrap_or("/usr/lib/openssh/sftp-server");
    let sftp = sshd
        .unknown
        .all("subsystem")
        .find_map(|value| value.strip_prefix("sftp "));
    let line = format!("Subsystem sftp {server}");
    match sftp.map(str::trim) {
        None => findings.add(
            table::SSHD_SUBSYSTEM,
            "there is no subsystem sftp: sftp and scp through the bastion fail",
            mend::option_first(&line),
        ),
        Some(command) => {
            let program = command.split_whitespace().next().unwrap_or_default();
            let sentence = if program.starts_with("internal-sftp") {
                "the subsystem sftp is internal-sftp: sshd serves files itself, past any login shell, wherever no ForceCommand holds"
                    .to_owned()
            } else if program.ends_with("/sftp-server") {
                return;
            } else {
                format!(
                    "the subsystem sftp is {program}: sftp and scp through the bastion fail, which knows …/sftp-server"
                )
            };
            let set = sshd.lines.iter().find(|line| {
                line.keyword == "subsystem" && line.value.split_whitespace().next() == Some("sftp")
            });
            let change = set.map(|set| mend::replace_line(&set.file, set.number, &line));
            let change = change.unwrap_or_else(|| "true".into());
            findings.add(
                table::SSHD_SUBSYSTEM,
                sentence,
                format!("{change} && {}", mend::reload_sshd()),
            );
        }
    }
}

fn startups(sshd: &Sshd, findings: &mut Findings) {
    let few = |value: &str| {
        let numbers: Vec<u64> = value
            .split(':')
            .filter_map(|part| part.parse().ok())
            .collect();
        match numbers.as_slice() {
            [start, _, full] => *start < USUAL_STARTUPS.0 || *full < USUAL_STARTUPS.1,
            [start] => *start < USUAL_STARTUPS.0,
            _ => false,
        }
    };
    for (keyword, who) in [
        ("maxstartups", "everybody else"),
        ("persourcemaxstartups", "others behind the same address"),
    ] {
        let value = sshd.unknown.get(keyword).unwrap_or_default();
        if !few(value) {
            continue;
        }
        // Of these two sshd takes the last line, not the first: what is too little must go.
        let changes: Vec<String> = sshd
            .lines
            .iter()
            .filter(|line| line.keyword == keyword && few(&line.value))
            .map(|line| mend::comment_out(&line.file, line.number))
            .chain([mend::reload_sshd()])
            .collect();
        findings.add(
            table::SSHD_MAX_STARTUPS,
            format!("{keyword} is {value}: so few connections that have not authenticated yet keep {who} out"),
            changes.join(" && "),
        );
        return;
    }
}

fn penalties(all: &Effective, findings: &mut Findings) {
    // Before OpenSSH 9.8 there are none.
    let words = all.words("persourcepenalties");
    let seconds = |word: &str| {
        let (name, value) = word.split_once(':')?;
        let value: u64 = value.trim_end_matches('s').parse().ok()?;
        ["authfail", "noauth"].contains(&name).then_some(value)
    };
    let harsh = words.iter().find(|word| {
        seconds(word).is_some_and(|seconds| seconds > LONGEST_PENALTY)
            || word.ends_with(":deny-all")
    });
    if let Some(word) = harsh {
        findings.add(
            table::SSHD_PENALTIES,
            format!("PerSourcePenalties has {word}: one stranger's failures keep everybody behind that address out"),
            mend::option_first(USUAL_PENALTIES),
        );
    }
}
