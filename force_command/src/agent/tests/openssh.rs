//! The real `ssh-add`, `ssh-keygen` and `ssh` as the one child.

use super::{Conversation, Machine};
use crate::agent::refusal::Refusal;
use crate::agent::{Agent, Binding, Notice};
use crate::confinement::{ClientConfinement, Needs};
use crate::egress::child::{Plan, Streams};
use crate::egress::handover::{Handover, Refused, Source};
use crate::egress::{Child, Exit};
use jms::keys::PrivateKey;
use nix::poll::{PollFd, PollTimeout, poll};
use std::ffi::CString;
use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};

/// What came of a program that ran confined, with an agent and no connection.
struct Ran {
    exit: Option<Exit>,
    output: String,
    notices: Vec<Notice>,
    refusals: Vec<Refused>,
}

fn run(words: &[&str], reads: &[&Path], agent: Agent) -> Ran {
    let (_nobody, connection) = std::os::unix::net::UnixStream::pair().unwrap();
    run_with(
        words,
        reads,
        agent,
        Handover::new(Source::There(connection.into())),
    )
}

fn run_with(words: &[&str], reads: &[&Path], mut agent: Agent, mut handover: Handover) -> Ran {
    let arguments: Vec<CString> = words
        .iter()
        .map(|word| CString::new(*word).unwrap())
        .collect();
    let needs = Needs {
        program: PathBuf::from(words[0]),
        reads: reads.iter().map(|path| path.to_path_buf()).collect(),
        ..Needs::default()
    };
    let confinement = ClientConfinement::new(&needs, jms::confinement::landlock() > 0).unwrap();
    let plan = Plan {
        program: &arguments[0],
        arguments: &arguments,
        environment: &[
            c"SSH_AUTH_SOCK=/handed-over".to_owned(),
            c"PATH=/usr/bin".to_owned(),
        ],
        uid: nix::unistd::geteuid().as_raw(),
        gid: nix::unistd::getegid().as_raw(),
        streams: Streams::Pipes,
        confinement: &confinement,
    };
    let mut child = Child::start(&plan).unwrap();
    handover.answer(child.pid(), child.listener.take().unwrap());
    child.input = None;
    let (mut notices, mut refusals) = (Vec::new(), Vec::new());
    while child.ended().is_none() {
        let mut fds: Vec<PollFd<'_>> = agent
            .poll_fd()
            .into_iter()
            .chain(handover.watched())
            .map(|(fd, flags)| PollFd::new(fd, flags))
            .collect();
        fds.push(PollFd::new(child.watch(), nix::poll::PollFlags::POLLIN));
        let ready = poll(&mut fds, PollTimeout::from(10_000_u16)).unwrap();
        assert_ne!(ready, 0, "nothing happened for 10 s");
        agent.on_ready();
        handover.on_ready(&mut agent).unwrap();
        notices.extend(agent.take_notices());
        refusals.extend(handover.take_refusals());
    }
    agent.on_ready();
    notices.extend(agent.take_notices());
    let mut output = String::new();
    fs::File::from(child.output.take().unwrap())
        .read_to_string(&mut output)
        .unwrap();
    Ran {
        exit: child.ended(),
        output,
        notices,
        refusals,
    }
}

#[test]
fn ssh_add_lists_the_key() {
    let key = PrivateKey::generate_ed25519().unwrap();
    let line = key.public().openssh_line("dev");
    let Conversation { protocol, .. } = Conversation::with(key, Machine::new(), Binding::Required);
    let ran = run(&["/usr/bin/ssh-add", "-L"], &[], Agent::new(protocol));
    assert_eq!(ran.output.trim_end(), line);
    assert_eq!(ran.exit, Some(Exit::Status(0)));
    assert_eq!(ran.notices, [Notice::Connected, Notice::PeerClosed]);
    assert!(ran.refusals.is_empty());
}

#[test]
fn ssh_keygen_gets_no_signature_for_a_file() {
    let folder = tempfile::tempdir().unwrap();
    let public = folder.path().join("key.pub");
    let key = PrivateKey::generate_ed25519().unwrap();
    fs::write(&public, key.public().openssh_line("dev")).unwrap();
    let Conversation { protocol, .. } = Conversation::with(key, Machine::new(), Binding::Optional);
    let path = public.to_str().unwrap();
    let words = [
        "/usr/bin/ssh-keygen",
        "-Y",
        "sign",
        "-n",
        "file",
        "-f",
        path,
    ];
    let ran = run(&words, &[folder.path()], Agent::new(protocol));
    assert_ne!(ran.exit, Some(Exit::Status(0)));
    assert!(
        ran.notices.contains(&Notice::Refused(Refusal::NotALogin)),
        "{:?}",
        ran.notices
    );
}
