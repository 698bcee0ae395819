//! A security key (FIDO) in software, for the tests' clients. OpenSSH loads it as `SecurityKeyProvider`, in the place of the
//! library that talks with keys over USB; what it signs is what a key in hand would sign, and sshd cannot tell the difference.
//!
//! It is no safe place for keys: the handle, which lies in the client's key file, is the key.

mod device;
mod ffi;

pub use device::{PIN, TOUCH_ONLY};
