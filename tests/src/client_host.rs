//! A person at the client host, with the programs that the host itself has.
//!
//! [`crate::Client`] is this machine's own `ssh` in the client's network; here everything is the client host's: its release's
//! OpenSSH, and the clients of `tests/client-packages`. There is no `ssh_config`: the key and the bastion's host keys lie
//! where every client looks for them.

use std::fs;

use crate::folder::ALICE;
use crate::host::Host;
use crate::lab::Lab;

/// The lab's client host, ready for alice: root there has her key, and knows the bastion.
///
/// # Panics
/// When her key or the bastion's keys cannot be read or written.
#[must_use]
#[track_caller]
pub fn of_alice(lab: &Lab) -> &Host {
    let host = lab.host("client");
    let key = lab.folder().key_of(ALICE).expect("alice has a key");
    let key = fs::read(key).expect("alice's key can be read");
    drop(
        host.run(
            "install -d -m 0700 /root/.ssh && install -m 0600 /dev/null /root/.ssh/id_ed25519",
        )
        .expect_status(0),
    );
    host.write("/root/.ssh/id_ed25519", key);
    let public = lab.folder().public_key_of(ALICE).expect("alice has a key");
    host.write("/root/.ssh/id_ed25519.pub", format!("{public}\n"));
    let known = fs::read(lab.folder().path().join("known_hosts")).expect("known hosts");
    host.write("/root/.ssh/known_hosts", known);
    host
}
