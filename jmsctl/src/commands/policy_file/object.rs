//! What the kinds of object in the file have in common.
#![forbid(unsafe_code)]

use crate::commands::accounts::LocalAccounts;
use jms::store::{Change, Read, StoreError};
use jms::time::Time;
use serde::Serialize;
use serde::de::DeserializeOwned;
use snapshot::UidRange;
use std::collections::BTreeMap;
use std::path::PathBuf;

/// What writing an object needs beside the change.
pub struct Surroundings {
    /// The moment of the change.
    pub now: Time,
    /// Where the highest uid ever given is kept.
    pub high_water: PathBuf,
    /// The uids that users may get.
    pub range: UidRange,
    /// Accounts of this machine, whose uids are not given.
    pub accounts: LocalAccounts,
}

/// One kind of object, as a table of the file says it: a field that is `None` is not said.
pub trait Object: Serialize + DeserializeOwned + Clone {
    /// The word on the command line and in the table's name.
    const NOUN: &'static str;

    /// All that the store has, every field said.
    fn all(read: Read<'_>) -> Result<BTreeMap<String, Self>, StoreError>;

    /// Adds the object (`is_new`) or changes what the table says of it.
    fn write(
        &self,
        name: &str,
        is_new: bool,
        change: &Change<'_>,
        surroundings: &Surroundings,
    ) -> Result<(), StoreError>;

    /// What can only be written when every object of this kind is there.
    fn finish(&self, _name: &str, _change: &Change<'_>) -> Result<(), StoreError> {
        Ok(())
    }

    /// Whether the store always has it, whatever a file says.
    fn is_permanent(_name: &str) -> bool {
        false
    }

    /// Lets go of other objects that may be removed with it.
    fn let_go(_name: &str, _change: &Change<'_>) -> Result<(), StoreError> {
        Ok(())
    }

    /// Removes it, and what hangs on it.
    fn remove(name: &str, change: &Change<'_>) -> Result<(), StoreError>;
}

/// Sets `field` if the table says it.
pub fn put<T, U: Clone + Into<T>>(said: &Option<U>, field: &mut T) {
    if let Some(value) = said {
        *field = value.clone().into();
    }
}

/// The new object, or the one that the store has.
pub fn start<T>(
    is_new: bool,
    new: impl FnOnce() -> T,
    stored: impl FnOnce() -> Result<T, StoreError>,
) -> Result<T, StoreError> {
    if is_new { Ok(new()) } else { stored() }
}
