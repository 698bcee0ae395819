//! The bastion's own words: `ls`, `whoami`, `help`, `version`. Only here standard output is ours.

use crate::identity::Identity;
use crate::message::{Message, Trouble, say};
use crate::request::Verb;
use crate::status;
use crate::target;
use jms::store::{Store, Target};
use jms::time::Time;
use serde_json::json;
use std::io::Write;

const HELP: &str = "\
ssh USER@SYSTEM_USER@ASSET@bastion [COMMAND]    a shell or a command on an asset
ssh USER@ASSET@bastion                          the same, if only one system user is granted
ssh USER@bastion SYSTEM_USER@ASSET [COMMAND]    the same, the target as first word
scp, sftp, rsync, git                           with USER@SYSTEM_USER@ASSET@bastion as the host's user

ssh USER@bastion WORD:
  ls [TEXT] [--json]                what you may reach, and how
  connect TARGET [COMMAND]          a shell or a command on an asset
  whoami [--json]                   who you are here
  help                              this
  version                           the version of the bastion
";

/// Answers; the exit status.
pub fn answer(store: &Store, identity: &Identity, verb: &Verb) -> i32 {
    let text = match verb {
        Verb::Ls { text, json } => match granted(store, identity) {
            Ok(targets) => list(&targets, text.as_deref(), *json),
            Err(status) => return status,
        },
        Verb::Whoami { json } => whoami(identity, *json),
        Verb::Help => HELP.to_owned(),
        Verb::Version => format!("jms {}\n", env!("CARGO_PKG_VERSION")),
    };
    print(&text);
    status::DONE
}

/// Nothing was asked for, at a terminal: what could be.
pub fn menu(store: &Store, identity: &Identity) -> i32 {
    match granted(store, identity) {
        Ok(targets) => {
            say(Message::NoMenu);
            print(&list(&targets, None, false));
            status::REQUEST
        }
        Err(status) => status,
    }
}

fn granted(store: &Store, identity: &Identity) -> Result<Vec<Target>, i32> {
    store
        .read()
        .targets(&identity.user, Time::now())
        .map_err(|_| {
            say(Message::Bastion(Trouble::Store));
            status::BASTION
        })
}

/// A client that reads no more is no failure of ours.
fn print(text: &str) {
    let _ = std::io::stdout().write_all(text.as_bytes());
}

fn list(targets: &[Target], text: Option<&str>, json: bool) -> String {
    let wanted = |target: &&Target| {
        let text = text.unwrap_or_default();
        target::name(target).contains(text) || target.comment.contains(text)
    };
    let shown: Vec<&Target> = targets.iter().filter(wanted).collect();
    if json {
        return shown
            .into_iter()
            .map(|target| format!("{}\n", object(target)))
            .collect();
    }
    let width = |column: fn(&Target) -> String| {
        shown
            .iter()
            .map(|target| column(target).chars().count())
            .max()
            .unwrap_or(0)
    };
    let (names, rights) = (
        width(target::name),
        width(|target| target.rights.to_string()),
    );
    let line = |target: &&Target| {
        let text = format!(
            "{:names$}  {:rights$}  {}",
            target::name(target),
            target.rights.to_string(),
            harmless(&target.comment)
        );
        format!("{}\n", text.trim_end())
    };
    shown.iter().map(line).collect()
}

fn object(target: &Target) -> serde_json::Value {
    json!({
        "target": target::name(target),
        "asset": target.asset,
        "system_user": target.system_user,
        "rights": target.rights.iter().map(|right| right.as_str()).collect::<Vec<_>>(),
        "comment": target.comment,
    })
}

fn whoami(identity: &Identity, json: bool) -> String {
    let (user, login) = (&identity.user, &identity.login);
    let object = json!({
        "user": user.name,
        "role": user.role,
        "login": login.id,
        "key": login.key,
        "key_type": login.key_type,
        "source": login.source,
        "source_port": login.source_port,
        "factors": login.factors,
        "mfa": user.mfa,
        "mfa_at": login.factor_at,
        "opened_at": login.opened_at,
        "valid_until": user.valid_until,
    });
    if json {
        return format!("{object}\n");
    }
    let fields = object.as_object().into_iter().flatten();
    let line = |(name, value): (&String, &serde_json::Value)| {
        let text = match value {
            serde_json::Value::Null => "-".to_owned(),
            serde_json::Value::String(text) => harmless(text),
            other => other.to_string(),
        };
        format!("{:12} {text}\n", name.replace('_', " "))
    };
    fields.map(line).collect()
}

/// Text that an administrator or a client wrote, for a terminal.
fn harmless(text: &str) -> String {
    text.chars()
        .map(|c| if c.is_control() { '\u{fffd}' } else { c })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use jms::policy::Rights;

    fn target(system_user: &str, asset: &str, rights: &str, comment: &str) -> Target {
        Target {
            asset_id: 1,
            asset: asset.into(),
            address: "192.0.2.1".into(),
            comment: comment.into(),
            system_user_id: 1,
            system_user: system_user.into(),
            rights: Rights::parse(rights).unwrap(),
        }
    }

    fn targets() -> Vec<Target> {
        vec![
            target("dev", "web1", "shell,exec", "front\x1b[2J"),
            target("backup", "db1", "upload", ""),
        ]
    }

    #[test]
    fn a_line_for_each_target_in_columns_and_nothing_that_moves_the_cursor() {
        assert_eq!(
            list(&targets(), None, false),
            "dev@web1    shell,exec  front\u{fffd}[2J\nbackup@db1  upload\n"
        );
        assert_eq!(list(&targets(), Some("db"), false), "backup@db1  upload\n");
        assert_eq!(list(&targets(), Some("nothing"), false), "");
    }

    #[test]
    fn one_object_for_each_target() {
        let text = list(&targets(), Some("web"), true);
        let object: serde_json::Value = serde_json::from_str(&text).unwrap();
        assert_eq!(object["target"], "dev@web1");
        assert_eq!(object["rights"], json!(["shell", "exec"]));
        assert_eq!(object["comment"], "front\x1b[2J");
    }
}
