//! Telling live sessions that policy has changed: one datagram to each control socket.
//!
//! A session that cannot be told (gone, frozen) is left alone: the poke is a hint, and a frozen relay
//! passes nothing on.

use crate::paths::Paths;
use std::os::unix::net::UnixDatagram;

/// The word that makes a relay decide again.
pub(super) const DECIDE_AGAIN: &[u8] = b"decide-again";

/// Pokes every control socket in `/run/jms/sessions`; never blocks, never fails.
pub(super) fn live_sessions(paths: &Paths) {
    let Ok(entries) = std::fs::read_dir(paths.sessions()) else {
        return;
    };
    let Ok(socket) = UnixDatagram::unbound() else {
        return;
    };
    if socket.set_nonblocking(true).is_err() {
        return;
    }
    for entry in entries.flatten() {
        let _ = socket.send_to(DECIDE_AGAIN, entry.path());
    }
}
