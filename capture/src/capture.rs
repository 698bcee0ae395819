//! The engine: owns the rooms, decides what is passed when.
use crate::action::{Action, Certainty, Command, JudgementId, Outcome, Settings, Size, Verdict};
use std::collections::VecDeque;
use std::time::Instant;

/// Command capture of one terminal session. See the head of the crate.
#[derive(Debug)]
pub struct Capture {
    settings: Settings,
    actions: VecDeque<Action>,
    line: Vec<u8>,
    held: VecDeque<u8>,
    asked: Option<(JudgementId, Instant, String)>,
    count: u64,
}

impl Capture {
    /// A session whose terminal has this size.
    pub fn new(_size: Size, settings: Settings) -> Self {
        Capture {
            settings,
            actions: VecDeque::new(),
            line: Vec::new(),
            held: VecDeque::new(),
            asked: None,
            count: 0,
        }
    }

    /// Rules were attached or taken away.
    pub fn enforce(&mut self, enforcing: bool) {
        self.settings.enforcing = enforcing;
    }

    /// The user typed these bytes. They reach the asset by [`Action::Send`] only.
    pub fn typed(&mut self, now: Instant, bytes: &[u8]) {
        self.held.extend(bytes);
        self.go_on(now);
    }

    /// The asset printed these bytes; they have been passed on already.
    pub fn printed(&mut self, _now: Instant, _bytes: &[u8]) {}

    /// The user's terminal has a new size.
    pub fn resized(&mut self, _now: Instant, _size: Size) {}

    /// The session is over: what is pending is logged.
    pub fn ended(&mut self, _now: Instant) {}

    /// When [`tick`](Self::tick) has to be called, if nothing else happens before.
    pub fn deadline(&self) -> Option<Instant> {
        None
    }

    /// Time has passed.
    pub fn tick(&mut self, _now: Instant) {}

    /// The owner's answer to [`Action::Judge`]. An id that is not waited for is ignored.
    pub fn verdict(&mut self, now: Instant, id: JudgementId, verdict: Verdict) {
        let Some((waiting, at, line)) = self.asked.take() else {
            return;
        };
        if waiting != id {
            self.asked = Some((waiting, at, line));
            return;
        }
        let (outcome, bytes): (_, &[u8]) = match verdict {
            Verdict::Allow | Verdict::Warn(_) => (Outcome::Passed, b"\r"),
            _ => (Outcome::Denied, b"\x03"),
        };
        self.actions.push_back(Action::Send(bytes.to_vec()));
        self.log(at, line, outcome, Some(id));
        self.go_on(now);
    }

    /// The next thing to do; to be called after each of the above until it says none.
    pub fn next_action(&mut self) -> Option<Action> {
        self.actions.pop_front()
    }

    fn go_on(&mut self, now: Instant) {
        while self.asked.is_none()
            && let Some(byte) = self.held.pop_front()
        {
            if byte == b'\r' || byte == b'\n' {
                let line = String::from_utf8_lossy(&std::mem::take(&mut self.line)).into_owned();
                if self.settings.enforcing {
                    self.count += 1;
                    let id = JudgementId(self.count);
                    self.actions.push_back(Action::Judge {
                        id,
                        candidates: vec![line.clone()],
                        hidden: false,
                    });
                    self.asked = Some((id, now, line));
                    return;
                }
                self.log(now, line, Outcome::Passed, None);
            } else {
                self.line.push(byte);
            }
            self.actions.push_back(Action::Send(vec![byte]));
        }
    }

    fn log(&mut self, at: Instant, line: String, outcome: Outcome, judged: Option<JudgementId>) {
        self.actions.push_back(Action::Command(Command {
            at,
            line,
            certainty: Certainty::Raw,
            cut: false,
            hidden: false,
            outcome,
            judged,
        }));
    }
}
