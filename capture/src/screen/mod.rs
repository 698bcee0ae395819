//! What the user's terminal shows, as far as lines of commands need it: cells, cursor, wraps, margins, the two screens.
//!
//! Everything here comes from the asset and is believed to be nothing but paint: no mode of it switches anything off.
mod backlog;
mod grid;
mod parser;

use backlog::Backlog;
pub use grid::{BLANK, Cell, Grid, Place, Row, TAIL};
use parser::{Parser, Token};

/// Rows and columns that are modelled at most.
const MOST_ROWS: u16 = 300;
const MOST_COLUMNS: u16 = 600;
/// Cells of one screen at most; of larger ones the upper rows are modelled.
const MOST_CELLS: usize = 36_000;

/// What a byte did that somebody may want to know.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Event {
    /// Nothing of note.
    None,
    /// A character appeared.
    Printed(char),
    /// A line editor began to read (`ESC [ ? 2004 h`).
    EditorOn,
    /// A line editor stopped reading.
    EditorOff,
    /// The alternate screen was entered.
    AlternateOn,
    /// The alternate screen was left.
    AlternateOff,
}

/// The model of one terminal.
#[derive(Debug)]
pub struct Screen {
    parser: Parser,
    /// What has come and is not painted yet.
    backlog: Backlog,
    primary: Grid,
    alternate: Grid,
    in_alternate: bool,
    bracketed: bool,
    insert: bool,
    stamp: u32,
    pen: u8,
    faint: bool,
    last: char,
    /// Lines above this one have been taken: no prompt is looked for there.
    pub floor: u64,
}

/// The bit of a pen that says "dim or grey": what suggestions are painted with.
pub const FAINT: u8 = 0x80;

impl Screen {
    /// A terminal that has just been opened.
    pub fn new(rows: u16, columns: u16) -> Self {
        let (rows, columns) = size(rows, columns);
        Screen {
            parser: Parser::new(),
            backlog: Backlog::default(),
            primary: Grid::new(rows, columns),
            alternate: Grid::new(rows, columns),
            in_alternate: false,
            bracketed: false,
            insert: false,
            stamp: 1,
            pen: 0,
            faint: false,
            last: ' ',
            floor: 0,
        }
    }

    /// The screen that is shown.
    pub fn grid(&self) -> &Grid {
        if self.in_alternate {
            &self.alternate
        } else {
            &self.primary
        }
    }

    fn grid_mut(&mut self) -> &mut Grid {
        if self.in_alternate {
            &mut self.alternate
        } else {
            &mut self.primary
        }
    }

    /// The alternate screen is shown.
    pub fn in_alternate(&self) -> bool {
        self.in_alternate
    }

    /// A program has asked for bracketed pastes: a line editor reads, or an editor of files runs.
    pub fn bracketed(&self) -> bool {
        self.bracketed
    }

    /// Whether a line editor reads is known better than from what it said last.
    pub fn read_on(&mut self, reads: bool) {
        self.bracketed = reads;
    }

    /// The next byte is no part of a sequence or of a character.
    pub fn at_ground(&self) -> bool {
        self.parser.at_ground()
    }

    /// Counts printed characters; cells carry it.
    pub fn stamp(&self) -> u32 {
        self.stamp
    }

    /// This byte will move the cursor down a line.
    pub fn will_feed(&self, byte: u8) -> bool {
        byte == b'\n' && self.parser.at_ground()
    }

    /// See [`Parser::close_string`].
    pub fn close_string(&mut self) {
        self.parser.close_string();
    }

    /// A new size.
    pub fn resize(&mut self, rows: u16, columns: u16) {
        let (rows, columns) = size(rows, columns);
        self.floor = 0;
        self.primary.resize(rows, columns, true);
        self.alternate.resize(rows, columns, false);
    }

    /// Takes a run of output in which nobody is interested but for where it ends. Skips what has scrolled through unseen.
    pub fn advance_many(&mut self, bytes: &[u8], mut note: impl FnMut(&Self, Event)) {
        let bytes = self.skip(bytes);
        for &byte in bytes {
            let event = self.advance(byte);
            if !matches!(event, Event::None | Event::Printed(_)) {
                note(self, event);
            }
        }
    }

    /// What is left of a long run when the part is taken off that nobody would have seen in the end.
    fn skip<'a>(&mut self, bytes: &'a [u8]) -> &'a [u8] {
        let (height, width) = (self.grid().height(), self.grid().width());
        if bytes.len() < 4096
            || !self.parser.at_ground()
            || !self.grid().scrolls_whole()
            || self.in_alternate
        {
            return bytes;
        }
        // Twice a screen of lines, or of cells where there are fewer lines.
        let lines = memchr::memrchr_iter(b'\n', bytes)
            .nth(height * 2)
            .map_or(0, |at| at + 1);
        let mut cut = lines.max(bytes.len().saturating_sub(height * width * 4));
        while bytes.get(cut).is_some_and(|b| b & 0xc0 == 0x80) {
            cut += 1;
        }
        let (head, tail) = bytes.split_at(cut);
        if head.len() < 2048 || !only_paint(head) {
            return bytes;
        }
        self.stamp = self.stamp.wrapping_add(1);
        self.faint = false;
        self.grid_mut().skip_lines(head.len() as u64);
        tail
    }

    /// Takes output of which nobody needs to know what each byte did.
    fn paint_all(&mut self, mut bytes: &[u8]) {
        while let Some((&byte, rest)) = bytes.split_first() {
            let printable = |byte: &u8| matches!(byte, b' '..=b'~');
            if !printable(&byte) || self.insert || !self.parser.at_ground() {
                self.advance(byte);
                bytes = rest;
                continue;
            }
            let end = bytes.iter().position(|byte| !printable(byte));
            let (run, rest) = bytes.split_at(end.unwrap_or(bytes.len()));
            let first = self.stamp.wrapping_add(1);
            self.stamp = self.stamp.wrapping_add(run.len() as u32);
            self.last = run.last().map_or(self.last, |byte| char::from(*byte));
            let pen = self.shown_pen();
            self.grid_mut().print_run(run, first, pen);
            bytes = rest;
        }
    }

    /// The rendition that a cell is given.
    fn shown_pen(&self) -> u8 {
        self.pen & !FAINT | if self.faint { FAINT } else { 0 }
    }

    /// Takes one byte.
    pub fn advance(&mut self, byte: u8) -> Event {
        match self.parser.advance(byte) {
            Token::None => Event::None,
            Token::Print(c) => self.print(c),
            Token::Control(byte) => {
                self.control(byte);
                Event::None
            }
            Token::Escape(intermediate, byte) => {
                self.escape(intermediate, byte);
                Event::None
            }
            Token::Sequence(mark, intermediate, byte) => self.sequence(mark, intermediate, byte),
        }
    }

    fn print(&mut self, c: char) -> Event {
        self.stamp = self.stamp.wrapping_add(1);
        self.last = c;
        let (stamp, insert) = (self.stamp, self.insert);
        let pen = self.shown_pen();
        self.grid_mut().print(c, stamp, pen, insert);
        Event::Printed(c)
    }

    fn control(&mut self, byte: u8) {
        let width = self.grid().width();
        let grid = self.grid_mut();
        match byte {
            // A pending wrap counts as the last column.
            0x08 => grid.column = grid.column.min(width - 1).saturating_sub(1),
            b'\t' => grid.column = ((grid.column / 8 + 1) * 8).min(width - 1),
            b'\n' | 0x0b | 0x0c => grid.line_feed(),
            b'\r' => grid.column = 0,
            _ => {}
        }
    }

    fn escape(&mut self, intermediate: Option<u8>, byte: u8) {
        match (intermediate, byte) {
            (None, b'7') => self.grid_mut().save(),
            (None, b'8') => self.grid_mut().restore(),
            (None, b'D') => self.grid_mut().line_feed(),
            (None, b'E') => {
                self.grid_mut().column = 0;
                self.grid_mut().line_feed();
            }
            (None, b'M') => self.grid_mut().reverse_line_feed(),
            (None, b'c') => self.reset(),
            _ => {}
        }
    }

    fn reset(&mut self) {
        self.in_alternate = false;
        let height = self.primary.height();
        self.primary.clear();
        self.primary.margins(0, height - 1);
        self.primary.go_to(0, 0);
        (self.insert, self.pen, self.faint) = (false, 0, false);
    }

    fn sequence(&mut self, mark: Option<u8>, intermediate: Option<u8>, byte: u8) -> Event {
        match (mark, intermediate, byte) {
            (Some(b'?'), None, b'h' | b'l') => return self.private_mode(byte == b'h'),
            (None, None, b'm') => self.rendition(),
            (None, None, b'h' | b'l') => {
                for index in 0..self.parser.parameters() {
                    if self.parser.parameter(index, 0) == 4 {
                        self.insert = byte == b'h';
                    }
                }
            }
            (None, Some(b'!'), b'p') => {
                let height = self.grid().height();
                let grid = self.grid_mut();
                let at = (grid.row, grid.column);
                grid.margins(0, height - 1);
                (grid.row, grid.column) = at;
                (self.insert, self.pen, self.faint) = (false, 0, false);
            }
            (None, None, _) => self.motion(byte),
            _ => {}
        }
        Event::None
    }

    fn private_mode(&mut self, on: bool) -> Event {
        let mut event = Event::None;
        for index in 0..self.parser.parameters() {
            match self.parser.parameter(index, 0) {
                47 | 1047 | 1049 => {
                    if on && !self.in_alternate {
                        self.primary.save();
                        let (height, width) = (self.primary.height(), self.primary.width());
                        self.alternate = Grid::new(height, width);
                        (self.alternate.row, self.alternate.column) =
                            (self.primary.row, self.primary.column.min(width - 1));
                        self.in_alternate = true;
                        event = Event::AlternateOn;
                    } else if !on && self.in_alternate {
                        self.in_alternate = false;
                        self.primary.restore();
                        event = Event::AlternateOff;
                    }
                }
                2004 => {
                    self.bracketed = on;
                    event = if on {
                        Event::EditorOn
                    } else {
                        Event::EditorOff
                    };
                }
                _ => {}
            }
        }
        event
    }

    fn motion(&mut self, byte: u8) {
        let first = usize::from(self.parser.parameter(0, 1));
        let second = usize::from(self.parser.parameter(1, 1));
        let which = self.parser.parameter(0, 0);
        let (stamp, pen, last) = (self.stamp, self.pen, self.last);
        let bottom = usize::from(self.parser.parameter(1, 0));
        let grid = self.grid_mut();
        let (height, width) = (grid.height(), grid.width());
        let column = grid.column.min(width - 1);
        match byte {
            b'A' => grid.row = grid.row.saturating_sub(first),
            b'B' | b'e' => grid.row = (grid.row + first).min(height - 1),
            b'C' | b'a' => grid.column = (column + first).min(width - 1),
            b'D' => grid.column = column.saturating_sub(first),
            b'E' => grid.go_to(grid.row + first, 0),
            b'F' => grid.go_to(grid.row.saturating_sub(first), 0),
            b'G' | b'`' => grid.column = (first - 1).min(width - 1),
            b'd' => grid.row = (first - 1).min(height - 1),
            b'H' | b'f' => grid.go_to(first - 1, second - 1),
            b'J' => match which {
                0 => {
                    grid.erase(column, width);
                    grid.erase_rows(grid.row + 1, height);
                }
                1 => {
                    grid.erase(0, column + 1);
                    grid.erase_rows(0, grid.row);
                }
                _ => grid.clear(),
            },
            b'K' => match which {
                0 => grid.erase(column, width),
                1 => grid.erase(0, column + 1),
                _ => grid.erase(0, width),
            },
            b'L' => grid.insert_lines(first),
            b'M' => grid.delete_lines(first),
            b'@' => grid.insert_cells(first),
            b'P' => grid.delete_cells(first),
            b'X' => grid.erase(column, column.saturating_add(first)),
            b'S' => grid.scroll_up(first),
            b'T' => grid.scroll_down(first),
            b'b' => {
                for _ in 0..first.min(width) {
                    grid.print(last, stamp, pen, false);
                }
            }
            b'r' => grid.margins(first - 1, if bottom == 0 { height - 1 } else { bottom - 1 }),
            b's' => grid.save(),
            b'u' => grid.restore(),
            _ => {}
        }
    }

    /// Keeps a digest of the rendition, and whether it is one that fades.
    fn rendition(&mut self) {
        let count = self.parser.parameters();
        let mut index = 0;
        while index < count {
            let value = self.parser.parameter(index, 0);
            match value {
                0 => (self.pen, self.faint) = (0, false),
                2 | 90 => self.faint = true,
                22 | 39 | 30..=37 | 91..=97 => self.faint = false,
                38 => {
                    self.faint = match self.parser.parameter(index + 1, 0) {
                        5 => matches!(
                            self.parser.parameter(index + 2, 0),
                            8 | 59 | 102 | 232..=250
                        ),
                        2 => {
                            let [r, g, b] =
                                [2, 3, 4].map(|i| i32::from(self.parser.parameter(index + i, 0)));
                            (r - g).abs() < 24 && (g - b).abs() < 24 && (40..=200).contains(&g)
                        }
                        _ => false,
                    };
                    index += if self.parser.parameter(index + 1, 0) == 2 {
                        4
                    } else {
                        2
                    };
                }
                48 => {
                    index += if self.parser.parameter(index + 1, 0) == 2 {
                        4
                    } else {
                        2
                    }
                }
                _ => {}
            }
            self.pen = self.pen.rotate_left(3) ^ value as u8;
            if value == 0 {
                self.pen = 0;
            }
            index += 1;
        }
    }

    /// About how many bytes this holds.
    pub fn footprint(&self) -> usize {
        self.primary.footprint() + self.alternate.footprint() + self.backlog.footprint()
    }
}

fn size(rows: u16, columns: u16) -> (usize, usize) {
    let rows = if rows == 0 {
        24
    } else {
        rows.clamp(2, MOST_ROWS)
    };
    let columns = if columns == 0 {
        80
    } else {
        columns.clamp(2, MOST_COLUMNS)
    };
    let columns = usize::from(columns);
    (usize::from(rows).min(MOST_CELLS / columns), columns)
}

/// Whether this leaves nothing behind but text and colours: any other control could be the start of something that lasts.
fn only_paint(bytes: &[u8]) -> bool {
    memchr::memchr3_iter(0x1b, 0x0e, 0x0f, bytes).all(|at| {
        let Some([0x1b, b'[', rest @ ..]) = bytes.get(at..) else {
            return false;
        };
        let end = rest
            .iter()
            .take(40)
            .position(|b| !matches!(b, b'0'..=b'9' | b';' | b':'));
        end.and_then(|end| rest.get(end))
            .is_some_and(|b| matches!(b, b'm' | b'K'))
    })
}
