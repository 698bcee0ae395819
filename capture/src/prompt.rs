//! Prompts that lines have been accepted after.
use crate::line::{Reading, plain, read_from, text_of};
use crate::screen::{Grid, Place};
use std::collections::VecDeque;

const KEPT: usize = 12;
const LONGEST: usize = 400;

/// What has been seen in front of accepted lines.
#[derive(Debug, Default)]
pub struct Prompts {
    known: VecDeque<String>,
}

impl Prompts {
    /// A line was accepted after this prompt.
    pub fn learn(&mut self, prompt: &str) {
        if prompt.trim().is_empty() || prompt.len() > LONGEST {
            return;
        }
        let prompt = plain(prompt);
        self.known.retain(|p| *p != prompt);
        self.known.push_front(prompt);
        self.known.truncate(KEPT);
    }

    /// Whether a line was accepted after this before.
    pub fn knows(&self, prompt: &str) -> bool {
        let prompt = plain(prompt);
        self.known.contains(&prompt)
    }

    /// A place behind a known prompt at the start of this row.
    pub fn behind(&self, grid: &Grid, line: u64) -> Option<(Place, String)> {
        self.behind_from(grid, line, 0)
    }

    /// A place behind a known prompt that begins in this column.
    pub fn behind_from(&self, grid: &Grid, line: u64, from: usize) -> Option<(Place, String)> {
        let row = grid.line(line)?;
        let text = plain(&text_of(row, from, usize::MAX));
        let prompt = self
            .known
            .iter()
            .filter(|p| text.starts_with(p.as_str()) || text == p.trim_end())
            .max_by_key(|p| p.len())?;
        let mut column = from;
        let mut left = prompt.chars().count();
        while left > 0 && column < grid.width() {
            if row
                .cells
                .get(column)
                .is_none_or(|c| c.character != crate::screen::TAIL)
            {
                left -= 1;
            }
            column += 1;
        }
        Some((Place { line, column }, prompt.clone()))
    }

    /// What stands before a known prompt at the end of a row: what was typed before that prompt came.
    pub fn before<'a>(&self, shown: &'a str) -> Option<&'a str> {
        let shown = shown.trim_end();
        let text = plain(shown);
        let known = self.known.iter().map(|prompt| prompt.trim_end());
        let length = known
            .filter(|prompt| text.ends_with(prompt))
            .map(str::len)
            .max()?;
        shown.get(..shown.len() - length)
    }

    /// The lowest line on the screen, not below the cursor, that stands behind a known prompt; and on which row.
    pub fn read(&self, grid: &Grid) -> Option<(Reading, u64)> {
        let cursor = grid.cursor().line;
        let lowest = grid.top_line().max(cursor.saturating_sub(30));
        let mut line = cursor;
        loop {
            if let Some((place, _)) = self.behind(grid, line) {
                let mut reading = read_from(grid, place, 0, "", false);
                reading.found = true;
                reading.moved = true;
                return Some((reading, line));
            }
            if line <= lowest {
                return None;
            }
            line -= 1;
        }
    }
}

/// Whether this looks like what stands before a line: it ends in a sign that prompts end in.
pub fn looks_like_one(text: &str) -> bool {
    let text = text.trim_end();
    text.chars()
        .last()
        .is_some_and(|c| "$#%>:?)]❯»›➜λ▶⟩".contains(c))
        || text
            .chars()
            .last()
            .is_some_and(|c| ('\u{e000}'..='\u{f8ff}').contains(&c))
}

/// Whether this is a prompt for more of a construct: `>`, `for>`, `dquote>`, `...`, `->`.
pub fn continues(text: &str) -> bool {
    let text = text.trim();
    let Some(words) = text.strip_suffix('>') else {
        return text == "..." || text == "...:";
    };
    words.len() <= 24
        && words
            .chars()
            .all(|c| c.is_ascii_lowercase() || matches!(c, ' ' | '-' | '\'' | '"' | '`' | '_'))
}
