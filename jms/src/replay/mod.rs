//! Replaying a recording on an auditor's terminal, without letting the recording attack it.
//!
//! What a session printed was chosen by its user or by whoever wrote the file they looked at. Sent
//! to a terminal as it is, it can set the title and have the terminal type it back, write the
//! clipboard, turn on mouse reports, print on a printer, or wipe the scrollback that holds the
//! auditor's own work. [`Safe`] parses it and lets out only sequences that it has built anew from
//! parsed numbers; a sequence is let out when it is complete, never in parts.
//!
//! | class | what becomes of it |
//! | --- | --- |
//! | text, BS HT LF VT FF CR | passes; U+202A–202E and U+2066–2069, which turn the direction of text around, become U+FFFD |
//! | cursor (CUU … HVP, SCOSC/SCORC, DECSC/DECRC), IND NEL RI | passes, numbers up to 9999 |
//! | erase, insert, delete, scroll, REP, scroll region (DECSTBM) | passes, but not `CSI 3 J`: it wipes the scrollback |
//! | colours and attributes (SGR) | passes what is known; not conceal (8), not fonts (10–20) |
//! | insert, origin, autowrap, cursor shown, alternate screen (`4`, `?6 ?7 ?25 ?47 ?1047 ?1048 ?1049`) | passes, and is put back at the end |
//! | every other mode: keys, mouse, focus, bracketed paste, 132 columns, reverse screen, synchronised output, keyboard lock; saving and restoring modes | dropped |
//! | OSC: title, palette, clipboard (52), links (8), notifications | dropped whole |
//! | DCS (DECRQSS, XTGETTCAP, sixel, tmux pass-through), APC, PM, SOS | dropped whole |
//! | queries and reports: DA, DSR, DECRQM, DECREQTPARM, DECRQCRA, XTVERSION, DECID, ENQ | dropped |
//! | window operations (`CSI t`), printer (`CSI i`), LEDs, cursor shape, tabs, rectangles, double-size lines, tests | dropped |
//! | character sets: G0/G1 and SO/SI | understood here; line drawing comes out as Unicode, and no character set of the terminal is touched |
//! | other character sets and locks (SS2, LS2, `ESC % …`), S7C1T/S8C1T | dropped |
//! | RIS, DECSTR | become the harmless part of a reset |
//! | C1 controls (U+0080–009F), NUL, BEL, DEL, XON/XOFF | dropped; what follows a C1 control shows as text |
//!
//! In doubt, text is shown rather than hidden, so that nothing that a user saw is kept from the
//! auditor: a line feed ends an OSC, APC, PM or SOS string that was never closed (no real one holds
//! one), and every string and sequence ends where it grows beyond all use.
#![forbid(unsafe_code)]

mod graphics;
mod keys;
mod parser;
mod playback;
mod player;
mod safe;
mod sgr;
#[cfg(test)]
mod tests;

pub use keys::{Key, Keys};
pub use playback::{Pace, Playback, Show, Speed, Step};
pub use player::{PlayError, Screen, play};
pub use safe::{RESET, Safe};

/// `text` on one line, for labels and titles that come out of recordings: control characters and
/// those that turn the direction of text around become U+FFFD.
#[must_use]
pub fn printable(text: &str) -> String {
    let harmless = |c: char| {
        if c.is_control() || turns_direction(c) {
            '\u{fffd}'
        } else {
            c
        }
    };
    text.chars().map(harmless).collect()
}

/// Embeddings, overrides and isolates of the Unicode bidirectional algorithm: they let text read
/// as something else than it is.
fn turns_direction(c: char) -> bool {
    matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}
