//! The real `ssh-add`, `ssh-keygen` and `ssh` as the one child.

use super::{Conversation, Machine};
use crate::agent::refusal::Refusal;
use crate::agent::{Agent, Binding, Notice, Peer, Protocol, Purpose};
use jms::keys::{HostKey, LegacyHash, PrivateKey};
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

/// Each kind of login key against each kind of host key, on a real sshd in a namespace of its own.
/// `JMS_TEST_SSHD` names the sshd (default `/usr/sbin/sshd`).
#[test]
#[ignore = "needs root and an sshd; the end-to-end tests log in through whole bastions"]
fn ssh_logs_in_with_every_kind_of_key() {
    const KINDS: [(&str, &str); 5] = [
        ("ed25519", "256"),
        ("ecdsa", "256"),
        ("ecdsa", "384"),
        ("ecdsa", "521"),
        ("rsa", "3072"),
    ];
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path();
    for (kind, bits) in KINDS {
        for role in ["host", "login"] {
            let file = root.join(format!("{role}-{kind}-{bits}"));
            let mut command = Command::new("ssh-keygen");
            command
                .args(["-q", "-N", "", "-t", kind, "-b", bits, "-f"])
                .arg(file);
            assert!(command.status().unwrap().success());
        }
    }
    let read = |name: String| fs::read_to_string(root.join(name)).unwrap();
    for (host, host_bits) in KINDS {
        for (login, login_bits) in KINDS {
            let host_key =
                HostKey::parse_line(&read(format!("host-{host}-{host_bits}.pub"))).unwrap();
            let key =
                PrivateKey::parse(&read(format!("login-{login}-{login_bits}")), None).unwrap();
            let (output, notices) = log_in(
                root,
                &host_key,
                vec![host_key.clone()],
                key,
                &format!("host-{host}-{host_bits}"),
                "root",
            );
            let error = String::from_utf8_lossy(&output.stderr);
            assert_eq!(
                String::from_utf8_lossy(&output.stdout),
                "inside\n",
                "{host} {login}: {notices:?} {error}"
            );
            assert!(notices.contains(&Notice::Bound(host_key.fingerprint())));
            assert!(
                notices
                    .iter()
                    .any(|notice| matches!(notice, Notice::Signed { count: 1, .. }))
            );
            assert!(
                !notices
                    .iter()
                    .any(|notice| matches!(notice, Notice::Refused(_))),
                "{notices:?}"
            );
        }
    }
    // The machine that answers is believed by `ssh`, but it is not the asset of the agent.
    let host_key = HostKey::parse_line(&read("host-ed25519-256.pub".to_owned())).unwrap();
    let other = Machine::new().key;
    let key = PrivateKey::parse(&read("login-ed25519-256".to_owned()), None).unwrap();
    let (output, notices) = log_in(
        root,
        &host_key,
        vec![other],
        key,
        "host-ed25519-256",
        "root",
    );
    assert!(!output.status.success());
    let foreign = Notice::Refused(Refusal::BindHostKey(host_key.fingerprint()));
    assert!(notices.contains(&foreign), "{notices:?}");
    assert!(
        notices.contains(&Notice::Refused(Refusal::NotBound)),
        "{notices:?}"
    );
    // The client logs in as somebody else than the agent is there for.
    let key = PrivateKey::parse(&read("login-ed25519-256".to_owned()), None).unwrap();
    let (output, notices) = log_in(
        root,
        &host_key,
        vec![host_key.clone()],
        key,
        "host-ed25519-256",
        "dev",
    );
    assert!(!output.status.success());
    assert!(
        notices.contains(&Notice::Refused(Refusal::OtherUser("root".to_owned()))),
        "{notices:?}"
    );
}

fn log_in(
    root: &Path,
    answering: &HostKey,
    stored: Vec<HostKey>,
    key: PrivateKey,
    host_file: &str,
    login: &str,
) -> (Output, Vec<Notice>) {
    let sshd = std::env::var("JMS_TEST_SSHD").unwrap_or("/usr/sbin/sshd".to_owned());
    let place = root.display();
    fs::write(root.join("authorized"), key.public().openssh_line("")).unwrap();
    fs::write(
        root.join("known_hosts"),
        answering.known_hosts_line("web1", 22).unwrap() + "\n",
    )
    .unwrap();
    fs::write(
        root.join("passwd"),
        "root:*:0:0::/root:/bin/sh\nsshd:*:101:65534::/run/sshd:/bin/false\n",
    )
    .unwrap();
    fs::write(
        root.join("sshd_config"),
        format!(
            "AuthorizedKeysFile {place}/authorized\nStrictModes no\nUsePAM no\nPermitRootLogin yes\n\
             HostKey {place}/{host_file}\nPidFile none\nPrintMotd no\n"
        ),
    )
    .unwrap();
    fs::write(
        root.join("enter"),
        format!(
            "mount -t tmpfs none /run && mkdir -m 755 /run/sshd && mount --bind {place}/passwd /etc/passwd && \
             exec ssh -F none -T -o BatchMode=yes -o UserKnownHostsFile={place}/known_hosts \
             -o GlobalKnownHostsFile=none -o StrictHostKeyChecking=yes -o IdentityFile=none \
             -o PreferredAuthentications=publickey \
             -o ProxyCommand='{sshd} -i -f {place}/sshd_config' root@web1 echo inside"
        ),
    )
    .unwrap();
    let socket = root.join("agent");
    let purpose = Purpose {
        login: login.to_owned(),
        host_keys: stored,
        legacy: LegacyHash::Refused,
        binding: Binding::Required,
    };
    let agent = Agent::listen(&socket, Protocol::new(key, purpose)).unwrap();
    let mut command = Command::new("unshare");
    command
        .args(["-m", "-n", "sh", "-e"])
        .arg(root.join("enter"));
    run(command, agent, &socket)
}
