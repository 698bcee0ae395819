//! Terminal output into text, controls and sequences, one character at a time.
//!
//! The states are those of a VT500 (Paul Williams, "A parser for DEC's ANSI-compatible video
//! terminals"; ECMA-48), on characters instead of bytes. Trusts nothing; memory is bounded, and so
//! is what any sequence can swallow.

/// Characters after which a sequence (`CSI …`) is given up.
pub(super) const SEQUENCE_LIMIT: usize = 4096;
/// Characters after which a string (`OSC …`) is given up, and what follows is text again.
pub(super) const STRING_LIMIT: usize = 64 * 1024;
/// Bytes of parameters that are kept; a sequence with more is dropped.
pub(super) const PARAMETERS: usize = 256;
/// Intermediate characters that are kept; a sequence with more is dropped.
const INTERMEDIATES: usize = 2;

/// What the parser found.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Action<'a> {
    /// A character to show.
    Print(char),
    /// A C0 control character, but not ESC.
    Control(char),
    /// `ESC`, intermediates, final character.
    Escape(&'a str, char),
    /// `ESC [ …`.
    Csi(Csi<'a>),
}

/// A control sequence.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Csi<'a> {
    /// One of `<=>?` before the parameters.
    pub(super) private: Option<char>,
    /// Digits, `;` and `:`.
    pub(super) parameters: &'a str,
    /// Characters U+0020–002F before the final one.
    pub(super) intermediates: &'a str,
    /// What the sequence does.
    pub(super) last: char,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
enum State {
    #[default]
    Ground,
    Escape,
    Csi,
    /// DCS: may hold line feeds (sixel images do).
    DeviceString,
    /// OSC, SOS, PM, APC.
    String,
}

/// The parser's state between characters.
#[derive(Debug, Default)]
pub(super) struct Parser {
    state: State,
    private: Option<char>,
    parameters: String,
    intermediates: String,
    /// The sequence is too long or malformed: it will be dropped.
    spoilt: bool,
    length: usize,
}

impl Parser {
    /// Takes one character; calls `act` at most once.
    pub(super) fn advance(&mut self, c: char, act: impl FnOnce(Action<'_>)) {
        match (self.state, c) {
            (State::Ground, ' '..='~' | '\u{a0}'..) => act(Action::Print(c)),
            (_, '\u{1b}') => self.begin(State::Escape),
            // CAN and SUB end whatever there is; so does a C1 control, which is never passed on.
            (_, '\u{18}' | '\u{1a}' | '\u{80}'..='\u{9f}') => self.state = State::Ground,
            (State::String | State::DeviceString, _) => self.string(c, act),
            (_, '\u{7f}') => {}
            (_, '\0'..='\u{1f}') => act(Action::Control(c)),
            (_, '\u{a0}'..) => {
                self.state = State::Ground;
                act(Action::Print(c));
            }
            (State::Csi, _) => self.csi(c, act),
            (State::Escape, _) => self.escape(c, act),
        }
    }

    /// Forgets a sequence that has not ended.
    pub(super) fn reset(&mut self) {
        self.state = State::Ground;
    }

    fn begin(&mut self, state: State) {
        self.state = state;
        self.private = None;
        self.parameters.clear();
        self.intermediates.clear();
        self.spoilt = false;
        self.length = 0;
    }

    /// Counts a character of the sequence and gives up when there are too many.
    fn too_long(&mut self, limit: usize) -> bool {
        self.length += 1;
        if self.length > limit {
            self.state = State::Ground;
        }
        self.length > limit
    }

    fn string(&mut self, c: char, act: impl FnOnce(Action<'_>)) {
        match c {
            '\u{7}' => self.state = State::Ground,
            '\n'..='\r' if self.state == State::String => {
                self.state = State::Ground;
                act(Action::Control(c));
            }
            _ => {
                self.too_long(STRING_LIMIT);
            }
        }
    }

    fn escape(&mut self, c: char, act: impl FnOnce(Action<'_>)) {
        if self.too_long(SEQUENCE_LIMIT) {
            return;
        }
        match (c, self.intermediates.is_empty()) {
            (' '..='/', _) => self.intermediate(c),
            ('[', true) => self.begin(State::Csi),
            ('P', true) => self.begin(State::DeviceString),
            (']' | 'X' | '^' | '_', true) => self.begin(State::String),
            _ => {
                self.state = State::Ground;
                if !self.spoilt {
                    act(Action::Escape(&self.intermediates, c));
                }
            }
        }
    }

    fn csi(&mut self, c: char, act: impl FnOnce(Action<'_>)) {
        let first = self.length == 0;
        if self.too_long(SEQUENCE_LIMIT) {
            return;
        }
        match c {
            '0'..=';' if self.intermediates.is_empty() && self.parameters.len() < PARAMETERS => {
                self.parameters.push(c);
            }
            '<'..='?' if first => self.private = Some(c),
            '0'..='?' => self.spoilt = true,
            ' '..='/' => self.intermediate(c),
            _ => {
                self.state = State::Ground;
                if !self.spoilt {
                    act(Action::Csi(Csi {
                        private: self.private,
                        parameters: &self.parameters,
                        intermediates: &self.intermediates,
                        last: c,
                    }));
                }
            }
        }
    }

    fn intermediate(&mut self, c: char) {
        if self.intermediates.len() < INTERMEDIATES {
            self.intermediates.push(c);
        } else {
            self.spoilt = true;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Action, Parser, SEQUENCE_LIMIT, STRING_LIMIT};

    fn parse(text: &str) -> String {
        let mut parser = Parser::default();
        let mut seen = String::new();
        for c in text.chars() {
            parser.advance(c, |action| {
                seen += &match action {
                    Action::Print(c) => c.to_string(),
                    Action::Control(c) => format!("<{:02x}>", u32::from(c)),
                    Action::Escape(between, last) => format!("<ESC{between}{last}>"),
                    Action::Csi(csi) => format!(
                        "<CSI{}{}{}{}>",
                        csi.private.map(String::from).unwrap_or_default(),
                        csi.parameters,
                        csi.intermediates,
                        csi.last
                    ),
                };
            });
        }
        seen
    }

    #[test]
    fn sequences_are_told_from_text() {
        assert_eq!(
            parse("a\x1b[?25;1hb\x1b(0c\x1b7"),
            "a<CSI?25;1h>b<ESC(0>c<ESC7>"
        );
        assert_eq!(parse("\x1b[1\n2mx"), "<0a><CSI12m>x");
        assert_eq!(parse("\x1b[1\x1b[2m"), "<CSI2m>");
        assert_eq!(parse("\x1b[1\x182m"), "2m");
        assert_eq!(parse("\x1b[ q\x1b[1?hé\x1b[é"), "<CSI q>éé");
        assert_eq!(parse("\u{9b}31mx\x1b[\u{9b}31m"), "31mx31m");
    }

    #[test]
    fn strings_are_swallowed_up_to_their_end() {
        for start in ["\x1b]", "\x1bP", "\x1bX", "\x1b^", "\x1b_"] {
            assert_eq!(parse(&format!("{start}0;x;é\x1b\\a")), "<ESC\\>a");
            assert_eq!(parse(&format!("{start}0;x\x07a")), "a");
            assert_eq!(parse(&format!("{start}0;x\u{9c}a")), "a");
            assert_eq!(parse(&format!("{start}0;x\x1b[1ma")), "<CSI1m>a");
        }
        assert_eq!(parse("\x1b]0;x\nrm -rf"), "<0a>rm -rf");
        assert_eq!(parse("\x1bPq\n\r#1\x1b\\a"), "<ESC\\>a");
    }

    #[test]
    fn nothing_swallows_without_end() {
        let long = "9".repeat(STRING_LIMIT);
        assert_eq!(parse(&format!("\x1bP{long}xtext")), "text");
        let long = "9".repeat(SEQUENCE_LIMIT);
        assert_eq!(parse(&format!("\x1b[{long}xtext")), "text");
        assert_eq!(
            parse(&format!("\x1b{}xtext", " ".repeat(SEQUENCE_LIMIT))),
            "text"
        );
    }
}
