//! The relay's confinement, tried: in a child process each, because it cannot be undone.

use super::*;
use crate::sys::Forked;
use nix::fcntl::{OFlag, open};
use nix::sys::signal::{Signal, kill};
use nix::sys::stat::Mode;
use nix::sys::wait::{WaitStatus, waitpid};
use nix::unistd::{Pid, getppid};
use std::net::TcpStream;
use std::os::unix::net::{UnixDatagram, UnixStream};

struct Place {
    root: tempfile::TempDir,
    paths: Paths,
    session: Id,
}

impl Place {
    fn new() -> Self {
        let root = tempfile::tempdir().unwrap();
        let paths = Paths::under(root.path());
        paths.create().unwrap();
        let session = Id::random().unwrap();
        std::fs::write(paths.database(), "store").unwrap();
        let own = paths.egress().join(session.as_str());
        std::fs::create_dir_all(own.join("0")).unwrap();
        std::fs::write(own.join("0/log"), "log").unwrap();
        std::fs::write(paths.sessions().join(session.as_str()), "").unwrap();
        Self {
            root,
            paths,
            session,
        }
    }

    fn file(&self, name: &str) -> PathBuf {
        let path = self.root.path().join(name);
        std::fs::write(&path, "x").unwrap();
        path
    }
}

/// Whether `act` says so in a process that is shut in.
fn inside(place: &Place, processes: &[Process], act: impl Fn() -> bool) -> bool {
    match crate::sys::fork().unwrap() {
        Forked::Child => {
            let landlock = jms::confinement::landlock() > 0;
            let status = match shut_in(&place.paths, &place.session, processes, landlock) {
                Ok(()) => i32::from(act()),
                Err(_) => 2,
            };
            crate::sys::leave(status)
        }
        Forked::Parent(pid) => match waitpid(Pid::from_raw(pid), None).unwrap() {
            WaitStatus::Exited(_, 0) => false,
            WaitStatus::Exited(_, 1) => true,
            other => panic!("{other:?}"),
        },
    }
}

#[track_caller]
fn only_outside(place: &Place, act: impl Fn() -> bool) {
    assert!(act(), "outside");
    assert!(!inside(place, &[], act), "inside");
}

fn opens(path: &Path, flags: OFlag) -> bool {
    open(path, flags, Mode::S_IRWXU).is_ok()
}

#[test]
fn what_it_still_needs_works() {
    let place = Place::new();
    let own = place.paths.egress().join(place.session.as_str());
    assert!(inside(&place, &[], || {
        opens(&place.paths.database(), OFlag::O_RDWR)
            && opens(&own.join("0/log"), OFlag::O_RDONLY)
            && std::fs::remove_dir_all(&own).is_ok()
            && std::fs::remove_file(place.paths.sessions().join(place.session.as_str())).is_ok()
            && UnixStream::pair().is_ok()
    }));
    assert!(!own.exists());
}

#[test]
fn no_file_but_its_own() {
    if jms::confinement::landlock() == 0 {
        eprintln!("this kernel has no Landlock: not tried");
        return;
    }
    let place = Place::new();
    let key = place.file("secret.key");
    let recording = place.file("other.cast.zst");
    only_outside(&place, || opens(&key, OFlag::O_RDONLY));
    only_outside(&place, || opens(&recording, OFlag::O_RDWR));
    only_outside(&place, || opens(Path::new("/etc/passwd"), OFlag::O_RDONLY));
    only_outside(&place, || {
        opens(Path::new("/dev/tty0"), OFlag::O_RDONLY)
            || opens(Path::new("/dev/ptmx"), OFlag::O_RDWR)
    });
    only_outside(&place, || std::fs::read_dir("/proc").is_ok());
    let new = place.root.path().join("new");
    only_outside(&place, || opens(&new, OFlag::O_RDWR | OFlag::O_CREAT));
    let new = place.paths.sessions().join("new");
    only_outside(&place, || opens(&new, OFlag::O_RDWR | OFlag::O_CREAT));
}

#[test]
fn no_program_no_process_and_no_connection() {
    let place = Place::new();
    only_outside(&place, || match crate::sys::fork() {
        Ok(Forked::Child) => crate::sys::leave(0),
        Ok(Forked::Parent(pid)) => waitpid(Pid::from_raw(pid), None).is_ok(),
        Err(_) => false,
    });
    // A program that was executed would end with 0, which is "no": so it says its "yes" itself.
    assert!(!inside(&place, &[], || {
        let words = [c"sh".to_owned(), c"-c".to_owned(), c"exit 1".to_owned()];
        crate::sys::execute(c"/bin/sh", &words, &[]);
        false
    }));
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    only_outside(&place, || TcpStream::connect(address).is_ok());
    let path = place.root.path().join("socket");
    let socket = UnixDatagram::bind(&path).unwrap();
    only_outside(&place, || {
        UnixDatagram::unbound().is_ok_and(|it| it.connect(&path).is_ok())
    });
    // Not even with a socket that it has.
    let mine = UnixDatagram::unbound().unwrap();
    only_outside(&place, || mine.send_to(b"x", &path).is_ok());
    drop(socket);
}

#[test]
fn it_signals_its_clients_and_nobody_else() {
    let place = Place::new();
    let mut child = std::process::Command::new("/bin/sleep")
        .arg("60")
        .spawn()
        .unwrap();
    let pid = i32::try_from(child.id()).unwrap();
    let signal = || kill(Pid::from_raw(pid), Signal::SIGCONT).is_ok();
    only_outside(&place, signal);
    only_outside(&place, || kill(getppid(), None).is_ok());
    assert!(inside(&place, &[Process::One(pid)], signal));
    child.kill().unwrap();
    child.wait().unwrap();
}
