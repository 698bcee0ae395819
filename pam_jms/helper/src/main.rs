//! The program; what it does stands in the library.
#![cfg_attr(not(test), no_main)]

#[cfg(not(test))]
mod sys;

/// Freed memory is wiped: passwords, codes and the key to stored secrets pass through here.
#[global_allocator]
static ALLOCATOR: jms::secret::WipingAllocator = jms::secret::WipingAllocator;
