//! The one question to the kernel that no crate of ours asks: how large the terminal is.
#![allow(unsafe_code)]

use std::os::fd::{AsFd, AsRawFd};

/// Columns and lines of the terminal behind `descriptor`; `None` when it is none or does not know.
pub fn terminal_size(descriptor: impl AsFd) -> Option<(u16, u16)> {
    let mut size = libc::winsize {
        ws_row: 0,
        ws_col: 0,
        ws_xpixel: 0,
        ws_ypixel: 0,
    };
    // SAFETY: TIOCGWINSZ fills one winsize, which lives until the call returns.
    let answer = unsafe {
        libc::ioctl(
            descriptor.as_fd().as_raw_fd(),
            libc::TIOCGWINSZ,
            &raw mut size,
        )
    };
    (answer == 0 && size.ws_col > 0).then_some((size.ws_col, size.ws_row))
}
