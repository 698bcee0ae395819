//! The four functions that OpenSSH calls (sk-api.h of OpenSSH 8.9 and later), in its `ssh-sk-helper` and nowhere else.
#![allow(unsafe_code)]

use std::ffi::{CStr, c_char, c_int};
use std::mem::size_of;

use crate::device::{self, Refusal};

/// `SSH_SK_VERSION_MAJOR`.
const VERSION: u32 = 0x000a_0000;
/// `SSH_SK_ED25519`.
const ED25519: u32 = 1;
const GENERAL: c_int = -1;
const UNSUPPORTED: c_int = -2;
const PIN_REQUIRED: c_int = -3;

/// `struct sk_enroll_response`.
#[repr(C)]
pub struct EnrollResponse {
    flags: u8,
    public_key: *mut u8,
    public_key_len: usize,
    key_handle: *mut u8,
    key_handle_len: usize,
    signature: *mut u8,
    signature_len: usize,
    attestation_cert: *mut u8,
    attestation_cert_len: usize,
    authdata: *mut u8,
    authdata_len: usize,
}

/// `struct sk_sign_response`.
#[repr(C)]
pub struct SignResponse {
    flags: u8,
    counter: u32,
    sig_r: *mut u8,
    sig_r_len: usize,
    sig_s: *mut u8,
    sig_s_len: usize,
}

/// `struct sk_option`, which none is looked at.
#[repr(C)]
pub struct Options([u8; 0]);

/// Which version of the interface this is.
#[unsafe(no_mangle)]
pub extern "C" fn sk_api_version() -> u32 {
    VERSION
}

/// Makes a key.
///
/// # Safety
/// As sk-api.h has it: `response` is a place for a pointer.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sk_enroll(
    algorithm: u32,
    _challenge: *const u8,
    _challenge_len: usize,
    _application: *const c_char,
    flags: u8,
    _pin: *const c_char,
    _options: *mut *mut Options,
    response: *mut *mut EnrollResponse,
) -> c_int {
    if algorithm != ED25519 {
        return UNSUPPORTED;
    }
    let made = match device::make() {
        Ok(made) => made,
        Err(refusal) => return number(refusal),
    };
    let (public_key, public_key_len) = given_away(&made.public);
    let (key_handle, key_handle_len) = given_away(&made.handle);
    // Attests nothing; a key that does not is one.
    let (signature, signature_len) = given_away(&[]);
    let (attestation_cert, attestation_cert_len) = given_away(&[]);
    let (authdata, authdata_len) = given_away(&[]);
    let made = EnrollResponse {
        flags,
        public_key,
        public_key_len,
        key_handle,
        key_handle_len,
        signature,
        signature_len,
        attestation_cert,
        attestation_cert_len,
        authdata,
        authdata_len,
    };
    // SAFETY: the caller says so.
    unsafe { hand_over(made, response) }
}

/// Signs with a key.
///
/// # Safety
/// As sk-api.h has it: `data` and `key_handle` are as long as they say, `application` and `pin` are C strings (the latter
/// may be null), `response` is a place for a pointer.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sk_sign(
    algorithm: u32,
    data: *const u8,
    data_len: usize,
    application: *const c_char,
    key_handle: *const u8,
    key_handle_len: usize,
    flags: u8,
    pin: *const c_char,
    _options: *mut *mut Options,
    response: *mut *mut SignResponse,
) -> c_int {
    if algorithm != ED25519 || data.is_null() || key_handle.is_null() {
        return UNSUPPORTED;
    }
    // SAFETY: the caller says so.
    let data = unsafe { std::slice::from_raw_parts(data, data_len) };
    // SAFETY: the same.
    let handle = unsafe { std::slice::from_raw_parts(key_handle, key_handle_len) };
    // SAFETY: the same.
    let application = unsafe { text(application) };
    // SAFETY: the same.
    let pin = unsafe { text(pin) };
    let signed = match device::sign(handle, application.unwrap_or_default(), data, flags, pin) {
        Ok(signed) => signed,
        Err(refusal) => return number(refusal),
    };
    let (sig_r, sig_r_len) = given_away(&signed.signature);
    let signed = SignResponse {
        flags: signed.flags,
        counter: signed.counter,
        sig_r,
        sig_r_len,
        sig_s: std::ptr::null_mut(),
        sig_s_len: 0,
    };
    // SAFETY: the caller says so.
    unsafe { hand_over(signed, response) }
}

/// There are no keys that live in the device.
#[unsafe(no_mangle)]
pub extern "C" fn sk_load_resident_keys(
    _pin: *const c_char,
    _options: *mut *mut Options,
    _keys: *mut *mut *mut u8,
    _count: *mut usize,
) -> c_int {
    UNSUPPORTED
}

fn number(refusal: Refusal) -> c_int {
    match refusal {
        Refusal::General => GENERAL,
        Refusal::PinRequired => PIN_REQUIRED,
    }
}

/// # Safety
/// `start` is null or a C string that lives long enough.
unsafe fn text<'a>(start: *const c_char) -> Option<&'a str> {
    if start.is_null() {
        return None;
    }
    // SAFETY: the caller says so.
    unsafe { CStr::from_ptr(start) }.to_str().ok()
}

/// A copy that the caller frees with `free`; null, which OpenSSH takes for a failure, where there is no memory.
fn given_away(bytes: &[u8]) -> (*mut u8, usize) {
    // SAFETY: asks for memory, and for some even where nothing is copied.
    let copy = unsafe { libc::malloc(bytes.len().max(1)) }.cast::<u8>();
    if !copy.is_null() {
        // SAFETY: both are that long, and one is new.
        unsafe { std::ptr::copy_nonoverlapping(bytes.as_ptr(), copy, bytes.len()) };
    }
    (copy, bytes.len())
}

/// # Safety
/// `place` is one for a pointer.
unsafe fn hand_over<T>(response: T, place: *mut *mut T) -> c_int {
    // SAFETY: asks for memory; malloc's is aligned for every type of C.
    let memory = unsafe { libc::malloc(size_of::<T>()) }.cast::<T>();
    if memory.is_null() {
        return GENERAL;
    }
    // SAFETY: new, and large enough.
    unsafe { memory.write(response) };
    // SAFETY: the caller says so.
    unsafe { place.write(memory) };
    0
}
