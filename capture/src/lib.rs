//! Command capture: what ran in a terminal, read from the two byte streams of its session, and the place where a line that
//! must not run is stopped.
//!
//! Pure: no I/O, no clock; time is an argument, and the same calls give the same answers. The owner feeds what the user
//! [`typed`](Capture::typed) and what the asset [`printed`](Capture::printed), calls [`tick`](Capture::tick) at the
//! [`deadline`](Capture::deadline), and carries out the [`Action`]s that come back, in their order. What the asset printed is
//! never held or changed; what the user typed reaches the asset by [`Action::Send`] only.
//!
//! # How a line is found
//!
//! A terminal has no notion of a command. There are keys, which a shell may take for text, for history, for completion; and
//! there is paint. Neither alone is enough, so both are followed and compared:
//!
//! * `screen` is a model of the terminal: cells with the moment at which each was painted, wraps, margins, both screens. Lines
//!   have numbers that scrolling does not change. It believes nothing: no mode, no escape sequence switches anything off.
//! * `keys` cuts the user's bytes into keys, and `typed` makes the line of them that any program would, as far as keys can be
//!   explained without knowing the program: *fully* (text and Backspace), *mostly* (motions), *not* (history, completion, vi).
//! * The first key after a rest sets an *anchor* (`start`, `line`): what stands before the cursor is a prompt, what stands right of it a
//!   right prompt. The line is what is painted from there on, over as many rows as it wraps to. If the prompt moves (a cleared
//!   screen, a list of completions, a redraw), the line is looked for behind it again; `prompt` keeps those seen before.
//! * The line is taken when the shell says so (`taken`; `confirm` and `settle` where it has no word for it): line editors switch bracketed paste off (`ESC [ ? 2004 l`) when they have a
//!   line; without that, the row ends right behind it. An editor may also stop in the midst of a line and go on (`pause`). So all keys that accept count, and lines typed ahead are logged when they
//!   are read and not when they are typed. Ctrl-C, Ctrl-D and the like give a line up.
//! * `reading` compares: when keys and paint agree the line is [`Certainty::Exact`]. So it is when an editor showed it
//!   undisturbed. Where they differ, a rule for each reason that there is (a suggestion that was not taken, a row scrolled
//!   sideways, output of something else in between) says which is right, and the line is [`Certainty::Likely`].
//! * `history`: shells print what `!!` became; that is the line.
//!
//! # Secrets
//!
//! `echo` follows which characters have come back. What has not is never in anything that comes out but in the candidates of
//! [`Action::Judge`], which are not to be kept: [`Action::Hidden`] says that something was accepted in a program (a password),
//! and a [`Command`] with `hidden` that a *shell* took a line that nobody could see.
//!
//! # Rules
//!
//! While rules apply (`hold`), an accepting key waits: for the echo of the keys before it, a few milliseconds, never longer
//! than [`Settings::hold`]; then for the verdict on each way in which the line can be read (`look`). A line that a shell is
//! given and that the screen has not shown, though keys alone do not tell it, is asked about as one that nobody has seen. Nothing else waits, but for what is
//! typed within moments after an accepted line, so that it does not overtake the prompt. A denied line is removed with the
//! kill keys (or an interrupt, where only that works: in a construct of several rows, after `ESC`, without echo), and the
//! screen must show that it is gone before anything else is sent (`clear`). If it does not, the session ends.
//!
//! On the alternate screen, too, what is typed is judged, unless the program there has answered keys as no line editor does
//! (`program`): a file that is edited is no line. What was typed before it is known who reads waits for that (`doubtful`).
//! `:!command` and `!command` on its command row are (`escape`).
//!
//! # What cannot be known
//!
//! What an alias, a function, a variable, a script or another program makes of a line; what is edited while nothing is echoed;
//! a key that a shell was told to take for a whole command (it is logged, after the fact); what is run from within an editor by
//! other means than `:!`.
//!
//! # Cost
//!
//! At most 2 MiB of memory for a session, whatever is printed. Long plain output is skipped to its last rows.
#![forbid(unsafe_code)]

mod accept;
mod action;
mod capture;
mod claimed;
mod clear;
mod confirm;
mod doubtful;
mod echo;
mod escape;
#[cfg(test)]
mod flood_tests;
mod gate;
mod history;
mod hold;
mod keys;
mod line;
mod log;
mod look;
mod overtake;
mod pause;
mod program;
mod prompt;
mod reading;
mod replies;
mod screen;
mod settle;
mod show;
mod start;
mod taken;
mod typed;
mod unread;

pub use action::{
    Action, Certainty, Command, EndReason, JudgementId, Outcome, Settings, Size, Verdict,
};
pub use capture::Capture;
