//! A throw-away bastion for one test: the compiled program in a mount namespace of its own, so that nothing
//! of the host is touched. Needs root, as the program does.

use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};

/// Lays copies over `/etc`, `/var/lib`, `/run` and an empty `/dev/log`'s place, and adds what the package adds.
const SETUP: &str = r#"
set -e
mount --make-rprivate /
mount -t tmpfs -o mode=0755 none "$1"
for part in etc var/lib; do
    upper="$1/upper/$part"; work="$1/work/$part"
    mkdir -p "$upper" "$work"
    mount -t overlay overlay -o "lowerdir=/$part,upperdir=$upper,workdir=$work" "/$part"
done
mount -t tmpfs -o mode=0755 none /run
rm -rf /etc/jms /var/lib/jms
sed -i '/^jms/d' /etc/passwd /etc/group
printf 'passwd: files\ngroup: files\nhosts: files dns\n' > /etc/nsswitch.conf
echo 'jms:x:64001:64001::/var/lib/jms:/usr/sbin/nologin' >> /etc/passwd
echo 'jms-keys:x:64002:64002::/nonexistent:/usr/sbin/nologin' >> /etc/passwd
printf 'jms:x:64001:\njms-keys:x:64002:\njms-users:x:64003:\njms-mfa:x:64004:\n' >> /etc/group
echo ready
# Lives as long as the test: the end of standard input is the end of the namespace.
exec cat
"#;

/// A bastion without a store.
pub struct Bastion {
    holder: Child,
    folder: tempfile::TempDir,
}

impl Bastion {
    /// An empty one.
    pub fn bare() -> Self {
        assert!(
            nix::unistd::Uid::effective().is_root(),
            "these tests need root: jmsctl becomes another user, and so must its tests"
        );
        let folder = tempfile::tempdir().unwrap();
        let mount = folder.path().join("mount");
        std::fs::create_dir(&mount).unwrap();
        let mut holder = Command::new("unshare")
            .args(["--mount", "sh", "-c", SETUP, "sh"])
            .arg(&mount)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut ready = String::new();
        BufReader::new(holder.stdout.as_mut().unwrap())
            .read_line(&mut ready)
            .unwrap();
        assert_eq!(ready, "ready\n", "the namespace could not be set up");
        Self { holder, folder }
    }

    /// One with an empty store.
    pub fn new() -> Self {
        let bastion = Self::bare();
        bastion.ok(&["init"]);
        bastion
    }

    /// The process whose namespace it is.
    pub fn id(&self) -> u32 {
        self.holder.id()
    }

    /// A command inside the namespace.
    pub fn command(&self, program: &str) -> Command {
        let mut command = Command::new("nsenter");
        command
            .arg(format!("--mount=/proc/{}/ns/mnt", self.holder.id()))
            .arg("--")
            .arg(program);
        command.stdin(Stdio::null());
        command
    }

    /// `jmsctl` inside the namespace.
    pub fn jmsctl(&self, arguments: &[&str]) -> Command {
        let mut command = self.command(env!("CARGO_BIN_EXE_jmsctl"));
        command.args(arguments);
        command
    }

    /// Runs `jmsctl`.
    pub fn run(&self, arguments: &[&str]) -> Output {
        self.jmsctl(arguments).output().unwrap()
    }

    /// Runs `jmsctl` with something on standard input.
    pub fn run_with(&self, arguments: &[&str], input: &str) -> Output {
        let mut child = self
            .jmsctl(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        // It may refuse before it has read everything.
        let _ = child.stdin.take().unwrap().write_all(input.as_bytes());
        child.wait_with_output().unwrap()
    }

    /// What a command that must succeed prints.
    pub fn ok(&self, arguments: &[&str]) -> String {
        let output = self.run(arguments);
        assert!(
            output.status.success(),
            "{arguments:?}: {}",
            text(&output.stderr)
        );
        text(&output.stdout)
    }

    /// What a command that must succeed prints as JSON: one value a line.
    pub fn json(&self, arguments: &[&str]) -> Vec<serde_json::Value> {
        let mut all = arguments.to_vec();
        all.push("--json");
        self.ok(&all)
            .lines()
            .map(|line| serde_json::from_str(line).unwrap())
            .collect()
    }

    /// What a command that must end with `status` says on standard error.
    pub fn fails(&self, status: i32, arguments: &[&str]) -> String {
        let output = self.run(arguments);
        let said = text(&output.stderr);
        assert_eq!(output.status.code(), Some(status), "{arguments:?}: {said}");
        assert!(!said.trim().is_empty(), "{arguments:?} says nothing");
        said
    }

    /// What a shell script prints inside the namespace.
    pub fn sh(&self, script: &str) -> String {
        let output = self.command("sh").args(["-ec", script]).output().unwrap();
        assert!(
            output.status.success(),
            "{script}: {}",
            text(&output.stderr)
        );
        text(&output.stdout).trim_end().to_owned()
    }

    /// A file that only root can read, visible inside and outside.
    pub fn file(&self, name: &str, content: &str) -> PathBuf {
        use std::os::unix::fs::OpenOptionsExt;
        let path = self.folder.path().join(name);
        let mut file = std::fs::File::options()
            .write(true)
            .create(true)
            .truncate(true)
            .mode(0o600)
            .open(&path)
            .unwrap();
        file.write_all(content.as_bytes()).unwrap();
        path
    }

    /// A new key pair: the private file and the public line.
    pub fn key(&self, name: &str, options: &[&str]) -> (PathBuf, String) {
        let path = self.folder.path().join(name);
        let made = Command::new("ssh-keygen")
            .args(["-q", "-C", name, "-f"])
            .arg(&path)
            .args(options)
            .status()
            .unwrap();
        assert!(made.success());
        let line = std::fs::read_to_string(path.with_extension("pub")).unwrap();
        (path, line)
    }
}

impl Bastion {
    /// Runs `work` in this process, inside of the namespace: for what only the other programs write.
    pub fn inside<T: Send>(&self, work: impl FnOnce() -> T + Send) -> T {
        use nix::sched::{CloneFlags, setns, unshare};
        let namespace = std::fs::File::open(format!("/proc/{}/ns/mnt", self.holder.id())).unwrap();
        let in_thread = || {
            // A thread may change its namespace once it shares neither root nor working folder.
            unshare(CloneFlags::CLONE_FS).unwrap();
            setns(&namespace, CloneFlags::CLONE_NEWNS).unwrap();
            work()
        };
        std::thread::scope(|scope| scope.spawn(in_thread).join().unwrap())
    }
}

impl Drop for Bastion {
    fn drop(&mut self) {
        drop(self.holder.stdin.take());
        let _ = self.holder.wait();
    }
}

/// Text of a process.
pub fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

/// The path as an argument.
pub fn path(path: &Path) -> &str {
    path.to_str().unwrap()
}

/// The names of an object's fields.
pub fn keys(value: &serde_json::Value) -> Vec<&str> {
    value
        .as_object()
        .unwrap()
        .keys()
        .map(String::as_str)
        .collect()
}
