//! The clients that people have: OpenSSH of Debian 12 and of Debian 13, rsync and git, each against a bastion of this release.
//!
//! What this machine's own OpenSSH does to bytes, statuses and terminals is in `session.rs`; streams are in
//! `clients_streams.rs`, shared connections in `clients_sharing.rs`.

use std::sync::OnceLock;

use tests::{Host, Lab, Outcome, Release, client_host, everyday};

/// A lab for each release of the client; no test of this file changes one for the others.
fn labs() -> &'static [(Release, Lab); 2] {
    static LABS: OnceLock<[(Release, Lab); 2]> = OnceLock::new();
    LABS.get_or_init(|| {
        [Release::Debian12, Release::Debian13].map(|release| {
            let lab = Lab::builder()
                .client_release(release)
                .start()
                .expect("a lab");
            everyday::fill(&lab).expect("an everyday lab");
            let _ = client_host::of_alice(&lab);
            let motd = "echo MOTD OF THE BASTION >/etc/motd; echo MOTD OF WEB1 >/etc/motd";
            for host in [lab.bastion(), lab.web1()] {
                drop(host.run(motd).expect_status(0));
            }
            (release, lab)
        })
    })
}

/// Runs a script at the client of each release: first a login to web1 without a word to spare, then whatever `check` says.
#[track_caller]
fn at_each_client(script: &str, check: impl Fn(&Lab, Outcome)) {
    for (_, lab) in labs() {
        check(lab, at(lab.host("client"), script));
    }
}

/// In a new folder. `$ON_WEB1` is the login name of web1.
#[track_caller]
fn at(client: &Host, script: &str) -> Outcome {
    let script =
        format!("set -eu -o pipefail; ON_WEB1=alice@dev@web1@bastion; cd $(mktemp -d)\n{script}");
    client.command(["bash", "-c", &script]).run()
}

#[test]
fn openssh_ssh_of_both_releases_gives_a_command_its_bytes_its_errors_and_its_status() {
    for (release, lab) in labs() {
        let version = match release {
            Release::Debian12 => "OpenSSH_9.2",
            Release::Debian13 => "OpenSSH_10.0",
        };
        drop(at(lab.host("client"), "ssh -V").expect_stderr_contains(version));
    }
    at_each_client(
        "ssh $ON_WEB1 'printf out; printf err >&2; exit 7'",
        |_, outcome| {
            drop(
                outcome
                    .expect_status(7)
                    .expect_stdout("out")
                    .expect_stderr("err"),
            );
        },
    );
}

#[test]
fn openssh_ssh_of_both_releases_opens_shells_with_and_without_a_terminal() {
    for (_, lab) in labs() {
        let client = lab.host("client");
        at(client, "printf 'tty; exit 4\\n' | ssh -T $ON_WEB1")
            .expect_status(4)
            .expect_stdout_contains("not a tty\n");
        let mut shell = client
            .command(["ssh", "alice@dev@web1@bastion"])
            .on_terminal();
        shell.expect("dev@web1");
        shell.send_line("stty size; exit 9");
        shell.expect("24 80");
        drop(shell.wait().expect_status(9));
        let outcome = client
            .command(["ssh", "-tt", "alice@dev@web1@bastion", "tty; exit 6"])
            .on_terminal()
            .wait()
            .expect_status(6);
        // Neither a message of the day nor the last login stands before it.
        assert!(outcome.text().starts_with("/dev/pts/"), "{outcome}");
        // -tt without a terminal of one's own: a terminal there all the same.
        at(client, "ssh -tt $ON_WEB1 'tty; exit 6' </dev/null")
            .expect_status(6)
            .expect_stdout_contains("/dev/pts/");
    }
}

/// A folder with what file transfers trip over, and two programs to compare it by.
const FOLDER: &str = r#"
mkdir -p from/sub/empty
head -c 3000000 /dev/urandom >from/data; : >from/none
echo blank >'from/sub/with blank'; echo wide >from/sub/文件; echo quote >"from/sub/it's"
chmod 0640 from/data; chmod 0700 from/sub; touch -d '2001-02-03 04:05:06' from/data from/sub/文件
same() { diff -r "$1" "$2"; [ "$(list "$1")" = "$(list "$2")" ]; }
list() { (cd "$1"; find . -type f -printf '%p %m %s %Ts\n' | sort); }
"#;

#[test]
fn openssh_scp_of_both_releases_copies_a_folder_both_ways() {
    let script =
        "scp -rp from $ON_WEB1:/tmp/by-scp; scp -rp $ON_WEB1:/tmp/by-scp back; same from back";
    at_each_client(&format!("{FOLDER}{script}"), |lab, outcome| {
        drop(outcome.expect_status(0).expect_stdout("").expect_stderr(""));
        assert!(lab.web1().has("/tmp/by-scp/sub/it's"));
    });
}

#[test]
fn openssh_scp_capital_o_of_both_releases_copies_a_folder_both_ways() {
    let script = "scp -Orp from $ON_WEB1:/tmp/by-scp-O; scp -Orp $ON_WEB1:/tmp/by-scp-O back; same from back";
    at_each_client(&format!("{FOLDER}{script}"), |lab, outcome| {
        drop(outcome.expect_status(0).expect_stdout("").expect_stderr(""));
        assert!(lab.web1().has("/tmp/by-scp-O/sub/it's"));
    });
}

#[test]
fn openssh_sftp_of_both_releases_lists_writes_renames_resumes_and_removes() {
    let script = r#"
cat >batch <<'END'
-mkdir /tmp/by-sftp
put -rp from /tmp/by-sftp
rename /tmp/by-sftp/from/none /tmp/by-sftp/from/still-none
ls -1 /tmp/by-sftp/from
rename /tmp/by-sftp/from/still-none /tmp/by-sftp/from/none
get -rp /tmp/by-sftp/from back
mkdir /tmp/by-sftp/gone
rmdir /tmp/by-sftp/gone
END
sftp -q -b batch $ON_WEB1; same from back
# What was fetched in part is fetched to its end.
head -c 1000000 from/data >part
printf 'reget /tmp/by-sftp/from/data part\n' | sftp -q -b - $ON_WEB1 >/dev/null; cmp part from/data"#;
    at_each_client(&format!("{FOLDER}{script}"), |_, outcome| {
        let outcome = outcome.expect_status(0);
        // What it prints is its own echo of the batch, its progress, and the list.
        let own = ["sftp> ", "Entering ", "Retrieving "];
        let shown: Vec<String> = outcome
            .text()
            .lines()
            .filter(|line| !own.iter().any(|it| line.starts_with(it)))
            .map(str::to_owned)
            .collect();
        let list: Vec<String> = ["data", "still-none", "sub"]
            .map(|name| format!("/tmp/by-sftp/from/{name}"))
            .into();
        assert_eq!(shown, list, "{outcome}");
    });
}

#[test]
fn rsync_of_both_releases_goes_both_ways_and_removes_what_is_gone() {
    let script = r"
rsync -a --delete from/ $ON_WEB1:/tmp/by-rsync/
rsync -a --delete $ON_WEB1:/tmp/by-rsync/ back/; same from back
# The second time only a difference goes over.
printf middle | dd of=from/data bs=1 seek=1500000 conv=notrunc status=none; rm -r from/sub/empty from/none
rsync -a --no-whole-file --delete from/ $ON_WEB1:/tmp/by-rsync/
rsync -az --delete $ON_WEB1:/tmp/by-rsync/ back/; same from back";
    at_each_client(&format!("{FOLDER}{script}"), |lab, outcome| {
        drop(outcome.expect_status(0).expect_stdout("").expect_stderr(""));
        assert!(!lab.web1().has("/tmp/by-rsync/none"));
    });
}

#[test]
fn git_of_both_releases_clones_pushes_and_fetches() {
    let script = r#"
ssh $ON_WEB1 "git init -q --bare -b main '/tmp/it'\\''s.git'"
export GIT_AUTHOR_NAME=a GIT_AUTHOR_EMAIL=a@b GIT_COMMITTER_NAME=a GIT_COMMITTER_EMAIL=a@b
git init -q -b main one; cd one
head -c 300000 /dev/urandom >data; git add data; git commit -qm first
git remote add origin "$ON_WEB1:/tmp/it's.git"; git push -q origin main
cd ..; git clone -q "$ON_WEB1:/tmp/it's.git" two
git clone -q "ssh://alice%40dev%40web1@bastion/tmp/it's.git" three; cmp one/data three/data
cd one; echo more >more; git add more; git commit -qm second; git push -q origin main
cd ../two; git pull -q; cmp more ../one/more"#;
    at_each_client(script, |_, outcome| {
        drop(outcome.expect_status(0).expect_stdout("").expect_stderr(""));
    });
}
