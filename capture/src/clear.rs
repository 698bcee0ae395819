//! Takes a denied line out of whatever it was typed into, and sees to it that it is gone.
use crate::action::{Action, Command, EndReason, JudgementId, Outcome};
use crate::capture::Capture;
use crate::hold::{Hold, Pending, SETTLED};
use crate::line::{Anchor, cursor_line, read};
use std::time::{Duration, Instant};

/// How long one way of clearing is given before the next is tried.
const CLEARING: Duration = Duration::from_millis(250);

/// A denied line on its way out.
#[derive(Debug)]
pub struct Clearing {
    pub(crate) command: Command,
    pub(crate) notice: String,
    pub(crate) anchor: Option<Anchor>,
    pub(crate) attempts: &'static [&'static [u8]],
    pub(crate) next: usize,
    pub(crate) sent: Instant,
    pub(crate) epoch: u64,
    /// A line editor was reading: it says so when it begins anew.
    pub(crate) editor: bool,
    /// It is a command on the last row of a full-screen program.
    pub(crate) escape: bool,
    pub(crate) interrupted: bool,
    /// It was looked at when this output had come to rest.
    pub(crate) looked: Option<Instant>,
}

impl Clearing {
    /// The end of a paste has just been sent.
    fn closing(&self) -> bool {
        self.next > 0 && self.attempts.get(self.next - 1) == Some(&PASTE_END)
    }
}

/// Kill to the start; kill to the end and again to the start (what the first of the two may have typed into a vi line goes
/// too); interrupt.
const LINE: &[&[u8]] = &[b"\x15", b"\x0b\x15", b"\x05\x15", b"\x03"];
/// A line editor that may be in vi's command mode must be back in the mode that it begins in.
const MODAL: &[&[u8]] = &[b"\x03", b"\x15", b"\x0b\x15"];
/// A paste must be at its end before anything else is understood, and an interrupt must not overtake that end.
const PASTE: &[&[u8]] = &[PASTE_END, b"\x15", b"\x0b\x15", b"\x03"];
const PASTE_END: &[u8] = b"\x1b[201~";
/// On the command row of a full-screen program.
const ESCAPE_ROW: &[&[u8]] = &[b"\x03", b"\x15", b"\x1b"];
/// A line that cannot be seen, or a part of a construct that makes no sense without it, goes with all of it.
const CONSTRUCT: &[&[u8]] = &[b"\x03"];
impl Capture {
    /// When one way of clearing has had its time.
    pub(crate) fn clearing_ends(&self, clearing: &Clearing) -> Instant {
        clearing.sent + CLEARING + self.echo.round_trip() * 2
    }

    /// When a line that is being removed has to be looked at again.
    pub(crate) fn clearing_until(&self, clearing: &Clearing) -> Instant {
        let ends = self.clearing_ends(clearing);
        let began_anew = clearing.interrupted
            && clearing.editor
            && self.epoch > clearing.epoch
            && self.screen.bracketed();
        match self.last_output {
            Some(at) if began_anew && clearing.looked != Some(at) => ends.min(at + SETTLED),
            _ => ends,
        }
    }

    pub(crate) fn deny(
        &mut self,
        now: Instant,
        id: JudgementId,
        pending: Pending,
        notice: String,
        outcome: Outcome,
    ) {
        // The accepting key is never sent.
        if let Some(byte) = self.held.pop_front() {
            self.keys.feed(byte);
        }
        let command = Command {
            at: pending.at,
            line: pending.line,
            certainty: pending.certainty,
            cut: self.typed.cut,
            hidden: pending.hidden,
            outcome,
            judged: Some(id),
        };
        let continued = self
            .anchor
            .as_ref()
            .is_some_and(|a| crate::prompt::continues(&a.prompt));
        let invisible = self.echo.silent() && self.typed.shown > 0;
        if pending.pasting {
            self.dropping_paste = true;
        }
        let escape = self.escape_to_shell().is_some();
        let attempts = if escape {
            ESCAPE_ROW
        } else if pending.pasting {
            PASTE
        } else if continued || invisible {
            CONSTRUCT
        } else if self.typed.escaped {
            MODAL
        } else {
            LINE
        };
        let clearing = Clearing {
            command,
            notice,
            anchor: self.anchor.clone(),
            attempts,
            next: 0,
            sent: now,
            epoch: self.epoch,
            editor: self.screen.bracketed(),
            escape,
            interrupted: false,
            looked: None,
        };
        self.hold = Hold::Clearing { clearing };
        self.clear_further(now);
    }

    /// Whether the screen shows that nothing of a denied line is left, and has come to rest.
    pub(crate) fn is_cleared(&self, clearing: &Clearing, now: Instant) -> bool {
        if clearing.escape {
            return self.escape_to_shell().is_none()
                && self.last_output.is_some_and(|at| at >= clearing.sent);
        }
        if clearing.interrupted
            && clearing.editor
            && self
                .last_output
                .is_some_and(|at| now.saturating_duration_since(at) < SETTLED)
        {
            return false;
        }
        cleared(&self.screen, clearing, self.epoch, now)
    }

    /// Tries the next way of removing the line, or gives up and ends the session.
    pub(crate) fn clear_further(&mut self, now: Instant) {
        let Hold::Clearing { clearing } = &self.hold else {
            return;
        };
        if clearing.next > 0 && !clearing.closing() && self.is_cleared(clearing, now) {
            self.cleared(now);
            return;
        }
        let Hold::Clearing { clearing } = &mut self.hold else {
            return;
        };
        if let Some(keys) = clearing.attempts.get(clearing.next) {
            clearing.next += 1;
            clearing.sent = now;
            clearing.interrupted = keys == b"\x03";
            let keys = keys.to_vec();
            if keys == b"\x03" {
                // What the editor took for something else than the end of a line (a search) goes with it.
                let epoch = self.epoch;
                self.waiting.retain(|a| !a.editor || a.epoch != epoch);
            }
            self.abandoned = keys == b"\x03";
            self.send(&keys);
        } else {
            let command = clearing.command.clone();
            self.actions.push_back(Action::Command(command));
            self.show(
                "jms: the denied line could not be removed, the session ends",
                false,
            );
            self.hold = Hold::Ended;
            self.actions.push_back(Action::End(EndReason::NotCleared));
        }
    }

    pub(crate) fn look_cleared(&mut self, now: Instant) {
        if let Hold::Clearing { clearing } = &self.hold
            && clearing.closing()
        {
            // The paste has arrived, or something else was printed: either way what follows is read now.
            self.clear_further(now);
            return;
        }
        if let Hold::Clearing { clearing } = &self.hold
            && self.is_cleared(clearing, now)
        {
            self.cleared(now);
        }
    }

    pub(crate) fn cleared(&mut self, now: Instant) {
        let Hold::Clearing { clearing } = std::mem::replace(&mut self.hold, Hold::Free) else {
            return;
        };
        self.actions.push_back(Action::Command(clearing.command));
        self.typed.clear();
        self.echo.clear();
        self.anchor = None;
        self.disturbed = false;
        self.last_key = Some(now);
        self.show(&clearing.notice, true);
    }
}

/// Whether the screen shows that nothing of a denied line is left.
fn cleared(screen: &crate::screen::Screen, clearing: &Clearing, epoch: u64, now: Instant) -> bool {
    if clearing.interrupted {
        if epoch > clearing.epoch && screen.bracketed() {
            return true;
        }
        if clearing.editor && now < clearing.sent + CLEARING {
            // What reaches a line editor that is being interrupted is lost.
            return false;
        }
        // Without an editor's word: a row of its own, with at most a prompt on it.
        let grid = screen.grid();
        let cursor = grid.cursor();
        let moved = clearing
            .anchor
            .as_ref()
            .is_none_or(|a| cursor.line > a.place.line);
        let (_, row) = cursor_line(grid);
        let empty = row.trim().is_empty()
            || grid
                .line(cursor.line)
                .is_some_and(|r| r.cells.len() <= cursor.column + 1);
        return moved
            && empty
            && now.saturating_duration_since(clearing.sent) >= Duration::from_millis(2)
            && !row.contains(clearing.command.line.as_str());
    }
    let Some(anchor) = &clearing.anchor else {
        return false;
    };
    let reading = read(screen, anchor);
    if !reading.found || !reading.text.is_empty() {
        return false;
    }
    let cursor = screen.grid().cursor();
    cursor.column == anchor.place.column
}
