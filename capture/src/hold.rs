//! What of the user's bytes may be passed when: an accepting key waits for its echo, for the verdict, for the editor to be
//! empty again after a denial.
use crate::action::{Action, Certainty, EndReason, JudgementId, Outcome, Verdict};
use crate::capture::Capture;
use crate::clear::Clearing;
use crate::keys::{Key, Keys};
use crate::line::read;
use crate::overtake::INTERRUPTS;
use crate::typed::Explained;
use std::time::{Duration, Instant};

/// After the last output, this much of silence counts as the end of a redraw.
pub(crate) const SETTLED: Duration = Duration::from_millis(10);

/// Why the user's bytes are held.
#[derive(Debug)]
pub enum Hold {
    /// They are not.
    Free,
    /// An accepting key waits for the echo of the keys before it.
    Echo { since: Instant },
    /// The rules are asked.
    Asked { id: JudgementId, pending: Pending },
    /// The user is asked.
    Confirm {
        id: JudgementId,
        pending: Pending,
        refused: String,
        until: Instant,
        /// What was typed before the question answers nothing: this many bytes, the accepting key among them.
        before: usize,
    },
    /// A denied line is being removed.
    Clearing { clearing: Clearing },
    /// The session ends: nothing goes out any more.
    Ended,
}

impl Hold {
    /// The judgement that the held line waits for or was given.
    pub(crate) fn judgement(&self) -> Option<JudgementId> {
        match self {
            Hold::Asked { id, .. } | Hold::Confirm { id, .. } => Some(*id),
            Hold::Clearing { clearing } => clearing.command.judged,
            Hold::Free | Hold::Echo { .. } | Hold::Ended => None,
        }
    }
}

/// A line between its accepting key and its verdict.
#[derive(Debug)]
pub struct Pending {
    pub(crate) at: Instant,
    pub(crate) line: String,
    pub(crate) certainty: Certainty,
    pub(crate) hidden: bool,
    pub(crate) pasting: bool,
}

impl Capture {
    /// Passes on what may be passed on.
    pub(crate) fn pump(&mut self, now: Instant) {
        loop {
            match &self.hold {
                Hold::Free => {}
                Hold::Confirm { .. } => {
                    self.answered(now);
                    if matches!(self.hold, Hold::Confirm { .. }) {
                        return;
                    }
                    continue;
                }
                _ => return,
            }
            let Some(&byte) = self.held.front() else {
                return;
            };
            if self.dropping_paste {
                self.held.pop_front();
                self.drop_pasted(byte);
                continue;
            }
            let waits = !self.settings.enforcing || !self.interrupts(0);
            if waits && self.gate().is_some_and(|until| now < until) {
                return;
            }
            if let Some(gate) = &mut self.gate {
                gate.shut = false;
            }
            if Keys::may_accept(byte) || self.accepts_and_holds(now, byte) {
                if self.settings.enforcing {
                    self.hold = Hold::Echo { since: now };
                    self.look(now);
                    continue;
                }
                self.held.pop_front();
                self.let_go(now, byte, None, Outcome::Passed);
                continue;
            }
            self.held.pop_front();
            if byte == 0x1b {
                self.escape_at = Some(now);
            }
            self.send(&[byte]);
            if let Some(key) = self.keys.feed(byte) {
                self.key(now, key);
            }
        }
    }

    /// zsh runs the line and keeps it at Alt-a. (`ESC` and then `a` is something else in a vi mode.)
    pub(crate) fn accepts_and_holds(&self, now: Instant, byte: u8) -> bool {
        matches!(byte, b'a' | b'A')
            && self.screen.bracketed()
            && !self.screen.in_alternate()
            && self.keys.escape_open()
            && self
                .escape_at
                .is_some_and(|at| now.saturating_duration_since(at) < Duration::from_millis(5))
    }

    /// After a denial within a paste, the rest of the paste goes the same way.
    pub(crate) fn drop_pasted(&mut self, byte: u8) {
        if self.keys.feed(byte) == Some(Key::PasteEnd) {
            self.dropping_paste = false;
        }
    }

    pub(crate) fn let_go(
        &mut self,
        now: Instant,
        byte: u8,
        judged: Option<JudgementId>,
        outcome: Outcome,
    ) {
        match self.keys.feed(byte) {
            Some(Key::PastedLine(_)) if !self.screen.bracketed() => {
                self.accept(now, byte, judged, outcome);
            }
            Some(Key::Accept(_)) | None => self.accept(now, byte, judged, outcome),
            Some(key) => {
                self.send(&[byte]);
                self.key(now, key);
            }
        }
    }

    pub(crate) fn hold_deadline(&self) -> Option<Instant> {
        match &self.hold {
            Hold::Free => self.held.front().and_then(|_| self.gate()),
            Hold::Echo { since } => Some(self.settled_at(*since)),
            Hold::Confirm { until, .. } => Some(*until),
            Hold::Clearing { clearing } => Some(self.clearing_until(clearing)),
            Hold::Asked { .. } | Hold::Ended => None,
        }
    }

    /// When the echo of all keys before has come, as far as can be told.
    pub(crate) fn settled_at(&self, since: Instant) -> Instant {
        let bound = since + self.settings.hold;
        let Some(key) = self.last_key else {
            return since;
        };
        let trip = self.echo.round_trip();
        let output = self.last_shown();
        let at = if self.echo.has_come()
            && self.typed.explained() == Explained::Fully
            && self.typed.shown > 0
        {
            // The last character has come; a line editor may still paint behind it.
            since
        } else if !self.typed.any || self.echo.has_come() && self.shows_tabs() {
            since
        } else if self.screen.in_alternate() && self.echo.misses_end() {
            // Keys of a program that shows none of them, or text for the shell behind it: it may be about to end.
            key + self.settings.hold
        } else if self.paused.is_some() && !self.echo.has_come() {
            key + self.settings.hold
        } else if self.echo.has_come() {
            match output {
                Some(output) if output >= key => output + self.replies.quiet(SETTLED, trip),
                // What was recalled or completed must be seen.
                _ if self.typed.explained() == Explained::No || self.typed.tab => {
                    key + self.settings.hold
                }
                _ => key + (trip * 3 + Duration::from_millis(25)).max(Duration::from_millis(40)),
            }
        } else {
            output.map_or(key, |o| o.max(key))
                + (trip * 4 + Duration::from_millis(25)).max(Duration::from_millis(60))
        };
        at.min(bound)
    }

    /// A terminal without a line editor shows the line whole, each tab as the blanks up to the next stop.
    fn shows_tabs(&self) -> bool {
        let Some(anchor) = self.anchor.as_ref() else {
            return false;
        };
        let cooked = self.typed.cooked(anchor.place.column);
        self.typed.tab
            && self.typed.explained() != Explained::No
            && !self.screen.bracketed()
            && !cooked.ends_with(' ')
            && read(&self.screen, anchor).text == cooked
    }

    pub(crate) fn after_output(&mut self, now: Instant) {
        match &self.hold {
            Hold::Echo { .. } => self.look(now),
            Hold::Clearing { .. } => self.look_cleared(now),
            _ => {}
        }
    }

    pub(crate) fn hold_tick(&mut self, now: Instant) {
        match &self.hold {
            Hold::Echo { .. } => self.look(now),
            Hold::Confirm { until, .. } if now >= *until => self.refuse(now),
            Hold::Clearing { clearing } if now >= self.clearing_until(clearing) => {
                let rested = clearing.interrupted && self.epoch > clearing.epoch;
                if rested && now < self.clearing_ends(clearing) {
                    let output = self.last_output;
                    if let Hold::Clearing { clearing } = &mut self.hold {
                        clearing.looked = output;
                    }
                    self.look_cleared(now);
                } else {
                    self.clear_further(now);
                }
            }
            _ => {}
        }
    }

    /// The owner's answer to [`Action::Judge`]. An id that is not waited for is ignored.
    pub fn verdict(&mut self, now: Instant, id: JudgementId, verdict: Verdict) {
        self.screen.catch_up();
        let pending = match std::mem::replace(&mut self.hold, Hold::Free) {
            Hold::Asked { id: asked, pending } if asked == id => pending,
            other => {
                self.hold = other;
                return;
            }
        };
        match verdict {
            Verdict::Allow => self.pass_judged(now, id, Outcome::Passed),
            Verdict::Warn(text) => {
                self.show(&text, true);
                self.pass_judged(now, id, Outcome::Passed);
            }
            Verdict::Deny(text) => self.deny(now, id, pending, text, Outcome::Denied),
            Verdict::Confirm { question, refused } => {
                self.ask_user(&question);
                self.hold = Hold::Confirm {
                    id,
                    pending,
                    refused,
                    until: now + self.settings.answer,
                    before: self.held.len(),
                };
            }
            Verdict::End(text) => {
                self.show(&text, false);
                self.hold = Hold::Ended;
                self.actions.push_back(Action::End(EndReason::Verdict));
            }
        }
        self.pump(now);
    }

    pub(crate) fn pass_judged(&mut self, now: Instant, id: JudgementId, outcome: Outcome) {
        self.hold = Hold::Free;
        if let Some(byte) = self.held.pop_front() {
            self.let_go(now, byte, Some(id), outcome);
        }
    }

    /// The user was asked: his next key is the answer.
    pub(crate) fn answered(&mut self, now: Instant) {
        let Hold::Confirm { id, before, .. } = self.hold else {
            return;
        };
        // The accepting key still stands in front, and what was typed ahead of the question behind it.
        let Some(answer) = self.held.remove(before) else {
            return;
        };
        if INTERRUPTS.contains(&answer) {
            self.throw_away(1, before);
        }
        if matches!(answer, b'y' | b'Y') {
            self.paint(b"y\r\n");
            self.prompt_again();
            self.pass_judged(now, id, Outcome::Confirmed);
        } else {
            self.refuse(now);
        }
    }

    pub(crate) fn refuse(&mut self, now: Instant) {
        if let Hold::Confirm {
            id,
            pending,
            refused,
            ..
        } = std::mem::replace(&mut self.hold, Hold::Free)
        {
            self.paint(b"\r\n");
            self.prompt_again();
            self.deny(now, id, pending, refused, Outcome::Refused);
        }
    }
}
