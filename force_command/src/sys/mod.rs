//! The system calls that Rust's libraries offer no safe way to. Nothing here decides anything.
#![allow(unsafe_code)]

mod descriptor;
mod memory;
mod passing;
mod process;
mod seccomp;
mod terminal;

pub use descriptor::{
    StandardNumber, close_all_but, close_from, kill_by, kill_by_no_more, notify_of_changes, pidfd,
    replace, set_pipe_size, standard, watch_file, write_within,
};
pub use memory::give_back as give_back_memory;
pub use passing::{receive_descriptor, send_descriptor};
#[cfg(test)]
pub use process::signal_thread;
pub use process::{
    Forked, clear_environment, default_signals, execute, fork, highest_signal, leave, limit,
    set_environment, stop_timers,
};
pub use seccomp::{
    Call, answer_call, give_descriptor, install_filter, install_listener, receive_call,
};
pub use terminal::{Window, make_controlling, set_window, window};
