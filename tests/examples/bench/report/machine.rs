//! What all of it ran on.

use std::fs;

use serde_json::{Value, json};
use tests::{Invocation, Release};

/// The machine and the hosts' Debian.
#[derive(Debug)]
pub struct Machine {
    debian: String,
    kernel: String,
    processor: String,
    processors: usize,
    memory_gib: u64,
    commit: String,
    day: String,
    load: String,
}

impl Machine {
    /// This one, now.
    pub fn look() -> Self {
        let cpu = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
        let field = |text: &str, name: &str| {
            let line = text.lines().find(|line| line.starts_with(name));
            let value = line.and_then(|line| line.split_once(':'));
            value.map_or(String::new(), |(_, value)| value.trim().to_owned())
        };
        let memory = field(
            &fs::read_to_string("/proc/meminfo").unwrap_or_default(),
            "MemTotal",
        );
        let memory = memory
            .split(' ')
            .next()
            .and_then(|it| it.parse::<u64>().ok());
        Self {
            debian: Release::from_environment()
                .map_or_else(|error| error.to_string(), |it| it.to_string()),
            kernel: first_line("uname", &["-sr"]),
            processor: field(&cpu, "model name"),
            processors: std::thread::available_parallelism().map_or(0, usize::from),
            memory_gib: memory.unwrap_or_default() / 1024 / 1024,
            commit: first_line("git", &["describe", "--always", "--dirty"]),
            day: first_line("date", &["-u", "+%Y-%m-%d %H:%M UTC"]),
            load: load(),
        }
    }

    /// In words.
    pub fn text(&self) -> String {
        format!(
            "Hosts of {} on {} × {}, {} GiB, {}; {}, commit {}; load before the first row: {}.",
            self.debian,
            self.processors,
            self.processor,
            self.memory_gib,
            self.kernel,
            self.day,
            self.commit,
            self.load
        )
    }

    /// For programs.
    pub fn raw(&self) -> Value {
        json!({
            "debian": self.debian,
            "kernel": self.kernel,
            "processor": self.processor,
            "processors": self.processors,
            "memory_gib": self.memory_gib,
            "commit": self.commit,
            "time": self.day,
            "load": self.load,
        })
    }
}

/// The load of the last 1, 5 and 15 minutes.
pub fn load() -> String {
    let text = fs::read_to_string("/proc/loadavg").unwrap_or_default();
    text.split(' ').take(3).collect::<Vec<_>>().join(" ")
}

fn first_line(program: &str, arguments: &[&str]) -> String {
    Invocation::new(program)
        .args(arguments)
        .run()
        .line_of_output()
}
