//! The first process of a host: makes the host's own view of the world, then reaps orphans until the lab lets go.
//!
//! A host lives in mount, PID, UTS, IPC and network namespaces of its own. Nothing is mounted in the machine's namespace, so
//! nothing is left behind however a lab ends. The binary `lab` runs itself twice: [`outer`] unshares the namespaces and
//! starts [`inner`], which is process 1 of the host. Both are told by their standard input that the lab has let go: it ends
//! when the last process that holds the other end is gone, however it died; and with process 1 the kernel ends all others.

use std::fs::{self, create_dir, create_dir_all};
use std::io::{BufRead, BufReader, Write};
use std::os::fd::AsFd;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail};
use nix::errno::Errno;
use nix::mount::{MntFlags, MsFlags, mount, umount2};
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sched::{CloneFlags, unshare};
use nix::sys::prctl::set_pdeathsig;
use nix::sys::signal::{SigSet, Signal};
use nix::sys::signalfd::SignalFd;
use nix::sys::stat::{Mode, SFlag, makedev, mknod, umask};
use nix::sys::wait::{WaitPidFlag, WaitStatus, waitpid};
use nix::unistd::{chdir, pivot_root, sethostname};

/// What [`inner`] says when the host is whole.
const READY: &str = "ready";

/// What a host is made of.
#[derive(Debug)]
pub struct Plan {
    /// Its host name.
    pub name: String,
    /// An existing, empty folder to mount on, in the host's own mount namespace.
    pub mount_point: PathBuf,
    /// A folder that receives the host's changes; without one they stay in memory and go with the host.
    pub upper: Option<PathBuf>,
    /// A folder with the changes that the host begins with; without one it begins as its layers are. They are copied: a file
    /// of a layer would be another one for those who have it open once somebody else writes to it (overlayfs).
    pub begin: Option<PathBuf>,
    /// Read-only layers, the topmost first.
    pub lower: Vec<PathBuf>,
}

impl Plan {
    /// The plan as arguments of the `lab` binary.
    #[must_use]
    pub fn arguments(&self) -> Vec<std::ffi::OsString> {
        let upper = self.upper.clone().unwrap_or_default();
        let begin = self.begin.clone().unwrap_or_default();
        let mut arguments = vec![
            self.name.clone().into(),
            self.mount_point.clone().into(),
            upper.into(),
            begin.into(),
        ];
        arguments.extend(self.lower.iter().map(|path| path.clone().into_os_string()));
        arguments
    }

    /// The plan from these arguments.
    ///
    /// # Errors
    /// When one is missing.
    pub fn from_arguments(mut arguments: impl Iterator<Item = std::ffi::OsString>) -> Result<Self> {
        let mut next = || arguments.next();
        let (Some(name), Some(mount_point), Some(upper), Some(begin)) =
            (next(), next(), next(), next())
        else {
            bail!(
                "a host needs a name, a mount point, an upper folder, what to begin with and layers"
            );
        };
        let folder = |path| Some(PathBuf::from(path)).filter(|path| !path.as_os_str().is_empty());
        Ok(Self {
            name: name.to_string_lossy().into_owned(),
            mount_point: mount_point.into(),
            upper: folder(upper),
            begin: folder(begin),
            lower: arguments.map(PathBuf::from).collect(),
        })
    }
}

/// Unshares a host's namespaces, starts its first process in them, prints that process's id when the host is whole, and
/// waits for its end.
///
/// # Errors
/// When the host cannot be made.
pub fn outer(plan: &Plan) -> Result<()> {
    let namespaces = CloneFlags::CLONE_NEWNS
        | CloneFlags::CLONE_NEWPID
        | CloneFlags::CLONE_NEWUTS
        | CloneFlags::CLONE_NEWIPC
        | CloneFlags::CLONE_NEWNET;
    unshare(namespaces).context("cannot make a host's namespaces (the lab needs root)")?;
    let mut first = Command::new(std::env::current_exe()?)
        .arg("host-init-inner")
        .args(plan.arguments())
        // The lab's environment is none of the host's business.
        .env_clear()
        .env("PATH", crate::host::PATH)
        .stdout(Stdio::piped())
        .spawn()?;
    let mut said = String::new();
    BufReader::new(first.stdout.take().context("no pipe")?).read_line(&mut said)?;
    if said.trim() != READY {
        first.kill()?;
        first.wait()?;
        bail!("the host {} did not start", plan.name);
    }
    println!("{}", first.id());
    std::io::stdout().flush()?;
    first.wait()?;
    Ok(())
}

/// The first process inside: makes the root file system, `/proc`, `/sys`, `/dev` and `/run`, then reaps and waits.
///
/// # Errors
/// When the host cannot be made.
pub fn inner(plan: &Plan) -> Result<()> {
    set_pdeathsig(Signal::SIGKILL)?;
    let mut children = SigSet::empty();
    children.add(Signal::SIGCHLD);
    children.thread_block()?;

    make_root(plan)?;
    sethostname(&plan.name)?;

    println!("{READY}");
    std::io::stdout().flush()?;
    reap_until_released(&children)
}

/// Reaps every orphan; returns when the lab has let go of the host.
fn reap_until_released(children: &SigSet) -> Result<()> {
    let signals = SignalFd::new(children)?;
    let lifeline = std::io::stdin();
    loop {
        let mut wanted = [
            PollFd::new(lifeline.as_fd(), PollFlags::POLLIN),
            PollFd::new(signals.as_fd(), PollFlags::POLLIN),
        ];
        match poll(&mut wanted, PollTimeout::NONE) {
            Err(Errno::EINTR) => continue,
            result => result?,
        };
        let [released, child_ended] = wanted.map(|entry| entry.any().unwrap_or(true));
        if released {
            return Ok(());
        }
        if child_ended {
            signals.read_signal()?;
            while !matches!(
                waitpid(None, Some(WaitPidFlag::WNOHANG)),
                Ok(WaitStatus::StillAlive) | Err(_)
            ) {}
        }
    }
}

fn make_root(plan: &Plan) -> Result<()> {
    umask(Mode::from_bits_truncate(0o022));
    // From here on nothing that is mounted shows up on the machine.
    let private = MsFlags::MS_REC | MsFlags::MS_PRIVATE;
    mount(None::<&str>, "/", None::<&str>, private, None::<&str>)
        .context("cannot make mounts private")?;

    let scratch = &plan.mount_point;
    mount_new("tmpfs", scratch, MsFlags::empty(), "mode=0755,size=75%")?;
    let root = scratch.join("root");
    create_dir(&root)?;
    let (upper, work) = match &plan.upper {
        Some(upper) => (upper.clone(), upper.with_extension("work")),
        None => (scratch.join("upper"), scratch.join("work")),
    };
    create_dir_all(&upper)?;
    create_dir_all(&work)?;
    if let Some(begin) = &plan.begin {
        // Owners, modes, times, and what overlayfs keeps in attributes.
        let copied = Command::new("cp")
            .args(["--archive", "--no-target-directory", "--"])
            .args([begin, &upper])
            .status()?;
        if !copied.success() {
            bail!("cannot copy {} ({copied})", begin.display());
        }
    }

    // No MS_NOSUID: the product has a set-uid program.
    let layers = plan
        .lower
        .iter()
        .map(|path| plain(path))
        .collect::<Result<Vec<_>>>()?
        .join(":");
    let options = format!(
        "lowerdir={layers},upperdir={},workdir={}",
        plain(&upper)?,
        plain(&work)?
    );
    mount_new("overlay", &root, MsFlags::empty(), &options)?;

    let no_programs = MsFlags::MS_NOSUID | MsFlags::MS_NODEV | MsFlags::MS_NOEXEC;
    mount_new("proc", &root.join("proc"), no_programs, "")?;
    mount_new(
        "sysfs",
        &root.join("sys"),
        no_programs | MsFlags::MS_RDONLY,
        "",
    )?;
    mount_new(
        "tmpfs",
        &root.join("run"),
        MsFlags::MS_NOSUID | MsFlags::MS_NODEV,
        "mode=0755",
    )?;
    create_dir(root.join("run/lock"))?;
    fs::set_permissions(root.join("run/lock"), fs::Permissions::from_mode(0o1777))?;
    make_devices(&root.join("dev"))?;

    chdir(&root)?;
    // pivot_root(2), "pivot_root(".", ".")": the old root ends up on top of the new one and is taken off.
    pivot_root(".", ".").context("cannot enter the host's root")?;
    umount2(".", MntFlags::MNT_DETACH)?;
    chdir("/")?;
    fs::write("/etc/hostname", format!("{}\n", plan.name))?;
    // A namespace starts with the machine's own setting; a bastion is no router.
    fs::write("/proc/sys/net/ipv4/ip_forward", "0")?;
    Ok(())
}

fn make_devices(dev: &Path) -> Result<()> {
    mount_new("tmpfs", dev, MsFlags::MS_NOSUID, "mode=0755,size=1m")?;
    // Major and minor numbers: Linux, Documentation/admin-guide/devices.txt.
    let before = umask(Mode::empty());
    for (name, major, minor) in [
        ("null", 1, 3),
        ("zero", 1, 5),
        ("full", 1, 7),
        ("random", 1, 8),
        ("urandom", 1, 9),
        ("tty", 5, 0),
    ] {
        let everybody = Mode::from_bits_truncate(0o666);
        mknod(
            &dev.join(name),
            SFlag::S_IFCHR,
            everybody,
            makedev(major, minor),
        )?;
    }
    // As Debian's udev makes it, where the machine's kernel has it.
    if Path::new("/dev/fuse").exists() {
        let everybody = Mode::from_bits_truncate(0o666);
        mknod(
            &dev.join("fuse"),
            SFlag::S_IFCHR,
            everybody,
            makedev(10, 229),
        )?;
    }
    umask(before);
    let links = [
        ("ptmx", "pts/ptmx"),
        ("fd", "/proc/self/fd"),
        ("stdin", "fd/0"),
        ("stdout", "fd/1"),
        ("stderr", "fd/2"),
    ];
    for (name, target) in links {
        symlink(target, dev.join(name))?;
    }
    for name in ["pts", "shm"] {
        create_dir(dev.join(name))?;
    }
    let no_programs = MsFlags::MS_NOSUID | MsFlags::MS_NOEXEC;
    mount_new(
        "devpts",
        &dev.join("pts"),
        no_programs,
        "newinstance,ptmxmode=0666,mode=0620,gid=5",
    )?;
    mount_new(
        "tmpfs",
        &dev.join("shm"),
        MsFlags::MS_NOSUID | MsFlags::MS_NODEV,
        "mode=1777",
    )
}

fn mount_new(kind: &str, at: &Path, flags: MsFlags, options: &str) -> Result<()> {
    mount(Some(kind), at, Some(kind), flags, Some(options))
        .with_context(|| format!("cannot mount {kind} on {} ({options})", at.display()))
}

/// A path as it can stand in overlayfs's options, which have `,` and `:` between them.
fn plain(path: &Path) -> Result<&str> {
    match path.to_str() {
        Some(text) if !text.contains([',', ':', '\\']) => Ok(text),
        _ => bail!(
            "overlayfs cannot take the path {}: choose another XDG_CACHE_HOME",
            path.display()
        ),
    }
}
