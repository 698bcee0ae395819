//! A private mount namespace in which the module is installed: the host's /etc, /var/lib and /dev stay as they are.
//!
//! Needs root, `unshare`, overlayfs, `cc`: without them a test fails, it is not skipped.

use std::{
    env, fs,
    path::{Path, PathBuf},
    process::{Command, Output},
};

use snapshot::{
    Kind, UserName, publish,
    users::{self, Flags, User},
};

/// The uid range file of the tests, without the line that allows enumeration.
pub const RANGE: &str = "range 70000-79999\njms-users 998\njms-mfa 997\n";

/// Overlays, in a mount namespace of its own: /etc and /var/lib with what the sandbox's folder adds, and an empty /run; then runs `$2`.
const ENTER: &str = r#"
    mount -t tmpfs tmpfs "$1/mounts"
    for place in etc var/lib; do
        mkdir -p "$1/mounts/$place/upper" "$1/mounts/$place/work"
        cp -a "$1/root/$place/." "$1/mounts/$place/upper/"
        mount -t overlay overlay -o "lowerdir=/$place,upperdir=$1/mounts/$place/upper,workdir=$1/mounts/$place/work" "/$place"
    done
    mount -t tmpfs tmpfs /run
    mkdir /run/jms-keys
    cd "$1"
    exec timeout --signal=KILL 120 sh -euc "$2"
"#;

/// A folder with what is to be added to the host, and the module.
pub struct Sandbox(tempfile::TempDir);

impl Sandbox {
    /// The module installed, `passwd: files jms`, and these users published.
    pub fn new(users: &[(&str, u32, Flags)]) -> Self {
        let sandbox = Self(tempfile::tempdir().expect("a temporary folder"));
        for folder in ["mounts", "lib", "root/etc/jms", "root/var/lib/jms/public"] {
            fs::create_dir_all(sandbox.path(folder)).expect("a folder in the sandbox");
        }
        fs::copy(module(), sandbox.path("lib/libnss_jms.so.2")).expect("a copy of the module");
        fs::write(
            sandbox.path("root/etc/nsswitch.conf"),
            "passwd: files jms\ngroup: files\nshadow: files\n",
        )
        .expect("nsswitch.conf");
        fs::write(sandbox.path("root/etc/jms/uid-range"), RANGE).expect("uid-range");
        sandbox.publish(users);
        sandbox
    }

    /// A path in the sandbox's own folder, which is also the working directory of what runs there.
    pub fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    /// Publishes users for the next [`Self::run`].
    pub fn publish(&self, users: &[(&str, u32, Flags)]) {
        let user = |(name, uid, flags): &(&str, u32, Flags)| {
            User::new(
                UserName::new(name.as_bytes()).expect("a name"),
                *uid,
                *flags,
            )
            .expect("a uid")
        };
        let bytes = users::write(1, users.iter().map(user)).expect("a snapshot");
        publish(
            &self.path("root/var/lib/jms/public/users.snap"),
            &bytes,
            Kind::Users,
            0o644,
        )
        .expect("published");
    }

    /// Compiles a C program of this folder into the sandbox's folder.
    pub fn compile(&self, source: &str) {
        let source = Path::new(env!("CARGO_MANIFEST_DIR"))
            .join("tests")
            .join(source);
        let status = Command::new("cc")
            .args([
                "-std=c11",
                "-D_GNU_SOURCE",
                "-Wall",
                "-Wextra",
                "-Werror",
                "-O1",
                "-pthread",
                "-o",
            ])
            .arg(self.path("program"))
            .arg(source)
            .arg("-ldl")
            .status();
        assert!(
            status.expect("cc must be installed").success(),
            "the C program does not compile"
        );
    }

    /// Runs a shell script in the sandbox, with the module where the loader finds it.
    pub fn run(&self, script: &str) -> Output {
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
            .arg(self.0.path())
            .arg(script)
            .env("LD_LIBRARY_PATH", self.path("lib"))
            .env("LC_ALL", "C")
            .output()
            .expect("unshare must be installed")
    }

    /// Runs a script that must succeed, and gives its output.
    pub fn output(&self, script: &str) -> String {
        let output = self.run(script);
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert!(
            output.status.success(),
            "{script}: {}\n{stderr}",
            output.status
        );
        String::from_utf8(output.stdout).expect("text")
    }
}

/// The shared library that cargo built for this test.
pub fn module() -> PathBuf {
    let executable = env::current_exe().expect("this program's path");
    let module = executable.with_file_name("libnss_jms.so");
    assert!(module.exists(), "{} is not there", module.display());
    module
}
