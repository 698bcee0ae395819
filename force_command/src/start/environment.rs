//! What is kept of the environment and of the arguments: wishes, spelled as they must be, and nothing else.
#![forbid(unsafe_code)]

use jms::id::Token;
use jms::paths::FORCE_COMMAND;
use std::ffi::OsString;
use std::net::IpAddr;
use std::os::unix::ffi::OsStringExt;

/// Longest login name that NSS answers for: a user, `@`, and a tail of 128 bytes.
const LOGIN_NAME: usize = 32 + 1 + 128;
/// Longest name of a terminal type (`TERM`), in bytes.
const TERM: usize = 64;
/// Longest value of another variable that is passed on, in bytes.
const VARIABLE: usize = 1024;
/// Longest value of a locale variable that a program of ours gets, in bytes.
const LOCALE: usize = 64;
/// Most variables that are passed on.
const PASSED_ON: usize = 32;

/// The names that are looked at, and what each wishes; for the manual.
pub const VARIABLES: [(&str, &str); 10] = [
    (
        "USER",
        "The login name that was asked for, with a target behind the first `@`. It chooses among what is granted to the \
         caller's uid, and grants nothing.",
    ),
    ("LOGNAME", "The same, where USER is not set."),
    (
        "SSH_ORIGINAL_COMMAND",
        "What the client wants to run, any bytes.",
    ),
    (
        "JMS_LOGIN",
        "The proof that pam_jms(8) opened this login. It counts only below the sshd that got it, and for its user.",
    ),
    (
        "SSH_CONNECTION",
        "Where the client came in: what `ssh-config` writes down, unless the settings say something else.",
    ),
    ("TERM", "The kind of terminal, for the asset."),
    ("LANG", "The language, for the asset."),
    ("LC_*", "The same in detail."),
    ("COLORTERM", "What colours the terminal has, for the asset."),
    ("NO_COLOR", "That no colours are wanted, for the asset."),
];

/// The validated few.
#[derive(Debug, Default, Clone)]
pub struct Environment {
    /// The login name that was asked for, with a target after the first `@` (`USER`).
    pub login_name: Option<String>,
    /// The client's command (`SSH_ORIGINAL_COMMAND`), any bytes.
    pub original_command: Option<Vec<u8>>,
    /// The proof that our PAM module opened this login (`JMS_LOGIN`).
    pub token: Option<Token>,
    /// Terminal type, passed on to the asset as it came: printable, and else anything. For programs of ours there is
    /// [`Environment::own_term`].
    pub term: Option<String>,
    /// `LANG`, `LC_*` and what else Debian's sshd accepts, passed on to the asset as they came: printable, and else anything. For
    /// programs of ours there is [`Environment::own_locale`].
    pub locale: Vec<(String, String)>,
    /// Where the client's connection came in (`SSH_CONNECTION`), for what users paste into their own settings.
    pub server: Option<(IpAddr, u16)>,
}

impl Environment {
    /// Takes what is spelled as it must be; everything else never existed.
    #[must_use]
    pub fn from_given(given: impl IntoIterator<Item = (OsString, OsString)>) -> Self {
        let mut kept = Self::default();
        let mut logname = None;
        for (name, value) in given {
            let (Ok(name), value) = (name.into_string(), value.into_vec()) else {
                continue;
            };
            match name.as_str() {
                "SSH_ORIGINAL_COMMAND" => kept.original_command = Some(value),
                "USER" => kept.login_name = text(value, LOGIN_NAME, is_login_name),
                "LOGNAME" => logname = text(value, LOGIN_NAME, is_login_name),
                "JMS_LOGIN" => {
                    kept.token = text(value, 32, |_| true).and_then(|text| Token::parse(&text))
                }
                "SSH_CONNECTION" => kept.server = server(&value),
                "TERM" => kept.term = printable(value, TERM).filter(|term| !term.is_empty()),
                name if is_passed_on(name) && kept.locale.len() < PASSED_ON => {
                    let value = printable(value, VARIABLE);
                    kept.locale
                        .extend(value.map(|value| (name.to_owned(), value)));
                }
                _ => {}
            }
        }
        kept.login_name = kept.login_name.or(logname);
        kept
    }

    /// The terminal type for programs of ours, which look it up: spelled as a name of one.
    #[must_use]
    pub fn own_term(&self) -> Option<&str> {
        let term = self.term.as_deref();
        term.filter(|term| term.bytes().all(is_term))
    }

    /// `LANG` and `LC_*` for programs of ours: spelled as names of locales.
    pub fn own_locale(&self) -> impl Iterator<Item = (&str, &str)> {
        let all = self.locale.iter();
        all.map(|(name, value)| (name.as_str(), value.as_str()))
            .filter(|(name, value)| {
                let good = !value.is_empty() && value.len() <= LOCALE;
                good && is_locale_name(name) && value.bytes().all(is_locale)
            })
    }

    /// The user's name and the tail with the target, split at the first `@` of the login name.
    #[must_use]
    pub fn user_and_tail(&self) -> Option<(&str, Option<&str>)> {
        let name = self.login_name.as_deref()?;
        Some(
            name.split_once('@')
                .map_or((name, None), |(user, tail)| (user, Some(tail))),
        )
    }
}

/// The last two words of `CLIENT PORT SERVER PORT`.
fn server(value: &[u8]) -> Option<(IpAddr, u16)> {
    let text = std::str::from_utf8(value).ok()?;
    let mut words = text.split(' ').skip(2);
    let address = words.next()?.parse().ok()?;
    let port = words.next()?.parse().ok()?;
    words.next().is_none().then_some((address, port))
}

fn text(value: Vec<u8>, longest: usize, allowed: fn(u8) -> bool) -> Option<String> {
    let good =
        !value.is_empty() && value.len() <= longest && value.iter().all(|byte| allowed(*byte));
    String::from_utf8(value).ok().filter(|_| good)
}

/// Any language's letters, but nothing that a terminal acts upon.
fn printable(value: Vec<u8>, longest: usize) -> Option<String> {
    let text = String::from_utf8(value).ok()?;
    (text.len() <= longest && !text.chars().any(char::is_control)).then_some(text)
}

fn is_login_name(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"@_.-$".contains(&byte)
}

fn is_term(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"+-._".contains(&byte)
}

fn is_locale(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"@_.,:-".contains(&byte)
}

/// What Debian's sshd accepts of a client (`AcceptEnv`), the last two from Debian 13 on.
fn is_passed_on(name: &str) -> bool {
    let word = |part: &str| {
        !part.is_empty()
            && part.len() <= LOCALE
            && part.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_')
    };
    ["LANG", "COLORTERM", "NO_COLOR"].contains(&name) || name.strip_prefix("LC_").is_some_and(word)
}

fn is_locale_name(name: &str) -> bool {
    let letters = |part: &str| {
        !part.is_empty()
            && part.len() <= 32
            && part.bytes().all(|b| b.is_ascii_uppercase() || b == b'_')
    };
    name == "LANG" || name.strip_prefix("LC_").is_some_and(letters)
}

/// The client's command, when we are a login shell (`-c TEXT`); our own path there means that sshd's
/// ForceCommand started us, and the command is in `SSH_ORIGINAL_COMMAND` if there is one.
#[must_use]
pub fn command(arguments: Vec<OsString>) -> Option<Vec<u8>> {
    let mut arguments = arguments.into_iter().skip(1);
    let dash_c = arguments.next()? == "-c";
    let text = arguments.next().filter(|_| dash_c)?.into_vec();
    (text != FORCE_COMMAND.as_bytes()).then_some(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn given(pairs: &[(&str, &str)]) -> Environment {
        Environment::from_given(
            pairs
                .iter()
                .map(|(name, value)| (name.into(), value.into())),
        )
    }

    #[test]
    fn only_what_is_spelled_right_is_kept() {
        let kept = given(&[
            ("USER", "alice@dev@web1"),
            ("TERM", "xterm-256color"),
            ("LANG", "de_DE.UTF-8@euro"),
            ("LC_ALL", "C"),
            ("LC_ev il", "C"),
            ("LC_TIME", "a\u{1b}b"),
            ("LD_PRELOAD", "/tmp/x.so"),
            ("JMS_LOGIN", "00112233445566778899aabbccddeeff"),
        ]);
        assert_eq!(kept.user_and_tail(), Some(("alice", Some("dev@web1"))));
        assert_eq!(kept.term.as_deref(), Some("xterm-256color"));
        let locale: Vec<&str> = kept.locale.iter().map(|(name, _)| name.as_str()).collect();
        assert_eq!(locale, ["LANG", "LC_ALL"]);
        assert!(kept.token.is_some() && kept.original_command.is_none());
    }

    #[test]
    fn the_manual_names_every_variable_that_is_kept_and_no_other() {
        let value = |name: &str| match name {
            "JMS_LOGIN" => "00112233445566778899aabbccddeeff",
            "SSH_CONNECTION" => "192.0.2.1 51234 192.0.2.2 22",
            _ => "C",
        };
        let nothing = format!("{:?}", Environment::default());
        let is_kept = |name: &str| format!("{:?}", given(&[(name, value(name))])) != nothing;
        let named: Vec<&str> = VARIABLES.iter().map(|(name, _)| *name).collect();
        for name in &named {
            assert!(is_kept(&name.replace('*', "TIME")), "{name}");
        }
        // Whatever else this file compares a name with.
        let words = include_str!("environment.rs").split('"');
        let others = words.filter(|word| {
            word.bytes().all(|b| b.is_ascii_uppercase() || b == b'_') && !named.contains(word)
        });
        for other in others.filter(|word| word.len() > 3) {
            assert!(!is_kept(other) || other.starts_with("LC_"), "{other}");
        }
    }

    #[test]
    fn the_asset_gets_what_our_own_programs_do_not() {
        let kept = given(&[
            ("TERM", "we ird;$(id)/../x"),
            ("LANG", ""),
            ("LC_AUTHOR", "Jörg <j@example.org>"),
            ("LC_ALL", "C"),
            ("COLORTERM", "truecolor"),
            ("COLUMNS", "80"),
        ]);
        assert_eq!(kept.term.as_deref(), Some("we ird;$(id)/../x"));
        let names: Vec<&str> = kept.locale.iter().map(|(name, _)| name.as_str()).collect();
        assert_eq!(names, ["LANG", "LC_AUTHOR", "LC_ALL", "COLORTERM"]);
        assert_eq!(kept.own_term(), None);
        assert_eq!(kept.own_locale().collect::<Vec<_>>(), [("LC_ALL", "C")]);
    }

    #[test]
    fn what_is_not_is_as_if_it_were_not_there() {
        let long = "a".repeat(65);
        let kept = given(&[
            ("USER", "al ice"),
            ("LOGNAME", "alice"),
            ("TERM", &long),
            ("JMS_LOGIN", "0011"),
            ("LC_X", "\u{9b}1m"),
            ("LC_", "x"),
        ]);
        assert!(given(&[("TERM", "")]).term.is_none());
        assert_eq!(kept.user_and_tail(), Some(("alice", None)));
        assert!(kept.term.is_none() && kept.token.is_none() && kept.locale.is_empty());
        assert_eq!(given(&[("USER", "alice\n")]).user_and_tail(), None);
    }

    #[test]
    fn the_bastions_address_is_two_numbers_or_nothing() {
        let server = |text: &str| given(&[("SSH_CONNECTION", text)]).server;
        assert_eq!(
            server("192.0.2.1 51234 2001:db8::1 22"),
            Some(("2001:db8::1".parse().unwrap(), 22))
        );
        for bad in [
            "",
            "192.0.2.1 51234",
            "a b c d",
            "192.0.2.1 1 192.0.2.2 22 x",
            "192.0.2.1 1 192.0.2.2 222222",
        ] {
            assert_eq!(server(bad), None, "{bad}");
        }
    }

    #[test]
    fn the_command_is_any_bytes() {
        let bytes = OsString::from_vec(vec![b'a', 0xff, b'\n']);
        let kept = Environment::from_given([("SSH_ORIGINAL_COMMAND".into(), bytes)]);
        assert_eq!(
            kept.original_command.as_deref(),
            Some(&[b'a', 0xff, b'\n'][..])
        );
    }

    #[test]
    fn a_login_shell_takes_its_command_from_its_arguments() {
        let command = |words: &[&str]| super::command(words.iter().map(OsString::from).collect());
        assert_eq!(
            command(&["force-command", "-c", "uptime"]),
            Some(b"uptime".to_vec())
        );
        assert_eq!(command(&["force-command", "-c", FORCE_COMMAND]), None);
        assert_eq!(command(&["-force-command"]), None);
        assert_eq!(command(&["force-command", "x", "uptime"]), None);
        assert_eq!(command(&[]), None);
    }
}
