//! A program in the client's place that asks for more than it is owed.

use super::*;
use crate::agent::tests::an_agent;
use crate::confinement::ClientConfinement;
use crate::egress::child::{Child, Plan, Streams};
use std::io::Read;

/// What python3 prints that asks for sockets as `script` says, and what it was refused.
fn ask(script: &str, helpers: u32) -> (String, Vec<Refused>) {
    let (connection, _asset) = UnixStream::pair().unwrap();
    let mut handover = Handover::new(Source::There(connection.into()));
    handover.allow_helpers(helpers);
    let mut agent = an_agent();
    let words: Vec<std::ffi::CString> = ["python3", "-c", script]
        .map(|word| std::ffi::CString::new(word).unwrap())
        .into();
    let plan = Plan {
        program: c"/usr/bin/python3",
        arguments: &words,
        environment: &[c"PATH=/usr/bin:/bin".to_owned()],
        uid: nix::unistd::geteuid().as_raw(),
        gid: nix::unistd::getegid().as_raw(),
        streams: Streams::Pipes,
        confinement: &ClientConfinement::for_scripts(),
    };
    let mut child = Child::start(&plan).unwrap();
    handover.answer(child.pid(), child.listener.take().unwrap());
    let mut refusals = Vec::new();
    while child.ended().is_none() {
        let mut watched: Vec<PollFd<'_>> = handover
            .watched()
            .map(|(fd, events)| PollFd::new(fd, events))
            .collect();
        watched.push(PollFd::new(child.watch(), PollFlags::POLLIN));
        assert_ne!(poll(&mut watched, PollTimeout::from(20_000_u16)), Ok(0));
        handover.on_ready(&mut agent).unwrap();
        if let Some(mut visitor) = handover.take_visitor() {
            std::io::Write::write_all(&mut visitor, b"hello").unwrap();
        }
        refusals.extend(handover.take_refusals());
    }
    let mut text = String::new();
    std::fs::File::from(child.output.take().unwrap())
        .read_to_string(&mut text)
        .unwrap();
    (text, refusals)
}

const TRY: &str = "
import os, socket
def ask(family, kind=socket.SOCK_STREAM):
    try:
        s = socket.socket(family, kind); s.connect('/x' if family == socket.AF_UNIX else ('192.0.2.1', 22)); return s
    except OSError as error: return error.strerror
def tell(*args): print(*['socket' if isinstance(a, socket.socket) else a for a in args], flush=True)
";

#[test]
fn one_connection_and_one_agent_and_nothing_else() {
    let script = format!(
        "{TRY}
a, b = ask(socket.AF_INET), ask(socket.AF_INET6); tell(a, b)
c, d = ask(socket.AF_UNIX), ask(socket.AF_UNIX); tell(c, d)
tell(ask(socket.AF_INET, socket.SOCK_DGRAM)); tell(ask(socket.AF_UNIX, socket.SOCK_DGRAM)); tell(ask(socket.AF_NETLINK, socket.SOCK_RAW))"
    );
    let (text, refusals) = ask(&script, 0);
    let none = "Function not implemented";
    assert_eq!(
        text,
        format!("socket Permission denied\nsocket Permission denied\n{none}\n{none}\n{none}\n")
    );
    assert_eq!(refusals, [Refused::Connection, Refused::Local]);
}

#[test]
fn a_program_that_the_client_starts_gets_what_it_is_owed_once() {
    let script = format!(
        "{TRY}
if os.fork() == 0:
    one, two = ask(socket.AF_UNIX), ask(socket.AF_UNIX)
    tell(one.recv(9).decode() if isinstance(one, socket.socket) else one, two, ask(socket.AF_INET)); os._exit(0)
os.wait(); tell(ask(socket.AF_INET))"
    );
    let (text, refusals) = ask(&script, 1);
    assert_eq!(text, "hello Permission denied Permission denied\nsocket\n");
    assert_eq!(refusals, [Refused::Process, Refused::Process]);
    let (text, _) = ask(&script, 0);
    assert_eq!(
        text,
        "Permission denied Permission denied Permission denied\nsocket\n"
    );
}
