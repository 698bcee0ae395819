//! The columns: every way in, tried all at once on a bastion with something broken.

use std::collections::BTreeSet;
use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

use tests::boot::{ADMINISTRATOR, ADMINISTRATOR_PASSWORD};
use tests::{End, Outcome};

use crate::bastion::{Bastion, ROOT_PASSWORD};
use crate::row::{Alice, Request, Row};

/// The local administrator's ways in.
pub const LOCAL: [&str; 5] = ["key", "password", "sudo", "su -", "cron"];
/// How long the virtual user may be kept waiting: PAM gives its helper five seconds.
const PATIENCE: Duration = Duration::from_secs(10);
/// How long a log daemon may take to write a line.
const LOGGED: Duration = Duration::from_secs(5);
/// A file that the asset has and the bastion has not.
pub const ON_THE_ASSET: &str = "/srv/on-the-asset";
/// A file that the bastion has and the asset has not, and that everybody may read.
const ON_THE_BASTION: &str = "/usr/share/pam-configs/jms";
const ADMIN: &str = "admin@bastion";

/// What was seen in one row.
#[derive(Debug)]
pub struct Seen {
    /// In or not, for each of [`LOCAL`].
    pub local: [bool; 5],
    /// Whether the virtual user was served.
    pub served: bool,
    /// Findings of `jmsctl doctor`, each id once.
    pub findings: BTreeSet<String>,
    /// How long she waited.
    pub waited: Duration,
    /// Everything that is wrong: column and what was seen there.
    pub wrong: Vec<(&'static str, String)>,
}

/// Tries every column. `askpass` prints the administrator's password.
pub fn try_all(bastion: &Bastion, row: &Row, askpass: &Path) -> Seen {
    let log_start = bastion.log_length();
    let (key, password, cron, alice) = thread::scope(|scope| {
        let key = scope.spawn(|| by_key(bastion, row));
        let password = scope.spawn(|| by_password(bastion, row, askpass));
        let cron = scope.spawn(|| by_cron(bastion, row));
        let alice = scope.spawn(|| virtual_user(bastion, row));
        let ended = "a column did not panic";
        (
            key.join().expect(ended),
            password.join().expect(ended),
            cron.join().expect(ended),
            alice.join().expect(ended),
        )
    });
    let spoke = |line: &str| password.text().lines().any(|said| said == line);
    let local = [
        key.text() == "admin\n",
        spoke("login=admin"),
        spoke("sudo=root"),
        spoke("su=root"),
        cron.succeeded(),
    ];
    let mut wrong = Vec::new();
    for ((column, is_in), outcome) in LOCAL
        .into_iter()
        .zip(local)
        .zip([&key, &password, &password, &password, &cron])
    {
        if is_in == row.barred.contains(&column) {
            wrong.push((column, outcome.to_string()));
        }
    }
    let served = match row.request {
        Request::Exec => alice.text() == "in\n" && alice.succeeded(),
        Request::Sftp => on_a_line(&alice, ON_THE_ASSET),
        Request::Tunnel => alice.text().contains("SSH-2.0"),
    };
    for (column, saw) in judge(bastion, row, &alice, served, log_start) {
        wrong.push((column, saw));
    }
    let findings = match doctor(bastion, patience(row)) {
        Ok(findings) => findings,
        Err(error) => {
            wrong.push(("doctor", error));
            BTreeSet::new()
        }
    };
    if !findings.iter().eq(row.findings) {
        wrong.push((
            "doctor",
            format!("expected {:?} and saw {findings:?}", row.findings),
        ));
    }
    Seen {
        local,
        findings,
        served,
        waited: alice.elapsed,
        wrong,
    }
}

/// What doctor finds, after everything else: it opens the store. Nothing where it cannot run at all.
fn doctor(bastion: &Bastion, limit: Duration) -> Result<BTreeSet<String>, String> {
    let doctor = bastion
        .lab
        .bastion()
        .command(["jmsctl", "doctor", "--json"]);
    let outcome = doctor.within(limit).run();
    if ![End::Status(0), End::Status(1)].contains(&outcome.end) {
        // Its file is missing, or cut.
        let could_not_run = outcome.stdout.is_empty() && outcome.end != End::TimedOut;
        return if could_not_run {
            Ok(BTreeSet::new())
        } else {
            Err(outcome.to_string())
        };
    }
    let ids = outcome.text().lines().map(id_of).collect::<Option<_>>();
    ids.ok_or_else(|| outcome.to_string())
}

fn id_of(line: &str) -> Option<String> {
    let finding: serde_json::Value = serde_json::from_str(line).ok()?;
    Some(finding.get("id")?.as_str()?.to_owned())
}

/// What is wrong with what became of the virtual user.
fn judge(
    bastion: &Bastion,
    row: &Row,
    alice: &Outcome,
    served: bool,
    log_start: usize,
) -> Vec<(&'static str, String)> {
    let mut wrong = Vec::new();
    let (wanted, sentence, line) = match row.alice {
        Alice::Served => (true, "", ""),
        Alice::Refused { sentence, line } => (false, sentence, line),
        Alice::ReadsTheBastion => (false, "", ""),
        Alice::Hangs => {
            if alice.end != End::TimedOut || alice.text().contains("in") {
                wrong.push(("alice", format!("expected that it hangs: {alice}")));
            }
            return wrong;
        }
    };
    let reads_the_bastion = on_a_line(alice, ON_THE_BASTION);
    if served != wanted || reads_the_bastion != (row.alice == Alice::ReadsTheBastion) {
        wrong.push(("alice", alice.to_string()));
    }
    if !wanted && !reads_the_bastion && (alice.text().contains("in\n") || alice.succeeded()) {
        wrong.push(("alice", format!("expected a refusal: {alice}")));
    }
    if !alice.error_text().contains(sentence) && !alice.text().contains(sentence) {
        wrong.push(("sentence", format!("expected {sentence:?}: {alice}")));
    }
    if alice.elapsed > PATIENCE {
        wrong.push(("alice", format!("kept waiting: {alice}")));
    }
    let started = Instant::now();
    while !line.is_empty() && !has_line(&bastion.log_from(log_start), line) {
        if started.elapsed() > LOGGED {
            let log = bastion.log_from(log_start);
            let hers: Vec<&str> = log.lines().filter(|line| line.contains("alice")).collect();
            wrong.push((
                "event",
                format!(
                    "expected {line:?} in the log: {}",
                    hers.join("\n          ")
                ),
            ));
            break;
        }
        thread::sleep(Duration::from_millis(20));
    }
    wrong
}

/// Whether sftp has listed this path; what it is told to do, it shows behind a prompt.
fn on_a_line(outcome: &Outcome, path: &str) -> bool {
    outcome.text().lines().any(|line| line.starts_with(path))
}

/// Whether one line has all the words, in their order.
fn has_line(log: &str, words: &str) -> bool {
    log.lines().any(|line| {
        words
            .split(" … ")
            .try_fold(line, |rest, word| {
                rest.split_once(word).map(|(_, rest)| rest)
            })
            .is_some()
    })
}

fn patience(row: &Row) -> Duration {
    Duration::from_secs(if row.barred.is_empty() { 25 } else { 5 })
}

fn by_key(bastion: &Bastion, row: &Row) -> Outcome {
    let client = bastion.lab.client_of(ADMINISTRATOR);
    let ssh = client.command("ssh", ["-o", "BatchMode=yes", ADMIN, "id -un"]);
    ssh.within(patience(row)).run()
}

/// In by password; from there to root with his own password, and with root's.
fn by_password(bastion: &Bastion, row: &Row, askpass: &Path) -> Outcome {
    let script = format!(
        "echo login=$(id -un)
         echo sudo=$(echo '{ADMINISTRATOR_PASSWORD}' | sudo -k -S -p '' id -un)
         echo su=$(echo '{ROOT_PASSWORD}' | su - root -c 'id -un')"
    );
    let words = [
        "-o",
        "PubkeyAuthentication=no",
        "-o",
        "NumberOfPasswordPrompts=1",
        ADMIN,
        &script,
    ];
    let ssh = bastion.lab.client_of("nobody-known").command("ssh", words);
    ssh.variable("SSH_ASKPASS", askpass)
        .variable("SSH_ASKPASS_REQUIRE", "force")
        .within(patience(row))
        .run()
}

/// Cron runs jobs at its own start, so that no row waits for the next minute.
fn by_cron(bastion: &Bastion, row: &Row) -> Outcome {
    let script = "
        rm -f /run/crond.reboot /run/crond.pid /tmp/cron-ran
        cron
        until [ -e /tmp/cron-ran ]; do sleep 0.02; done";
    let cron = bastion
        .lab
        .bastion()
        .command(["bash", "-c", script])
        .within(patience(row));
    let outcome = cron.run();
    // A throw-away host of our own: its cron is the one that was just started.
    let _ = bastion.plain_script("pkill -x cron");
    outcome
}

fn virtual_user(bastion: &Bastion, row: &Row) -> Outcome {
    let client = bastion.lab.client();
    let limit = match row.alice {
        Alice::Hangs => Duration::from_secs(8),
        _ => Duration::from_secs(25),
    };
    let asks = match row.request {
        Request::Exec => client.command("ssh", ["alice@dev@web1@bastion", "echo in"]),
        Request::Sftp => client
            .command("sftp", ["-b", "-", "alice@dev@web1@bastion"])
            .input(format!("-ls {ON_THE_BASTION}\nls {ON_THE_ASSET}\n")),
        Request::Tunnel => {
            let asset = format!("{}:22", bastion.lab.address("web1"));
            client.command("ssh", ["-W", &asset, "alice@dev@web1@bastion"])
        }
    };
    asks.within(limit).run()
}
