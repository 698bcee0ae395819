//! Where the C library starts the program. Rust's own way in first prepares for threads and for a sentence about a stack that
//! overflows, which the program would switch off at once: 0.08 ms at each start.
#![allow(unsafe_code)]

use std::ffi::{c_char, c_int};

/// What a program of Rust's ends with after a panic.
const PANICKED: i32 = 101;

// SAFETY: the C library calls it by this name, and there is no other of it.
#[unsafe(no_mangle)]
extern "C" fn main(_count: c_int, _arguments: *const *const c_char) -> c_int {
    let status = std::panic::catch_unwind(force_command::main);
    // Not by return: what is still to be written is written first.
    std::process::exit(status.unwrap_or(PANICKED))
}
