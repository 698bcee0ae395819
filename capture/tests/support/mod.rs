//! A session by hand: what is typed, what a shell answers, what capture makes of it.
#[allow(dead_code)]
pub mod shell;
use capture::{Action, Capture, Command, Settings, Size, Verdict};
use std::time::{Duration, Instant};

/// A session with a clock of its own.
pub struct Session {
    pub capture: Capture,
    pub now: Instant,
    pub sent: Vec<u8>,
    pub shown: String,
    pub commands: Vec<Command>,
    pub hidden: usize,
    pub ended: bool,
    pub asked: Vec<Vec<String>>,
    /// Of each question, whether its line was silent.
    pub silent: Vec<bool>,
    /// Questions about lines that nobody has seen.
    pub unseen: usize,
    /// Questions about lines that are longer than what is known of them.
    pub cut: usize,
    denied: &'static str,
    confirm: bool,
}

#[allow(dead_code)]
impl Session {
    /// Without rules.
    pub fn watched() -> Self {
        Self::new(Settings::default(), "\0")
    }

    /// A rule denies each line with this in it, or with this at its start if it begins with `^`.
    pub fn denying(denied: &'static str) -> Self {
        Self::new(
            Settings {
                enforcing: true,
                ..Settings::default()
            },
            denied,
        )
    }

    /// A rule asks about each line with this in it.
    pub fn confirming(denied: &'static str) -> Self {
        Session {
            confirm: true,
            ..Self::denying(denied)
        }
    }

    fn new(settings: Settings, denied: &'static str) -> Self {
        Session {
            capture: Capture::new(
                Size {
                    rows: 24,
                    columns: 80,
                },
                settings,
            ),
            now: Instant::now(),
            sent: Vec::new(),
            shown: String::new(),
            commands: Vec::new(),
            hidden: 0,
            ended: false,
            asked: Vec::new(),
            silent: Vec::new(),
            unseen: 0,
            cut: 0,
            denied,
            confirm: false,
        }
    }

    fn drain(&mut self) {
        while let Some(action) = self.capture.next_action() {
            match action {
                Action::Send(bytes) => self.sent.extend(bytes),
                Action::Show(bytes) => self.shown.push_str(&String::from_utf8_lossy(&bytes)),
                Action::Judge {
                    id,
                    candidates,
                    hidden,
                    silent,
                    cut,
                } => {
                    self.silent.push(silent);
                    self.unseen += usize::from(hidden);
                    self.cut += usize::from(cut);
                    let hit = candidates
                        .iter()
                        .any(|c| match self.denied.strip_prefix('^') {
                            Some(start) => c.starts_with(start),
                            None => c.contains(self.denied),
                        });
                    self.asked.push(candidates);
                    let verdict = match hit {
                        false => Verdict::Allow,
                        true if self.confirm => Verdict::Confirm {
                            question: "run it? [y/N]".into(),
                            refused: "not run".into(),
                        },
                        true => Verdict::Deny("jms: denied by rule 1".into()),
                    };
                    self.capture.verdict(self.now, id, verdict);
                }
                Action::Command(command) => self.commands.push(command),
                Action::Hidden { .. } => self.hidden += 1,
                Action::End(_) => self.ended = true,
            }
        }
    }

    /// The asset prints.
    pub fn prints(&mut self, bytes: impl AsRef<[u8]>) -> &mut Self {
        self.now += Duration::from_millis(1);
        self.capture.printed(self.now, bytes.as_ref());
        self.drain();
        self
    }

    /// The user types all of it at once; nothing answers.
    pub fn types(&mut self, bytes: impl AsRef<[u8]>) -> &mut Self {
        self.now += Duration::from_millis(1);
        self.capture.typed(self.now, bytes.as_ref());
        self.drain();
        self
    }

    /// The user types, and each character is echoed.
    pub fn echoed(&mut self, text: &str) -> &mut Self {
        for c in text.chars() {
            let c = c.to_string();
            let before = self.sent.len();
            self.types(&c);
            self.waits_until_sent(before).prints(&c);
        }
        self
    }

    /// Nothing is echoed before it has been sent.
    fn waits_until_sent(&mut self, before: usize) -> &mut Self {
        for _ in 0..1000 {
            if self.sent.len() > before || self.ended {
                break;
            }
            self.waits(1);
        }
        self
    }

    /// Return, until it has been sent.
    pub fn accepts(&mut self) -> &mut Self {
        let before = self.sent.len();
        self.types("\r").waits_until_sent(before)
    }

    /// Time passes in which nothing happens.
    pub fn waits(&mut self, milliseconds: u64) -> &mut Self {
        let end = self.now + Duration::from_millis(milliseconds);
        while let Some(deadline) = self.capture.deadline().filter(|d| *d <= end) {
            self.now = self.now.max(deadline) + Duration::from_micros(1);
            self.capture.tick(self.now);
            self.drain();
        }
        self.now = self.now.max(end);
        self
    }

    /// A line editor with bracketed paste shows its prompt.
    pub fn prompt(&mut self) -> &mut Self {
        self.prints("\x1b[?2004hops@web1:~$ ").waits(100)
    }

    /// Types a line, and the shell takes it.
    pub fn runs(&mut self, line: &str) -> &mut Self {
        self.echoed(line)
            .types("\r")
            .waits(20)
            .prints("\r\n\x1b[?2004l\r")
            .prompt()
    }

    /// The session is over.
    pub fn ends(&mut self) {
        self.capture.ended(self.now);
        self.drain();
    }

    /// The lines that were logged.
    pub fn lines(&self) -> Vec<&str> {
        self.commands.iter().map(|c| c.line.as_str()).collect()
    }
}
