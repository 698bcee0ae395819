//! syslog(3), facility authpriv. No openlog(3): its tag would become the tag of all that the host
//! program says from then on.

use std::ffi::CString;

use libc::c_int;

/// For refusals.
pub(crate) fn notice(line: &str) {
    write(libc::LOG_NOTICE, line);
}

/// For what an administrator has to mend.
pub(crate) fn alert(line: &str) {
    write(libc::LOG_ALERT, line);
}

fn write(severity: c_int, line: &str) {
    let Ok(line) = CString::new(line) else {
        return;
    };
    // SAFETY: the format takes one string, which is NUL-terminated and outlives the call.
    unsafe { libc::syslog(libc::LOG_AUTHPRIV | severity, c"%s".as_ptr(), line.as_ptr()) };
}
