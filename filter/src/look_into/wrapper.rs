//! Programs that start the one in their arguments: over their own options and operands, to where it stands.

use super::table::{Then, WRAPPERS, Wrapper};
use super::{Looking, Opaque, Reads};
use crate::shell::{Hidden, Word};

/// Options that every program has, and that end it.
const OF_ALL: [&str; 2] = ["help", "version"];

/// The wrapper of that name.
pub fn wrapper_named(name: &str) -> Option<&'static Wrapper> {
    // The dynamic loader starts whatever it is given.
    let is_loader = name == "ld.so" || name.starts_with("ld-linux") || name.starts_with("ld-musl");
    if is_loader {
        return Some(&LOADER);
    }
    WRAPPERS
        .iter()
        .find(|wrapper| wrapper.names.contains(&name))
}

static LOADER: Wrapper = Wrapper {
    names: &["ld.so"],
    letters: "",
    flags: "",
    optional: "",
    long: &["argv0", "audit", "inhibit-rpath", "library-path", "preload"],
    long_flags: &["inhibit-cache", "list", "verify"],
    scripts: &[],
    assignments: false,
    operands: 0,
    then: Then::Program,
    shell_alone: false,
};

impl Looking<'_> {
    /// runuser(1) without `-u` is used as su(1) is.
    pub fn wrapper_name<'a>(&self, name: &'a str) -> &'a str {
        let mut arguments = self.command.simple.words.iter().skip(1);
        let as_user = |word: &Word| word.text.starts_with("-u") || word.text.starts_with("--u");
        if name == "runuser" && !arguments.any(as_user) {
            "su"
        } else {
            name
        }
    }

    /// A program of the table.
    pub fn wrapper(&mut self, wrapper: &Wrapper) {
        let mut arguments = self.arguments();
        if self.only_asks(&arguments) {
            return;
        }
        let mut operands = wrapper.operands;
        let only_scripts = operands == usize::MAX;
        let mut own: Vec<Word> = Vec::new();
        let mut only_operands = false;
        let mut at = 0;
        while let Some(word) = arguments.get(at) {
            at += 1;
            let Some(text) = word.known() else {
                if only_scripts {
                    own.push(word.clone());
                } else if operands > 0 {
                    // A host, a time: its name is of no interest here. But it might be an option.
                    operands -= 1;
                } else if let Some(hidden) = word.hidden {
                    self.hide(Opaque::Script(hidden));
                }
                continue;
            };
            if !only_operands && text == "--" {
                only_operands = true;
                continue;
            }
            if !only_operands && text.len() > 1 && text.starts_with('-') {
                at += self.option(wrapper, text, arguments.get(at));
                continue;
            }
            if wrapper.assignments && text.contains('=') {
                continue;
            }
            if operands > 0 {
                if only_scripts {
                    own.push(word.clone());
                } else {
                    operands -= 1;
                }
                continue;
            }
            let rest = arguments.split_off(at - 1);
            return match wrapper.then {
                Then::Program => self.runs(rest, false),
                Then::ProgramAndMore => self.runs(rest, true),
                Then::Shell => self.interprets_joined(&rest),
                Then::ShellAndMore => self.parallel(&rest),
            };
        }
        let nothing_found = self.command.inner.is_empty() && self.command.opaque.is_none();
        if wrapper.names.contains(&"su") {
            self.shell_of_user(&own, nothing_found);
        } else if wrapper.shell_alone && nothing_found {
            self.reads_input(Reads::Shell);
        }
    }

    /// su(1): behind the user stands what his shell is told, as in `su root -- -c SCRIPT`.
    fn shell_of_user(&mut self, operands: &[Word], nothing_found: bool) {
        let is_dash = |word: &&Word| word.text == "-" || word.text == "-l";
        let dash = usize::from(operands.first().as_ref().is_some_and(is_dash));
        let told = operands.get(dash + 1..).unwrap_or_default();
        if !told.is_empty() || nothing_found {
            self.shell("sh", told);
        }
    }

    /// `command -v NAME` says where it is, and runs nothing.
    fn only_asks(&self, arguments: &[Word]) -> bool {
        let mut options = arguments
            .iter()
            .take_while(|word| word.text.starts_with('-'));
        self.command.program() == Some("command")
            && options.any(|word| word.text.contains(['v', 'V']))
    }

    /// GNU parallel: its words are a shell's script, what stands behind `:::` is added, or run where there is no script.
    fn parallel(&mut self, words: &[Word]) {
        let is_mark = |word: &Word| word.text.starts_with(":::");
        let script: Vec<Word> = words
            .iter()
            .take_while(|word| !is_mark(word))
            .cloned()
            .collect();
        if script.is_empty() {
            for word in words.iter().filter(|word| !is_mark(word)) {
                self.interprets(&word.text, word.hidden);
            }
        } else {
            self.interprets_joined(&script);
        }
        self.hide(Opaque::Input);
    }

    /// One option of a wrapper; how many words behind it are its value.
    fn option(&mut self, wrapper: &Wrapper, text: &str, next: Option<&Word>) -> usize {
        match text.strip_prefix("--") {
            Some(long) => self.long_option(wrapper, long, next),
            None => self.letters(wrapper, text, next),
        }
    }

    fn long_option(&mut self, wrapper: &Wrapper, long: &str, next: Option<&Word>) -> usize {
        let (name, value) = match long.split_once('=') {
            Some((name, value)) => (name, Some(Word::literal(value))),
            None => (long, None),
        };
        let is_one = |known: &&str| known.starts_with(name);
        let is_script = wrapper
            .scripts
            .iter()
            .filter_map(|script| script.strip_prefix("--"))
            .any(|script| script.starts_with(name));
        let takes = is_script || wrapper.long.iter().any(is_one);
        let behind = usize::from(takes && value.is_none());
        if is_script && let Some(script) = value.as_ref().or(next) {
            self.script_of_option(wrapper, &script.clone());
        }
        let alone = wrapper.long_flags.iter().chain(&OF_ALL).any(is_one);
        if !takes && !alone && value.is_none() {
            self.hide(Opaque::Option);
        }
        behind
    }

    fn letters(&mut self, wrapper: &Wrapper, text: &str, next: Option<&Word>) -> usize {
        let mut letters = text.chars().skip(1);
        while let Some(letter) = letters.next() {
            if wrapper.optional.contains(letter) {
                return 0;
            }
            let is_script = wrapper
                .scripts
                .iter()
                .any(|script| script.len() == 2 && script.ends_with(letter));
            if !is_script && !wrapper.letters.contains(letter) {
                if !wrapper.flags.contains(letter) {
                    self.hide(Opaque::Option);
                }
                continue;
            }
            let attached: String = letters.collect();
            let (value, behind) = if attached.is_empty() {
                (next.cloned(), 1)
            } else {
                (Some(Word::literal(&attached)), 0)
            };
            if let Some(value) = value {
                if is_script {
                    self.script_of_option(wrapper, &value);
                } else if letter == 'o' && wrapper.names.contains(&"ssh") {
                    self.ssh_option(&value);
                }
            }
            return behind;
        }
        0
    }

    fn script_of_option(&mut self, wrapper: &Wrapper, script: &Word) {
        if !wrapper.names.contains(&"env") {
            return self.interprets(&script.text, script.hidden);
        }
        // env(1) has escapes and variables of its own.
        let mut text = script.text.clone();
        let own = text.contains(['\\', '$']);
        for blank in ["\\_", "\\t", "\\n", "\\f", "\\v", "\\r"] {
            text = text.replace(blank, " ");
        }
        let hidden = script.hidden.or(own.then_some(Hidden::Variable));
        self.interprets(&text, hidden);
    }

    /// ssh_config(5): options that make ssh, scp or sftp run something here or there.
    pub fn ssh_option(&mut self, value: &Word) {
        let text = value.text.trim();
        let end = text
            .find(|one: char| one == '=' || one.is_whitespace())
            .unwrap_or(text.len());
        let (name, script) = text.split_at(end);
        let name = name.trim_matches('"').to_ascii_lowercase();
        let script = script.trim_start_matches(|one: char| one == '=' || one.is_whitespace());
        let runs = [
            "proxycommand",
            "localcommand",
            "knownhostscommand",
            "remotecommand",
        ];
        if runs.contains(&name.as_str()) {
            self.interprets(script, value.hidden);
        }
    }
}
