//! The documented profile of a machine that is a bastion and nothing else (docs/doctor.md).
#![forbid(unsafe_code)]

use super::administrators::has_auditor;
use super::finding::Findings;
use super::sshd::Sshd;
use super::stored::Stored;
use super::{mend, table};

/// The profile as the package ships it, and where sshd reads it.
const SHIPPED: &str = "/usr/share/jms/bastion-profile.conf";
const INSTALLED: &str = "/etc/ssh/sshd_config.d/01-jms-bastion-profile.conf";

/// Judges what the profile asks for beyond what every bastion needs.
pub fn judge(sshd: &Sshd, stored: Option<&Stored>, findings: &mut Findings) {
    let install = format!(
        "install -m 0644 {SHIPPED} {INSTALLED} && {}",
        mend::reload_sshd()
    );
    let unknown = sshd.for_unknown().offered_methods();
    let differs = sshd
        .for_members()
        .map(|(member, effective)| (member, effective.offered_methods()))
        .find(|(_, offered)| *offered != unknown);
    if let Some((member, offered)) = differs {
        findings.add(
            table::PROFILE_METHODS,
            format!(
                "sshd offers {} to unknown names and {} to users of the bastion such as {}: a stranger can tell them apart",
                unknown.join(", "),
                offered.join(", "),
                member.name
            ),
            install.clone(),
        );
    }
    let root = sshd.for_root();
    let types = root.is_on("passwordauthentication") || root.is_on("kbdinteractiveauthentication");
    if root.get("permitrootlogin") == Some("yes") && types {
        findings.add(
            table::PROFILE_ROOT_PASSWORD,
            "root can log in over ssh with a password, which the whole world may guess at",
            mend::option_first("PermitRootLogin prohibit-password"),
        );
    }
    if let Some(stored) = stored.filter(|stored| !has_auditor(stored)) {
        let count = stored.users.len();
        findings.add(
            table::PROFILE_AUDITOR,
            format!("of {count} users none is an auditor: only administrators can look at what administrators did"),
            format!(
                "{} && echo 'Public key, then Ctrl-D:' && jmsctl user add \"$name\" --role auditor --key -",
                mend::ask("Name of an auditor:", "name")
            ),
        );
    }
}
