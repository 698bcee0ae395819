//! What the user may reach, an entry for each asset: looked through by name, address, comment and group.
#![forbid(unsafe_code)]

use crate::target;
use crate::verbs::is_within;
use jms::nouns::User;
use jms::store::{Store, StoreError, Target};
use jms::time::Time;
use std::collections::HashMap;
use std::rc::Rc;

/// An asset with the system users that are granted on it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// Its name.
    pub name: String,
    /// Its address.
    pub address: String,
    /// What the administrator noted about it.
    pub comment: String,
    /// Names of system users, sorted.
    pub system_users: Vec<String>,
    /// Asset groups that it is in.
    pub groups: Vec<Rc<str>>,
}

/// All entries, by name.
#[derive(Debug, Default)]
pub struct Catalogue {
    /// The entries.
    pub entries: Vec<Entry>,
    /// What they were made of.
    pub targets: Vec<Target>,
    /// Asset groups that hold an entry, and all above them, by path: how many entries they hold.
    pub groups: Vec<(String, usize)>,
}

impl Catalogue {
    /// What `user` may reach now.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn read(store: &Store, user: &User) -> Result<Self, StoreError> {
        let targets = store.read().targets(user, Time::now())?;
        let places = match targets.is_empty() {
            true => HashMap::new(),
            false => store.read().places()?,
        };
        Ok(Self::new(targets, places))
    }

    /// From targets (an asset's stand together) and the groups of each asset.
    #[must_use]
    pub fn new(targets: Vec<Target>, mut places: HashMap<i64, Vec<Rc<str>>>) -> Self {
        let groups = crate::verbs::groups_of(&targets, &places);
        let groups = groups.into_iter().collect();
        let mut entries: Vec<Entry> = Vec::new();
        let mut last = None;
        for target in &targets {
            if last != Some(target.asset_id) {
                last = Some(target.asset_id);
                entries.push(Entry {
                    name: target.asset.clone(),
                    address: target.address.clone(),
                    comment: target.comment.clone(),
                    system_users: Vec::new(),
                    groups: places.remove(&target.asset_id).unwrap_or_default(),
                });
            }
            if let Some(entry) = entries.last_mut() {
                entry.system_users.push(target.system_user.clone());
            }
        }
        Self {
            entries,
            targets,
            groups,
        }
    }

    /// What the beginning of a line can become: the last word `part`, after `ahead`.
    #[must_use]
    pub fn completions(&self, ahead: &str, part: &str) -> Vec<String> {
        let begins = |text: &&str| text.starts_with(part);
        let words = crate::request::KNOWN.iter().copied();
        match ahead {
            "help" => words.filter(begins).map(str::to_owned).collect(),
            "" | "connect" if part.contains('@') => {
                let targets = self.targets.iter().map(target::name);
                targets.filter(|name| name.starts_with(part)).collect()
            }
            "" | "connect" => {
                let words = words.filter(|_| ahead.is_empty());
                let names = self.entries.iter().map(|entry| entry.name.as_str());
                words
                    .chain(names)
                    .filter(begins)
                    .map(str::to_owned)
                    .collect()
            }
            _ => Vec::new(),
        }
    }

    /// Places of all entries.
    #[must_use]
    pub fn all(&self) -> Vec<usize> {
        (0..self.entries.len()).collect()
    }

    /// The entry of this name.
    #[must_use]
    pub fn named(&self, name: &str) -> Option<usize> {
        self.entries.iter().position(|entry| entry.name == name)
    }

    /// Those of `among` that hold `text` in name, address or comment, in any case.
    #[must_use]
    pub fn holding(&self, among: &[usize], text: &str) -> Vec<usize> {
        let text = text.to_lowercase();
        let fits = |place: &&usize| {
            self.entries.get(**place).is_some_and(|entry| {
                let mut texts = [&entry.name, &entry.address, &entry.comment].into_iter();
                texts.any(|field| field.to_lowercase().contains(&text))
            })
        };
        among.iter().filter(fits).copied().collect()
    }

    /// Those that lie in `group` or below it.
    #[must_use]
    pub fn within(&self, group: &str) -> Vec<usize> {
        let lies = |entry: &Entry| entry.groups.iter().any(|path| is_within(path, group));
        let places = self.entries.iter().enumerate();
        places
            .filter(|(_, entry)| lies(entry))
            .map(|(place, _)| place)
            .collect()
    }

    /// What a part of a name means: the asset that is called so, else those whose address is it, else
    /// all that hold it.
    #[must_use]
    pub fn meant(&self, text: &str) -> Vec<usize> {
        if let Some(place) = self.named(text) {
            return vec![place];
        }
        let held = self.holding(&self.all(), text);
        let is_address = |place: &usize| {
            self.entries
                .get(*place)
                .is_some_and(|entry| entry.address == text)
        };
        let exact: Vec<usize> = held.iter().copied().filter(is_address).collect();
        if exact.is_empty() { held } else { exact }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use jms::policy::Rights;

    fn target(asset_id: i64, system_user: &str, asset: &str) -> Target {
        Target {
            asset_id,
            asset: asset.into(),
            address: format!("192.0.2.{asset_id}"),
            comment: format!("Number {asset_id}"),
            system_user_id: 1,
            system_user: system_user.into(),
            rights: Rights::NONE,
        }
    }

    fn catalogue() -> Catalogue {
        let targets = vec![
            target(3, "dev", "db1"),
            target(1, "dba", "web1"),
            target(1, "dev", "web1"),
            target(10, "dev", "web10"),
        ];
        let places = HashMap::from([
            (1, vec!["/prod/web".into()]),
            (10, vec!["/prod/web".into(), "/test".into()]),
        ]);
        Catalogue::new(targets, places)
    }

    #[test]
    fn an_asset_is_one_entry_with_all_its_system_users() {
        let catalogue = catalogue();
        let names: Vec<&str> = catalogue
            .entries
            .iter()
            .map(|entry| entry.name.as_str())
            .collect();
        assert_eq!(names, ["db1", "web1", "web10"]);
        assert_eq!(catalogue.entries[1].system_users, ["dba", "dev"]);
        let groups: Vec<(&str, usize)> = catalogue
            .groups
            .iter()
            .map(|(path, count)| (path.as_str(), *count))
            .collect();
        assert_eq!(groups, [("/prod", 2), ("/prod/web", 2), ("/test", 1)]);
    }

    #[test]
    fn a_part_means_everything_that_holds_it_and_a_whole_name_only_itself() {
        let catalogue = catalogue();
        assert_eq!(catalogue.meant("web1"), [1]);
        assert_eq!(catalogue.meant("WEB"), [1, 2]);
        assert_eq!(catalogue.meant("192.0.2.1"), [1], "and not 192.0.2.10");
        assert_eq!(catalogue.meant("192.0.2"), [0, 1, 2]);
        assert_eq!(catalogue.meant("number 3"), [0]);
        assert!(catalogue.meant("mail").is_empty());
    }

    #[test]
    fn words_assets_and_targets_are_completed_where_they_stand() {
        let catalogue = catalogue();
        assert_eq!(catalogue.completions("", "w"), ["whoami", "web1", "web10"]);
        assert_eq!(catalogue.completions("connect", "w"), ["web1", "web10"]);
        assert_eq!(
            catalogue.completions("", "dev@w"),
            ["dev@web1", "dev@web10"]
        );
        assert_eq!(catalogue.completions("connect", "dba@"), ["dba@web1"]);
        assert_eq!(
            catalogue.completions("help", "ses"),
            ["sessions", "session"]
        );
        assert!(
            catalogue.completions("web1", "w").is_empty(),
            "a command is the asset's"
        );
    }

    #[test]
    fn groups_and_searches_narrow_the_list() {
        let catalogue = catalogue();
        assert_eq!(catalogue.within("/prod"), [1, 2]);
        assert_eq!(catalogue.within("/test"), [2]);
        assert_eq!(catalogue.holding(&catalogue.within("/prod"), "10"), [2]);
    }
}
