//! What a backup takes while a session is recorded over a connection that stays: store, recordings, settings, as files (there is
//! no `jmsctl backup` yet). It is whole, nothing of the connection is in it, and a bastion that is given it knows of none.

use std::time::Duration;

use tests::kept::{client, nothing_is_left, processes, stay};
use tests::{Lab, eventually};

const WAY: &str = "alice@dev@web1@bastion";
const SOON: Duration = Duration::from_secs(20);

/// The store by SQLite's own means, which may be written to meanwhile; the rest as files.
const COPY: &str = r#"set -eu; umask 077
mkdir /root/copy
python3 - <<'END'
import sqlite3
there = sqlite3.connect("/root/copy/jms.db")
sqlite3.connect("file:/var/lib/jms/jms.db?mode=ro", uri=True, timeout=10).backup(there)
assert there.execute("PRAGMA integrity_check").fetchone() == ("ok",)
END
tar -C / -cf /root/copy.tar --exclude=./var/lib/jms/jms.db* ./var/lib/jms ./etc/jms"#;

const RESTORE: &str = r#"set -eu
rm -rf /var/lib/jms
tar -C / -xpf /root/copy.tar
install -o jms -g jms -m 0600 /root/jms.db /var/lib/jms/jms.db"#;

#[test]
fn a_copy_that_is_taken_meanwhile_is_whole_and_knows_of_no_kept_connection() {
    let lab = Lab::everyday();
    stay(&lab, 600, "");
    let mut running = lab
        .client()
        .command("ssh", [WAY, "echo recorded; cat"])
        .spawn();
    eventually("it is up", SOON, || running.stdout_so_far() == "recorded\n");
    let kept = client(&lab);
    // What was printed reaches the recording within a second or two.
    std::thread::sleep(Duration::from_secs(3));
    drop(lab.bastion().run(COPY).expect_status(0));
    running.write("on\n");
    eventually("it goes on", SOON, || {
        running.stdout_so_far() == "recorded\non\n"
    });
    assert_eq!((client(&lab), processes(&lab)), (kept, (1, 1)));

    let listed = lab.bastion().run("tar -tvf /root/copy.tar").text();
    assert!(listed.contains("/recordings/") && listed.contains("/etc/jms/secret.key"));
    for line in listed.lines() {
        assert!(line.starts_with('-') || line.starts_with('d'), "{line}");
    }
    let of_egress = lab.bastion().run(
        "cd /root; mkdir all; tar -C all -xf copy.tar; grep -rlaE '/run/jms/(warm|egress)|OPENSSH PRIVATE KEY' all copy/jms.db",
    );
    assert_eq!(of_egress.text(), "");

    let other = Lab::everyday();
    for (from, to) in [
        ("/root/copy.tar", "/root/copy.tar"),
        ("/root/copy/jms.db", "/root/jms.db"),
    ] {
        other.bastion().write(to, lab.bastion().read(from));
    }
    drop(other.bastion().run(RESTORE).expect_status(0));
    let rows = |which: &str| {
        let ls = format!("jmsctl session ls {which} --json");
        other.bastion().run(ls).json_lines().expect("rows")
    };
    assert_eq!(rows("--online"), Vec::<serde_json::Value>::new());
    let past = rows("--past");
    assert_eq!(past.len(), 1, "{past:?}");
    let row = past.first().expect("a row");
    assert_eq!(row["end_reason"], "lost", "{row}");
    let id = row["id"].as_str().expect("an id");
    let replayed = other.bastion().run(format!("jmsctl session replay {id}"));
    drop(replayed.expect_stdout_contains("recorded"));
    nothing_is_left(&other);

    running.close_input();
    drop(running.wait().expect_status(0));
    stay(&lab, 0, "");
    drop(lab.client().ssh([WAY, "true"]).expect_status(0));
    nothing_is_left(&lab);
}
