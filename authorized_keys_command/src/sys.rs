//! The system calls that the standard library does not offer.
#![allow(unsafe_code)]

/// A reader that has gone away is an error of `write(2)`, not our death.
pub(crate) fn ignore_broken_pipes() {
    // SAFETY: SIG_IGN is a valid disposition, and no other thread exists.
    unsafe { libc::signal(libc::SIGPIPE, libc::SIG_IGN) };
}

/// Ends the process by SIGALRM after this many seconds, whatever it does then.
pub(crate) fn end_after(seconds: u32) {
    // SAFETY: SIG_DFL is a valid disposition, and no other thread exists.
    unsafe { libc::signal(libc::SIGALRM, libc::SIG_DFL) };
    // SAFETY: all zero is a valid signal set.
    let mut set: libc::sigset_t = unsafe { std::mem::zeroed() };
    // SAFETY: the set is ours.
    unsafe { libc::sigemptyset(&mut set) };
    // SAFETY: as above, and the signal exists.
    unsafe { libc::sigaddset(&mut set, libc::SIGALRM) };
    // SAFETY: the set is initialised; the old mask is not asked for.
    unsafe { libc::sigprocmask(libc::SIG_UNBLOCK, &set, std::ptr::null_mut()) };
    // SAFETY: has no memory to be careful with.
    unsafe { libc::alarm(seconds) };
}

/// Makes a second process, which nobody waits for and which holds nothing that anybody waits for; true in that one. The first one
/// goes on, with false.
pub(crate) fn is_on_its_own() -> bool {
    // SAFETY: no other thread exists, so the child may do whatever this process may.
    if unsafe { libc::fork() } != 0 {
        return false;
    }
    // SAFETY: has no memory to be careful with.
    unsafe { libc::setsid() };
    // sshd reads our output to its end, and has given us nothing else.
    // SAFETY: the path is a C string; no third argument without O_CREAT.
    let nothing = unsafe { libc::open(c"/dev/null".as_ptr(), libc::O_RDWR | libc::O_CLOEXEC) };
    for descriptor in 0..=2 {
        // SAFETY: who uses these three afterwards reads and writes nothing.
        if nothing < 0 || unsafe { libc::dup2(nothing, descriptor) } < 0 {
            // SAFETY: as above.
            unsafe { libc::close(descriptor) };
        }
    }
    true
}
