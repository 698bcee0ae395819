//! Changing the environment, which is safe only while nobody else can read it.
#![allow(unsafe_code)]

use std::ffi::OsStr;

/// Removes a variable.
pub fn remove_variable(name: &OsStr) {
    // SAFETY: called from the beginning of main, before any thread is started; see `environment::sanitise`.
    unsafe { std::env::remove_var(name) };
}

/// Sets a variable.
pub fn set_variable(name: &str, value: &str) {
    // SAFETY: as `remove_variable`.
    unsafe { std::env::set_var(name, value) };
}
