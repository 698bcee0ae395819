//! What the binary `lab` does: hosts that stay until they are taken down, and the demo.

use std::ffi::{OsStr, OsString};
use std::fs;
use std::io::{ErrorKind, IsTerminal, Read, Write};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::net::{UnixListener, UnixStream};
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};

use anyhow::{Context, Result, bail};
use nix::unistd::{dup2_stdout, setsid};

use crate::base_root::base_root;
use crate::client_root::{client_root, corpus_root};
use crate::lab::Lab;
use crate::release::Release;
use crate::{everyday, proof, say, sys};

/// Where the lab lies that people start, seen from the checkout.
const FOLDER: &str = "target/lab";
/// Whoever connects here ends the lab, and is told when it is gone by the end of the connection.
const CONTROL: &str = "control";
const LOG: &str = "log";

/// Which lab is meant.
#[derive(Debug)]
pub struct Settings {
    release: Release,
    folder: PathBuf,
}

impl Settings {
    /// From the command line's options; without them `LAB_RELEASE` and `target/lab`.
    ///
    /// # Errors
    /// When there is no such release.
    pub fn new(release: Option<&str>, folder: Option<OsString>) -> Result<Self> {
        let release = match release {
            Some(number) => number.parse()?,
            None => Release::from_environment()?,
        };
        Ok(Self {
            release,
            folder: folder.map_or_else(|| FOLDER.into(), PathBuf::from),
        })
    }

    /// Which Debian its hosts run.
    #[must_use]
    pub fn release(&self) -> Release {
        self.release
    }
}

/// Starts the hosts, fills the bastion, and leaves them running in a process of its own.
///
/// # Errors
/// When they run already, or cannot be started.
pub fn up(settings: &Settings) -> Result<()> {
    fs::create_dir_all(&settings.folder)?;
    let folder = settings.folder.canonicalize()?;
    if UnixStream::connect(folder.join(CONTROL)).is_ok() {
        // The connection alone would end it: see `keep`, which therefore waits for a word.
        bail!(
            "the lab in {} is running already; lab down removes it",
            folder.display()
        );
    }
    let log = fs::File::create(folder.join(LOG))?;
    let number = settings.release.number().to_string();
    let mut keeper = Command::new(std::env::current_exe()?)
        .args(["keep", "--release", &number, "--dir"])
        .arg(&folder)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(log)
        .spawn()?;
    let mut said = String::new();
    keeper
        .stdout
        .take()
        .context("no pipe")?
        .read_to_string(&mut said)?;
    if said.trim() != "ready" {
        keeper.wait()?;
        bail!(
            "the lab did not start:\n{}",
            fs::read_to_string(folder.join(LOG))?.trim_end()
        );
    }
    let shown = settings.folder.display();
    println!("The lab runs {}. Try:", settings.release);
    println!("  {shown}/ssh {} uptime", proof::WAY);
    println!("  {shown}/scp FILE {}:/tmp/", proof::WAY);
    println!("  {shown}/on bastion jmsctl session ls");
    println!("  {shown}/on web1 tail /var/log/auth.log");
    println!("  . {shown}/env                        addresses and roots for scripts");
    println!("make lab-down removes it.");
    Ok(())
}

/// Builds what every lab starts from, the base root and the layers with the clients and with the corpus, unless they lie in the cache.
///
/// # Errors
/// When it cannot be built.
pub fn prepare(settings: &Settings) -> Result<()> {
    let base = base_root(settings.release)?;
    client_root(settings.release, &base)?;
    corpus_root(settings.release, &base).map(drop)
}

/// Holds the hosts of [`up`] until somebody asks for their end.
///
/// # Errors
/// When they cannot be started.
pub fn keep(settings: &Settings) -> Result<()> {
    // The terminal's Ctrl-C and its end are not for the lab.
    setsid().context("the keeper runs in a session of its own")?;
    let lab = Lab::builder()
        .release(settings.release)
        .folder(&settings.folder)
        .start()?;
    everyday::fill(&lab)?;
    let control = settings.folder.join(CONTROL);
    let _ = fs::remove_file(&control);
    let listener = UnixListener::bind(&control)?;
    println!("ready");
    std::io::stdout().flush()?;
    // Whoever started us waits for the end of our output.
    dup2_stdout(fs::File::open("/dev/null")?)?;
    let mut asked = loop {
        let (mut connection, _) = listener.accept()?;
        let mut word = [0; 4];
        if connection.read_exact(&mut word).is_ok() && &word == b"down" {
            break connection;
        }
    };
    drop(lab);
    fs::remove_dir_all(&settings.folder)?;
    asked.write_all(b"gone")?;
    Ok(())
}

/// Removes the hosts of [`up`] and the lab's folder.
///
/// # Errors
/// When they do not end.
pub fn down(settings: &Settings) -> Result<()> {
    match UnixStream::connect(settings.folder.join(CONTROL)) {
        Ok(mut connection) => {
            connection.write_all(b"down")?;
            let mut answer = String::new();
            connection.read_to_string(&mut answer)?;
            if answer != "gone" {
                bail!(
                    "the lab ended, but {} could not be removed",
                    settings.folder.display()
                );
            }
        }
        // Not there, or its keeper is gone and with it the hosts: what is left is the folder.
        Err(error)
            if [ErrorKind::NotFound, ErrorKind::ConnectionRefused].contains(&error.kind()) =>
        {
            remove_folder(&settings.folder)?;
        }
        Err(error) => return Err(error).context("cannot reach the lab"),
    }
    Ok(())
}

fn remove_folder(folder: &Path) -> Result<()> {
    // Only a lab's folder, whatever --dir names.
    if folder.join(LOG).exists() {
        fs::remove_dir_all(folder)?;
    }
    Ok(())
}

/// Runs a command as root in a host of [`up`].
///
/// # Errors
/// When the lab does not run.
pub fn on(settings: &Settings, words: &[OsString]) -> Result<ExitCode> {
    let program = settings.folder.join("on");
    if !program.exists() {
        bail!(
            "there is no lab in {}; lab up starts it",
            settings.folder.display()
        );
    }
    Err(Command::new(&program).args(words).exec()).context("cannot run the lab's on")
}

/// A lab of its own for one command, or for the proof and, at a terminal, a shell on web1.
///
/// # Errors
/// When the lab cannot be started.
pub fn demo(settings: &Settings, line: &OsStr) -> Result<ExitCode> {
    sys::outlive_interrupts()?;
    let lab = Lab::builder().release(settings.release).start()?;
    everyday::fill(&lab)?;
    if !line.is_empty() {
        return run_line(&lab, line);
    }
    let terminal = std::io::stdin().is_terminal() && std::io::stdout().is_terminal();
    if terminal {
        println!(
            "You are alice. This is a shell on web1, as dev, through the bastion: {}",
            proof::WAY
        );
        println!("Look around; exit ends it, and then comes the proof of the way you went.\n");
        run_line(&lab, OsStr::new(&format!("ssh -t {}", proof::WAY)))?;
        println!();
    }
    let holds = show_proof(&lab);
    println!("\nWhat to try next:");
    println!(
        "  make demo CMD='ssh {} uptime'          one command there",
        proof::WAY
    );
    println!(
        "  make demo CMD='scp README.md {}:/tmp/'  a file",
        proof::WAY
    );
    println!("  make lab                                the same hosts, until make lab-down:");
    println!("    target/lab/ssh {}", proof::WAY);
    println!("    target/lab/on bastion jmsctl session ls");
    Ok(if holds {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

/// Runs a shell's command line with the lab's clients first in `PATH`.
fn run_line(lab: &Lab, line: &OsStr) -> Result<ExitCode> {
    let mut path = lab.folder().programs().into_os_string();
    path.push(":");
    path.push(std::env::var_os("PATH").unwrap_or_default());
    let status = Command::new("sh")
        .arg("-c")
        .arg(OsStr::from_bytes(line.as_bytes()))
        .env("PATH", path)
        .status()?;
    let code = status
        .code()
        .unwrap_or_else(|| 128 + status.signal().unwrap_or_default());
    Ok(ExitCode::from(u8::try_from(code).unwrap_or(u8::MAX)))
}

fn show_proof(lab: &Lab) -> bool {
    println!("Proof of the way, {}:", lab.release());
    let mut holds = true;
    for proof in proof::of_path(lab) {
        match proof.result {
            Ok(()) => println!("  [ok] {}", proof.sentence),
            Err(error) => {
                holds = false;
                println!(
                    "  [NO] {}\n       {}",
                    proof.sentence,
                    format!("{error:#}").replace('\n', "\n       ")
                );
            }
        }
    }
    if sys::interrupted() {
        say("interrupted; the hosts are removed");
    }
    holds && !sys::interrupted()
}
