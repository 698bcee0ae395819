//! What of the user's bytes may be passed when: an accepting key waits for its echo, for the verdict, for the editor to be
//! empty again after a denial.
use crate::action::{Action, Certainty, Command, EndReason, JudgementId, Outcome, Verdict};
use crate::capture::{Capture, REST};
use crate::keys::{Key, Keys};
use crate::line::{Anchor, Reading, anchor_at, cursor_line, read};
use crate::reading::{Decision, Evidence, compact, decide, stands_in};
use crate::typed::Explained;
use std::time::{Duration, Instant};

/// After the last output, this much of silence counts as the end of a redraw.
const SETTLED: Duration = Duration::from_millis(10);
/// Of what was typed ahead of a program's end, this many tails are judged.
const AHEAD_TAILS: usize = 128;
/// A key that nothing was printed after for this long has done nothing.
const UNANSWERED: Duration = Duration::from_secs(1);
/// How long one way of clearing is given before the next is tried.
const CLEARING: Duration = Duration::from_millis(250);

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

/// A line between its accepting key and its verdict.
#[derive(Debug)]
pub struct Pending {
    at: Instant,
    line: String,
    certainty: Certainty,
    hidden: bool,
    pasting: bool,
}

/// A denied line on its way out.
#[derive(Debug)]
pub struct Clearing {
    command: Command,
    notice: String,
    anchor: Option<Anchor>,
    attempts: &'static [&'static [u8]],
    next: usize,
    sent: Instant,
    epoch: u64,
    /// A line editor was reading: it says so when it begins anew.
    editor: bool,
    /// It is a command on the last row of a full-screen program.
    escape: bool,
    interrupted: bool,
    /// It was looked at when this output had come to rest.
    looked: Option<Instant>,
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
            if self.gate().is_some_and(|until| now < until) {
                return;
            }
            self.last_accept = None;
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
    fn accepts_and_holds(&self, now: Instant, byte: u8) -> bool {
        matches!(byte, b'a' | b'A')
            && self.screen.bracketed()
            && !self.screen.in_alternate()
            && self.keys.escape_open()
            && self
                .escape_at
                .is_some_and(|at| now.saturating_duration_since(at) < Duration::from_millis(5))
    }

    /// After a denial within a paste, the rest of the paste goes the same way.
    fn drop_pasted(&mut self, byte: u8) {
        if self.keys.feed(byte) == Some(Key::PasteEnd) {
            self.dropping_paste = false;
        }
    }

    fn let_go(&mut self, now: Instant, byte: u8, judged: Option<JudgementId>, outcome: Outcome) {
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

    /// Until when text behind an accepted line waits for the shell to be back; only where rules apply.
    fn gate(&self) -> Option<Instant> {
        let accepted = self.last_accept.filter(|_| self.settings.enforcing)?;
        let bound = accepted + self.settings.hold;
        let quiet = self.last_output.map_or(accepted, |o| o.max(accepted));
        let back = !self.accepted_in_editor || (self.screen.bracketed() && self.waiting.is_empty());
        let until = if back {
            quiet + SETTLED
        } else {
            quiet + REST + self.echo.round_trip() * 2
        };
        Some(until.min(bound))
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

    /// When one way of clearing has had its time.
    fn clearing_ends(&self, clearing: &Clearing) -> Instant {
        clearing.sent + CLEARING + self.echo.round_trip() * 2
    }

    /// When a line that is being removed has to be looked at again.
    fn clearing_until(&self, clearing: &Clearing) -> Instant {
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

    /// When the echo of all keys before has come, as far as can be told.
    fn settled_at(&self, since: Instant) -> Instant {
        let bound = since + self.settings.hold;
        let Some(key) = self.last_key else {
            return since;
        };
        let trip = self.echo.round_trip();
        let output = self.last_output;
        let at = if self.echo.has_come()
            && self.typed.explained() == Explained::Fully
            && self.typed.shown > 0
        {
            // The last character has come; a line editor may still paint behind it.
            since
        } else if !self.typed.any {
            since
        } else if self.screen.in_alternate() && self.echo.misses_end() {
            // Keys of a program that shows none of them, or text for the shell behind it: it may be about to end.
            key + self.settings.hold
        } else if self.echo.has_come() {
            match output {
                Some(output) if output >= key => output + SETTLED,
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

    /// Reads and judges the line if its echo has come.
    fn look(&mut self, now: Instant) {
        let Hold::Echo { since } = self.hold else {
            return;
        };
        let pasted = self.keys.pasting() && self.screen.bracketed();
        if self.keys.escape_open() && self.held.front().is_some_and(|b| Keys::may_accept(*b)) {
            self.typed.key(Key::Control(0x1b));
        }
        if !pasted && now < self.settled_at(since) {
            return;
        }
        if self.anchor.is_none() && self.waiting.is_empty() && !pasted {
            self.anchor = Some(self.anchor_for_reading());
        }
        self.better_anchor();
        let before = self
            .anchor
            .as_ref()
            .map(|anchor| read(&self.screen, anchor))
            .filter(|r| r.found);
        let at_prompt = self.at_prompt(self.anchor.as_ref());
        let silent = !pasted && self.is_silent(before.as_ref());
        let mut candidates = Vec::new();
        let mut add = |text: &str| {
            let text = text.trim();
            if !text.is_empty() && !candidates.iter().any(|c| c == text) {
                candidates.push(text.to_owned());
            }
        };
        let keys = self.typed.text();
        let escape = self.escape_to_shell();
        if let Some(row) = &escape {
            if let Some((_, command)) = row.split_once('!') {
                add(command);
            }
            add(row);
        }
        // Text behind other text may stand behind a prompt: it is judged.
        let behind = before.as_ref().is_some_and(|r| !r.moved)
            && self
                .anchor
                .as_ref()
                .is_some_and(|a| a.prompt.trim().chars().count() > 1);
        let full_screen =
            self.screen.in_alternate() && !at_prompt && !behind && self.program.reads();
        // No answer of a terminal has a line end in it, and none makes a line.
        let answers =
            self.screen.bracketed() && (self.keys.string_open() || self.answers && !self.typed.any);
        self.unknown = answers || self.is_unknown(now, before.as_ref(), at_prompt);
        let unseen = self.echo.misses_end() || self.echo.skipped() && !full_screen;
        if unseen && self.typed.ahead {
            // A program takes the first of it, and a shell what is left when the program ends: who knows where.
            for text in tails(&keys, AHEAD_TAILS, 3) {
                add(text);
            }
        } else if silent && !self.screen.bracketed() {
            // So with a pager on the screen of the shell itself.
            for text in tails(&keys, 4, 4) {
                add(text);
            }
        }
        // Text of a file, keys of a program: only what it hands to a shell is a command.
        if !full_screen {
            let decision = decide(Evidence {
                typed: &self.typed,
                before: before.as_ref(),
                after: before.as_ref(),
                editor: self.screen.bracketed(),
                sure: self.anchor.as_ref().is_some_and(|a| a.sure),
                disturbed: self.disturbed,
                silent,
            });
            if let Decision::Line(line, _) = &decision {
                add(line);
            }
            if self.typed.explained() != Explained::No || pasted {
                add(&keys);
                for line in keys.lines() {
                    add(line);
                }
            }
            if let Some(reading) = &before {
                for shorter in [&reading.without_tail, &reading.without_faint]
                    .into_iter()
                    .flatten()
                {
                    add(shorter);
                }
                add(&reading.text);
                for line in reading.text.lines() {
                    add(line);
                }
            }
            let (_, row) = cursor_line(self.screen.grid());
            if (row.contains("-search)")
                || row.contains("-i-search")
                || row.contains("bck:")
                || row.contains("search:"))
                && let Some((_, found)) = row.split_once("': ")
            {
                add(found);
            }
            // What was typed to a program that ended meanwhile stands before the line in all that was typed, and the place
            // where the line begins may be the program's.
            if (before.is_none() || self.typed.ahead)
                && let Some(reading) = self.read_behind_prompt()
            {
                add(&reading.text);
            }
            if before.is_none() && self.typed.explained() == Explained::No || self.signalled {
                if let Some(reading) = self.read_behind_prompt() {
                    add(&reading.text);
                }
                add(&row);
            }
            let nothing = candidates.is_empty();
            let mut add = |text: &str| {
                let text = text.trim();
                if nothing && !text.is_empty() && !candidates.iter().any(|c| c == text) {
                    candidates.push(text.to_owned());
                }
            };
            if self.typed.shown > 0 && !silent {
                add(&keys);
                add(&row);
            }
            let expanded: Vec<String> = candidates_expanded(&candidates, &self.history);
            for line in expanded {
                if !candidates.contains(&line) {
                    candidates.push(line);
                }
            }
        }
        let hidden = self.unknown || silent && self.screen.bracketed() && at_prompt;
        let cut = self.typed.cut;
        if candidates.is_empty() && !hidden {
            self.hold = Hold::Free;
            if let Some(byte) = self.held.pop_front() {
                self.let_go(now, byte, None, Outcome::Passed);
            }
            return;
        }
        let line = if silent || hidden {
            String::new()
        } else {
            candidates.first().cloned().unwrap_or_default()
        };
        let certainty = if before.as_ref().is_some_and(|r| same(&r.text, &line)) {
            Certainty::Exact
        } else {
            Certainty::Likely
        };
        self.judgements += 1;
        let id = JudgementId(self.judgements);
        self.actions.push_back(Action::Judge {
            id,
            candidates,
            hidden,
            silent,
            cut,
        });
        self.hold = Hold::Asked {
            id,
            pending: Pending {
                at: since,
                line,
                certainty,
                hidden: hidden || silent,
                pasting: pasted,
            },
        };
    }

    /// Nothing of what was typed is to be seen where it would stand.
    fn is_silent(&self, before: Option<&Reading>) -> bool {
        let shown = before.map_or("", |r| r.text.as_str());
        let nothing = shown.is_empty() || crate::reading::masked(shown);
        if self.typed.shown == 0 {
            return false;
        }
        if self.echo.silent() && nothing {
            return true;
        }
        let keys = compact(&self.typed.text());
        let (_, row) = cursor_line(self.screen.grid());
        self.typed.explained() == Explained::Fully
            && !self.typed.literal
            && !self.screen.bracketed()
            && !stands_in(&keys, &compact(shown))
            && !stands_in(&keys, &compact(&row))
    }

    /// A shell is given a line that the screen has not shown whole, and that the keys do not tell.
    fn is_unknown(&self, now: Instant, before: Option<&Reading>, at_prompt: bool) -> bool {
        if self.typed.explained() != Explained::No || self.screen.in_alternate() && !at_prompt {
            return false;
        }
        let shown = before.map_or("", |r| r.text.as_str());
        if self.epoch > 0 && !self.screen.bracketed() {
            // Typed ahead of a line editor, and echoed as it was typed.
            return shown.contains("^[[") || shown.contains("^[O");
        }
        if !self.screen.bracketed() && !self.at_prompt_known(self.anchor.as_ref()) {
            return false;
        }
        let late = !self.asset_answered()
            && self
                .last_key
                .is_some_and(|key| now.saturating_duration_since(key) < UNANSWERED);
        let partial = shown.starts_with('<') || shown.ends_with('>') && shown.len() > 40;
        before.is_none() || late || partial || shown.is_empty() && self.disturbed
    }

    fn anchor_for_reading(&self) -> Anchor {
        let grid = self.screen.grid();
        let cursor = grid.cursor();
        match self.prompts.behind(grid, cursor.line) {
            Some((place, _)) => Anchor {
                stamp: 0,
                right: String::new(),
                ..anchor_at(&self.screen, place, false)
            },
            None => anchor_at(&self.screen, cursor, false),
        }
    }

    /// The owner's answer to [`Action::Judge`]. An id that is not waited for is ignored.
    pub fn verdict(&mut self, now: Instant, id: JudgementId, verdict: Verdict) {
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

    fn pass_judged(&mut self, now: Instant, id: JudgementId, outcome: Outcome) {
        self.hold = Hold::Free;
        if let Some(byte) = self.held.pop_front() {
            self.let_go(now, byte, Some(id), outcome);
        }
    }

    /// The user was asked: his next key is the answer.
    fn answered(&mut self, now: Instant) {
        let Hold::Confirm { id, before, .. } = self.hold else {
            return;
        };
        // The accepting key still stands in front, and what was typed ahead of the question behind it.
        let Some(answer) = self.held.remove(before) else {
            return;
        };
        if matches!(answer, b'y' | b'Y') {
            self.paint(b"y\r\n");
            self.prompt_again();
            self.pass_judged(now, id, Outcome::Confirmed);
        } else {
            self.refuse(now);
        }
    }

    fn refuse(&mut self, now: Instant) {
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

    fn deny(
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
        } else if self.typed.escaped && self.screen.bracketed() {
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
    fn is_cleared(&self, clearing: &Clearing, now: Instant) -> bool {
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
    fn clear_further(&mut self, now: Instant) {
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

    fn look_cleared(&mut self, now: Instant) {
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

    fn cleared(&mut self, now: Instant) {
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

    /// One line for the user, and his prompt again below it.
    fn show(&mut self, text: &str, again: bool) {
        let clean: String = text
            .chars()
            .map(|c| if c.is_control() { ' ' } else { c })
            .collect();
        if self.screen.in_alternate() {
            let row = self.screen.grid().height().saturating_sub(1).max(1);
            self.paint(format!("\x1b7\x1b[{row};1H\x1b[7m{clean}\x1b[0m\x1b[K\x1b8").as_bytes());
            return;
        }
        let grid = self.screen.grid();
        let cursor = grid.cursor();
        let prompt = grid
            .line(cursor.line)
            .map(|row| crate::line::text_of(row, 0, usize::MAX))
            .unwrap_or_default();
        let upto = grid
            .line(cursor.line)
            .map(|row| crate::line::text_of(row, 0, cursor.column))
            .unwrap_or_default();
        if again {
            let back = prompt.chars().count().saturating_sub(upto.chars().count());
            let mut painted = format!("\r\x1b[K{clean}\r\n{prompt}");
            if back > 0 {
                painted.push_str(&format!("\r\x1b[{}C", cursor.column.max(1)));
            }
            self.paint(painted.as_bytes());
        } else {
            self.paint(format!("\r\n{clean}\r\n").as_bytes());
        }
    }

    fn ask_user(&mut self, question: &str) {
        let clean: String = question
            .chars()
            .map(|c| if c.is_control() { ' ' } else { c })
            .collect();
        if self.screen.in_alternate() {
            self.show(&clean, false);
        } else {
            self.paint(format!("\r\n{clean} ").as_bytes());
        }
    }

    /// Paints the line under question anew, below the question.
    fn prompt_again(&mut self) {
        if self.screen.in_alternate() {
            return;
        }
        let Some(anchor) = self.anchor.clone() else {
            return;
        };
        let reading = read(&self.screen, &anchor);
        // The line stands above the question; the model finds it there by its prompt.
        let text = if reading.found {
            reading.text.lines().next().unwrap_or("").to_owned()
        } else {
            String::new()
        };
        self.paint(anchor.prompt.as_bytes());
        let place = self.screen.grid().cursor();
        self.paint(text.as_bytes());
        self.anchor = Some(Anchor {
            place,
            stamp: 0,
            right: String::new(),
            ..anchor
        });
    }

    /// To the user's terminal, and to its model.
    fn paint(&mut self, bytes: &[u8]) {
        for &byte in bytes {
            self.screen.advance(byte);
        }
        self.actions.push_back(Action::Show(bytes.to_vec()));
    }
}

fn same(a: &str, b: &str) -> bool {
    a.trim() == b.trim()
}

/// What is left of a text when some of its first characters are taken: at most so many, each at least this long.
fn tails(text: &str, most: usize, shortest: usize) -> impl Iterator<Item = &str> {
    let shortest = text
        .char_indices()
        .rev()
        .nth(shortest.saturating_sub(1))
        .map_or(0, |(at, _)| at);
    text.char_indices()
        .map(|(at, _)| at)
        .take_while(move |at| *at <= shortest)
        .filter_map(|at| text.get(at..))
        .take(most)
}

fn candidates_expanded(
    candidates: &[String],
    history: &std::collections::VecDeque<String>,
) -> Vec<String> {
    candidates
        .iter()
        .filter(|c| crate::history::has_designator(c))
        .filter_map(|c| crate::history::expand(c, history))
        .collect()
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
