//! The program itself, run as sshd runs it: as an unprivileged user, with the real paths, in a mount namespace of its own.
//!
//! Needs root, `unshare`, `setpriv`, overlayfs: without them a test fails, it is not skipped.

use std::{
    fs,
    os::unix::{fs::PermissionsExt, net::UnixDatagram},
    path::PathBuf,
    process::{Command, Output},
};

use sha2::{Digest, Sha256};
use snapshot::{
    Kind, UserName,
    keys::{self, Conditions, Key},
    publish,
};

/// A uid and gid that nobody has.
const KEYS_ID: &str = "64999";

const ENTER: &str = r#"
    mount -t tmpfs tmpfs "$1/mounts"
    mkdir -p "$1/mounts/upper" "$1/mounts/work" "$1/mounts/dev"
    cp -a "$1/lib/." "$1/mounts/upper/"
    mount -t overlay overlay -o "lowerdir=/var/lib,upperdir=$1/mounts/upper,workdir=$1/mounts/work" /var/lib
    mount --rbind /dev "$1/mounts/dev"
    mount -t tmpfs tmpfs /dev
    cp -a "$1/mounts/dev/null" /dev/null
    touch /dev/log
    mount --bind "$1/log" /dev/log
    cd /
    exec timeout --signal=KILL 30 sh -euc "$2"
"#;

struct Sandbox {
    folder: tempfile::TempDir,
    log: UnixDatagram,
}

impl Sandbox {
    fn new(keys: Vec<Key>) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let public = folder.path().join("lib/jms/public");
        fs::create_dir_all(&public).unwrap();
        fs::create_dir(folder.path().join("mounts")).unwrap();
        let log = UnixDatagram::bind(folder.path().join("log")).unwrap();
        log.set_nonblocking(true).unwrap();
        for (path, mode) in [
            (folder.path().to_owned(), 0o755),
            (folder.path().join("log"), 0o666),
        ] {
            fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
        }
        publish(
            &public.join("keys.snap"),
            &keys::write(1, keys).unwrap(),
            Kind::Keys,
            0o640,
        )
        .unwrap();
        let group = KEYS_ID.parse().ok();
        std::os::unix::fs::chown(public.join("keys.snap"), None, group).unwrap();
        fs::copy(
            env!("CARGO_BIN_EXE_authorized-keys-command"),
            folder.path().join("program"),
        )
        .unwrap();
        Self { folder, log }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn run(&self, script: &str) -> Output {
        Command::new("unshare")
            .args([
                "--mount",
                "--propagation",
                "private",
                "sh",
                "-euc",
                ENTER,
                "sh",
            ])
            .arg(self.folder.path())
            .arg(script)
            .env_clear()
            .env("PATH", "/usr/sbin:/usr/bin:/sbin:/bin")
            .output()
            .expect("unshare must be installed")
    }

    /// The program's output and exit status.
    fn ask(&self, arguments: &[&str]) -> (String, Option<i32>) {
        self.ask_after("true", arguments)
    }

    fn ask_after(&self, preparation: &str, arguments: &[&str]) -> (String, Option<i32>) {
        let quoted: String = arguments.iter().map(|text| format!(" '{text}'")).collect();
        let program = self.path("program");
        let output = self.run(&format!(
            "{preparation}; exec setpriv --reuid {KEYS_ID} --regid {KEYS_ID} --clear-groups {} {quoted}",
            program.display()
        ));
        assert_eq!(String::from_utf8_lossy(&output.stderr), "");
        (
            String::from_utf8(output.stdout).unwrap(),
            output.status.code(),
        )
    }

    /// The lines that were sent to the log so far.
    fn logged(&self) -> Vec<String> {
        let mut buffer = [0; 16384];
        std::iter::from_fn(|| {
            self.log
                .recv(&mut buffer)
                .ok()
                .map(|length| String::from_utf8_lossy(&buffer[..length]).into_owned())
        })
        .collect()
    }
}

/// A key pair made by ssh-keygen: type, base64, fingerprint.
struct Made {
    kind: String,
    base64: String,
    fingerprint: String,
    blob: Vec<u8>,
}

fn make(arguments: &[&str]) -> Made {
    use base64::{Engine, engine::general_purpose::STANDARD};
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("key");
    let made = Command::new("ssh-keygen")
        .args(["-q", "-N", ""])
        .args(arguments)
        .arg("-f")
        .arg(&path)
        .status();
    assert!(made.expect("ssh-keygen must be installed").success());
    let public = path.with_extension("pub");
    let shown = Command::new("ssh-keygen")
        .arg("-lf")
        .arg(&public)
        .output()
        .unwrap();
    let fingerprint = String::from_utf8(shown.stdout)
        .unwrap()
        .split(' ')
        .nth(1)
        .unwrap()
        .to_owned();
    let text = fs::read_to_string(public).unwrap();
    let mut words = text.split(' ').map(str::to_owned);
    let (kind, base64) = (words.next().unwrap(), words.next().unwrap());
    Made {
        kind,
        fingerprint,
        blob: STANDARD.decode(&base64).unwrap(),
        base64,
    }
}

impl Made {
    fn of(&self, user: &str, conditions: Conditions) -> Key {
        let user = UserName::new(user.as_bytes()).unwrap();
        Key::new(
            user,
            Sha256::digest(&self.blob).into(),
            self.blob.clone(),
            conditions,
        )
        .unwrap()
    }

    fn offered_by<'a>(&'a self, login: &'a str) -> [&'a str; 4] {
        [login, &self.fingerprint, &self.kind, &self.base64]
    }
}

#[test]
fn the_users_own_keys_of_each_type_and_nobody_elses() {
    let types: [&[&str]; 5] = [
        &["-t", "ed25519"],
        &["-t", "ecdsa", "-b", "256"],
        &["-t", "ecdsa", "-b", "384"],
        &["-t", "ecdsa", "-b", "521"],
        &["-t", "rsa", "-b", "2048"],
    ];
    let made: Vec<Made> = types.iter().map(|arguments| make(arguments)).collect();
    let sandbox = Sandbox::new(
        made.iter()
            .map(|key| key.of("alice", Conditions::default()))
            .collect(),
    );
    for key in &made {
        let expected = format!("restrict,pty {} {}\n", key.kind, key.base64);
        for login in ["alice", "alice@dev@web1"] {
            assert_eq!(
                sandbox.ask(&key.offered_by(login)),
                (expected.clone(), Some(0)),
                "{login} {}",
                key.kind
            );
        }
        assert_eq!(
            sandbox.ask(&key.offered_by("bob")),
            (String::new(), Some(0)),
            "{}",
            key.kind
        );
        let logged = sandbox.logged();
        assert_eq!(logged.len(), 3, "{logged:?}");
        assert!(
            logged[0].contains("key.accepted") && logged[0].contains(&key.fingerprint),
            "{logged:?}"
        );
        assert!(
            logged[2].contains("key.refused") && logged[2].contains(r#"severity="info""#),
            "{logged:?}"
        );
        assert!(logged[2].contains(r#"user="bob""#), "{logged:?}");
    }
}

#[test]
fn conditions_are_printed_and_kept() {
    let key = make(&["-t", "ed25519"]);
    let conditions = Conditions {
        from: vec![
            "10.0.0.0/8".parse().unwrap(),
            "2001:db8::/32".parse().unwrap(),
        ],
        valid_until: Some(4_102_444_800),
        ..Conditions::default()
    };
    let expired = Conditions {
        valid_until: Some(1_000_000_000),
        ..Conditions::default()
    };
    let disabled = Conditions {
        user_disabled: true,
        ..Conditions::default()
    };
    let sandbox = Sandbox::new(vec![
        key.of("alice", conditions),
        key.of("bob", expired),
        key.of("carol", disabled),
    ]);
    let options = r#"restrict,pty,from="10.0.0.0/8,2001:db8::/32",expiry-time="21000101000000Z""#;
    let expected = format!("{options} {} {}\n", key.kind, key.base64);
    assert_eq!(sandbox.ask(&key.offered_by("alice")), (expected, Some(0)));
    assert_eq!(
        sandbox.ask(&key.offered_by("bob")),
        (String::new(), Some(0))
    );
    assert_eq!(
        sandbox.ask(&key.offered_by("carol")),
        (String::new(), Some(0))
    );
    let logged = sandbox.logged();
    assert!(
        logged[1].contains("valid until 2001-09-09T01:46:40Z"),
        "{logged:?}"
    );
    assert!(logged[2].contains("the user is disabled"), "{logged:?}");
}

#[test]
fn garbage_is_answered_with_nothing_and_logged() {
    let (key, weak) = (make(&["-t", "ed25519"]), make(&["-t", "rsa", "-b", "1024"]));
    let sandbox = Sandbox::new(vec![key.of("alice", Conditions::default())]);
    let offered = key.offered_by("alice");
    let other = make(&["-t", "ed25519"]);
    for arguments in [
        &[][..],
        &["--help"],
        &["alice"],
        &[offered[0], offered[1], offered[2], offered[3], "more"],
        &[offered[0], offered[1], "ssh-rsa", offered[3]],
        &[offered[0], &other.fingerprint, offered[2], offered[3]],
        &["Alice\n", offered[1], offered[2], offered[3]],
        &weak.offered_by("alice"),
    ] {
        assert_eq!(
            sandbox.ask(arguments),
            (String::new(), Some(0)),
            "{arguments:?}"
        );
        let logged = sandbox.logged();
        assert_eq!(logged.len(), 1, "{arguments:?}: {logged:?}");
        assert!(
            logged[0].contains("key.refused") && !logged[0].contains('\n'),
            "{logged:?}"
        );
    }
}

#[test]
fn without_a_snapshot_that_can_be_read() {
    let key = make(&["-t", "ed25519"]);
    let sandbox = Sandbox::new(vec![key.of("alice", Conditions::default())]);
    let path = "/var/lib/jms/public/keys.snap";
    for breakage in [
        "rm -r /var/lib/jms".to_owned(),
        format!("chmod 600 {path}"),
        format!("chmod 666 {path}"),
        format!("rm {path}; mkfifo -m 644 {path}"),
        format!("rm {path}; ln -s /dev/null {path}"),
        format!("truncate -s 300 {path}"),
    ] {
        assert_eq!(
            sandbox.ask_after(&breakage, &key.offered_by("alice")),
            (String::new(), Some(0)),
            "{breakage}"
        );
        let logged = sandbox.logged();
        assert!(
            logged.len() == 1 && logged[0].contains("snapshot.problem"),
            "{breakage}: {logged:?}"
        );
    }
}

#[test]
fn a_log_daemon_that_is_gone_or_stuck_delays_nobody() {
    let key = make(&["-t", "ed25519"]);
    let sandbox = Sandbox::new(vec![key.of("alice", Conditions::default())]);
    let (line, status) =
        sandbox.ask_after("umount /dev/log; rm /dev/log", &key.offered_by("alice"));
    assert!(line.starts_with("restrict,pty ssh-ed25519 ") && status == Some(0));
    for _ in 0..40 {
        // Nobody reads the socket: its queue is full after a few lines.
        let (line, status) = sandbox.ask(&key.offered_by("alice"));
        assert!(line.starts_with("restrict,pty ssh-ed25519 ") && status == Some(0));
    }
}

#[test]
fn a_reader_that_is_gone_is_no_death_by_signal() {
    let key = make(&["-t", "ed25519"]);
    let sandbox = Sandbox::new(vec![key.of("alice", Conditions::default())]);
    let quoted: String = key
        .offered_by("alice")
        .iter()
        .map(|text| format!(" '{text}'"))
        .collect();
    let program = sandbox.path("program");
    let script = format!(
        "{{ sleep 0.5; status=0; {} {quoted} || status=$?; echo $status >&2; }} | true",
        program.display()
    );
    assert_eq!(String::from_utf8_lossy(&sandbox.run(&script).stderr), "1\n");
}
