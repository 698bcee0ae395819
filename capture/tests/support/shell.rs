//! A shell as it looks from a bastion: a command runs, the terminal echoes and edits meanwhile, and the line editor shows again
//! what was typed ahead of it. Each way takes its time.
use super::Session;

pub const PROMPT: &str = "dev@web1:~$ ";

/// How it reads lines.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reads {
    /// By a line editor with bracketed paste.
    Editor,
    /// By one without.
    PlainEditor,
    /// As the terminal gives them (dash).
    Terminal,
}

pub struct Shell {
    reads: Reads,
    /// How long a byte takes from one side to the other.
    delay: u64,
    now: u64,
    /// When the command that runs ends by itself; none: the shell reads.
    ends: Option<u64>,
    line: String,
    /// Accepted before the shell read.
    queue: String,
    /// What has been run.
    pub ran: Vec<String>,
    arrives: Vec<(u64, char)>,
    shows: Vec<(u64, String)>,
    seen: usize,
}

#[allow(dead_code)]
impl Shell {
    pub fn new(reads: Reads, delay: u64) -> Self {
        Shell {
            reads,
            delay,
            now: 0,
            ends: Some(u64::MAX),
            line: String::new(),
            queue: String::new(),
            ran: Vec::new(),
            arrives: Vec::new(),
            shows: Vec::new(),
            seen: 0,
        }
    }

    /// What runs on it prints this.
    pub fn prints(&mut self, text: &str) {
        if !text.is_empty() {
            self.shows.push((self.now + self.delay, text.to_owned()));
        }
    }

    /// What runs ends now, and the shell reads.
    pub fn begins(&mut self) {
        self.ends = None;
        self.prompts();
        let typed = std::mem::take(&mut self.queue);
        let begun = std::mem::take(&mut self.line);
        if self.reads == Reads::Terminal {
            for line in typed.split_terminator('\r') {
                line.clone_into(&mut self.line);
                self.runs();
            }
            self.line = begun;
        } else {
            for c in (typed + &begun).chars() {
                self.key(c);
            }
        }
    }

    /// What runs ends so many milliseconds from now.
    pub fn ends_in(&mut self, milliseconds: u64) {
        self.ends = Some(self.now + milliseconds);
    }

    fn prompts(&mut self) {
        if self.reads == Reads::Editor {
            self.prints("\x1b[?2004h");
        }
        self.prints(PROMPT);
    }

    fn runs(&mut self) {
        let line = std::mem::take(&mut self.line);
        if self.reads == Reads::Editor {
            self.prints("\x1b[?2004l\r");
        }
        if line == "attack" {
            self.ends = Some(u64::MAX);
            return;
        }
        if !line.is_empty() {
            self.prints(&format!("ran {}\r\n", line.len()));
            self.ran.push(line);
        }
        self.prompts();
    }

    fn key(&mut self, c: char) {
        let edits = self.ends.is_none() && self.reads != Reads::Terminal;
        match c {
            '\x15' => {
                let count = self.line.chars().count();
                self.line.clear();
                match edits {
                    true if count == 0 => {}
                    true => self.prints(&("\x08".repeat(count) + "\x1b[K")),
                    false => self.prints(&"\x08 \x08".repeat(count)),
                }
            }
            '\x03' => {
                self.line.clear();
                self.queue.clear();
                self.prints("^C\r\n");
                if edits && self.reads == Reads::Editor {
                    self.prints("\x1b[?2004l\r");
                }
                self.begins();
            }
            '\r' if self.ends.is_some() => {
                self.queue += &std::mem::take(&mut self.line);
                self.queue.push('\r');
                self.prints("\r\n");
            }
            '\r' => {
                self.prints("\r\n");
                self.runs();
            }
            c if c < ' ' => {}
            c => {
                self.line.push(c);
                self.prints(&c.to_string());
            }
        }
    }

    /// So many milliseconds pass.
    pub fn plays(&mut self, session: &mut Session, milliseconds: u64) -> &mut Self {
        for _ in 0..milliseconds {
            session.waits(1);
            self.now += 1;
            let new = session.sent.get(self.seen..).unwrap_or_default();
            let at = self.now + self.delay;
            self.arrives
                .extend(new.iter().map(|b| (at, char::from(*b))));
            self.seen = session.sent.len();
            if self.ends.is_some_and(|at| at <= self.now) {
                self.begins();
            }
            let now = self.now;
            let late = self
                .arrives
                .split_off(self.arrives.partition_point(|(at, _)| *at <= now));
            for (_, c) in std::mem::replace(&mut self.arrives, late) {
                self.key(c);
            }
            let late = self
                .shows
                .split_off(self.shows.partition_point(|(at, _)| *at <= now));
            let due = std::mem::replace(&mut self.shows, late);
            let text: String = due.into_iter().map(|(_, text)| text).collect();
            if !text.is_empty() {
                session.prints(text);
            }
        }
        self
    }
}
