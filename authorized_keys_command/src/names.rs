//! Keeps the copy of the snapshot of users that the name service module maps ([`snapshot::make_copy`]).
//!
//! This program runs at every login with a key, as a user of its own who has nothing else to do: so that is where a copy that has
//! become old is made anew, by a process of its own that nobody waits for. It believes neither the snapshot nor its own arguments;
//! without it lookups are slower and nothing else.
#![forbid(unsafe_code)]

use std::path::Path;

use crate::sys;

/// The copying may take this long; then SIGALRM ends it. A million users take one second.
const DEADLINE_SECONDS: u32 = 30;

/// Begins a new copy if the one that is there is old.
pub(crate) fn keep() {
    let (users, copy) = (
        Path::new(snapshot::USERS_PATH),
        Path::new(snapshot::USERS_COPY_PATH),
    );
    if snapshot::is_copy_old(users, copy) && sys::is_on_its_own() {
        sys::end_after(DEADLINE_SECONDS);
        // There is nobody to tell: lookups do without.
        let _ = snapshot::make_copy(users, copy);
    }
}
