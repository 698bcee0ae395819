//! A host in a mount namespace of its own: /etc with our PAM services, users and uid range, a
//! helper of the test's choice, a syslog that is read. The real host is not touched. Needs root,
//! unshare(1) and pamtester(1).

// Each of the test programs that include this uses its own part of it.
#![allow(dead_code)]

use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::os::unix::net::UnixDatagram;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::sync::OnceLock;
use std::time::{Duration, Instant};

/// Lays the namespace out; `$1` is the test's folder. Then runs the script in `$2`.
const SETUP: &str = r#"
set -eu
files=$1
mount -t tmpfs tmpfs "$files/layers"
for folder in etc usr/libexec var/lib; do
    mkdir -p "$files/layers/$folder/upper" "$files/layers/$folder/work" "/$folder"
    mount -t overlay overlay "/$folder" -o \
        "lowerdir=/$folder,upperdir=$files/layers/$folder/upper,workdir=$files/layers/$folder/work"
done
cat "$files/passwd" >>/etc/passwd
cat "$files/group" >>/etc/group
rm -rf /etc/jms /usr/libexec/jms /etc/pam.d
mkdir /etc/jms /usr/libexec/jms /etc/pam.d
[ ! -e "$files/uid-range" ] || cp "$files/uid-range" /etc/jms/uid-range
[ ! -e "$files/helper" ] || install -m 755 "$files/helper" /usr/libexec/jms/jms-pam-helper
for service in sshd su other; do cp "$files/pam" "/etc/pam.d/$service"; done
if [ -d "$files/state" ]; then
    mkdir -p /var/lib/jms
    mount --bind "$files/state" /var/lib/jms
fi
touch "$files/layers/null"
mount --bind /dev/null "$files/layers/null"
mount -t tmpfs -o mode=755 tmpfs /dev
touch /dev/null
mount --bind "$files/layers/null" /dev/null
ln -s "$files/log" /dev/log
eval "$2"
"#;

/// The stack that the package installs, and a yes at its end for what the module ignores.
const STACK: &str = "\
auth    [success=ok ignore=ignore module_unknown=ignore default=die] MODULE
auth    required pam_permit.so
account [success=ok ignore=ignore module_unknown=ignore default=die] MODULE
account required pam_permit.so
session [success=ok ignore=ignore module_unknown=ignore default=die] MODULE
session required pam_permit.so
password [success=ok ignore=ignore module_unknown=ignore default=die] MODULE
password required pam_permit.so
";

/// Uid and gid of `jms` in the sandbox.
pub const SERVICE_UID: u32 = 64998;

/// One host, before it runs.
pub struct Sandbox {
    folder: tempfile::TempDir,
    log: UnixDatagram,
}

/// What a run gave.
pub struct Ran {
    /// pamtester's status, standard output and error.
    pub output: Output,
    /// The syslog lines.
    pub log: Vec<String>,
    /// How long it took.
    pub time: Duration,
}

impl Ran {
    pub fn went_well(&self) -> bool {
        self.output.status.success()
    }

    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.output.stdout).into_owned()
            + &String::from_utf8_lossy(&self.output.stderr)
    }

    /// Whether a syslog line has this text.
    pub fn logged(&self, text: &str) -> bool {
        self.log.iter().any(|line| line.contains(text))
    }
}

impl Sandbox {
    /// With alice (uid 70001), a local user bob (1001) and the service user jms.
    pub fn new() -> Self {
        require_root_and_pamtester();
        let folder = tempfile::tempdir().expect("a folder");
        let at = folder.path();
        fs::set_permissions(at, fs::Permissions::from_mode(0o755)).expect("mode");
        fs::create_dir(at.join("layers")).expect("a folder");
        fs::create_dir(at.join("seen")).expect("a folder");
        // The helper writes here as jms.
        fs::set_permissions(at.join("seen"), fs::Permissions::from_mode(0o777)).expect("mode");
        let log = UnixDatagram::bind(at.join("log")).expect("a socket");
        fs::set_permissions(at.join("log"), fs::Permissions::from_mode(0o666)).expect("mode");
        log.set_nonblocking(true).expect("nonblocking");
        let sandbox = Self { folder, log };
        sandbox.write("pam", &STACK.replace("MODULE", &module().to_string_lossy()));
        sandbox.write(
            "passwd",
            "jms:x:64998:64998::/nonexistent:/usr/sbin/nologin\n\
             alice:*:70001:64997::/nonexistent:/bin/false\n\
             bob:*:1001:1001::/nonexistent:/bin/false\n",
        );
        sandbox.write(
            "group",
            "jms:x:64998:\njms-users:x:64997:\naudio-x:x:64990:jms\n",
        );
        sandbox.uid_range("range 70000-99999\njms-users 64997\njms-mfa 64996\n");
        sandbox
    }

    fn write(&self, name: &str, text: &str) {
        fs::write(self.folder.path().join(name), text).expect("writes");
    }

    /// Another uid range file.
    pub fn uid_range(&self, text: &str) {
        self.write("uid-range", text);
        let path = self.folder.path().join("uid-range");
        fs::set_permissions(path, fs::Permissions::from_mode(0o644)).expect("mode");
    }

    /// No uid range file.
    pub fn without_uid_range(self) -> Self {
        fs::remove_file(self.folder.path().join("uid-range")).expect("removes");
        self
    }

    /// A helper that is a shell script; `$SEEN` is a folder that it may write to.
    pub fn helper(self, script: &str) -> Self {
        let seen = self.seen("");
        self.write(
            "helper",
            &format!("#!/bin/sh\nSEEN={}\n{script}\n", seen.display()),
        );
        self
    }

    /// A helper that is a program; the folder `state` becomes its /var/lib/jms.
    pub fn program(self, helper: &Path) -> Self {
        fs::copy(helper, self.folder.path().join("helper")).expect("copies");
        self
    }

    /// The test's folder.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// A file that the helper wrote.
    pub fn seen(&self, name: &str) -> PathBuf {
        self.folder.path().join("seen").join(name)
    }

    /// Runs `pamtester SERVICE USER PHASES…` with sshd's PAM items and environment.
    pub fn pam(&self, service: &str, user: &str, phases: &[&str]) -> Ran {
        self.run(&format!("exec {}", pamtester(service, user, phases)))
    }

    /// Runs a shell command in the sandbox.
    pub fn run(&self, command: &str) -> Ran {
        let start = Instant::now();
        let output = Command::new("unshare")
            .args([
                "--mount",
                "--propagation",
                "private",
                "sh",
                "-c",
                SETUP,
                "sh",
            ])
            .arg(self.folder.path())
            .arg(command)
            .stdin(Stdio::null())
            .output()
            .expect("unshare(1) runs");
        Ran {
            output,
            log: self.read_log(),
            time: start.elapsed(),
        }
    }

    fn read_log(&self) -> Vec<String> {
        let mut lines = Vec::new();
        let mut buffer = [0; 8192];
        while let Ok(length) = self.log.recv(&mut buffer) {
            lines.push(String::from_utf8_lossy(&buffer[..length]).into_owned());
        }
        lines
    }
}

/// The command line of a pamtester that looks like sshd.
pub fn pamtester(service: &str, user: &str, phases: &[&str]) -> String {
    format!(
        "pamtester -I rhost=203.0.113.7 -I tty=ssh \
         -E SSH_CONNECTION='203.0.113.7 50022 192.0.2.1 22' \
         -E SSH_AUTH_INFO_0='publickey ssh-ed25519 AAAA' \
         {service} '{user}' {}",
        phases.join(" ")
    )
}

/// The module, built now: `cargo test` itself builds no cdylib.
pub fn module() -> PathBuf {
    static BUILT: OnceLock<PathBuf> = OnceLock::new();
    let built = BUILT.get_or_init(|| {
        let profile: &[&str] = if cfg!(debug_assertions) {
            &[]
        } else {
            &["--release"]
        };
        let status = Command::new(env!("CARGO"))
            .args([
                "build",
                "--quiet",
                "--package",
                "pam_jms",
                "--lib",
                "--manifest-path",
            ])
            .arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("Cargo.toml"))
            .args(profile)
            .status()
            .expect("cargo runs");
        assert!(status.success(), "pam_jms does not build");
        let test = std::env::current_exe().expect("a path");
        let folder = test.ancestors().nth(2).expect("target/PROFILE/deps");
        folder.join("libpam_jms.so")
    });
    built.clone()
}

/// Fails with a sentence where there can be no sandbox; `make prepare` installs what is missing.
fn require_root_and_pamtester() {
    let root = fs::metadata("/proc/self").is_ok_and(|process| process.uid() == 0);
    assert!(
        root,
        "this test needs root, for a mount namespace of its own"
    );
    let pamtester = Command::new("pamtester")
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status();
    assert!(
        pamtester.is_ok(),
        "this test needs pamtester (apt install pamtester)"
    );
}
