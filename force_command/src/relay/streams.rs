//! The three directions: the client's input to the asset, the asset's output and errors to the client.

use super::Client;
use super::buffer::{Buffer, Progress};
use super::run::End;
use super::tap::{Stream, Tap};
use crate::egress::Child;
use nix::sys::termios::{InputFlags, LocalFlags, OutputFlags, tcgetattr};
use std::os::fd::AsFd;
use std::time::Instant;

/// Reads and writes of one direction before the others get their turn.
const TURNS: usize = 16;
/// More than this at once is no answer to a key.
const FLOOD: usize = 2 * 1024;
/// What Ctrl-C types.
const INTERRUPT: u8 = 3;

/// The client's input on its way to the asset.
#[derive(Debug)]
pub struct Upward {
    /// What was read and not yet written.
    pub buffer: Buffer,
    /// More may come from the client.
    pub open: bool,
    /// Typed before the client program has made its terminal raw: written to it now, it would be
    /// echoed and edited by the line discipline.
    pub held: bool,
    /// Bytes from the client so far.
    pub bytes: u64,
    watched: bool,
    tapped: bool,
}

impl Upward {
    /// Nothing has come yet.
    pub fn new(held: bool, watched: bool) -> Self {
        Self {
            buffer: Buffer::default(),
            open: true,
            held,
            bytes: 0,
            watched,
            tapped: false,
        }
    }

    /// Whether the client should be read.
    pub fn wants_input(&self, tap: &dyn Tap) -> bool {
        let room = self.buffer.is_empty() || (self.held && self.buffer.has_room());
        self.open && room && tap.takes_input()
    }

    /// Whether bytes wait for the asset.
    pub fn wants_output(&self) -> bool {
        !self.held && !self.buffer.is_empty()
    }

    /// Lets held bytes go once the client program has made its terminal raw, as `enter_raw_mode` of
    /// OpenSSH's sshtty.c does.
    pub fn release(&mut self, child: &Child) {
        let raw = |modes: nix::sys::termios::Termios| {
            let input = InputFlags::ICRNL
                | InputFlags::INLCR
                | InputFlags::IGNCR
                | InputFlags::ISTRIP
                | InputFlags::IXON;
            let local =
                LocalFlags::ICANON | LocalFlags::ISIG | LocalFlags::ECHO | LocalFlags::IEXTEN;
            !modes.input_flags.intersects(input)
                && !modes.local_flags.intersects(local)
                && !modes.output_flags.contains(OutputFlags::OPOST)
        };
        if self.held
            && child
                .input
                .as_ref()
                .and_then(|master| tcgetattr(master).ok())
                .is_some_and(raw)
        {
            self.held = false;
        }
    }

    /// Forgets what was typed and has not gone to the asset: it may be a password.
    pub fn forget(&mut self) {
        self.buffer.wipe();
    }

    /// Adds what a tap has released.
    pub fn append(&mut self, released: &[u8]) {
        self.buffer.append(released);
    }

    /// Shows what waits to the taps, unless they know it: what they do not pass on is not in the buffer then.
    fn tap(&mut self, tap: &mut dyn Tap) -> Result<(), End> {
        if self.watched && !self.tapped && !self.held && !self.buffer.is_empty() {
            let mut pass = Vec::new();
            tap.input(Instant::now(), self.buffer.waiting(), &mut pass)
                .map_err(End::Tap)?;
            self.buffer.replace(&pass);
        }
        self.tapped |= !self.held;
        Ok(())
    }

    /// Passes on what can be passed on.
    pub fn pump(
        &mut self,
        client: &Client<'_>,
        child: &mut Child,
        tap: &mut dyn Tap,
    ) -> Result<(), End> {
        for _ in 0..TURNS {
            self.tap(tap)?;
            if !self.held && !self.buffer.is_empty() {
                self.write(child);
            }
            if !self.wants_input(tap) {
                break;
            }
            let before = self.buffer.waiting().len();
            match self.buffer.fill(client.descriptors.input) {
                Progress::Moved => {
                    self.tapped = false;
                    let new = self.buffer.waiting().get(before..).unwrap_or_default();
                    self.bytes += new.len() as u64;
                    if self.held && new.contains(&INTERRUPT) {
                        return Err(End::Interrupted);
                    }
                    // At once: what a tap releases may be added behind it.
                    self.tap(tap)?;
                }
                Progress::Blocked => break,
                // A terminal at its end has hung up.
                Progress::Closed if client.modes.is_some() => return Err(End::ClientGone),
                Progress::Closed => {
                    self.open = false;
                    let mut released = Vec::new();
                    tap.input_ended(Instant::now(), &mut released)
                        .map_err(End::Tap)?;
                    self.buffer.append(&released);
                }
            }
        }
        let ended = (!self.open && !tap.holds_input()) || tap.closes_input();
        if !self.held && !self.buffer.is_empty() {
            self.write(child);
        }
        if ended && self.buffer.is_empty() && !child.has_terminal {
            // End of file goes on to the asset.
            child.input = None;
        }
        Ok(())
    }

    fn write(&mut self, child: &mut Child) {
        let Some(input) = &child.input else {
            return self.stop();
        };
        while !self.buffer.is_empty() {
            match self.buffer.empty(input.as_fd()) {
                Progress::Moved => {}
                Progress::Blocked => return,
                Progress::Closed => {
                    child.input = None;
                    return self.stop();
                }
            }
        }
    }

    /// Nobody takes input any more.
    pub fn stop(&mut self) {
        self.buffer.clear();
        self.open = false;
    }
}

/// Whether `line` is a whole line and begins with one of `beginnings`.
fn is_farewell(line: &[u8], beginnings: &[Vec<u8>]) -> bool {
    line.ends_with(b"\r\n") && beginnings.iter().any(|it| line.starts_with(it))
}

/// One of the asset's two streams on its way to the client.
#[derive(Debug)]
pub struct Downward {
    /// What was read, tapped and not yet written.
    pub buffer: Buffer,
    /// The client still takes it.
    pub sink: bool,
    /// Bytes to the client so far.
    pub bytes: u64,
    stream: Stream,
    /// The client program's own last words, which are not the asset's.
    farewells: Vec<Vec<u8>>,
    /// A last line that may be one of them: that is known when the stream ends, or goes on.
    held: Vec<u8>,
    /// When the asset's end of it was seen.
    pub ended: Option<Instant>,
    /// When much came at once last.
    pub flooded: Option<Instant>,
    /// Those words, once they were said.
    pub farewell: Option<Vec<u8>>,
}

impl Downward {
    /// Nothing has come yet. A last line that begins like one of `farewells` is kept apart.
    pub fn new(stream: Stream, farewells: &[Vec<u8>]) -> Self {
        Self {
            buffer: Buffer::default(),
            sink: true,
            bytes: 0,
            stream,
            farewells: farewells.to_vec(),
            held: Vec::new(),
            ended: None,
            flooded: None,
            farewell: None,
        }
    }

    /// Passes on what can be passed on.
    pub fn pump(
        &mut self,
        client: &Client<'_>,
        child: &mut Child,
        tap: &mut dyn Tap,
    ) -> Result<(), End> {
        let sink = match self.stream {
            Stream::Output => client.descriptors.output,
            Stream::Errors => client.descriptors.errors,
        };
        for _ in 0..TURNS {
            while !self.buffer.is_empty() {
                let before = self.buffer.waiting().len();
                match self.buffer.empty(sink) {
                    Progress::Moved => {
                        let left = self.buffer.waiting().len();
                        self.bytes += (before - left) as u64;
                        if left > 0 {
                            // It took what it had room for: another try would only be told so.
                            return Ok(());
                        }
                    }
                    Progress::Blocked => return Ok(()),
                    Progress::Closed => {
                        self.lose_sink(child);
                        return Ok(());
                    }
                }
            }
            let source = match self.stream {
                Stream::Output => &mut child.output,
                Stream::Errors => &mut child.errors,
            };
            let Some(from) = source else { return Ok(()) };
            match self.buffer.fill(from.as_fd()) {
                Progress::Moved => {
                    // Only the very last line of all can be the client program's own.
                    if !self.held.is_empty() {
                        self.held.extend_from_slice(self.buffer.waiting());
                        self.buffer.replace(&self.held);
                        self.held.clear();
                    }
                    if !self.farewells.is_empty() {
                        self.held = self.buffer.cut_tail(&self.farewells);
                    }
                    if !self.buffer.is_empty() {
                        self.show_to(tap)?;
                    }
                }
                Progress::Blocked => return Ok(()),
                Progress::Closed => {
                    *source = None;
                    self.ended = Some(Instant::now());
                    match std::mem::take(&mut self.held) {
                        held if is_farewell(&held, &self.farewells) => {
                            self.farewell = held.strip_suffix(b"\r\n").map(<[u8]>::to_vec);
                        }
                        held if held.is_empty() => {}
                        held => {
                            self.buffer.replace(&held);
                            self.show_to(tap)?;
                        }
                    }
                    let rest = tap.sift_end(self.stream);
                    if !rest.is_empty() {
                        self.buffer.append(&rest);
                        tap.output(Instant::now(), self.stream, &rest)
                            .map_err(End::Tap)?;
                    }
                    return Ok(());
                }
            }
        }
        Ok(())
    }

    /// Shows what was read to the taps, without what is for one of them alone.
    fn show_to(&mut self, tap: &mut dyn Tap) -> Result<(), End> {
        let now = Instant::now();
        if self.buffer.waiting().len() >= FLOOD {
            self.flooded = Some(now);
        }
        if let Some(rest) = tap.sift(now, self.stream, self.buffer.waiting()) {
            self.buffer.replace(&rest);
        }
        if !self.buffer.is_empty() {
            tap.output(now, self.stream, self.buffer.waiting())
                .map_err(End::Tap)?;
        }
        tap.hear(now).map_err(End::Tap)
    }

    /// Adds what a tap shows.
    pub fn show(&mut self, bytes: &[u8]) {
        if self.sink {
            self.buffer.append(bytes);
        }
    }

    /// The client takes no more: the client program is told as any program is, by `EPIPE`.
    pub fn lose_sink(&mut self, child: &mut Child) {
        self.sink = false;
        self.buffer.clear();
        match self.stream {
            Stream::Output => child.output = None,
            Stream::Errors => child.errors = None,
        }
    }

    /// Whether nothing more can come to the client this way.
    pub fn is_done(&self, child: &Child) -> bool {
        let source = match self.stream {
            Stream::Output => &child.output,
            Stream::Errors => &child.errors,
        };
        source.is_none() && self.buffer.is_empty()
    }
}
