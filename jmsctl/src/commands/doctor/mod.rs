//! `jmsctl doctor`: what is wrong with this host, and the commands that mend it.
#![forbid(unsafe_code)]

use crate::cli::health::{Doctor, Profile};
use crate::cli::{Arguments, flags::Global};
use crate::context::Context;
use crate::doctor::{self, Depth, Finding, Outside};
use crate::failure::{Done, Failure};
use crate::output::{self, Output, harmless};
use crate::privilege;
use jms::paths::Paths;
use jms::secret::MasterKey;
use jms::settings::Settings;
use jms::store::Store;
use serde_json::json;

/// Runs it: root looks, the service user judges.
pub fn run(options: &Doctor, arguments: &Arguments, paths: &Paths, mut out: Output) -> Done {
    if options.confirm_backup.is_some() {
        privilege::become_service_user()?;
        return confirm_backup(options, &arguments.global, paths, out);
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

/// Compares a copy of the key with the key, and remembers that there is one.
fn confirm_backup(doctor: &Doctor, global: &Global, paths: &Paths, out: Output) -> Done {
    let Some(file) = &doctor.confirm_backup else {
        return Ok(());
    };
    let copy = file.read_secret()?;
    let path = paths.secret_key();
    let key = MasterKey::load(&path).map_err(|error| Failure::Failed(error.to_string()))?;
    if !key.is(&copy) {
        return Err(Failure::Failed(format!(
            "{} is no copy of {}; nothing was noted",
            file.name(),
            path.display()
        )));
    }
    let settings = Settings::load(&paths.settings()).unwrap_or_default();
    let mut context = Context::new(
        Store::open(paths)?,
        global,
        &settings,
        out,
        crate::context::Asker::Root,
    );
    let terms = crate::context::Terms {
        dry_run: false,
        why: None,
    };
    let fingerprint = key.fingerprint();
    context.change(terms, |change| change.note_key_backup(&fingerprint))?;
    if context.out.is_json() {
        context.out.changed(&json!({"key": path.display().to_string(), "fingerprint": fingerprint, "confirmed_at": context.now}))?;
    } else {
        context.out.note(&format!(
            "{} is a copy of {}; noted",
            file.name(),
            path.display()
        ));
    }
    context.out.flush()
}
