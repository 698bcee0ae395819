//! The file as a whole.
#![forbid(unsafe_code)]

use super::access::{Defaults, Grant, SystemUser, SystemUserOverride};
use super::filters::Filter;
use super::login_rules::LoginRule;
use super::machines::{Asset, AssetGroup, Site};
use super::object::Object;
use super::people::{User, UserGroup};
use crate::failure::{Done, Failure};
use jms::store::{Read, StoreError};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

const HEAD: &str = "# The policy of a bastion: jmsctl export. No secrets are in it.
# jmsctl diff FILE shows what would change; jmsctl apply FILE changes it.
";

/// Objects of one kind by name. A kind that the file does not mention at all is left alone, by `--prune`, too.
pub type Section<T> = Option<BTreeMap<String, T>>;

/// All sections, in the order in which they are written: later ones name earlier ones.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Document {
    /// `[site]`
    #[serde(skip_serializing_if = "Option::is_none")]
    pub site: Section<Site>,
    /// `[user-group]`
    #[serde(skip_serializing_if = "Option::is_none")]
    pub user_group: Section<UserGroup>,
    /// `[asset-group]`
    #[serde(skip_serializing_if = "Option::is_none")]
    pub asset_group: Section<AssetGroup>,
    /// `[user]`
    #[serde(skip_serializing_if = "Option::is_none")]
    pub user: Section<User>,
    /// `[system-user]`
    #[serde(skip_serializing_if = "Option::is_none")]
    pub system_user: Section<SystemUser>,
    /// `[defaults]`
    #[serde(skip_serializing_if = "Option::is_none")]
    pub defaults: Option<Defaults>,
    /// `[asset]`
    #[serde(skip_serializing_if = "Option::is_none")]
    pub asset: Section<Asset>,
    /// `[system-user-override]`
    #[serde(skip_serializing_if = "Option::is_none")]
    pub system_user_override: Section<SystemUserOverride>,
    /// `[grant]`
    #[serde(skip_serializing_if = "Option::is_none")]
    pub grant: Section<Grant>,
    /// `[filter]`
    #[serde(skip_serializing_if = "Option::is_none")]
    pub filter: Section<Filter>,
    /// `[login-rule]`
    #[serde(skip_serializing_if = "Option::is_none")]
    pub login_rule: Section<LoginRule>,
}

impl Document {
    /// The policy as it is, or these nouns of it.
    pub fn read(read: Read<'_>, nouns: &[String]) -> Result<Self, StoreError> {
        fn section<T: Object>(read: Read<'_>, nouns: &[String]) -> Result<Section<T>, StoreError> {
            let wanted = nouns.is_empty() || nouns.iter().any(|noun| noun == T::NOUN);
            wanted.then(|| T::all(read)).transpose()
        }
        Ok(Self {
            site: section(read, nouns)?,
            user_group: section(read, nouns)?,
            asset_group: section(read, nouns)?,
            user: section(read, nouns)?,
            system_user: section(read, nouns)?,
            defaults: section(read, nouns)?.and_then(|mut one| one.remove("")),
            asset: section(read, nouns)?,
            system_user_override: section(read, nouns)?,
            grant: section(read, nouns)?,
            filter: section(read, nouns)?,
            login_rule: section(read, nouns)?,
        })
    }

    /// Reads a file.
    ///
    /// # Errors
    /// A sentence with the line: no TOML, an unknown field, a value that cannot be.
    pub fn parse(text: &str) -> Result<Self, String> {
        toml::from_str(text).map_err(|error| error.to_string())
    }

    /// The file's text: the same policy makes the same bytes.
    pub fn to_text(&self) -> Done<String> {
        let body = toml::to_string(self)
            .map_err(|error| Failure::io("write", "the policy as TOML", error))?;
        Ok(format!("{HEAD}\n{body}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_section_can_be_asked_for_by_name() {
        let sections = [
            Site::NOUN,
            UserGroup::NOUN,
            AssetGroup::NOUN,
            User::NOUN,
            SystemUser::NOUN,
            Defaults::NOUN,
            Asset::NOUN,
            SystemUserOverride::NOUN,
            Grant::NOUN,
            Filter::NOUN,
            LoginRule::NOUN,
        ];
        assert_eq!(sections, crate::cli::policy_file::NOUNS);
    }

    #[test]
    fn what_is_wrong_is_said_with_its_line() {
        let refused = [
            (
                "[user.alice]\nrole = \"king\"",
                "one of user, auditor, admin",
            ),
            ("[user.alice]\nrolle = \"user\"", "unknown field"),
            ("[users.alice]", "unknown field"),
            ("[asset.web1]\nport = 70000", "70000"),
            (
                "[user.alice]\nvalid_until = \"soon\"",
                "2026-12-31T18:00:00Z",
            ),
            ("[user.alice]\nfull_name = \"a\\u001bb\"", "control"),
            ("[grant.g]\nrights = [\"fly\"]", "fly"),
            (
                "[[filter.f.rule]]\nverdict = \"reject\"\ncommand = \"rm\"",
                "one of allow, deny",
            ),
            (
                "[[user.alice.key]]\npublic_key = \"ssh-dss AAAA\"",
                "ssh-dss",
            ),
            ("[user", "line 1"),
        ];
        for (text, reason) in refused {
            let sentence = Document::parse(text).unwrap_err();
            assert!(sentence.contains(reason), "{text:?}: {sentence}");
            assert!(sentence.contains("line"), "{text:?}: {sentence}");
        }
    }
}
