//! What the user's bytes mean as keys: text, editing keys, accepting keys, pastes, and what his terminal answers by itself.

/// A key, complete with its last byte.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Key {
    /// Text.
    Char(char),
    /// A control key, Backspace (0x7f) among them.
    Control(u8),
    /// `ESC` with a character (Alt held).
    Meta(u8),
    /// A key that sends a sequence: its final byte and first parameter.
    Special(u8, u16),
    /// CR, LF, Ctrl-O: keys with which line editors accept a line. After `ESC` too.
    Accept(u8),
    /// A line end within a bracketed paste.
    PastedLine(u8),
    /// A bracketed paste begins.
    PasteBegin,
    /// A bracketed paste ends.
    PasteEnd,
    /// Not a key: the terminal answers a question of the asset's.
    Report,
    /// The same, as a string: somebody may have typed it.
    Answer,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Ground,
    Escape,
    Sequence {
        parameter: u16,
        more: bool,
        mark: bool,
        length: u8,
    },
    Ss3,
    String(u16),
    StringEscape,
}

/// The state between two bytes.
#[derive(Debug)]
pub struct Keys {
    state: State,
    pasting: bool,
    literal: bool,
    character: [u8; 4],
    have: u8,
    needed: u8,
}

impl Keys {
    /// Between two keys.
    pub fn new() -> Self {
        Keys {
            state: State::Ground,
            pasting: false,
            literal: false,
            character: [0; 4],
            have: 0,
            needed: 0,
        }
    }

    /// Within a bracketed paste.
    pub fn pasting(&self) -> bool {
        self.pasting
    }

    /// The next key is quoted.
    pub fn literal(&self) -> bool {
        self.literal
    }

    /// `ESC` has come, and nothing behind it: it is a key of its own if a line is accepted now.
    pub fn escape_open(&self) -> bool {
        self.state == State::Escape
    }

    /// Whether this byte accepts a line in some program, whatever was typed before it: quoted or pasted it may do so, too.
    pub fn may_accept(byte: u8) -> bool {
        matches!(byte, b'\r' | b'\n' | 0x0f)
    }

    /// An answer of the terminal has begun, and has not ended.
    pub fn string_open(&self) -> bool {
        matches!(self.state, State::String(_) | State::StringEscape)
    }

    /// Whether this byte would accept a line.
    pub fn would_accept(&self, byte: u8) -> bool {
        matches!(byte, b'\r' | b'\n' | 0x0f) && !self.literal && !(self.pasting && byte == 0x0f)
    }

    /// Takes one byte; the key that it completes.
    pub fn feed(&mut self, byte: u8) -> Option<Key> {
        if self.would_accept(byte) {
            // Whatever stands open: no sequence of a terminal has one of these in it.
            self.state = State::Ground;
            self.needed = 0;
            return Some(if self.pasting {
                Key::PastedLine(byte)
            } else {
                Key::Accept(byte)
            });
        }
        match self.state {
            State::Ground => self.ground(byte),
            State::Escape => {
                self.state = State::Ground;
                match byte {
                    b'[' => {
                        self.state = State::Sequence {
                            parameter: 0,
                            more: false,
                            mark: false,
                            length: 0,
                        };
                        None
                    }
                    b'O' => {
                        self.state = State::Ss3;
                        None
                    }
                    b']' | b'P' => {
                        self.state = State::String(0);
                        None
                    }
                    0x1b => {
                        self.state = State::Escape;
                        Some(Key::Control(0x1b))
                    }
                    other => Some(Key::Meta(other)),
                }
            }
            State::Ss3 => {
                self.state = State::Ground;
                Some(Key::Special(byte, 0))
            }
            State::Sequence {
                parameter,
                more,
                mark,
                length,
            } => self.sequence(byte, parameter, more, mark, length),
            State::String(length) => {
                self.state = match byte {
                    0x1b => State::StringEscape,
                    0x07 => State::Ground,
                    _ if length > 4096 => State::Ground,
                    _ => State::String(length + 1),
                };
                (self.state == State::Ground).then_some(Key::Answer)
            }
            State::StringEscape => {
                self.state = State::Ground;
                if byte == b'\\' {
                    return Some(Key::Answer);
                }
                self.state = State::Escape;
                self.feed(byte)
            }
        }
    }

    fn ground(&mut self, byte: u8) -> Option<Key> {
        if self.needed > 0 {
            if byte & 0xc0 == 0x80 {
                self.character[usize::from(self.have.min(3))] = byte;
                self.have += 1;
                self.needed -= 1;
                if self.needed > 0 {
                    return None;
                }
                let text = self
                    .character
                    .get(..usize::from(self.have))
                    .and_then(|b| std::str::from_utf8(b).ok());
                self.literal = false;
                return Some(Key::Char(
                    text.and_then(|t| t.chars().next())
                        .unwrap_or(char::REPLACEMENT_CHARACTER),
                ));
            }
            self.needed = 0;
        }
        let literal = std::mem::take(&mut self.literal);
        match byte {
            0..=0x1f | 0x7f if literal => Some(Key::Char(byte as char)),
            0x1b => {
                self.state = State::Escape;
                None
            }
            0x16 if !literal && !self.pasting => {
                self.literal = true;
                Some(Key::Control(byte))
            }
            0x20..=0x7e => Some(Key::Char(byte as char)),
            0..=0x1f | 0x7f => Some(Key::Control(byte)),
            0xc2..=0xf4 => {
                self.literal = literal;
                self.character[0] = byte;
                self.have = 1;
                self.needed = if byte < 0xe0 {
                    1
                } else if byte < 0xf0 {
                    2
                } else {
                    3
                };
                None
            }
            _ => Some(Key::Char(char::REPLACEMENT_CHARACTER)),
        }
    }

    fn sequence(
        &mut self,
        byte: u8,
        parameter: u16,
        more: bool,
        mark: bool,
        length: u8,
    ) -> Option<Key> {
        self.state = State::Ground;
        match byte {
            b'0'..=b'9' if length < 40 => {
                let parameter = if more {
                    parameter
                } else {
                    parameter
                        .saturating_mul(10)
                        .saturating_add(u16::from(byte - b'0'))
                };
                self.state = State::Sequence {
                    parameter,
                    more,
                    mark,
                    length: length + 1,
                };
                None
            }
            0x20..=0x3f if length < 40 => {
                self.state = State::Sequence {
                    parameter,
                    more: true,
                    mark: mark || byte > b';',
                    length: length + 1,
                };
                None
            }
            b'~' if parameter == 200 && !more => {
                self.pasting = true;
                Some(Key::PasteBegin)
            }
            b'~' if parameter == 201 && !more => {
                self.pasting = false;
                Some(Key::PasteEnd)
            }
            b'R' if more => Some(Key::Report),
            b'c' | b'n' | b'y' | b't' if parameter > 0 || mark => Some(Key::Report),
            b'u' if mark => Some(Key::Report),
            b'I' | b'O' if length == 0 => Some(Key::Report),
            b'M' | b'm' if mark => Some(Key::Report),
            0x1b => {
                self.state = State::Escape;
                None
            }
            _ => Some(Key::Special(byte, parameter)),
        }
    }
}
