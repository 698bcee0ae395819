//! seccomp filters: the system calls that a process may make. All others fail with `ENOSYS`, as on a kernel that
//! does not have them, so that the C library takes an older way where there is one.
#![forbid(unsafe_code)]

use libc::c_long;
use seccompiler::{
    BpfProgram, SeccompAction, SeccompCmpArgLen, SeccompCmpOp, SeccompCondition, SeccompFilter,
    SeccompRule, TargetArch, sock_filter,
};
use std::collections::BTreeMap;
use std::fmt;

#[cfg(target_arch = "x86_64")]
const ARCHITECTURE: TargetArch = TargetArch::x86_64;
#[cfg(target_arch = "aarch64")]
const ARCHITECTURE: TargetArch = TargetArch::aarch64;

/// Why there is no filter. It is made of constants, so this is a fault of ours.
#[derive(Debug)]
pub struct FilterError(seccompiler::BackendError);

impl fmt::Display for FilterError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "seccomp: {}", self.0)
    }
}

impl std::error::Error for FilterError {}

impl From<seccompiler::BackendError> for FilterError {
    fn from(error: seccompiler::BackendError) -> Self {
        Self(error)
    }
}

/// A list of system calls, some of them with certain arguments only.
#[derive(Debug, Default)]
pub struct Calls {
    rules: BTreeMap<c_long, Vec<SeccompRule>>,
}

impl Calls {
    /// What every program of ours and the C library do with their own memory, time, signals and open descriptors.
    #[must_use]
    pub fn common() -> Self {
        let mut calls = Self::default();
        calls.allow(COMMON);
        #[cfg(target_arch = "x86_64")]
        calls.allow(COMMON_X86_64);
        calls
    }

    /// Allows calls with any arguments.
    pub fn allow(&mut self, numbers: &[c_long]) {
        for number in numbers {
            self.rules.insert(*number, Vec::new());
        }
    }

    /// Allows a call when every one of `conditions` holds. Said several times, one of them is enough.
    ///
    /// # Errors
    /// [`FilterError`] for an argument above 5.
    pub fn allow_when(
        &mut self,
        number: c_long,
        conditions: &[Argument],
    ) -> Result<(), FilterError> {
        let conditions: Result<Vec<SeccompCondition>, FilterError> =
            conditions.iter().copied().map(condition).collect();
        self.rules
            .entry(number)
            .or_default()
            .push(SeccompRule::new(conditions?)?);
        Ok(())
    }

    /// Allows a call where the low 32 bits of argument `index` (from 0) are one of `values`.
    ///
    /// # Errors
    /// As [`Calls::allow_when`].
    pub fn allow_if(
        &mut self,
        number: c_long,
        index: u8,
        values: &[u32],
    ) -> Result<(), FilterError> {
        for value in values {
            self.allow_when(number, &[Argument::Is(index, *value)])?;
        }
        Ok(())
    }

    /// The filter for this list.
    ///
    /// # Errors
    /// [`FilterError`].
    pub fn compile(self) -> Result<BpfProgram, FilterError> {
        let filter = SeccompFilter::new(
            self.rules,
            SeccompAction::Errno(libc::ENOSYS as u32),
            SeccompAction::Allow,
            ARCHITECTURE,
        )?;
        Ok(BpfProgram::try_from(filter)?)
    }
}

/// What an argument of a call must be. Arguments are counted from 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Argument {
    /// The low 32 bits, which is all that the kernel looks at in an `int`, are this.
    Is(u8, u32),
    /// A null pointer.
    IsNull(u8),
    /// None of these bits is set.
    HasNone(u8, u64),
}

fn condition(argument: Argument) -> Result<SeccompCondition, FilterError> {
    let (index, length, operator, value) = match argument {
        Argument::Is(index, value) => (
            index,
            SeccompCmpArgLen::Dword,
            SeccompCmpOp::Eq,
            value.into(),
        ),
        Argument::IsNull(index) => (index, SeccompCmpArgLen::Qword, SeccompCmpOp::Eq, 0),
        Argument::HasNone(index, bits) => (
            index,
            SeccompCmpArgLen::Qword,
            SeccompCmpOp::MaskedEq(bits),
            0,
        ),
    };
    Ok(SeccompCondition::new(index, length, operator, value)?)
}

/// The filter that hands every `socket` to a listener, and lets every `connect`, and each of `nothing`, succeed without
/// doing anything: the listener hands over sockets that are connected, or listen. To be installed beside a list of allowed
/// calls, which sees to architecture and arguments.
#[must_use]
pub fn sockets_by_listener(nothing: &[c_long]) -> Vec<sock_filter> {
    let statement = |code: u32, k| sock_filter {
        code: code as u16,
        jt: 0,
        jf: 0,
        k,
    };
    let skip_to = |steps: usize, number: c_long| sock_filter {
        code: (libc::BPF_JMP | libc::BPF_JEQ | libc::BPF_K) as u16,
        // The list is a few calls long.
        jt: steps as u8,
        jf: 0,
        k: number as u32,
    };
    let done = libc::BPF_RET | libc::BPF_K;
    let count = nothing.len();
    // The number of the call is the first field of what a filter sees (`struct seccomp_data`).
    let mut program = vec![
        statement(libc::BPF_LD | libc::BPF_W | libc::BPF_ABS, 0),
        skip_to(count + 2, libc::SYS_socket),
        skip_to(count + 2, libc::SYS_connect),
    ];
    let each = nothing.iter().enumerate();
    program.extend(each.map(|(place, number)| skip_to(count - place + 1, *number)));
    program.extend([
        statement(done, libc::SECCOMP_RET_ALLOW),
        statement(done, libc::SECCOMP_RET_USER_NOTIF),
        // Error 0.
        statement(done, libc::SECCOMP_RET_ERRNO),
    ]);
    program
}

/// Requests on descriptors: modes and size of the own terminal, how much is there to read.
pub const IOCTLS: &[u32] = &[
    libc::TCGETS as u32,
    libc::TCSETS as u32,
    libc::TCSETSW as u32,
    libc::TCSETSF as u32,
    libc::TIOCGWINSZ as u32,
    libc::TIOCGPGRP as u32,
    libc::FIONREAD as u32,
    libc::FIONBIO as u32,
];

/// None of these names another process: an owner of a descriptor is signalled.
pub const FCNTLS: &[u32] = &[
    libc::F_DUPFD as u32,
    libc::F_DUPFD_CLOEXEC as u32,
    libc::F_GETFD as u32,
    libc::F_SETFD as u32,
    libc::F_GETFL as u32,
    libc::F_SETFL as u32,
    libc::F_GETLK as u32,
    libc::F_SETLK as u32,
    libc::F_SETLKW as u32,
];

const COMMON: &[c_long] = &[
    libc::SYS_brk,
    libc::SYS_clock_getres,
    libc::SYS_clock_gettime,
    libc::SYS_clock_nanosleep,
    libc::SYS_close,
    libc::SYS_close_range,
    libc::SYS_dup,
    libc::SYS_dup3,
    libc::SYS_exit,
    libc::SYS_exit_group,
    libc::SYS_faccessat,
    libc::SYS_faccessat2,
    libc::SYS_fstat,
    libc::SYS_fstatfs,
    libc::SYS_fsync,
    libc::SYS_futex,
    libc::SYS_getcwd,
    libc::SYS_getdents64,
    libc::SYS_getegid,
    libc::SYS_geteuid,
    libc::SYS_getgid,
    libc::SYS_getgroups,
    libc::SYS_getitimer,
    libc::SYS_getpeername,
    libc::SYS_getpgid,
    libc::SYS_getpid,
    libc::SYS_getppid,
    libc::SYS_getrandom,
    libc::SYS_getresgid,
    libc::SYS_getresuid,
    libc::SYS_getrusage,
    libc::SYS_getsockname,
    libc::SYS_getsockopt,
    libc::SYS_gettid,
    libc::SYS_gettimeofday,
    libc::SYS_getuid,
    libc::SYS_lseek,
    libc::SYS_madvise,
    libc::SYS_membarrier,
    libc::SYS_mmap,
    libc::SYS_mprotect,
    libc::SYS_mremap,
    libc::SYS_munmap,
    libc::SYS_nanosleep,
    libc::SYS_newfstatat,
    libc::SYS_openat,
    libc::SYS_pipe2,
    libc::SYS_ppoll,
    libc::SYS_pread64,
    libc::SYS_pselect6,
    libc::SYS_pwrite64,
    libc::SYS_read,
    libc::SYS_readlinkat,
    libc::SYS_readv,
    libc::SYS_recvfrom,
    libc::SYS_recvmsg,
    libc::SYS_restart_syscall,
    libc::SYS_rseq,
    libc::SYS_rt_sigaction,
    libc::SYS_rt_sigpending,
    libc::SYS_rt_sigprocmask,
    libc::SYS_rt_sigreturn,
    libc::SYS_rt_sigsuspend,
    libc::SYS_rt_sigtimedwait,
    libc::SYS_sched_getaffinity,
    libc::SYS_sched_yield,
    libc::SYS_set_robust_list,
    libc::SYS_set_tid_address,
    libc::SYS_setitimer,
    libc::SYS_shutdown,
    libc::SYS_sigaltstack,
    libc::SYS_statfs,
    libc::SYS_statx,
    libc::SYS_sysinfo,
    libc::SYS_times,
    libc::SYS_umask,
    libc::SYS_uname,
    libc::SYS_wait4,
    libc::SYS_waitid,
    libc::SYS_write,
    libc::SYS_writev,
];

#[cfg(target_arch = "x86_64")]
const COMMON_X86_64: &[c_long] = &[
    libc::SYS_access,
    libc::SYS_alarm,
    libc::SYS_arch_prctl,
    libc::SYS_dup2,
    libc::SYS_getpgrp,
    libc::SYS_getrlimit,
    libc::SYS_lstat,
    libc::SYS_open,
    libc::SYS_pause,
    libc::SYS_pipe,
    libc::SYS_poll,
    libc::SYS_readlink,
    libc::SYS_select,
    libc::SYS_stat,
    libc::SYS_time,
];
