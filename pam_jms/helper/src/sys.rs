//! Where the C library starts the program. Rust's own way in first prepares for threads and for a sentence about a stack that
//! overflows: 0.08 ms, a sixth of what starting such a program costs, at each start. (The kernel ends it then as well.)
#![allow(unsafe_code)]

use std::ffi::{c_char, c_int};

/// What a program of Rust's ends with after a panic.
const PANICKED: i32 = 101;

/// 0: the question was answered, be it by yes or by no. 1: it was not; pam_jms.so then refuses.
// SAFETY: the C library calls it by this name, and there is no other of it.
#[unsafe(no_mangle)]
extern "C" fn main(_count: c_int, _arguments: *const *const c_char) -> c_int {
    // A module that has gone is an error of `write(2)`, not our death.
    // SAFETY: SIG_IGN is a valid disposition, and no other thread exists.
    unsafe { libc::signal(libc::SIGPIPE, libc::SIG_IGN) };
    let answered = std::panic::catch_unwind(jms_pam_helper::serve::main);
    // Not by return: what is still to be written is written first.
    std::process::exit(match answered {
        Ok(true) => 0,
        Ok(false) => 1,
        Err(_) => PANICKED,
    })
}
