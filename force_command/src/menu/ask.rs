//! Asking a person for a line, and for one of several choices.

use super::editor::{self, Question};
use super::process::Process;
use crate::message::menu::Menu;
use crate::terminal::Terminal;
use crate::text::table;
use crate::watch::{Watch, Woken};
use nix::errno::Errno;
use nix::fcntl::OFlag;
use nix::sys::signal::Signal;
use nix::sys::wait::WaitStatus;
use nix::unistd::pipe2;
use std::os::fd::AsFd;

/// The longest line that is taken, in bytes: longer than anything that can be asked for.
const LONGEST: usize = 256 * 1024;

/// What came of asking.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Asked {
    /// A line.
    Line(String),
    /// Ctrl-C.
    Interrupted,
    /// Ctrl-D, or nobody is there any more.
    End,
    /// More than [`LONGEST`].
    TooLong,
    /// The reader failed.
    Broken,
    /// The menu must end.
    Woken(Woken),
}

/// Asks for a line. `ask_again`: whether the user still is who he was, when policy has changed.
///
/// The terminal is as it was before, whatever the reader did.
pub fn ask(
    question: &Question<'_>,
    terminal: &Terminal,
    watch: &Watch,
    ask_again: &mut dyn FnMut() -> bool,
) -> Asked {
    let asked = read(question, watch, ask_again);
    terminal.restore();
    match asked {
        Ok(Asked::Woken(woken)) => {
            // The cursor stands behind the prompt.
            terminal.write("\r\n");
            Asked::Woken(woken)
        }
        Ok(asked) => asked,
        Err(_) => Asked::Broken,
    }
}

fn read(
    question: &Question<'_>,
    watch: &Watch,
    ask_again: &mut dyn FnMut() -> bool,
) -> Result<Asked, Errno> {
    let (answer, write) = pipe2(OFlag::O_CLOEXEC)?;
    let mut reader = Process::start(Some(&write), || editor::run(question))?;
    drop(write);
    let mut line = Vec::new();
    loop {
        match watch.wait(answer.as_fd()) {
            Woken::Ready => {}
            Woken::AskAgain if ask_again() => continue,
            woken => return Ok(Asked::Woken(woken)),
        }
        let mut bytes = [0; 4096];
        match nix::unistd::read(&answer, &mut bytes) {
            Ok(0) => break,
            Ok(length) => line.extend_from_slice(bytes.get(..length).unwrap_or_default()),
            Err(Errno::EINTR) => {}
            Err(errno) => return Err(errno),
        }
        if line.len() > LONGEST {
            return Ok(Asked::TooLong);
        }
    }
    Ok(match reader.wait() {
        WaitStatus::Exited(_, editor::LINE) => {
            Asked::Line(String::from_utf8_lossy(&line).into_owned())
        }
        // Where the reader has no raw terminal, the kernel makes a signal of the key.
        WaitStatus::Exited(_, editor::INTERRUPTED)
        | WaitStatus::Signaled(_, Signal::SIGINT | Signal::SIGQUIT, _) => Asked::Interrupted,
        WaitStatus::Exited(_, editor::END) | WaitStatus::Signaled(_, Signal::SIGHUP, _) => {
            Asked::End
        }
        _ => Asked::Broken,
    })
}

/// Lets a person choose; `None` when he wants none of them. `title`: what the choice is about.
///
/// # Errors
/// What ends the menu meanwhile.
pub fn choose(
    title: &str,
    choices: &[String],
    question: &Question<'_>,
    terminal: &Terminal,
    watch: &Watch,
    ask_again: &mut dyn FnMut() -> bool,
) -> Result<Option<usize>, Woken> {
    terminal.say(Menu::Choose(title));
    let digits = choices.len().to_string().len();
    let rows = choices.iter().zip(1_usize..);
    let rows: Vec<Vec<String>> = rows
        .map(|(choice, number)| vec![format!("{number:>digits$}"), choice.clone()])
        .collect();
    for line in table(&rows, None) {
        terminal.write(&format!("  {line}\n"));
    }
    loop {
        match ask(question, terminal, watch, ask_again) {
            Asked::Line(line) if matches!(line.trim(), "" | "q") => return Ok(None),
            Asked::Line(line) => match chosen(line.trim(), choices) {
                Some(place) => return Ok(Some(place)),
                None => terminal.say(Menu::NotAChoice),
            },
            Asked::TooLong => terminal.say(Menu::NotAChoice),
            Asked::Interrupted | Asked::End | Asked::Broken => {
                terminal.write("\n");
                return Ok(None);
            }
            Asked::Woken(woken) => return Err(woken),
        }
    }
}

/// By number, by name, or by a part that only one has.
fn chosen(line: &str, choices: &[String]) -> Option<usize> {
    if let Ok(number) = line.parse::<usize>() {
        return number.checked_sub(1).filter(|place| *place < choices.len());
    }
    if let Some(place) = choices.iter().position(|choice| choice == line) {
        return Some(place);
    }
    let mut holding = choices
        .iter()
        .enumerate()
        .filter(|(_, choice)| choice.contains(line));
    match (holding.next(), holding.next()) {
        (Some((place, _)), None) => Some(place),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_choice_is_a_number_a_name_or_an_unambiguous_part() {
        let choices: Vec<String> = ["dba@web1", "dev@web1", "dev@web10"]
            .map(str::to_owned)
            .into();
        assert_eq!(chosen("1", &choices), Some(0));
        assert_eq!(chosen("0", &choices), None);
        assert_eq!(chosen("4", &choices), None);
        assert_eq!(chosen("dev@web1", &choices), Some(1));
        assert_eq!(chosen("dba", &choices), Some(0));
        assert_eq!(chosen("dev", &choices), None);
        assert_eq!(chosen("root", &choices), None);
    }
}
