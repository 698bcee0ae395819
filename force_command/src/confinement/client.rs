//! The client program's confinement: what `ssh` needs to speak over a connection that it is given, and no more.
//!
//! It may read the system's libraries and what names the user, and its own known hosts; write its own log; execute
//! itself. It opens no socket: [`super::listener`] hands it the asset's connection and its agent's. It sends no
//! signal, starts no process (but the program that hands it a password, where one is needed) and sees no terminal
//! but the one that it was started with.
#![forbid(unsafe_code)]

use super::domain::{Domain, DomainError, May, Outside};
use super::filter::{Argument, Calls, FCNTLS, FilterError, IOCTLS, sockets_by_listener};
use crate::sys;
use nix::errno::Errno;
use seccompiler::{BpfProgram, sock_filter};
use std::fmt;
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};

/// What one client may touch beside what all may.
#[derive(Debug, Clone, Default)]
pub struct Needs {
    /// The program itself.
    pub program: PathBuf,
    /// Files that it reads.
    pub reads: Vec<PathBuf>,
    /// Files that it appends to.
    pub writes: Vec<PathBuf>,
    /// A program that it may start beside itself: only then may it start processes.
    pub helper: Option<PathBuf>,
    /// It keeps its connection, and sessions come to it over a socket that it is given.
    pub keeps: bool,
}

/// Why a client cannot be confined.
#[derive(Debug)]
pub enum ConfinementError {
    /// Files.
    Domain(DomainError),
    /// System calls.
    Filter(FilterError),
}

impl fmt::Display for ConfinementError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Domain(error) => error.fmt(f),
            Self::Filter(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for ConfinementError {}

impl From<DomainError> for ConfinementError {
    fn from(error: DomainError) -> Self {
        Self::Domain(error)
    }
}

impl From<FilterError> for ConfinementError {
    fn from(error: FilterError) -> Self {
        Self::Filter(error)
    }
}

/// Everything that is made ready before the fork; entered by the child.
#[derive(Debug)]
pub struct ClientConfinement {
    domain: Domain,
    calls: BpfProgram,
    sockets: Vec<sock_filter>,
    has_landlock: bool,
}

impl ClientConfinement {
    /// Makes it ready. Where the kernel has no Landlock (`has_landlock`), all files stay what the uid makes them.
    ///
    /// # Errors
    /// [`ConfinementError`].
    pub fn new(needs: &Needs, has_landlock: bool) -> Result<Self, ConfinementError> {
        let system = READ.iter().map(|path| (Path::new(path), May::Read));
        let linkers = LINKERS.iter().map(|path| (Path::new(path), May::Execute));
        let devices = [
            (Path::new("/dev/null"), May::ReadWrite),
            (Path::new(&needs.program), May::Execute),
        ];
        let own = needs.reads.iter().map(|path| (path.as_path(), May::Read));
        let written = needs.writes.iter().map(|path| (path.as_path(), May::Write));
        let helper = needs.helper.iter();
        let helper = helper.map(|path| (path.as_path(), May::Execute));
        let rules = system.chain(linkers).chain(devices);
        let domain = Domain::new(
            rules.chain(own).chain(written).chain(helper),
            Outside::Nothing,
        )?;
        Ok(Self {
            domain,
            calls: calls(needs)?.compile()?,
            sockets: sockets_by_listener(if needs.keeps { &KEEPS } else { &[] }),
            has_landlock,
        })
    }

    /// For shell scripts in a test: confined by the same means, with most files and other programs allowed.
    #[cfg(test)]
    pub fn for_scripts() -> Self {
        let needs = Needs {
            program: "/bin/sh".into(),
            reads: vec!["/".into()],
            writes: vec!["/tmp".into(), "/dev".into()],
            helper: Some("/usr/bin".into()),
            keeps: false,
        };
        Self::new(&needs, jms::confinement::landlock() > 0).unwrap()
    }

    /// Confines this process, whose next step is to execute the program. `hand_out` takes the listener's descriptor
    /// to the one who will answer.
    ///
    /// # Errors
    /// What the kernel says; then the program must not be executed.
    pub fn enter(&self, hand_out: impl FnOnce(OwnedFd) -> Result<(), Errno>) -> Result<(), Errno> {
        nix::sys::prctl::set_no_new_privs()?;
        let entered = self.domain.enter().map_err(|_| Errno::EPERM)?;
        if entered != self.has_landlock {
            return Err(Errno::EPERM);
        }
        hand_out(sys::install_listener(&self.sockets)?)?;
        sys::install_filter(&self.calls)
    }
}

/// Read by every client. Folders with all that is below.
const READ: &[&str] = &[
    // Libraries: of the C library, of cryptography, of names.
    "/lib",
    "/lib64",
    "/usr/lib",
    "/usr/lib64",
    "/etc/ld.so.cache",
    // Who am I (getpwuid): files, then our own name service.
    "/etc/nsswitch.conf",
    "/etc/passwd",
    "/etc/group",
    "/etc/jms/uid-range",
    "/var/lib/jms/public",
    "/run/jms-keys",
    // Algorithms that the administrator allows.
    "/etc/ssl/openssl.cnf",
    "/etc/pki/tls/openssl.cnf",
    "/etc/crypto-policies",
    "/usr/share/crypto-policies",
    "/proc/sys/crypto",
    // Language and time of its log.
    "/usr/share/locale",
    "/etc/localtime",
    "/usr/share/zoneinfo",
    "/dev/urandom",
    "/dev/random",
];

/// Programs are started by the dynamic linker, which the kernel executes.
const LINKERS: &[&str] = &["/lib64/ld-linux-x86-64.so.2", "/lib/ld-linux-aarch64.so.1"];

/// Only a name and the right to be looked at: not the signal that it dies by when the relay dies.
const PRCTLS: &[u32] = &[
    libc::PR_SET_NAME as u32,
    libc::PR_GET_NAME as u32,
    libc::PR_SET_DUMPABLE as u32,
    libc::PR_GET_DUMPABLE as u32,
    libc::PR_SET_NO_NEW_PRIVS as u32,
    libc::PR_SET_VMA as u32,
];

/// Options of a connection: alive, prompt, its class of service.
const SOCKET_OPTIONS: &[(i32, i32)] = &[
    (libc::SOL_SOCKET, libc::SO_KEEPALIVE),
    (libc::SOL_SOCKET, libc::SO_RCVBUF),
    (libc::SOL_SOCKET, libc::SO_SNDBUF),
    (libc::IPPROTO_TCP, libc::TCP_NODELAY),
    (libc::IPPROTO_IP, libc::IP_TOS),
    (libc::IPPROTO_IPV6, libc::IPV6_TCLASS),
];

/// Flags of `clone` that make namespaces.
const NAMESPACES: u64 = (libc::CLONE_NEWCGROUP
    | libc::CLONE_NEWIPC
    | libc::CLONE_NEWNET
    | libc::CLONE_NEWNS
    | libc::CLONE_NEWPID
    | libc::CLONE_NEWUSER
    | libc::CLONE_NEWUTS) as u64;

/// What a client does to make the socket at which sessions come. All of it succeeds without doing anything: the socket
/// that it is given listens already, and has its name.
#[cfg(target_arch = "x86_64")]
const KEEPS: [libc::c_long; 6] = [
    libc::SYS_bind,
    libc::SYS_listen,
    libc::SYS_link,
    libc::SYS_linkat,
    libc::SYS_unlink,
    libc::SYS_unlinkat,
];
#[cfg(not(target_arch = "x86_64"))]
const KEEPS: [libc::c_long; 4] = [
    libc::SYS_bind,
    libc::SYS_listen,
    libc::SYS_linkat,
    libc::SYS_unlinkat,
];

fn calls(needs: &Needs) -> Result<Calls, FilterError> {
    use Argument::{HasNone, Is, IsNull};
    let mut calls = Calls::common();
    // `connect` does nothing, see `sockets_by_listener`.
    calls.allow(&[libc::SYS_execve, libc::SYS_connect]);
    // The C library's own (for nscd and the like) do not block, and fail here: the listener sees only the client's.
    for family in [libc::AF_INET, libc::AF_INET6, libc::AF_UNIX] {
        for kind in [libc::SOCK_STREAM, libc::SOCK_STREAM | libc::SOCK_CLOEXEC] {
            calls.allow_when(
                libc::SYS_socket,
                &[Is(0, family as u32), Is(1, kind as u32)],
            )?;
        }
    }
    for (level, option) in SOCKET_OPTIONS {
        calls.allow_when(
            libc::SYS_setsockopt,
            &[Is(1, *level as u32), Is(2, *option as u32)],
        )?;
    }
    // Without an address: to whom the socket is connected.
    calls.allow_when(libc::SYS_sendto, &[IsNull(4)])?;
    calls.allow_if(libc::SYS_ioctl, 1, IOCTLS)?;
    calls.allow_if(libc::SYS_fcntl, 1, FCNTLS)?;
    calls.allow_if(libc::SYS_prctl, 0, PRCTLS)?;
    // Its own limits, not those of the user's other processes.
    calls.allow_if(libc::SYS_prlimit64, 0, &[0])?;
    if needs.keeps {
        calls.allow(&KEEPS);
        calls.allow(&[libc::SYS_accept, libc::SYS_accept4]);
    }
    if needs.helper.is_some() {
        calls.allow_when(libc::SYS_clone, &[HasNone(0, NAMESPACES)])?;
        #[cfg(target_arch = "x86_64")]
        calls.allow(&[libc::SYS_fork, libc::SYS_vfork]);
    }
    Ok(calls)
}
