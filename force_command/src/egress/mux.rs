//! What is said to a client that keeps its connection (`ControlMaster`), and what it answers: OpenSSH's `PROTOCOL.mux`,
//! version 4, as far as one session over it needs.
//!
//! Trusts nothing that is read: the client speaks with a machine that may be hostile.
#![forbid(unsafe_code)]

/// What a session over the connection is to be.
#[derive(Debug, Clone, Copy)]
pub struct Wish<'a> {
    /// With a terminal.
    pub terminal: bool,
    /// The command is the name of a subsystem.
    pub subsystem: bool,
    /// The terminal's type; empty: none.
    pub term: &'a str,
    /// The command; empty: a login shell.
    pub command: &'a [u8],
    /// Variables; those that the client was told to pass on are.
    pub environment: &'a [(String, String)],
}

const HELLO: u32 = 0x0000_0001;
const VERSION: u32 = 4;
const NEW_SESSION: u32 = 0x1000_0002;
const DENIED: u32 = 0x8000_0002;
const FAILURE: u32 = 0x8000_0003;
const EXIT: u32 = 0x8000_0004;
const OPENED: u32 = 0x8000_0006;
const NO_TERMINAL: u32 = 0x8000_0008;

/// The only request that is made on a connection.
const REQUEST: u32 = 1;
/// No character escapes from the session.
const NO_ESCAPE: u32 = u32::MAX;
/// The longest answer, in bytes: reasons are sentences.
const LONGEST: usize = 64 * 1024;

/// The greeting and the request, to be followed by the three descriptors.
#[must_use]
pub fn request(wish: &Wish<'_>) -> Vec<u8> {
    let mut body = Vec::new();
    number(&mut body, NEW_SESSION);
    number(&mut body, REQUEST);
    string(&mut body, b"");
    number(&mut body, wish.terminal.into());
    // Neither X11 nor an agent.
    number(&mut body, 0);
    number(&mut body, 0);
    number(&mut body, wish.subsystem.into());
    number(&mut body, NO_ESCAPE);
    string(&mut body, wish.term.as_bytes());
    string(&mut body, wish.command);
    for (name, value) in wish.environment {
        string(&mut body, format!("{name}={value}").as_bytes());
    }
    let mut all = Vec::new();
    let mut hello = Vec::new();
    number(&mut hello, HELLO);
    number(&mut hello, VERSION);
    string(&mut all, &hello);
    string(&mut all, &body);
    all
}

fn number(into: &mut Vec<u8>, value: u32) {
    into.extend_from_slice(&value.to_be_bytes());
}

fn string(into: &mut Vec<u8>, bytes: &[u8]) {
    number(into, u32::try_from(bytes.len()).unwrap_or(u32::MAX));
    into.extend_from_slice(bytes);
}

/// What the client says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Said {
    /// The asset has opened the channel; the request goes out now.
    Opened,
    /// The asset, or the client, opened none.
    Refused,
    /// What was asked for has ended with this status.
    Exit(u32),
    /// The asset gave no terminal.
    NoTerminal,
}

/// What came is no answer; nothing more is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Nonsense;

/// The answers of one connection, in whatever pieces they come.
#[derive(Debug, Default)]
pub struct Answers {
    bytes: Vec<u8>,
    greeted: bool,
}

impl Answers {
    /// Adds what was read.
    pub fn receive(&mut self, bytes: &[u8]) {
        self.bytes.extend_from_slice(bytes);
    }

    /// The next answer that is whole and means something.
    ///
    /// # Errors
    /// [`Nonsense`].
    pub fn said(&mut self) -> Result<Option<Said>, Nonsense> {
        loop {
            let Some(length) = be(&self.bytes, 0) else {
                return Ok(None);
            };
            let length = usize::try_from(length).map_err(|_| Nonsense)?;
            if !(4..=LONGEST).contains(&length) {
                return Err(Nonsense);
            }
            let Some(body) = self.bytes.get(4..4 + length) else {
                return Ok(None);
            };
            let said = understand(body, &mut self.greeted)?;
            self.bytes.drain(..4 + length);
            if said.is_some() {
                return Ok(said);
            }
        }
    }
}

fn understand(body: &[u8], greeted: &mut bool) -> Result<Option<Said>, Nonsense> {
    let field = |place: usize| be(body, place * 4).ok_or(Nonsense);
    match field(0)? {
        HELLO if !*greeted && field(1)? == VERSION => {
            *greeted = true;
            Ok(None)
        }
        _ if !*greeted => Err(Nonsense),
        OPENED if field(1)? == REQUEST => Ok(Some(Said::Opened)),
        DENIED | FAILURE if field(1)? == REQUEST => Ok(Some(Said::Refused)),
        EXIT => Ok(Some(Said::Exit(field(2)?))),
        NO_TERMINAL => Ok(Some(Said::NoTerminal)),
        _ => Err(Nonsense),
    }
}

fn be(bytes: &[u8], at: usize) -> Option<u32> {
    let four = bytes.get(at..at.checked_add(4)?)?;
    four.try_into().ok().map(u32::from_be_bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn packet(fields: &[u32]) -> Vec<u8> {
        let body: Vec<u8> = fields.iter().flat_map(|it| it.to_be_bytes()).collect();
        let mut all = Vec::new();
        string(&mut all, &body);
        all
    }

    #[test]
    fn a_session_is_asked_for_as_the_protocol_says() {
        let wish = Wish {
            terminal: true,
            subsystem: false,
            term: "xterm",
            command: b"id",
            environment: &[("LANG".to_owned(), "C".to_owned())],
        };
        let asked = request(&wish);
        assert_eq!(asked.get(..12).unwrap(), packet(&[HELLO, 4]));
        let mut expected = Vec::new();
        for field in [NEW_SESSION, 1, 0, 1, 0, 0, 0, u32::MAX] {
            number(&mut expected, field);
        }
        for text in ["xterm", "id", "LANG=C"] {
            string(&mut expected, text.as_bytes());
        }
        assert_eq!(asked.get(16..).unwrap(), expected);
    }

    #[test]
    fn answers_are_understood_in_whatever_pieces_they_come() {
        let all = [
            packet(&[HELLO, 4]),
            packet(&[OPENED, 1, 2]),
            packet(&[NO_TERMINAL, 2]),
            packet(&[EXIT, 2, 7]),
        ]
        .concat();
        for piece in [1, 3, all.len()] {
            let mut answers = Answers::default();
            let mut said = Vec::new();
            for bytes in all.chunks(piece) {
                answers.receive(bytes);
                while let Some(one) = answers.said().unwrap() {
                    said.push(one);
                }
            }
            assert_eq!(said, [Said::Opened, Said::NoTerminal, Said::Exit(7)]);
        }
    }

    #[test]
    fn a_refusal_is_one_whatever_its_reason() {
        for kind in [FAILURE, DENIED] {
            let mut answers = Answers::default();
            answers.receive(&packet(&[HELLO, 4]));
            answers.receive(&packet(&[kind, 1, 0]));
            assert_eq!(answers.said(), Ok(Some(Said::Refused)));
        }
    }

    #[test]
    fn what_is_no_answer_is_nonsense() {
        for bytes in [
            packet(&[OPENED, 1, 2]),
            packet(&[HELLO, 5]),
            [packet(&[HELLO, 4]), packet(&[HELLO, 4])].concat(),
            [packet(&[HELLO, 4]), packet(&[OPENED, 2, 2])].concat(),
            [packet(&[HELLO, 4]), packet(&[EXIT, 2])].concat(),
            [packet(&[HELLO, 4]), packet(&[0x1234])].concat(),
            vec![0, 0, 0, 3, 1, 1, 1],
            vec![0xff; 8],
        ] {
            let mut answers = Answers::default();
            answers.receive(&bytes);
            assert_eq!(answers.said(), Err(Nonsense), "{bytes:?}");
        }
    }
}
