//! The program; what it does stands in the library.
#![forbid(unsafe_code)]

use std::process::ExitCode;

/// Freed memory is wiped: passwords, codes and the key to stored secrets pass through here.
#[global_allocator]
static ALLOCATOR: jms::secret::WipingAllocator = jms::secret::WipingAllocator;

/// 0: the question was answered, be it by yes or by no. 1: it was not; pam_jms.so then refuses.
fn main() -> ExitCode {
    jms_pam_helper::serve::main()
}
