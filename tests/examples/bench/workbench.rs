//! Two labs beside each other: ours, and a plain Debian that does with sshd alone what comes nearest. The same key exchange on
//! both sides, since the post-quantum one would hide what we look for.

use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use tests::boot::{ASSET_ACCOUNT, authorize};
use tests::folder::ALICE;
use tests::{Host, Lab, Outcome};

use crate::cpu::Meter;

/// The references' sshds on the plain bastion, by what they do with a login.
pub const NOTHING: u16 = 2201;
/// A plain chain: `ssh dev@web1`, nobody watching.
pub const CHAIN: u16 = 2202;
/// The chain in script(1).
pub const SCRIPT: u16 = 2203;
/// The chain in asciinema.
pub const ASCIINEMA: u16 = 2204;

/// A key and a code of an authenticator app, by Debian's pam_google_authenticator; then nothing.
pub const CODE: u16 = 2205;

/// How the plain bastion's servers are set up; `%` is what each of them forces.
const REFERENCE: &str = "AuthorizedKeysFile none\nAuthorizedKeysCommand /bin/cat /etc/ssh/alice.pub\nAuthorizedKeysCommandUser nobody\n\
    PasswordAuthentication no\nKexAlgorithms curve25519-sha256\nUseDNS no\nForceCommand ";

/// Long enough for anything here.
const LONG: Duration = Duration::from_secs(300);

/// The hosts that are measured.
#[derive(Debug)]
pub struct Workbench {
    /// With the package; alice may use web1 as dev.
    pub ours: Lab,
    /// Without it.
    pub plain: Lab,
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
    pub fn start() -> Result<Self> {
        let ours = Lab::builder().start()?;
        tests::everyday::fill(&ours)?;
        let plain = Lab::builder().without_package().bench().start()?;
        for lab in [&ours, &plain] {
            for host in [lab.bastion(), lab.web1()] {
                let penalties = "if /usr/sbin/sshd -T -o PerSourcePenalties=no >/dev/null 2>&1; then echo 'PerSourcePenalties no'; fi";
                host.run(format!(
                    "{{ echo 'KexAlgorithms curve25519-sha256'; echo 'MaxStartups 500'; echo 'MaxSessions 500'; echo 'UseDNS no'; {penalties}; }} >/etc/ssh/sshd_config.d/40-bench.conf"
                ))
                .success()?;
                host.reload_sshd();
            }
            prepare_asset(lab.web1())?;
        }
        prepare_reference(&plain)?;
        Ok(Self {
            ours_meter: Meter::of_servers(ours.bastion(), "ours")?,
            plain_meter: Meter::of_servers(plain.bastion(), "plain")?,
            ours,
            plain,
        })
    }

    /// Plays a client program against our bastion.
    ///
    /// # Errors
    /// When it fails.
    pub fn ours(&self, program: &str, arguments: &[&str]) -> Result<Cost> {
        run(&self.ours, &self.ours_meter, program, arguments, None)
    }

    /// Plays it against a reference's server on the plain bastion. `%` in an argument stands for its port.
    ///
    /// # Errors
    /// When it fails.
    pub fn plain(&self, port: u16, program: &str, arguments: &[&str]) -> Result<Cost> {
        let port = port.to_string();
        let option = if matches!(program, "scp" | "sftp") {
            "-P"
        } else {
            "-p"
        };
        let mut words = vec![option, &port];
        words.extend(arguments);
        run(&self.plain, &self.plain_meter, program, &words, None)
    }

    /// Plays `ssh` against our bastion; `typist` answers what it is asked.
    ///
    /// # Errors
    /// When it fails.
    pub fn ours_typing(&self, typist: &Path, arguments: &[&str]) -> Result<Cost> {
        let (lab, meter) = (&self.ours, &self.ours_meter);
        run(lab, meter, "ssh", arguments, Some(typist))
    }

    /// The same against a reference's server.
    ///
    /// # Errors
    /// When it fails.
    pub fn plain_typing(&self, typist: &Path, port: u16, arguments: &[&str]) -> Result<Cost> {
        let port = port.to_string();
        let mut words = vec!["-p", &port];
        words.extend(arguments);
        let (lab, meter) = (&self.plain, &self.plain_meter);
        run(lab, meter, "ssh", &words, Some(typist))
    }

    /// Plays a command of the plain bastion's alice, who stands where the asset can be reached without a hop.
    ///
    /// # Errors
    /// When it fails.
    pub fn direct(&self, arguments: &[&str]) -> Result<Cost> {
        let begun = Instant::now();
        let words = ["ssh"].into_iter().chain(arguments.iter().copied());
        let invocation = self.plain.bastion().command_as(ALICE, words);
        invocation.within(LONG).discard_output().run().success()?;
        Ok(Cost {
            wall: begun.elapsed(),
            cpu: Duration::ZERO,
        })
    }
}

fn run(
    lab: &Lab,
    meter: &Meter,
    program: &str,
    arguments: &[&str],
    typist: Option<&Path>,
) -> Result<Cost> {
    let before = meter.used()?;
    let begun = Instant::now();
    let mut client = lab.client().command(program, arguments).within(LONG);
    if let Some(typist) = typist {
        client = client
            .variable("SSH_ASKPASS", typist)
            .variable("SSH_ASKPASS_REQUIRE", "force")
            .variable("DISPLAY", "none");
    }
    let outcome: Outcome = client.discard_output().run();
    let wall = begun.elapsed();
    outcome.success()?;
    // What ends behind the client's back belongs to it as well.
    std::thread::sleep(Duration::from_millis(30));
    Ok(Cost {
        wall,
        cpu: meter.used()?.saturating_sub(before),
    })
}

/// What is fetched from an asset: lines as a log has them, and a big file that does not shrink.
fn prepare_asset(asset: &Host) -> Result<()> {
    let script = r#"
        awk 'BEGIN { for (i = 0; i < 700000; i++) printf "2026-11-21T10:%02d:%02d web1 app[%d]: request %d answered in %d ms\n", i/60%60, i%60, i%997, i*7919, i%431 }' >/srv/log
        truncate -s 64M /srv/log
        dd if=/dev/urandom of=/srv/big bs=1M count=256 2>/dev/null
        chmod 644 /srv/log /srv/big"#;
    asset.run(script).success()?;
    Ok(())
}

/// Alice's account on the plain bastion, with a key of her own for the asset, and the references' servers.
fn prepare_reference(plain: &Lab) -> Result<()> {
    let bastion = plain.bastion();
    let key = plain.client().public_key()?;
    bastion.write("/etc/ssh/alice.pub", format!("{key}\n"));
    bastion
        .run(format!(
            "useradd --create-home --shell /bin/bash {ALICE} && runuser -u {ALICE} -- mkdir -m 700 /home/{ALICE}/.ssh && \
             runuser -u {ALICE} -- ssh-keygen -q -t ed25519 -N '' -f /home/{ALICE}/.ssh/id_ed25519 && \
             runuser -u {ALICE} -- bash -c 'ssh-keyscan web1 2>/dev/null >~/.ssh/known_hosts' && touch /home/{ALICE}/.hushlogin"
        ))
        .success()?;
    let inner = bastion.read_text(format!("/home/{ALICE}/.ssh/id_ed25519.pub"));
    authorize(plain.web1(), ASSET_ACCOUNT, inner.trim())?;
    let chain = format!(
        "#!/bin/sh\ncase $SSH_ORIGINAL_COMMAND in internal-sftp*) exec ssh -s {ASSET_ACCOUNT}@web1 sftp;; esac\nif [ -t 0 ]; then t=-tt; else t=-T; fi\nexec ssh $t {ASSET_ACCOUNT}@web1 \"$SSH_ORIGINAL_COMMAND\"\n"
    );
    bastion.write("/usr/local/bin/chain", chain);
    bastion.write(
        "/usr/local/bin/chain-script",
        "#!/bin/sh\nexec script -qefc /usr/local/bin/chain /tmp/script.$$ \n",
    );
    bastion.write(
        "/usr/local/bin/chain-asciinema",
        "#!/bin/sh\nexec asciinema rec -q -c /usr/local/bin/chain /tmp/asciinema.$$\n",
    );
    bastion.run("chmod 755 /usr/local/bin/chain*").success()?;
    // As its README has it: a code in place of the password.
    bastion
        .run("sed -i 's/^@include common-auth/auth required pam_google_authenticator.so/' /etc/pam.d/sshd")
        .success()?;
    for (port, forced) in [
        (
            CODE,
            "/bin/true\nKbdInteractiveAuthentication yes\nAuthenticationMethods publickey,keyboard-interactive:pam",
        ),
        (NOTHING, "/bin/true"),
        (CHAIN, "/usr/local/bin/chain"),
        (SCRIPT, "/usr/local/bin/chain-script"),
        (ASCIINEMA, "/usr/local/bin/chain-asciinema"),
    ] {
        let host_key =
            tests::second_sshd::second_sshd(bastion, port, &format!("{REFERENCE}{forced}"));
        let known = plain.folder().path().join("known_hosts");
        let mut text = std::fs::read_to_string(&known)?;
        let key = host_key
            .rsplit_once(' ')
            .map_or(host_key.as_str(), |(key, _)| key);
        text.push_str(&format!("bastion {key}\n"));
        std::fs::write(&known, text).context("known_hosts")?;
    }
    Ok(())
}
