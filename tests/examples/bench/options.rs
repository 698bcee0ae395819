//! What a run measures, how often and how much of it.

use std::path::PathBuf;

use anyhow::{Context, Result, bail};
use lexopt::prelude::{Long, Short, Value, ValueExt as _};

use crate::rows::ALL;

/// The options' help, below which the rows are listed.
const HELP: &str = "\
usage: bench [OPTION…] [ROW…]

Plays the rows of these names, or whose names begin so; without a word all of them, and then docs/bench.json and docs/bench.md
are written anew. Some rows alone, and --short, are written to target/bench.

  --rounds N      how often what is compared takes turns; 7
  --files MIB     the file of the rows with files; 1024
  --terminal MIB  the log lines of the row with terminals; 64
  --sessions N    idle sessions; 200
  --users N       the largest number of users and keys; 1000000
  --tasks N       tasks of the Ansible run; 50
  --seconds N     how long the work lasts whose recordings are weighed; 900
  --short         2 rounds of little: whether every row works; such numbers mean nothing
  --out FOLDER    where bench.json and bench.md are written
  -h, --help      this text

rows:";

/// Where the results of some rows go, or of less than the table wants.
const SOME: &str = "target/bench";

/// What was asked for.
#[derive(Debug, Clone)]
pub struct Options {
    /// How often contenders take turns.
    pub rounds: usize,
    /// The size of the file that is fetched, in MiB.
    pub files: u32,
    /// How much is printed on a terminal, in MiB.
    pub terminal: u32,
    /// Idle sessions.
    pub sessions: usize,
    /// The largest number of users and of keys.
    pub users: u32,
    /// Tasks of an Ansible run.
    pub tasks: u32,
    /// How long interactive work is recorded.
    pub seconds: u32,
    /// Where the results go.
    pub out: PathBuf,
    /// The rows to play, by their names, in the table's order.
    pub rows: Vec<&'static str>,
}

impl Options {
    /// Reads the command line; `None` when only help was asked for, which is printed.
    ///
    /// # Errors
    /// When there is a word that nobody knows; the message lists the rows.
    pub fn parse() -> Result<Option<Self>> {
        let mut options = Self {
            rounds: 7,
            files: 1024,
            terminal: 64,
            sessions: 200,
            users: 1_000_000,
            tasks: 50,
            seconds: 900,
            out: PathBuf::new(),
            rows: Vec::new(),
        };
        let (mut words, mut out) = (Vec::<String>::new(), None);
        let mut parser = lexopt::Parser::from_env();
        while let Some(argument) = parser.next()? {
            match argument {
                Short('h') | Long("help") => {
                    println!("{HELP}\n{}", listed());
                    return Ok(None);
                }
                Long("rounds") => options.rounds = parser.value()?.parse()?,
                Long("files") => options.files = parser.value()?.parse()?,
                Long("terminal") => options.terminal = parser.value()?.parse()?,
                Long("sessions") => options.sessions = parser.value()?.parse()?,
                Long("users") => options.users = parser.value()?.parse()?,
                Long("tasks") => options.tasks = parser.value()?.parse()?,
                Long("seconds") => options.seconds = parser.value()?.parse()?,
                Long("out") => out = Some(PathBuf::from(parser.value()?)),
                Long("short") => {
                    (options.rounds, options.files, options.terminal) = (2, 32, 4);
                    (options.sessions, options.users) = (10, 2_000);
                    (options.tasks, options.seconds) = (10, 20);
                    out.get_or_insert_with(|| PathBuf::from(SOME));
                }
                Value(word) => words.push(word.string()?),
                other => return Err(other.unexpected()).context(help()),
            }
        }
        let sizes = [
            options.files,
            options.terminal,
            options.users,
            options.tasks,
            options.seconds,
        ];
        if options.rounds == 0 || options.sessions == 0 || sizes.contains(&0) {
            bail!(
                "nothing can be measured in no rounds, or of no size\n{}",
                help()
            );
        }
        options.rows = chosen(&words)?;
        let default = if words.is_empty() { "docs" } else { SOME };
        options.out = out.unwrap_or_else(|| PathBuf::from(default));
        Ok(Some(options))
    }
}

/// The rows that the words mean: the one of that name, or those whose names begin so; all of them without a word.
fn chosen(words: &[String]) -> Result<Vec<&'static str>> {
    let names = || ALL.iter().map(|row| row.name);
    let means = |word: &str, name: &str| {
        name == word || !names().any(|it| it == word) && name.starts_with(word)
    };
    for word in words {
        if !names().any(|name| means(word, name)) {
            bail!("there is no row {word:?}\n{}", help());
        }
    }
    Ok(names()
        .filter(|name| words.is_empty() || words.iter().any(|word| means(word, name)))
        .collect())
}

/// The numbers of users, or of keys, that lookups are asked among.
pub fn sizes(most: u32) -> Vec<u32> {
    let mut sizes = vec![1_000.min(most), (most / 10).max(1_000).min(most), most];
    sizes.dedup();
    sizes
}

fn help() -> String {
    format!("rows:\n{}\n--help says more", listed())
}

fn listed() -> String {
    let line = |row: &crate::rows::Row| format!("  {:<12} {}", row.name, row.about);
    ALL.iter().map(line).collect::<Vec<_>>().join("\n")
}
