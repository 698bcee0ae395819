//! The loop: what to wait for, and whose turn it is.

use super::Client;
use super::streams::{Downward, Upward};
use super::supervisor::{Stop, Supervisor};
use super::tap::{Stream, Tap, TapFailure};
use crate::egress::{Child, Exit};
use crate::sys;
use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::signal::{SigSet, Signal};
use nix::sys::signalfd::{SfdFlags, SignalFd};
use std::os::fd::{AsFd, BorrowedFd};
use std::time::{Duration, Instant};

/// How often a terminal that is not raw yet is looked at, while input may be held.
const RAW_CHECK: Duration = Duration::from_millis(10);
/// After the client has stopped both reading and writing, the asset's command may still end by itself.
const LEAVING: Duration = Duration::from_millis(500);
/// After the client program has ended, what is left in its pipes is waited for.
const DRAINING: Duration = Duration::from_millis(500);
/// A client program that ends its output and not itself within this time means the output alone.
const OUTPUT_ONLY: Duration = Duration::from_millis(50);
/// After the client program was asked to end, it is killed.
const STOPPING: Duration = Duration::from_millis(300);

/// So long after the beginning, or the last flood, a session is taken to wait for a person.
const SETTLING: Duration = Duration::from_secs(1);

/// While output floods, everything but the bytes' own descriptors is looked at so often (at a terminal, everything but the
/// output's): each of the others makes each of many thousand waits dearer.
const ELSEWHERE: Duration = Duration::from_millis(2);

/// How a session ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum End {
    /// The client program ended; its status is the asset's, or its log says why not.
    Ended(Exit),
    /// Nobody is there any more.
    ClientGone,
    /// Ctrl-C before the asset had let us in.
    Interrupted,
    /// This process was told to end.
    Signalled(Signal),
    /// A tap failed: the recording, in the first place.
    Tap(TapFailure),
    /// The supervisor stopped it.
    Stopped(Stop),
}

/// What came of a session.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outcome {
    /// How it ended.
    pub end: End,
    /// Bytes from the client.
    pub bytes_in: u64,
    /// Bytes to the client, both streams.
    pub bytes_out: u64,
    /// The client program's own last words.
    pub farewell: Option<String>,
}

/// The signals that a relay takes, blocked and readable.
#[derive(Debug)]
pub struct Signals(SignalFd);

impl Signals {
    /// Blocks them for this thread, to be read from now on. To be called before a child is started,
    /// so that none is lost.
    ///
    /// # Errors
    /// What the kernel says.
    pub fn block() -> Result<Self, Errno> {
        let taken = [
            Signal::SIGHUP,
            Signal::SIGINT,
            Signal::SIGQUIT,
            Signal::SIGTERM,
            Signal::SIGWINCH,
        ];
        let set: SigSet = taken.into_iter().collect();
        set.thread_block()?;
        SignalFd::with_flags(&set, SfdFlags::SFD_NONBLOCK | SfdFlags::SFD_CLOEXEC).map(Self)
    }

    /// Readable when one came.
    #[must_use]
    pub fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }

    /// Whether this process was told to end since the last call.
    #[must_use]
    pub fn end(&self) -> bool {
        // All are taken, so that none wakes us again.
        let told = self.taken();
        told.filter(|signal| *signal != Signal::SIGWINCH).count() > 0
    }

    /// Those that came since the last call, oldest first.
    pub fn taken(&self) -> impl Iterator<Item = Signal> + '_ {
        std::iter::from_fn(|| self.next())
    }

    fn next(&self) -> Option<Signal> {
        let info = self.0.read_signal().ok().flatten()?;
        i32::try_from(info.ssi_signo)
            .ok()
            .and_then(|number| Signal::try_from(number).ok())
    }
}

/// Relays until the end, and leaves nothing of the client program behind.
///
/// `farewells` are beginnings of the line that the client program says of its own accord on standard
/// error when it ends: the client does not get it.
pub fn run(
    client: &Client<'_>,
    child: &mut Child,
    tap: &mut dyn Tap,
    signals: &Signals,
    supervisor: &mut dyn Supervisor,
    farewells: &[Vec<u8>],
) -> Outcome {
    let watched = tap.watches_input();
    let mut relay = Relay {
        up: Upward::new(child.has_terminal, watched),
        output: Downward::new(Stream::Output, &[]),
        errors: Downward::new(Stream::Errors, farewells),
        client,
        child,
        tap,
        signals,
        supervisor,
        exit: None,
        leaving: None,
        draining: None,
        looked: None,
        settled: Err(Instant::now()),
    };
    let end = relay.until_the_end();
    let outcome = Outcome {
        end,
        bytes_in: relay.up.bytes,
        bytes_out: relay.output.bytes + relay.errors.bytes,
        farewell: relay
            .errors
            .farewell
            .take()
            .filter(|_| relay.child.says_farewell(relay.output.bytes))
            .map(|line| String::from_utf8_lossy(&line).into_owned()),
    };
    let must_not_run = matches!(
        outcome.end,
        End::Tap(_) | End::Stopped(Stop::Withdrawn(_) | Stop::NoStore(_))
    );
    child.settle(must_not_run);
    child.stop(STOPPING);
    outcome
}

struct Relay<'r, 'c> {
    client: &'r Client<'c>,
    child: &'r mut Child,
    tap: &'r mut dyn Tap,
    signals: &'r Signals,
    supervisor: &'r mut dyn Supervisor,
    up: Upward,
    output: Downward,
    errors: Downward,
    exit: Option<Exit>,
    leaving: Option<Instant>,
    draining: Option<Instant>,
    /// When all descriptors were waited for last.
    looked: Option<Instant>,
    /// When memory that is not needed for waiting was given back last; until then, when the relay began.
    settled: Result<Instant, Instant>,
}

/// What a descriptor that is waited for means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Source {
    ClientInput,
    ClientOutput,
    ClientErrors,
    AssetInput,
    AssetOutput,
    AssetErrors,
    AssetEnd,
    Signals,
    Supervisor,
}

impl Relay<'_, '_> {
    fn until_the_end(&mut self) -> End {
        loop {
            match self.turn() {
                Ok(None) => {}
                Ok(Some(end)) | Err(end) => return end,
            }
        }
    }

    /// When the memory is given back that nothing but work needs, what opening the session has used or a flood went
    /// through: when that is over for a while. A command that is done sooner is not held up by it.
    fn settles_at(&self) -> Option<Instant> {
        let worked = match self.settled {
            Err(begun) => Some(begun),
            Ok(settled) => self.output.flooded.filter(|at| *at > settled),
        };
        worked
            .map(|at| self.output.flooded.map_or(at, |last| last.max(at)))
            .map(|at| at + SETTLING)
    }

    fn settle(&mut self, now: Instant) {
        for buffer in [
            &mut self.up.buffer,
            &mut self.output.buffer,
            &mut self.errors.buffer,
        ] {
            buffer.give_back();
        }
        self.supervisor.settle();
        sys::give_back_memory();
        self.settled = Ok(now);
    }

    fn turn(&mut self) -> Result<Option<End>, End> {
        self.clocks()?;
        if self.is_over() {
            return Ok(self.exit.map(End::Ended));
        }
        for (source, events) in self.wait() {
            self.serve(source, events)?;
            self.show(Instant::now())?;
        }
        Ok(None)
    }

    /// Adds what the taps show to what the client gets.
    fn show(&mut self, now: Instant) -> Result<(), End> {
        let shown = self.tap.shows(now).map_err(End::Tap)?;
        self.output.show(&shown);
        Ok(())
    }

    /// The client program has ended and everything it said is with the client.
    fn is_over(&self) -> bool {
        self.exit.is_some() && self.output.is_done(self.child) && self.errors.is_done(self.child)
    }

    /// Does what is due by the clock.
    fn clocks(&mut self) -> Result<(), End> {
        let now = Instant::now();
        let due = |at: Option<Instant>| at.is_some_and(|at| at <= now);
        if due(self.tap.next_deadline()) {
            let mut released = Vec::new();
            self.tap.tick(now, &mut released).map_err(End::Tap)?;
            self.up.append(&released);
            self.show(now)?;
            self.up.pump(self.client, self.child, self.tap)?;
        }
        if due(self.supervisor.next_deadline()) {
            self.supervisor
                .tick(now)
                .map_or(Ok(()), |stop| Err(stopped(stop)))?;
        }
        if due(self.leaving) {
            return Err(End::ClientGone);
        }
        if due(self.settles_at()) {
            self.settle(now);
        }
        if due(self.draining) && self.output.buffer.is_empty() && self.errors.buffer.is_empty() {
            // Somebody else holds the pipes open: what can be read now is all.
            self.draining = None;
            (self.child.output, self.child.errors) = (None, None);
        }
        if due(self.end_of_output()) {
            self.pass_on_the_end(now)?;
        }
        if self.up.held {
            self.up.release(self.child);
            self.up.pump(self.client, self.child, self.tap)?;
        }
        Ok(())
    }

    /// The asset has said its last: the client program ends its own output when no more of either stream can come
    /// (RFC 4254, section 5.3). sshd tells its client so only when it sees the end of both, so both are ended; a
    /// sentence of ours would have no place any more, the status still has.
    fn pass_on_the_end(&mut self, now: Instant) -> Result<(), End> {
        let before = self.errors.bytes;
        self.errors.pump(self.client, self.child, self.tap)?;
        if self.errors.bytes == before && self.errors.buffer.is_empty() {
            self.output.ended = None;
            self.client.close_output();
        } else {
            // Errors are still on their way.
            self.output.ended = Some(now);
        }
        Ok(())
    }

    /// When the end of the asset's output is passed on: not if all of it has ended, then there may be
    /// something to say.
    fn end_of_output(&self) -> Option<Instant> {
        self.output
            .ended
            .filter(|_| self.exit.is_none())
            .map(|at| at + OUTPUT_ONLY)
    }

    /// Whether all descriptors are to be waited for now, and not only those that bytes come and go by.
    fn looks_everywhere(&self, now: Instant) -> bool {
        let recent = |at: Option<Instant>| {
            at.is_some_and(|at| now.saturating_duration_since(at) < ELSEWHERE)
        };
        !recent(self.output.flooded) || !recent(self.looked)
    }

    fn timeout(&self, now: Instant, all: bool) -> PollTimeout {
        let held = (self.up.held && self.exit.is_none()).then(|| now + RAW_CHECK);
        let slow_client = !self.output.buffer.is_empty() || !self.errors.buffer.is_empty();
        let draining = self.draining.filter(|_| !slow_client);
        let deadlines = [
            self.tap.next_deadline(),
            self.supervisor.next_deadline(),
            self.leaving,
            draining,
            held,
            self.end_of_output(),
            self.settles_at(),
            (!all).then(|| now + ELSEWHERE),
        ];
        let Some(first) = deadlines.into_iter().flatten().min() else {
            return PollTimeout::NONE;
        };
        let left = first.saturating_duration_since(now);
        // Rounded up: waking before the time would only mean to wait again.
        PollTimeout::try_from(left.as_micros().div_ceil(1000)).unwrap_or(PollTimeout::MAX)
    }

    /// Waits until something happens; what happened, in the order in which it is served.
    fn wait(&mut self) -> Vec<(Source, PollFlags)> {
        let now = Instant::now();
        let all = self.looks_everywhere(now);
        if all {
            self.looked = Some(now);
        }
        let (none, read, write) = (PollFlags::empty(), PollFlags::POLLIN, PollFlags::POLLOUT);
        let wanted = |want: bool, flags: PollFlags| if want { flags } else { none };
        let client = self.client.descriptors;
        let mut sources: Vec<(Source, BorrowedFd<'_>, PollFlags)> = Vec::with_capacity(16);
        if all {
            sources.push((Source::Signals, self.signals.0.as_fd(), read));
            if self.exit.is_none() {
                let ends = self.child.watches();
                sources.extend(ends.map(|end| (Source::AssetEnd, end, read)));
            }
            let watched = self.supervisor.watched().into_iter();
            sources.extend(watched.map(|(fd, events)| (Source::Supervisor, fd, events)));
        }
        // A terminal floods in one direction, without a terminal bytes may come both ways.
        let both_ways = all || self.client.modes.is_none();
        // A terminal is always watched for its end; a pipe's end is only seen by reading it.
        if both_ways && (self.up.wants_input(self.tap) || self.client.modes.is_some()) {
            sources.push((
                Source::ClientInput,
                client.input,
                wanted(self.up.wants_input(self.tap), read),
            ));
        }
        if self.output.sink {
            sources.push((
                Source::ClientOutput,
                client.output,
                wanted(!self.output.buffer.is_empty(), write),
            ));
        }
        if both_ways
            && self.errors.sink
            && (self.child.errors.is_some() || !self.errors.buffer.is_empty())
        {
            sources.push((
                Source::ClientErrors,
                client.errors,
                wanted(!self.errors.buffer.is_empty(), write),
            ));
        }
        if let Some(input) = self.child.input.as_ref().filter(|_| both_ways) {
            let echo = wanted(self.child.has_terminal, read);
            sources.push((
                Source::AssetInput,
                input.as_fd(),
                echo | wanted(self.up.wants_output(), write),
            ));
        }
        if let Some(output) = self
            .child
            .output
            .as_ref()
            .filter(|_| self.output.buffer.is_empty())
        {
            sources.push((Source::AssetOutput, output.as_fd(), read));
        }
        if let Some(errors) = self
            .child
            .errors
            .as_ref()
            .filter(|_| both_ways && self.errors.buffer.is_empty())
        {
            sources.push((Source::AssetErrors, errors.as_fd(), read));
        }
        let mut fds: Vec<PollFd<'_>> = sources
            .iter()
            .map(|(_, fd, flags)| PollFd::new(*fd, *flags))
            .collect();
        if poll(&mut fds, self.timeout(now, all)).is_err() {
            // EINTR, or no memory for a moment: the next turn asks again.
            return Vec::new();
        }
        let happened = |fd: &PollFd<'_>| fd.revents().filter(|events| !events.is_empty());
        sources
            .iter()
            .zip(&fds)
            .filter_map(|((source, ..), fd)| Some((*source, happened(fd)?)))
            .collect()
    }

    fn serve(&mut self, source: Source, events: PollFlags) -> Result<(), End> {
        let gone = PollFlags::POLLHUP | PollFlags::POLLERR | PollFlags::POLLNVAL;
        match source {
            Source::Signals => self.signal(),
            Source::Supervisor => {
                let stop = self.supervisor.ready();
                if self.supervisor.voids_input() {
                    self.up.forget();
                }
                stop.map_or(Ok(()), |stop| Err(stopped(stop)))
            }
            Source::AssetEnd => {
                self.asset_ended();
                Ok(())
            }
            Source::ClientInput if self.client.modes.is_some() && events.intersects(gone) => {
                Err(End::ClientGone)
            }
            Source::ClientInput => self.up.pump(self.client, self.child, self.tap),
            Source::ClientOutput if events.intersects(gone) => self.output_gone(events),
            Source::ClientErrors if events.intersects(gone) => {
                self.errors.lose_sink(self.child);
                Ok(())
            }
            Source::ClientOutput | Source::AssetOutput => {
                self.still_draining();
                // What the asset sends comes after the client program has made its terminal raw.
                self.up.held &= source != Source::AssetOutput;
                self.output.pump(self.client, self.child, self.tap)
            }
            Source::ClientErrors | Source::AssetErrors => {
                self.still_draining();
                self.errors.pump(self.client, self.child, self.tap)
            }
            Source::AssetInput => self.asset_input(events),
        }
    }

    fn signal(&mut self) -> Result<(), End> {
        while let Some(signal) = self.signals.next() {
            match signal {
                Signal::SIGWINCH => self.resize()?,
                Signal::SIGHUP => return Err(End::ClientGone),
                other => return Err(End::Signalled(other)),
            }
        }
        Ok(())
    }

    fn resize(&mut self) -> Result<(), End> {
        let (Some(window), Some(terminal)) = (self.client.window(), &self.child.input) else {
            return Ok(());
        };
        if self.child.has_terminal && sys::set_window(terminal.as_fd(), window).is_ok() {
            self.child.resized();
            self.tap.resize(Instant::now(), window).map_err(End::Tap)?;
        }
        Ok(())
    }

    fn asset_ended(&mut self) {
        self.exit = self.child.ended();
        if self.exit.is_some() {
            self.child.input = None;
            self.up.stop();
            self.draining = Some(Instant::now() + DRAINING);
        }
    }

    /// A slow client is waited for as long as it is there.
    fn still_draining(&mut self) {
        if self.draining.is_some() {
            self.draining = Some(Instant::now() + DRAINING);
        }
    }

    /// The client reads no more. Without a terminal its input may still come, and the asset's
    /// command goes on, as with a plain `ssh`; hung up in both directions, it has left.
    fn output_gone(&mut self, events: PollFlags) -> Result<(), End> {
        if self.client.modes.is_some() {
            return Err(End::ClientGone);
        }
        self.output.lose_sink(self.child);
        if events.contains(PollFlags::POLLHUP) {
            self.leaving = Some(Instant::now() + LEAVING);
        }
        Ok(())
    }

    fn asset_input(&mut self, events: PollFlags) -> Result<(), End> {
        if self.child.has_terminal && events.intersects(PollFlags::POLLIN | PollFlags::POLLHUP) {
            // The terminal's echo is nobody's output.
            let mut echo = [0; 4096];
            let read = self
                .child
                .input
                .as_ref()
                .map(|master| nix::unistd::read(master, &mut echo));
            if !matches!(read, Some(Ok(1..) | Err(Errno::EAGAIN | Errno::EINTR))) {
                self.child.input = None;
                self.up.stop();
                return Ok(());
            }
        } else if events.intersects(PollFlags::POLLERR | PollFlags::POLLNVAL) {
            self.child.input = None;
            self.up.stop();
            return Ok(());
        }
        self.up.pump(self.client, self.child, self.tap)
    }
}

fn stopped(stop: Stop) -> End {
    match stop {
        Stop::ClientGone => End::ClientGone,
        Stop::Interrupted => End::Interrupted,
        other => End::Stopped(other),
    }
}
