//! The keys of a replay, out of what a terminal sends: several at once, or one in pieces.
#![forbid(unsafe_code)]

use std::time::Duration;

/// How far the arrows go.
const SHORT: Duration = Duration::from_secs(5);
const LONG: Duration = Duration::from_secs(60);
const ESCAPE: u8 = 0x1b;
/// The longest sequence that a key of any terminal sends, in bytes.
const LONGEST: usize = 16;

/// What a key asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Key {
    /// Blank: stop, or go on.
    Pause,
    /// `.`: the next piece of output, then stop.
    Step,
    /// Left and down: back so far.
    Back(Duration),
    /// Right and up: forth so far.
    Forth(Duration),
    /// `0`, Home: from the beginning.
    Start,
    /// `+`: twice as fast.
    Faster,
    /// `-`: half as fast.
    Slower,
    /// `n`: as it happened.
    Normal,
    /// `i`: long pauses are cut short, or not.
    Idle,
    /// `q`, Ctrl-C, Ctrl-D.
    Quit,
}

/// Reads keys; what is no key of ours is passed over.
#[derive(Debug, Default)]
pub struct Keys {
    waiting: Vec<u8>,
}

/// What the first bytes are.
enum First {
    /// A key, or none of ours, of so many bytes.
    Known(Option<Key>, usize),
    /// Perhaps the beginning of one.
    Unfinished,
}

impl Keys {
    /// Takes what was typed.
    pub fn push(&mut self, typed: &[u8]) {
        self.waiting.extend_from_slice(typed);
    }

    /// The next key, if one is complete.
    pub fn take(&mut self) -> Option<Key> {
        while !self.waiting.is_empty() {
            let First::Known(key, length) = first(&self.waiting) else {
                return None;
            };
            self.waiting.drain(..length.min(self.waiting.len()));
            if key.is_some() {
                return key;
            }
        }
        None
    }
}

fn first(bytes: &[u8]) -> First {
    let Some((&byte, rest)) = bytes.split_first() else {
        return First::Unfinished;
    };
    if byte != ESCAPE {
        return First::Known(plain(byte), 1);
    }
    match rest.split_first() {
        None => First::Unfinished,
        Some((b'[' | b'O', sequence)) => match sequence
            .iter()
            .take(LONGEST)
            .position(|byte| (0x40..=0x7e).contains(byte))
        {
            Some(end) => {
                let sequence = sequence.get(..=end).unwrap_or_default();
                First::Known(arrow(sequence), end.saturating_add(3))
            }
            None if sequence.len() < LONGEST => First::Unfinished,
            None => First::Known(None, LONGEST.saturating_add(2)),
        },
        // The escape key itself, and then another one.
        Some(_) => First::Known(None, 1),
    }
}

fn plain(byte: u8) -> Option<Key> {
    match byte {
        b' ' => Some(Key::Pause),
        b'.' => Some(Key::Step),
        b'0' => Some(Key::Start),
        b'+' | b'=' => Some(Key::Faster),
        b'-' => Some(Key::Slower),
        b'n' => Some(Key::Normal),
        b'i' => Some(Key::Idle),
        b'q' | b'Q' | 0x03 | 0x04 => Some(Key::Quit),
        _ => None,
    }
}

fn arrow(sequence: &[u8]) -> Option<Key> {
    match sequence {
        b"D" => Some(Key::Back(SHORT)),
        b"C" => Some(Key::Forth(SHORT)),
        b"B" => Some(Key::Back(LONG)),
        b"A" => Some(Key::Forth(LONG)),
        b"H" | b"1~" | b"7~" => Some(Key::Start),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn keys(pieces: &[&[u8]]) -> Vec<Key> {
        let (mut keys, mut found) = (Keys::default(), Vec::new());
        for piece in pieces {
            keys.push(piece);
            found.extend(std::iter::from_fn(|| keys.take()));
        }
        found
    }

    #[test]
    fn several_keys_at_once_are_all_taken() {
        assert_eq!(
            keys(&[b" .+-ni0q\x03"]),
            [
                Key::Pause,
                Key::Step,
                Key::Faster,
                Key::Slower,
                Key::Normal,
                Key::Idle,
                Key::Start,
                Key::Quit,
                Key::Quit
            ]
        );
        assert_eq!(
            keys(&[b"\x1b[D\x1bOC"]),
            [Key::Back(SHORT), Key::Forth(SHORT)]
        );
    }

    #[test]
    fn a_key_in_pieces_is_one_key() {
        assert_eq!(keys(&[b"\x1b", b"[", b"A"]), [Key::Forth(LONG)]);
        assert_eq!(keys(&[b"\x1b[1", b"~"]), [Key::Start]);
    }

    #[test]
    fn what_is_no_key_is_passed_over_and_hides_none() {
        assert_eq!(keys(&[b"xyz\x1b[15~\x1b[1;5Cq"]), [Key::Quit]);
        assert_eq!(keys(&[b"\x1b", b"q"]), [Key::Quit]);
        assert_eq!(keys(&[b"\x1b[1111111111111111111", b"q"]), [Key::Quit]);
        assert_eq!(keys(&[b"\xff\x00"]), []);
    }

    proptest::proptest! {
        #[test]
        fn in_whatever_pieces_they_come_the_keys_are_the_same(
            typed in proptest::collection::vec(proptest::sample::select(b" .+0q\x1b[OAD1~x\xff".to_vec()), 0..60),
            at in 0_usize..60,
        ) {
            let (a, b) = typed.split_at(at.min(typed.len()));
            let bytes: Vec<&[u8]> = typed.chunks(1).collect();
            proptest::prop_assert_eq!(keys(&[&typed]), keys(&[a, b]));
            proptest::prop_assert_eq!(keys(&[&typed]), keys(&bytes));
        }
    }
}
