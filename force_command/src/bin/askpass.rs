//! `askpass QUESTION`: the `SSH_ASKPASS` of the client program; what it does stands in the library.
#![forbid(unsafe_code)]

use std::os::unix::ffi::OsStringExt;

/// Freed memory is wiped: a password passes through.
#[global_allocator]
static ALLOCATOR: jms::secret::WipingAllocator = jms::secret::WipingAllocator;

fn main() {
    let question = std::env::args_os().nth(1).map(OsStringExt::into_vec);
    let status = question.map_or(2, |question| force_command::egress::ask::askpass(&question));
    std::process::exit(status)
}
