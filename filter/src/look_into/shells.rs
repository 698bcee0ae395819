//! Shells, and those of their builtins that are given what they run.

use super::{Looking, Opaque, Reads};
use crate::shell::{Hidden, Word, is_standard_input};

/// Shells: `-c` is followed by a script, no operand means that standard input is one.
const SHELLS: &[&str] = &[
    "sh", "bash", "rbash", "dash", "ash", "zsh", "rzsh", "ksh", "rksh", "mksh", "lksh", "oksh",
    "loksh", "pdksh", "posh", "fish", "csh", "tcsh", "yash", "osh", "ysh", "pwsh",
];

/// Builtins that expand text which no shell would have expanded before them: indices of arrays, arithmetic.
const EVALUATING: &[&str] = &[
    "let", "declare", "typeset", "local", "export", "readonly", "read", "unset", "test", "[",
    "wait", "getopts", "printf", "compgen", "complete",
];

/// Whether it is a shell, under any of the names that packages give one: `bash-static`, `zsh5`, `ksh93`.
pub fn is_shell(name: &str) -> bool {
    let stem = ["-static", ".static"]
        .iter()
        .find_map(|suffix| name.strip_suffix(suffix))
        .unwrap_or(name);
    let stem = stem.strip_prefix("static-").unwrap_or(stem);
    let stem =
        stem.trim_end_matches(|last: char| last.is_ascii_digit() || matches!(last, '.' | '-'));
    SHELLS.contains(&stem)
}

impl Looking<'_> {
    /// A shell with its arguments: `-c SCRIPT`, a file, or standard input.
    pub fn shell(&mut self, name: &str, arguments: &[Word]) {
        let is_fish = name.contains("fish");
        let mut is_script = false;
        let mut from_input = false;
        let mut at = 0;
        while let Some(word) = arguments.get(at) {
            let Some(text) = word.known() else {
                break;
            };
            if let Some(long) = text.strip_prefix("--").filter(|long| !long.is_empty()) {
                if is_fish && let Some(script) = fish_script(long, arguments.get(at + 1)) {
                    self.interprets(&script.text, script.hidden);
                    is_script |= long.starts_with('c');
                    at += usize::from(!long.contains('='));
                }
                at += usize::from(matches!(long, "rcfile" | "init-file"));
            } else if let Some(letters) = text
                .strip_prefix('-')
                .or_else(|| text.strip_prefix('+'))
                .filter(|letters| !letters.is_empty() && !letters.starts_with('-'))
            {
                if is_fish && letters.ends_with('C') {
                    at += 1;
                    if let Some(script) = arguments.get(at) {
                        self.interprets(&script.text, script.hidden);
                    }
                }
                is_script |= letters.contains('c') && text.starts_with('-');
                from_input |= letters.contains('s') && text.starts_with('-');
                let value = arguments.get(at + 1).and_then(Word::known);
                let named = letters.ends_with('o') && value.is_some_and(turns_history_on);
                if named || turns_history_on(text) {
                    self.hide(Opaque::History);
                }
                at += usize::from(letters.ends_with(['o', 'O']));
            } else {
                at += usize::from(matches!(text, "--" | "-"));
                break;
            }
            at += 1;
        }
        match arguments.get(at) {
            Some(script) if is_script => self.interprets(&script.text, script.hidden),
            None if is_script => {}
            Some(file) if !from_input => {
                if let Some(hidden) = file.hidden {
                    self.hide(Opaque::Script(hidden));
                } else if is_standard_input(&file.text) {
                    self.reads_input(Reads::Shell);
                }
            }
            _ => self.reads_input(Reads::Shell),
        }
    }

    /// Builtins that run what they are given.
    pub fn builtin(&mut self, name: &str) {
        match name {
            "." | "source" => self.source(),
            "trap" => self.trap(),
            "alias" => self.alias(),
            "bind" => self.bind(),
            "set" | "shopt" => self.history(),
            _ if EVALUATING.contains(&name) => self.evaluates(name),
            _ => {}
        }
    }

    /// `. FILE`.
    fn source(&mut self) {
        let Some(file) = self.command.simple.words.get(1).cloned() else {
            return;
        };
        if let Some(hidden) = file.hidden {
            self.hide(Opaque::Script(hidden));
        } else if is_standard_input(&file.text) {
            self.reads_input(Reads::Shell);
        }
    }

    /// `trap SCRIPT SIGNAL…`.
    fn trap(&mut self) {
        let arguments = self.arguments();
        let script = arguments.iter().find(|word| !word.text.starts_with('-'));
        if let (Some(script), true) = (script, arguments.len() > 1) {
            self.interprets(&script.text, script.hidden);
        }
    }

    /// `alias NAME=SCRIPT…`: what it will stand for.
    fn alias(&mut self) {
        for word in self.arguments() {
            if let Some((_, script)) = word.text.split_once('=') {
                self.interprets(script, word.hidden);
            }
        }
    }

    /// `bind -x 'KEYS:SCRIPT'`.
    fn bind(&mut self) {
        for word in self.arguments() {
            if let Some((_, script)) = word.text.split_once(':') {
                self.interprets(script, word.hidden);
            }
        }
    }

    /// `set -H`, `set -o histexpand`, `shopt -so histexpand`.
    fn history(&mut self) {
        let arguments = self.arguments();
        let options = arguments.iter().take_while(|word| word.text != "--");
        for word in options {
            if word.known().is_none_or(turns_history_on) {
                self.hide(Opaque::History);
            }
        }
    }

    /// `let 'a[$(SCRIPT)]'`.
    fn evaluates(&mut self, name: &str) {
        let arguments = self.command.simple.words.iter().skip(1);
        let names_a_variable = |word: &Word| word.text.starts_with("-v");
        if name == "printf" && !arguments.clone().any(names_a_variable) {
            return;
        }
        let mut known = arguments.filter_map(Word::known);
        if known.any(|text| text.contains("$(") || text.contains('`')) {
            self.hide(Opaque::Script(Hidden::Substitution));
        }
    }
}

/// bash(1): whether an option has `!` and `^` of later lines mean what earlier lines said.
fn turns_history_on(option: &str) -> bool {
    let letters = option
        .strip_prefix('-')
        .filter(|letters| !letters.starts_with('-'));
    option == "histexpand" || letters.is_some_and(|letters| letters.contains('H'))
}

/// fish(1): what `--command`, `--init-command`, or a shorter spelling of them, is given.
fn fish_script(long: &str, next: Option<&Word>) -> Option<Word> {
    let (option, value) = match long.split_once('=') {
        Some((option, value)) => (option, Some(Word::literal(value))),
        None => (long, next.cloned()),
    };
    let is_one = |known: &str| !option.is_empty() && known.starts_with(option);
    value.filter(|_| is_one("command") || is_one("init-command"))
}
