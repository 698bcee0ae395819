//! Assets and their host keys.

use super::change::{Change, replace_links, valid};
use super::error::StoreError;
use super::read::{Read, Visit, all, number, time, word};
use super::selector::Selector;
use crate::names::{Address, AssetName};
use crate::nouns::{Algorithms, Asset, HostKey, HostKeyOrigin, HostKeyPolicy};
use rusqlite::{Row, params};

const COLUMNS: &str =
    "SELECT a.*, s.name AS site_name, g.name AS gateway_name, p.name AS privileged_name, w.name AS passed_as
     FROM asset a
     LEFT JOIN site s ON s.id = a.site_id
     LEFT JOIN asset g ON g.id = a.gateway_id
     LEFT JOIN system_user p ON p.id = a.privileged_system_user_id
     LEFT JOIN system_user w ON w.id = a.gateway_system_user_id";

fn asset(read: Read<'_>, row: &Row<'_>) -> Result<Asset, StoreError> {
    let id: i64 = row.get("id")?;
    let limit: Option<i64> = row.get("limit_sessions")?;
    Ok(Asset {
        id,
        name: row.get("name")?,
        address: row.get("address")?,
        port: number("port", row.get("port")?)?,
        protocol: row.get("protocol")?,
        platform: row.get("platform")?,
        site: row.get("site_name")?,
        gateway: row.get("gateway_name")?,
        gateway_system_user: row.get("passed_as")?,
        asset_groups: read.texts(
            "SELECT g.path FROM asset_group g JOIN asset_group_member m ON m.asset_group_id = g.id WHERE m.asset_id = ?1 ORDER BY 1",
            [id],
        )?,
        algorithms: word("algorithms", &row.get::<_, String>("algorithms")?, Algorithms::parse)?,
        host_key_policy: word("host_key_policy", &row.get::<_, String>("host_key_policy")?, HostKeyPolicy::parse)?,
        privileged_system_user: row.get("privileged_name")?,
        limit_sessions: limit.map(|limit| number("limit_sessions", limit)).transpose()?,
        active: row.get("active")?,
        comment: row.get("comment")?,
        created_at: time(row, "created_at")?,
        updated_at: time(row, "updated_at")?,
    })
}

fn host_key(row: &Row<'_>) -> Result<HostKey, StoreError> {
    Ok(HostKey {
        asset: row.get("asset_name")?,
        kind: row.get("type")?,
        blob: row.get("blob")?,
        fingerprint: row.get("fingerprint")?,
        origin: word(
            "origin",
            &row.get::<_, String>("origin")?,
            HostKeyOrigin::parse,
        )?,
        created_at: time(row, "created_at")?,
    })
}

impl Read<'_> {
    /// The asset of that name.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] with the nearest name.
    pub fn asset(self, name: &str) -> Result<Asset, StoreError> {
        let found = self.first(&format!("{COLUMNS} WHERE a.name = ?1"), [name], |row| {
            asset(self, row)
        })?;
        found.ok_or_else(|| self.missing("asset", "asset", name))
    }

    pub(super) fn asset_by_id(self, id: i64) -> Result<Option<Asset>, StoreError> {
        self.first(&format!("{COLUMNS} WHERE a.id = ?1"), [id], |row| {
            asset(self, row)
        })
    }

    /// Every asset, by name.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn assets(self) -> Result<Vec<Asset>, StoreError> {
        all(|visit| self.each_asset(visit))
    }

    /// The same one after the other.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn each_asset(self, visit: Visit<'_, Asset>) -> Result<(), StoreError> {
        self.each(
            &format!("{COLUMNS} ORDER BY a.name"),
            [],
            |row| asset(self, row),
            visit,
        )
    }

    /// Host keys of one asset, or of all.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn host_keys(self, asset: Option<&str>) -> Result<Vec<HostKey>, StoreError> {
        all(|visit| self.each_host_key(asset, visit))
    }

    /// The same one after the other.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn each_host_key(
        self,
        asset: Option<&str>,
        visit: Visit<'_, HostKey>,
    ) -> Result<(), StoreError> {
        // By the rows of their assets, so that nothing has to be sorted before the first is seen.
        let sql = match asset {
            Some(_) => {
                "SELECT h.*, a.name AS asset_name FROM host_key h JOIN asset a ON a.id = h.asset_id
                 WHERE a.name = ?1 ORDER BY h.id"
            }
            None => {
                "SELECT h.*, a.name AS asset_name FROM asset a CROSS JOIN host_key h ON h.asset_id = a.id
                 WHERE ?1 IS NULL ORDER BY a.name"
            }
        };
        self.each(sql, [asset], host_key, visit)
    }

    pub(super) fn host_keys_of(self, asset_id: i64) -> Result<Vec<HostKey>, StoreError> {
        self.rows(
            "SELECT h.*, a.name AS asset_name FROM host_key h JOIN asset a ON a.id = h.asset_id WHERE a.id = ?1 ORDER BY h.id",
            [asset_id],
            host_key,
        )
    }
}

impl Change<'_> {
    /// Adds an asset.
    ///
    /// # Errors
    /// [`StoreError::Exists`]; [`StoreError::Refused`] for a bad name or address;
    /// [`StoreError::NotFound`] for a site, gateway, group, platform or system user that is not there.
    pub fn add_asset(&self, new: &Asset) -> Result<Asset, StoreError> {
        valid(AssetName::new(&new.name))?;
        self.refuse_taken("asset", "asset", &new.name)?;
        self.execute(
            "INSERT INTO asset (name, address, created_at, updated_at) VALUES (?1, ?2, ?3, ?3)",
            params![new.name, new.address, self.now().0],
        )?;
        let added = self.write_asset(self.last_id(), new)?;
        self.audit("asset", &added.name, None, Some(&added))?;
        Ok(added)
    }

    /// Writes an asset that was read and edited; the name never changes.
    ///
    /// # Errors
    /// As [`Change::add_asset`].
    pub fn set_asset(&self, edited: &Asset) -> Result<Asset, StoreError> {
        let before = self.read().asset(&edited.name)?;
        let after = self.write_asset(before.id, edited)?;
        self.audit("asset", &after.name, Some(&before), Some(&after))?;
        Ok(after)
    }

    /// Removes an asset with its host keys, memberships and direct grants.
    ///
    /// # Errors
    /// [`StoreError::NotFound`]; [`StoreError::Refused`] when others are reached through it.
    pub fn remove_asset(&self, name: &str) -> Result<Asset, StoreError> {
        let before = self.read().asset(name)?;
        let behind = self.read().texts(
            "SELECT name FROM asset WHERE gateway_id = ?1 AND id <> ?1 ORDER BY 1 LIMIT 5",
            [before.id],
        )?;
        if !behind.is_empty() {
            let sentence = format!(
                "{} is the gateway of {}; give them another way first: jmsctl asset set NAME --gateway ASSET",
                name,
                behind.join(", ")
            );
            return Err(StoreError::Refused { sentence });
        }
        let hanging = self.hanging_on(Selector::Asset, &[before.id])?;
        self.execute("DELETE FROM asset WHERE id = ?1", [before.id])?;
        self.audit("asset", name, Some(&before), None)?;
        self.let_go(hanging)?;
        Ok(before)
    }

    fn write_asset(&self, id: i64, asset: &Asset) -> Result<Asset, StoreError> {
        valid(Address::new(&asset.address))?;
        let read = self.read();
        read.platform(&asset.platform)?;
        if asset.protocol != "ssh" {
            return Err(StoreError::Refused {
                sentence: format!(
                    "the protocol {} is not in this version; ssh is",
                    asset.protocol.escape_debug()
                ),
            });
        }
        let optional = |kind, table, name: &Option<String>| {
            name.as_ref()
                .map(|name| read.id_of(kind, table, name))
                .transpose()
        };
        let gateway = optional("asset", "asset", &asset.gateway)?;
        if gateway == Some(id) {
            return Err(StoreError::Refused {
                sentence: format!("{} cannot be its own gateway", asset.name),
            });
        }
        if let Some(name) = &asset.privileged_system_user {
            self.refuse_unprivileged(name)?;
        }
        self.execute(
            "UPDATE asset SET address = ?2, port = ?3, protocol = ?4, platform = ?5, site_id = ?6, gateway_id = ?7,
                    algorithms = ?8, host_key_policy = ?9, privileged_system_user_id = ?10, limit_sessions = ?11,
                    active = ?12, comment = ?13, updated_at = ?14, gateway_system_user_id = ?15 WHERE id = ?1",
            params![
                id, asset.address, asset.port, asset.protocol, asset.platform,
                optional("site", "site", &asset.site)?, gateway,
                asset.algorithms.as_str(), asset.host_key_policy.as_str(),
                optional("system user", "system_user", &asset.privileged_system_user)?,
                asset.limit_sessions, asset.active, asset.comment, self.now().0,
                optional("system user", "system_user", &asset.gateway_system_user)?
            ],
        )?;
        self.check_way(&read.asset(&asset.name)?)?;
        // Every asset is below `/` as it is.
        let groups = asset
            .asset_groups
            .iter()
            .filter(|path| *path != "/")
            .map(|path| read.id_of("asset group", "asset_group", path));
        replace_links(
            self,
            "asset_group_member",
            ("asset_id", id),
            "asset_group_id",
            groups,
        )?;
        read.asset(&asset.name)
    }

    /// Adds a host key to an asset; one that is stored already stays as it is.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] for the asset.
    pub fn add_host_key(&self, new: &HostKey) -> Result<HostKey, StoreError> {
        let asset = self.read().asset(&new.asset)?;
        let stored = self.read().host_keys_of(asset.id)?;
        if let Some(stored) = stored
            .into_iter()
            .find(|stored| stored.fingerprint == new.fingerprint)
        {
            return Ok(stored);
        }
        self.execute(
            "INSERT INTO host_key (asset_id, type, blob, fingerprint, origin, created_at) VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
            params![asset.id, new.kind, new.blob, new.fingerprint, new.origin.as_str(), self.now().0],
        )?;
        let added = HostKey {
            created_at: self.now(),
            ..new.clone()
        };
        self.audit(
            "host-key",
            &format!("{} {}", added.asset, added.fingerprint),
            None,
            Some(&added),
        )?;
        Ok(added)
    }

    /// Stores the host key that an asset without any has proved at a login. False: another one is stored by now.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] for the asset.
    pub fn pin_host_key(
        &self,
        asset_id: i64,
        key: &crate::keys::HostKey,
    ) -> Result<bool, StoreError> {
        let asset = self
            .read()
            .asset_by_id(asset_id)?
            .ok_or_else(|| StoreError::NotFound {
                kind: "asset",
                name: asset_id.to_string(),
                nearest: None,
            })?;
        let stored = self.read().host_keys_of(asset_id)?;
        if stored.is_empty() {
            self.add_host_key(&HostKey {
                asset: asset.name,
                kind: key.kind().as_str().to_owned(),
                blob: key.blob().to_vec(),
                fingerprint: key.fingerprint().to_string(),
                origin: HostKeyOrigin::Pinned,
                created_at: self.now(),
            })?;
            return Ok(true);
        }
        Ok(stored.iter().any(|stored| stored.blob == key.blob()))
    }

    /// Removes a host key by its whole fingerprint.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] for the asset or the key.
    pub fn remove_host_key(&self, asset: &str, fingerprint: &str) -> Result<HostKey, StoreError> {
        let asset = self.read().asset(asset)?;
        let keys = self.read().host_keys_of(asset.id)?;
        let before = keys
            .into_iter()
            .find(|key| key.fingerprint == fingerprint)
            .ok_or_else(|| StoreError::NotFound {
                kind: "host key",
                name: fingerprint.chars().take(64).collect(),
                nearest: None,
            })?;
        self.execute(
            "DELETE FROM host_key WHERE asset_id = ?1 AND fingerprint = ?2",
            params![asset.id, fingerprint],
        )?;
        self.audit(
            "host-key",
            &format!("{} {fingerprint}", asset.name),
            Some(&before),
            None,
        )?;
        Ok(before)
    }
}
