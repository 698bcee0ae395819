//! What the user may reach, an entry for each asset: looked through by name, address, comment and group.
#![forbid(unsafe_code)]

use crate::request::Wording;
use crate::target;
use crate::verbs::{groups_of, is_within};
use jms::nouns::User;
use jms::store::{Reachable, Store, StoreError, Target};
use jms::time::Time;
use std::collections::HashMap;
use std::rc::Rc;

/// All that the user may reach, by name.
#[derive(Debug, Default)]
pub struct Catalogue {
    /// The assets.
    pub entries: Vec<Reachable>,
    /// By an asset's row id, the paths of the asset groups that it is in.
    places: HashMap<i64, Vec<Rc<str>>>,
    /// Asset groups that hold an entry, and all above them, by path: how many entries they hold.
    pub groups: Vec<(String, usize)>,
}

impl Catalogue {
    /// What `user` may reach now.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn read(store: &Store, user: &User) -> Result<Self, StoreError> {
        let entries = store.read().reachable(user, Time::now())?;
        let places = match entries.is_empty() {
            true => HashMap::new(),
            false => store.read().places()?,
        };
        Ok(Self::new(entries, places))
    }

    /// From assets, by name, and the groups of each.
    #[must_use]
    pub fn new(entries: Vec<Reachable>, places: HashMap<i64, Vec<Rc<str>>>) -> Self {
        let assets = entries.iter().map(|entry| entry.asset_id);
        let groups = groups_of(assets, &places).into_iter().collect();
        Self {
            entries,
            places,
            groups,
        }
    }

    /// The targets that a wording could mean: those of the asset with this name, or at this address.
    #[must_use]
    pub fn targets(&self, wording: &Wording) -> Vec<Target> {
        let asset = wording.asset.as_str();
        let may_be = |entry: &&Reachable| {
            entry.asset == asset || target::same_address(&entry.address, asset)
        };
        let entries = self.entries.iter().filter(may_be);
        entries.flat_map(Reachable::targets).collect()
    }

    /// What the beginning of a line can become: the last word `part`, after `ahead`.
    #[must_use]
    pub fn completions(&self, ahead: &str, part: &str) -> Vec<String> {
        let begins = |text: &&str| text.starts_with(part);
        let words = crate::request::KNOWN.iter().copied();
        match ahead {
            "help" => words.filter(begins).map(str::to_owned).collect(),
            "" | "connect" if part.contains('@') => {
                let targets = self.entries.iter().flat_map(Reachable::targets);
                let names = targets.map(|target| target::name(&target));
                names.filter(|name| name.starts_with(part)).collect()
            }
            "" | "connect" => {
                let words = words.filter(|_| ahead.is_empty());
                let names = self.entries.iter().map(|entry| entry.asset.as_str());
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
        self.entries.iter().position(|entry| entry.asset == name)
    }

    /// Those of `among` that hold `text` in name, address or comment, in any case.
    #[must_use]
    pub fn holding(&self, among: &[usize], text: &str) -> Vec<usize> {
        let text = text.to_lowercase();
        let fits = |place: &&usize| {
            self.entries.get(**place).is_some_and(|entry| {
                let mut texts = [&entry.asset, &entry.address, &entry.comment].into_iter();
                texts.any(|field| field.to_lowercase().contains(&text))
            })
        };
        among.iter().filter(fits).copied().collect()
    }

    /// Those that lie in `group` or below it.
    #[must_use]
    pub fn within(&self, group: &str) -> Vec<usize> {
        let lies = |entry: &Reachable| {
            let paths = self.places.get(&entry.asset_id).into_iter().flatten();
            paths.into_iter().any(|path| is_within(path, group))
        };
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
    use jms::store::Account;

    fn entry(asset_id: i64, asset: &str, system_users: &[&str]) -> Reachable {
        let account = |name: &&str| Account {
            system_user_id: 1,
            system_user: (*name).into(),
            rights: Rights::NONE,
        };
        Reachable {
            asset_id,
            asset: asset.into(),
            address: format!("192.0.2.{asset_id}"),
            comment: format!("Number {asset_id}"),
            accounts: system_users.iter().map(account).collect(),
        }
    }

    fn catalogue() -> Catalogue {
        let entries = vec![
            entry(3, "db1", &["dev"]),
            entry(1, "web1", &["dba", "dev"]),
            entry(10, "web10", &["dev"]),
        ];
        let places = HashMap::from([
            (1, vec!["/prod/web".into()]),
            (10, vec!["/prod/web".into(), "/test".into()]),
        ]);
        Catalogue::new(entries, places)
    }

    #[test]
    fn groups_are_counted_with_all_above_them() {
        let catalogue = catalogue();
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
    fn a_wording_is_looked_up_by_name_and_by_address() {
        let catalogue = catalogue();
        let names = |text: &str| -> Vec<String> {
            let wording = Wording::parse(text.as_bytes()).unwrap();
            catalogue
                .targets(&wording)
                .iter()
                .map(target::name)
                .collect()
        };
        assert_eq!(names("web1"), ["dba@web1", "dev@web1"]);
        assert_eq!(names("dev@192.0.2.10"), ["dev@web10"]);
        assert!(names("web").is_empty());
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
