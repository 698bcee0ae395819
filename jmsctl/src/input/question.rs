//! Questions to the person at the terminal.
#![forbid(unsafe_code)]

use super::{Quiet, Terminal};
use crate::failure::{Done, Failure};
use jms::secret::SecretString;
use std::io::{BufRead, IsTerminal, Read, Write};
use std::os::fd::AsFd;
use zeroize::Zeroizing;

/// Longer than any passphrase that a person types, in bytes.
const LONGEST: usize = 1024;

/// Whether somebody is there who could answer.
pub fn can_ask() -> bool {
    std::io::stdin().is_terminal() && std::io::stderr().is_terminal()
}

/// Asks whether to do what `question` says; `--yes` answers for a person who is not there.
pub fn confirm(question: &str, yes: bool) -> Done {
    if yes {
        return Ok(());
    }
    if !can_ask() {
        return Err(Failure::BadInput(format!(
            "{question} There is no terminal to ask at; say --yes if that is what you want"
        )));
    }
    eprint!("{question} [y/N] ");
    let mut answer = String::new();
    let read = std::io::stdin().lock().take(64).read_line(&mut answer);
    match answer.trim() {
        "y" | "Y" | "yes" if read.is_ok() => Ok(()),
        _ => Err(Failure::Failed("nothing was changed".to_owned())),
    }
}

/// Asks for a passphrase at the controlling terminal, without showing it.
pub fn passphrase(prompt: &str) -> Done<SecretString> {
    let terminal = Terminal::open().map_err(|_| {
        Failure::BadInput(
            "the key has a passphrase, and there is no terminal to ask for it; `ssh-keygen -p -N '' -f COPY` takes it off a copy"
                .to_owned(),
        )
    })?;
    let failed = |error: std::io::Error| Failure::io("read", "the passphrase", error);
    let mut file = terminal.file();
    write!(file, "{prompt}: ").map_err(failed)?;
    let typed = {
        let _quiet = Quiet::new(terminal.as_fd()).map_err(failed)?;
        read_line(&mut file)
    };
    writeln!(file).map_err(failed)?;
    typed
        .map_err(failed)?
        .ok_or_else(|| Failure::Failed("nothing was changed".to_owned()))
}

/// One line as it is typed: backspace and ^U correct, ^C and ^D give up (`None`).
fn read_line(keys: &mut impl Read) -> std::io::Result<Option<SecretString>> {
    let mut line = Zeroizing::new(Vec::with_capacity(LONGEST));
    let mut key = Zeroizing::new([0_u8]);
    while keys.read(&mut *key)? == 1 {
        match key[0] {
            b'\r' | b'\n' => {
                let text = String::from_utf8(std::mem::take(&mut *line));
                return Ok(text.ok().map(SecretString::from));
            }
            0x03 => return Ok(None),
            0x04 if line.is_empty() => return Ok(None),
            0x15 => line.clear(),
            0x08 | 0x7f => {
                // A character may be several bytes.
                while line.pop().is_some_and(|byte| byte & 0xc0 == 0x80) {}
            }
            byte if line.len() < LONGEST => line.push(byte),
            _ => {}
        }
    }
    Ok(None)
}

#[cfg(test)]
mod tests {
    use super::read_line;

    fn typed(keys: &[u8]) -> Option<String> {
        read_line(&mut &*keys)
            .unwrap()
            .map(|line| line.expose().to_owned())
    }

    #[test]
    fn a_line_is_corrected_and_given_up_as_people_expect() {
        assert_eq!(typed(b"secret\n").as_deref(), Some("secret"));
        assert_eq!(typed(b"sex\x7fcret\r").as_deref(), Some("secret"));
        assert_eq!(typed("é\x7fa\n".as_bytes()).as_deref(), Some("a"));
        assert_eq!(typed(b"wrong\x15right\n").as_deref(), Some("right"));
        assert_eq!(typed(b"sec\x03ret\n"), None);
        assert_eq!(typed(b"\x04"), None);
        assert_eq!(typed(b"no end"), None);
    }
}
