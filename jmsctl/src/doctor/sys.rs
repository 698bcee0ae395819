//! The one question to the kernel that no crate of ours asks.
#![allow(unsafe_code)]

/// The version of Landlock that this kernel has, from 1; 0: none.
pub fn landlock_abi() -> i64 {
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
    version.max(0)
}
