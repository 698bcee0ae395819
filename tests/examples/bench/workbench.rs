//! Two labs beside each other, made anew for each row: ours, and a plain Debian that does with sshd alone what comes nearest.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use anyhow::{Context, Result};
use tests::folder::ALICE;
use tests::{Host, Invocation, Lab, Outcome};

use crate::cpu::Meter;
use crate::options::Options;
use crate::references::{self, Reference, both_sides, configuration};

/// Long enough for anything here.
const LONG: Duration = Duration::from_secs(300);
/// How sessions reach web1 through ours.
pub const WAY: &str = "alice@dev@web1@bastion";
/// How they reach it through a reference.
pub const PLAIN_WAY: &str = "alice@bastion";

/// What a row needs of its hosts.
#[derive(Debug, Clone, Copy)]
pub struct Needs {
    /// The assets of both labs.
    pub assets: &'static [&'static str],
    /// The plain bastion's servers.
    pub references: &'static [Reference],
    /// Editors and the like on the assets.
    pub programs: bool,
    /// sssd on our bastion.
    pub sssd: bool,
    /// For so many seconds a connection of ours to an asset stays; as it is by default otherwise.
    pub warm: Option<u32>,
}

/// One asset, and nothing to compare with.
pub const LITTLE: Needs = Needs {
    assets: &["web1"],
    references: &[],
    programs: false,
    sssd: false,
    warm: None,
};

/// The hosts that are measured.
#[derive(Debug)]
pub struct Workbench {
    /// With the package; alice may use web1 as dev.
    pub ours: Lab,
    /// Without it.
    pub plain: Lab,
    /// What was asked for.
    pub options: Options,
    /// How the hosts were set up, by what it is about.
    told: Mutex<Vec<(String, String)>>,
    ours_meter: Meter,
    plain_meter: Meter,
}

/// What one run of a client cost.
#[derive(Debug, Clone, Copy)]
pub struct Cost {
    /// From the client's start to its end.
    pub wall: Duration,
    /// The bastion's processor time.
    pub cpu: Duration,
}

impl Workbench {
    /// Starts both labs.
    ///
    /// # Errors
    /// When one of them does not start.
    pub fn start(needs: &Needs, options: &Options) -> Result<Self> {
        let lab = || {
            let builder = Lab::builder().assets(needs.assets.iter().copied());
            if needs.programs {
                builder.corpus()
            } else {
                builder
            }
        };
        let ours = if needs.sssd { lab().sssd() } else { lab() }.start()?;
        tests::everyday::fill(&ours)?;
        let plain = lab().without_package().bench().start()?;
        same_host_keys(&ours, &plain)?;
        let setting = "/etc/ssh/sshd_config.d/40-bench.conf";
        for lab in [&ours, &plain] {
            let servers = needs.assets.iter().copied().chain(["bastion"]);
            for host in servers.map(|name| lab.host(name)) {
                host.write(setting, both_sides(host));
                host.reload_sshd();
            }
        }
        for lab in [&ours, &plain] {
            // As on a real machine, where systemd makes it: sshd notes its terminals there, and tlog would not start without.
            let utmp = "install -m 0664 -g utmp /dev/null /run/utmp";
            lab.bastion().run(utmp).success()?;
        }
        let bastion = ours.bastion();
        let mut told = vec![versions(plain.bastion())?];
        if let Some(seconds) = needs.warm {
            told.extend(keep_warm(bastion, seconds));
        }
        if !needs.references.is_empty() {
            let there: Vec<Reference> = needs
                .references
                .iter()
                .copied()
                .filter(|it| it.is_in(plain.release()))
                .collect();
            told.extend(references::prepare(&plain, &there)?);
            if there.len() < needs.references.len() {
                let reason = format!("{} has no package of it", plain.release());
                told.push(("not measured: tlog".to_owned(), reason));
            }
            let ours = [
                setting,
                "/etc/ssh/sshd_config.d/00-jms.conf",
                "/etc/pam.d/sshd",
                "/etc/pam.d/common-account",
                "/etc/pam.d/common-session",
            ];
            told.extend(ours.map(|path| configuration(bastion, "ours", path)));
            references::direct(&plain)?;
        }
        Ok(Self {
            ours_meter: Meter::of(bastion, "ours")?,
            plain_meter: Meter::of(plain.bastion(), "plain")?,
            ours,
            plain,
            options: options.clone(),
            told: Mutex::new(told),
        })
    }

    /// Notes, for the document, how something was set up.
    pub fn tell(&self, title: &str, text: &str) {
        let mut told = self.told.lock().unwrap_or_else(PoisonError::into_inner);
        told.push((title.to_owned(), text.to_owned()));
    }

    /// What was noted since the last time.
    pub fn told(&self) -> Vec<(String, String)> {
        let mut told = self.told.lock().unwrap_or_else(PoisonError::into_inner);
        std::mem::take(&mut *told)
    }

    /// Those that the plain bastion has.
    pub fn that_are_there(&self, references: &[Reference]) -> Vec<Reference> {
        let is_there = |it: &Reference| it.is_in(self.plain.release());
        references.iter().copied().filter(is_there).collect()
    }

    /// A client program towards our bastion, not yet started.
    pub fn ours_client(&self, program: &str, arguments: &[&str]) -> Invocation {
        self.ours.client().command(program, arguments).within(LONG)
    }

    /// The same towards a reference's server on the plain bastion.
    pub fn plain_client(
        &self,
        reference: Reference,
        program: &str,
        arguments: &[&str],
    ) -> Invocation {
        let port = format!("Port={}", reference.port());
        let client = match program {
            "rsync" => {
                let ssh = self.plain.folder().programs().join("ssh");
                let remote = format!("'{}' -o {port}", ssh.display());
                self.plain.client().command(program, ["-e", &remote])
            }
            _ => self.plain.client().command(program, ["-o", &port]),
        };
        client.args(arguments).within(LONG)
    }

    /// Plays a client program against our bastion.
    ///
    /// # Errors
    /// When it fails.
    pub fn ours(&self, program: &str, arguments: &[&str]) -> Result<Cost> {
        run(&self.ours_meter, self.ours_client(program, arguments))
    }

    /// Plays it against a reference's server.
    ///
    /// # Errors
    /// When it fails.
    pub fn plain(&self, reference: Reference, program: &str, arguments: &[&str]) -> Result<Cost> {
        run(
            &self.plain_meter,
            self.plain_client(reference, program, arguments),
        )
    }

    /// Plays `ssh` against our bastion; `typist` answers what it is asked.
    ///
    /// # Errors
    /// When it fails.
    pub fn ours_typing(&self, typist: &Path, arguments: &[&str]) -> Result<Cost> {
        let client = self.ours_client("ssh", arguments);
        run(&self.ours_meter, asking(client, typist))
    }

    /// The same against a reference's server.
    ///
    /// # Errors
    /// When it fails.
    pub fn plain_typing(
        &self,
        typist: &Path,
        reference: Reference,
        arguments: &[&str],
    ) -> Result<Cost> {
        let client = self.plain_client(reference, "ssh", arguments);
        run(&self.plain_meter, asking(client, typist))
    }

    /// Plays `ssh` from where the assets of the plain lab can be reached without a hop.
    ///
    /// # Errors
    /// When it fails.
    pub fn direct(&self, arguments: &[&str]) -> Result<Cost> {
        let client = Invocation::new(self.direct_program()).args(arguments);
        let client = client
            .variable("LAB_AS", ALICE)
            .variable("SSH_ASKPASS_REQUIRE", "never");
        run(&self.plain_meter, client.within(LONG))
    }

    /// The client program of [`Workbench::direct`].
    pub fn direct_program(&self) -> PathBuf {
        self.plain.folder().programs().join("direct")
    }
}

fn asking(client: Invocation, typist: &Path) -> Invocation {
    client
        .variable("SSH_ASKPASS", typist)
        .variable("SSH_ASKPASS_REQUIRE", "force")
        .variable("DISPLAY", "none")
}

fn run(meter: &Meter, client: Invocation) -> Result<Cost> {
    let before = meter.used_at_rest()?;
    let outcome: Outcome = client.discard_output().run().success()?;
    Ok(Cost {
        wall: outcome.elapsed,
        cpu: meter.used_at_rest()?.saturating_sub(before),
    })
}

/// sshd answers each step of an authentication after 5 to 9 ms or a multiple of that; how long exactly it makes of its host keys
/// and the user's name. Both bastions have the same keys, and so the same times for the same name.
fn same_host_keys(ours: &Lab, plain: &Lab) -> Result<()> {
    let (from, to) = (ours.bastion(), plain.bastion());
    let names = from.run("ls /etc/ssh/ssh_host_*_key*").success()?.text();
    for path in names.lines() {
        to.write(path, from.read(path));
    }
    to.reload_sshd();
    let (from, to) = (ours.folder().path(), plain.folder().path());
    fs::copy(from.join("known_hosts"), to.join("known_hosts"))?;
    Ok(())
}

/// Connections to assets stay for so many seconds. A version that cannot do that has each session connect anew.
fn keep_warm(host: &Host, seconds: u32) -> Option<(String, String)> {
    let text = format!("[egress]\nwarm_seconds = {seconds}\n");
    host.write("/srv/jms.toml", &text);
    let known = host.run("jmsctl config check /srv/jms.toml").succeeded();
    if known {
        host.write("/etc/jms/jms.toml", &text);
    }
    known.then(|| (format!("ours, `/etc/jms/jms.toml`, {seconds} s"), text))
}

/// The versions of what is measured against.
fn versions(plain: &Host) -> Result<(String, String)> {
    let list = "dpkg-query --show --showformat '${Package} ${Version}\\n' openssh-server openssh-client libpam-modules bsdutils tlog asciinema libpam-google-authenticator 2>/dev/null || true";
    Ok((
        "the reference's packages".to_owned(),
        plain.run(list).success().context("versions")?.text(),
    ))
}
