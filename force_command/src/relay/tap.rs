//! Taps: what sits between source and sink. The recorder is one, the capture of commands another.
//!
//! # The contract
//!
//! * A tap sees every byte in order, and the asset's output **before** the client does: what could
//!   not be tapped is not shown. An error of any tap ends the session.
//! * Taps are called one after the other, the recorder first. It gets what the asset sent, never
//!   what another tap made of it, and depends on no other tap's state.
//! * Output cannot be changed or held but for what is said to a tap alone, which it [sifts](Tap::sift) out before anybody sees
//!   it; it can be added to: what a tap [shows](Tap::shows) goes to the client behind what it has
//!   seen, and to the taps before it, so that a recording has it too. Input can: a tap that [watches](Tap::watches_input) it
//!   appends to `pass` what may go on to the next tap and, in the end, to the asset; what it does
//!   not append it holds or drops. Held input can be released from a later call to
//!   [`Tap::input`] only; to be called again without new input, it asks by [`Tap::next_deadline`]
//!   and releases in [`Tap::tick`]. A tap that holds much [takes no more](Tap::takes_input): the client waits then. A tap hears when
//!   [no more comes](Tap::input_ended), and can [end the asset's input](Tap::closes_input) itself.
//! * A tap never blocks, and does no work by the clock unless it asked for it.
#![forbid(unsafe_code)]

use crate::sys::Window;
use std::fmt;
use std::time::Instant;

/// Which of the asset's two streams. With a terminal there is only one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stream {
    /// Standard output, or the terminal.
    Output,
    /// Standard error.
    Errors,
}

/// A tap can do its work no more, or forbids that the session goes on: it ends, and this says why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TapFailure {
    /// The recording cannot be written.
    Recording(String),
    /// The watch over commands broke, where rules depend on it.
    Capture(String),
    /// A rule, or a setting, forbids that the session goes on; what the person is told.
    Forbidden(String),
}

impl fmt::Display for TapFailure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Recording(sentence) | Self::Capture(sentence) | Self::Forbidden(sentence) => {
                f.write_str(sentence)
            }
        }
    }
}

impl std::error::Error for TapFailure {}

/// See the module's contract.
pub trait Tap {
    /// What of the asset's output is not for this tap alone, if something is: asked before anybody else sees it. What the tap
    /// takes out is in no recording and on no screen.
    fn sift(&mut self, _at: Instant, _stream: Stream, _bytes: &[u8]) -> Option<Vec<u8>> {
        None
    }

    /// What [`Tap::sift`] has held back, when no more comes.
    fn sift_end(&mut self, _stream: Stream) -> Vec<u8> {
        Vec::new()
    }

    /// Does what the part that was taken out asks for; after the rest of the output was shown to the taps.
    ///
    /// # Errors
    /// [`TapFailure`] ends the session.
    fn hear(&mut self, _at: Instant) -> Result<(), TapFailure> {
        Ok(())
    }

    /// What the asset sent.
    ///
    /// # Errors
    /// [`TapFailure`] ends the session before the client sees `bytes`.
    fn output(&mut self, at: Instant, stream: Stream, bytes: &[u8]) -> Result<(), TapFailure>;

    /// Whether [`Tap::input`] is to be called; asked once, before the first byte.
    fn watches_input(&self) -> bool {
        false
    }

    /// What the client sent. Appends to `pass` what may go on.
    ///
    /// # Errors
    /// [`TapFailure`] ends the session before the asset sees `bytes`.
    fn input(&mut self, _at: Instant, bytes: &[u8], pass: &mut Vec<u8>) -> Result<(), TapFailure> {
        pass.extend_from_slice(bytes);
        Ok(())
    }

    /// The client sends no more. Appends to `pass` what was held and may go on.
    ///
    /// # Errors
    /// [`TapFailure`] ends the session.
    fn input_ended(&mut self, _at: Instant, _pass: &mut Vec<u8>) -> Result<(), TapFailure> {
        Ok(())
    }

    /// Whether something is held that may still go on when no more comes: the asset's input stays open.
    fn holds_input(&self) -> bool {
        false
    }

    /// Whether no more goes to the asset: behind what was passed on its input ends, as if the client had ended it.
    fn closes_input(&self) -> bool {
        false
    }

    /// Whether more may be read from the client now.
    fn takes_input(&self) -> bool {
        true
    }

    /// What the client is to see that the asset did not send, once: asked after each other call.
    ///
    /// # Errors
    /// [`TapFailure`] ends the session before the client sees it.
    fn shows(&mut self, _at: Instant) -> Result<Vec<u8>, TapFailure> {
        Ok(Vec::new())
    }

    /// The client's terminal has a new size.
    ///
    /// # Errors
    /// [`TapFailure`] ends the session.
    fn resize(&mut self, _at: Instant, _window: Window) -> Result<(), TapFailure> {
        Ok(())
    }

    /// When [`Tap::tick`] has something to do, if ever.
    fn next_deadline(&self) -> Option<Instant> {
        None
    }

    /// Does what is due. Input that was held and is released goes to `pass`.
    ///
    /// # Errors
    /// [`TapFailure`] ends the session.
    fn tick(&mut self, _at: Instant, _pass: &mut Vec<u8>) -> Result<(), TapFailure> {
        Ok(())
    }
}

/// No tap at all: for channels whose bytes are never kept.
#[derive(Debug, Default)]
pub struct Nothing;

impl Tap for Nothing {
    fn output(&mut self, _: Instant, _: Stream, _: &[u8]) -> Result<(), TapFailure> {
        Ok(())
    }
}

/// Several taps as one, in their order.
#[derive(Default)]
pub struct Chain<'a> {
    taps: Vec<&'a mut dyn Tap>,
}

impl<'a> Chain<'a> {
    /// The recorder comes first in `taps`.
    #[must_use]
    pub fn new(taps: Vec<&'a mut dyn Tap>) -> Self {
        Self { taps }
    }
}

impl Tap for Chain<'_> {
    fn sift(&mut self, at: Instant, stream: Stream, bytes: &[u8]) -> Option<Vec<u8>> {
        self.taps.iter_mut().fold(None, |sifted, tap| {
            let rest = tap.sift(at, stream, sifted.as_deref().unwrap_or(bytes));
            rest.or(sifted)
        })
    }

    fn sift_end(&mut self, stream: Stream) -> Vec<u8> {
        self.taps
            .iter_mut()
            .flat_map(|tap| tap.sift_end(stream))
            .collect()
    }

    fn hear(&mut self, at: Instant) -> Result<(), TapFailure> {
        self.taps.iter_mut().try_for_each(|tap| tap.hear(at))
    }

    fn output(&mut self, at: Instant, stream: Stream, bytes: &[u8]) -> Result<(), TapFailure> {
        self.taps
            .iter_mut()
            .try_for_each(|tap| tap.output(at, stream, bytes))
    }

    fn watches_input(&self) -> bool {
        self.taps.iter().any(|tap| tap.watches_input())
    }

    fn input(&mut self, at: Instant, bytes: &[u8], pass: &mut Vec<u8>) -> Result<(), TapFailure> {
        feed(&mut self.taps, at, bytes.to_vec(), pass)
    }

    fn input_ended(&mut self, at: Instant, pass: &mut Vec<u8>) -> Result<(), TapFailure> {
        for first in 0..self.taps.len() {
            let (done, rest) = self.taps.split_at_mut(first + 1);
            let mut released = Vec::new();
            if let Some(tap) = done.last_mut() {
                tap.input_ended(at, &mut released)?;
            }
            if !released.is_empty() {
                feed(rest, at, released, pass)?;
            }
        }
        Ok(())
    }

    fn holds_input(&self) -> bool {
        self.taps.iter().any(|tap| tap.holds_input())
    }

    fn closes_input(&self) -> bool {
        self.taps.iter().any(|tap| tap.closes_input())
    }

    fn takes_input(&self) -> bool {
        self.taps.iter().all(|tap| tap.takes_input())
    }

    fn shows(&mut self, at: Instant) -> Result<Vec<u8>, TapFailure> {
        let mut all = Vec::new();
        for place in 0..self.taps.len() {
            let (before, rest) = self.taps.split_at_mut(place);
            let shown = match rest.first_mut() {
                Some(tap) => tap.shows(at)?,
                None => continue,
            };
            if !shown.is_empty() {
                for tap in before {
                    tap.output(at, Stream::Output, &shown)?;
                }
                all.extend(shown);
            }
        }
        Ok(all)
    }

    fn resize(&mut self, at: Instant, window: Window) -> Result<(), TapFailure> {
        self.taps
            .iter_mut()
            .try_for_each(|tap| tap.resize(at, window))
    }

    fn next_deadline(&self) -> Option<Instant> {
        self.taps.iter().filter_map(|tap| tap.next_deadline()).min()
    }

    fn tick(&mut self, at: Instant, pass: &mut Vec<u8>) -> Result<(), TapFailure> {
        // What one tap releases, those behind it have not seen yet.
        for first in 0..self.taps.len() {
            let (done, rest) = self.taps.split_at_mut(first + 1);
            let mut released = Vec::new();
            if let Some(tap) = done.last_mut() {
                tap.tick(at, &mut released)?;
            }
            if !released.is_empty() {
                feed(rest, at, released, pass)?;
            }
        }
        Ok(())
    }
}

fn feed(
    taps: &mut [&mut dyn Tap],
    at: Instant,
    bytes: Vec<u8>,
    pass: &mut Vec<u8>,
) -> Result<(), TapFailure> {
    let mut bytes = bytes;
    for tap in taps.iter_mut().filter(|tap| tap.watches_input()) {
        let mut next = Vec::new();
        tap.input(at, &bytes, &mut next)?;
        bytes = next;
    }
    pass.append(&mut bytes);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Holds everything up to a line feed, doubles it then.
    #[derive(Default)]
    struct Lines {
        held: Vec<u8>,
        released: bool,
    }

    impl Tap for Lines {
        fn output(&mut self, _: Instant, _: Stream, _: &[u8]) -> Result<(), TapFailure> {
            Ok(())
        }
        fn watches_input(&self) -> bool {
            true
        }
        fn input(
            &mut self,
            _: Instant,
            bytes: &[u8],
            pass: &mut Vec<u8>,
        ) -> Result<(), TapFailure> {
            self.held.extend_from_slice(bytes);
            if self.held.ends_with(b"\n") {
                pass.extend(self.held.repeat(2));
                self.held.clear();
            }
            Ok(())
        }
        fn tick(&mut self, _: Instant, pass: &mut Vec<u8>) -> Result<(), TapFailure> {
            if !self.released {
                pass.append(&mut self.held);
                self.released = true;
            }
            Ok(())
        }
    }

    #[test]
    fn input_goes_through_every_tap_that_watches_it_in_order() {
        let (mut first, mut blind, mut second) = (Lines::default(), Nothing, Lines::default());
        let mut chain = Chain::new(vec![&mut first, &mut blind, &mut second]);
        let mut pass = Vec::new();
        let now = Instant::now();
        chain.input(now, b"a", &mut pass).unwrap();
        assert!(pass.is_empty() && chain.watches_input());
        chain.input(now, b"\n", &mut pass).unwrap();
        assert_eq!(pass, b"a\na\na\na\n");
    }

    /// Shows one word, and remembers what it saw.
    #[derive(Default)]
    struct Speaks(Vec<u8>, &'static str);

    impl Tap for Speaks {
        fn output(&mut self, _: Instant, _: Stream, bytes: &[u8]) -> Result<(), TapFailure> {
            self.0.extend_from_slice(bytes);
            Ok(())
        }
        fn takes_input(&self) -> bool {
            self.1 != "enough"
        }
        fn shows(&mut self, _: Instant) -> Result<Vec<u8>, TapFailure> {
            Ok(std::mem::take(&mut self.1).as_bytes().to_vec())
        }
    }

    #[test]
    fn what_a_tap_shows_is_seen_by_those_before_it() {
        let (mut first, mut second) = (Speaks::default(), Speaks(Vec::new(), "enough"));
        let now = Instant::now();
        let mut chain = Chain::new(vec![&mut first, &mut second]);
        assert!(!chain.takes_input());
        assert_eq!(chain.shows(now).unwrap(), b"enough");
        assert_eq!(chain.shows(now).unwrap(), b"");
        assert!(chain.takes_input());
        drop(chain);
        assert_eq!(
            (first.0.as_slice(), second.0.as_slice()),
            (&b"enough"[..], &b""[..])
        );
    }

    #[test]
    fn what_a_tick_releases_goes_through_the_taps_behind() {
        let (mut first, mut second) = (Lines::default(), Lines::default());
        let mut chain = Chain::new(vec![&mut first, &mut second]);
        let mut pass = Vec::new();
        let now = Instant::now();
        chain.input(now, b"secret", &mut pass).unwrap();
        chain.tick(now, &mut pass).unwrap();
        assert_eq!(
            pass, b"secret",
            "released by the first, seen and then released by the second"
        );
    }
}
