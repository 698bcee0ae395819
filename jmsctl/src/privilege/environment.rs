//! The environment: root's own, and still only a few words of it are kept, because libraries read it
//! behind our back (SQLITE_TMPDIR, TMPDIR, LOCPATH, GCONV_PATH, …).
#![deny(unsafe_code)]

use super::sys;
use jms::id::Token;
use std::ffi::OsStr;

/// Kept when their values are plain words.
const KEPT: &[&str] = &["LANG", "LANGUAGE", "TERM", "TZ", "NO_COLOR", "SUDO_USER"];

/// Removes everything that is not known and harmless, and hands on the login's token, which nobody below
/// us shall see. Call before anything else, with one thread.
pub fn sanitise() -> Option<Token> {
    let token = std::env::var("JMS_LOGIN")
        .ok()
        .and_then(|text| Token::parse(&text));
    for (name, value) in std::env::vars_os() {
        if !is_kept(&name, &value) {
            sys::remove_variable(&name);
        }
    }
    sys::set_variable("PATH", "/usr/sbin:/usr/bin:/sbin:/bin");
    token
}

fn is_kept(name: &OsStr, value: &OsStr) -> bool {
    let (Some(name), Some(value)) = (name.to_str(), value.to_str()) else {
        return false;
    };
    let known = KEPT.contains(&name) || name.starts_with("LC_");
    // No path: not TZ=/some/file, not LANG=../../x.
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"_.-@+:".contains(&byte);
    let zone = name == "TZ" && !value.starts_with([':', '/']) && !value.contains("..");
    known
        && value.len() <= 64
        && value
            .bytes()
            .all(|byte| plain(byte) || (zone && byte == b'/'))
}

/// The user who became root by sudo, if sudo says so and the name is one.
pub fn caller_behind_sudo() -> Option<String> {
    let name = std::env::var("SUDO_USER").ok()?;
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"_.-@+$".contains(&byte);
    let valid = !name.is_empty() && name.len() <= 64 && name != "root" && name.bytes().all(plain);
    valid.then_some(name)
}

#[cfg(test)]
mod tests {
    use super::is_kept;

    #[test]
    fn only_plain_words_are_kept() {
        for (name, value) in [
            ("LANG", "de_DE.UTF-8"),
            ("LC_ALL", "C"),
            ("TERM", "xterm-256color"),
            ("TZ", "Asia/Shanghai"),
            ("SUDO_USER", "carol"),
        ] {
            assert!(is_kept(name.as_ref(), value.as_ref()), "{name}={value}");
        }
        for (name, value) in [
            ("SQLITE_TMPDIR", "/tmp"),
            ("TMPDIR", "x"),
            ("LD_PRELOAD", "x.so"),
            ("LANG", "../../etc"),
            ("TZ", "/etc/shadow"),
            ("TZ", ":/etc/shadow"),
            ("TZ", "../../etc/shadow"),
            ("TERM", "a/b"),
            ("PATH", "x"),
            ("SUDO_USER", "carol) root"),
        ] {
            assert!(!is_kept(name.as_ref(), value.as_ref()), "{name}={value}");
        }
    }
}
