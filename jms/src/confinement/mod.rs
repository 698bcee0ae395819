//! What the kernel offers to confine processes with, and what is made of it: files ([`domain`], Landlock), system calls
//! ([`filter`], seccomp), and the list of those that face the network ([`outward`]). Both mechanisms need no privilege
//! and cannot be undone; whatever a confined process executes is confined, too.

pub mod domain;
pub mod filter;
pub mod outward;
mod sys;

/// The version of the kernel's Landlock interface; 0: it has none, or it was not switched on at boot (`lsm=`).
///
/// From 1 on a session counts as confined: files, terminals, other processes' memory. What later versions add
/// (2 renaming, 3 truncating, 4 TCP, 5 devices, 6 signals and abstract sockets, 9 Unix sockets) is used where it is there;
/// the filter of system calls stands for all of it anyway.
#[must_use]
pub fn landlock() -> u32 {
    sys::landlock_version()
}

/// Whether the kernel has filters of system calls that a listener answers (Linux 5.0 with `CONFIG_SECCOMP_FILTER`).
/// Without them there are no sessions: the client program could not be given its connection.
#[must_use]
pub fn has_listeners() -> bool {
    sys::has_listeners()
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_kernel_answers() {
        // What `/proc/self/status` shows of filters comes with the same switch of the kernel.
        let status = std::fs::read_to_string("/proc/self/status").unwrap();
        assert_eq!(super::has_listeners(), status.contains("Seccomp_filters:"));
        assert!(super::landlock() < 1000);
    }
}
