//! Processes that face the network before anybody has proved who he is: the one that looks up a name, and the system's
//! programs that ask a machine for its host keys.
//!
//! They may make connections, and read what the C library needs for them. They write no file, open none of ours but
//! the published names, signal, trace and limit no process. Trusts the kernel.
#![forbid(unsafe_code)]

use super::domain::{Domain, DomainError, May, Outside};
use super::filter::{Argument, Calls, FCNTLS, FilterError, IOCTLS};
use seccompiler::BpfProgram;
use std::fmt;
use std::path::Path;

/// Why a process cannot be confined.
#[derive(Debug)]
pub enum OutwardError {
    /// Files.
    Domain(DomainError),
    /// System calls.
    Filter(FilterError),
    /// The kernel has Landlock and did not apply it.
    NotEnforced,
    /// The kernel refuses the filter.
    System(seccompiler::Error),
}

impl fmt::Display for OutwardError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Domain(error) => error.fmt(f),
            Self::Filter(error) => error.fmt(f),
            Self::NotEnforced => f.write_str("Landlock: the kernel did not apply it"),
            Self::System(error) => write!(f, "seccomp: {error}"),
        }
    }
}

impl std::error::Error for OutwardError {}

impl From<DomainError> for OutwardError {
    fn from(error: DomainError) -> Self {
        Self::Domain(error)
    }
}

impl From<FilterError> for OutwardError {
    fn from(error: FilterError) -> Self {
        Self::Filter(error)
    }
}

/// Made ready, not yet in force.
#[derive(Debug)]
pub struct Outward {
    domain: Domain,
    calls: BpfProgram,
}

impl Outward {
    /// For the system's programs. `by_name`: they are given a name, and look it up, for which some hosts need local
    /// sockets; otherwise there are none.
    ///
    /// # Errors
    /// [`OutwardError`].
    pub fn programs(by_name: bool) -> Result<Self, OutwardError> {
        let executed = PROGRAMS
            .iter()
            .map(|path| (Path::new(path), May::ExecuteAll));
        let mut calls = calls(by_name)?;
        // `ssh` gives its helper the ids that it has itself; there are no others to be had.
        calls.allow(&[libc::SYS_execve, libc::SYS_setresgid, libc::SYS_setresuid]);
        calls.allow_when(libc::SYS_clone, &[Argument::HasNone(0, NAMESPACES)])?;
        #[cfg(target_arch = "x86_64")]
        calls.allow(&[libc::SYS_fork, libc::SYS_vfork]);
        Self::new(executed, calls)
    }

    /// Confines this thread, and whatever it starts from now on. Where the kernel has no Landlock, files stay what the
    /// uid makes them.
    ///
    /// # Errors
    /// [`OutwardError`]; then it must not go on.
    pub fn enter(&self) -> Result<(), OutwardError> {
        if self.domain.enter()? != (super::landlock() > 0) {
            return Err(OutwardError::NotEnforced);
        }
        seccompiler::apply_filter(&self.calls).map_err(OutwardError::System)
    }

    fn new<'p>(
        executed: impl Iterator<Item = (&'p Path, May)>,
        calls: Calls,
    ) -> Result<Self, OutwardError> {
        let read = READ.iter().map(|path| (Path::new(path), May::Read));
        let services = NAME_SERVICES
            .iter()
            .map(|path| (Path::new(path), May::Connect));
        let nothing = [(Path::new("/dev/null"), May::ReadWrite)];
        let rules = read.chain(services).chain(nothing).chain(executed);
        Ok(Self {
            domain: Domain::new(rules, Outside::Ports)?,
            calls: calls.compile()?,
        })
    }
}

/// Folders with all that is below.
const READ: &[&str] = &[
    // Libraries, and what they are set up by.
    "/lib",
    "/lib64",
    "/usr/lib",
    "/usr/lib64",
    "/etc/ld.so.cache",
    "/etc/ssl/openssl.cnf",
    "/etc/pki/tls/openssl.cnf",
    "/etc/crypto-policies",
    "/usr/share/crypto-policies",
    "/proc/sys/crypto",
    // Names.
    "/etc/nsswitch.conf",
    "/etc/host.conf",
    "/etc/hosts",
    "/etc/hostname",
    "/etc/resolv.conf",
    "/etc/gai.conf",
    "/etc/services",
    "/etc/mdns.allow",
    "/etc/passwd",
    "/etc/group",
    "/etc/jms/uid-range",
    "/var/lib/jms/public",
    "/run/jms-keys",
    "/usr/share/locale",
    "/etc/localtime",
    "/usr/share/zoneinfo",
    "/dev/urandom",
    "/dev/random",
];

/// Where name services of the host answer: files that they publish, and their sockets.
const NAME_SERVICES: &[&str] = &[
    "/run/systemd/resolve",
    "/run/systemd/machines",
    "/run/systemd/machine",
    "/run/systemd/userdb",
    "/run/avahi-daemon",
    "/run/nscd",
    "/run/nslcd",
    "/run/samba/winbindd",
    "/var/lib/sss/mc",
    "/var/lib/sss/pipes",
];

/// The system's programs and libraries.
const PROGRAMS: &[&str] = &[
    "/bin",
    "/usr/bin",
    "/lib",
    "/lib64",
    "/usr/lib",
    "/usr/lib64",
];

const PRCTLS: &[u32] = &[
    libc::PR_SET_NAME as u32,
    libc::PR_GET_NAME as u32,
    libc::PR_SET_DUMPABLE as u32,
    libc::PR_GET_DUMPABLE as u32,
    libc::PR_SET_NO_NEW_PRIVS as u32,
    libc::PR_SET_VMA as u32,
];

/// Flags of `clone` that make namespaces.
const NAMESPACES: u64 = (libc::CLONE_NEWCGROUP
    | libc::CLONE_NEWIPC
    | libc::CLONE_NEWNET
    | libc::CLONE_NEWNS
    | libc::CLONE_NEWPID
    | libc::CLONE_NEWUSER
    | libc::CLONE_NEWUTS) as u64;

/// What connections are made with and waited for.
const CONNECTIONS: &[libc::c_long] = &[
    libc::SYS_bind,
    libc::SYS_connect,
    libc::SYS_epoll_create1,
    libc::SYS_epoll_ctl,
    libc::SYS_epoll_pwait,
    libc::SYS_recvmmsg,
    libc::SYS_sendmmsg,
    libc::SYS_sendmsg,
    libc::SYS_sendto,
    libc::SYS_setsockopt,
];

fn calls(local_sockets: bool) -> Result<Calls, FilterError> {
    let mut calls = Calls::common();
    calls.allow(CONNECTIONS);
    #[cfg(target_arch = "x86_64")]
    calls.allow(&[libc::SYS_epoll_wait]);
    let families = [libc::AF_INET as u32, libc::AF_INET6 as u32];
    calls.allow_if(libc::SYS_socket, 0, &families)?;
    if local_sockets {
        calls.allow_if(libc::SYS_socket, 0, &[libc::AF_UNIX as u32])?;
    }
    // The C library asks for the host's own addresses, to sort those of others.
    calls.allow_when(
        libc::SYS_socket,
        &[
            Argument::Is(0, libc::AF_NETLINK as u32),
            Argument::Is(2, libc::NETLINK_ROUTE as u32),
        ],
    )?;
    calls.allow_if(libc::SYS_ioctl, 1, IOCTLS)?;
    calls.allow_if(libc::SYS_fcntl, 1, FCNTLS)?;
    calls.allow_if(libc::SYS_prctl, 0, PRCTLS)?;
    calls.allow_if(libc::SYS_prlimit64, 0, &[0])?;
    Ok(calls)
}
