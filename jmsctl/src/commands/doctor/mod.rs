//! `jmsctl doctor`: what is wrong with this host, and the commands that mend it.
#![forbid(unsafe_code)]

mod confirm;

use crate::cli::Arguments;
use crate::cli::health::{Doctor, Profile};
use crate::doctor::{self, Depth, Finding, Outside};
use crate::failure::{Done, Failure};
use crate::output::{self, Output, harmless};
use crate::privilege;
use jms::paths::Paths;

/// Runs it: root looks, the service user judges.
pub fn run(options: &Doctor, arguments: &Arguments, paths: &Paths, mut out: Output) -> Done {
    if let Some(file) = &options.confirm_backup {
        return confirm::backup(file, &arguments.global, paths, out);
    }
    if options.confirm_local_account {
        return confirm::local_account(&arguments.global, paths, out);
    }
    let findings = match doctor::obstacle() {
        Some(findings) => {
            output::warn("nothing else is looked at: whoever asks for a name would wait for ever");
            findings
        }
        None => {
            let outside = Outside::gather(paths, Depth::Thorough);
            let is_service_user = become_service_user()?;
            let with_profile = options.profile == Some(Profile::Bastion);
            outside.judge(paths, is_service_user, with_profile)
        }
    };
    for finding in &findings {
        print(finding, &mut out)?;
    }
    out.flush()?;
    if findings.is_empty() {
        out.note("nothing to complain of");
        return Ok(());
    }
    let number = findings.len();
    Err(Failure::Failed(format!(
        "{number} finding{}; each is explained in doctor.md of the documentation",
        if number == 1 { "" } else { "s" }
    )))
}

/// Becomes the service user, or says that there is none: then everything but the store is judged.
///
/// # Errors
/// When there is one and root's rights did not go away: nothing must be parsed with them.
pub fn become_service_user() -> Done<bool> {
    if let Err(failure) = privilege::service_user() {
        output::warn(&format!("{failure}; the store is not looked at"));
        return Ok(false);
    }
    privilege::become_service_user().map(|()| true)
}

fn print(finding: &Finding, out: &mut Output) -> Done {
    if out.is_json() {
        return out.show(finding);
    }
    out.text(&format!(
        "{:8}  {}\n          {}\n          mend: {}\n",
        finding.severity.as_str(),
        finding.id,
        harmless(&finding.sentence),
        harmless(&finding.command)
    ))
}
