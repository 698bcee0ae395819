//! What must hold for users of the bastion: read from the drop-in that this version ships.
#![forbid(unsafe_code)]

use super::source::{Line, parse};
use crate::doctor::finding::Kind;
use crate::doctor::table;
use std::path::Path;

/// Where the drop-in lies.
pub const DROP_IN: &str = "/etc/ssh/sshd_config.d/00-jms.conf";
const SHIPPED: &str = include_str!("../../../../sshd_config.d/00-jms.conf");

/// Where the drop-in lies that has users asked for passwords, where an administrator wants that (docs/passwords.md).
pub const PASSWORDS: &str = "/etc/ssh/sshd_config.d/00-0-jms-passwords.conf";
const SHIPPED_PASSWORDS: &str = include_str!("../../../../sshd_config.d/passwords.conf");

/// A setting that must hold, and the finding when it does not.
#[derive(Debug)]
pub struct Expected {
    /// In small letters.
    pub keyword: String,
    /// The value that the drop-in gives.
    pub value: String,
    /// What to complain of.
    pub kind: &'static Kind,
}

/// The settings for members of `group` in the shipped drop-in; `passwords`: with the one for passwords before it.
pub fn for_group(group: &str, passwords: bool) -> Vec<Expected> {
    let expected = |line: Line| {
        let kind = kind_of(&line.keyword)?;
        let before = passwords.then(|| said_by(SHIPPED_PASSWORDS, group, &line.keyword));
        Some(Expected {
            value: before.flatten().unwrap_or(line.value),
            keyword: line.keyword,
            kind,
        })
    };
    in_force(&parse(Path::new(DROP_IN), SHIPPED, None), group)
        .into_iter()
        .filter_map(expected)
        .collect()
}

/// What the shipped drop-in says about a setting for members of `group`.
pub fn shipped(group: &str, keyword: &str) -> Option<String> {
    said_by(SHIPPED, group, keyword)
}

/// What a text of a drop-in says about a setting for members of `group`.
pub fn said_by(text: &str, group: &str, keyword: &str) -> Option<String> {
    let found = in_force(&parse(Path::new(DROP_IN), text, None), group);
    found
        .into_iter()
        .find(|line| line.keyword == keyword)
        .map(|line| line.value)
}

/// The first line of each keyword in blocks that match `group`.
fn in_force(lines: &[Line], group: &str) -> Vec<Line> {
    let mut found: Vec<Line> = Vec::new();
    for line in lines {
        let condition = line.condition.as_deref().unwrap_or_default();
        let holds = condition
            .split_once(' ')
            .is_some_and(|(criterion, groups)| {
                criterion.eq_ignore_ascii_case("group")
                    && groups.split(',').any(|one| one.trim() == group)
            });
        if holds && !found.iter().any(|known| known.keyword == line.keyword) {
            found.push(line.clone());
        }
    }
    found
}

/// Which finding a setting belongs to; lists and numbers are judged by themselves.
fn kind_of(keyword: &str) -> Option<&'static Kind> {
    Some(match keyword {
        "authorizedkeysfile"
        | "authorizedkeyscommand"
        | "authorizedkeyscommanduser"
        | "authorizedprincipalsfile"
        | "authorizedprincipalscommand"
        | "trustedusercakeys" => table::SSHD_AUTHORIZED_KEYS,
        "authenticationmethods"
        | "pubkeyauthentication"
        | "kbdinteractiveauthentication"
        | "passwordauthentication"
        | "permitemptypasswords"
        | "hostbasedauthentication"
        | "gssapiauthentication"
        | "kerberosauthentication" => table::SSHD_AUTHENTICATION,
        "forcecommand" | "chrootdirectory" | "permittty" => table::SSHD_FORCE_COMMAND,
        "disableforwarding"
        | "allowagentforwarding"
        | "allowstreamlocalforwarding"
        | "allowtcpforwarding"
        | "gatewayports"
        | "permitlisten"
        | "permitopen"
        | "permittunnel"
        | "streamlocalbindunlink"
        | "x11forwarding" => table::SSHD_FORWARDING,
        "permituserrc" => table::SSHD_ENVIRONMENT,
        _ => return None,
    })
}

/// The words that clients may set in the environment of a session.
pub fn accepted_environment() -> Vec<String> {
    let lines = parse(Path::new(DROP_IN), SHIPPED, None);
    let accepted = lines.iter().filter(|line| line.keyword == "acceptenv");
    accepted
        .flat_map(|line| line.value.split_whitespace().map(str::to_owned))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Settings of the drop-in that are judged elsewhere: lists and numbers.
    const ELSEWHERE: [&str; 6] = [
        "allowgroups",
        "allowusers",
        "acceptenv",
        "clientaliveinterval",
        "clientalivecountmax",
        "maxsessions",
    ];

    #[test]
    fn every_setting_of_the_drop_in_is_judged() {
        for line in in_force(&parse(Path::new(DROP_IN), SHIPPED, None), "jms-users") {
            // ExposeAuthInfo shows a user what he knows of himself.
            let known = kind_of(&line.keyword).is_some()
                || ELSEWHERE.contains(&line.keyword.as_str())
                || line.keyword == "exposeauthinfo";
            assert!(known, "{} is judged by nobody", line.keyword);
        }
    }

    #[test]
    fn the_drop_in_for_passwords_adds_a_way_in_and_changes_nothing_else() {
        for group in ["jms-users", "jms-mfa"] {
            for (one, other) in for_group(group, false).iter().zip(for_group(group, true)) {
                match one.keyword.as_str() {
                    "authenticationmethods" => {
                        assert_eq!(
                            other.value,
                            format!("{} keyboard-interactive:pam", one.value)
                        );
                    }
                    "kbdinteractiveauthentication" => assert_eq!(other.value, "yes"),
                    _ => assert_eq!(one.value, other.value, "{}", one.keyword),
                }
            }
        }
    }

    #[test]
    fn the_first_block_that_matches_wins_as_in_sshd() {
        assert_eq!(
            said_by(SHIPPED, "jms-users", "authenticationmethods").as_deref(),
            Some("publickey")
        );
        let mfa = said_by(SHIPPED, "jms-mfa", "authenticationmethods").unwrap();
        assert!(mfa.contains("keyboard-interactive"), "{mfa}");
        assert!(
            for_group("jms-users", false)
                .iter()
                .any(|one| one.keyword == "forcecommand")
        );
    }
}
