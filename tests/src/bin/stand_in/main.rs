//! Stands in for the bastion's `ssh` program after a hostile asset has taken it over: each line of its input is an attack,
//! each line of its output says what came of it. `done` means that the attack worked.
//!
//! Run as the same user without confinement, it shows that each attack would work.

mod sys;

use std::io::{BufRead, Error, Read, Result, Write};
use std::net::{SocketAddr, TcpStream};
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::net::UnixStream;
use std::os::unix::process::CommandExt;
use std::process::Command;

use nix::fcntl::{OFlag, open};
use nix::sys::stat::Mode;

fn main() {
    let words: Vec<String> = std::env::args().collect();
    if let [_, mode, program, arguments @ ..] = words.as_slice()
        && mode == "without-landlock"
    {
        let error = match sys::forget_landlock() {
            Ok(()) => Command::new(program).args(arguments).exec(),
            Err(error) => error,
        };
        eprintln!("{program}: {error}");
        std::process::exit(127);
    }
    println!("ready");
    for line in std::io::stdin().lock().lines().map_while(Result::ok) {
        let words: Vec<&str> = line.split_whitespace().collect();
        let outcome = match attack(&words) {
            Ok(text) => text,
            Err(error) => format!("failed: {error}"),
        };
        println!("{line} -> {outcome}");
        // Standard output is a pipe.
        let _ = std::io::stdout().flush();
    }
}

fn attack(words: &[&str]) -> Result<String> {
    let done = || Ok("done".to_owned());
    match words {
        ["write", path, text] => {
            let file = opened(path, OFlag::O_WRONLY | OFlag::O_NOCTTY)?;
            nix::unistd::write(&file, format!("{text}\r\n").as_bytes())?;
            done()
        }
        ["read", path] => {
            opened(path, OFlag::O_RDONLY | OFlag::O_NOCTTY | OFlag::O_NONBLOCK).and_then(|_| done())
        }
        ["list", path] => std::fs::read_dir(path).and_then(|_| done()),
        ["trace", pid] => sys::trace(number(pid)).and_then(|()| done()),
        ["peek", pid] => sys::peek(number(pid)).and_then(|()| done()),
        ["stop", pid] => {
            let stopped = sys::signal(number(pid), libc::SIGSTOP);
            // Whoever was stopped goes on.
            let _ = sys::signal(number(pid), libc::SIGCONT);
            stopped.and_then(|()| done())
        }
        ["stop-by-descriptor", pid] => stop_by_descriptor(number(pid)).and_then(|()| done()),
        ["limit", pid] => sys::limit(number(pid)).and_then(|()| done()),
        ["connect", address] => connect(address),
        ["local", path] => local(path),
        ["start", path] => Err(Command::new(path).exec()),
        ["fork"] => sys::fork().and_then(|()| done()),
        ["sign"] => sign(),
        _ => Ok("no such attack".to_owned()),
    }
}

fn opened(path: &str, flags: OFlag) -> Result<OwnedFd> {
    Ok(open(path, flags, Mode::empty())?)
}

fn number(text: &str) -> i32 {
    text.parse().unwrap_or(0)
}

/// Has the kernel send the signal: who owns a descriptor is told by a signal of choice when it is ready.
fn stop_by_descriptor(pid: i32) -> Result<()> {
    let (reader, writer) = nix::unistd::pipe()?;
    let control = |command, value| sys::control(reader.as_fd(), command, value);
    control(libc::F_SETOWN, pid)?;
    // F_SETSIG, which the library has no name for: a signal that harms nobody.
    control(10, libc::SIGCONT)?;
    control(libc::F_SETFL, libc::O_ASYNC | libc::O_NONBLOCK)?;
    nix::unistd::write(&writer, b"x")?;
    Ok(())
}

/// Done when whoever is at the other end is the one that was asked for.
fn connect(address: &str) -> Result<String> {
    let wanted: SocketAddr = address.parse().map_err(Error::other)?;
    let stream = TcpStream::connect(wanted)?;
    match stream.peer_addr()? {
        peer if peer == wanted => Ok("done".to_owned()),
        peer => Ok(format!("at {peer} instead")),
    }
}

fn local(path: &str) -> Result<String> {
    let stream = UnixStream::connect(path)?;
    let peer = stream.peer_addr()?;
    match peer.as_pathname() {
        Some(peer) if peer.as_os_str() == path => Ok("done".to_owned()),
        _ => Ok("somewhere else".to_owned()),
    }
}

/// Asks the agent for a signature under a login that belongs to no connection of ours, as one would that was
/// replayed at another machine.
fn sign() -> Result<String> {
    let mut agent = UnixStream::connect("/handed-over")?;
    let mut ask = |body: &[u8]| -> Result<Vec<u8>> {
        let mut message = Vec::new();
        put(&mut message, body);
        agent.write_all(&message)?;
        let mut length = [0; 4];
        agent.read_exact(&mut length)?;
        let mut answer = vec![0; u32::from_be_bytes(length) as usize];
        agent.read_exact(&mut answer)?;
        Ok(answer)
    };
    // SSH_AGENTC_REQUEST_IDENTITIES: type, count, then the first key.
    let identities = ask(&[11])?;
    let length: [u8; 4] = identities
        .get(5..9)
        .and_then(|bytes| bytes.try_into().ok())
        .ok_or_else(|| Error::other("the agent has no key"))?;
    let key = identities
        .get(9..9 + u32::from_be_bytes(length) as usize)
        .unwrap_or_default();
    let mut login = Vec::new();
    put(&mut login, &[0x5e; 32]);
    login.push(50);
    for text in ["dev", "ssh-connection", "publickey"] {
        put(&mut login, text.as_bytes());
    }
    login.push(1);
    put(&mut login, b"ssh-ed25519");
    put(&mut login, key);
    let mut request = vec![13];
    put(&mut request, key);
    put(&mut request, &login);
    request.extend([0; 4]);
    match ask(&request)?.first() {
        Some(14) => Ok("done".to_owned()),
        answer => Ok(format!("refused: {answer:?}")),
    }
}

fn put(message: &mut Vec<u8>, text: &[u8]) {
    message.extend(u32::try_from(text.len()).unwrap_or(0).to_be_bytes());
    message.extend(text);
}
