//! PAM: our lines in sshd's stack, in their place, with their control flags, and the module behind them.
#![forbid(unsafe_code)]

use super::finding::Findings;
use super::{mend, system, table};
use std::path::{Path, PathBuf};

/// Its file.
pub const MODULE: &str = "pam_jms.so";
const FOLDER: &str = "/etc/pam.d";
/// Phases in which virtual users are decided about, and Debian's file for each.
const PHASES: [(&str, &str); 3] = [
    ("auth", "common-auth"),
    ("account", "common-account"),
    ("session", "common-session"),
];
/// Modules that decide about, or do work for, whoever comes: ours must stand before them.
const LATER: [(&str, &[&str]); 3] = [
    (
        "auth",
        &[
            "pam_unix.so",
            "pam_sss.so",
            "pam_ldap.so",
            "pam_winbind.so",
            "pam_deny.so",
            "pam_systemd_home.so",
        ],
    ),
    (
        "account",
        &[
            "pam_unix.so",
            "pam_sss.so",
            "pam_ldap.so",
            "pam_winbind.so",
            "pam_deny.so",
            "pam_systemd_home.so",
        ],
    ),
    (
        "session",
        &[
            "pam_systemd.so",
            "pam_motd.so",
            "pam_mail.so",
            "pam_mkhomedir.so",
            "pam_oddjob_mkhomedir.so",
            "pam_unix.so",
        ],
    ),
];
/// How deep files include each other, at most.
const DEEPEST: usize = 16;

/// One line of a stack.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Entry {
    file: PathBuf,
    phase: String,
    control: String,
    module: String,
    arguments: String,
}

impl Entry {
    fn is(&self, module: &str) -> bool {
        Path::new(&self.module)
            .file_name()
            .is_some_and(|name| name == module)
    }
}

/// sshd's stack.
#[derive(Debug)]
pub struct Pam {
    stack: Vec<Entry>,
    has_common: bool,
    lines_in_common: Vec<&'static str>,
    module: Option<PathBuf>,
}

impl Pam {
    /// Reads sshd's service with all that it includes.
    pub fn gather() -> Self {
        let mut stack = Vec::new();
        collect("sshd", None, 0, &mut stack);
        let lines_in_common = PHASES
            .iter()
            .filter(|(phase, common)| {
                let mut own = Vec::new();
                collect(common, None, 0, &mut own);
                own.iter()
                    .any(|entry| entry.phase == *phase && entry.is(MODULE))
            })
            .map(|(phase, _)| *phase)
            .collect();
        Self {
            stack,
            has_common: system::exists("/usr/share/pam-configs/jms"),
            lines_in_common,
            module: module_folders()
                .into_iter()
                .map(|folder| folder.join(MODULE))
                .find(|path| path.is_file()),
        }
    }

    /// Judges it.
    pub fn judge(&self, findings: &mut Findings) {
        if self.module.is_none() {
            findings.add(
                table::PAM_MODULE,
                format!("{MODULE} is in none of libpam's folders: sessions of users of the bastion are refused"),
                mend::reinstall(),
            );
        }
        for (phase, common) in PHASES {
            self.judge_phase(phase, common, findings);
        }
        self.judge_passwords_of_others(findings);
    }

    /// Behind `after_password` our module cannot see whether the password was right: the line before must see to it.
    fn judge_passwords_of_others(&self, findings: &mut Findings) {
        let entries: Vec<&Entry> = self
            .stack
            .iter()
            .filter(|entry| entry.phase == "auth")
            .collect();
        let mut before: Option<&Entry> = None;
        for entry in entries {
            let ours = entry.is(MODULE) && entry.arguments == "after_password";
            if ours
                && !before.is_some_and(|before| stops_wrong_passwords(&before.control))
                && !findings.has(table::PAM_CONTROL)
            {
                let (file, which) = (
                    entry.file.display(),
                    before.map_or("no line", |before| before.module.as_str()),
                );
                findings.add(
                    table::PAM_CONTROL,
                    format!("in {file}, {which} before {MODULE} after_password lets a wrong password go on, and so in: it must be required or requisite"),
                    format!("sed -i '/pam_jms.so after_password/d' {file}"),
                );
            }
            before = Some(entry);
        }
    }

    fn judge_phase(&self, phase: &'static str, common: &str, findings: &mut Findings) {
        let entries: Vec<&Entry> = self
            .stack
            .iter()
            .filter(|entry| entry.phase == phase)
            .collect();
        let Some(at) = entries.iter().position(|entry| entry.is(MODULE)) else {
            if findings.has(table::PAM_LINE) {
                return;
            }
            let command = if self.lines_in_common.contains(&phase) {
                // Our line is where it belongs; sshd does not read that file.
                format!("sed -i '1i @include {common}' {FOLDER}/sshd")
            } else {
                self.lines_again()
            };
            findings.add(
                table::PAM_LINE,
                format!("sshd's PAM stack has no line of {MODULE} in the phase {phase}"),
                command,
            );
            return;
        };
        let (before, rest) = entries.split_at(at);
        let (Some(ours), after) = (rest.first(), rest.get(1..).unwrap_or_default()) else {
            return;
        };
        let later = LATER
            .iter()
            .find(|(one, _)| *one == phase)
            .map(|(_, modules)| *modules)
            .unwrap_or_default();
        if let Some(early) = before
            .iter()
            .find(|entry| later.iter().any(|module| entry.is(module)) && !is_skeleton(entry))
        {
            if !findings.has(table::PAM_ORDER) {
                findings.add(
                    table::PAM_ORDER,
                    format!(
                        "in the phase {phase}, {} ({}) comes before {MODULE}",
                        early.module,
                        early.file.display()
                    ),
                    self.lines_again(),
                );
            }
            return;
        }
        if let Err(why) = control_is_right(&ours.control, after)
            && !findings.has(table::PAM_CONTROL)
        {
            findings.add(
                table::PAM_CONTROL,
                format!(
                    "in the phase {phase}, the line of {MODULE} ({}) says {}: {why}",
                    ours.file.display(),
                    ours.control
                ),
                self.lines_again(),
            );
        }
    }

    /// Writes the lines anew from the package's profile.
    fn lines_again(&self) -> String {
        if self.has_common {
            "DEBIAN_FRONTEND=noninteractive pam-auth-update --force --enable jms".to_owned()
        } else {
            mend::reinstall()
        }
    }
}

/// The frame that pam-auth-update puts around session modules decides nothing.
fn is_skeleton(entry: &Entry) -> bool {
    entry.phase == "session" && entry.is("pam_deny.so")
}

/// Whether whatever is no success of that line fails the stack.
fn stops_wrong_passwords(control: &str) -> bool {
    let Some(flags) = control.strip_prefix('[') else {
        return ["required", "requisite"].contains(&control);
    };
    let mut by_default = false;
    for flag in flags.trim_end_matches(']').split_whitespace() {
        match flag.split_once('=') {
            Some(("success" | "new_authtok_reqd", _)) => {}
            Some((word, "die" | "bad")) => by_default |= word == "default",
            _ => return false,
        }
    }
    by_default
}

/// What the control flags must do: leave other users and a broken module alone, refuse what we refuse, and let
/// whom we let pass not be refused by what follows.
fn control_is_right(control: &str, after: &[&Entry]) -> Result<(), &'static str> {
    let flags = control.trim_start_matches('[').trim_end_matches(']');
    let value = |name: &str| {
        flags
            .split_whitespace()
            .find_map(|flag| flag.strip_prefix(name)?.strip_prefix('='))
    };
    if value("ignore") != Some("ignore")
        || value("module_unknown") != Some("ignore")
        || value("abort").is_some_and(|action| action != "ignore")
    {
        return Err("a missing or broken module would lock everybody out");
    }
    if value("default") != Some("die") {
        return Err("whom the module refuses would go on");
    }
    match value("success") {
        Some("done" | "ok") => Ok(()),
        Some(number) => {
            let skipped: usize = number.parse().map_err(|_| "success leads nowhere")?;
            let refuses = |entry: &&Entry| entry.is("pam_deny.so");
            match after.get(skipped..) {
                Some(rest) if !rest.iter().any(refuses) => Ok(()),
                _ => Err("success leads to a line that refuses"),
            }
        }
        None => Err("success is not said"),
    }
}

/// Where libpam looks for modules.
pub fn module_folders() -> Vec<PathBuf> {
    let triplet = format!("{}-linux-gnu", std::env::consts::ARCH);
    vec![
        Path::new("/usr/lib").join(&triplet).join("security"),
        Path::new("/lib").join(&triplet).join("security"),
        "/usr/lib64/security".into(),
        "/lib64/security".into(),
        "/usr/lib/security".into(),
        "/lib/security".into(),
    ]
}

fn collect(service: &str, only: Option<&str>, depth: usize, stack: &mut Vec<Entry>) {
    let file = Path::new(FOLDER).join(service);
    let Some(text) = system::read(&file).filter(|_| depth < DEEPEST) else {
        return;
    };
    for line in text.replace("\\\n", " ").lines() {
        match parse(line) {
            Some(Read::Include(name)) => collect(&name, only, depth + 1, stack),
            Some(Read::Part { phase, name }) if only.is_none_or(|only| only == phase) => {
                collect(&name, Some(&phase), depth + 1, stack);
            }
            Some(Read::Line {
                phase,
                control,
                module,
                arguments,
            }) if only.is_none_or(|only| only == phase) => {
                stack.push(Entry {
                    file: file.clone(),
                    phase,
                    control,
                    module,
                    arguments,
                });
            }
            _ => {}
        }
    }
}

/// What a line of a service file is.
#[derive(Debug, PartialEq, Eq)]
enum Read {
    /// Debian's `@include FILE`: all phases of it.
    Include(String),
    /// `PHASE include FILE` or `substack`: one phase.
    Part { phase: String, name: String },
    /// A module.
    Line {
        phase: String,
        control: String,
        module: String,
        arguments: String,
    },
}

fn parse(line: &str) -> Option<Read> {
    let line = line.split('#').next()?.trim();
    if let Some(name) = line.strip_prefix("@include") {
        return Some(Read::Include(name.trim().to_owned()));
    }
    let (phase, rest) = line.split_once(char::is_whitespace)?;
    let phase = phase.trim_start_matches('-').to_ascii_lowercase();
    let rest = rest.trim_start();
    let (control, rest) = if rest.starts_with('[') {
        rest.split_at(rest.find(']')? + 1)
    } else {
        rest.split_at(rest.find(char::is_whitespace)?)
    };
    let mut words = rest.split_whitespace();
    let module = words.next()?.to_owned();
    let arguments: Vec<&str> = words.collect();
    if ["include", "substack"].contains(&control) {
        return Some(Read::Part {
            phase,
            name: module,
        });
    }
    Some(Read::Line {
        phase,
        control: control.to_owned(),
        module,
        arguments: arguments.join(" "),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const OURS: &str = "[success=2 ignore=ignore module_unknown=ignore abort=ignore default=die]";

    fn entry(module: &str) -> Entry {
        Entry {
            file: "/x".into(),
            phase: "auth".into(),
            control: "required".into(),
            module: module.into(),
            arguments: String::new(),
        }
    }

    #[test]
    fn a_wrong_password_of_another_module_must_fail_the_stack() {
        for good in [
            "required",
            "requisite",
            "[success=ok default=die]",
            "[success=ok new_authtok_reqd=ok default=bad]",
            "[success=ok ignore=bad default=die]",
        ] {
            assert!(stops_wrong_passwords(good), "{good}");
        }
        for bad in [
            "sufficient",
            "optional",
            "[success=1 default=ignore]",
            "[success=ok user_unknown=ignore default=die]",
            "[success=ok ignore=ignore default=die]",
            "[success=ok auth_err=bad]",
            "[success=ok default=2]",
            "[]",
        ] {
            assert!(!stops_wrong_passwords(bad), "{bad}");
        }
        for (control, complains) in [("required", false), ("sufficient", true)] {
            let mut before = entry("pam_sss.so");
            before.control = control.into();
            let mut ours = entry(MODULE);
            ours.arguments = "after_password".into();
            let pam = Pam {
                stack: vec![before, ours],
                has_common: true,
                lines_in_common: Vec::new(),
                module: None,
            };
            let mut findings = Findings::default();
            pam.judge_passwords_of_others(&mut findings);
            assert_eq!(findings.has(table::PAM_CONTROL), complains, "{control}");
        }
    }

    #[test]
    fn lines_are_read_as_libpam_reads_them() {
        assert_eq!(
            parse("@include common-auth"),
            Some(Read::Include("common-auth".into()))
        );
        assert_eq!(
            parse("-session optional pam_systemd.so x # why"),
            Some(Read::Line {
                phase: "session".into(),
                control: "optional".into(),
                module: "pam_systemd.so".into(),
                arguments: "x".into()
            })
        );
        assert_eq!(
            parse("auth substack password-auth"),
            Some(Read::Part {
                phase: "auth".into(),
                name: "password-auth".into()
            })
        );
        assert_eq!(
            parse(&format!("auth {OURS}\tpam_jms.so")),
            Some(Read::Line {
                phase: "auth".into(),
                control: OURS.into(),
                module: "pam_jms.so".into(),
                arguments: String::new()
            })
        );
        assert_eq!(parse("# nothing"), None);
    }

    #[test]
    fn control_flags_must_refuse_and_must_not_lock_out() {
        let [unix, deny, permit] = ["pam_unix.so", "pam_deny.so", "pam_permit.so"].map(entry);
        let after = [&unix, &deny, &permit];
        assert_eq!(control_is_right(OURS, &after), Ok(()));
        assert_eq!(
            control_is_right(&OURS.replace("success=2", "success=done"), &after),
            Ok(())
        );
        for wrong in [
            "required".to_owned(),
            OURS.replace("module_unknown=ignore ", ""),
            OURS.replace("default=die", "default=ignore"),
            OURS.replace("success=2", "success=1"),
            OURS.replace("ignore=ignore module", "ignore=die module"),
        ] {
            assert!(control_is_right(&wrong, &after).is_err(), "{wrong}");
        }
    }

    #[test]
    fn the_shipped_profile_is_right() {
        let profile = include_str!("../../../packaging/pam-configs/jms");
        let mut seen = 0;
        for line in profile.lines().filter(|line| line.contains(MODULE)) {
            let control = line
                .trim()
                .split(']')
                .next()
                .unwrap_or_default()
                .replace("success=end", "success=done");
            assert_eq!(
                control_is_right(&format!("{control}]"), &[]),
                Ok(()),
                "{line}"
            );
            seen += 1;
        }
        assert!(seen >= 3);
    }
}
