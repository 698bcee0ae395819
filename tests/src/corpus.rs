//! The command corpus (`tests/corpus`) on an asset of a lab, played through real logins: client, bastion, asset.
//!
//! The runner runs on the asset, where it lays out the account's home and reads what the shells there were given; it comes in as
//! alice through the bastion, like anybody, and loads rules and reads commands as an administrator over ssh.

use std::path::Path;
use std::time::Duration;

use anyhow::{Context, Result};

use crate::boot::authorize;
use crate::everyday;
use crate::folder::ALICE;
use crate::host::Host;
use crate::invocation::Invocation;
use crate::lab::Lab;
use crate::release::Release;
use crate::say;

/// Where the corpus lies on the asset.
const PLACE: &str = "/srv/corpus";
/// The administrator who loads rules and reads commands.
const READER: &str = "ada";

/// A lab with the corpus on its asset, and accounts for so many runners at a time.
#[derive(Debug)]
pub struct Corpus {
    lab: Lab,
    runners: usize,
}

/// One account of the asset, with its system user and its filter, all of one name: cases are played on it one after another.
#[derive(Debug, Clone)]
pub struct Account(String);

impl Corpus {
    /// Starts it: hosts of `release`, `LAB_RELEASE` or Debian 12 otherwise.
    ///
    /// # Errors
    /// When a host cannot be started, or `jmsctl` refuses a step.
    pub fn start(release: Option<Release>, runners: usize) -> Result<Self> {
        let mut builder = Lab::builder().assets(["web1"]).corpus();
        if let Some(release) = release {
            builder = builder.release(release);
        }
        let lab = builder.start()?;
        everyday::fill(&lab)?;
        let corpus = Self { lab, runners };
        corpus.install()?;
        for account in corpus.accounts() {
            corpus.add(&account)?;
        }
        Ok(corpus)
    }

    /// Its accounts.
    #[must_use]
    pub fn accounts(&self) -> Vec<Account> {
        (1..=self.runners)
            .map(|number| Account(format!("corpus{number}")))
            .collect()
    }

    /// Its lab.
    #[must_use]
    pub fn lab(&self) -> &Lab {
        &self.lab
    }

    /// From now on the shells of `account` are started with hooks.
    ///
    /// # Errors
    /// When `jmsctl` refuses it.
    pub fn hook(&self, account: &Account) -> Result<()> {
        let Account(name) = account;
        let change = format!("jmsctl system-user set {name} --shell-hooks yes");
        self.lab.bastion().run(change).success()?;
        Ok(())
    }

    /// The runner on `account`, not yet started; more of its options may follow.
    #[must_use]
    pub fn runner(&self, account: &Account) -> Invocation {
        let Account(name) = account;
        let target = format!("alice@{name}@web1@bastion");
        let via = format!("ssh -q -tt {target}");
        let filter =
            format!("ssh {READER}@bastion jmsctl filter load {name} - <{{rules}} >/dev/null");
        let commands = format!(
            "ssh {READER}@bastion jmsctl command ls --system-user {name} --since {{since}} --limit 0 --json"
        );
        let home = format!("/home/{name}");
        let words = [
            "python3",
            "/srv/corpus/run",
            "--asset-home",
            &home,
            "--via",
            &via,
            "--filter",
            &filter,
            "--commands",
            &commands,
            "--slow",
            "1.5",
            "--settle",
            "0.3",
        ];
        self.asset()
            .command(words)
            .within(Duration::from_secs(7200))
    }

    fn asset(&self) -> &Host {
        self.lab.web1()
    }

    /// The files, and the keys of the two persons whom the runner comes as.
    fn install(&self) -> Result<()> {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus");
        let files = Invocation::new("tar")
            .args(["--create", "--owner=0", "--group=0", "--directory"])
            .arg(folder)
            .arg(".")
            .run()
            .success()?;
        let asset = self.asset();
        let unpack = ["tar", "--extract", "--directory", PLACE];
        asset.run(format!("install -d -m 0755 {PLACE}")).success()?;
        asset.command(unpack).input(files.stdout).run().success()?;
        let folder = self.lab.folder();
        asset.run("install -d -m 0700 /root/.ssh").success()?;
        let mut settings = format!(
            "Host bastion\n  User {READER}\nHost *\n  ConnectTimeout 20\n  ServerAliveInterval 0\n\
             Match host bastion user {READER}\n  IdentityFile /root/.ssh/{READER}\n\
             \x20 ControlMaster auto\n  ControlPath /root/.ssh/reader\n  ControlPersist 600\n\
             Match host bastion\n  IdentityFile /root/.ssh/{ALICE}\n  IdentitiesOnly yes\n"
        );
        settings.push_str("  GlobalKnownHostsFile none\n");
        asset.write("/root/.ssh/config", settings);
        for person in [ALICE, READER] {
            let key = std::fs::read(folder.key_of(person)?)?;
            let path = format!("/root/.ssh/{person}");
            asset.write(&path, key);
            asset.run(format!("chmod 0600 {path}")).success()?;
        }
        let known = std::fs::read(folder.path().join("known_hosts"))?;
        asset.write("/root/.ssh/known_hosts", known);
        // Where the name is the release's own, the old name leads there.
        asset
            .run("command -v mysql >/dev/null || ln -s mariadb /usr/bin/mysql; command -v ksh93 >/dev/null || ln -s ksh /usr/bin/ksh93")
            .success()?;
        Ok(())
    }

    fn add(&self, account: &Account) -> Result<()> {
        let Account(name) = account;
        let jmsctl = |line: &str| self.lab.bastion().run(format!("jmsctl {line}")).success();
        let launcher = format!("{PLACE}/launcher");
        self.asset()
            .command(["useradd", "--create-home", "--shell", &launcher, name])
            .run()
            .success()?;
        jmsctl(&format!(
            "system-user add {name} --credential key --generate ed25519"
        ))?;
        let shown = jmsctl(&format!("system-user show {name} --json"))?.json()?;
        let key = shown.get("public_key").and_then(|key| key.as_str());
        authorize(self.asset(), name, key.context("no public key")?)?;
        jmsctl(&format!(
            "grant add {name} --user {ALICE} --asset web1 --system-user {name} --rights shell"
        ))?;
        jmsctl(&format!("filter add {name}"))?;
        jmsctl(&format!("filter attach {name} --system-user {name}"))?;
        Ok(())
    }
}

/// Plays the corpus, or what `options` of the runner choose of it, and shows its table: the command `lab corpus`.
///
/// # Errors
/// When the lab cannot be made.
pub fn play(release: Release, options: &[std::ffi::OsString]) -> Result<bool> {
    let corpus = Corpus::start(Some(release), 1)?;
    say(format!(
        "playing the corpus through the bastion on {}; all of it takes half an hour",
        corpus.lab().release()
    ));
    let [account] = &corpus.accounts()[..] else {
        return Ok(false);
    };
    if options.iter().any(|option| option == "--hooks") {
        corpus.hook(account)?;
    }
    let status = corpus.runner(account).args(options).run_in_foreground()?;
    Ok(status.success())
}
