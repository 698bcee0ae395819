//! How whoever runs us came in: over sshd, as which account of the host. The kernel's list of processes says it, and
//! no variable that anybody could set.
#![forbid(unsafe_code)]

use super::accounts::Accounts;
use super::names::Names;
use super::system;
use jms::paths::Paths;
use std::path::Path;

/// sshd's programs: one, and from OpenSSH 9.8 on one for each session.
const SSHD: [&str; 2] = ["sshd", "sshd-session"];
/// More than anybody nests shells.
const DEPTH: usize = 64;

/// A process: who it is, and whose child.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Process {
    /// The last part of its program's path.
    program: String,
    uid: u32,
    parent: u32,
}

/// The local account that came over ssh and runs us as root now. Call as root.
///
/// # Errors
/// A sentence: why this shows nothing.
pub fn account_behind_ssh(paths: &Paths) -> Result<String, String> {
    let uid = uid_behind_ssh(std::process::id(), process).ok_or(
        "this was not started over ssh: log in over ssh as a local account, become root, and run it there",
    )?;
    let accounts = Accounts::gather();
    let of_the_bastion = Names::gather(paths)
        .range()
        .is_some_and(|range| range.contains(uid));
    let account = accounts.accounts.iter().find(|one| one.uid == uid);
    match account {
        Some(account) if !of_the_bastion => Ok(account.name.clone()),
        _ => Err(format!(
            "who came over ssh (uid {uid}) is no account of the host itself; log in as one that works without the bastion"
        )),
    }
}

/// Whose login it is: the uid of the sshd that is nearest above.
fn uid_behind_ssh(own: u32, look: impl Fn(u32) -> Option<Process>) -> Option<u32> {
    let mut pid = own;
    for _ in 0..DEPTH {
        let process = look(pid)?;
        if SSHD.contains(&process.program.as_str()) {
            return Some(process.uid);
        }
        pid = process.parent;
    }
    None
}

fn process(pid: u32) -> Option<Process> {
    let folder = Path::new("/proc").join(pid.to_string());
    let status = system::read(folder.join("status"))?;
    let number = |field: &str| -> Option<u32> {
        let line = status.lines().find_map(|line| line.strip_prefix(field))?;
        line.split_whitespace().next()?.parse().ok()
    };
    let program = folder.join("exe").read_link().ok()?;
    // After an upgrade of a running sshd: “/usr/sbin/sshd (deleted)”.
    let program = program.file_name()?.to_str()?;
    Some(Process {
        program: program.trim_end_matches(" (deleted)").to_owned(),
        uid: number("Uid:")?,
        parent: number("PPid:")?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chain(processes: &[(&str, u32)]) -> Option<u32> {
        let look = |pid: u32| {
            let (program, uid) = processes.get(usize::try_from(pid).ok()?)?;
            Some(Process {
                program: (*program).to_owned(),
                uid: *uid,
                parent: pid + 1,
            })
        };
        uid_behind_ssh(0, look)
    }

    #[test]
    fn the_nearest_sshd_says_who_came() {
        let over_ssh = [
            ("jmsctl", 0),
            ("sudo", 0),
            ("bash", 1000),
            ("sshd", 1000),
            ("sshd", 0),
        ];
        assert_eq!(chain(&over_ssh), Some(1000));
        assert_eq!(
            chain(&[("jmsctl", 0), ("sshd-session", 0), ("sshd", 0)]),
            Some(0)
        );
        assert_eq!(chain(&[("jmsctl", 0), ("login", 0), ("init", 0)]), None);
        assert_eq!(chain(&[("jmsctl", 0)]), None);
    }

    #[test]
    fn the_kernel_is_asked() {
        let own = process(std::process::id()).unwrap();
        assert_eq!(own.parent, std::os::unix::process::parent_id());
        assert_eq!(process(u32::MAX), None);
    }
}
