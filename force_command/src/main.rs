//! The program; what it does stands in the library.
#![forbid(unsafe_code)]

/// Freed memory is wiped: the process that held the key goes on to parse hostile bytes.
#[global_allocator]
static ALLOCATOR: jms::secret::WipingAllocator = jms::secret::WipingAllocator;

fn main() {
    std::process::exit(force_command::main())
}
