//! The system calls that the standard library does not offer.
#![allow(unsafe_code)]

/// What a program of Rust's ends with after a panic.
const PANICKED: i32 = 101;

/// Where the C library starts the program. Rust's own way in first prepares for threads and for a sentence about a stack that
/// overflows: 0.08 ms, a sixth of what starting such a program costs, twice for each key. (The kernel ends it then as well.)
// SAFETY: the C library calls it by this name, and there is no other of it.
#[cfg_attr(not(test), unsafe(no_mangle))]
#[cfg_attr(test, allow(dead_code))]
extern "C" fn main(
    _count: std::ffi::c_int,
    _arguments: *const *const std::ffi::c_char,
) -> std::ffi::c_int {
    // Not by return: what is still to be written is written first.
    std::process::exit(status_of(crate::run))
}

/// The status after a run that says whether sshd may believe what was printed. A panic must not end the process by a signal: that
/// could leave a core, with what was read of others' keys.
fn status_of(run: impl FnOnce() -> bool + std::panic::UnwindSafe) -> i32 {
    std::panic::catch_unwind(run).map_or(PANICKED, |believed| i32::from(!believed))
}

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

#[cfg(test)]
mod tests {
    use super::status_of;

    #[test]
    fn a_panic_is_a_status_and_no_signal() {
        assert_eq!(status_of(|| true), 0);
        assert_eq!(status_of(|| false), 1);
        assert_eq!(status_of(|| panic!("on purpose")), 101);
    }
}
