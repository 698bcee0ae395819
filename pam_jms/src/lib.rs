//! `pam_jms.so`: PAM asks, `jms-pam-helper` decides.
//!
//! Runs as root inside sshd, and inside every other program whose PAM stack includes it. So it
//! does as little as possible: finds out whether the user is one of ours (the name service's uid
//! lies in root's uid range), and if so has the helper, started anew as the user `jms`, answer.
//!
//! What it promises:
//! * A user who is not ours gets `PAM_IGNORE` in every phase, whatever is broken: no helper, no
//!   store, a panic. Local administrators never depend on this file.
//! * A virtual user gets in only by the helper's clear yes. Dead, missing, slow or lying helpers
//!   are refusals, each with a line in syslog that says which it was.
//! * In any service but sshd a virtual user is refused in every phase, without asking anybody.
//!
//! It reads `/etc/jms/uid-range` (root's) and believes nothing else that it has not checked.
#![deny(unsafe_code)]
#![cfg_attr(
    not(test),
    deny(
        clippy::unwrap_used,
        clippy::expect_used,
        clippy::panic,
        clippy::indexing_slicing,
        clippy::arithmetic_side_effects
    )
)]

#[cfg(panic = "abort")]
compile_error!("pam_jms must be built with panic = \"unwind\": a panic may not end sshd");

mod application;
mod escape;
mod ffi;
mod helper;
mod hooks;
mod phases;
mod stack;
mod system;
