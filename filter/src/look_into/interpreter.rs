//! Interpreters of languages that are not read here: that they are told something is known, what it means is not.

use super::{Looking, Opaque, Reads};
use crate::shell::{Word, is_standard_input};

/// Interpreters that read a program from standard input if they get no operand.
const INTERPRETERS: &[&str] = &[
    "python", "python2", "python3", "pypy", "pypy3", "perl", "ruby", "node", "nodejs", "php",
    "lua", "tclsh", "expect", "guile", "mysql", "mariadb", "psql", "sqlite3",
];

/// Programs that take commands from standard input, and have some that start others.
const READERS: &[&str] = &[
    "R", "dc", "ed", "erl", "ex", "ftp", "gdb", "ghci", "iex", "irb", "julia", "lftp", "m4",
    "nvim", "octave", "vi", "view", "vim",
];

const AWKS: &[&str] = &["awk", "gawk", "mawk", "nawk", "original-awk"];

/// A name without its version: `python3.11` is `python`.
fn stem(name: &str) -> &str {
    name.trim_end_matches(|last: char| last.is_ascii_digit() || last == '.')
}

/// Whether it is one that reads standard input.
pub fn is_interpreter(name: &str) -> bool {
    INTERPRETERS.contains(&name) || INTERPRETERS.contains(&stem(name))
}

/// Letters of options whose value is a script in an interpreter's own language.
fn script_letters(name: &str) -> &'static str {
    match stem(name) {
        "python" | "pypy" | "psql" | "expect" => "c",
        "perl" => "eE",
        "ruby" | "lua" | "mysql" | "mariadb" => "e",
        "node" | "nodejs" => "ep",
        "php" => "r",
        "guile" => "ce",
        _ => "",
    }
}

impl Looking<'_> {
    /// One of [`is_interpreter`].
    pub fn interpreter(&mut self, name: &str) {
        let arguments = self.arguments();
        let letters = script_letters(name);
        let is_script = |word: &Word| {
            let text = word.text.as_str();
            let short = text.strip_prefix('-').filter(|rest| !rest.starts_with('-'));
            // `-ne`, but not `-pSecret`.
            let clustered = short.is_some_and(|rest| {
                rest.starts_with(|first| letters.contains(first))
                    || rest.len() < 4 && rest.contains(|letter| letters.contains(letter))
            });
            let long = text.split_once('=').map_or(text, |(long, _)| long);
            let options = ["--eval", "--print", "--execute", "--command", "-cmd"];
            // sqlite3 runs programs so.
            let of_shell =
                name == "sqlite3" && [".sh", ".sy"].iter().any(|dot| text.starts_with(dot));
            clustered || options.contains(&long) || of_shell
        };
        // Behind an operand, too: it may be an option's value.
        if arguments.iter().any(is_script) {
            return self.hide(Opaque::Language);
        }
        if reads_a_script(name, &arguments) {
            self.reads_input(Reads::Interpreter);
        }
    }

    /// Programs that take commands from standard input, whatever else they are told.
    pub fn reader(&mut self, name: &str) {
        let arguments = self.arguments();
        let is_input = |word: &Word| word.text == "-" || is_standard_input(&word.text);
        let file = |pair: &[Word]| match pair {
            [option, file] => option.text == "-f" && is_input(file),
            _ => false,
        };
        let from_input =
            arguments.windows(2).any(file) || arguments.iter().any(|word| word.text == "-f-");
        let is_one = READERS.contains(&name);
        let of_file =
            from_input && (AWKS.contains(&name) || ["make", "gmake", "sed"].contains(&name));
        let table = name == "crontab" && arguments.iter().any(is_input);
        if is_one || of_file || table {
            self.reads_input(Reads::Interpreter);
        }
    }

    /// Scripts that are arguments of programs that do other things as well: awk, sed, editors. `false`: it is none of these.
    pub fn tool_with_scripts(&mut self, name: &str) -> bool {
        let hides: fn(&str) -> bool = match name {
            "sed" | "gsed" => sed_starts_others,
            "vi" | "vim" | "nvim" | "ex" | "view" | "ed" => |text| text.contains('!'),
            _ if AWKS.contains(&name) => awk_starts_others,
            _ => return false,
        };
        if AWKS.contains(&name)
            && let Some(hidden) = self.awk_script().and_then(|script| script.hidden)
        {
            self.hide(Opaque::Script(hidden));
        }
        let arguments = self.command.simple.words.iter().skip(1);
        if arguments.into_iter().any(|word| hides(&word.text)) {
            self.hide(Opaque::Language);
        }
        true
    }

    /// awk's program, if it stands on the line.
    fn awk_script(&self) -> Option<Word> {
        let mut arguments = self.command.simple.words.iter().skip(1);
        while let Some(word) = arguments.next() {
            let option = word.text.strip_prefix('-').filter(|rest| !rest.is_empty());
            match option {
                Some("F" | "v") => drop(arguments.next()),
                Some("-") => {}
                // The program is a file.
                Some(option) if option.starts_with(['f', 'E']) => return None,
                Some(_) => {}
                None => return Some(word.clone()),
            }
        }
        None
    }
}

/// Whether the script comes from standard input: no operand says where else it is.
fn reads_a_script(name: &str, arguments: &[Word]) -> bool {
    let stem = stem(name);
    let is_database = ["mysql", "mariadb", "psql", "sqlite"].contains(&stem);
    let (values, ends): (&str, &[&str]) = match stem {
        "python" | "pypy" => ("WX", &["-V", "--version", "--help", "-h"]),
        "psql" => (
            "dhpUvPFLoRT",
            &["-f", "--file", "-l", "--list", "-V", "--version"],
        ),
        "mysql" | "mariadb" => ("uhPDS", &["-V", "--version", "--help"]),
        "perl" => ("I", &["-v", "-V"]),
        "ruby" => ("IrC", &["-v", "--version"]),
        "node" | "nodejs" => ("r", &["-v", "--version"]),
        _ => ("", &["--version", "--help"]),
    };
    let mut operands = Vec::new();
    let mut at = 0;
    while let Some(word) = arguments.get(at) {
        at += 1;
        let text = word.text.as_str();
        if ends.contains(&text) || is_database && text.starts_with("--file=") {
            return false;
        }
        if text == "-m" {
            // Modules of Python that are interpreters themselves.
            let module = arguments.get(at).map(|word| word.text.as_str());
            return matches!(module, Some("code" | "asyncio" | "pdb" | "IPython"));
        }
        if text.len() > 1 && text.starts_with('-') {
            let mut letters = text.chars().skip(1);
            let takes = letters.next().is_some_and(|letter| values.contains(letter));
            at += usize::from(takes && letters.next().is_none());
        } else {
            operands.push(word);
        }
    }
    match (stem, operands.first()) {
        ("sqlite", _) => operands.len() < 2,
        _ if is_database => true,
        (_, None) => true,
        (_, Some(file)) => file.text == "-" || is_standard_input(&file.text),
    }
}

/// awk(1): `system()`, pipes, and functions that are called by a name in a variable.
fn awk_starts_others(script: &str) -> bool {
    script.contains("system")
        || script.contains('@')
        || script.contains('|') && script.replace("||", "").contains('|')
}

/// sed(1): the command `e`, and the flag `e` of `s`.
fn sed_starts_others(script: &str) -> bool {
    let address = |letter: char| letter.is_ascii_digit() || " \t$,!{+~".contains(letter);
    script.split([';', '\n', '{']).any(|part| {
        let command = part.trim_start_matches(address);
        // Behind an address that is an expression.
        let command = match command
            .strip_prefix('/')
            .and_then(|rest| rest.rsplit_once('/'))
        {
            Some((_, behind)) if behind.trim_start().starts_with('e') => behind.trim_start(),
            _ => command,
        };
        let mut letters = command.chars();
        match letters.next() {
            Some('e') => letters.next().is_none_or(|next| next.is_ascii_whitespace()),
            Some('s') => letters.next().is_some_and(|delimiter| {
                let flags = command.rsplit(delimiter).next().unwrap_or_default();
                flags.contains('e')
                    && flags
                        .chars()
                        .all(|flag| flag.is_ascii_digit() || "gpiIeMm }".contains(flag))
            }),
            _ => false,
        }
    })
}
