//! Sets of people and machines, on which policy is written once for many.

use crate::time::Time;
use serde::Serialize;

/// A set of users.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct UserGroup {
    /// Row id; 0 before it is added.
    #[serde(skip)]
    pub id: i64,
    /// Unique name.
    pub name: String,
    /// Names of the users in it.
    pub users: Vec<String>,
    /// Free text.
    pub comment: String,
    /// When it was added.
    pub created_at: Time,
    /// When it was last changed.
    pub updated_at: Time,
}

impl UserGroup {
    /// An empty one.
    #[must_use]
    pub fn new(name: &str, now: Time) -> Self {
        Self {
            id: 0,
            name: name.to_owned(),
            users: Vec::new(),
            comment: String::new(),
            created_at: now,
            updated_at: now,
        }
    }
}

/// A place in the tree of assets. What is said of a place holds for all below it; `/` is the whole tree.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct AssetGroup {
    /// Row id; 0 before it is added.
    #[serde(skip)]
    pub id: i64,
    /// Unique path, as `/prod/web`.
    pub path: String,
    /// Names of the assets at this very place, not of those below.
    pub assets: Vec<String>,
    /// Free text.
    pub comment: String,
    /// When it was added.
    pub created_at: Time,
    /// When it was last changed.
    pub updated_at: Time,
}

impl AssetGroup {
    /// An empty one.
    #[must_use]
    pub fn new(path: &str, now: Time) -> Self {
        Self {
            id: 0,
            path: path.to_owned(),
            assets: Vec::new(),
            comment: String::new(),
            created_at: now,
            updated_at: now,
        }
    }

    /// The path of the place above; `None` for `/`.
    #[must_use]
    pub fn above(path: &str) -> Option<&str> {
        match path.rsplit_once('/')? {
            (_, "") => None,
            ("", _) => Some("/"),
            (above, _) => Some(above),
        }
    }
}

/// A data centre. Which assets stand in it, they say themselves.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Site {
    /// Row id; 0 before it is added.
    #[serde(skip)]
    pub id: i64,
    /// Unique name.
    pub name: String,
    /// Free text.
    pub comment: String,
    /// When it was added.
    pub created_at: Time,
    /// When it was last changed.
    pub updated_at: Time,
}

impl Site {
    /// One with nothing but a name.
    #[must_use]
    pub fn new(name: &str, now: Time) -> Self {
        Self {
            id: 0,
            name: name.to_owned(),
            comment: String::new(),
            created_at: now,
            updated_at: now,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::AssetGroup;

    #[test]
    fn above_every_place_is_another_but_above_the_tree() {
        assert_eq!(AssetGroup::above("/prod/web"), Some("/prod"));
        assert_eq!(AssetGroup::above("/prod"), Some("/"));
        assert_eq!(AssetGroup::above("/"), None);
    }
}
