//! What the host can do: OpenSSH, Landlock and seccomp, set-uid programs under sshd, `/proc`.
#![forbid(unsafe_code)]

use super::finding::Findings;
use super::mounts::Mounts;
use super::sys::{self, Landlock};
use super::{mend, system, table, units};
use std::path::Path;

/// The oldest OpenSSH that the bastion is made for.
const OLDEST: (u32, u32) = (9, 2);

/// Debian's own list, for where the kernel does not show which modules it has.
const USUAL_MODULES: &str = "lockdown,yama,integrity,apparmor,bpf";

/// What was seen of the host.
#[derive(Debug)]
pub struct Platform {
    /// What ssh and sshd say that they are.
    client: Option<String>,
    server: Option<String>,
    landlock: Landlock,
    /// The security modules that the kernel was started with, separated by commas.
    security_modules: Option<String>,
    /// Filters of system calls that a listener answers.
    has_listeners: bool,
    /// A running sshd that cannot start set-uid programs, or a unit that says so.
    no_new_privileges: Option<NoNewPrivileges>,
    hidepid: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum NoNewPrivileges {
    Unit(String),
    Running,
}

impl Platform {
    /// Looks.
    pub fn gather(mounts: &Mounts) -> Self {
        let says = |program| {
            let said = system::run(program, &["-V"])?;
            Some(format!("{}{}", said.error, said.out))
        };
        Self {
            client: says("ssh"),
            server: says("/usr/sbin/sshd"),
            landlock: sys::landlock(),
            security_modules: system::read("/sys/kernel/security/lsm"),
            has_listeners: jms::confinement::has_listeners(),
            no_new_privileges: no_new_privileges(),
            hidepid: mounts
                .of(Path::new("/proc"))
                .and_then(|mount| {
                    mount
                        .options
                        .iter()
                        .find_map(|option| option.strip_prefix("hidepid="))
                        .map(str::to_owned)
                })
                .filter(|value| !["0", "off"].contains(&value.as_str())),
        }
    }

    /// Judges it. `requires_landlock`: the setting says that there are no sessions without.
    pub fn judge(&self, requires_landlock: bool, findings: &mut Findings) {
        let upgrade = || mend::upgrade("openssh-client openssh-server");
        if self.client.is_none() {
            findings.add(
                table::PLATFORM_OPENSSH,
                "there is no OpenSSH client (ssh), with which assets are reached",
                upgrade(),
            );
        }
        // Without a server sshd's configuration cannot be judged, which is said there.
        let old = [("client", &self.client), ("server", &self.server)]
            .into_iter()
            .filter_map(|(part, said)| Some((part, said.as_deref()?)))
            .find(|(_, said)| version(said).is_none_or(|version| version < OLDEST));
        if let Some((part, said)) = old {
            findings.add(
                table::PLATFORM_OPENSSH,
                format!(
                    "the {part} is {}, and the bastion wants OpenSSH {}.{} or newer",
                    named(said),
                    OLDEST.0,
                    OLDEST.1
                ),
                upgrade(),
            );
        }
        if !self.has_listeners {
            findings.add(
                table::PLATFORM_SECCOMP,
                "this kernel has no filters of system calls that a listener answers (seccomp, Linux 5.0), without which no session is opened",
                newer_kernel(),
            );
        }
        self.judge_landlock(requires_landlock, findings);
        if let Some(value) = &self.hidepid {
            findings.add(
                table::PLATFORM_HIDEPID,
                format!("/proc is mounted with hidepid={value}: the session program cannot see its own sshd (see /etc/fstab for the next start)"),
                "mount -o remount,hidepid=0 /proc",
            );
        }
        match &self.no_new_privileges {
            Some(NoNewPrivileges::Unit(unit)) => findings.add(
                table::PLATFORM_NO_NEW_PRIVILEGES,
                format!("the unit {unit} has NoNewPrivileges: the session program cannot become the service user"),
                mend_unit(unit),
            ),
            Some(NoNewPrivileges::Running) => findings.add(
                table::PLATFORM_NO_NEW_PRIVILEGES,
                "the running sshd was started without the right to new privileges: the session program cannot become the service user",
                if system::has_systemd() {
                    mend::restart("ssh", "sshd")
                } else {
                    "kill $(cat /run/sshd.pid); while [ -e /run/sshd.pid ]; do sleep 0.1; done; /usr/sbin/sshd".to_owned()
                },
            ),
            None => {}
        }
    }

    fn judge_landlock(&self, required: bool, findings: &mut Findings) {
        let (why, command) = match self.landlock {
            Landlock::Version(_) => return,
            Landlock::Missing => ("this kernel has no Landlock", newer_kernel()),
            Landlock::SwitchedOff => (
                "this kernel was started without its Landlock",
                start_with_landlock(self.security_modules.as_deref()),
            ),
        };
        let then = if required {
            "and every session is refused, as confinement.require_landlock has it"
        } else {
            "so sessions are shut in by their uid and by seccomp alone, a session program that is taken over can read secret.key, and each session is an event session.unconfined (confinement.require_landlock = true refuses them)"
        };
        findings.add(table::PLATFORM_LANDLOCK, format!("{why}, {then}"), command);
    }
}

fn newer_kernel() -> String {
    let package = if system::exists("/usr/bin/dpkg") {
        "linux-image-$(dpkg --print-architecture)"
    } else {
        "kernel"
    };
    format!("{} && reboot", mend::upgrade(package))
}

/// `lsm=` replaces the whole list, so the modules that are there are named as well.
fn start_with_landlock(modules: Option<&str>) -> String {
    let others = modules
        .map(str::trim)
        .filter(|list| !list.is_empty())
        .unwrap_or(USUAL_MODULES);
    // The kernel puts its capabilities first by itself.
    let others: Vec<&str> = others
        .split(',')
        .filter(|module| !["capability", "landlock"].contains(module))
        .collect();
    let word = format!("lsm=landlock,{}", others.join(","));
    if system::exists("/usr/sbin/grubby") {
        return format!("grubby --update-kernel=ALL --args={word} && reboot");
    }
    let line = format!("GRUB_CMDLINE_LINUX=\"$GRUB_CMDLINE_LINUX {word}\"");
    format!(
        "mkdir -p /etc/default/grub.d && echo {} > /etc/default/grub.d/jms-landlock.cfg && update-grub && reboot",
        mend::quoted(&line)
    )
}

fn mend_unit(unit: &str) -> String {
    let folder = format!("/etc/systemd/system/{unit}.d");
    let write = format!(
        "mkdir -p {folder} && printf '[Service]\\nNoNewPrivileges=no\\n' > {folder}/zz-jms.conf"
    );
    if system::has_systemd() {
        format!("{write} && systemctl daemon-reload && systemctl try-restart {unit}")
    } else {
        write
    }
}

fn no_new_privileges() -> Option<NoNewPrivileges> {
    for unit in [
        "ssh.service",
        "sshd.service",
        "ssh@.service",
        "sshd@.service",
    ] {
        let value = units::setting("system", unit, "NoNewPrivileges").unwrap_or_default();
        if ["yes", "true", "on", "1"].contains(&value.to_ascii_lowercase().as_str()) {
            return Some(NoNewPrivileges::Unit(unit.to_owned()));
        }
    }
    let pid = system::read("/run/sshd.pid")?;
    let pid: u32 = pid.trim().parse().ok()?;
    let status = system::read(format!("/proc/{pid}/status"))?;
    let is_sshd = status
        .lines()
        .next()
        .is_some_and(|line| line.contains("sshd"));
    let bound = status
        .lines()
        .any(|line| line.split_whitespace().eq(["NoNewPrivs:", "1"]));
    (is_sshd && bound).then_some(NoNewPrivileges::Running)
}

/// The line with the version; sshd before 9.2 says it on the way to saying how it is used.
fn named(said: &str) -> &str {
    let mut lines = said.lines().map(str::trim);
    lines
        .clone()
        .find(|line| line.contains("OpenSSH"))
        .or_else(|| lines.next())
        .unwrap_or("unknown")
}

/// `OpenSSH_9.2p1 Debian-2…` as (9, 2).
fn version(text: &str) -> Option<(u32, u32)> {
    let rest = text.split("OpenSSH_").nth(1)?;
    let (major, rest) = rest.split_once('.')?;
    let minor: String = rest.chars().take_while(char::is_ascii_digit).collect();
    Some((major.parse().ok()?, minor.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::super::finding::Finding;
    use super::*;

    fn judged(
        client: Option<&str>,
        server: Option<&str>,
        landlock: Landlock,
        listeners: bool,
        required: bool,
    ) -> Vec<Finding> {
        let platform = Platform {
            client: client.map(str::to_owned),
            server: server.map(str::to_owned),
            landlock,
            security_modules: Some("capability,yama,apparmor\n".to_owned()),
            has_listeners: listeners,
            no_new_privileges: None,
            hidepid: None,
        };
        let mut findings = Findings::default();
        platform.judge(required, &mut findings);
        findings.into_sorted()
    }

    fn ids(findings: &[Finding]) -> Vec<&'static str> {
        findings.iter().map(|finding| finding.id).collect()
    }

    #[test]
    fn old_parts_of_the_platform_are_found() {
        let new = "OpenSSH_9.2p1 Debian-2+deb12u10, OpenSSL 3.0.22";
        let found =
            |client, server| ids(&judged(client, server, Landlock::Version(1), true, false));
        assert_eq!(found(Some(new), Some(new)), [""; 0]);
        assert_eq!(found(Some("OpenSSH_10.0p2 Debian-7"), None), [""; 0]);
        let old = "OpenSSH_8.4p1 Debian-5, OpenSSL 1.1.1";
        assert_eq!(found(Some(old), Some(new)), ["platform.openssh"]);
        assert_eq!(found(Some("Dropbear"), None), ["platform.openssh"]);
        assert_eq!(found(None, Some(new)), ["platform.openssh"]);
        let usage = "sshd: unknown option -- V\nOpenSSH_8.4p1 Debian-5\nusage: sshd [-46] [-V]";
        let server = judged(Some(new), Some(usage), Landlock::Version(1), true, false);
        assert!(
            server[0]
                .sentence
                .starts_with("the server is OpenSSH_8.4p1 Debian-5, and"),
            "{server:?}"
        );
    }

    #[test]
    fn a_kernel_that_cannot_shut_in_is_found_with_what_follows_from_it() {
        let openssh = Some("OpenSSH_9.9p1");
        let missing = judged(openssh, openssh, Landlock::Missing, true, false);
        assert_eq!(ids(&missing), ["platform.landlock"]);
        let sentence = &missing[0].sentence;
        for part in ["can read secret.key", "an event session.unconfined"] {
            assert!(sentence.contains(part), "{sentence}");
        }
        assert!(missing[0].command.ends_with("&& reboot"));
        let refused = judged(openssh, openssh, Landlock::SwitchedOff, true, true);
        assert!(refused[0].sentence.contains("every session is refused"));
        let command = &refused[0].command;
        assert!(command.contains("lsm=landlock,yama,apparmor"), "{command}");
        assert_eq!(
            ids(&judged(openssh, openssh, Landlock::Version(7), false, true)),
            ["platform.seccomp"]
        );
    }
}
