//! The cells of one screen, with a little of what has scrolled off its top, addressed by *line numbers* that never change.
use std::collections::VecDeque;
use unicode_width::UnicodeWidthChar;

/// Lines kept above the screen.
pub const ABOVE: usize = 200;
/// Cells kept of a screen and what is above it.
const CELLS: usize = 48_000;
/// Combining characters kept for each line.
const MARKS: usize = 48;

/// The second half of a wide character.
pub const TAIL: char = '\u{fffff}';
/// Nothing has been written here.
pub const BLANK: char = '\0';

/// One cell.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cell {
    /// The character, [`TAIL`] or [`BLANK`].
    pub character: char,
    /// When it was written, counted in printed characters.
    pub stamp: u32,
    /// Its rendition (a digest).
    pub pen: u8,
}

const EMPTY: Cell = Cell {
    character: BLANK,
    stamp: 0,
    pen: 0,
};

/// One line of cells; no longer than its last written cell.
#[derive(Clone, Debug, Default)]
pub struct Row {
    /// The cells.
    pub cells: Vec<Cell>,
    /// The text goes on in the next line because it came to the right edge.
    pub wrapped: bool,
    marks: Vec<(u16, char)>,
}

impl Row {
    /// The combining characters of a cell.
    pub fn marks(&self, column: usize) -> impl Iterator<Item = char> + '_ {
        self.marks
            .iter()
            .filter(move |(at, _)| usize::from(*at) == column)
            .map(|(_, mark)| *mark)
    }
}

/// A place: line number and column.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    /// The line, counted from the first one ever shown.
    pub line: u64,
    /// The column, from 0.
    pub column: usize,
}

/// A screen of cells.
#[derive(Debug)]
pub struct Grid {
    rows: VecDeque<Row>,
    /// The number of the first kept line.
    first: u64,
    height: usize,
    width: usize,
    /// The cursor's row on the screen.
    pub row: usize,
    /// The cursor's column; `width` while the next character will wrap.
    pub column: usize,
    top: usize,
    bottom: usize,
    saved: (usize, usize),
}

impl Grid {
    /// An empty screen.
    pub fn new(height: usize, width: usize) -> Self {
        let mut rows = VecDeque::new();
        rows.resize_with(height, Row::default);
        Grid {
            rows,
            first: 0,
            height,
            width,
            row: 0,
            column: 0,
            top: 0,
            bottom: height - 1,
            saved: (0, 0),
        }
    }

    /// The number of columns.
    pub fn width(&self) -> usize {
        self.width
    }

    /// The number of rows.
    pub fn height(&self) -> usize {
        self.height
    }

    fn above(&self) -> usize {
        self.rows.len() - self.height
    }

    /// The number of the line at the screen's top.
    pub fn top_line(&self) -> u64 {
        self.first + self.above() as u64
    }

    /// Where the cursor is.
    pub fn cursor(&self) -> Place {
        Place {
            line: self.top_line() + self.row as u64,
            column: self.column,
        }
    }

    /// A line, if it is still kept.
    pub fn line(&self, line: u64) -> Option<&Row> {
        self.rows
            .get(usize::try_from(line.checked_sub(self.first)?).ok()?)
    }

    fn at(&mut self, row: usize) -> &mut Row {
        let above = self.above();
        &mut self.rows[above + row.min(self.height - 1)]
    }

    /// Shows a character at the cursor.
    pub fn print(&mut self, character: char, stamp: u32, pen: u8, insert: bool) {
        let wide = character.width().unwrap_or(0);
        if wide == 0 {
            let column = self.column.saturating_sub(1);
            let row = self.row;
            let line = self.at(row);
            let column = if line.cells.get(column).is_some_and(|c| c.character == TAIL) {
                column.saturating_sub(1)
            } else {
                column
            };
            if line.marks.len() < MARKS {
                line.marks.push((column as u16, character));
            }
            return;
        }
        if self.column + wide > self.width {
            // Always, whatever mode is set: nothing that was shown may be lost.
            let row = self.row;
            self.at(row).wrapped = true;
            self.column = 0;
            self.line_feed();
        }
        let (row, column, width) = (self.row, self.column, self.width);
        let line = self.at(row);
        if line.cells.len() < column + wide {
            line.cells.resize(column + wide, EMPTY);
        } else if insert {
            for _ in 0..wide {
                line.cells.insert(column, EMPTY);
            }
            line.cells.truncate(width);
        }
        if !line.marks.is_empty() {
            line.marks.retain(|(at, _)| usize::from(*at) != column);
        }
        // Half of a wide character is nothing.
        if line.cells[column].character == TAIL && column > 0 {
            line.cells[column - 1] = Cell {
                character: ' ',
                ..line.cells[column - 1]
            };
        }
        if let Some(after) = line.cells.get_mut(column + wide)
            && after.character == TAIL
        {
            after.character = ' ';
        }
        line.cells[column] = Cell {
            character,
            stamp,
            pen,
        };
        if wide == 2 {
            line.cells[column + 1] = Cell {
                character: TAIL,
                stamp,
                pen,
            };
        }
        if column + wide == width {
            line.wrapped = false;
        }
        self.column = column + wide;
    }

    /// Shows printable ASCII at the cursor, as [`Grid::print`] does without insertion for one character after the other, with
    /// stamps that count on from `stamp`.
    pub fn print_run(&mut self, mut run: &[u8], mut stamp: u32, pen: u8) {
        while !run.is_empty() {
            if self.column + 1 > self.width {
                let row = self.row;
                self.at(row).wrapped = true;
                self.column = 0;
                self.line_feed();
            }
            let (row, column, width) = (self.row, self.column, self.width);
            let count = run.len().min(width - column);
            let (now, later) = run.split_at(count);
            let line = self.at(row);
            if line.cells.len() < column {
                line.cells.resize(column, EMPTY);
            }
            let end = column + count;
            if !line.marks.is_empty() {
                let painted = column..end;
                line.marks
                    .retain(|(at, _)| !painted.contains(&usize::from(*at)));
            }
            if line
                .cells
                .get(column)
                .is_some_and(|cell| cell.character == TAIL)
                && column > 0
            {
                line.cells[column - 1].character = ' ';
            }
            if let Some(after) = line.cells.get_mut(end)
                && after.character == TAIL
            {
                after.character = ' ';
            }
            let mut cells = now.iter().map(|byte| {
                let cell = Cell {
                    character: char::from(*byte),
                    stamp,
                    pen,
                };
                stamp = stamp.wrapping_add(1);
                cell
            });
            for (place, cell) in line.cells[column..]
                .iter_mut()
                .zip(cells.by_ref().take(count))
            {
                *place = cell;
            }
            line.cells.extend(cells);
            if end == width {
                line.wrapped = false;
            }
            self.column = end;
            run = later;
        }
    }

    /// One row down; scrolls at the bottom margin.
    pub fn line_feed(&mut self) {
        if self.row == self.bottom {
            self.scroll_up(1);
        } else if self.row + 1 < self.height {
            self.row += 1;
        }
    }

    /// One row up; scrolls at the top margin.
    pub fn reverse_line_feed(&mut self) {
        if self.row == self.top {
            self.scroll_down(1);
        } else {
            self.row = self.row.saturating_sub(1);
        }
    }

    /// Scrolls the region up. Only what leaves the top of the whole screen is kept above it.
    pub fn scroll_up(&mut self, count: usize) {
        for _ in 0..count.min(self.height) {
            if self.top == 0 && self.bottom + 1 == self.height {
                self.rows.push_back(Row::default());
                self.trim();
            } else {
                let above = self.above();
                if self.rows.remove(above + self.top).is_some() {
                    self.rows.insert(above + self.bottom, Row::default());
                }
            }
        }
    }

    /// Scrolls the region down.
    pub fn scroll_down(&mut self, count: usize) {
        let above = self.above();
        for _ in 0..count.min(self.height) {
            if self.rows.remove(above + self.bottom).is_some() {
                self.rows.insert(above + self.top, Row::default());
            }
        }
    }

    fn trim(&mut self) {
        let most = ABOVE.min((CELLS / self.width.max(1)).saturating_sub(self.height));
        while self.above() > most {
            self.rows.pop_front();
            self.first += 1;
        }
    }

    /// Lines that were printed without being looked at scrolled through: all that was on the screen is gone.
    pub fn skip_lines(&mut self, count: u64) {
        self.first += self.rows.len() as u64 + count;
        self.rows.clear();
        self.rows.resize_with(self.height, Row::default);
        self.row = self.bottom;
        self.column = 0;
    }

    /// Whether the whole screen scrolls.
    pub fn scrolls_whole(&self) -> bool {
        self.top == 0 && self.bottom + 1 == self.height
    }

    /// Inserts rows at the cursor.
    pub fn insert_lines(&mut self, count: usize) {
        if (self.top..=self.bottom).contains(&self.row) {
            let top = std::mem::replace(&mut self.top, self.row);
            self.scroll_down(count.min(self.height));
            self.top = top;
        }
    }

    /// Deletes rows at the cursor.
    pub fn delete_lines(&mut self, count: usize) {
        if (self.top..=self.bottom).contains(&self.row) {
            let above = self.above();
            for _ in 0..count.min(self.height) {
                if self.rows.remove(above + self.row).is_some() {
                    self.rows.insert(above + self.bottom, Row::default());
                }
            }
        }
    }

    /// Inserts blank cells at the cursor.
    pub fn insert_cells(&mut self, count: usize) {
        let (row, column, width) = (self.row, self.column, self.width);
        let line = self.at(row);
        if column < line.cells.len() {
            for _ in 0..count.min(width) {
                line.cells.insert(column, EMPTY);
            }
            line.cells.truncate(width);
        }
    }

    /// Deletes cells at the cursor.
    pub fn delete_cells(&mut self, count: usize) {
        let (row, column) = (self.row, self.column);
        let line = self.at(row);
        let end = (column.saturating_add(count)).min(line.cells.len());
        if column < end {
            line.cells.drain(column..end);
        }
        line.wrapped = false;
    }

    /// Blanks cells `from..to` of the cursor's row.
    pub fn erase(&mut self, from: usize, to: usize) {
        let row = self.row;
        let width = self.width;
        let line = self.at(row);
        let to = to.min(line.cells.len());
        for cell in line.cells.get_mut(from.min(to)..to).into_iter().flatten() {
            *cell = EMPTY;
        }
        line.marks
            .retain(|(at, _)| usize::from(*at) < from || usize::from(*at) >= to);
        while line.cells.last().is_some_and(|c| *c == EMPTY) {
            line.cells.pop();
        }
        if line.cells.len() < width {
            line.wrapped = false;
        }
    }

    /// Blanks whole rows of the screen.
    pub fn erase_rows(&mut self, from: usize, to: usize) {
        for row in from..to.min(self.height) {
            *self.at(row) = Row::default();
        }
    }

    /// The whole screen is cleared: what stood on it moves up, out of sight, so that line numbers stay true.
    pub fn clear(&mut self) {
        for _ in 0..self.height {
            self.rows.push_back(Row::default());
        }
        self.trim();
    }

    /// Margins, from 0, both inclusive.
    pub fn margins(&mut self, top: usize, bottom: usize) {
        let bottom = bottom.min(self.height - 1);
        if top < bottom {
            (self.top, self.bottom) = (top, bottom);
            (self.row, self.column) = (0, 0);
        }
    }

    /// Moves the cursor, within the screen.
    pub fn go_to(&mut self, row: usize, column: usize) {
        self.row = row.min(self.height - 1);
        self.column = column.min(self.width - 1);
    }

    /// Remembers where the cursor is.
    pub fn save(&mut self) {
        self.saved = (self.row, self.column);
    }

    /// Goes back there.
    pub fn restore(&mut self) {
        self.go_to(self.saved.0, self.saved.1);
    }

    /// A new size. Wrapped lines of the lower half are laid out anew, as terminals do that reflow; those that do not redraw
    /// after the shell has heard of it.
    pub fn resize(&mut self, height: usize, width: usize, reflow: bool) {
        if width != self.width && reflow {
            self.reflow(width);
        }
        self.width = width;
        while self.rows.len() < height {
            self.rows.push_back(Row::default());
        }
        if height < self.height {
            // Empty rows below the cursor go first.
            let mut surplus = self.height - height;
            while surplus > 0 && self.row + 1 < self.height && self.rows.len() > height {
                if !self.rows.back().is_some_and(|r| r.cells.is_empty()) {
                    break;
                }
                self.rows.pop_back();
                self.height -= 1;
                surplus -= 1;
            }
            self.row = self.row.saturating_sub(surplus);
        } else {
            let grown = (height - self.height).min(self.rows.len() - self.height);
            // Rows come back from above, as far as there are.
            self.row += grown;
        }
        self.height = height;
        self.row = self.row.min(height - 1);
        self.column = self.column.min(width);
        (self.top, self.bottom) = (0, height - 1);
        self.trim();
    }

    fn reflow(&mut self, width: usize) {
        let cursor = self.above() + self.row;
        // The first line of the text in which the cursor stands.
        let mut start = cursor;
        while start > 0 && self.rows[start - 1].wrapped {
            start -= 1;
        }
        let mut end = cursor;
        while end + 1 < self.rows.len() && self.rows[end].wrapped {
            end += 1;
        }
        let mut cells = Vec::new();
        let mut offset = 0;
        for index in start..=end {
            let row = &self.rows[index];
            if index == cursor {
                offset = cells.len() + self.column;
            }
            cells.extend_from_slice(&row.cells);
            if row.wrapped {
                cells.resize((index - start + 1) * self.width, EMPTY);
            }
        }
        let mut fresh: Vec<Row> = cells
            .chunks(width)
            .map(|c| Row {
                cells: c.to_vec(),
                wrapped: true,
                marks: Vec::new(),
            })
            .collect();
        while fresh.len() <= offset / width {
            fresh.push(Row {
                wrapped: true,
                ..Row::default()
            });
        }
        let count = fresh.len();
        if let Some(last) = fresh.last_mut() {
            last.wrapped = false;
        }
        let was = end - start + 1;
        let tail = self.rows.split_off(end + 1);
        self.rows.truncate(start);
        self.rows.extend(fresh);
        let mut tail = tail;
        if count > was {
            for _ in 0..count - was {
                if tail.back().is_some_and(|r| r.cells.is_empty()) {
                    tail.pop_back();
                }
            }
        }
        self.rows.extend(tail);
        while self.rows.len() < self.height {
            self.rows.push_back(Row::default());
        }
        let at = start + offset / width;
        let above = self.rows.len() - self.height;
        self.row = at.saturating_sub(above);
        self.column = offset % width;
    }

    /// About how many bytes this holds.
    pub fn footprint(&self) -> usize {
        self.rows
            .iter()
            .map(|r| {
                r.cells.capacity() * size_of::<Cell>() + r.marks.capacity() * 8 + size_of::<Row>()
            })
            .sum()
    }
}
