//! The program; what it does stands in the library.
#![cfg_attr(not(test), no_main)]

#[cfg(not(test))]
#[path = "entry/sys.rs"]
mod sys;

/// Freed memory is wiped: the process that held the key goes on to parse hostile bytes.
#[global_allocator]
static ALLOCATOR: jms::secret::WipingAllocator = jms::secret::WipingAllocator;
