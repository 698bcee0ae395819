//! The command that starts the account's shell with hooks.
//!
//! It must mean the same to whatever shell the account has (csh and fish, too): one line, nothing but single quotes around
//! text in which there are none, and none of `!`, `\\` and line ends.
#![forbid(unsafe_code)]

const CHOOSE: &str = include_str!("start.sh");
const BASH: &str = include_str!("hooks.bash");
const ZSH: &str = include_str!("hooks.zsh");
const FISH: &str = include_str!("hooks.fish");
/// fish cannot read a terminal without editing what comes: this talks for it.
const TALK: &str = include_str!("talk.sh");

/// What the asset is asked to run instead of a login shell. The same for all sessions: no secret is in it.
#[must_use]
pub fn command() -> Vec<u8> {
    let [choose, bash, zsh, fish, talk] = [CHOOSE, BASH, ZSH, FISH, TALK].map(one_line);
    format!("exec /bin/sh -c '{choose}' jms '{bash}' '{zsh}' '{fish}' '{talk}'").into_bytes()
}

fn one_line(script: &str) -> String {
    let lines: Vec<&str> = script.lines().map(str::trim).collect();
    lines.join(" ")
}

/// It may run. (Digits: a line editor takes the first letter for the end of what it swallows.)
pub const YES: &str = "1";
/// It must not.
pub const NO: &str = "0";

/// What is typed to a hook: it stands behind what the person typed ahead. Line editors know its beginning and swallow it if
/// nothing waits for it any more.
#[must_use]
pub fn answer(nonce: &str, text: &str) -> Vec<u8> {
    format!("\x1b[77;{nonce};{text}z").into_bytes()
}

/// The same as a terminal would echo it, if the hook was not quick enough to forbid that.
#[must_use]
pub fn echoed(nonce: &str, text: &str) -> [Vec<u8>; 2] {
    [
        format!("^[[77;{nonce};{text}z").into_bytes(),
        answer(nonce, text),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_shell_reads_the_command_in_the_same_way() {
        for script in [CHOOSE, BASH, ZSH, FISH, TALK] {
            let line = one_line(script);
            for odd in ["'", "!", "\\\\", "\n", "\r"] {
                assert!(!line.contains(odd), "{odd:?}");
            }
            assert!(!line.ends_with('\\'));
        }
    }

    #[test]
    fn it_fits_into_one_request() {
        assert!(command().len() < 16 * 1024);
    }
}
