//! Name service module `jms`: shows the virtual users of the bastion to the system (`passwd: files jms`).
//!
//! It runs in every process of the host that looks up a user, root's included, so it does little and keeps little: what is in
//! root's few files, and a copy of the snapshot of users in memory, both looked at anew after a second (`kept`). A call that cannot have
//! them at once opens root's uid range and the snapshot, reads a few hundred bytes, closes both and answers. Nobody
//! waits for a lock, no descriptor stays open; no thread, no environment, no locale, no output, no name service.
//!
//! # Whom it believes
//!
//! * The caller: pointers, as the contract of `nss(5)` modules demands. Names are checked.
//! * Root's files `/etc/jms/uid-range`, `/etc/passwd`, `/etc/group`.
//! * Nobody's word that a file stays as long as it is, but root's and that of the user who looks up keys, `jms-keys`: only what lies in
//!   his folder is mapped into memory ([`snapshot::make_copy`]).
//! * Not the snapshot nor the copy: the service user writes it, and it must not be able to make root's processes believe anything that
//!   helps it. It gives a name, a uid and flags. Group, home, shell and password field come from here. A uid outside
//!   root's range, an invalid name, or a name that a **local** account has or that a local group lists as its member is
//!   not answered: otherwise `sudo`, which looks its caller up by uid, would take a virtual user for the local
//!   administrator whose name the snapshot gives it.
//!
//! # What it answers
//!
//! | status | `errno` | when |
//! | --- | --- | --- |
//! | success | untouched | the user is there |
//! | not found | `ENOENT` | root's range and the snapshot were read, and it is not there; or the name or uid cannot be ours |
//! | unavailable | why | range or snapshot is missing, unreadable or wrong |
//! | try again | `ERANGE` | the caller's buffer is too small |
//!
//! Disabled users are answered like others: whether somebody may log in is decided elsewhere, and `ls -l` shows names.
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
compile_error!(
    "nss_jms must be built with panic = \"unwind\": a panic must not kill the process that looks up a name"
);

mod ffi;
mod kept;
mod local;
pub mod lookup;
pub mod record;
mod sys;

pub use ffi::{
    _nss_jms_endpwent, _nss_jms_getpwent_r, _nss_jms_getpwnam_r, _nss_jms_getpwuid_r,
    _nss_jms_setpwent,
};
