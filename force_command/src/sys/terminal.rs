//! Terminals: window size, and becoming the terminal of a session.

use nix::errno::Errno;
use std::os::fd::{AsRawFd, BorrowedFd};

/// Rows and columns of a terminal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Window {
    /// Lines.
    pub rows: u16,
    /// Characters in a line.
    pub columns: u16,
    /// Width and height in pixels, if the client says them; else 0.
    pub pixels: (u16, u16),
}

/// The window size of a terminal (`TIOCGWINSZ`).
///
/// # Errors
/// `ENOTTY` when it is none.
pub fn window(terminal: BorrowedFd<'_>) -> Result<Window, Errno> {
    let mut size = libc::winsize {
        ws_row: 0,
        ws_col: 0,
        ws_xpixel: 0,
        ws_ypixel: 0,
    };
    // SAFETY: `size` is valid for writing and of the type that this request fills.
    Errno::result(unsafe { libc::ioctl(terminal.as_raw_fd(), libc::TIOCGWINSZ, &raw mut size) })?;
    Ok(Window {
        rows: size.ws_row,
        columns: size.ws_col,
        pixels: (size.ws_xpixel, size.ws_ypixel),
    })
}

/// Sets the window size (`TIOCSWINSZ`); whoever owns the terminal gets `SIGWINCH`.
///
/// # Errors
/// What the kernel says.
pub fn set_window(terminal: BorrowedFd<'_>, window: Window) -> Result<(), Errno> {
    let (ws_xpixel, ws_ypixel) = window.pixels;
    let size = libc::winsize {
        ws_row: window.rows,
        ws_col: window.columns,
        ws_xpixel,
        ws_ypixel,
    };
    // SAFETY: `size` is valid for reading and of the type that this request reads.
    Errno::result(unsafe { libc::ioctl(terminal.as_raw_fd(), libc::TIOCSWINSZ, &raw const size) })
        .map(drop)
}

/// Makes `terminal` the controlling terminal of the calling session leader (`TIOCSCTTY`).
///
/// # Errors
/// What the kernel says.
pub fn make_controlling(terminal: BorrowedFd<'_>) -> Result<(), Errno> {
    // SAFETY: takes a descriptor that is open and a number.
    Errno::result(unsafe { libc::ioctl(terminal.as_raw_fd(), libc::TIOCSCTTY, 0) }).map(drop)
}
