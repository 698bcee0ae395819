//! Telling live sessions that policy has changed: one datagram to each control socket.
//!
//! A session that cannot be told (gone, frozen) is left alone: the poke is a hint, and a frozen relay
//! passes nothing on.

use crate::paths::Paths;
use std::os::unix::net::UnixDatagram;

/// Pokes every control socket in `/run/jms/sessions`; never blocks, never fails. Relays decide again. `policy`: number of
/// the newest change; a connection that is kept for a next session, and was made before that, ends.
pub(super) fn live_sessions(paths: &Paths, policy: Option<u64>) {
    let word = match policy {
        Some(number) => format!("decide-again {number}"),
        None => "decide-again".to_owned(),
    };
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
        let _ = socket.send_to(word.as_bytes(), entry.path());
    }
}
