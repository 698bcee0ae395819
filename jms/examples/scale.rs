//! How long the store takes at the size that it is made for: 100,000 users, 10,000 assets, 10,000 grants on groups.
//! `cargo run --release -p jms --example scale`

use jms::nouns::{Asset, AssetGroup, Grant, SystemUser, User, UserGroup};
use jms::paths::Paths;
use jms::policy::{Channel, Rights, access, decide};
use jms::store::{Actor, NewLogin, Store};
use jms::time::Time;
use std::error::Error;
use std::hint::black_box;
use std::time::{Duration, Instant};

const USERS: usize = 100_000;
const ASSETS: usize = 10_000;
const GRANTS: usize = 10_000;
const GROUPS: usize = 1_000;
/// How often each is measured; the median is shown.
const ROUNDS: usize = 9;
/// Rows of a page.
const PAGE: usize = 50;
const NOW: Time = Time(1_800_000_000_000);

fn measured<T>(
    what: &str,
    mut work: impl FnMut() -> Result<T, Box<dyn Error>>,
) -> Result<T, Box<dyn Error>> {
    let mut times = Vec::new();
    loop {
        let begun = Instant::now();
        let made = black_box(work()?);
        times.push(begun.elapsed());
        if times.len() == ROUNDS {
            times.sort();
            let median = times.get(ROUNDS / 2).copied().unwrap_or(Duration::ZERO);
            println!("{what:<52} {:>9.3} ms", median.as_secs_f64() * 1e3);
            return Ok(made);
        }
    }
}

fn fill(store: &mut Store) -> Result<(), Box<dyn Error>> {
    let actor = Actor {
        name: "root".into(),
        why: String::new(),
    };
    let high_water = store.paths().uid_high_water();
    let rights = Rights::parse("shell,exec").map_err(|error| error.to_string())?;
    store.change(&actor, NOW, |change| {
        for group in 0..GROUPS {
            change.add_user_group(&UserGroup::new(&format!("team{group}"), NOW))?;
            change.add_asset_group(&AssetGroup::new(&format!("/place{group}"), NOW))?;
        }
        for number in 0..USERS {
            let user = User {
                user_groups: vec![format!("team{}", number % GROUPS)],
                ..User::new(&format!("user{number}"), NOW)
            };
            change.add_user(&user, 100_000..=400_000, &high_water, |_| false)?;
        }
        for number in 0..ASSETS {
            let asset = Asset {
                asset_groups: vec![format!("/place{}", number % GROUPS)],
                ..Asset::new(&format!("web{number}"), "198.51.100.1", NOW)
            };
            change.add_asset(&asset)?;
        }
        for number in 0..10 {
            change.add_system_user(&SystemUser::new(&format!("account{number}"), NOW))?;
        }
        for number in 0..GRANTS {
            change.add_grant(&Grant {
                user_groups: vec![format!("team{}", number % GROUPS)],
                asset_groups: vec![format!("/place{}", (number / 10) % GROUPS)],
                system_users: vec![format!("account{}", number % 10)],
                rights,
                ..Grant::new(&format!("grant{number}"), NOW)
            })?;
        }
        Ok(())
    })?;
    Ok(())
}

fn main() -> Result<(), Box<dyn Error>> {
    let folder = tempfile::tempdir()?;
    let paths = Paths::under(folder.path());
    paths.create()?;
    let mut store = Store::create(&paths)?;
    store.set_event_sender(event::Sender::to(folder.path().join("no-syslog")));
    let begun = Instant::now();
    fill(&mut store)?;
    println!(
        "{:<52} {:>9.0} ms",
        "filling and publishing, once",
        begun.elapsed().as_secs_f64() * 1e3
    );

    measured("opening the store", || Ok(Store::open(&paths)?))?;
    let user = store.read().user("user4711")?;
    let targets = measured("everything that one user reaches", || {
        Ok(store.read().targets(&user, NOW)?)
    })?;
    println!("{:<52} {:>9}", "  (targets)", targets.len());
    let target = targets.first().ok_or("no target")?;
    let login = NewLogin {
        user: &user,
        login_name: "user4711",
        source: "192.0.2.7",
        source_port: Some(40_000),
        key_type: "ssh-ed25519",
        fingerprint: "",
        factors: "publickey",
        factor_at: None,
        sshd: jms::process::myself().ok_or("no /proc")?,
    };
    let token = store.open_login(&login, NOW)?.token;
    let login = store.read().login_by_token(&token)?.ok_or("no login")?;
    measured("a decision, its facts read from the store", || {
        let pair = (target.asset_id, target.system_user_id);
        let facts = store
            .read()
            .facts(&user, Some(&login), pair, access::Counts::default())?;
        let decision = decide(&facts, Channel::Shell, NOW);
        decision.allow.then_some(()).ok_or_else(|| "refused".into())
    })?;
    measured("publishing both snapshots", || {
        std::fs::remove_file(paths.users_snapshot())?;
        Ok(store.publish()?)
    })?;
    let mut left = 0;
    let mut page = move || {
        left = if left == 0 { PAGE } else { left } - 1;
        left > 0
    };
    measured("the first page of users", || {
        Ok(store.read().each_user(&mut |_| page())?)
    })?;
    measured("the first page of assets", || {
        Ok(store.read().each_asset(&mut |_| page())?)
    })?;
    measured("the first page of grants", || {
        Ok(store.read().each_grant(&mut |_| page())?)
    })?;
    measured(
        "the first page of user groups, a hundred users each",
        || Ok(store.read().each_user_group(&mut |_| page())?),
    )?;
    measured("the first page of places, ten assets each", || {
        Ok(store.read().each_asset_group(&mut |_| page())?)
    })?;
    let asset = store.read().asset("web4711")?;
    measured("the first page of who reaches one asset", || {
        Ok(store.read().access_to(&asset, NOW, &mut |_| page())?)
    })?;
    measured("all users", || Ok(store.read().users()?.len()))?;
    measured("all assets", || Ok(store.read().assets()?.len()))?;
    measured("all grants", || Ok(store.read().grants()?.len()))?;
    Ok(())
}
