//! What the host can do: OpenSSH, Landlock, set-uid programs under sshd, `/proc`.
#![forbid(unsafe_code)]

use super::finding::Findings;
use super::mounts::Mounts;
use super::{mend, sys, system, table, units};
use std::path::Path;

/// The oldest OpenSSH that the bastion is made for.
const OLDEST: (u32, u32) = (9, 2);

/// What was seen of the host.
#[derive(Debug)]
pub struct Platform {
    openssh: Option<String>,
    landlock: i64,
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
        let said = system::run("ssh", &["-V"]);
        Self {
            openssh: said.map(|said| format!("{}{}", said.error, said.out)),
            landlock: sys::landlock_abi(),
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

    /// Judges it.
    pub fn judge(&self, findings: &mut Findings) {
        match self.openssh.as_deref().map(version) {
            None => findings.add(
                table::PLATFORM_OPENSSH,
                "there is no OpenSSH client (ssh), with which assets are reached",
                mend::upgrade("openssh-client openssh-server"),
            ),
            Some(version) if version.is_none_or(|version| version < OLDEST) => findings.add(
                table::PLATFORM_OPENSSH,
                format!(
                    "this is {}, and the bastion wants OpenSSH {}.{} or newer",
                    self.openssh.as_deref().unwrap_or_default().trim(),
                    OLDEST.0,
                    OLDEST.1
                ),
                mend::upgrade("openssh-client openssh-server"),
            ),
            Some(_) => {}
        }
        if self.landlock < 1 {
            findings.add(
                table::PLATFORM_LANDLOCK,
                "this kernel has no Landlock: what a session's programs can reach is bounded by their uid alone",
                format!("{} && reboot", mend::upgrade("linux-image-$(dpkg --print-architecture)")),
            );
        }
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

/// `OpenSSH_9.2p1 Debian-2…` as (9, 2).
fn version(text: &str) -> Option<(u32, u32)> {
    let rest = text.split("OpenSSH_").nth(1)?;
    let (major, rest) = rest.split_once('.')?;
    let minor: String = rest.chars().take_while(char::is_ascii_digit).collect();
    Some((major.parse().ok()?, minor.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(openssh: Option<&str>, landlock: i64) -> Vec<&'static str> {
        let platform = Platform {
            openssh: openssh.map(str::to_owned),
            landlock,
            no_new_privileges: None,
            hidepid: None,
        };
        let mut findings = Findings::default();
        platform.judge(&mut findings);
        findings
            .into_sorted()
            .iter()
            .map(|finding| finding.id)
            .collect()
    }

    #[test]
    fn old_parts_of_the_platform_are_found() {
        assert_eq!(
            found(Some("OpenSSH_9.2p1 Debian-2+deb12u10, OpenSSL 3.0.22"), 2),
            [""; 0]
        );
        assert_eq!(found(Some("OpenSSH_10.0p2 Debian-7"), 7), [""; 0]);
        assert_eq!(
            found(Some("OpenSSH_8.4p1 Debian-5"), 1),
            ["platform.openssh"]
        );
        assert_eq!(found(Some("Dropbear"), 1), ["platform.openssh"]);
        assert_eq!(found(None, 1), ["platform.openssh"]);
        assert_eq!(found(Some("OpenSSH_9.9p1"), 0), ["platform.landlock"]);
    }
}
