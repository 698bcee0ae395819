//! A socket in a connection's folder that only programs which the client itself has started may use.
//!
//! Trusts the kernel about who connects. The folder keeps other users out; the check keeps out
//! the same user's other processes.

use nix::sys::socket::{getsockopt, sockopt::PeerCredentials};
use std::fs::{self, Permissions};
use std::io::{self, ErrorKind};
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};

/// A listening socket; its name goes with it.
#[derive(Debug)]
pub struct Door {
    path: PathBuf,
    listener: UnixListener,
}

impl Door {
    /// Listens at `path`, which must not exist.
    ///
    /// # Errors
    /// What the system says.
    pub fn listen(path: &Path) -> io::Result<Self> {
        let door = Self {
            path: path.to_owned(),
            listener: UnixListener::bind(path)?,
        };
        fs::set_permissions(path, Permissions::from_mode(0o660))?;
        door.listener.set_nonblocking(true)?;
        Ok(door)
    }

    /// Readable when somebody knocks.
    #[must_use]
    pub fn descriptor(&self) -> BorrowedFd<'_> {
        self.listener.as_fd()
    }

    /// Whoever waits at the door and is a child of the process `client` with the uid `uid`; others are closed.
    #[must_use]
    pub fn enter(&self, client: i32, uid: u32) -> Option<UnixStream> {
        loop {
            let stream = match self.listener.accept() {
                Ok((stream, _)) => stream,
                Err(error) if error.kind() == ErrorKind::Interrupted => continue,
                Err(_) => return None,
            };
            if is_child(&stream, client, uid) && stream.set_nonblocking(true).is_ok() {
                return Some(stream);
            }
        }
    }
}

fn is_child(stream: &UnixStream, client: i32, uid: u32) -> bool {
    let Ok(peer) = getsockopt(stream, PeerCredentials) else {
        return false;
    };
    let parent = jms::process::stat(peer.pid()).map(|stat| stat.parent);
    peer.uid() == uid && parent == Some(client)
}

impl Drop for Door {
    fn drop(&mut self) {
        // The folder goes with the session; a name that stays leads nowhere.
        let _ = fs::remove_file(&self.path);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use nix::unistd::{geteuid, getpid};
    use std::io::Read;
    use std::process::{Command, Stdio};
    use std::time::{Duration, Instant};

    fn knock(path: &Path) -> std::process::Child {
        let script = "import socket,sys; s=socket.socket(socket.AF_UNIX); s.connect(sys.argv[1]); print(len(s.recv(9)))";
        Command::new("python3")
            .args(["-c", script])
            .arg(path)
            .stdout(Stdio::piped())
            .spawn()
            .expect("python3 is needed")
    }

    fn enter(door: &Door, client: i32, wanted: bool) -> Option<UnixStream> {
        let until = Instant::now() + Duration::from_secs(if wanted { 20 } else { 1 });
        while Instant::now() < until {
            if let Some(stream) = door.enter(client, geteuid().as_raw()) {
                return Some(stream);
            }
            std::thread::sleep(Duration::from_millis(5));
        }
        None
    }

    #[test]
    fn a_child_of_the_client_enters_and_the_client_itself_and_strangers_do_not() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("door");
        let door = Door::listen(&path).unwrap();
        let me = getpid().as_raw();

        let mut child = knock(&path);
        let mut stream = enter(&door, me, true).expect("a child enters");
        std::io::Write::write_all(&mut stream, b"four").unwrap();
        let mut said = String::new();
        child
            .stdout
            .take()
            .unwrap()
            .read_to_string(&mut said)
            .unwrap();
        child.wait().unwrap();
        assert_eq!(said, "4\n");

        let mut stranger = knock(&path);
        assert!(enter(&door, 1, false).is_none(), "a child of somebody else");
        assert_eq!(stranger.wait().unwrap().code(), Some(0));
        let _myself = UnixStream::connect(&path).unwrap();
        assert!(door.enter(me, geteuid().as_raw()).is_none());
        drop(door);
        assert!(!path.exists());
    }
}
