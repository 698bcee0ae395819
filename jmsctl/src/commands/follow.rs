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
    mut print: impl FnMut(&mut Context, Vec<EventRow>) -> Done,
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
    let read = context.store.read();
    let newest = read.events(&EventSearch {
        limit: 1,
        ..EventSearch::default()
    })?;
    let mut last = newest.last().map_or(0, |row| row.seq);
    let mut rows = read.events(&EventSearch {
        limit,
        ..search.clone()
    })?;
    loop {
        last = rows.iter().map(|row| row.seq).fold(last, u64::max);
        print(context, rows)?;
        context.out.flush()?;
        wait_a_second()?;
        context.still_allowed()?;
        context.store.send_unsent();
        rows = context.store.read().events(&EventSearch {
            after_seq: last,
            limit: u32::MAX,
            ..search.clone()
        })?;
    }
}

/// One second, less if whoever reads our output goes away.
fn wait_a_second() -> Done {
    let stdout = std::io::stdout();
    let mut watched = [PollFd::new(stdout.as_fd(), PollFlags::empty())];
    match poll(&mut watched, PollTimeout::from(1000_u16)) {
        Ok(0) | Err(nix::errno::Errno::EINTR) => Ok(()),
        Ok(_) => Err(Failure::ClosedPipe),
        Err(error) => Err(Failure::io("wait for", "events", error)),
    }
}
