//! Throw-away hosts with a real sshd, and what is tried on them.
//!
//! A [`Lab`] is a client, a bastion and assets: Debian roots from debootstrap under overlayfs, each host in namespaces of its
//! own, with its own sshd, syslog and accounts. Nothing of the machine is changed and nothing is left behind, however the
//! process that holds the lab ends; labs with the same addresses run side by side. It needs root.
//!
//! An end-to-end test reads like the sentence that it proves:
//!
//! ```no_run
//! use tests::Lab;
//!
//! let lab = Lab::everyday();
//! lab.web1().write("/srv/word", "quince\n");
//! lab.client().ssh(["alice@dev@web1@bastion", "cat /srv/word"]).expect_status(0).expect_stdout("quince\n");
//! ```
//!
//! A conversation on a terminal:
//!
//! ```no_run
//! # let lab = tests::Lab::everyday();
//! let mut shell = lab.client().ssh_on_terminal(["alice@dev@web1@bastion"]);
//! shell.expect("dev@web1");
//! shell.send_line("exit 3");
//! shell.wait().expect_status(3);
//! ```

pub mod apt_sources;
pub mod authenticator;
pub mod base_root;
pub mod boot;
pub mod cache;
pub mod client;
pub mod client_host;
pub mod client_root;
pub mod commands;
pub mod corpus;
pub mod everyday;
pub mod filled;
pub mod folder;
pub mod host;
pub mod host_init;
pub mod invocation;
pub mod kept;
pub mod kept_storm;
pub mod lab;
pub mod lifeline;
pub mod live;
pub mod network;
pub mod outcome;
pub mod package;
pub mod proof;
pub mod release;
pub mod rpm_host;
pub mod second_sshd;
pub mod shared_login;
pub mod strangers;
pub mod sys;
pub mod terminal;

pub use authenticator::Authenticator;
pub use client::Client;
pub use host::{Host, Process};
pub use invocation::{Invocation, Running};
pub use lab::Lab;
pub use outcome::{End, Outcome, eventually};
pub use release::Release;
pub use terminal::Terminal;

/// Tells the person at the terminal what takes so long.
pub fn say(text: impl AsRef<str>) {
    eprintln!("lab: {}", text.as_ref());
}
