//! The everyday case, set up with `jmsctl` as an administrator would: alice may use web1 as dev; nobody was granted web2.
//! Two administrators, and a copy of the key to stored secrets that was shown: doctor has nothing to complain of.

use anyhow::{Context, Result};

use crate::boot::{ADMINISTRATOR, ADMINISTRATOR_PASSWORD, ASSET_ACCOUNT, authorize};
use crate::folder::ALICE;
use crate::lab::Lab;

/// The bastion's own administrators: two, so that one may be ill.
pub const ADMINISTRATORS: [&str; 2] = ["ada", "grace"];

/// What alice may do on web1.
const RIGHTS: &str = "shell,exec,upload,download";

/// Fills the bastion's store. Each step is what a person would type.
///
/// # Errors
/// When `jmsctl` refuses a step.
pub fn fill(lab: &Lab) -> Result<()> {
    fill_first_version(lab)?;
    let bastion = lab.bastion();
    for name in ADMINISTRATORS {
        let key = lab.folder().public_key_of(name)?;
        bastion
            .command([
                "jmsctl", "user", "add", name, "--role", "admin", "--key", "-",
            ])
            .input(format!("{key}\n"))
            .run()
            .success()?;
    }
    // As if the copy lay on another machine and came from there.
    bastion
        .run("jmsctl doctor --confirm-backup - < /etc/jms/secret.key")
        .success()?;
    Ok(())
}

/// The local administrator shows that he gets in without the bastion, as doctor wants to have seen.
///
/// # Errors
/// When he does not.
pub fn try_local_account(lab: &Lab) -> Result<()> {
    let command = "sudo --stdin --prompt= jmsctl doctor --confirm-local-account";
    lab.client_of(ADMINISTRATOR)
        .command("ssh", [&format!("{ADMINISTRATOR}@bastion"), command])
        .input(format!("{ADMINISTRATOR_PASSWORD}\n"))
        .run()
        .success()?;
    Ok(())
}

/// The same in words that version 0.1.0 knows too, to upgrade from: alice, web1 and dev.
///
/// # Errors
/// When `jmsctl` refuses a step.
pub fn fill_first_version(lab: &Lab) -> Result<()> {
    let bastion = lab.bastion();
    let alices_key = lab.folder().public_key_of(ALICE)?;

    let jmsctl = |line: String, input: String| -> Result<()> {
        let words = ["jmsctl"].into_iter().chain(line.split_whitespace());
        bastion.command(words).input(input).run().success()?;
        Ok(())
    };
    jmsctl("init".to_owned(), String::new())?;
    jmsctl(
        format!("user add {ALICE} --key -"),
        format!("{alices_key}\n"),
    )?;
    jmsctl(
        format!("system-user add {ASSET_ACCOUNT} --credential key --generate ed25519"),
        String::new(),
    )?;
    let shown = bastion
        .command(["jmsctl", "system-user", "show", ASSET_ACCOUNT, "--json"])
        .run()
        .json()?;
    let key = shown.get("public_key").and_then(|key| key.as_str());
    let key =
        key.with_context(|| format!("jmsctl shows no public key of {ASSET_ACCOUNT}: {shown}"))?;
    for asset in lab.assets() {
        authorize(lab.host(asset), ASSET_ACCOUNT, key)?;
        jmsctl(
            format!("asset add {asset} --address {} --scan", lab.address(asset)),
            String::new(),
        )?;
    }
    let granted = lab.assets().next().context("the lab has no asset")?;
    jmsctl(
        format!(
            "grant add everyday --user {ALICE} --asset {granted} --system-user {ASSET_ACCOUNT} --rights {RIGHTS}"
        ),
        String::new(),
    )
}
