//! The one question to the kernel that no crate of ours asks in these words.
#![allow(unsafe_code)]

/// What the kernel says about Landlock.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Landlock {
    /// The version of its interface.
    Version(u32),
    /// The kernel has it, and it was left out at the start (`lsm=`).
    SwitchedOff,
    /// The kernel was built without it.
    Missing,
}

/// Asks the kernel (landlock(7), “Kernel interface”).
pub fn landlock() -> Landlock {
    /// linux/landlock.h: asks for the version, and makes no ruleset.
    const LANDLOCK_CREATE_RULESET_VERSION: u32 = 1;
    // SAFETY: with this flag the kernel wants no attributes and a size of zero, and touches no memory.
    let version = unsafe {
        libc::syscall(
            libc::SYS_landlock_create_ruleset,
            std::ptr::null::<libc::c_void>(),
            0_usize,
            LANDLOCK_CREATE_RULESET_VERSION,
        )
    };
    match u32::try_from(version) {
        Ok(version @ 1..) => Landlock::Version(version),
        Err(_) if nix::errno::Errno::last() == nix::errno::Errno::EOPNOTSUPP => {
            Landlock::SwitchedOff
        }
        _ => Landlock::Missing,
    }
}
