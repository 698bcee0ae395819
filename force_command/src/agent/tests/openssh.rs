//! The real `ssh-add`, `ssh-keygen` and `ssh` as the one child.

use super::{Conversation, Machine};
use crate::agent::refusal::Refusal;
use crate::agent::{Agent, Binding, Notice, Peer};
use jms::keys::PrivateKey;
use nix::poll::{PollFd, PollTimeout, poll};
use std::fs;
use std::path::Path;
use std::process::{Command, Output, Stdio};

/// Runs `command` as the child of `agent` until it ends; what it said and what the agent saw.
fn run(mut command: Command, mut agent: Agent, socket: &Path) -> (Output, Vec<Notice>) {
    let child = command
        .env("SSH_AUTH_SOCK", socket)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap_or_else(|error| panic!("{command:?}: {error}; install openssh-client"));
    agent.expect(Peer {
        pid: i32::try_from(child.id()).unwrap(),
        uid: nix::unistd::geteuid().as_raw(),
    });
    let mut notices = Vec::new();
    while let Some((fd, flags)) = agent.poll_fd() {
        let mut fds = [PollFd::new(fd, flags)];
        let ready = poll(&mut fds, PollTimeout::from(10_000_u16)).unwrap();
        assert_ne!(ready, 0, "nothing happened for 10 s");
        agent.on_ready();
        notices.extend(agent.take_notices());
    }
    (child.wait_with_output().unwrap(), notices)
}

#[test]
fn ssh_add_lists_the_key() {
    let folder = tempfile::tempdir().unwrap();
    let socket = folder.path().join("agent");
    let key = PrivateKey::generate_ed25519().unwrap();
    let line = key.public().openssh_line("dev");
    let Conversation { protocol, .. } = Conversation::with(key, Machine::new(), Binding::Required);
    let agent = Agent::listen(&socket, protocol).unwrap();
    let mut command = Command::new("ssh-add");
    command.arg("-L");
    let (output, notices) = run(command, agent, &socket);
    assert_eq!(String::from_utf8_lossy(&output.stdout).trim_end(), line);
    assert_eq!(notices, [Notice::Connected, Notice::PeerClosed]);
}

#[test]
fn ssh_keygen_gets_no_signature_for_a_file() {
    let folder = tempfile::tempdir().unwrap();
    let socket = folder.path().join("agent");
    let key = PrivateKey::generate_ed25519().unwrap();
    fs::write(
        folder.path().join("key.pub"),
        key.public().openssh_line("dev"),
    )
    .unwrap();
    let Conversation { protocol, .. } = Conversation::with(key, Machine::new(), Binding::Optional);
    let agent = Agent::listen(&socket, protocol).unwrap();
    let mut command = Command::new("ssh-keygen");
    command
        .args(["-Y", "sign", "-n", "file", "-f"])
        .arg(folder.path().join("key.pub"));
    let (output, notices) = run(command, agent, &socket);
    assert!(!output.status.success());
    assert!(
        notices.contains(&Notice::Refused(Refusal::NotALogin)),
        "{notices:?}"
    );
}
