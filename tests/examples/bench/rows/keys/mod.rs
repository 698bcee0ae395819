//! What sshd runs to learn whether a key is known, twice for a good one.

use anyhow::{Context, Result};
use sha2::{Digest, Sha256};
use snapshot::UserName;
use snapshot::keys::{self, Conditions, Key};
use tests::Host;
use tests::folder::ALICE;

use super::Row;
use crate::options::sizes;
use crate::report::{Aim, Measured};
use crate::rounds::{Contender, OURS, interleave};
use crate::workbench::{LITTLE, Workbench};

/// Both commands, at three numbers of keys.
pub const LOOK_UP: Row = Row {
    name: "key",
    about: "the AuthorizedKeysCommand beside /bin/cat FILE",
    needs: LITTLE,
    play: look_up,
};

/// How often each is run in one round.
const RUNS: &str = "50";
/// sshd asks when the key is offered and again when it is proved.
const A_LOGIN: f64 = 2.0;
const CAT: &str = "/bin/cat";

fn look_up(bench: &Workbench) -> Result<Vec<Measured>> {
    let host = bench.ours.bastion();
    host.write("/srv/spawned.c", include_str!("spawned.c"));
    host.run("gcc -O2 -o /srv/spawned /srv/spawned.c")
        .success()?;
    let line = bench.ours.client().public_key()?;
    let words: Vec<&str> = line.split(' ').collect();
    let [kind, blob, ..] = words[..] else {
        anyhow::bail!("no public key: {line}")
    };
    host.write("/etc/ssh/alice.pub", format!("{line}\n"));
    host.write("/srv/alice.pub", format!("{line}\n"));
    let fingerprint = host
        .run("ssh-keygen -lf /srv/alice.pub | cut -d' ' -f2")
        .success()?
        .line_of_output();
    let raw = host
        .run("cut -d' ' -f2 /srv/alice.pub | base64 -d")
        .success()?
        .stdout;

    let mut rows = Vec::new();
    for count in sizes(bench.options.users) {
        publish(host, count, &raw)?;
        let ours = [
            "/usr/libexec/jms/authorized-keys-command",
            ALICE,
            &fingerprint,
            kind,
            blob,
        ];
        let cat = [CAT, "/etc/ssh/alice.pub"];
        let contenders = vec![
            Contender::new(CAT, || spawned(host, "nobody", &cat)),
            Contender::new(OURS, || spawned(host, "jms-keys", &ours)),
        ];
        let mut quantities = interleave(bench.options.rounds, 1, contenders)?;
        rows.push(Measured {
            what: format!("the key lookups of a login, {count} keys"),
            unit: "ms CPU",
            aim: Aim::AtMostAbove(1.0, CAT),
            series: quantities.remove(0),
        });
    }
    Ok(rows)
}

/// Milliseconds of processor time that the runs of one login take.
fn spawned(host: &Host, user: &str, command: &[&str]) -> Result<Vec<f64>> {
    let words = ["/srv/spawned", RUNS]
        .into_iter()
        .chain(command.iter().copied());
    let outcome = host.command_as(user, words).run().success()?;
    let microseconds: f64 = outcome
        .line_of_output()
        .parse()
        .context("no number of microseconds")?;
    Ok(vec![microseconds * A_LOGIN / 1e3])
}

/// Alice's key among those of others.
fn publish(host: &Host, count: u32, alices: &[u8]) -> Result<()> {
    let key = |name: &str, blob: Vec<u8>| -> Result<Key> {
        let name = UserName::new(name.as_bytes()).context("a name that cannot be")?;
        let fingerprint = Sha256::digest(&blob).into();
        Ok(Key::new(name, fingerprint, blob, Conditions::default())?)
    };
    let mut all = vec![key(ALICE, alices.to_vec())?];
    for number in 1..count {
        // Any 32 bytes may be a public key here: nobody proves it.
        let public: [u8; 32] = Sha256::digest(number.to_be_bytes()).into();
        let blob = [&b"\0\0\0\x0bssh-ed25519\0\0\0\x20"[..], &public].concat();
        all.push(key(&format!("user{number}"), blob)?);
    }
    host.write("/srv/keys.snap", keys::write(1, all)?);
    host.run("cd /var/lib/jms/public && install -o jms -g jms-keys -m 0440 /srv/keys.snap new && mv new keys.snap")
        .success()?;
    Ok(())
}
