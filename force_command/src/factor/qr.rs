//! A QR code drawn with the characters of a terminal, so that a phone reads it from the screen.
//!
//! A reader wants dark modules on a light ground with four light modules around them (ISO/IEC 18004). Where the
//! terminal has colours, both are set explicitly: the code is the same on a dark and on a light one.
#![forbid(unsafe_code)]

use qrcode::{EcLevel, QrCode};
use zeroize::Zeroizing;

/// The light border around the code, in modules.
const QUIET: usize = 4;
/// Black on white. Where bright backgrounds are unknown, the ordinary white before it stays.
const INK: &str = "\x1b[0;30;47;107m";
const PAPER: &str = "\x1b[0;37;47;107m";
const DARK: &str = "\x1b[0;40m";
const PLAIN: &str = "\x1b[0m";

/// How it is drawn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Style {
    /// Half blocks: two modules in a character. Needs Unicode and colours.
    Blocks,
    /// Blanks on a coloured ground, two for a module: nothing but ASCII. Needs colours.
    Grounds,
    /// `##` for what is not of the ground's colour. For terminals that have no colours; whether dark or light is the
    /// ground only the person sees.
    Signs {
        /// The terminal writes light on dark, so that what is written is what is light.
        on_dark: bool,
    },
}

impl Style {
    /// What suits a terminal of this type and these locale variables.
    #[must_use]
    pub fn fitting<'a>(plain: bool, locale: impl IntoIterator<Item = (&'a str, &'a str)>) -> Self {
        if plain {
            return Self::Signs { on_dark: true };
        }
        match is_unicode(locale) {
            true => Self::Blocks,
            false => Self::Grounds,
        }
    }

    /// The next one, for whoever cannot read this one.
    #[must_use]
    pub fn next(self) -> Self {
        match self {
            Self::Blocks => Self::Grounds,
            Self::Grounds => Self::Signs { on_dark: true },
            Self::Signs { on_dark: true } => Self::Signs { on_dark: false },
            Self::Signs { on_dark: false } => Self::Blocks,
        }
    }

    fn columns_of_a_module(self) -> usize {
        if self == Self::Blocks { 1 } else { 2 }
    }
}

/// Whether a locale writes UTF-8. One that says nothing is taken for a terminal of today: clients that send no
/// locale (Windows, phones) have Unicode.
fn is_unicode<'a>(locale: impl IntoIterator<Item = (&'a str, &'a str)>) -> bool {
    let mut found = [None; 3];
    for (name, value) in locale {
        let order = ["LC_ALL", "LC_CTYPE", "LANG"];
        if let Some(place) = order.iter().position(|one| *one == name)
            && let Some(slot) = found.get_mut(place)
        {
            *slot = Some(value);
        }
    }
    let value = found.into_iter().flatten().find(|value| !value.is_empty());
    value.is_none_or(|value| {
        let value = value.to_ascii_lowercase();
        value.contains("utf-8") || value.contains("utf8")
    })
}

/// A code that can be drawn. It says what its text says, so it is kept as a secret is: wiped when dropped.
pub struct Code {
    modules: Zeroizing<Vec<bool>>,
    width: usize,
}

impl std::fmt::Debug for Code {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("[secret]")
    }
}

impl Code {
    /// The smallest code that says `text`; `None` if no code is large enough.
    #[must_use]
    pub fn of(text: &str) -> Option<Self> {
        let code = QrCode::with_error_correction_level(text.as_bytes(), EcLevel::L).ok()?;
        let width = code.width();
        let colours = code.into_colors();
        let modules: Vec<bool> = colours
            .iter()
            .map(|colour| *colour == qrcode::Color::Dark)
            .collect();
        Some(Self {
            modules: Zeroizing::new(modules),
            width,
        })
    }

    /// How many columns it takes.
    #[must_use]
    pub fn columns(&self, style: Style) -> usize {
        self.side() * style.columns_of_a_module()
    }

    /// How many lines it takes.
    #[must_use]
    pub fn lines(&self, style: Style) -> usize {
        match style {
            Style::Blocks => self.side().div_ceil(2),
            Style::Grounds | Style::Signs { .. } => self.side(),
        }
    }

    fn side(&self) -> usize {
        self.width + 2 * QUIET
    }

    /// Whether a module is dark; the border, and what lies beyond it, is not.
    fn is_dark(&self, row: usize, column: usize) -> bool {
        let inside = |at: usize| at.checked_sub(QUIET).filter(|at| *at < self.width);
        let (Some(row), Some(column)) = (inside(row), inside(column)) else {
            return false;
        };
        self.modules
            .get(row * self.width + column)
            .copied()
            .unwrap_or(false)
    }

    /// Lines that end with the return to the first column, for a terminal that is raw or not.
    #[must_use]
    pub fn draw(&self, style: Style) -> Zeroizing<String> {
        // Nothing of it is left behind by a growing string.
        let room = (self.columns(style) * 8 + 64) * self.lines(style);
        let mut text = Zeroizing::new(String::with_capacity(room));
        for line in 0..self.lines(style) {
            match style {
                Style::Blocks => self.blocks(line * 2, &mut text),
                Style::Grounds => self.grounds(line, &mut text),
                Style::Signs { on_dark } => self.signs(line, on_dark, &mut text),
            }
            text.push_str("\r\n");
        }
        text
    }

    fn blocks(&self, row: usize, text: &mut String) {
        text.push_str(INK);
        for column in 0..self.side() {
            text.push(
                match (self.is_dark(row, column), self.is_dark(row + 1, column)) {
                    (false, false) => ' ',
                    (true, false) => '▀',
                    (false, true) => '▄',
                    (true, true) => '█',
                },
            );
        }
        text.push_str(PLAIN);
    }

    fn grounds(&self, row: usize, text: &mut String) {
        let mut last = None;
        for column in 0..self.side() {
            let dark = self.is_dark(row, column);
            if last != Some(dark) {
                text.push_str(if dark { DARK } else { PAPER });
                last = Some(dark);
            }
            text.push_str("  ");
        }
        text.push_str(PLAIN);
    }

    fn signs(&self, row: usize, on_dark: bool, text: &mut String) {
        for column in 0..self.side() {
            let written = self.is_dark(row, column) != on_dark;
            text.push_str(if written { "##" } else { "  " });
        }
    }
}

#[cfg(test)]
#[path = "qr_tests.rs"]
mod tests;
