//! The control socket of a live session, `/run/jms/sessions/<session>`: a Unix datagram socket, mode 0600.
//!
//! One datagram is one message; there is no answer (the store and the socket's end tell what came of it):
//!
//! | message | effect |
//! | --- | --- |
//! | `decide-again` | policy may have changed: the decision is made again now |
//! | `decide-again NUMBER` | the same; the newest change of the policy has this number: a connection that is kept for a next session, and was made under another one, ends |
//! | `end REASON` | the session ends with status 76; REASON (UTF-8, may be missing) is shown to the person |
//!
//! Anything else is ignored, so that a newer `jmsctl` may say more. A socket that refuses a connection
//! belongs to a session that died without saying so.
//!
//! Trusts the socket's mode: only the service user can send.
#![forbid(unsafe_code)]

use jms::id::Id;
use jms::paths::Paths;
use jms::warm::{Place, is_live};
use nix::sys::socket::{MsgFlags, recv};
use std::fs::Permissions;
use std::io;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::UnixDatagram;
use std::path::PathBuf;

/// The longest message, in bytes; what is longer is cut.
const LONGEST: usize = 1024;

/// What a session can be told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Told {
    /// Decide again; the number of the newest change of the policy, if it was said.
    DecideAgain(Option<u64>),
    /// End, for this reason.
    End(String),
}

/// The socket; its name goes when it is dropped.
#[derive(Debug)]
pub struct Control {
    socket: UnixDatagram,
    path: PathBuf,
    /// Another process has it too, and removes its name.
    left: bool,
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
            left: false,
        };
        std::fs::set_permissions(&control.path, Permissions::from_mode(0o600))?;
        control.socket.set_nonblocking(true)?;
        Ok(control)
    }

    /// Its name.
    #[must_use]
    pub fn path(&self) -> &std::path::Path {
        &self.path
    }

    /// Leaves the socket to the process that was forked since.
    pub fn leave(mut self) {
        self.left = true;
    }

    /// Readable when something was said.
    #[must_use]
    pub fn descriptor(&self) -> BorrowedFd<'_> {
        self.socket.as_fd()
    }

    /// Whether something was said that is no repetition: the number of the newest change is still `policy` in what is. What
    /// matters stays, to be read by [`Control::next`].
    #[must_use]
    pub fn has_news(&self, policy: u64) -> bool {
        let mut bytes = [0; LONGEST];
        let flags = MsgFlags::MSG_PEEK | MsgFlags::MSG_DONTWAIT;
        while let Ok(length) = recv(self.socket.as_raw_fd(), &mut bytes, flags) {
            match parse(bytes.get(..length).unwrap_or_default()) {
                Some(Told::DecideAgain(Some(number))) if number == policy => {}
                None => {}
                Some(_) => return true,
            }
            if self.socket.recv(&mut bytes).is_err() {
                return false;
            }
        }
        false
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
        if !self.left {
            let _ = std::fs::remove_file(&self.path);
        }
    }
}

fn parse(message: &[u8]) -> Option<Told> {
    let text = String::from_utf8_lossy(message);
    let text = text.trim_end();
    match text.split_once(' ').unwrap_or((text, "")) {
        ("decide-again", number) => Some(Told::DecideAgain(number.parse().ok())),
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
    for place in Place::all(paths) {
        if !is_live(paths, &place.id) {
            let _ = std::fs::remove_dir_all(place.path());
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
        for message in [
            "dance",
            "decide-again",
            "decide-again 1700",
            "decide-again soon",
            "end",
            "end too late\x1b[2J\n",
        ] {
            sender
                .send_to(message.as_bytes(), paths.sessions().join(id.as_str()))
                .unwrap();
        }
        assert_eq!(control.next(), Some(Told::DecideAgain(None)));
        assert_eq!(control.next(), Some(Told::DecideAgain(Some(1700))));
        assert_eq!(control.next(), Some(Told::DecideAgain(None)));
        assert_eq!(control.next(), Some(Told::End(String::new())));
        assert_eq!(control.next(), Some(Told::End("too late [2J".into())));
        assert_eq!(control.next(), None);
    }

    #[test]
    fn what_is_only_said_again_is_no_news_and_news_stay_to_be_read() {
        let (_folder, paths) = paths();
        let id = Id::random().unwrap();
        let control = Control::listen(&paths, &id).unwrap();
        assert!(!control.has_news(17));
        let sender = UnixDatagram::unbound().unwrap();
        let path = paths.sessions().join(id.as_str());
        let say = |words: &[&str]| {
            for word in words {
                sender.send_to(word.as_bytes(), &path).unwrap();
            }
        };
        say(&["decide-again 17", "dance", "decide-again 17"]);
        assert!(!control.has_news(17));
        assert_eq!(control.next(), None);
        for (word, told) in [
            ("decide-again 18", Told::DecideAgain(Some(18))),
            ("decide-again", Told::DecideAgain(None)),
            ("end now", Told::End("now".into())),
        ] {
            say(&["decide-again 17", word]);
            assert!(control.has_news(17) && control.has_news(17), "{word}");
            assert_eq!(control.next(), Some(told));
        }
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
