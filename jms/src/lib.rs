//! Nouns, store, policy, secrets and recordings of the bastion: what its programs share.
//!
//! Imports run downwards only: `store` knows `policy`'s plain data, `policy` knows only `names`
//! and `time`; SQL lives in `store`, files of evidence in `recording`.

pub mod caller;
pub mod confinement;
pub mod factor;
pub mod filter_file;
pub mod id;
pub mod keys;
pub mod legacy;
pub mod names;
pub mod nouns;
pub mod password;
pub mod paths;
pub mod policy;
pub mod process;
pub mod recording;
pub mod release;
pub mod replay;
pub mod secret;
pub mod settings;
pub mod sshd_log;
pub mod store;
pub mod time;
pub mod time_zone;
pub mod warm;
