//! Sites, places in the tree and assets in the file.
#![forbid(unsafe_code)]

use super::keys::HostKey;
use super::object::{Object, Surroundings, put, start};
use super::values::{Algorithms, HostKeyPolicy, Line, Names, OrNone};
use jms::nouns;
use jms::store::{Change, Read, StoreError};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// `[site.NAME]`
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Site {
    comment: Option<Line>,
}

impl Object for Site {
    const NOUN: &'static str = "site";

    fn all(read: Read<'_>) -> Result<BTreeMap<String, Self>, StoreError> {
        let sites = read.sites()?.into_iter();
        Ok(sites
            .map(|site| {
                let comment = Some(Line(site.comment));
                (site.name, Self { comment })
            })
            .collect())
    }

    fn write(
        &self,
        name: &str,
        is_new: bool,
        change: &Change<'_>,
        surroundings: &Surroundings,
    ) -> Result<(), StoreError> {
        let mut site = start(
            is_new,
            || nouns::Site::new(name, surroundings.now),
            || change.read().site(name),
        )?;
        put(&self.comment, &mut site.comment);
        match is_new {
            true => change.add_site(&site).map(drop),
            false => change.set_site(&site).map(drop),
        }
    }

    fn remove(name: &str, change: &Change<'_>) -> Result<(), StoreError> {
        change.remove_site(name).map(drop)
    }
}

/// `[asset-group."/PATH"]`; what stands there, each asset says.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AssetGroup {
    comment: Option<Line>,
}

impl Object for AssetGroup {
    const NOUN: &'static str = "asset-group";

    fn all(read: Read<'_>) -> Result<BTreeMap<String, Self>, StoreError> {
        let groups = read.asset_groups()?.into_iter();
        Ok(groups
            .map(|group| {
                let comment = Some(Line(group.comment));
                (group.path, Self { comment })
            })
            .collect())
    }

    fn write(
        &self,
        path: &str,
        is_new: bool,
        change: &Change<'_>,
        surroundings: &Surroundings,
    ) -> Result<(), StoreError> {
        let mut group = start(
            is_new,
            || nouns::AssetGroup::new(path, surroundings.now),
            || change.read().asset_group(path),
        )?;
        put(&self.comment, &mut group.comment);
        match is_new {
            true => change.add_asset_group(&group).map(drop),
            false => change.set_asset_group(&group).map(drop),
        }
    }

    fn is_permanent(path: &str) -> bool {
        path == "/"
    }

    fn remove(path: &str, change: &Change<'_>) -> Result<(), StoreError> {
        change.remove_asset_group(path).map(drop)
    }
}

/// `[asset.NAME]`
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Asset {
    address: Option<String>,
    port: Option<u16>,
    platform: Option<String>,
    site: Option<OrNone<String>>,
    gateway: Option<OrNone<String>>,
    gateway_system_user: Option<OrNone<String>>,
    asset_groups: Option<Names>,
    algorithms: Option<Algorithms>,
    host_key_policy: Option<HostKeyPolicy>,
    privileged_system_user: Option<OrNone<String>>,
    limit_sessions: Option<OrNone<u32>>,
    active: Option<bool>,
    comment: Option<Line>,
    host_keys: Option<Vec<HostKey>>,
}

impl Object for Asset {
    const NOUN: &'static str = "asset";

    fn all(read: Read<'_>) -> Result<BTreeMap<String, Self>, StoreError> {
        let mut keys: BTreeMap<String, Vec<HostKey>> = BTreeMap::new();
        for key in read.host_keys(None)? {
            let asset = key.asset.clone();
            keys.entry(asset).or_default().push(HostKey::of(&key)?);
        }
        let assets = read.assets()?.into_iter();
        Ok(assets
            .map(|asset| {
                let mut host_keys = keys.remove(&asset.name).unwrap_or_default();
                host_keys.sort();
                let said = Self {
                    address: Some(asset.address),
                    port: Some(asset.port),
                    platform: Some(asset.platform),
                    site: Some(OrNone(asset.site)),
                    gateway: Some(OrNone(asset.gateway)),
                    gateway_system_user: Some(OrNone(asset.gateway_system_user)),
                    asset_groups: Some(asset.asset_groups.into()),
                    algorithms: Some(Algorithms(asset.algorithms)),
                    host_key_policy: Some(HostKeyPolicy(asset.host_key_policy)),
                    privileged_system_user: Some(OrNone(asset.privileged_system_user)),
                    limit_sessions: Some(OrNone(asset.limit_sessions)),
                    active: Some(asset.active),
                    comment: Some(Line(asset.comment)),
                    host_keys: Some(host_keys),
                };
                (asset.name, said)
            })
            .collect())
    }

    fn write(
        &self,
        name: &str,
        is_new: bool,
        change: &Change<'_>,
        surroundings: &Surroundings,
    ) -> Result<(), StoreError> {
        let mut asset = if is_new {
            let Some(address) = &self.address else {
                return Err(StoreError::Refused {
                    sentence: "a new asset needs an address".to_owned(),
                });
            };
            let mut asset = nouns::Asset::new(name, address, surroundings.now);
            asset.port = change.read().defaults()?.port;
            asset
        } else {
            change.read().asset(name)?
        };
        put(&self.address, &mut asset.address);
        put(&self.port, &mut asset.port);
        put(&self.platform, &mut asset.platform);
        put(&self.site, &mut asset.site);
        if self.gateway.is_some() {
            // Its gateway may be the next asset of the file: `finish` writes it.
            asset.gateway = None;
        }
        put(&self.gateway_system_user, &mut asset.gateway_system_user);
        put(&self.asset_groups, &mut asset.asset_groups);
        put(&self.algorithms, &mut asset.algorithms);
        put(&self.host_key_policy, &mut asset.host_key_policy);
        put(
            &self.privileged_system_user,
            &mut asset.privileged_system_user,
        );
        put(&self.limit_sessions, &mut asset.limit_sessions);
        put(&self.active, &mut asset.active);
        put(&self.comment, &mut asset.comment);
        match is_new {
            true => change.add_asset(&asset)?,
            false => change.set_asset(&asset)?,
        };
        match &self.host_keys {
            Some(keys) => HostKey::replace(name, keys, change, surroundings.now),
            None => Ok(()),
        }
    }

    fn finish(&self, name: &str, change: &Change<'_>) -> Result<(), StoreError> {
        let Some(OrNone(Some(gateway))) = &self.gateway else {
            return Ok(());
        };
        let mut asset = change.read().asset(name)?;
        asset.gateway = Some(gateway.clone());
        change.set_asset(&asset).map(drop)
    }

    fn let_go(name: &str, change: &Change<'_>) -> Result<(), StoreError> {
        let mut asset = change.read().asset(name)?;
        match asset.gateway.take() {
            Some(_) => change.set_asset(&asset).map(drop),
            None => Ok(()),
        }
    }

    fn remove(name: &str, change: &Change<'_>) -> Result<(), StoreError> {
        change.remove_asset(name).map(drop)
    }
}
