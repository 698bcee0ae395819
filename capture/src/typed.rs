//! The line as the keys alone tell it: a second opinion beside the screen.
use crate::keys::Key;

/// What is kept of a line.
pub const LINE_LIMIT: usize = 64 * 1024;

/// How far the keys explain the line.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Explained {
    /// Text at the end and Backspace only: any program that reads lines makes the same of it.
    Fully,
    /// Keys that most line editors understand in the same way.
    Mostly,
    /// Keys whose meaning only the line editor knows (completion, history, vi commands).
    No,
}

/// The line that the keys since the last acceptance make.
#[derive(Clone, Debug)]
pub struct Typed {
    text: Vec<char>,
    cursor: usize,
    explained: Explained,
    /// There is a tab in it: text for `cat`, completion for a line editor.
    pub tab: bool,
    /// A control character was quoted into it.
    pub literal: bool,
    /// Characters may be commands of the line editor: for its search, for vi's mode.
    pub commands: bool,
    /// `ESC` was among its keys: a line editor may be in another mode than the one that it begins in.
    pub escaped: bool,
    /// Some of it was typed while a program had the whole screen: what of it the program takes and what is left for a shell
    /// is not known.
    pub ahead: bool,
    /// Some of it was pasted in brackets.
    pub pasted: bool,
    /// Anything at all was typed.
    pub any: bool,
    /// Too long to be kept whole.
    pub cut: bool,
    /// Characters that should be echoed.
    pub shown: usize,
}

impl Default for Typed {
    fn default() -> Self {
        Typed {
            text: Vec::new(),
            cursor: 0,
            explained: Explained::Fully,
            tab: false,
            literal: false,
            commands: false,
            escaped: false,
            ahead: false,
            pasted: false,
            any: false,
            cut: false,
            shown: 0,
        }
    }
}

impl Drop for Typed {
    /// It may be a secret.
    fn drop(&mut self) {
        self.text.fill('\0');
    }
}

impl Typed {
    /// The line.
    pub fn text(&self) -> String {
        self.text.iter().collect()
    }

    /// The line as a terminal without a line editor shows it, from this column on: tabs as blanks up to the next stop.
    pub fn cooked(&self, column: usize) -> String {
        let mut shown = String::with_capacity(self.text.len());
        let mut at = column;
        for &c in &self.text {
            let blanks = if c == '\t' { 8 - at % 8 } else { 0 };
            shown.extend(std::iter::repeat_n(' ', blanks));
            if blanks == 0 {
                shown.push(c);
            }
            at += blanks.max(1);
        }
        shown
    }

    /// Gives back what memory it does not need; nothing of it is left behind there.
    pub fn shrink(&mut self) {
        if self.text.capacity() > self.text.len() * 2 {
            let exact = self.text.clone();
            self.text.fill('\0');
            self.text = exact;
        }
    }

    /// How many characters it has.
    pub fn len(&self) -> usize {
        self.text.len()
    }

    /// About how many bytes this holds.
    pub fn footprint(&self) -> usize {
        self.text.capacity() * size_of::<char>()
    }

    /// There is no text.
    pub fn is_empty(&self) -> bool {
        self.text.is_empty()
    }

    /// How far it can be believed.
    pub fn explained(&self) -> Explained {
        self.explained
    }

    /// The line editor is seen to be empty.
    pub fn clear(&mut self) {
        *self = Typed::default();
    }

    /// The line editor had text in it before the first key.
    pub fn prefilled(&mut self) {
        self.any = true;
        self.at_least(Explained::No);
    }

    /// One more key, not an accepting one.
    pub fn key(&mut self, key: Key) {
        self.any = true;
        match key {
            Key::Char(c) => {
                if c < ' ' {
                    self.literal = true;
                } else {
                    self.shown += 1;
                }
                self.insert(c);
            }
            Key::Control(0x16) => self.at_least(Explained::Mostly),
            Key::PastedLine(_) => self.insert('\n'),
            Key::Control(b'\t') => {
                self.tab = true;
                self.insert('\t');
                if !self.pasted {
                    self.at_least(Explained::Mostly);
                }
            }
            Key::Control(0x08 | 0x7f) => {
                if self.cursor > 0 {
                    self.cursor -= 1;
                    self.text.remove(self.cursor);
                }
            }
            Key::Control(0x15) => {
                self.text.drain(..self.cursor);
                self.cursor = 0;
                if self.text.is_empty() && self.explained != Explained::No {
                    self.tab = false;
                }
            }
            Key::Control(0x17) => self.rub_word(),
            Key::Control(0x01) | Key::Special(b'H', _) => self.go(0),
            Key::Control(0x05) | Key::Special(b'F', _) => self.go(self.text.len()),
            Key::Control(0x02) | Key::Special(b'D', 0) => self.go(self.cursor.saturating_sub(1)),
            Key::Control(0x06) | Key::Special(b'C', 0) => self.right(),
            Key::Control(0x0b) => {
                self.at_least(Explained::Mostly);
                self.text.truncate(self.cursor);
            }
            Key::Control(0x04) | Key::Special(b'~', 3) => {
                if self.cursor < self.text.len() {
                    self.at_least(Explained::Mostly);
                    self.text.remove(self.cursor);
                }
            }
            Key::Control(0x0c) | Key::Report | Key::Answer => {}
            Key::PasteBegin => self.pasted = true,
            Key::PasteEnd => {}
            Key::Meta(b'f') => {
                self.escaped = true;
                let rest = &self.text[self.cursor.min(self.text.len())..];
                let gap = rest.iter().take_while(|c| !c.is_alphanumeric()).count();
                let word = rest[gap..]
                    .iter()
                    .take_while(|c| c.is_alphanumeric())
                    .count();
                self.go(self.cursor + gap + word);
            }
            Key::Meta(b'b') => {
                self.escaped = true;
                let before = &self.text[..self.cursor.min(self.text.len())];
                let gap = before
                    .iter()
                    .rev()
                    .take_while(|c| !c.is_alphanumeric())
                    .count();
                let word = before
                    .iter()
                    .rev()
                    .skip(gap)
                    .take_while(|c| c.is_alphanumeric())
                    .count();
                self.go(self.cursor - gap - word);
            }
            Key::Control(0x12 | 0x13) => {
                self.commands = true;
                self.at_least(Explained::No);
            }
            Key::Control(0x1b) | Key::Meta(_) => {
                self.commands = true;
                self.escaped = true;
                self.at_least(Explained::No);
            }
            Key::Control(_) | Key::Special(..) | Key::Accept(_) => self.at_least(Explained::No),
        }
    }

    fn at_least(&mut self, explained: Explained) {
        self.explained = self.explained.max(explained);
    }

    fn insert(&mut self, c: char) {
        // Characters of up to four bytes: the limit holds in bytes too.
        if self.text.len() >= LINE_LIMIT {
            self.cut = true;
            return;
        }
        let at = self.cursor.min(self.text.len());
        self.text.insert(at, c);
        self.cursor = at + 1;
    }

    fn go(&mut self, to: usize) {
        if self.explained == Explained::Fully {
            self.explained = Explained::Mostly;
        }
        self.cursor = to.min(self.text.len());
    }

    /// At the end of the line this is no motion: suggestions are accepted with it.
    fn right(&mut self) {
        if self.cursor == self.text.len() {
            self.at_least(Explained::No);
        } else {
            self.go(self.cursor + 1);
        }
    }

    fn rub_word(&mut self) {
        self.at_least(Explained::Mostly);
        while self.cursor > 0 && self.text[self.cursor - 1] == ' ' {
            self.cursor -= 1;
            self.text.remove(self.cursor);
        }
        while self.cursor > 0 && self.text[self.cursor - 1] != ' ' {
            self.cursor -= 1;
            self.text.remove(self.cursor);
        }
    }
}
