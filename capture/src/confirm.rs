//! An accepting key has been passed on; without a line editor's word, the rows that follow tell that its line was taken.
use crate::accept::Accept;
use crate::action::{JudgementId, Outcome};
use crate::capture::{Capture, FEEDS, LOOKED_FOR, WAITING_CHARACTERS, WAITING_LIMIT};
use crate::line::{Reading, cursor_line, read, same_without_space};
use crate::typed::Explained;
use std::time::Instant;

/// So many lines behind one whose echo was lost are looked for at each row.
const BEHIND: usize = 32;
/// Of so many bytes at least: shorter ones end many rows that are none of theirs.
const LEAST_BEHIND: usize = 4;

impl Capture {
    /// An accepting key is passed to the asset.
    pub(crate) fn accept(
        &mut self,
        now: Instant,
        byte: u8,
        judged: Option<JudgementId>,
        outcome: Outcome,
    ) {
        self.screen.close_string();
        self.settle_stale(now);
        if self.anchor.is_none() && self.waiting.is_empty() {
            self.set_anchor(now);
        }
        self.expanded(false);
        self.better_anchor();
        if self.at_prompt(self.anchor.as_ref()) {
            self.program.shell(self.screen.in_alternate());
            self.shell_reads();
        } else if self.screen.in_alternate() {
            self.program
                .key(now, None, self.last_output, self.echo.misses_end());
            self.program_answers();
        }
        let settled = self.echo.is_empty() && self.anchor.is_some() && self.waiting.is_empty();
        let before = if settled {
            self.anchor
                .as_ref()
                .map(|anchor| read(&self.screen, anchor))
        } else {
            None
        };
        let masked = self
            .anchor
            .as_ref()
            .is_some_and(|anchor| crate::reading::masked(&read(&self.screen, anchor).text));
        // Its last characters may not have been echoed yet.
        let keys = self.typed.text();
        let bang = self.escape_to_shell().map(|row| {
            let whole = keys.rfind(&row).and_then(|at| keys.get(at..));
            whole.map_or(row.clone(), str::to_owned)
        });
        let anchor = self.anchor.take();
        let cooked = !self.screen.bracketed()
            && self.typed.explained() != Explained::No
            && before.as_ref().is_some_and(|shown| {
                let column = anchor.as_ref().map_or(0, |a| a.place.column);
                !shown.moved && shown.text == self.typed.cooked(column).trim_end()
            });
        self.shut_gate(now, anchor.as_ref(), cooked);
        let mut characters: usize = self.waiting.iter().map(|a| a.typed.len()).sum();
        while self.waiting.len() >= WAITING_LIMIT || characters > WAITING_CHARACTERS {
            characters -= self.waiting.front().map_or(characters, |a| a.typed.len());
            self.leave_front();
        }
        self.typed.shrink();
        self.waiting.push_back(Accept {
            at: now,
            byte,
            silent: self.echo.silent() && self.typed.shown > 0,
            typed: std::mem::take(&mut self.typed),
            anchor,
            before,
            settled,
            echo: self.echo.line(),
            editor: self.screen.bracketed(),
            epoch: self.epoch,
            alternate: self.screen.in_alternate(),
            answered: self.screen.in_alternate() && self.program.reads(),
            seen: false,
            feeds: 0,
            cooked,
            bang,
            masked,
            disturbed: std::mem::take(&mut self.disturbed),
            judged,
            outcome,
            unknown: std::mem::take(&mut self.unknown),
        });
        self.echo.next_line();
        self.replies.clear();
        self.abandoned = false;
        self.last_key = Some(now);
        self.mark_seen();
        self.send(&[byte]);
    }

    /// Notes whether what was typed is to be seen.
    pub(crate) fn mark_seen(&mut self) {
        let Some(front) = self.waiting.front() else {
            return;
        };
        if front.seen || front.typed.is_empty() || front.feeds >= FEEDS {
            return;
        }
        let keys = front.typed.text();
        let shown = match &front.anchor {
            Some(anchor) => read(&self.screen, anchor).text,
            None => cursor_line(self.screen.grid()).1,
        };
        if (shown.contains(keys.trim()) || same_without_space(&shown, &keys))
            && let Some(front) = self.waiting.front_mut()
        {
            front.seen = true;
        }
    }

    /// Without a line editor's word: a line is taken when the terminal goes on to the next row behind it.
    pub(crate) fn confirm_by_feed(&mut self) {
        let mut index = 0;
        while index < self.waiting.len().min(LOOKED_FOR) {
            let accept = &self.waiting[index];
            if accept.feeds >= FEEDS {
                index += 1;
                continue;
            }
            let reading = accept
                .anchor
                .as_ref()
                .map(|anchor| read(&self.screen, anchor))
                .filter(|r| r.found);
            let keys = accept.typed.text();
            let keys = keys.trim_end();
            let mut early = false;
            let confirmed =
                if accept.typed.explained() == Explained::Fully && !keys.trim().is_empty() {
                    let (_, shown) = cursor_line(self.screen.grid());
                    let all = reading.as_ref().map_or(shown.as_str(), |r| r.text.as_str());
                    let erased = accept.settled
                        && accept.feeds == 0
                        && all.is_empty()
                        && accept.before.as_ref().is_some_and(|r| !r.text.is_empty());
                    if erased {
                        // A program that reads keys has taken it off the screen again.
                        self.waiting.remove(index);
                        continue;
                    }
                    // Where there are line editors that say when they read, they will show it again.
                    let again = self.epoch > 0 && !accept.editor;
                    let scrolled = !again
                        && accept.settled
                        && accept.feeds == 0
                        && !all.is_empty()
                        && !accept.silent;
                    let ends = ends_with_keys(all, keys) || ends_with_keys(&shown, keys);
                    early = !ends && !accept.editor && self.typed_before_prompt(&shown, keys);
                    ends || scrolled || early
                } else if accept.typed.any {
                    let sure = accept.anchor.as_ref().is_some_and(|a| a.sure);
                    (accept.cooked || sure && (accept.settled || !self.echo.misses(accept.echo)))
                        && accept.feeds == 0
                        && reading.as_ref().is_some_and(|r| !r.text.is_empty())
                } else {
                    accept.feeds == 0
                };
            if confirmed {
                for _ in 0..index {
                    self.settle_front();
                }
                if let Some(accept) = self.waiting.pop_front() {
                    let reading = match reading {
                        Some(reading) if !early => Some(reading),
                        _ => Some(Reading::of_keys(keys)),
                    };
                    if !self.counts(&accept) {
                        let (_, shown) = cursor_line(self.screen.grid());
                        let here = !keys.trim().is_empty() && ends_with_keys(&shown, keys);
                        let echoed = here.then(|| Reading::of_keys(keys));
                        self.doubt(&accept, echoed.or(reading).as_ref());
                        self.look_for_shell();
                        return;
                    }
                    let unread = !accept.editor && self.epoch > 0;
                    if let Some(line) = self.take(accept, reading.as_ref(), false)
                        && unread
                    {
                        self.ahead.passed(line);
                    }
                }
                return;
            }
            if let Some(accept) = self.waiting.get_mut(index) {
                accept.feeds += 1;
                if self.epoch > 0
                    && !accept.editor
                    && accept.typed.explained() == Explained::Fully
                    && accept.typed.any
                {
                    // Typed ahead, its echo lost in other output: the shell shows it again when it reads it.
                    self.confirm_behind(index);
                    return;
                }
            }
            index += 1;
        }
    }

    /// Of many lines typed ahead one is echoed, and the echo of those before it was lost: it is taken, and they wait on.
    fn confirm_behind(&mut self, stuck: usize) {
        let (_, shown) = cursor_line(self.screen.grid());
        let looks = |accept: &Accept| {
            !accept.editor
                && accept.feeds < FEEDS
                && accept.typed.any
                && accept.typed.explained() == Explained::Fully
        };
        let behind = self.waiting.iter().enumerate().skip(stuck + 1);
        let found = behind
            .filter(|(_, accept)| looks(accept))
            .take(BEHIND)
            .find(|(_, accept)| {
                let keys = accept.typed.text();
                let keys = keys.trim();
                keys.len() >= LEAST_BEHIND && shown.ends_with(keys)
            })
            .map(|(index, _)| index);
        let Some(accept) = found.and_then(|index| self.waiting.remove(index)) else {
            return;
        };
        let reading = Reading::of_keys(&accept.typed.text());
        if !self.counts(&accept) {
            self.doubt(&accept, Some(&reading));
        } else if let Some(line) = self.take(accept, Some(&reading), false) {
            self.ahead.passed(line);
        }
    }

    /// The prompt came behind what was typed ahead of it, on the same row.
    fn typed_before_prompt(&self, shown: &str, keys: &str) -> bool {
        let before = self.prompts.before(shown);
        before.is_some_and(|before| ends_with_keys(before.trim_end(), keys.trim()))
    }

    /// On the alternate screen only what stands behind a prompt is a line.
    pub(crate) fn counts(&self, accept: &Accept) -> bool {
        !accept.alternate || self.at_prompt(accept.anchor.as_ref())
    }
}

fn ends_with_keys(shown: &str, keys: &str) -> bool {
    if shown.ends_with(keys) {
        return true;
    }
    let compact = |text: &str| {
        text.chars()
            .filter(|c| !c.is_whitespace())
            .collect::<String>()
    };
    let (shown, keys) = (compact(shown), compact(keys));
    if shown.ends_with(&keys) {
        return true;
    }
    // A line editor that scrolls sideways shows the end of a long line.
    let end: String = keys
        .chars()
        .rev()
        .take(12)
        .collect::<Vec<_>>()
        .into_iter()
        .rev()
        .collect();
    keys.chars().count() > 24 && shown.trim_end_matches(['<', '>', '*']).ends_with(&end)
}
