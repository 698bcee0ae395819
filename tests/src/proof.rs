//! Proof of path: that a session went through the bastion, by the system's sshd, recorded, and that nothing of ours stayed.
//!
//! Each function is one sentence. It fails with what it found instead. The demo shows them as a list, tests call them.

use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use serde_json::Value;

use crate::boot::ASSET_ACCOUNT;
use crate::invocation::Invocation;
use crate::lab::Lab;

/// The way to web1 as dev, for clients.
pub const WAY: &str = "alice@dev@web1@bastion";
/// A file in web1's own root folder.
const WORD_FILE: &str = "/word";
/// How long a row, an event or a log line may take to appear after the session's end.
const PATIENCE: Duration = Duration::from_secs(5);

/// One sentence of the proof and what became of it.
#[derive(Debug)]
pub struct Proof {
    /// What is claimed.
    pub sentence: &'static str,
    /// What was found.
    pub result: Result<()>,
}

/// Goes the way once and checks every sentence.
#[must_use]
pub fn of_path(lab: &Lab) -> Vec<Proof> {
    let word = random_word();
    let mut proofs = Vec::new();
    let mut claim = |sentence, result| proofs.push(Proof { sentence, result });
    claim(
        "the client's network has no route to web1",
        client_has_no_route(lab),
    );
    claim(
        "a word in web1's own root folder is read through the bastion",
        word_is_read(lab, &word),
    );
    claim(
        "web1 saw dev log in from the bastion with the stored key",
        asset_saw_the_bastion(lab),
    );
    claim(
        "the bastion's sshd is the system's own, unchanged",
        sshd_is_the_systems(lab),
    );
    claim("the session is listed", session_is_listed(lab).map(drop));
    claim("the word is in the recording", word_is_recorded(lab, &word));
    claim(
        "syslog has the session's opening and end",
        syslog_has_the_session(lab),
    );
    claim(
        "no daemon: between logins nothing of the package runs",
        no_daemon(lab),
    );
    claim(
        "with all but sshd killed the next login works",
        login_works_after_killing_all(lab, &word),
    );
    proofs
}

/// The client's network namespace has no way to web1: not even a route.
///
/// # Errors
/// When there is one.
pub fn client_has_no_route(lab: &Lab) -> Result<()> {
    let address = lab.address("web1").to_string();
    let outcome = lab
        .host("client")
        .command(["ip", "route", "get", &address])
        .run();
    ensure!(
        !outcome.succeeded(),
        "the client has a route to web1: {outcome}"
    );
    ensure!(
        outcome.error_text().contains("unreachable"),
        "ip(8) says something else: {outcome}"
    );
    Ok(())
}

/// What root wrote into web1's root folder arrives at the client, byte for byte.
///
/// # Errors
/// When it does not.
pub fn word_is_read(lab: &Lab, word: &str) -> Result<()> {
    lab.web1().write(WORD_FILE, format!("{word}\n"));
    let outcome = lab.client().ssh([WAY, "cat", WORD_FILE]).success()?;
    ensure!(
        outcome.text() == format!("{word}\n"),
        "another word arrived: {outcome}"
    );
    Ok(())
}

/// web1's own log has dev's login, from the bastion's inside address, with the key that the bastion stores for dev.
///
/// # Errors
/// When it has not.
pub fn asset_saw_the_bastion(lab: &Lab) -> Result<()> {
    let shown = lab
        .bastion()
        .command(["jmsctl", "system-user", "show", ASSET_ACCOUNT, "--json"])
        .run()
        .json()?;
    let key = shown
        .get("public_key")
        .and_then(Value::as_str)
        .context("jmsctl shows no public key of dev")?;
    let fingerprint = Invocation::new("ssh-keygen")
        .args(["-l", "-f", "-"])
        .input(format!("{key}\n"))
        .run()
        .success()?;
    let fingerprint = fingerprint.text();
    let fingerprint = fingerprint
        .split_whitespace()
        .nth(1)
        .context("ssh-keygen shows no fingerprint")?;
    let login = format!(
        "Accepted publickey for {ASSET_ACCOUNT} from {} port ",
        lab.bastion_inside_address()
    );
    within_patience("web1's auth.log has no such login", || {
        let log = lab.web1().auth_log();
        let found = log
            .lines()
            .any(|line| line.contains(&login) && line.contains(fingerprint));
        found
            .then_some(())
            .with_context(|| format!("wanted {login:?} with {fingerprint} in:\n{log}"))
    })
}

/// openssh-server's files are as Debian ships them, and `/usr/sbin/sshd` is who listens on port 22.
///
/// # Errors
/// When they are not, or somebody else listens.
pub fn sshd_is_the_systems(lab: &Lab) -> Result<()> {
    let bastion = lab.bastion();
    let verified = bastion.run("dpkg -V openssh-server").success()?;
    ensure!(
        verified.stdout.is_empty(),
        "openssh-server was changed: {verified}"
    );
    let listeners = bastion.run("ss -Hltnp 'sport = :22'").success()?.text();
    let pids: Vec<&str> = listeners
        .split("pid=")
        .skip(1)
        .filter_map(|rest| rest.split([',', ')']).next())
        .collect();
    ensure!(!pids.is_empty(), "nobody listens on port 22: {listeners:?}");
    for pid in pids {
        let program = bastion
            .command(["readlink", &format!("/proc/{pid}/exe")])
            .run()
            .success()?
            .line_of_output();
        ensure!(program == "/usr/sbin/sshd", "{program} listens on port 22");
    }
    Ok(())
}

/// `jmsctl session ls` has a finished session of alice on web1 as dev; the newest is returned.
///
/// # Errors
/// When it has none.
pub fn session_is_listed(lab: &Lab) -> Result<Value> {
    within_patience("there is no finished session", || {
        let sessions = lab
            .bastion()
            .command(["jmsctl", "session", "ls", "--past", "--json"])
            .run()
            .json_lines()?;
        let is_ours = |session: &&Value| {
            let field = |name: &str| session.get(name).and_then(Value::as_str);
            field("user") == Some("alice")
                && field("asset") == Some("web1")
                && field("system_user") == Some(ASSET_ACCOUNT)
        };
        let mut ours: Vec<&Value> = sessions.iter().filter(is_ours).collect();
        ours.sort_by_key(|session| session.get("started").map(ToString::to_string));
        ours.last()
            .map(|session| (*session).clone())
            .with_context(|| format!("jmsctl lists {sessions:?}"))
    })
}

/// The recording of that session has the word that was shown.
///
/// # Errors
/// When it has not.
pub fn word_is_recorded(lab: &Lab, word: &str) -> Result<()> {
    let session = session_is_listed(lab)?;
    let id = session
        .get("id")
        .and_then(Value::as_str)
        .context("a session without id")?;
    let replay = lab
        .bastion()
        .command(["jmsctl", "session", "replay", id, "--speed", "1000"])
        .run()
        .success()?;
    ensure!(
        replay.text().contains(word),
        "the recording of {id} has no {word:?}: {replay}"
    );
    Ok(())
}

/// The bastion's syslog has the events of a session's opening and end.
///
/// # Errors
/// When one is missing.
pub fn syslog_has_the_session(lab: &Lab) -> Result<()> {
    let session = session_is_listed(lab)?;
    let id = session
        .get("id")
        .and_then(Value::as_str)
        .context("a session without id")?;
    within_patience("the events of the session are not in syslog", || {
        let log = lab.bastion().auth_log();
        let ours: Vec<&str> = log
            .lines()
            .filter(|line| line.contains(" jms") && line.contains(id))
            .collect();
        for kind in ["session.open", "session.close"] {
            if !ours.iter().any(|line| line.contains(kind)) {
                bail!("no {kind} of {id} among {ours:?}");
            }
        }
        Ok(())
    })
}

/// No process of the bastion runs a file of our package.
///
/// # Errors
/// When one does.
pub fn no_daemon(lab: &Lab) -> Result<()> {
    let bastion = lab.bastion();
    let files = bastion.run("dpkg -L jms").success()?.text();
    ensure!(
        files.lines().any(|file| file.ends_with("/force-command")),
        "the package has no force-command: {files}"
    );
    // A connection that stays for a next session goes with a change of the settings.
    bastion
        .run("jms=/etc/jms/jms.toml; [ ! -e $jms ] || touch $jms")
        .success()?;
    within_patience("a file of the package runs", || {
        for process in bastion.processes()? {
            let is_ours = files.lines().any(|file| Path::new(file) == process.program);
            ensure!(
                !is_ours,
                "{} runs as process {}: {}",
                process.program.display(),
                process.pid,
                process.command_line
            );
        }
        Ok(())
    })
}

/// After `kill -9` of every process of the bastion but its sshd, the next login works.
///
/// # Errors
/// When it does not.
pub fn login_works_after_killing_all(lab: &Lab, word: &str) -> Result<()> {
    let bastion = lab.bastion();
    let sshd = bastion.run("cat /run/sshd.pid").success()?.line_of_output();
    for process in bastion.processes()? {
        if process.pid.to_string() != sshd {
            // It may have ended on its own by now.
            let _ = bastion
                .command(["kill", "-9", &process.pid.to_string()])
                .run();
        }
    }
    // Who has been killed is there until the kernel comes to it.
    within_patience("not all were killed", || {
        let left = bastion.processes()?;
        ensure!(
            left.iter().all(|process| process.pid.to_string() == sshd),
            "more than sshd is left: {left:?}"
        );
        Ok(())
    })?;
    word_is_read(lab, word)
}

/// A word that nobody can have written before.
#[must_use]
pub fn random_word() -> String {
    std::fs::read_to_string("/proc/sys/kernel/random/uuid")
        .map(|uuid| format!("word-{}", uuid.trim()))
        .unwrap_or_default()
}

/// Tries until it succeeds, for what takes a moment; the last failure otherwise.
fn within_patience<Found>(
    what: &'static str,
    mut attempt: impl FnMut() -> Result<Found>,
) -> Result<Found> {
    let started = Instant::now();
    loop {
        match attempt() {
            Ok(found) => return Ok(found),
            Err(error) if started.elapsed() > PATIENCE => return Err(error.context(what)),
            Err(_) => std::thread::sleep(Duration::from_millis(50)),
        }
    }
}
