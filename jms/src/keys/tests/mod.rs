//! Our keys against the real OpenSSH: `ssh-keygen` makes them, reads ours, and checks our signatures.

mod host;
mod private;
mod property;
mod public;

use std::fs;
use std::path::PathBuf;
use std::process::{Command, Output, Stdio};
use tempfile::TempDir;

/// A folder in which `ssh-keygen` works.
struct Keygen(TempDir);

impl Keygen {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn run(&self, arguments: &[&str], input: &[u8]) -> Output {
        use std::io::Write;
        let mut child = Command::new("ssh-keygen")
            .args(arguments)
            .current_dir(self.0.path())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("ssh-keygen is needed: install openssh-client");
        child.stdin.take().unwrap().write_all(input).unwrap();
        child.wait_with_output().unwrap()
    }

    /// Runs `ssh-keygen`, which must succeed, and gives back what it printed.
    fn ok(&self, arguments: &[&str], input: &[u8]) -> String {
        let output = self.run(arguments, input);
        assert!(
            output.status.success(),
            "ssh-keygen {arguments:?}: {}{}",
            String::from_utf8_lossy(&output.stdout),
            String::from_utf8_lossy(&output.stderr)
        );
        String::from_utf8(output.stdout).unwrap()
    }

    /// Makes a key called `name` and gives back the private file's text; the public one is `name`.pub.
    fn make(&self, name: &str, arguments: &[&str]) -> String {
        for suffix in ["", ".pub"] {
            let _ = fs::remove_file(self.path(&format!("{name}{suffix}")));
        }
        let always = ["-q", "-f", name, "-C", "dev of the bastion"];
        let passphrase: &[&str] = if arguments.contains(&"-N") {
            &[]
        } else {
            &["-N", ""]
        };
        self.ok(&[&always, passphrase, arguments].concat(), b"");
        self.read(name)
    }

    fn read(&self, name: &str) -> String {
        fs::read_to_string(self.path(name)).unwrap()
    }

    fn write(&self, name: &str, text: &str) {
        use std::os::unix::fs::PermissionsExt;
        fs::write(self.path(name), text).unwrap();
        fs::set_permissions(self.path(name), fs::Permissions::from_mode(0o600)).unwrap();
    }
}

/// Every kind that `ssh-keygen` makes without a security key.
const KINDS: &[(&str, &[&str])] = &[
    ("ssh-ed25519", &["-t", "ed25519"]),
    ("ecdsa-sha2-nistp256", &["-t", "ecdsa", "-b", "256"]),
    ("ecdsa-sha2-nistp384", &["-t", "ecdsa", "-b", "384"]),
    ("ecdsa-sha2-nistp521", &["-t", "ecdsa", "-b", "521"]),
    ("ssh-rsa", &["-t", "rsa", "-b", "2048"]),
];
