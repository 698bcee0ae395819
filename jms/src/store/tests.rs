//! What the tests of the store share; the tests are in the rooms below, by what they are about.

mod changes;
mod evidence;
mod file;
mod gateways;
mod grants;
mod references;
mod sessions;
mod snapshots;
mod statements;
mod users;

use super::*;
use crate::id::Id;
use crate::nouns::{
    Asset, AssetGroup, Grant, HostKey, HostKeyOrigin, LoginKey, Mfa, Role, Site, SystemUser, User,
    UserGroup,
};
use crate::policy::{Channel, Rights, access};
use crate::process::{self, Process};
use crate::time::Time;
use std::path::Path;

pub(super) const NOW: Time = Time(1_800_000_000_000);
const RANGE: std::ops::RangeInclusive<u32> = 70_000..=70_099;

pub(super) struct Fixture {
    pub(super) store: Store,
    folder: tempfile::TempDir,
}

fn actor() -> Actor {
    Actor {
        name: "root".into(),
        why: String::new(),
    }
}

pub(super) fn fixture() -> Fixture {
    let folder = tempfile::tempdir().unwrap();
    let paths = Paths::under(folder.path());
    paths.create().unwrap();
    let mut store = Store::create(&paths).unwrap();
    store.set_event_sender(event::Sender::to(folder.path().join("no-syslog")));
    Fixture { store, folder }
}

impl Fixture {
    pub(super) fn change<T>(
        &mut self,
        work: impl FnOnce(&Change<'_>) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        self.store.change(&actor(), NOW, work)
    }

    pub(super) fn add_user(&mut self, name: &str) -> Result<User, StoreError> {
        let high_water = self.store.paths().uid_high_water();
        self.change(|change| change.add_user(&User::new(name, NOW), RANGE, &high_water, |_| false))
    }

    /// alice may reach web1 as dev with everything.
    pub(super) fn everyday(&mut self) {
        self.add_user("alice").unwrap();
        self.change(|change| {
            change.add_login_key(&alices_key())?;
            change.add_asset(&Asset::new("web1", "198.51.100.11", NOW))?;
            change.add_system_user(&SystemUser::new("dev", NOW))?;
            change.add_grant(&everyday_grant())
        })
        .unwrap();
    }

    pub(super) fn events(&self, kind: &str) -> Vec<serde_json::Value> {
        let search = EventSearch {
            kind: Some(kind.into()),
            limit: 1000,
            ..EventSearch::default()
        };
        let rows = self.store.read().events(&search).unwrap();
        rows.iter()
            .map(|row| serde_json::from_str(&row.body).unwrap())
            .collect()
    }

    pub(super) fn login(&mut self, sshd: Process) -> (crate::nouns::Login, crate::id::Token) {
        let user = self.store.read().user("alice").unwrap();
        let new = NewLogin {
            user: &user,
            login_name: "alice@dev@web1",
            source: "192.0.2.7",
            source_port: Some(40_000),
            key_type: "ssh-ed25519",
            fingerprint: "SHA256:abc",
            factors: "publickey",
            factor_at: None,
            sshd,
        };
        let opened = self.store.open_login(&new, NOW).unwrap();
        (
            self.store
                .read()
                .login_by_token(&opened.token)
                .unwrap()
                .unwrap(),
            opened.token,
        )
    }

    pub(super) fn open_session(
        &mut self,
        login: &crate::nouns::Login,
        channel: Channel,
        relay: Process,
        limits: access::Counts,
    ) -> Opening {
        let user = self.store.read().user("alice").unwrap();
        let target = self.store.read().targets(&user, NOW).unwrap().remove(0);
        let new = NewSession {
            id: &Id::random().unwrap(),
            login,
            user: &user,
            target: (target.asset_id, target.system_user_id),
            channel,
            terminal: false,
            request: "uptime",
            recording: "2027/01/15/x.cast.zst",
            relay,
            limits,
        };
        self.store.open_session(&new, NOW).unwrap()
    }
}

/// The key of the logins here.
pub(super) fn alices_key() -> LoginKey {
    LoginKey {
        id: 0,
        user: "alice".into(),
        kind: "ssh-ed25519".into(),
        blob: real_key(),
        fingerprint: "SHA256:abc".into(),
        from: vec![],
        valid_until: None,
        verify_required: false,
        comment: String::new(),
        created_at: NOW,
        updated_at: NOW,
    }
}

fn everyday_grant() -> Grant {
    Grant {
        users: vec!["alice".into()],
        assets: vec!["web1".into()],
        system_users: vec!["dev".into()],
        rights: Rights::parse("shell,exec,upload,download").unwrap(),
        ..Grant::new("everyday", NOW)
    }
}

pub(super) fn myself() -> Process {
    process::myself().unwrap()
}

fn real_key() -> Vec<u8> {
    let mut blob = Vec::new();
    for part in [b"ssh-ed25519".as_slice(), &[7; 32]] {
        blob.extend(u32::try_from(part.len()).unwrap().to_be_bytes());
        blob.extend(part);
    }
    blob
}
