//! Two questions to the kernel that no library asks for us.
#![allow(unsafe_code)]

/// `LANDLOCK_CREATE_RULESET_VERSION`
const VERSION: libc::c_uint = 1;

pub(super) fn landlock_version() -> u32 {
    let none = std::ptr::null::<libc::c_void>();
    // SAFETY: with this flag the kernel takes no pointer and gives back a number.
    let version =
        unsafe { libc::syscall(libc::SYS_landlock_create_ruleset, none, 0_usize, VERSION) };
    u32::try_from(version).unwrap_or(0)
}

pub(super) fn has_listeners() -> bool {
    let action: u32 = libc::SECCOMP_RET_USER_NOTIF;
    // SAFETY: the kernel reads the one number that it is shown.
    let result = unsafe {
        libc::syscall(
            libc::SYS_seccomp,
            libc::SECCOMP_GET_ACTION_AVAIL,
            0,
            &raw const action,
        )
    };
    result == 0
}
