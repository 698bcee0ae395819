//! The filter: which sequences reach the auditor's terminal. Its classes are in the module's page.
use super::graphics::Charsets;
use super::parser::{Action, Csi, Parser};
use super::{sgr, turns_direction};
use std::fmt::Write;

/// Puts a terminal into order that was shown a recording as it is: what is open is ended, colours,
/// modes, mouse, keys, character sets and scroll region are reset, and the cursor is on a new line.
///
/// After [`Safe`] the shorter [`Safe::finish`] is enough; this is for `--raw`, and for a signal
/// handler that knows nothing of what was shown.
pub const RESET: &str = "\x18\x1b[0m\x1b[4l\x1b[20l\x1b>\x1b[?1l\x1b[?5l\x1b[?7h\x1b[?9l\x1b[?1000l\
    \x1b[?1001l\x1b[?1002l\x1b[?1003l\x1b[?1004l\x1b[?1005l\x1b[?1006l\x1b[?1015l\x1b[?2004l\x1b[?2026l\
    \x1b[?25h\x1b[?1049l\x1b%G\x1b(B\x1b)B\x0f\x1b[?6l\x1b[r\x1b[9999;1H\r\n";

/// Larger numbers than this say nothing to a terminal.
const LARGEST: u32 = 9999;

/// Makes terminal output safe to show. Text may come in pieces, cut anywhere.
///
/// ```
/// let mut safe = jms::replay::Safe::new();
/// let shown = safe.push("\x1b[1mhello\x1b]52;c;cm0gLXJmIH4=\x07 world\x1b[0m");
/// assert_eq!(shown, "\x1b[1mhello world\x1b[0m");
/// ```
#[derive(Debug, Default)]
pub struct Safe {
    parser: Parser,
    screen: Screen,
}

/// What has to be known of the screen that the recording believes to be on.
#[derive(Debug, Default)]
struct Screen {
    charsets: Charsets,
    saved: Charsets,
    /// The mode by which the alternate screen was entered, while it is shown.
    alternate: Option<u32>,
    /// Whether the scroll region or the origin mode was ever set.
    region: bool,
}

impl Safe {
    /// A filter for the beginning of a recording.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// What may be shown of `text`. A sequence that has not ended is held back.
    #[must_use]
    pub fn push(&mut self, text: &str) -> String {
        let mut out = String::with_capacity(text.len());
        let Self { parser, screen } = self;
        for c in text.chars() {
            parser.advance(c, |action| screen.act(action, &mut out));
        }
        out
    }

    /// What leaves the terminal as it was before the replay: alternate screen left, colours and
    /// modes reset, cursor shown and on a new line. The filter can be used for another recording.
    #[must_use]
    pub fn finish(&mut self) -> String {
        self.parser.reset();
        let screen = std::mem::take(&mut self.screen);
        let mut out = String::from("\x1b[0m\x1b[4l\x1b[?7h\x1b[?25h");
        if let Some(mode) = screen.alternate {
            let _ = write!(out, "\x1b[?{mode}l");
        }
        if screen.region {
            // Both put the cursor into the upper left corner; the last line is where a prompt goes.
            out.push_str("\x1b[?6l\x1b[r\x1b[9999;1H");
        }
        out.push_str("\r\n");
        out
    }
}

impl Screen {
    fn act(&mut self, action: Action<'_>, out: &mut String) {
        match action {
            Action::Print(c) if turns_direction(c) => out.push('\u{fffd}'),
            Action::Print(c) => out.push(self.charsets.shown(c)),
            Action::Control(c @ '\u{8}'..='\r') => out.push(c),
            Action::Control(c @ ('\u{e}' | '\u{f}')) => self.charsets.shift(c == '\u{e}'),
            Action::Control(_) => {}
            Action::Escape(between, last) => self.escape(between, last, out),
            Action::Csi(csi) => self.csi(csi, out),
        }
    }

    fn escape(&mut self, between: &str, last: char, out: &mut String) {
        match (between, last) {
            ("", '7') => self.saved = self.charsets,
            ("", '8') => self.charsets = self.saved,
            ("", 'D' | 'E' | 'M') => {}
            ("", 'c') => return self.reset(out),
            ("(" | ")", _) => return self.charsets.designate(between == ")", last),
            _ => return,
        }
        out.push('\x1b');
        out.push(last);
    }

    /// RIS, without what a terminal would forget that is not the recording's.
    fn reset(&mut self, out: &mut String) {
        if let Some(mode) = self.alternate {
            let _ = write!(out, "\x1b[?{mode}l");
        }
        *self = Self::default();
        out.push_str("\x1b[0m\x1b[4l\x1b[?6l\x1b[?7h\x1b[?25h\x1b[r\x1b[H\x1b[2J");
    }

    fn csi(&mut self, csi: Csi<'_>, out: &mut String) {
        match (csi.private, csi.intermediates, csi.last) {
            (None, "", 'm') => {
                if let Some(parameters) = sgr::filter(csi.parameters) {
                    let _ = write!(out, "\x1b[{parameters}m");
                }
            }
            (None, "", last) => self.plain(csi.parameters, last, out),
            // Selective erase: what is protected is not known here, and hardly ever anything.
            (Some('?'), "", last @ ('J' | 'K')) => self.plain(csi.parameters, last, out),
            (Some('?'), "", last @ ('h' | 'l')) => self.modes(csi.parameters, last == 'h', out),
            // DECSTR.
            (None, "!", 'p') => {
                self.charsets = Charsets::default();
                out.push_str("\x1b[0m\x1b[4l\x1b[?25h");
            }
            _ => {}
        }
    }

    /// A sequence of plain numbers.
    fn plain(&mut self, parameters: &str, last: char, out: &mut String) {
        let Some(numbers) = numbers(parameters) else {
            return;
        };
        let first = numbers.first().copied().flatten().unwrap_or(0);
        let most = match last {
            // Cursor, tabs forwards and backwards, insert, delete, erase characters, scroll, repeat.
            'A'..='G'
            | 'I'
            | 'L'
            | 'M'
            | 'P'
            | 'S'
            | 'T'
            | 'X'
            | 'Z'
            | '@'
            | '`'
            | 'a'
            | 'b'
            | 'd'
            | 'e' => 1,
            'H' | 'f' => 2,
            'J' | 'K' if first <= 2 => 1,
            'r' => 2,
            // With parameters these are margins (DECSLRM) and keyboard protocols.
            's' | 'u' => 0,
            'h' | 'l' if numbers == [Some(4)] => 1,
            _ => return,
        };
        if numbers.len() > most {
            return;
        }
        self.region |= last == 'r';
        send(out, None, &numbers, last);
    }

    /// Private modes: each one that is allowed.
    fn modes(&mut self, parameters: &str, set: bool, out: &mut String) {
        for mode in numbers(parameters)
            .unwrap_or_default()
            .into_iter()
            .flatten()
        {
            match mode {
                6 => self.region = true,
                7 | 25 => {}
                47 | 1047 | 1049 => self.alternate = set.then_some(mode),
                1048 => {}
                _ => continue,
            }
            match (mode, set) {
                (1048 | 1049, true) => self.saved = self.charsets,
                (1048 | 1049, false) => self.charsets = self.saved,
                _ => {}
            }
            send(out, Some('?'), &[Some(mode)], if set { 'h' } else { 'l' });
        }
    }
}

/// The numbers of a sequence: no more than 16, none above [`LARGEST`]; `None` if it has others.
fn numbers(parameters: &str) -> Option<Vec<Option<u32>>> {
    if parameters.is_empty() {
        return Some(Vec::new());
    }
    let number = |text: &str| match text {
        "" => Some(None),
        _ if text.bytes().all(|digit| digit.is_ascii_digit()) => {
            Some(Some(text.parse().unwrap_or(LARGEST).min(LARGEST)))
        }
        _ => None,
    };
    let numbers: Option<Vec<_>> = parameters.split(';').map(number).collect();
    numbers.filter(|numbers| numbers.len() <= 16)
}

/// Writes a sequence anew.
fn send(out: &mut String, private: Option<char>, numbers: &[Option<u32>], last: char) {
    out.push_str("\x1b[");
    out.extend(private);
    for (place, number) in numbers.iter().enumerate() {
        if place > 0 {
            out.push(';');
        }
        if let Some(number) = number {
            let _ = write!(out, "{number}");
        }
    }
    out.push(last);
}
