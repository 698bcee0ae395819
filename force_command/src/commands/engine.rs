//! The engine behind a fence: a panic in it breaks it, and nothing else.

use capture::{Action, Capture, JudgementId, Size, Verdict};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Instant;

/// The engine broke, now or before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Broken;

/// The engine of one session, as long as it works.
#[derive(Debug)]
pub struct Engine(Option<Box<Capture>>);

impl Engine {
    /// A new one.
    pub fn new(size: Size, settings: capture::Settings) -> Self {
        let made = catch_unwind(|| Box::new(Capture::new(size, settings)));
        Self(made.ok())
    }

    /// Whether it works.
    pub fn works(&self) -> bool {
        self.0.is_some()
    }

    /// Has it do something.
    fn call<T>(&mut self, work: impl FnOnce(&mut Capture) -> T) -> Result<T, Broken> {
        // What is half done inside is never looked at again.
        let engine = self.0.as_mut().ok_or(Broken)?;
        let done = catch_unwind(AssertUnwindSafe(|| work(engine)));
        done.map_err(|_| {
            self.0 = None;
            Broken
        })
    }

    /// The person typed something.
    pub fn typed(&mut self, now: Instant, bytes: &[u8]) -> Result<(), Broken> {
        self.call(|engine| engine.typed(now, bytes))
    }

    /// The asset printed something.
    pub fn printed(&mut self, now: Instant, bytes: &[u8]) -> Result<(), Broken> {
        self.call(|engine| engine.printed(now, bytes))
    }

    /// The window has another size.
    pub fn resized(&mut self, now: Instant, size: Size) -> Result<(), Broken> {
        self.call(|engine| engine.resized(now, size))
    }

    /// Rules apply from now on, or no more.
    pub fn enforce(&mut self, enforcing: bool) -> Result<(), Broken> {
        self.call(|engine| engine.enforce(enforcing))
    }

    /// Time has passed.
    pub fn tick(&mut self, now: Instant) -> Result<(), Broken> {
        self.call(|engine| engine.tick(now))
    }

    /// The session is over.
    pub fn ended(&mut self, now: Instant) -> Result<(), Broken> {
        self.call(|engine| engine.ended(now))
    }

    /// What the rules say.
    pub fn verdict(
        &mut self,
        now: Instant,
        id: JudgementId,
        verdict: Verdict,
    ) -> Result<(), Broken> {
        self.call(|engine| engine.verdict(now, id, verdict))
    }

    /// What it wants done.
    pub fn next_action(&mut self) -> Result<Option<Action>, Broken> {
        self.call(Capture::next_action)
    }

    /// The oldest judgement that it may still speak of.
    pub fn oldest_judgement(&self) -> Option<JudgementId> {
        self.0.as_ref()?.oldest_judgement()
    }

    /// How many of the person's bytes it holds.
    pub fn held(&self) -> usize {
        let engine = self.0.as_ref();
        engine.map_or(0, |engine| engine.held())
    }

    /// When it wants to be called.
    pub fn deadline(&self) -> Option<Instant> {
        // A question without an effect: it cannot leave anything half done.
        let engine = self.0.as_ref()?;
        catch_unwind(AssertUnwindSafe(|| engine.deadline()))
            .unwrap_or_else(|_| Some(Instant::now()))
    }

    /// As if it had panicked.
    #[cfg(test)]
    pub fn break_now(&mut self) -> Result<(), Broken> {
        self.call(|_| std::panic::resume_unwind(Box::new("broken for a test")))
    }
}
