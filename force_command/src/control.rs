//! The control socket of a live session, `/run/jms/sessions/<session>`: a Unix datagram socket, mode 0600.
//!
//! One datagram is one message; there is no answer (the store and the socket's end tell what came of it):
//!
//! | message | effect |
//! | --- | --- |
//! | `decide-again` | policy has changed: the decision is made again now |
//! | `end REASON` | the session ends with status 76; REASON (UTF-8, may be missing) is shown to the person |
//!
//! Anything else is ignored, so that a newer `jmsctl` may say more. A socket that refuses a connection
//! belongs to a session that died without saying so.
//!
//! Trusts the socket's mode: only the service user can send.
#![forbid(unsafe_code)]

use jms::id::Id;
use jms::paths::Paths;
use std::fs::Permissions;
use std::io;
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::UnixDatagram;
use std::path::PathBuf;

/// The longest message, in bytes; what is longer is cut.
const LONGEST: usize = 1024;

/// What a session can be told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Told {
    /// Decide again.
    DecideAgain,
    /// End, for this reason.
    End(String),
}

/// The socket; its name goes when it is dropped.
#[derive(Debug)]
pub struct Control {
    socket: UnixDatagram,
    path: PathBuf,
}

impl Control {
    /// Makes the socket. To be called before the decision, so that no change after it is missed.
    ///
    /// # Errors
    /// What the system says.
    pub fn listen(paths: &Paths, session: &Id) -> io::Result<Self> {
        let path = paths.sessions().join(session.as_str());
        let control = Self {
            socket: UnixDatagram::bind(&path)?,
            path,
        };
        std::fs::set_permissions(&control.path, Permissions::from_mode(0o600))?;
        control.socket.set_nonblocking(true)?;
        Ok(control)
    }

    /// Readable when something was said.
    #[must_use]
    pub fn descriptor(&self) -> BorrowedFd<'_> {
        self.socket.as_fd()
    }

    /// The next message that is understood.
    #[must_use]
    pub fn next(&self) -> Option<Told> {
        let mut bytes = [0; LONGEST];
        loop {
            let length = self.socket.recv(&mut bytes).ok()?;
            if let Some(told) = parse(bytes.get(..length).unwrap_or_default()) {
                return Some(told);
            }
        }
    }
}

impl Drop for Control {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.path);
    }
}

fn parse(message: &[u8]) -> Option<Told> {
    let text = String::from_utf8_lossy(message);
    let text = text.trim_end();
    match text.split_once(' ').unwrap_or((text, "")) {
        ("decide-again", _) => Some(Told::DecideAgain),
        // The reason goes to a terminal.
        ("end", reason) => Some(Told::End(
            reason
                .chars()
                .map(|c| if c.is_control() { ' ' } else { c })
                .collect(),
        )),
        _ => None,
    }
}

/// Whether a session with this control socket lives.
#[must_use]
pub fn is_live(paths: &Paths, session: &str) -> bool {
    let lives = || UnixDatagram::unbound()?.connect(paths.sessions().join(session));
    !lives().is_err_and(|error: io::Error| {
        matches!(
            error.kind(),
            io::ErrorKind::ConnectionRefused | io::ErrorKind::NotFound
        )
    })
}

/// Removes what sessions that died without saying so have left in `/run/jms`.
pub fn sweep(paths: &Paths) {
    let names = |folder: PathBuf| -> Vec<String> {
        let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
        entries
            .filter_map(|entry| entry.file_name().into_string().ok())
            .filter(|name| Id::parse(name).is_some())
            .collect()
    };
    // Folders first: a session has its socket before its folder, and loses it after.
    for session in names(paths.egress()) {
        if !is_live(paths, &session) {
            let _ = std::fs::remove_dir_all(paths.egress().join(session));
        }
    }
    for session in names(paths.sessions()) {
        if !is_live(paths, &session) {
            let _ = std::fs::remove_file(paths.sessions().join(session));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn paths() -> (tempfile::TempDir, Paths) {
        let folder = tempfile::tempdir().unwrap();
        let paths = Paths::under(folder.path());
        paths.create().unwrap();
        (folder, paths)
    }

    #[test]
    fn what_is_said_is_understood_or_ignored() {
        let (_folder, paths) = paths();
        let id = Id::random().unwrap();
        let control = Control::listen(&paths, &id).unwrap();
        assert_eq!(control.next(), None);
        let sender = UnixDatagram::unbound().unwrap();
        for message in ["dance", "decide-again", "end", "end too late\x1b[2J\n"] {
            sender
                .send_to(message.as_bytes(), paths.sessions().join(id.as_str()))
                .unwrap();
        }
        assert_eq!(control.next(), Some(Told::DecideAgain));
        assert_eq!(control.next(), Some(Told::End(String::new())));
        assert_eq!(control.next(), Some(Told::End("too late [2J".into())));
        assert_eq!(control.next(), None);
    }

    #[test]
    fn what_a_dead_session_left_is_swept_and_what_a_live_one_has_is_not() {
        let (_folder, paths) = paths();
        let (live, dead) = (Id::random().unwrap(), Id::random().unwrap());
        let control = Control::listen(&paths, &live).unwrap();
        drop(UnixDatagram::bind(paths.sessions().join(dead.as_str())).unwrap());
        for id in [&live, &dead] {
            std::fs::create_dir(paths.egress().join(id.as_str())).unwrap();
        }
        sweep(&paths);
        assert!(is_live(&paths, live.as_str()) && !is_live(&paths, dead.as_str()));
        assert!(
            paths.egress().join(live.as_str()).exists()
                && !paths.egress().join(dead.as_str()).exists()
        );
        assert!(
            paths.sessions().join(live.as_str()).exists()
                && !paths.sessions().join(dead.as_str()).exists()
        );
        drop(control);
        assert!(!paths.sessions().join(live.as_str()).exists());
    }
}
