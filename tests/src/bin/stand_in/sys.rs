//! The system calls of the attacks.
#![allow(unsafe_code)]

use std::io::{Error, Result};
use std::os::fd::{AsRawFd, BorrowedFd};

fn done(result: impl Into<i64>) -> Result<()> {
    match result.into() {
        -1 => Err(Error::last_os_error()),
        _ => Ok(()),
    }
}

pub fn trace(pid: i32) -> Result<()> {
    // SAFETY: attaches to a process; nothing of ours is read or written.
    done(unsafe { libc::ptrace(libc::PTRACE_SEIZE, pid, 0_usize, 0_usize) })
}

pub fn signal(pid: i32, signal: i32) -> Result<()> {
    // SAFETY: takes numbers.
    done(unsafe { libc::kill(pid, signal) })
}

/// Makes a process that ends at once.
pub fn fork() -> Result<()> {
    // SAFETY: this program has one thread.
    match unsafe { libc::fork() } {
        // SAFETY: ends the new process.
        0 => unsafe { libc::_exit(0) },
        pid => done(pid),
    }
}

/// One byte from another process: its addresses are not known, so any answer but a refusal is one.
pub fn peek(pid: i32) -> Result<()> {
    let mut byte = [0_u8; 1];
    let here = libc::iovec {
        iov_base: byte.as_mut_ptr().cast(),
        iov_len: 1,
    };
    let there = libc::iovec {
        iov_base: std::ptr::without_provenance_mut(0x1000),
        iov_len: 1,
    };
    // SAFETY: one byte is written to `byte`; the other address is looked up in the other process.
    let read = unsafe { libc::process_vm_readv(pid, &raw const here, 1, &raw const there, 1, 0) };
    match done(i64::try_from(read).unwrap_or(-1)) {
        Err(error) if error.raw_os_error() != Some(libc::EFAULT) => Err(error),
        _ => Ok(()),
    }
}

pub fn control(descriptor: BorrowedFd<'_>, command: i32, value: i32) -> Result<()> {
    // SAFETY: commands of this program take a number.
    done(unsafe { libc::fcntl(descriptor.as_raw_fd(), command, value) })
}

/// Reads a limit of another process and sets it to what it is.
pub fn limit(pid: i32) -> Result<()> {
    let resource = libc::RLIMIT_CPU;
    let mut limits = libc::rlimit {
        rlim_cur: 0,
        rlim_max: 0,
    };
    // SAFETY: `limits` is valid for writing.
    done(unsafe { libc::prlimit(pid, resource, std::ptr::null(), &raw mut limits) })?;
    // SAFETY: `limits` is valid for reading.
    done(unsafe { libc::prlimit(pid, resource, &raw const limits, std::ptr::null_mut()) })
}

/// From here on the kernel answers as one that was built without Landlock: for root, who needs no `no_new_privs` for it.
pub fn forget_landlock() -> Result<()> {
    let step = |code: u32, skip, k| libc::sock_filter {
        code: code as u16,
        jt: skip,
        jf: 0,
        k,
    };
    let compare = libc::BPF_JMP | libc::BPF_K;
    let finish = libc::BPF_RET | libc::BPF_K;
    // The three calls have the numbers 444 to 446 on every architecture.
    let mut steps = [
        step(libc::BPF_LD | libc::BPF_W | libc::BPF_ABS, 0, 0),
        step(compare | libc::BPF_JGT, 1, 446),
        step(compare | libc::BPF_JGE, 1, 444),
        step(finish, 0, libc::SECCOMP_RET_ALLOW),
        step(finish, 0, libc::SECCOMP_RET_ERRNO | libc::ENOSYS as u32),
    ];
    let program = libc::sock_fprog {
        len: 5,
        filter: steps.as_mut_ptr(),
    };
    let mode = libc::SECCOMP_SET_MODE_FILTER;
    // SAFETY: the program and its steps live through the call, which only reads them.
    done(unsafe { libc::syscall(libc::SYS_seccomp, mode, 0, &raw const program) })
}
