//! What a hook hands back: it read what was typed ahead of its answer, and wants it typed again.
//!
//! That goes to the asset without being judged a second time. So it has to be what was sent there last, from the beginning of a
//! line: nothing that an asset prints becomes something typed.
#![forbid(unsafe_code)]

/// A terminal holds no more than this for a program that does not read.
const QUEUE: usize = 4096;

/// The last of what was sent to the asset.
#[derive(Debug, Default)]
pub(super) struct Sent(Vec<u8>);

impl Sent {
    /// This went there.
    pub(super) fn add(&mut self, bytes: &[u8]) {
        self.0.extend_from_slice(bytes);
        let more = self.0.len().saturating_sub(QUEUE);
        self.0.drain(..more);
    }

    /// Whether a hook can have read this: the last lines that were sent, as they are or as a terminal has edited them.
    pub(super) fn ends_with(&self, eaten: &[u8]) -> bool {
        let eaten = folded(eaten);
        eaten.is_empty()
            || [folded(&self.0), edited(&self.0)].iter().any(|sent| {
                sent.strip_suffix(eaten.as_slice())
                    .is_some_and(|before| matches!(before.last(), None | Some(b'\n' | 0x0f)))
            })
    }
}

/// As a terminal hands it on: return is a line end, and NUL bytes get lost.
fn folded(bytes: &[u8]) -> Vec<u8> {
    let mut bytes: Vec<u8> = bytes
        .iter()
        .map(|byte| if *byte == b'\r' { b'\n' } else { *byte })
        .collect();
    bytes.retain(|byte| *byte != 0);
    bytes
}

/// After the keys that rub out.
fn edited(bytes: &[u8]) -> Vec<u8> {
    let mut out: Vec<u8> = Vec::new();
    let at_line = |out: &Vec<u8>| matches!(out.last(), None | Some(b'\n'));
    for byte in folded(bytes) {
        match byte {
            0x7f | 0x08 => {
                // A character of several bytes goes whole.
                while !at_line(&out) && out.pop().is_some_and(|byte| byte & 0xc0 == 0x80) {}
            }
            0x15 => {
                while !at_line(&out) {
                    out.pop();
                }
            }
            // An interrupt throws everything away.
            0x03 | 0x1c | 0x1a => out.clear(),
            0x04 | 0x11 | 0x13 => {}
            byte => out.push(byte),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sent(text: &str) -> Sent {
        let mut sent = Sent::default();
        sent.add(text.as_bytes());
        sent
    }

    #[test]
    fn what_was_typed_ahead_can_be_handed_back() {
        for (typed, eaten) in [
            ("sleep 1\recho one\r", "echo one\n"),
            ("sleep 1\recho one\recho t", "echo one\necho t"),
            ("sleep 1\rlss\x7f -l\r", "ls -l\n"),
            ("sleep 1\rquit\x15né\x7fa\r", "na\n"),
            ("date\x0fup", "up"),
            ("one\x03two\r", "two\n"),
            ("sleep 1\r", ""),
        ] {
            assert!(
                sent(typed).ends_with(eaten.as_bytes()),
                "{typed:?} {eaten:?}"
            );
        }
    }

    #[test]
    fn what_was_not_typed_and_parts_of_lines_cannot() {
        for (typed, eaten) in [
            ("sleep 1\r", "reboot\n"),
            ("echo reboot\r", "reboot\n"),
            ("reboot\rls\r", "reboot\n"),
            ("sleep 1\rls", "ls\n"),
        ] {
            assert!(
                !sent(typed).ends_with(eaten.as_bytes()),
                "{typed:?} {eaten:?}"
            );
        }
    }
}
