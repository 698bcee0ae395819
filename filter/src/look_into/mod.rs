//! Looks into commands that start others: `sudo`, `env`, `xargs`, `find -exec`, `sh -c`, `eval`, `ssh host`, …
//!
//! What is found there is judged like everything else on the line. What cannot be seen is said so ([`Opaque`]).

mod interpreter;
mod passing;
mod shells;
mod starters;
mod table;
mod wrapper;

use crate::shell::{self, Budget, Comments, Fault, Hidden, Input, Script, Simple, Word};
use interpreter::is_interpreter;
use passing::passes_on;
use shells::is_shell;
use std::fmt;
use wrapper::wrapper_named;

/// How many commands may start each other in a row.
const MAX_WRAPPERS: usize = 8;

/// What handing a word on takes, in steps of reading a byte.
const STEPS_A_WORD: usize = 16;

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
    /// What it starts stands behind an option that is not known here, and that may have a value.
    Option,
    /// It starts others in a way that is not looked into.
    Started,
    /// A rule speaks of the program, and whether of these arguments is not to be known: one of them hides.
    Argument(Hidden),
    /// The same, because arguments are added that the line does not show.
    MoreArguments,
    /// It has `!` and `^` of later lines mean what earlier lines said.
    History,
    /// It is not known what came before it, and so whether it begins in a quote.
    OutOfStep,
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
            Self::Option => write!(
                out,
                "what it runs stands behind an option that is not known"
            ),
            Self::Started => write!(out, "what it starts is not looked into"),
            Self::Argument(hidden) => write!(out, "an argument stands in {}", hidden.as_str()),
            Self::MoreArguments => write!(out, "it is given arguments that the line does not show"),
            Self::History => write!(out, "lines behind it may say what earlier lines said"),
            Self::OutOfStep => write!(out, "what came before it could not be read"),
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
    /// It takes commands from the standard input that the line leaves it, maybe through others that pass it on.
    pub reads: Option<Reads>,
    /// It takes commands from other commands' output.
    pub(crate) reads_output: Option<Reads>,
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

/// The same; and what each line but the first would run if it stood for itself, as if another shell ran that.
pub fn look_into_each_line(text: &str, comments: Comments) -> Line {
    let budget = Budget::new();
    let mut read = shell::parse_below(text, 0, comments, &budget);
    for line in text.lines().skip(1) {
        let alone = shell::parse_below(line, 0, comments, &budget);
        read.commands
            .extend(alone.commands.into_iter().map(|simple| Simple {
                other_shells: true,
                ..simple
            }));
        let fault = alone
            .fault
            .filter(|fault| !matches!(fault, Fault::Unfinished(_) | Fault::Unexpected(_)));
        let too_many = (read.commands.len() > shell::MAX_COMMANDS).then_some(Fault::TooMany);
        if let Some(fault) = fault.or(too_many) {
            read.fault.get_or_insert(fault);
            break;
        }
    }
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
    let mut passing: Vec<bool> = Vec::with_capacity(script.commands.len());
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
        let mut command = command(simple, depth, budget);
        if command.reads_output.is_some() {
            let before = passing.len().saturating_sub(command.simple.fed_by);
            let feeding = passing.get(before..).unwrap_or_default();
            if feeding.contains(&true) {
                command.reads = command.reads.or(command.reads_output);
            }
        }
        passing.push(passes_on(&command));
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
    if is_shell(&name) {
        let arguments = looking.arguments();
        looking.shell(&name, &arguments);
    } else if name == "find" {
        looking.find();
    } else if is_interpreter(&name) {
        looking.interpreter(&name);
    } else if let Some(wrapper) = wrapper_named(looking.wrapper_name(&name)) {
        looking.wrapper(wrapper);
    } else {
        looking.reader(&name);
        if !looking.tool_with_scripts(&name) {
            looking.builtin(&name);
            looking.starter(&name);
        }
    }
    command
}

/// Whether the program is a shell, interpreter or wrapper.
fn starts_others(name: &str) -> bool {
    is_shell(name) || is_interpreter(name) || wrapper_named(name).is_some()
}

struct Looking<'a> {
    depth: usize,
    budget: &'a Budget,
    command: &'a mut Command,
}

impl Looking<'_> {
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
            fed_by: self.command.simple.fed_by,
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
        self.command.reads_output = self.command.reads_output.or(inner.reads_output);
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

    /// It takes its commands from standard input.
    fn reads_input(&mut self, reads: Reads) {
        match self.command.simple.input.clone() {
            Input::Inherited => self.command.reads = Some(reads),
            Input::Elsewhere => {
                self.command.reads_output = Some(reads);
                self.hide(Opaque::Input);
            }
            Input::Given { text, known } => {
                if reads == Reads::Shell {
                    self.interprets(&text, (!known).then_some(Hidden::Variable));
                } else {
                    self.hide(Opaque::Input);
                }
            }
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
}

#[cfg(test)]
mod tests;
