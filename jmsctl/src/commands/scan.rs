//! Asking an asset for its host keys with the system's `ssh-keyscan`, and a person whether to believe it. `ssh-keyscan` speaks
//! no old algorithms: an old device that shows it nothing is asked by `ssh` itself.
//!
//! Trusts nothing that the machine at the other end says: what is shown is what it claims. Both programs meet it before
//! anybody has proved who he is, so they are shut in ([`jms::confinement::outward`]): they connect, and reach no file of ours.
#![forbid(unsafe_code)]

use super::host_key::noun;
use crate::context::Context;
use crate::failure::{Done, Failure};
use crate::input;
use crate::output::harmless;
use jms::confinement::outward::Outward;
use jms::keys::{Keyscan, parse_keyscan};
use jms::legacy;
use jms::nouns::{Algorithms, Asset, HostKey, HostKeyOrigin};
use std::io::Read;
use std::net::IpAddr;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

const PROGRAM: &str = "/usr/bin/ssh-keyscan";
const SSH: &str = "/usr/bin/ssh";
/// Seconds that either waits for each connection.
const CONNECTION: &str = "5";
/// It asks for one type after the other.
const WHOLE: Duration = Duration::from_secs(25);
/// The most that is read of its output, in bytes.
const LONGEST: u64 = 64 * 1024;

/// Asks `asset`, shows what it answered, asks at a terminal whether to store it: returns the keys that are new.
pub fn scan(
    context: &Context,
    asset: &Asset,
    stored: &[HostKey],
    dry_run: bool,
) -> Done<Vec<HostKey>> {
    let place = format!("{} ({} port {})", asset.name, asset.address, asset.port);
    context
        .out
        .note(&format!("asking {place} for its host keys"));
    let (mut found, mut said) = keyscan(&asset.address, asset.port)?;
    if found.keys.is_empty() && asset.algorithms == Algorithms::Legacy {
        (found, said) = legacy_scan(&asset.address, asset.port)?;
    }
    if found.keys.is_empty() {
        let skipped = found.skipped.first();
        let why = skipped
            .map(|key| format!("{}: {}", key.kind, key.reason))
            .or(said)
            .unwrap_or_else(|| "is the address right, and does sshd run there?".to_owned());
        let hint = match asset.algorithms {
            Algorithms::Default => "; an old device needs --algorithms legacy",
            Algorithms::Legacy => "",
        };
        return Err(Failure::Failed(format!(
            "{place} showed no host key that can be stored: {why}{hint}"
        )));
    }
    let seen: Vec<HostKey> = found
        .keys
        .iter()
        .map(|key| noun(&asset.name, key, HostKeyOrigin::Scanned, context.now))
        .collect();
    refuse_changed_keys(&place, asset, stored, &seen)?;
    for key in &found.keys {
        let known = stored.iter().any(|one| one.blob == key.blob());
        context.out.note(&format!(
            "  {} {} ({} bits){}",
            key.kind().short(),
            key.fingerprint(),
            key.bits(),
            if known { ", stored already" } else { "" }
        ));
    }
    let new: Vec<HostKey> = seen
        .into_iter()
        .filter(|key| stored.iter().all(|one| one.blob != key.blob))
        .collect();
    // A script that says `scan` has said what it wants; a person who can compare is asked to.
    if !new.is_empty() && !dry_run && input::can_ask() {
        context.confirm("Whoever answers at that address chose these keys; compare them with the asset's own. Store them?")?;
    }
    Ok(new)
}

/// A key of a type that is stored, and another one: a new installation, or somebody in between. A person
/// decides which, by removing the old one; never `--yes`.
fn refuse_changed_keys(place: &str, asset: &Asset, stored: &[HostKey], seen: &[HostKey]) -> Done {
    let changed = seen.iter().find_map(|key| {
        let is_known = stored.iter().any(|one| one.blob == key.blob);
        let old = stored
            .iter()
            .find(|one| one.kind == key.kind && one.blob != key.blob)?;
        (!is_known).then_some((old, key))
    });
    let Some((old, new)) = changed else {
        return Ok(());
    };
    Err(Failure::Failed(format!(
        "{place} showed the {} key {}, but {} is stored: it was installed anew, or somebody is in between. \
         If you know that it is the asset, remove the old key first: jmsctl host-key rm {} {}",
        new.kind, new.fingerprint, old.fingerprint, asset.name, old.fingerprint
    )))
}

/// Runs `ssh-keyscan`: the keys, and what it said on standard error.
fn keyscan(address: &str, port: u16) -> Done<(Keyscan, Option<String>)> {
    let port = port.to_string();
    let types = ["-T", CONNECTION, "-t", "ed25519,ecdsa,rsa"];
    let (output, complaints) = run(
        PROGRAM,
        is_name(address),
        types.into_iter().chain(["-p", &port, "--", address]),
    )?;
    Ok((parse_keyscan(&output), sentence(&complaints)))
}

/// Types of host keys that an old device may have, and what it proves each with; one connection asks for one of them.
const LEGACY_TYPES: [&str; 3] = [
    "ssh-ed25519",
    "ecdsa-sha2-nistp256,ecdsa-sha2-nistp384,ecdsa-sha2-nistp521",
    "rsa-sha2-512,rsa-sha2-256,ssh-rsa",
];
/// What `ssh` runs to learn whether it knows a host key (ssh_config(5), KnownHostsCommand): it says the key, in words
/// of `ssh`'s own, where we read it, and answers that it knows none. So `ssh` gives up before any login.
const TELL: &str = "KnownHostsCommand=/bin/sh -c \"echo asset %t %K >&2\"";

/// The same by `ssh`, with the algorithms of old devices.
fn legacy_scan(address: &str, port: u16) -> Done<(Keyscan, Option<String>)> {
    let mut said = Vec::new();
    let (timeout, port) = (format!("ConnectTimeout={CONNECTION}"), port.to_string());
    for types in LEGACY_TYPES {
        let types = format!("HostKeyAlgorithms={types}");
        let own = [
            TELL,
            "StrictHostKeyChecking=yes",
            "UserKnownHostsFile=none",
            "GlobalKnownHostsFile=none",
            "BatchMode=yes",
            "PreferredAuthentications=none",
            "IdentityAgent=none",
            "LogLevel=ERROR",
            &timeout,
            &types,
        ];
        let options = own.into_iter().chain(legacy::OPTIONS);
        let options = options.flat_map(|option| ["-o", option]);
        let words = ["-F", "none", "-T", "-p", &port].into_iter();
        let words = words
            .chain(options)
            .chain(["-l", "nobody", "--", address, "exit"]);
        let (_, complaints) = run(SSH, is_name(address), words)?;
        said.push(complaints);
    }
    let text = said.concat();
    let (keys, others): (Vec<&[u8]>, Vec<&[u8]>) = text
        .split(|byte| *byte == b'\n')
        .partition(|line| line.starts_with(b"asset "));
    Ok((
        parse_keyscan(&keys.join(&b'\n')),
        sentence(&others.join(&b'\n')),
    ))
}

fn is_name(address: &str) -> bool {
    address.parse::<IpAddr>().is_err()
}

/// Runs a program of the system to its end, shut in: what it wrote to standard output, and to standard error.
fn run<'word>(
    program: &str,
    by_name: bool,
    words: impl Iterator<Item = &'word str>,
) -> Done<(Vec<u8>, Vec<u8>)> {
    let failed = |error: std::io::Error| Failure::io("run", program, error);
    let mut command = Command::new(program);
    command
        .args(words)
        .env_clear()
        .env("PATH", "/usr/bin:/bin")
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let mut child = start_shut_in(&mut command, by_name).map_err(failed)?;
    let output = reader(child.stdout.take());
    let complaints = reader(child.stderr.take());
    end_in_time(&mut child).map_err(failed)?;
    Ok((
        output.join().unwrap_or_default(),
        complaints.join().unwrap_or_default(),
    ))
}

/// What is shut in is a thread, and with it what it starts; we ourselves go on as before.
fn start_shut_in(command: &mut Command, by_name: bool) -> std::io::Result<Child> {
    let confinement = Outward::programs(by_name).map_err(std::io::Error::other)?;
    let start = || {
        confinement.enter().map_err(std::io::Error::other)?;
        command.spawn()
    };
    std::thread::scope(|scope| scope.spawn(start).join())
        .unwrap_or_else(|_| Err(std::io::ErrorKind::Other.into()))
}

fn reader(pipe: Option<impl Read + Send + 'static>) -> std::thread::JoinHandle<Vec<u8>> {
    std::thread::spawn(move || {
        let mut bytes = Vec::new();
        if let Some(mut pipe) = pipe {
            // What was read before an error counts; the rest is drained, so that nobody waits for us.
            let _ = (&mut pipe).take(LONGEST).read_to_end(&mut bytes);
            let _ = std::io::copy(&mut pipe, &mut std::io::sink());
        }
        bytes
    })
}

fn end_in_time(child: &mut Child) -> std::io::Result<()> {
    let begun = Instant::now();
    while child.try_wait()?.is_none() {
        if begun.elapsed() > WHOLE {
            child.kill()?;
            child.wait()?;
            break;
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    Ok(())
}

/// The first complaint of either program; lines with `#` only say what the server calls itself.
fn sentence(complaints: &[u8]) -> Option<String> {
    let text = String::from_utf8_lossy(complaints);
    let line = text
        .lines()
        .map(str::trim)
        .find(|line| !line.is_empty() && !line.starts_with('#'))?;
    Some(harmless(line).chars().take(200).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use jms::time::Time;

    fn key(blob: &[u8]) -> HostKey {
        HostKey {
            asset: "web1".into(),
            kind: "ssh-ed25519".into(),
            blob: blob.into(),
            fingerprint: format!("SHA256:{}", blob.len()),
            origin: HostKeyOrigin::Scanned,
            created_at: Time(0),
        }
    }

    #[test]
    fn a_changed_key_is_never_taken_without_removing_the_old_one() {
        let asset = Asset::new("web1", "192.0.2.1", Time(0));
        let refused =
            refuse_changed_keys("web1", &asset, &[key(b"old")], &[key(b"another")]).unwrap_err();
        assert!(
            refused.to_string().contains("host-key rm web1"),
            "{refused}"
        );
        assert!(refuse_changed_keys("web1", &asset, &[key(b"old")], &[key(b"old")]).is_ok());
        assert!(refuse_changed_keys("web1", &asset, &[], &[key(b"new")]).is_ok());
    }

    #[test]
    fn the_complaint_is_the_programs_and_not_the_servers() {
        assert_eq!(
            sentence(b"# web1:22 SSH-2.0-evil\nconnect: refused\x1b[2J\n").as_deref(),
            Some("connect: refused\\u{1b}[2J")
        );
        assert_eq!(sentence(b"# only a banner\n"), None);
    }
}
