//! sshd: what it would do for users of the bastion, for unknown names and for root, in its own words.
#![forbid(unsafe_code)]

mod access;
mod effective;
mod everybody;
mod expected;
mod source;
mod users;

pub use access::kept_out;
pub use effective::Effective;

use super::finding::Findings;
use super::{mend, system, table};
use source::Line;
use std::path::{Path, PathBuf};

/// A name that no host has.
pub const UNKNOWN: &str = "jms-doctor-unknown";
/// An address that no connection comes from (RFC 5737).
pub const ADDRESS: &str = "203.0.113.7";
/// The service's own accounts.
const SERVICE: [&str; 2] = ["jms", "jms-keys"];

/// A user of the bastion on whose behalf sshd is asked.
#[derive(Debug, Clone)]
pub struct Member {
    /// Name.
    pub name: String,
    /// Primary group: `jms-users` or `jms-mfa`.
    pub group: String,
}

/// What sshd and its files say.
#[derive(Debug)]
pub struct Sshd {
    error: Option<String>,
    drop_in: Option<String>,
    lines: Vec<Line>,
    members: Vec<(Member, Effective)>,
    unknown: Effective,
    root: Effective,
    service: Vec<(&'static str, Effective)>,
}

impl Sshd {
    /// Asks sshd about these users of the bastion, and the others.
    pub fn gather(members: &[Member]) -> Self {
        let lines = source::lines();
        let mut facts = Self {
            error: None,
            drop_in: system::read(expected::DROP_IN),
            members: Vec::new(),
            unknown: Effective::default(),
            root: Effective::default(),
            service: Vec::new(),
            lines,
        };
        // sshd would wait for a FIFO's writer for ever.
        if facts.drop_in.is_none() && system::exists(expected::DROP_IN) {
            facts.error = Some(format!("{} is no file", expected::DROP_IN));
        } else if let Err(error) = facts.ask(members) {
            facts.error = Some(error);
        }
        facts
    }

    fn ask(&mut self, members: &[Member]) -> Result<(), String> {
        self.unknown = Effective::ask(UNKNOWN, ADDRESS)?;
        self.root = Effective::ask("root", ADDRESS)?;
        for name in SERVICE {
            self.service.push((name, Effective::ask(name, ADDRESS)?));
        }
        let mut addresses = source::addresses(&self.lines);
        addresses.insert(0, ADDRESS.to_owned());
        for member in members {
            for address in &addresses {
                let effective = Effective::ask(&member.name, address)?;
                self.members.push((member.clone(), effective));
            }
        }
        Ok(())
    }

    /// Whether it accepts its configuration.
    pub fn answers(&self) -> bool {
        self.error.is_none()
    }

    /// What holds for a name that nobody has; empty when sshd does not accept its configuration.
    pub fn for_unknown(&self) -> &Effective {
        &self.unknown
    }

    /// What holds for root.
    pub fn for_root(&self) -> &Effective {
        &self.root
    }

    /// What holds for the first user of each group.
    pub fn for_members(&self) -> impl Iterator<Item = (&Member, &Effective)> {
        self.members
            .iter()
            .map(|(member, effective)| (member, effective))
    }

    /// Judges all of it.
    pub fn judge(&self, findings: &mut Findings) {
        if let Some(error) = &self.error {
            return self.judge_error(error, findings);
        }
        if self.drop_in.is_none() {
            findings.add(
                table::SSHD_DROP_IN,
                format!(
                    "{} is missing, so nobody reaches an asset through this bastion",
                    expected::DROP_IN
                ),
                format!("{} && {}", mend::reinstall(), mend::reload_sshd()),
            );
        } else {
            users::judge(self, findings);
        }
        everybody::judge(self, findings);
    }

    fn judge_error(&self, error: &str, findings: &mut Findings) {
        let command = match place_of(error) {
            _ if self.drop_in.is_none() && system::exists(expected::DROP_IN) => {
                format!("{} && {}", mend::drop_in_anew(), mend::reload_sshd())
            }
            // What is wrong in our own file, the package has right.
            Some((file, _)) if file == Path::new(expected::DROP_IN) => {
                format!("{} && {}", mend::drop_in_anew(), mend::reload_sshd())
            }
            Some((file, number)) => {
                format!(
                    "{} && {}",
                    mend::comment_out(&file, number),
                    mend::reload_sshd()
                )
            }
            None => "/usr/sbin/sshd -t".to_owned(),
        };
        let sentence = error.lines().next().unwrap_or("it says nothing").to_owned();
        findings.add(
            table::SSHD_CONFIGURATION,
            format!("sshd says: {sentence}"),
            command,
        );
    }

    /// Where a setting is first set in a Match block that is not ours.
    fn elsewhere(&self, keyword: &str) -> Option<&Line> {
        self.lines.iter().find(|line| {
            line.keyword == keyword
                && line.condition.is_some()
                && line.file != Path::new(expected::DROP_IN)
        })
    }
}

/// `FILE line N: …` or `FILE: line N: …`, as sshd writes its complaints.
fn place_of(error: &str) -> Option<(PathBuf, usize)> {
    error.lines().find_map(|line| {
        let (file, rest) = line.split_once(" line ")?;
        let digits: String = rest.chars().take_while(char::is_ascii_digit).collect();
        let file = Path::new(file.trim_end_matches(':'));
        file.is_absolute().then_some(())?;
        Some((file.to_owned(), digits.parse().ok()?))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sshds_complaints_say_where() {
        for text in [
            "/etc/ssh/x.conf: line 12: Bad configuration option: Nonsense\n/etc/ssh/x.conf: terminating",
            "/etc/ssh/x.conf line 12: Subsystem 'sftp' already defined.",
        ] {
            assert_eq!(
                place_of(text),
                Some((PathBuf::from("/etc/ssh/x.conf"), 12)),
                "{text}"
            );
        }
        assert_eq!(place_of("sshd: no hostkeys available -- exiting."), None);
    }
}
