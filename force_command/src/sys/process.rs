//! The process itself: environment, signals, timers, limits, a child.

use nix::errno::Errno;
use std::ffi::{CStr, CString, c_char};

/// Forgets the whole environment.
pub fn clear_environment() {
    // SAFETY: the program has one thread, so nobody reads the environment meanwhile.
    unsafe { libc::clearenv() };
}

/// Gives the environment one variable again, for a library that reads it.
pub fn set_environment(name: &CStr, value: &CStr) {
    // SAFETY: the program has one thread, so nobody reads the environment meanwhile; both texts live
    // through the call, which copies them.
    unsafe { libc::setenv(name.as_ptr(), value.as_ptr(), 1) };
}

/// The highest signal number of this system.
#[must_use]
pub fn highest_signal() -> i32 {
    libc::SIGRTMAX()
}

/// Gives every signal its default disposition, and `ignored` none at all.
///
/// Signals that the C library keeps for itself, and those that cannot be changed, are left alone.
pub fn default_signals(ignored: &[i32]) {
    for signal in 1..=highest_signal() {
        let disposition = if ignored.contains(&signal) {
            libc::SIG_IGN
        } else {
            libc::SIG_DFL
        };
        // SAFETY: neither disposition is code of ours; a number that is no signal is refused.
        unsafe { libc::signal(signal, disposition) };
    }
}

/// Stops the three interval timers and the alarm, which survive `execve(2)`.
pub fn stop_timers() {
    let never = libc::timeval {
        tv_sec: 0,
        tv_usec: 0,
    };
    let stopped = libc::itimerval {
        it_interval: never,
        it_value: never,
    };
    for timer in [libc::ITIMER_REAL, libc::ITIMER_VIRTUAL, libc::ITIMER_PROF] {
        // SAFETY: the new value is valid for the call, and the old one is not asked for.
        unsafe { libc::setitimer(timer, &raw const stopped, std::ptr::null_mut()) };
    }
}

/// Sets both limits of a resource: `highest`, or what may still be had if that is less.
///
/// # Errors
/// What the kernel says.
pub fn limit(resource: libc::__rlimit_resource_t, highest: libc::rlim_t) -> Result<(), Errno> {
    let mut limits = libc::rlimit {
        rlim_cur: 0,
        rlim_max: 0,
    };
    // SAFETY: `limits` is valid for writing.
    Errno::result(unsafe { libc::getrlimit(resource, &raw mut limits) })?;
    limits.rlim_max = limits.rlim_max.min(highest);
    limits.rlim_cur = limits.rlim_max;
    // SAFETY: `limits` is valid for reading.
    Errno::result(unsafe { libc::setrlimit(resource, &raw const limits) }).map(drop)
}

/// Which side of a fork this is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Forked {
    /// The new process.
    Child,
    /// The old one, with the child's pid.
    Parent(i32),
}

/// Forks. The program has one thread, so the child may do everything that the parent may.
///
/// # Errors
/// What the kernel says.
pub fn fork() -> Result<Forked, Errno> {
    // SAFETY: the program has one thread: no lock can be held by a thread that the child lacks.
    match Errno::result(unsafe { libc::fork() })? {
        0 => Ok(Forked::Child),
        pid => Ok(Forked::Parent(pid)),
    }
}

/// Replaces the program. Returns only when that failed.
pub fn execute(program: &CStr, arguments: &[CString], environment: &[CString]) -> Errno {
    let pointers = |texts: &[CString]| -> Vec<*const c_char> {
        texts
            .iter()
            .map(|text| text.as_ptr())
            .chain([std::ptr::null()])
            .collect()
    };
    let (arguments, environment) = (pointers(arguments), pointers(environment));
    // SAFETY: both arrays end in a null pointer and live, like the texts, until the call returns.
    unsafe { libc::execve(program.as_ptr(), arguments.as_ptr(), environment.as_ptr()) };
    Errno::last()
}

/// Ends the process at once: no handler runs, nothing that the parent has buffered is written twice.
pub fn leave(status: i32) -> ! {
    // SAFETY: ends the process; nothing of it is used afterwards.
    unsafe { libc::_exit(status) }
}

/// Sends a signal to one thread of this process: tests have several.
#[cfg(test)]
pub fn signal_thread(thread: i32, signal: i32) {
    let process = nix::unistd::getpid().as_raw();
    // SAFETY: takes numbers; the thread is of this process.
    unsafe { libc::syscall(libc::SYS_tgkill, process, thread, signal) };
}
