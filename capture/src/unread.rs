//! Lines typed so far ahead that not all of them can wait to be seen, or are seen when they are echoed: these are counted, in one row. What they say is
//! not kept: nobody knows yet whether they will be echoed.
use crate::accept::Accept;
use crate::action::{Action, Certainty, Command, Outcome};
use crate::capture::Capture;
use std::time::Instant;

/// So many lines that wait are typed far ahead.
const MANY: usize = 16;

/// So many, and when the first of them was accepted.
#[derive(Clone, Copy, Debug)]
pub struct Unread {
    lines: u64,
    since: Instant,
}

impl Capture {
    /// More wait than there is room for: the oldest is counted only.
    pub(crate) fn leave_front(&mut self) {
        let since =
            |front: &Accept| (front.typed.shown > 0 && !front.alternate).then_some(front.at);
        if let Some(since) = self.waiting.front().and_then(since) {
            self.unread.get_or_insert(Unread { lines: 0, since });
        }
        self.settle_front();
    }

    /// Many wait behind this one, of which nobody could see anything either: they are counted, too, where no shell reads them.
    pub(crate) fn count_from(&mut self, accept: &Accept) {
        if self.waiting.len() >= MANY && !self.hides_from_shell(accept) && !accept.alternate {
            let since = accept.at;
            self.unread.get_or_insert(Unread { lines: 1, since });
        }
    }

    /// While some are counted, others of which nothing is known are, too; false: none are.
    pub(crate) fn counted(&mut self) -> bool {
        let Some(unread) = &mut self.unread else {
            return false;
        };
        unread.lines = unread.lines.saturating_add(1);
        true
    }

    /// A line editor shows and takes a line that nobody waits for: one of these, which is read after all.
    pub(crate) fn reads_counted(&mut self) -> bool {
        let Some(unread) = &mut self.unread else {
            return false;
        };
        unread.lines = unread.lines.saturating_sub(1);
        if unread.lines == 0 {
            self.unread = None;
        }
        true
    }

    /// When they are told: the others are decided about, and nothing more is shown.
    pub(crate) fn unread_due(&self) -> Option<Instant> {
        let unread = self.unread.as_ref().filter(|_| self.waiting.is_empty())?;
        let last = self
            .last_output
            .map_or(unread.since, |output| output.max(unread.since));
        Some(last + self.patience())
    }

    /// Says how many they were.
    pub(crate) fn tell_unread(&mut self) {
        let Some(Unread { lines, since }) = self.unread.take().filter(|unread| unread.lines > 0)
        else {
            return;
        };
        let word = if lines == 1 { "line" } else { "lines" };
        self.actions.push_back(Action::Command(Command {
            at: since,
            line: format!("({lines} {word} typed ahead, passed on and not read one by one)"),
            certainty: Certainty::Raw,
            cut: false,
            hidden: false,
            outcome: Outcome::Passed,
            judged: None,
        }));
    }
}
