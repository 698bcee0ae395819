//! The everyday case as it was filled within the last hour, for labs that begin where [`everyday::fill`] ends.
//!
//! Half of what such a lab's start costs is the same each time: accounts, host keys, a dozen runs of `jmsctl`. It is done on
//! hosts of its own, once an hour for each package, and what it changed on them lies in the cache. Not for longer: records
//! have times, and `status` tells what happened today.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use anyhow::Result;

use crate::cache::{Cache, Entry};
use crate::everyday;
use crate::folder::Folder;
use crate::lab::Builder;
use crate::package::short_digest;
use crate::release::Release;
use crate::say;

/// How long one is good for.
const GOOD_FOR: Duration = Duration::from_secs(3600);
/// What it is made by: another one is made after a change.
const RECIPE: [&str; 4] = [
    include_str!("filled.rs"),
    include_str!("everyday.rs"),
    include_str!("boot.rs"),
    include_str!("host_init.rs"),
];
/// The folder with people's keys in an entry; the others are the hosts' changes.
const PEOPLE: &str = "people";

/// What the hosts of an everyday lab begin with.
#[derive(Debug)]
pub struct Filled {
    entry: Entry,
}

impl Filled {
    /// From the cache, or made now with hosts that `builder` describes.
    ///
    /// # Errors
    /// When the hosts cannot be started or filled.
    pub(crate) fn of(builder: Builder, release: Release, layers: &[Entry]) -> Result<Self> {
        let hour = SystemTime::now().duration_since(UNIX_EPOCH)?.as_secs() / GOOD_FOR.as_secs();
        let mut parts = layers
            .iter()
            .filter_map(|layer| layer.path().file_name())
            .map(std::ffi::OsStr::as_encoded_bytes)
            .collect::<Vec<_>>();
        parts.extend(RECIPE.map(str::as_bytes));
        let prefix = format!("everyday-on-debian-{}-", release.number());
        let name = format!("{prefix}{}-{hour}", short_digest(&parts));
        let cache = Cache::of_this_machine()?;
        let entry = cache.entry(&name, |folder| fill(builder, folder))?;
        cache.prune(&prefix, 2)?;
        Ok(Self { entry })
    }

    /// The changes that the host of this name begins with.
    pub(crate) fn changes_of(&self, host: &str) -> PathBuf {
        self.entry.path().join(host)
    }

    /// Gives the lab's folder the keys of the people who are in the store.
    pub(crate) fn people(&self, folder: &Folder) -> Result<()> {
        for person in fs::read_dir(self.entry.path().join(PEOPLE))? {
            let person = person?;
            folder.take_key(&person.file_name().to_string_lossy(), &person.path())?;
        }
        Ok(())
    }
}

fn fill(builder: Builder, folder: &Path) -> Result<()> {
    say("filling the everyday case, once an hour");
    let lab = builder.changes(folder).start()?;
    everyday::fill(&lab)?;
    let people = folder.join(PEOPLE);
    for person in lab.folder().people()? {
        let own = people.join(&person);
        fs::create_dir_all(&own)?;
        let key = lab.folder().key_of(&person)?;
        fs::copy(&key, own.join("key"))?;
        fs::copy(key.with_extension("pub"), own.join("key.pub"))?;
    }
    let names = lab.hosts().iter().map(|host| host.name().to_owned());
    let names = names.collect::<Vec<_>>();
    lab.stop();
    for name in names {
        fs::remove_dir_all(folder.join(name).with_extension("work"))?;
    }
    Ok(())
}
