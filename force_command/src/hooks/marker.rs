//! Markers: what a hook says in the asset's output, and the sieve that takes it out.
//!
//! `ESC P jms ; TOKEN ; KIND ; … ; LENGTH ; TEXT ESC \`: a device control string, which terminals that meet it ignore. The text
//! has neither control characters nor `%` in it but as `%` and two hex digits; LENGTH counts its bytes, so that output of
//! something else in between is noticed. Before the token is known to the shell there are `hello` and `none`, without one.
//!
//! The sieve holds back what may be the beginning of a marker, which nobody would see before the rest of it comes.
#![forbid(unsafe_code)]

use super::mask::Mask;
use jms::id::Token;
use std::collections::VecDeque;

const BEGIN: &[u8] = b"\x1bPjms;";
const END: &[u8] = b"\x1b\\";
/// A marker is no longer than this, in bytes: a line of 64 KiB of which each character is written as three, and the rest.
const LONGEST: usize = 200 * 1024;
/// A marker without token is no longer.
const LONGEST_UNPROVED: usize = 128;
/// Echoes that are looked for at once.
const ECHOES: usize = 4;

/// What a hook says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Marker {
    /// A shell has read its start-up files and waits for the token.
    Hello {
        /// Names the question.
        nonce: String,
        /// Its name.
        shell: String,
    },
    /// There are no hooks for this shell.
    None {
        /// Its name.
        shell: String,
    },
    /// The hooks are set up.
    Hooked {
        /// Names the question.
        nonce: String,
        /// What was typed ahead and has to be typed again.
        eaten: Vec<u8>,
    },
    /// The shell is about to read a line.
    Prompt {
        /// The hook is still in its place.
        hooked: bool,
    },
    /// The shell is about to run this, and waits.
    Command {
        /// Names the question.
        nonce: String,
        /// The text is surely that of this command: the shell's history has it.
        fresh: bool,
        /// It stands in the line editor still: the cursor is behind it.
        edited: bool,
        /// Its number in the history.
        number: String,
        /// The text; none: something disturbed it.
        line: Option<String>,
    },
    /// The answer has come.
    Goes {
        /// Names the question.
        nonce: String,
        /// What was typed ahead and has to be typed again.
        eaten: Vec<u8>,
    },
    /// The answer was no, and the shell cannot skip the command: it waits for ever.
    Stuck,
}

/// See the module.
pub struct Sieve {
    mask: Mask,
    token: Token,
    /// The start of a marker or of an echo.
    held: Vec<u8>,
    echoes: VecDeque<Vec<u8>>,
}

impl std::fmt::Debug for Sieve {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Sieve").finish_non_exhaustive()
    }
}

impl Sieve {
    /// For a session with this token.
    #[must_use]
    pub fn new(token: Token) -> Self {
        Self {
            mask: Mask::new(token.clone()),
            token,
            held: Vec::new(),
            echoes: VecDeque::new(),
        }
    }

    /// Takes this out, too, wherever it comes, until [`Sieve::expect_no_echo`].
    pub fn expect_echo(&mut self, echo: Vec<u8>) {
        if self.echoes.len() >= ECHOES {
            self.echoes.pop_front();
        }
        self.echoes.push_back(echo);
    }

    /// No echo can come any more.
    pub fn expect_no_echo(&mut self) {
        self.echoes.clear();
    }

    /// The asset printed something: what of it others are to see, and the markers in it.
    pub fn feed(&mut self, bytes: &[u8]) -> (Vec<u8>, Vec<Marker>) {
        let (seen, markers) = self.sift(bytes);
        (self.mask.feed(&seen), markers)
    }

    fn sift(&mut self, bytes: &[u8]) -> (Vec<u8>, Vec<Marker>) {
        let mut input = std::mem::take(&mut self.held);
        input.extend_from_slice(bytes);
        let (mut rest, mut seen, mut markers) = (input.as_slice(), Vec::new(), Vec::new());
        while let Some(first) = self.next_start(rest) {
            let (before, from) = rest.split_at(first);
            seen.extend_from_slice(before);
            match self.at_start(from) {
                Found::Marker(length, marker) => {
                    markers.extend(marker);
                    rest = from.get(length..).unwrap_or_default();
                }
                Found::More => {
                    self.held = from.to_vec();
                    return (seen, markers);
                }
                Found::Nothing => {
                    seen.extend(from.first());
                    rest = from.get(1..).unwrap_or_default();
                }
            }
        }
        seen.extend_from_slice(rest);
        (seen, markers)
    }

    /// No more comes: what was held back was no marker.
    pub fn end(&mut self) -> Vec<u8> {
        let held = std::mem::take(&mut self.held);
        let mut seen = self.mask.feed(&held);
        seen.extend(self.mask.end());
        seen
    }

    fn next_start(&self, bytes: &[u8]) -> Option<usize> {
        match self.echoes.is_empty() {
            true => memchr::memchr(0x1b, bytes),
            false => memchr::memchr2(0x1b, b'^', bytes),
        }
    }

    fn at_start(&self, bytes: &[u8]) -> Found {
        for echo in &self.echoes {
            if bytes.starts_with(echo) {
                return Found::Marker(echo.len(), None);
            }
        }
        if self.echoes.iter().any(|echo| echo.starts_with(bytes)) || BEGIN.starts_with(bytes) {
            return Found::More;
        }
        let Some(body) = bytes.strip_prefix(BEGIN) else {
            return Found::Nothing;
        };
        let token = self.token.reveal().as_bytes();
        let proved = body.starts_with(token);
        let undecided = token.starts_with(body)
            || [&b"hello;"[..], b"none;"]
                .iter()
                .any(|word| word.starts_with(body));
        if undecided && !proved {
            return Found::More;
        }
        let unproved = body.starts_with(b"hello;") || body.starts_with(b"none;");
        let longest = match (proved, unproved) {
            (true, _) => LONGEST,
            (_, true) => LONGEST_UNPROVED,
            _ => return Found::Nothing,
        };
        match memchr::memmem::find(body, END) {
            Some(length) if proved || length <= longest => {
                let text = body.get(..length).unwrap_or_default();
                let whole = BEGIN.len() + length + END.len();
                let marker = match proved {
                    true => of_hook(text.get(token.len() + 1..).unwrap_or_default()),
                    false => of_stranger(text),
                };
                match (proved, &marker) {
                    (false, None) => Found::Nothing,
                    _ => Found::Marker(whole, marker),
                }
            }
            None if body.len() <= longest => Found::More,
            // Too long: the token at least is nobody's to see.
            _ if proved => Found::Marker(BEGIN.len() + token.len(), None),
            _ => Found::Nothing,
        }
    }
}

enum Found {
    /// So many bytes are not for others.
    Marker(usize, Option<Marker>),
    /// It may become one.
    More,
    Nothing,
}

fn plain(text: &[u8]) -> Option<String> {
    let text = std::str::from_utf8(text).ok()?;
    let plain = text
        .chars()
        .all(|c| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_' | ' ' | '(' | ')'));
    plain.then(|| text.to_owned())
}

fn of_stranger(text: &[u8]) -> Option<Marker> {
    let mut fields = text.splitn(3, |byte| *byte == b';');
    match (fields.next()?, fields.next()?, fields.next()) {
        (b"hello", nonce, Some(shell)) => Some(Marker::Hello {
            nonce: digits(nonce)?,
            shell: plain(shell)?,
        }),
        (b"none", shell, None) => Some(Marker::None {
            shell: plain(shell)?,
        }),
        _ => None,
    }
}

fn digits(text: &[u8]) -> Option<String> {
    let fits = (1..=32).contains(&text.len()) && text.iter().all(u8::is_ascii_digit);
    fits.then(|| String::from_utf8_lossy(text).into_owned())
}

fn of_hook(text: &[u8]) -> Option<Marker> {
    let mut fields = text.splitn(2, |byte| *byte == b';');
    let (kind, rest) = (fields.next()?, fields.next().unwrap_or_default());
    let count = match kind {
        b"p" | b"x" | b"g" | b"h" => 3,
        b"c" => 5,
        _ => return None,
    };
    let fields: Vec<&[u8]> = rest.splitn(count, |byte| *byte == b';').collect();
    let field = |index: usize| fields.get(index).copied().unwrap_or_default();
    let text = || unescaped(field(count - 2), field(count - 1));
    Some(match kind {
        b"p" => Marker::Prompt {
            hooked: field(0) == b"1",
        },
        b"x" => Marker::Stuck,
        b"h" => Marker::Hooked {
            nonce: digits(field(0))?,
            eaten: text().unwrap_or_default(),
        },
        b"g" => Marker::Goes {
            nonce: digits(field(0))?,
            eaten: text().unwrap_or_default(),
        },
        _ => Marker::Command {
            nonce: digits(field(0))?,
            fresh: matches!(field(1), b"1" | b"2"),
            edited: field(1) == b"2",
            number: digits(field(2)).unwrap_or_default(),
            line: text().map(|text| String::from_utf8_lossy(&text).into_owned()),
        },
    })
}

/// The text, if it is as long as it says and nothing stands in it that was not written so.
fn unescaped(length: &[u8], text: &[u8]) -> Option<Vec<u8>> {
    let length: usize = std::str::from_utf8(length).ok()?.parse().ok()?;
    if length != text.len() {
        return None;
    }
    let mut out = Vec::with_capacity(text.len());
    let mut bytes = text.iter().copied();
    while let Some(byte) = bytes.next() {
        match byte {
            b'%' => {
                let hex = [bytes.next()?, bytes.next()?];
                let hex = std::str::from_utf8(&hex).ok()?;
                out.push(u8::from_str_radix(hex, 16).ok()?);
            }
            0..0x20 | 0x7f => return None,
            byte => out.push(byte),
        }
    }
    Some(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sieve() -> (Sieve, String) {
        let token = Token::random().unwrap();
        let text = token.reveal().to_owned();
        (Sieve::new(token), text)
    }

    fn announced(token: &str, text: &str) -> Vec<u8> {
        let length = text.len();
        format!("\x1bPjms;{token};c;77;1;5;{length};{text}\x1b\\").into_bytes()
    }

    #[test]
    fn a_marker_is_taken_out_wherever_the_reads_cut_it() {
        let (_, token) = sieve();
        let mut output = b"\x1b[?2004l\r\n".to_vec();
        output.extend(announced(&token, "echo 100%25 %0a;done"));
        output.extend(b"next\x1b");
        for cut in 0..output.len() {
            let mut sieve = Sieve::new(Token::parse(&token).unwrap());
            let (mut seen, mut markers) = sieve.feed(&output[..cut]);
            let (more, others) = sieve.feed(&output[cut..]);
            seen.extend(more);
            seen.extend(sieve.end());
            markers.extend(others);
            assert_eq!(seen, b"\x1b[?2004l\r\nnext\x1b", "cut at {cut}");
            let expected = Marker::Command {
                nonce: "77".into(),
                fresh: true,
                edited: false,
                number: "5".into(),
                line: Some("echo 100% \n;done".into()),
            };
            assert_eq!(markers, [expected], "cut at {cut}");
        }
    }

    #[test]
    fn a_marker_without_the_token_is_output() {
        let (mut sieve, token) = sieve();
        for forged in [
            announced(&"0".repeat(32), "ls"),
            announced(&token[..31], "ls"),
            announced("", "ls"),
            b"\x1bPjms;none;a;b\x1b\\".to_vec(),
            b"\x1bPjms;hello;x;bash\x1b\\".to_vec(),
            b"\x1bPjms;hello;".repeat(40),
            b"\x1b]0;title\x07\x1bP\x1b\\".to_vec(),
        ] {
            let (mut seen, markers) = sieve.feed(&forged);
            seen.extend(sieve.end());
            assert_eq!((seen, markers), (forged, vec![]));
        }
    }

    #[test]
    fn what_another_program_prints_into_a_marker_is_noticed() {
        let (mut sieve, token) = sieve();
        let whole = String::from_utf8(announced(&token, "echo quince")).unwrap();
        for noise in ["noise", "\r\n", "\x07"] {
            let (seen, markers) = sieve.feed(whole.replace("quin", noise).as_bytes());
            assert_eq!(seen, b"");
            assert!(
                matches!(&markers[..], [Marker::Command { line: None, .. }]),
                "{markers:?}"
            );
        }
    }

    #[test]
    fn an_endless_marker_neither_fills_the_memory_nor_shows_the_token() {
        let (mut sieve, token) = sieve();
        let mut seen = sieve
            .feed(format!("\x1bPjms;{token};c;1;1;1;9;").as_bytes())
            .0;
        for _ in 0..100 {
            seen.extend(sieve.feed(&[b'x'; 4096]).0);
            assert!(sieve.held.len() <= LONGEST + 8192);
        }
        seen.extend(sieve.end());
        assert!(seen.len() > 100 * 4096 - 8192);
        assert!(!String::from_utf8_lossy(&seen).contains(&token));
    }

    #[test]
    fn an_echoed_answer_is_taken_out_while_it_is_expected() {
        let (mut sieve, _) = sieve();
        for echo in super::super::start::echoed("123", "1") {
            sieve.expect_echo(echo);
        }
        assert_eq!(sieve.feed(b"ls^[[77;1").0, b"ls");
        assert_eq!(sieve.feed(b"23;1z^C\x1b[77;123;1z\x1b[m").0, b"^C\x1b[m");
        sieve.expect_no_echo();
        assert_eq!(sieve.feed(b"^[[77;123;1z").0, b"^[[77;123;1z");
    }

    proptest::proptest! {
        #[test]
        fn the_same_is_seen_and_announced_however_the_reads_cut_it(
            inside in "(c|g|p|x|h|;|[0-9]|%|\x1b|[\\\\]|P|jms|\\PC){0,40}",
            behind in "(\x1b|[\\\\]|P|jms;|none;|\\^\\[\\[77;|az){0,20}",
        ) {
            let (_, token) = sieve();
            let output = format!("before\x1bPjms;{token};{inside}\x1b\\{behind}").into_bytes();
            let sift = |parts: Vec<&[u8]>| {
                let mut sieve = Sieve::new(Token::parse(&token).unwrap());
                for echo in super::super::start::echoed("77", "1") {
                    sieve.expect_echo(echo);
                }
                let (mut seen, mut markers) = (Vec::new(), Vec::new());
                for part in parts {
                    let (more, others) = sieve.feed(part);
                    seen.extend(more);
                    markers.extend(others);
                }
                seen.extend(sieve.end());
                (seen, markers)
            };
            let whole = sift(vec![&output]);
            proptest::prop_assert_eq!(&whole, &sift(output.chunks(1).collect()));
            proptest::prop_assert_eq!(&whole, &sift(output.chunks(7).collect()));
            proptest::prop_assert!(!String::from_utf8_lossy(&whole.0).contains(&token));
        }

        #[test]
        fn what_is_no_marker_passes_unchanged(
            bytes in proptest::collection::vec(proptest::prelude::any::<u8>(), 0..300),
            cut in 0usize..300,
        ) {
            let (mut sieve, _) = sieve();
            let cut = cut.min(bytes.len());
            let mut seen = sieve.feed(&bytes[..cut]).0;
            seen.extend(sieve.feed(&bytes[cut..]).0);
            seen.extend(sieve.end());
            proptest::prop_assert_eq!(seen, bytes);
        }
    }
}
