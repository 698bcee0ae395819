//! Questions to the person at the terminal.
#![forbid(unsafe_code)]

use super::{Quiet, Terminal};
use crate::failure::{Done, Failure};
use jms::secret::{SecretLine, SecretString, Typed};
use std::io::{BufRead, IsTerminal, Read, Write};
use std::os::fd::AsFd;
use zeroize::Zeroizing;

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

/// One line as it is typed; `None` when it was given up.
fn read_line(keys: &mut impl Read) -> std::io::Result<Option<SecretString>> {
    let mut line = SecretLine::new();
    let mut key = Zeroizing::new([0_u8]);
    while keys.read(&mut *key)? == 1 {
        match line.key(key[0]) {
            Typed::More => {}
            Typed::Done(text) => return Ok(Some(text)),
            Typed::GivenUp => return Ok(None),
        }
    }
    Ok(None)
}
