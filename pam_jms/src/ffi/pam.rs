//! What pam-bindings lacks, or leaves to us to be careful with: the PAM environment (pam_getenv(3), pam_putenv(3)), and what
//! a handle keeps for us from one call to the next (pam_set_data(3)).

use std::cell::Cell;
use std::ffi::CStr;

use libc::{c_char, c_int};
use pam::module::PamHandle;

use crate::helper::Waiting;

const PAM_SUCCESS: c_int = 0;

// pam-bindings links libpam.
unsafe extern "C" {
    fn pam_getenv(handle: *mut PamHandle, name: *const c_char) -> *const c_char;
    fn pam_putenv(handle: *mut PamHandle, assignment: *const c_char) -> c_int;
}

/// The value of a variable, if it is set and UTF-8.
pub(crate) fn variable(handle: &PamHandle, name: &CStr) -> Option<String> {
    // SAFETY: the handle is PAM's own and alive for this call; pam_getenv only reads it (its
    // parameter is not const for history's sake); the name is NUL-terminated.
    let value = unsafe { pam_getenv(std::ptr::from_ref(handle).cast_mut(), name.as_ptr()) };
    if value.is_null() {
        return None;
    }
    // SAFETY: PAM returns a NUL-terminated string that stays until the environment is changed,
    // which needs the handle that is borrowed here; it is copied before.
    let value = unsafe { CStr::from_ptr(value) };
    value.to_str().ok().map(str::to_owned)
}

/// Sets `NAME=value`; PAM copies it. Whether it worked.
pub(crate) fn set_variable(handle: &mut PamHandle, assignment: &CStr) -> bool {
    // SAFETY: the handle is PAM's own, borrowed for ourselves; the text is NUL-terminated.
    let result = unsafe { pam_putenv(std::ptr::from_mut(handle), assignment.as_ptr()) };
    result == PAM_SUCCESS
}

/// Removes a variable: what has no `=` is taken for a name to forget. Whether it worked.
pub(crate) fn unset_variable(handle: &mut PamHandle, name: &CStr) -> bool {
    !name.to_bytes().contains(&b'=') && set_variable(handle, name)
}

/// The only thing that is kept under this name, always of the type [`Kept`].
const KEPT: &str = "jms_helper";
/// Emptied by who takes the helper out.
type Kept = Cell<Option<Waiting>>;

/// Has the handle keep a helper; one that was kept before is ended.
pub(crate) fn keep(handle: &mut PamHandle, waiting: Waiting) {
    let kept: Box<Kept> = Box::new(Cell::new(Some(waiting)));
    let _ = handle.set_data(KEPT, kept);
}

/// Takes out the helper that the handle keeps.
pub(crate) fn kept(handle: &mut PamHandle) -> Option<Waiting> {
    // SAFETY: what stands under this name was put there by `keep`: its type is `Kept`.
    let kept = unsafe { handle.get_data::<Kept>(KEPT) };
    kept.ok()?.take()
}
