//! Reads the line whose accepting key is held, in each way in which it can be read, and asks the rules.
use crate::action::{Action, Certainty, JudgementId, Outcome};
use crate::capture::Capture;
use crate::hold::{Hold, Pending};
use crate::keys::{Key, Keys};
use crate::line::{Anchor, Reading, anchor_at, cursor_line, read};
use crate::reading::{Decision, Evidence, compact, decide, stands_in};
use crate::typed::Explained;
use std::time::{Duration, Instant};

/// Of what was typed ahead of a program's end, this many tails are judged.
const AHEAD_TAILS: usize = 128;
/// A key that nothing was printed after for this long has done nothing.
const UNANSWERED: Duration = Duration::from_secs(1);

impl Capture {
    /// Reads and judges the line if its echo has come.
    pub(crate) fn look(&mut self, now: Instant) {
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
            // What it has shown it has taken.
            let left = if self.program.reads() && self.screen.in_alternate() {
                self.echo.missing_text()
            } else {
                keys.clone()
            };
            for text in tails(&left, AHEAD_TAILS, 3) {
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
                unfinished: self.echo.misses_end(),
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
        self.keep_late();
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
    pub(crate) fn is_silent(&self, before: Option<&Reading>) -> bool {
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
    pub(crate) fn is_unknown(
        &self,
        now: Instant,
        before: Option<&Reading>,
        at_prompt: bool,
    ) -> bool {
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

    pub(crate) fn anchor_for_reading(&self) -> Anchor {
        let grid = self.screen.grid();
        let cursor = grid.cursor();
        match self.prompts.behind(grid, cursor.line) {
            Some((place, _)) => Anchor {
                stamp: 0,
                right: String::new(),
                ..anchor_at(&self.screen, place, false)
            },
            None => self
                .anchor_before_keys()
                .unwrap_or_else(|| anchor_at(&self.screen, cursor, false)),
        }
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
