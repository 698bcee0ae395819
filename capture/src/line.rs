//! Reading the line that is being edited off the screen: from the end of its prompt to its own end, whatever else is painted.
use crate::screen::{BLANK, FAINT, Grid, Place, Row, Screen, TAIL};

/// The longest text that is read off a screen.
const READ_LIMIT: usize = 64 * 1024;

/// Where a line begins, and what the screen looked like there before its first key.
#[derive(Clone, Debug)]
pub struct Anchor {
    /// The first cell of the line.
    pub place: Place,
    /// Cells written later than this are the line's, earlier ones a prompt's.
    pub stamp: u32,
    /// What stands before it on its row.
    pub prompt: String,
    /// What stood right of it: a right prompt.
    pub right: String,
    /// Taken while the output was quiet, after a prompt.
    pub sure: bool,
}

/// What was read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Reading {
    /// The text; rows that do not wrap have `\n` between them.
    pub text: String,
    /// The text up to the cursor, when all that follows is painted faintly: a suggestion.
    pub without_tail: Option<String>,
    /// The text without its end, when that is painted faintly: a suggestion that nobody has taken.
    pub without_faint: Option<String>,
    /// The prompt was found where it should be.
    pub found: bool,
    /// It stands elsewhere than it did: something was printed or redrawn in between.
    pub moved: bool,
}

impl Reading {
    /// What the keys say, which was seen somewhere.
    pub fn of_keys(keys: &str) -> Self {
        Reading {
            text: keys.trim_end().to_owned(),
            without_tail: None,
            without_faint: None,
            found: true,
            moved: true,
        }
    }
}

/// The text of the cells `from..to` of a row.
pub fn text_of(row: &Row, from: usize, to: usize) -> String {
    let mut text = String::new();
    for column in from..to.min(row.cells.len()) {
        match row.cells[column].character {
            TAIL => {}
            BLANK => text.push(' '),
            c => {
                text.push(c);
                text.extend(row.marks(column));
            }
        }
    }
    text
}

/// A prompt without what a clock or a counter changes in it: each digit is the same.
pub fn plain(text: &str) -> String {
    text.chars()
        .map(|c| if c.is_ascii_digit() { '0' } else { c })
        .collect()
}

/// Sets an anchor at the cursor.
pub fn anchor_at(screen: &Screen, place: Place, sure: bool) -> Anchor {
    let row = screen.grid().line(place.line);
    Anchor {
        place,
        stamp: screen.stamp(),
        prompt: row.map(|r| text_of(r, 0, place.column)).unwrap_or_default(),
        right: row
            .map(|r| text_of(r, place.column, usize::MAX).trim().to_owned())
            .unwrap_or_default(),
        sure,
    }
}

/// The lowest row, not below the cursor, that begins with this prompt.
fn find(screen: &Screen, anchor: &Anchor) -> Option<u64> {
    let grid = screen.grid();
    let cursor = grid.cursor().line;
    let taken = if cursor >= screen.floor {
        screen.floor
    } else {
        0
    };
    let lowest = grid.top_line().max(taken).min(anchor.place.line);
    if anchor.prompt.trim().is_empty() {
        return (anchor.place.line <= cursor).then_some(anchor.place.line);
    }
    let prompt = plain(anchor.prompt.trim_end());
    let mut line = cursor;
    loop {
        if let Some(row) = grid.line(line)
            && row.cells.len() + 1 >= anchor.place.column
            && plain(text_of(row, 0, anchor.place.column).trim_end()) == prompt
        {
            return Some(line);
        }
        if line <= lowest {
            break;
        }
        line -= 1;
    }
    // A prompt that shows the editing mode differs a little, where it was.
    let row = grid
        .line(anchor.place.line)
        .filter(|_| anchor.sure && anchor.place.line <= cursor)?;
    let shown = text_of(row, 0, anchor.place.column);
    let (was, is) = (anchor.prompt.trim_end(), shown.trim_end());
    let length = was.chars().count();
    let differ = was.chars().zip(is.chars()).filter(|(a, b)| a != b).count();
    let end = |text: &str| text.chars().rev().take(2).collect::<Vec<_>>();
    (length == is.chars().count() && end(was) == end(is) && differ <= 4 && differ * 3 <= length)
        .then_some(anchor.place.line)
}

/// Reads the line that begins at an anchor.
pub fn read(screen: &Screen, anchor: &Anchor) -> Reading {
    let grid = screen.grid();
    let Some(start) = find(screen, anchor) else {
        return Reading::default();
    };
    let moved = start != anchor.place.line;
    let mut reading = read_from(
        grid,
        Place {
            line: start,
            column: anchor.place.column,
        },
        if moved { 0 } else { anchor.stamp },
        &anchor.right,
        !screen.in_alternate(),
    );
    reading.found = true;
    reading.moved = moved;
    reading
}

/// Reads from a place to the end of the text there, at least to the cursor's row. Cells not younger than `stamp` on the first
/// row are a prompt's, and so is `right` at its end.
pub fn read_from(grid: &Grid, start: Place, stamp: u32, right: &str, whole: bool) -> Reading {
    let cursor = grid.cursor();
    let mut text = String::new();
    let mut at_cursor = None;
    let mut firm = 0;
    let mut line = start.line;
    while let Some(row) = grid.line(line) {
        let first = line == start.line;
        let from = if first { start.column } else { 0 };
        let mut end = row.cells.len();
        if first {
            while end > from && row.cells[end - 1].stamp <= stamp {
                end -= 1;
            }
            if !right.is_empty() {
                let whole = text_of(row, from, end);
                if let Some(rest) = whole.trim_end().strip_suffix(right)
                    && (rest.is_empty() || rest.ends_with(' '))
                {
                    let kept = rest.trim_end().chars().count();
                    let mut seen = 0;
                    end = from;
                    while seen < kept && end < row.cells.len() {
                        if row.cells[end].character != TAIL {
                            seen += 1;
                        }
                        end += 1;
                    }
                }
            }
        }
        if line == cursor.line {
            let to = cursor.column.max(from);
            let mut upto = text.clone();
            upto.push_str(&text_of(row, from, to.min(end)));
            let tail: Vec<_> = row
                .cells
                .get(to.min(end)..end)
                .unwrap_or_default()
                .iter()
                .filter(|c| !matches!(c.character, BLANK | ' ' | TAIL))
                .collect();
            if !tail.is_empty() && tail.iter().all(|c| c.pen & FAINT != 0) {
                at_cursor = Some(upto);
            }
        }
        let faint = |c: &crate::screen::Cell| {
            matches!(c.character, BLANK | ' ' | TAIL) || c.pen & FAINT != 0
        };
        let cells = row.cells.get(from..end).unwrap_or_default();
        if let Some(last) = cells.iter().rposition(|c| !faint(c)) {
            firm = text.len() + text_of(row, from, from + last + 1).len();
        }
        text.push_str(&text_of(row, from, end));
        if text.len() > READ_LIMIT {
            break;
        }
        let full = row.wrapped || (row.cells.len() >= grid.width() && line < cursor.line);
        if !full {
            if line >= cursor.line || !whole {
                break;
            }
            while text.ends_with(' ') {
                text.pop();
            }
            text.push('\n');
        }
        line += 1;
    }
    let text = text.trim_end().to_owned();
    let without_faint = text
        .get(..firm)
        .filter(|firm| firm.len() < text.len())
        .map(|firm| firm.trim_end().to_owned());
    Reading {
        text,
        without_faint,
        without_tail: at_cursor.map(|t| t.trim_end().to_owned()),
        found: false,
        moved: false,
    }
}

/// The text from the start of the cursor's logical line up to its end, and where it starts.
pub fn cursor_line(grid: &Grid) -> (Place, String) {
    let mut line = grid.cursor().line;
    let mut rows = 0;
    while rows < 1000
        && line > 0
        && let Some(above) = grid.line(line - 1)
        && (above.wrapped || above.cells.len() >= grid.width())
    {
        line -= 1;
        rows += 1;
    }
    let place = Place { line, column: 0 };
    let reading = read_from(grid, place, 0, "", true);
    (place, reading.text)
}

/// The same text but for the amount of white space.
pub fn same_but_space(a: &str, b: &str) -> bool {
    a.split_whitespace().eq(b.split_whitespace())
}

/// The same text when all white space is left out: rows may have been cut anywhere.
pub fn same_without_space(a: &str, b: &str) -> bool {
    a.chars()
        .filter(|c| !c.is_whitespace())
        .eq(b.chars().filter(|c| !c.is_whitespace()))
}
