//! Stands in for the bastion's `ssh` program after a hostile asset has taken it over: each line of its input is an attack,
//! each line of its output says what came of it. `done` means that the attack worked.
//!
//! Run as the same user without confinement, it shows that each attack would work.

mod agent;
mod sys;

use std::io::{BufRead, Error, Result, Write};
use std::net::{SocketAddr, TcpStream};
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::net::UnixStream;
use std::os::unix::process::CommandExt;
use std::process::Command;

use agent::Agent;
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
    if let [_, mode, socket] = words.as_slice()
        && mode == "record-binding"
    {
        match agent::record_binding(socket) {
            Ok(binding) => println!("{binding}"),
            Err(error) => {
                eprintln!("{socket}: {error}");
                std::process::exit(1);
            }
        }
        return;
    }
    println!("ready");
    let mut agent = None;
    for line in std::io::stdin().lock().lines().map_while(Result::ok) {
        let words: Vec<&str> = line.split_whitespace().collect();
        let outcome = match attack(&words, &mut agent) {
            Ok(text) => text,
            Err(error) => format!("failed: {error}"),
        };
        println!("{line} -> {outcome}");
        // Standard output is a pipe.
        let _ = std::io::stdout().flush();
    }
}

fn attack(words: &[&str], agent: &mut Option<Agent>) -> Result<String> {
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
        ["sign"] => Agent::get(agent)?.log_in("dev", &[0x5e; 32]),
        ["bind", binding] => Agent::get(agent)?.bind(binding),
        ["log-in", account, binding] => {
            let session = agent::session_of(binding)?;
            Agent::get(agent)?.log_in(account, &session)
        }
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
