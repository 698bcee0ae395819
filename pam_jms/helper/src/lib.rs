//! `jms-pam-helper`: the half of `pam_jms` that thinks.
//!
//! Started by `pam_jms.so` for one PAM call of sshd, or two that follow each other at once, as the user `jms`, with a socket as its
//! standard input and output; reads a request, answers it from the store, ends; in the authentication phase it
//! asks the person first, through the module. It decides
//! nothing that [`jms::policy::login::decide`] does not say, and opens and closes logins.
//!
//! Trusts the kernel (its own uids, its parent), the store as far as the store checks itself,
//! and sshd's word about factors. Does not trust the network's part of a request: user names,
//! host names and key blobs are parsed strictly before use.
#![forbid(unsafe_code)]
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

pub mod answer;
pub mod authenticate;
pub mod authentication;
pub mod confine;
pub mod connection;
pub mod key;
pub mod passed;
pub mod person;
pub mod published;
pub mod report;
pub mod serve;
