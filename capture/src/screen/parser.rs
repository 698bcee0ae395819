//! Escape sequences: bytes in, [`Token`]s out. Hostile bytes: all is bounded, nothing is fatal, and no string that is never
//! ended can swallow what follows for good.

/// The longest control string (OSC, DCS …) that is skipped; what follows is text again.
const STRING_LIMIT: u32 = 256 * 1024;
/// The longest control sequence.
const SEQUENCE_LIMIT: u8 = 200;
/// Parameters that are kept of a control sequence.
pub const PARAMETERS: usize = 16;

/// What one byte completed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Token {
    /// Nothing yet.
    None,
    /// A character to show.
    Print(char),
    /// A control byte.
    Control(u8),
    /// `ESC` and a final byte, with at most one byte between.
    Escape(Option<u8>, u8),
    /// A control sequence: the private mark (`?`, `>` …), an intermediate byte, the final byte. Parameters: [`Parser::parameter`].
    Sequence(Option<u8>, Option<u8>, u8),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Ground,
    Escape,
    Sequence,
    /// A control string; true: an operating system command.
    String(bool),
    /// `ESC` within a control string.
    StringEscape(bool),
}

/// The state between two bytes.
#[derive(Debug)]
pub struct Parser {
    state: State,
    mark: Option<u8>,
    intermediate: Option<u8>,
    parameters: [u16; PARAMETERS],
    count: usize,
    length: u8,
    string_length: u32,
    character: u32,
    needed: u8,
    least: u32,
}

impl Parser {
    /// Between two sequences.
    pub fn new() -> Self {
        Parser {
            state: State::Ground,
            mark: None,
            intermediate: None,
            parameters: [0; PARAMETERS],
            count: 0,
            length: 0,
            string_length: 0,
            character: 0,
            needed: 0,
            least: 0,
        }
    }

    /// Neither within a sequence nor within a character.
    pub fn at_ground(&self) -> bool {
        self.state == State::Ground && self.needed == 0
    }

    /// Gives up an open control string: what the asset echoes must be readable, whatever it has opened before.
    pub fn close_string(&mut self) {
        if matches!(self.state, State::String(_) | State::StringEscape(_)) {
            self.state = State::Ground;
        }
    }

    /// Parameter `index`, or `default` when it was not given or is 0.
    pub fn parameter(&self, index: usize, default: u16) -> u16 {
        match self.parameters.get(index) {
            Some(&value) if index <= self.count && value != 0 => value,
            _ => default,
        }
    }

    /// How many parameters there are (at least one).
    pub fn parameters(&self) -> usize {
        (self.count + 1).min(PARAMETERS)
    }

    /// Takes one byte.
    pub fn advance(&mut self, byte: u8) -> Token {
        match self.state {
            State::Ground => self.ground(byte),
            State::Escape => self.escape(byte),
            State::Sequence => self.sequence(byte),
            State::String(command) => self.string(byte, command),
            State::StringEscape(_command) => {
                if byte == b'\\' {
                    self.state = State::Ground;
                    return Token::None;
                }
                self.state = State::Escape;
                self.mark = None;
                self.intermediate = None;
                self.escape(byte)
            }
        }
    }

    fn ground(&mut self, byte: u8) -> Token {
        if self.needed > 0 {
            if byte & 0xc0 == 0x80 {
                self.character = self.character << 6 | u32::from(byte & 0x3f);
                self.needed -= 1;
                if self.needed > 0 {
                    return Token::None;
                }
                let whole = if self.character >= self.least {
                    char::from_u32(self.character)
                } else {
                    None
                };
                return match whole {
                    Some(c) if ('\u{80}'..'\u{a0}').contains(&c) => Token::None,
                    Some(c) => Token::Print(c),
                    None => Token::Print(char::REPLACEMENT_CHARACTER),
                };
            }
            // A broken character: shown as one, and this byte is looked at for itself unless it is text.
            self.needed = 0;
            if (0x20..0x7f).contains(&byte) {
                return Token::Print(byte as char);
            }
        }
        match byte {
            0x1b => {
                self.state = State::Escape;
                self.mark = None;
                self.intermediate = None;
                Token::None
            }
            0x20..=0x7e => Token::Print(byte as char),
            0..=0x1f | 0x7f => Token::Control(byte),
            0xc2..=0xdf => self.begin(byte & 0x1f, 1, 0x80),
            0xe0..=0xef => self.begin(byte & 0x0f, 2, 0x800),
            0xf0..=0xf4 => self.begin(byte & 0x07, 3, 0x10000),
            _ => Token::Print(char::REPLACEMENT_CHARACTER),
        }
    }

    fn begin(&mut self, bits: u8, needed: u8, least: u32) -> Token {
        self.character = u32::from(bits);
        self.needed = needed;
        self.least = least;
        Token::None
    }

    fn escape(&mut self, byte: u8) -> Token {
        match byte {
            b'[' => {
                self.state = State::Sequence;
                self.parameters = [0; PARAMETERS];
                self.count = 0;
                self.length = 0;
                Token::None
            }
            b']' | b'P' | b'X' | b'^' | b'_' => {
                self.state = State::String(byte == b']');
                self.string_length = 0;
                Token::None
            }
            0x1b => Token::None,
            0x18 | 0x1a => {
                self.state = State::Ground;
                Token::None
            }
            0..=0x1f => Token::Control(byte),
            0x20..=0x2f => {
                self.intermediate = Some(byte);
                Token::None
            }
            0x30..=0x7e => {
                self.state = State::Ground;
                Token::Escape(self.intermediate, byte)
            }
            _ => {
                self.state = State::Ground;
                Token::None
            }
        }
    }

    fn sequence(&mut self, byte: u8) -> Token {
        self.length = self.length.saturating_add(1);
        if self.length > SEQUENCE_LIMIT {
            self.state = State::Ground;
            return Token::None;
        }
        match byte {
            b'0'..=b'9' => {
                if let Some(value) = self.parameters.get_mut(self.count) {
                    *value = value
                        .saturating_mul(10)
                        .saturating_add(u16::from(byte - b'0'));
                }
            }
            b';' | b':' => self.count = (self.count + 1).min(PARAMETERS),
            b'<'..=b'?' => self.mark = Some(byte),
            0x20..=0x2f => self.intermediate = Some(byte),
            0x40..=0x7e => {
                self.state = State::Ground;
                return Token::Sequence(self.mark, self.intermediate, byte);
            }
            0x1b => {
                self.state = State::Escape;
                self.mark = None;
                self.intermediate = None;
            }
            0x18 | 0x1a => self.state = State::Ground,
            0..=0x1f => return Token::Control(byte),
            _ => {}
        }
        Token::None
    }

    fn string(&mut self, byte: u8, command: bool) -> Token {
        self.string_length += 1;
        match byte {
            0x07 if command => {
                self.state = State::Ground;
                Token::None
            }
            0x1b => {
                self.state = State::StringEscape(command);
                Token::None
            }
            0x18 | 0x1a => {
                self.state = State::Ground;
                Token::None
            }
            _ if self.string_length >= STRING_LIMIT => {
                self.state = State::Ground;
                Token::None
            }
            _ => Token::None,
        }
    }
}
