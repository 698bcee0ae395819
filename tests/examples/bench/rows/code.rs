//! A login with a key and a code of an authenticator app, beside the same with Debian's pam_google_authenticator.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use tests::authenticator::enrolled;
use tests::folder::ALICE;
use tests::{Authenticator, Lab};

use super::Row;
use super::logins::{cpu_and_wall, several};
use crate::references::Reference;
use crate::report::{Aim, Measured};
use crate::rounds::{Contender, OURS, interleave};
use crate::workbench::{LITTLE, Needs, PLAIN_WAY, Workbench};

/// Key and code, then nothing.
pub const LOGIN: Row = Row {
    name: "code",
    about: "a login with a key and a code of an authenticator app",
    needs: Needs {
        references: &[Reference::Code],
        ..LITTLE
    },
    play: login,
};

const GOOGLE: &str = Reference::Code.name();

/// No login is spared its code.
const EACH_TIME: &str = "[mfa]\nremember = 0\n";
/// The settings that google-authenticator(1) recommends, behind the secret.
const SETTINGS: &str = "\" RATE_LIMIT 3 30\n\" WINDOW_SIZE 3\n\" DISALLOW_REUSE\n\" TOTP_AUTH\n";

/// Server CPU and wall of one login. A code works once on both sides, so what was used is forgotten before each login, by
/// somebody who is not measured.
fn login(bench: &Workbench) -> Result<Vec<Measured>> {
    let ours = bench.ours.bastion();
    ours.write("/etc/jms/jms.toml", EACH_TIME);
    bench.tell("ours, `/etc/jms/jms.toml` with a code", EACH_TIME);
    bench.tell(
        "reference with a code, `~/.google_authenticator` behind the secret",
        SETTINGS,
    );
    let screen = bench
        .ours
        .client()
        .command("ssh", ["-t", "alice@bastion", "mfa", "enroll"])
        .in_window(120, 60)
        .on_terminal();
    let (app, _) = enrolled(screen, bench.ours.host("client"));
    ours.run("jmsctl user set alice --mfa totp </dev/null")
        .success()?;
    let plain = bench.plain.bastion();
    plain.write("/root/code", format!("{}\n{SETTINGS}", app.secret()));

    let typist = |lab: &Lab| typist(lab.folder().path());
    let (for_ours, for_plain) = (typist(&bench.ours)?, typist(&bench.plain)?);
    let show = |lab: &Lab| show(lab, &app, bench);
    let quantities = interleave(
        bench.options.rounds,
        2,
        vec![
            Contender::with_warm_up(GOOGLE, |round| {
                several(round, || {
                    let file = format!("/home/{ALICE}/.google_authenticator");
                    plain
                        .run(format!(
                            "install -m 0400 -o {ALICE} -g {ALICE} /root/code {file}"
                        ))
                        .success()?;
                    show(&bench.plain)?;
                    bench.plain_typing(&for_plain, Reference::Code, &[PLAIN_WAY, "version"])
                })
            }),
            Contender::with_warm_up(OURS, |round| {
                several(round, || {
                    let forget = "import sqlite3; s = sqlite3.connect('/var/lib/jms/jms.db'); s.execute('UPDATE totp SET last_step = -1'); s.commit()";
                    ours.command(["runuser", "-u", "jms", "--", "python3", "-c", forget])
                        .run()
                        .success()?;
                    show(&bench.ours)?;
                    bench.ours_typing(&for_ours, &[PLAIN_WAY, "version"])
                })
            }),
        ],
    )?;
    let aims = [Aim::AtMostTimes(1.00, GOOGLE), Aim::None];
    Ok(cpu_and_wall("a login with a code", quantities, aims))
}

/// The program that types for ssh what stands in the file `code` beside it.
fn typist(folder: &Path) -> Result<PathBuf> {
    let path = folder.join("typist");
    fs::write(&path, format!("#!/bin/sh\ncat {}/code\n", folder.display())).context("typist")?;
    fs::set_permissions(&path, fs::Permissions::from_mode(0o755))?;
    Ok(path)
}

fn show(lab: &Lab, app: &Authenticator, bench: &Workbench) -> Result<()> {
    let code = app.code(bench.ours.host("client"), 0);
    fs::write(lab.folder().path().join("code"), format!("{code}\n")).context("code")
}
