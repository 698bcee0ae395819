//! The C side: what glibc calls (`nss(5)`, glibc manual "NSS Module Function Internals").
//!
//! Each entry goes through [`guard`]: no panic leaves it, and `errno` is right on each way out.
#![allow(unsafe_code)]

mod find_object;

use std::{
    ffi::{CStr, c_char, c_int},
    mem::MaybeUninit,
    panic::{AssertUnwindSafe, catch_unwind},
    slice,
    sync::atomic::{AtomicBool, AtomicU64, Ordering},
};

use libc::{passwd, size_t, uid_t};

use crate::{
    kept::Kept,
    lookup::{self, Cursor, Failure, Found, Paths},
    record::lay_out,
    sys::Shared,
};

/// `enum nss_status` of `<nss.h>`.
const TRY_AGAIN: c_int = -2;
const UNAVAILABLE: c_int = -1;
const NOT_FOUND: c_int = 0;
const SUCCESS: c_int = 1;

/// `<pthread.h>`.
const PTHREAD_CANCEL_ENABLE: c_int = 0;
const PTHREAD_CANCEL_DISABLE: c_int = 1;

unsafe extern "C" {
    fn pthread_setcancelstate(state: c_int, before: *mut c_int) -> c_int;
}

/// Where the enumeration of this process stands: uid in the high half, number in the low one. glibc calls
/// `getpwent_r` under a lock of its own.
static CURSOR: AtomicU64 = AtomicU64::new(0);

/// What this process keeps.
static KEPT: Shared<Kept> = Shared::new(Kept::new());

/// The caller's memory for the answer.
#[derive(Clone, Copy)]
struct Destination {
    result: *mut passwd,
    buffer: *mut c_char,
    length: size_t,
}

impl Destination {
    /// Writes the answer.
    ///
    /// # Safety
    /// `result` is null or valid for writing a `passwd`, `buffer` is null or valid for writing `length` bytes, and nobody
    /// else uses them meanwhile.
    unsafe fn write(self, name: &[u8], found: &Found) -> Result<(), Failure> {
        if self.result.is_null() {
            return Err(Failure::Unavailable(libc::EINVAL));
        }
        if self.buffer.is_null() {
            return Err(Failure::TooSmall);
        }
        // SAFETY: by this function's contract; MaybeUninit, because the caller need not have initialised it. No object is
        // larger than isize::MAX bytes, so a length beyond that is cut to what can exist.
        let bytes = unsafe {
            slice::from_raw_parts_mut(
                self.buffer.cast::<MaybeUninit<u8>>(),
                self.length.min(isize::MAX as usize),
            )
        };
        let layout = lay_out(bytes, name).ok_or(Failure::TooSmall)?;
        let at = |offset: usize| self.buffer.wrapping_add(offset);
        let entry = passwd {
            pw_name: at(layout.name),
            pw_passwd: at(layout.password),
            pw_uid: found.user.uid(),
            pw_gid: found.gid,
            pw_gecos: at(layout.gecos),
            pw_dir: at(layout.home),
            pw_shell: at(layout.shell),
        };
        // SAFETY: by this function's contract.
        unsafe { self.result.write(entry) };
        Ok(())
    }
}

/// Runs one entry: turns its result into a status, sets `*errnop`, and leaves the caller's `errno` alone on success.
///
/// # Safety
/// `errnop` is null or valid for writing an `int`.
unsafe fn guard(errnop: *mut c_int, entry: impl FnOnce() -> Result<(), Failure>) -> c_int {
    // SAFETY: always valid for the calling thread.
    let errno = unsafe { libc::__errno_location() };
    // SAFETY: as above.
    let saved = unsafe { errno.read() };
    let cancellable = set_cancellable(PTHREAD_CANCEL_DISABLE);
    let outcome = catch_unwind(AssertUnwindSafe(|| {
        keep_panics_quiet();
        entry()
    }));
    set_cancellable(cancellable);
    // SAFETY: as above.
    unsafe { errno.write(saved) };
    let (status, code) = match outcome {
        Ok(Ok(())) => (SUCCESS, if errnop == errno { saved } else { 0 }),
        Ok(Err(Failure::NotFound)) => (NOT_FOUND, libc::ENOENT),
        Ok(Err(Failure::TooSmall)) => (TRY_AGAIN, libc::ERANGE),
        // ERANGE would make glibc believe that a bigger buffer helps.
        Ok(Err(Failure::Unavailable(libc::ERANGE))) => (UNAVAILABLE, libc::EIO),
        Ok(Err(Failure::Unavailable(code))) => (UNAVAILABLE, code),
        Err(payload) => {
            // Dropping it would run code that may panic again.
            std::mem::forget(payload);
            (UNAVAILABLE, libc::EIO)
        }
    };
    if !errnop.is_null() {
        // SAFETY: by this function's contract.
        unsafe { errnop.write(code) };
    }
    status
}

/// Sets whether the calling thread can be cancelled, and gives what it was. A thread that was cancelled within us (reading a file is a
/// point where that happens) would be unwound through our frames, which ends the whole process.
fn set_cancellable(state: c_int) -> c_int {
    let mut before = PTHREAD_CANCEL_ENABLE;
    // SAFETY: the place is valid for writing; the states are 0, 1 and what the function itself has given.
    unsafe { pthread_setcancelstate(state, &mut before) };
    before
}

/// A panic must not write to the standard error of whatever program this is, nor read its environment, as Rust's own hook does.
fn keep_panics_quiet() {
    static DONE: AtomicBool = AtomicBool::new(cfg!(test));
    if !DONE.load(Ordering::Relaxed) && !DONE.swap(true, Ordering::Relaxed) {
        std::panic::set_hook(Box::new(|_| {}));
    }
}

/// # Safety
/// As for [`_nss_jms_getpwnam_r`].
unsafe fn get_by_name(
    paths: &Paths<'_>,
    kept: &Shared<Kept>,
    name: *const c_char,
    into: Destination,
    errnop: *mut c_int,
) -> c_int {
    let entry = || {
        if name.is_null() {
            return Err(Failure::Unavailable(libc::EINVAL));
        }
        // SAFETY: by this function's contract.
        let name = unsafe { CStr::from_ptr(name) }.to_bytes();
        let found = lookup::by_name(paths, kept, name)?;
        // SAFETY: by this function's contract.
        unsafe { into.write(name, &found) }
    };
    // SAFETY: by this function's contract.
    unsafe { guard(errnop, entry) }
}

/// # Safety
/// As for [`_nss_jms_getpwuid_r`].
unsafe fn get_by_uid(
    paths: &Paths<'_>,
    kept: &Shared<Kept>,
    uid: uid_t,
    into: Destination,
    errnop: *mut c_int,
) -> c_int {
    let entry = || {
        let found = lookup::by_uid(paths, kept, uid)?;
        // SAFETY: by this function's contract.
        unsafe { into.write(found.user.name().as_bytes(), &found) }
    };
    // SAFETY: by this function's contract.
    unsafe { guard(errnop, entry) }
}

/// # Safety
/// As for [`_nss_jms_getpwent_r`].
unsafe fn get_next(
    paths: &Paths<'_>,
    cursor: &AtomicU64,
    into: Destination,
    errnop: *mut c_int,
) -> c_int {
    let entry = || {
        let place = cursor.load(Ordering::Relaxed);
        let place = Cursor {
            uid: (place >> 32) as u32,
            number: place as u32,
        };
        let (found, next) = lookup::next(paths, place)?;
        // SAFETY: by this function's contract.
        unsafe { into.write(found.user.name().as_bytes(), &found) }?;
        // Only now: a caller whose buffer was too small comes again for the same user.
        cursor.store(
            (u64::from(next.uid) << 32) | u64::from(next.number),
            Ordering::Relaxed,
        );
        Ok(())
    };
    // SAFETY: by this function's contract.
    unsafe { guard(errnop, entry) }
}

/// `getpwnam_r`: the virtual user of this login name.
///
/// # Safety
/// `name` is a C string; `result`, `buffer` (of `length` bytes) and `errnop` are valid for writing, or null.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn _nss_jms_getpwnam_r(
    name: *const c_char,
    result: *mut passwd,
    buffer: *mut c_char,
    length: size_t,
    errnop: *mut c_int,
) -> c_int {
    // SAFETY: handed on from the caller.
    unsafe {
        get_by_name(
            &Paths::system(),
            &KEPT,
            name,
            Destination {
                result,
                buffer,
                length,
            },
            errnop,
        )
    }
}

/// `getpwuid_r`: the virtual user with this uid.
///
/// # Safety
/// `result`, `buffer` (of `length` bytes) and `errnop` are valid for writing, or null.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn _nss_jms_getpwuid_r(
    uid: uid_t,
    result: *mut passwd,
    buffer: *mut c_char,
    length: size_t,
    errnop: *mut c_int,
) -> c_int {
    // SAFETY: handed on from the caller.
    unsafe {
        get_by_uid(
            &Paths::system(),
            &KEPT,
            uid,
            Destination {
                result,
                buffer,
                length,
            },
            errnop,
        )
    }
}

/// `getpwent_r`: the next virtual user, if root's file allows to list them.
///
/// # Safety
/// `result`, `buffer` (of `length` bytes) and `errnop` are valid for writing, or null.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn _nss_jms_getpwent_r(
    result: *mut passwd,
    buffer: *mut c_char,
    length: size_t,
    errnop: *mut c_int,
) -> c_int {
    // SAFETY: handed on from the caller.
    unsafe {
        get_next(
            &Paths::system(),
            &CURSOR,
            Destination {
                result,
                buffer,
                length,
            },
            errnop,
        )
    }
}

/// `setpwent`: the enumeration begins anew.
#[unsafe(no_mangle)]
pub extern "C" fn _nss_jms_setpwent(_stay_open: c_int) -> c_int {
    CURSOR.store(0, Ordering::Relaxed);
    SUCCESS
}

/// `endpwent`: the enumeration is over; there is nothing to close.
#[unsafe(no_mangle)]
pub extern "C" fn _nss_jms_endpwent() -> c_int {
    CURSOR.store(0, Ordering::Relaxed);
    SUCCESS
}

#[cfg(test)]
mod tests;
