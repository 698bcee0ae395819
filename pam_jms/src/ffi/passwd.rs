//! getpwnam_r(3).

use std::ffi::CStr;

/// What is needed of an entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Entry {
    pub(crate) uid: libc::uid_t,
    pub(crate) gid: libc::gid_t,
}

const FIRST_BUFFER: usize = 1024;
const LARGEST_BUFFER: usize = 1024 * 1024;

/// Asks the name service. `None`: no such user, or the name service cannot tell.
pub(crate) fn lookup(name: &CStr) -> Option<Entry> {
    let mut size = FIRST_BUFFER;
    while size <= LARGEST_BUFFER {
        let mut buffer: Vec<libc::c_char> = vec![0; size];
        // SAFETY: a passwd is integers and pointers, for which all zero is a value.
        let mut entry: libc::passwd = unsafe { std::mem::zeroed() };
        let mut found: *mut libc::passwd = std::ptr::null_mut();
        // SAFETY: all pointers are to live objects of ours, the size is the buffer's.
        let error = unsafe {
            libc::getpwnam_r(
                name.as_ptr(),
                &raw mut entry,
                buffer.as_mut_ptr(),
                buffer.len(),
                &raw mut found,
            )
        };
        match error {
            0 if found.is_null() => return None,
            0 => {
                return Some(Entry {
                    uid: entry.pw_uid,
                    gid: entry.pw_gid,
                });
            }
            libc::ERANGE => size = size.saturating_mul(2),
            libc::EINTR => {}
            _ => return None,
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::{Entry, lookup};

    #[test]
    fn root_is_root_and_nobody_else_is() {
        assert_eq!(lookup(c"root"), Some(Entry { uid: 0, gid: 0 }));
        assert_eq!(lookup(c"no such user here"), None);
    }
}
