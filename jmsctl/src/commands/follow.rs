//! `--follow`: what is there, then what comes, until nobody reads it any more or the reader may no longer.
#![forbid(unsafe_code)]

use crate::cli::flags::{List, Span};
use crate::context::Context;
use crate::failure::{Done, Failure};
use jms::nouns::EventRow;
use jms::store::EventSearch;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use std::os::fd::AsFd;

/// Shown of the past before it waits, unless told otherwise.
const BEFORE: u32 = 10;

/// Gives `print` the events that fit `search`: those of the past that the flags ask for, then each new one.
pub fn run(
    context: &mut Context,
    search: EventSearch,
    list: &List,
    span: &Span,
    print: impl FnMut(&mut Context, Vec<EventRow>) -> Done,
) -> Done {
    let newest = context.store.read().events(&EventSearch {
        limit: 1,
        ..EventSearch::default()
    })?;
    let newest = newest.last().map_or(0, |row| row.seq);
    let fetch = |context: &Context, after_seq, limit| {
        let search = EventSearch {
            after_seq,
            limit,
            ..search.clone()
        };
        Ok(context.store.read().events(&search)?)
    };
    rows(context, (list, span), newest, fetch, |row| row.seq, print)
}

/// The same for any rows with numbers that grow: `newest` is the last of all there are, `fetch` gives those that
/// fit, above a number and at most so many, the newest.
pub fn rows<T, N: Copy + Ord + Default>(
    context: &mut Context,
    (list, span): (&List, &Span),
    newest: N,
    fetch: impl Fn(&Context, N, u32) -> Done<Vec<T>>,
    number: impl Fn(&T) -> N,
    mut print: impl FnMut(&mut Context, Vec<T>) -> Done,
) -> Done {
    if list.sort.is_some() {
        return Err(Failure::BadInput(
            "what is followed comes in its own order; leave --sort out".to_owned(),
        ));
    }
    let limit = match list.limit {
        Some(0) => u32::MAX,
        Some(limit) => u32::try_from(limit).unwrap_or(u32::MAX),
        None if span.since.is_some() => u32::MAX,
        None => BEFORE,
    };
    let mut last = newest;
    let mut rows = fetch(context, N::default(), limit)?;
    loop {
        last = rows.iter().map(&number).fold(last, N::max);
        print(context, rows)?;
        context.out.flush()?;
        wait_a_second()?;
        context.still_allowed()?;
        context.store.send_unsent();
        rows = fetch(context, last, u32::MAX)?;
    }
}

/// One second, less if whoever reads our output goes away.
fn wait_a_second() -> Done {
    let stdout = std::io::stdout();
    let mut watched = [PollFd::new(stdout.as_fd(), PollFlags::empty())];
    match poll(&mut watched, PollTimeout::from(1000_u16)) {
        Ok(0) | Err(nix::errno::Errno::EINTR) => Ok(()),
        Ok(_) => Err(Failure::ClosedPipe),
        Err(error) => Err(Failure::io("wait for", "what comes", error)),
    }
}
