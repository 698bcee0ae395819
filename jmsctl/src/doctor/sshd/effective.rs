//! What sshd itself says that it would do for a name: `sshd -T -C`.
#![forbid(unsafe_code)]

use crate::doctor::system;
use std::path::Path;

const SSHD: &str = "/usr/sbin/sshd";
/// sshd wants its empty folder even for a question, and a host on which it never ran has none.
const SEPARATION: &str = "/run/sshd";

/// The settings that hold for one connection.
#[derive(Debug, Clone, Default)]
pub struct Effective(Vec<(String, String)>);

impl Effective {
    /// Asks sshd.
    ///
    /// # Errors
    /// sshd's own words when it does not accept its configuration.
    pub fn ask(user: &str, address: &str) -> Result<Self, String> {
        let connection = format!("user={user},host=client.invalid,addr={address}");
        let made = std::fs::create_dir(Path::new(SEPARATION)).is_ok();
        let said = system::run(SSHD, &["-T", "-C", &connection]);
        if made {
            let _ = std::fs::remove_dir(SEPARATION);
        }
        let Some(said) = said else {
            return Err(format!("{SSHD} cannot be started"));
        };
        if !said.succeeded && said.error.trim().is_empty() {
            return Err("it does not answer; is something that it reads no file?".to_owned());
        }
        if !said.succeeded {
            return Err(said.error.trim().to_owned());
        }
        Ok(Self::parse(&said.out))
    }

    /// The settings of sshd's answer.
    pub fn parse(text: &str) -> Self {
        let pair = |line: &str| {
            let (keyword, value) = line.split_once(' ')?;
            Some((keyword.to_ascii_lowercase(), value.trim().to_owned()))
        };
        Self(text.lines().filter_map(pair).collect())
    }

    /// The value of a setting; `None` where this sshd knows none.
    pub fn get(&self, keyword: &str) -> Option<&str> {
        self.all(keyword).next()
    }

    /// Every value of a setting that may stand several times.
    pub fn all(&self, keyword: &str) -> impl Iterator<Item = &str> {
        let matching = move |pair: &&(String, String)| pair.0 == keyword;
        self.0
            .iter()
            .filter(matching)
            .map(|(_, value)| value.as_str())
    }

    /// The words of a setting that is a list, however it is written.
    pub fn words(&self, keyword: &str) -> Vec<&str> {
        self.all(keyword).flat_map(str::split_whitespace).collect()
    }

    /// A number, `None` where there is none.
    pub fn number(&self, keyword: &str) -> Option<u64> {
        self.get(keyword)?.parse().ok()
    }

    /// Whether a setting is `yes`.
    pub fn is_on(&self, keyword: &str) -> bool {
        self.get(keyword) == Some("yes")
    }

    /// The methods with which this name could begin or go on to authenticate, sorted: what a client is shown.
    pub fn offered_methods(&self) -> Vec<&'static str> {
        let mut enabled = Vec::new();
        for (method, keyword) in [
            ("gssapi-with-mic", "gssapiauthentication"),
            ("hostbased", "hostbasedauthentication"),
            ("keyboard-interactive", "kbdinteractiveauthentication"),
            ("password", "passwordauthentication"),
            ("publickey", "pubkeyauthentication"),
        ] {
            if self.is_on(keyword) {
                enabled.push(method);
            }
        }
        let lists = self.words("authenticationmethods");
        if lists.is_empty() || lists == ["any"] {
            return enabled;
        }
        let first = |list: &&str| list.split([',', ':']).next().unwrap_or_default().to_owned();
        let firsts: Vec<String> = lists.iter().map(first).collect();
        enabled.retain(|method| firsts.iter().any(|first| first == method));
        enabled
    }
}

#[cfg(test)]
mod tests {
    use super::Effective;

    #[test]
    fn what_a_client_is_shown_follows_from_methods_and_switches() {
        let text = "pubkeyauthentication yes\npasswordauthentication yes\nkbdinteractiveauthentication no\n";
        let any = Effective::parse(&format!("{text}authenticationmethods any\n"));
        assert_eq!(any.offered_methods(), ["password", "publickey"]);
        let key = Effective::parse(&format!(
            "{text}authenticationmethods publickey,password publickey,keyboard-interactive:pam\n"
        ));
        assert_eq!(key.offered_methods(), ["publickey"]);
    }

    #[test]
    fn lists_are_one_list_on_one_line_or_on_many() {
        let many = Effective::parse("acceptenv LANG\nacceptenv LC_*\n");
        let one = Effective::parse("acceptenv LANG LC_*\n");
        assert_eq!(many.words("acceptenv"), one.words("acceptenv"));
        assert_eq!(one.get("nothing"), None);
    }
}
