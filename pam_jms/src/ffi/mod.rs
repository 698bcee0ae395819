//! Everything that needs `unsafe`: two functions of libpam that pam-bindings lacks, the name
//! service, syslog, sshd's connection, and starting a process that is no longer root.
#![allow(unsafe_code)]

pub(crate) mod channel;
pub(crate) mod child;
pub(crate) mod connection;
pub(crate) mod log;
pub(crate) mod pam;
pub(crate) mod passwd;
pub(crate) mod signals;
