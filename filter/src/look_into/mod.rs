//! Looks into commands that start others: `sudo`, `env`, `xargs`, `find -exec`, `sh -c`, `eval`, `ssh host`, …
//!
//! What is found there is judged like everything else on the line. What cannot be seen is said so ([`Opaque`]).

mod table;

use crate::shell::{self, Budget, Comments, Fault, Hidden, Input, Script, Simple, Word};
use std::fmt;
use table::{INTERPRETERS, SHELLS, Then, WRAPPERS, Wrapper};

/// How many commands may start each other in a row.
const MAX_WRAPPERS: usize = 8;

/// What handing a word on takes, in steps of reading a byte.
const STEPS_A_WORD: usize = 4;

/// Why it cannot be known what a command runs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Opaque {
    /// The program's name is no literal word.
    Program(Hidden),
    /// What a wrapper starts, or a shell is given, is no literal text.
    Script(Hidden),
    /// A shell or interpreter reads another program's output, or a file.
    Input,
    /// An interpreter is given a script in a language that is not read here.
    Language,
    /// The line, or a script on it, cannot be read to its end.
    Unreadable(Fault),
}

impl fmt::Display for Opaque {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Program(hidden) => {
                write!(out, "the program's name stands in {}", hidden.as_str())
            }
            Self::Script(hidden) => write!(out, "what it runs stands in {}", hidden.as_str()),
            Self::Input => write!(out, "what it runs comes from a file or another program"),
            Self::Language => write!(out, "what it runs is in a language that is not read"),
            Self::Unreadable(fault) => write!(out, "it cannot be read: {fault}"),
        }
    }
}

/// Who reads commands from this command's standard input, when nothing on the line gives it one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reads {
    /// A shell: its lines can be judged as lines here are.
    Shell,
    /// Another interpreter: only as text.
    Interpreter,
}

/// A simple command with the commands that it starts.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Command {
    /// As it stands on the line, or in what a wrapper was given.
    pub simple: Simple,
    /// What it starts.
    pub inner: Vec<Command>,
    /// What it hides.
    pub opaque: Option<Opaque>,
    /// Arguments are added that the line does not show (`xargs`).
    pub more_arguments: bool,
    /// It takes commands from the standard input that the line leaves it.
    pub reads: Option<Reads>,
}

impl Command {
    /// The program's name without its folder, if the line says it.
    pub fn program(&self) -> Option<&str> {
        program(self.simple.words.first()?)
    }
}

/// Everything that a line would run.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Line {
    /// As it was given, without blanks around it.
    pub text: String,
    /// The commands on it.
    pub commands: Vec<Command>,
    /// Why it cannot be read to its end.
    pub fault: Option<Fault>,
    /// As [`Script::continues`].
    pub continues: bool,
    /// How much was read to know this, in bytes; at most [`shell::MAX_WORK`].
    pub work: usize,
}

/// Reads a line and looks into its commands.
pub fn look_into(line: &str, comments: Comments) -> Line {
    let budget = Budget::new();
    let read = shell::parse_below(line, 0, comments, &budget);
    let mut line = script(read, 0, &budget);
    line.work = budget.spent();
    line
}

fn script(script: Script, depth: usize, budget: &Budget) -> Line {
    // `{ sh; } <file`: any shell within may be the one that reads it.
    let redirected = script
        .commands
        .iter()
        .find(|simple| simple.words.is_empty() && simple.input != Input::Inherited)
        .map(|simple| simple.input.clone());
    let mut commands = Vec::with_capacity(script.commands.len());
    let mut found = 0;
    let mut fault = script.fault;
    for mut simple in script.commands {
        if let (Input::Inherited, Some(input)) = (&simple.input, &redirected) {
            if let Err(spent) = budget.spend(copying(input)) {
                fault.get_or_insert(spent);
                break;
            }
            simple.input = input.clone();
        }
        let command = command(simple, depth, budget);
        found += size(&command);
        if found > shell::MAX_COMMANDS {
            fault.get_or_insert(Fault::TooMany);
            break;
        }
        commands.push(command);
    }
    Line {
        text: String::new(),
        commands,
        fault,
        continues: script.continues,
        work: 0,
    }
}

/// What copying a text takes, in steps.
fn copying(input: &Input) -> usize {
    match input {
        Input::Given { text, .. } => 1 + text.len() / 16,
        Input::Inherited | Input::Elsewhere => 1,
    }
}

fn size(command: &Command) -> usize {
    1 + command.inner.iter().map(size).sum::<usize>()
}

fn program(word: &Word) -> Option<&str> {
    let text = word.known()?;
    // zsh: `=rm` is the path of rm.
    let text = text
        .strip_prefix('=')
        .filter(|path| !path.is_empty())
        .unwrap_or(text);
    let name = text.rsplit('/').next().unwrap_or(text);
    Some(name)
}

fn command(simple: Simple, depth: usize, budget: &Budget) -> Command {
    let mut command = Command {
        simple,
        ..Command::default()
    };
    let Some(first) = command.simple.words.first() else {
        return command;
    };
    if depth > MAX_WRAPPERS {
        command.opaque = Some(Opaque::Unreadable(Fault::TooDeep));
        return command;
    }
    if let Some(hidden) = first.hidden {
        command.opaque = Some(Opaque::Program(hidden));
        return command;
    }
    let Some(name) = program(first).map(str::to_owned) else {
        return command;
    };
    let mut looking = Looking {
        depth: depth + 1,
        budget,
        command: &mut command,
    };
    if SHELLS.contains(&name.as_str()) {
        looking.shell(&name);
    } else if name == "find" {
        looking.find();
    } else if matches!(name.as_str(), "." | "source") {
        looking.source();
    } else if name == "trap" {
        looking.trap();
    } else if is_interpreter(&name) {
        looking.interpreter();
    } else if let Some(wrapper) = wrapper_named(looking.wrapper_name(&name)) {
        looking.wrapper(wrapper);
    }
    command
}

fn wrapper_named(name: &str) -> Option<&'static Wrapper> {
    WRAPPERS
        .iter()
        .find(|wrapper| wrapper.names.contains(&name))
}

/// Whether the program is a shell, interpreter or wrapper.
fn starts_others(name: &str) -> bool {
    SHELLS.contains(&name) || is_interpreter(name) || wrapper_named(name).is_some()
}

fn is_standard_input(file: &str) -> bool {
    ["/dev/stdin", "/dev/fd/0", "/proc/self/fd/0"].contains(&file)
}

/// `python3.11` is `python`.
fn is_interpreter(name: &str) -> bool {
    let stem = name.trim_end_matches(|last: char| last.is_ascii_digit() || last == '.');
    INTERPRETERS.contains(&name) || INTERPRETERS.contains(&stem)
}

struct Looking<'a> {
    depth: usize,
    budget: &'a Budget,
    command: &'a mut Command,
}

impl Looking<'_> {
    /// runuser(1) without `-u` is used as su(1) is.
    fn wrapper_name<'a>(&self, name: &'a str) -> &'a str {
        let mut arguments = self.command.simple.words.iter().skip(1);
        let as_user = |word: &Word| word.text.starts_with("-u") || word.text.starts_with("--u");
        if name == "runuser" && !arguments.any(as_user) {
            "su"
        } else {
            name
        }
    }

    fn arguments(&self) -> Vec<Word> {
        self.command.simple.words.iter().skip(1).cloned().collect()
    }

    fn hide(&mut self, opaque: Opaque) {
        self.command.opaque.get_or_insert(opaque);
    }

    /// `words` is a program with its arguments.
    fn runs(&mut self, words: Vec<Word>, more_arguments: bool) {
        if words.is_empty() {
            return;
        }
        let bytes: usize = words.iter().map(|word| word.text.len()).sum();
        let steps = STEPS_A_WORD * words.len() + bytes / 16 + copying(&self.command.simple.input);
        if let Err(fault) = self.budget.spend(steps) {
            return self.hide(Opaque::Unreadable(fault));
        }
        let simple = Simple {
            source: shell::words(&words),
            words,
            input: self.command.simple.input.clone(),
            other_shells: self.command.simple.other_shells,
            ..Simple::default()
        };
        let mut inner = command(simple, self.depth, self.budget);
        inner.more_arguments |= more_arguments;
        // What is added is told to a shell, or is the program that a wrapper starts.
        let told = more_arguments
            && inner
                .program()
                .is_some_and(|name| starts_others(name) || name.contains("{}"));
        if told {
            self.hide(Opaque::Input);
        }
        // Whoever reads standard input within, reads it here.
        self.command.reads = self.command.reads.or(inner.reads);
        self.command.inner.push(inner);
    }

    /// `text` is given to a shell.
    fn interprets(&mut self, text: &str, hidden: Option<Hidden>) {
        if let Some(hidden) = hidden {
            self.hide(Opaque::Script(hidden));
        }
        let read = shell::parse_below(text, self.depth, Comments::Skipped, self.budget);
        let line = script(read, self.depth, self.budget);
        if let Some(fault) = line.fault {
            self.hide(Opaque::Unreadable(fault));
        }
        for inner in line.commands {
            self.command.reads = self.command.reads.or(inner.reads);
            self.command.inner.push(inner);
        }
    }

    fn interprets_joined(&mut self, words: &[Word]) {
        if words.is_empty() {
            return;
        }
        let hidden = words.iter().find_map(|word| word.hidden);
        self.interprets(&shell::words(words), hidden);
    }

    fn wrapper(&mut self, wrapper: &Wrapper) {
        let arguments = self.arguments();
        if self.only_asks(&arguments) {
            return;
        }
        let mut operands = wrapper.operands;
        let mut only_operands = false;
        let mut at = 0;
        while let Some(word) = arguments.get(at) {
            at += 1;
            let Some(text) = word.known() else {
                if operands > 0 && operands != usize::MAX {
                    // A host, a time: its name is of no interest here. But it might be an option.
                    operands -= 1;
                    continue;
                }
                if let (Some(hidden), true) = (word.hidden, operands != usize::MAX) {
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
                operands = if operands == usize::MAX {
                    operands
                } else {
                    operands - 1
                };
                continue;
            }
            let rest = arguments.get(at - 1..).unwrap_or_default();
            return match wrapper.then {
                Then::Program => self.runs(rest.to_vec(), false),
                Then::ProgramAndMore => self.runs(rest.to_vec(), true),
                Then::Shell => self.interprets_joined(rest),
                Then::ShellAndMore => self.parallel(rest),
            };
        }
        let nothing_found = self.command.inner.is_empty() && self.command.opaque.is_none();
        if wrapper.shell_alone && nothing_found {
            self.reads_input(Reads::Shell);
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
                self.interprets(&word.text.clone(), word.hidden);
            }
        } else {
            self.interprets_joined(&script);
        }
        self.hide(Opaque::Input);
    }

    /// One option of a wrapper; how many words behind it are its value.
    fn option(&mut self, wrapper: &Wrapper, text: &str, next: Option<&Word>) -> usize {
        if let Some(long) = text.strip_prefix("--") {
            let (name, value) = match long.split_once('=') {
                Some((name, value)) => (name, Some(Word::literal(value))),
                None => (long, None),
            };
            let is_script = wrapper
                .scripts
                .iter()
                .filter_map(|script| script.strip_prefix("--"))
                .any(|script| script.starts_with(name));
            let takes = is_script || wrapper.long.iter().any(|known| known.starts_with(name));
            let behind = usize::from(takes && value.is_none());
            if is_script && let Some(script) = value.as_ref().or(next) {
                self.interprets(&script.text.clone(), script.hidden);
            }
            return behind;
        }
        let mut letters = text.chars().skip(1);
        while let Some(letter) = letters.next() {
            let is_script = wrapper
                .scripts
                .iter()
                .any(|script| script.len() == 2 && script.ends_with(letter));
            if !is_script && !wrapper.letters.contains(letter) {
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
                    self.interprets(&value.text, value.hidden);
                } else if letter == 'o' && wrapper.names.contains(&"ssh") {
                    self.ssh_option(&value);
                }
            }
            return behind;
        }
        0
    }

    /// ssh_config(5): options that make ssh run something here.
    fn ssh_option(&mut self, value: &Word) {
        let Some((name, script)) = value.text.split_once(['=', ' ']) else {
            return;
        };
        let name = name.trim().to_ascii_lowercase();
        if ["proxycommand", "localcommand", "knownhostscommand"].contains(&name.as_str()) {
            let script = script.to_owned();
            self.interprets(&script, value.hidden);
        }
    }

    /// A shell: `-c SCRIPT`, a file, or standard input.
    fn shell(&mut self, name: &str) {
        let arguments = self.arguments();
        let mut is_script = false;
        let mut from_input = false;
        let mut at = 0;
        while let Some(word) = arguments.get(at) {
            let Some(text) = word.known() else {
                break;
            };
            if let Some(long) = text.strip_prefix("--").filter(|long| !long.is_empty()) {
                match long.split_once('=') {
                    // fish
                    Some(("command" | "init-command", script)) => {
                        let script = script.to_owned();
                        return self.interprets(&script, None);
                    }
                    None if long == "command" && name == "fish" => is_script = true,
                    None if matches!(long, "rcfile" | "init-file") => at += 1,
                    _ => {}
                }
            } else if let Some(letters) = text
                .strip_prefix('-')
                .or_else(|| text.strip_prefix('+'))
                .filter(|letters| !letters.is_empty() && !letters.starts_with('-'))
            {
                is_script |= letters.contains('c') && text.starts_with('-');
                from_input |= letters.contains('s') && text.starts_with('-');
                at += usize::from(letters.ends_with(['o', 'O']));
            } else {
                at += usize::from(matches!(text, "--" | "-"));
                break;
            }
            at += 1;
        }
        let operand = arguments.get(at);
        match operand {
            Some(script) if is_script => self.interprets(&script.text, script.hidden),
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

    /// An interpreter of something that is no shell's language.
    fn interpreter(&mut self) {
        let arguments = self.arguments();
        let letters = self
            .command
            .program()
            .map_or("", |name| table::script_letters(name));
        let is_script = |word: &Word| {
            let text = word.text.as_str();
            let short = text.strip_prefix('-').filter(|rest| !rest.starts_with('-'));
            // `-ne`, but not `-pSecret`.
            let clustered = short.is_some_and(|rest| {
                rest.starts_with(|first| letters.contains(first))
                    || rest.len() < 4 && rest.contains(|letter| letters.contains(letter))
            });
            let name = text.split_once('=').map_or(text, |(name, _)| name);
            clustered || ["--eval", "--print", "--execute", "--command"].contains(&name)
        };
        let mut options = arguments
            .iter()
            .take_while(|word| word.text.starts_with('-') && word.text != "--");
        if options.any(is_script) {
            return self.hide(Opaque::Language);
        }
        let only_options = arguments
            .iter()
            .all(|word| word.text.starts_with('-') && word.text != "-m");
        if only_options {
            self.reads_input(Reads::Interpreter);
        }
    }

    /// It takes its commands from standard input.
    fn reads_input(&mut self, reads: Reads) {
        match self.command.simple.input.clone() {
            Input::Inherited => self.command.reads = Some(reads),
            Input::Elsewhere => self.hide(Opaque::Input),
            Input::Given { text, known } => {
                if reads == Reads::Shell {
                    self.interprets(&text, (!known).then_some(Hidden::Variable));
                } else {
                    self.hide(Opaque::Input);
                }
            }
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

    /// `-exec PROGRAM … ;` and the like.
    fn find(&mut self) {
        let arguments = self.arguments();
        let mut words = arguments.into_iter();
        while let Some(word) = words.next() {
            if !matches!(word.text.as_str(), "-exec" | "-execdir" | "-ok" | "-okdir") {
                continue;
            }
            let program: Vec<Word> = words
                .by_ref()
                .take_while(|word| !matches!(word.text.as_str(), ";" | "+"))
                .collect();
            self.runs(program, true);
        }
    }

    /// `trap SCRIPT SIGNAL…`.
    fn trap(&mut self) {
        let arguments = self.arguments();
        let script = arguments.iter().find(|word| !word.text.starts_with('-'));
        if let (Some(script), true) = (script, arguments.len() > 1) {
            self.interprets(&script.text.clone(), script.hidden);
        }
    }
}

#[cfg(test)]
mod tests;
