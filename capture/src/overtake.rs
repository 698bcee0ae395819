//! Ctrl-C and Ctrl-\, pressed by a person, do not stand behind what is held: a terminal throws away what was typed before them
//! and not read yet, and so is what is held here. Not so in a paste, and not Ctrl-Z: a network device ends its configuration
//! with it, and what stands before it counts. The line whose accepting key is being decided about is not: it stands in a line editor
//! that may not care for these keys, and so it is let go or removed first, as without them.
use crate::capture::Capture;
use crate::hold::Hold;
use crate::keys::Keys;

/// Interrupt, quit.
pub(crate) const INTERRUPTS: [u8; 2] = [0x03, 0x1c];
/// Quotes the key behind it.
const QUOTE: u8 = 0x16;
const PASTE_END: &[u8] = b"\x1b[201~";

impl Capture {
    /// Whether the held byte at this place interrupts what runs on a terminal. To a full-screen program it is a key.
    pub(crate) fn interrupts(&self, at: usize) -> bool {
        let quoted = match at.checked_sub(1) {
            Some(before) => self.held.get(before) == Some(&QUOTE),
            None => self.keys.literal(),
        };
        self.held.get(at).is_some_and(|b| INTERRUPTS.contains(b))
            && !quoted
            && !(self.screen.in_alternate()
                && self.program.reads()
                && !self.at_prompt(self.anchor.as_ref()))
    }

    /// Throws away what is held before such a key, if nothing was typed in one piece with it that stands before it.
    pub(crate) fn overtake(&mut self, typed: &[u8]) {
        let keys = typed.iter().take_while(|byte| INTERRUPTS.contains(byte));
        let (last, keys) = (typed.len(), keys.count());
        if keys == 0 || self.held.len() < last {
            return;
        }
        let kept = match self.hold {
            Hold::Free | Hold::Clearing { .. } => 0,
            Hold::Echo { .. } | Hold::Asked { .. } => 1,
            // The key is an answer.
            Hold::Confirm { .. } | Hold::Ended => return,
        };
        let from = self.held.len().saturating_sub(last).max(kept);
        let found = (from..(from + keys).min(self.held.len()))
            .rev()
            .find(|at| self.interrupts(*at));
        let Some(at) = found else {
            return;
        };
        let lines = self
            .held
            .range(kept..at)
            .filter(|byte| Keys::may_accept(**byte))
            .count();
        self.throw_away(kept, at);
        if lines > 0 && matches!(self.hold, Hold::Free | Hold::Echo { .. }) {
            let word = if lines == 1 { "line" } else { "lines" };
            self.show(
                &format!("jms: {lines} {word} typed ahead thrown away"),
                true,
            );
        }
    }

    /// The end of a paste that has begun is none of it.
    pub(crate) fn throw_away(&mut self, from: usize, to: usize) {
        let thrown: Vec<u8> = self.held.drain(from..to).collect();
        let open = self.keys.pasting() || self.dropping_paste;
        if open && memchr::memmem::find(&thrown, PASTE_END).is_some() {
            for (at, byte) in PASTE_END.iter().enumerate() {
                self.held.insert(from + at, *byte);
            }
        }
    }
}
