//! Lines for syslog, facility authpriv.
//!
//! syslog(3) waits for a log daemon that stands still as soon as its socket is full, and with it would every login. So
//! these lines go there by themselves, in the form of syslog(3), and one that is not taken at once is lost: the
//! helper's events wait in the store. No openlog(3) either: its tag would become the tag of all that the host program
//! says from then on.

use std::ffi::CString;
use std::io;
use std::os::unix::net::UnixDatagram;
use std::path::Path;

use libc::c_int;

const SOCKET: &str = "/dev/log";

/// For refusals.
pub(crate) fn notice(line: &str) {
    write(libc::LOG_NOTICE, line);
}

/// For what an administrator has to mend.
pub(crate) fn alert(line: &str) {
    write(libc::LOG_ALERT, line);
}

fn write(severity: c_int, line: &str) {
    let priority = libc::LOG_AUTHPRIV | severity;
    let message = format!(
        "<{priority}>{} {}[{}]: {line}",
        local_time(),
        program(),
        std::process::id()
    );
    match send(Path::new(SOCKET), message.as_bytes()) {
        // Some daemons listen on a stream; the C library knows how.
        Err(error) if error.raw_os_error() == Some(libc::EPROTOTYPE) => by_syslog(priority, line),
        _ => {}
    }
}

/// Hands a message over, or gives up at once.
fn send(path: &Path, message: &[u8]) -> io::Result<()> {
    let socket = UnixDatagram::unbound()?;
    socket.set_nonblocking(true)?;
    socket.send_to(message, path).map(drop)
}

/// The program that loaded us, as syslog(3) would name it: sshd writes over its arguments, but not over this.
fn program() -> String {
    let name = std::fs::read_to_string("/proc/self/comm").unwrap_or_default();
    match name.trim() {
        "" => "pam_jms".to_owned(),
        name => name.to_owned(),
    }
}

/// `Nov 21 09:31:09`, as RFC 3164 has it: local time, English months whatever the host program's language, the day
/// padded with a blank.
fn local_time() -> String {
    const MONTHS: [&str; 12] = [
        "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
    ];
    // SAFETY: with a null pointer time(2) writes nothing.
    let now = unsafe { libc::time(std::ptr::null_mut()) };
    // SAFETY: a struct of numbers and a pointer, for which zeroes are valid.
    let mut fields: libc::tm = unsafe { std::mem::zeroed() };
    // SAFETY: reads the one and fills the other; both live until the call returns.
    let filled = unsafe { libc::localtime_r(&raw const now, &raw mut fields) };
    let month = usize::try_from(fields.tm_mon)
        .ok()
        .and_then(|month| MONTHS.get(month));
    match month {
        Some(month) if !filled.is_null() => format!(
            "{month} {:>2} {:02}:{:02}:{:02}",
            fields.tm_mday, fields.tm_hour, fields.tm_min, fields.tm_sec
        ),
        _ => String::new(),
    }
}

fn by_syslog(priority: c_int, line: &str) {
    let Ok(line) = CString::new(line) else {
        return;
    };
    // SAFETY: the format takes one string, which is NUL-terminated and outlives the call.
    unsafe { libc::syslog(priority, c"%s".as_ptr(), line.as_ptr()) };
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_daemon_that_stands_still_is_not_waited_for() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("log");
        assert!(send(&path, b"nobody").is_err());
        let daemon = UnixDatagram::bind(&path).unwrap();
        send(&path, b"<86>one").unwrap();
        let mut taken = [0; 32];
        let length = daemon.recv(&mut taken).unwrap();
        assert_eq!(&taken[..length], b"<86>one");
        // Nobody reads: the queue is full after a while, and that is an error and no wait.
        let refused = (0..100_000).find_map(|_| send(&path, b"more").err());
        assert_eq!(refused.unwrap().kind(), io::ErrorKind::WouldBlock);
    }

    #[test]
    fn the_time_has_the_form_of_rfc_3164() {
        let time = local_time();
        let parts: Vec<&str> = time.split_whitespace().collect();
        assert_eq!((time.len(), parts.len()), (15, 3), "{time}");
        assert!(parts[2].split(':').all(|part| part.len() == 2), "{time}");
        assert!(!program().is_empty());
    }
}
