//! How long the store takes at the size that it is made for: 100,000 users, 10,000 assets, 10,000 grants on groups.
//! `cargo run --release -p jms --example scale`; behind `--`: `--users N` for another number, `--short` for the decision and the
//! publishing alone, `--json` for objects, one a line (so does `make bench`).
//!
//! Two medians each: by the clock, and of the processor alone, which a busy machine does not change.

use jms::nouns::{Asset, AssetGroup, Grant, SystemUser, User, UserGroup};
use jms::paths::Paths;
use jms::policy::{Channel, Rights, access, decide};
use jms::store::{Actor, EventSearch, NewLogin, Store};
use jms::time::Time;
use nix::time::{ClockId, clock_gettime};
use serde_json::json;
use std::cell::Cell;
use std::error::Error;
use std::hint::black_box;
use std::time::{Duration, Instant};

const ASSETS: usize = 10_000;
const GRANTS: usize = 10_000;
const GROUPS: usize = 1_000;
/// How often each is measured; the median is shown.
const ROUNDS: usize = 9;
/// Rows of a page.
const PAGE: usize = 50;
const NOW: Time = Time(1_800_000_000_000);

/// What was asked for on the command line.
#[derive(Debug, Clone, Copy)]
struct Options {
    users: usize,
    short: bool,
    json: bool,
}

impl Options {
    fn parse() -> Result<Self, Box<dyn Error>> {
        let mut options = Self {
            users: 100_000,
            short: false,
            json: false,
        };
        let mut words = std::env::args().skip(1);
        while let Some(word) = words.next() {
            match word.as_str() {
                "--users" => options.users = words.next().ok_or("how many users?")?.parse()?,
                "--short" => options.short = true,
                "--json" => options.json = true,
                other => return Err(format!("unknown: {other}").into()),
            }
        }
        Ok(options)
    }

    /// Pairs of a user and an account on an asset that the grants amount to, each for itself.
    fn expanded_grants(self) -> usize {
        GRANTS * (self.users / GROUPS) * (ASSETS / GROUPS)
    }

    fn shown(self, id: &str, what: &str, clock: Vec<Duration>, processor: Vec<Duration>) {
        if self.json {
            let all = |times: Vec<Duration>| -> Vec<f64> {
                times.iter().map(|time| time.as_secs_f64() * 1e3).collect()
            };
            let (clock, processor) = (all(clock), all(processor));
            println!(
                "{}",
                json!({"id": id, "what": what, "milliseconds": clock, "processor_milliseconds": processor})
            );
        } else {
            shown(what, clock, processor);
        }
    }

    fn measured<T>(
        self,
        id: &str,
        what: &str,
        mut work: impl FnMut() -> Result<T, Box<dyn Error>>,
    ) -> Result<T, Box<dyn Error>> {
        let (mut clock, mut used) = (Vec::new(), Vec::new());
        loop {
            let (begun, before) = (Instant::now(), processor().unwrap_or_default());
            let made = black_box(work()?);
            clock.push(begun.elapsed());
            used.push(processor().unwrap_or_default().saturating_sub(before));
            if clock.len() == ROUNDS {
                self.shown(id, what, clock, used);
                return Ok(made);
            }
        }
    }
}

/// What this thread has used of a processor so far.
fn processor() -> Option<Duration> {
    let used = clock_gettime(ClockId::CLOCK_THREAD_CPUTIME_ID).ok()?;
    Some(Duration::from(used))
}

fn shown(what: &str, mut clock: Vec<Duration>, mut processor: Vec<Duration>) {
    let median = |times: &mut Vec<Duration>| {
        times.sort();
        let middle = times.get(times.len() / 2).copied();
        middle.unwrap_or_default().as_secs_f64() * 1e3
    };
    let (clock, processor) = (median(&mut clock), median(&mut processor));
    println!("{what:<52} {clock:>9.3} ms {processor:>9.3} ms");
}

fn fill(store: &mut Store, users: usize) -> Result<(), Box<dyn Error>> {
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
        for number in 0..users {
            let user = User {
                user_groups: vec![format!("team{}", number % GROUPS)],
                ..User::new(&format!("user{number}"), NOW)
            };
            change.add_user(&user, 100_000..=4_000_000, &high_water, |_| false)?;
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
    let options = Options::parse()?;
    match options.json {
        true => println!(
            "{}",
            json!({"users": options.users, "expanded_grants": options.expanded_grants()})
        ),
        false => println!("{:<52} {:>12} {:>12}", "", "clock", "processor"),
    }
    let (begun, before) = (Instant::now(), processor().unwrap_or_default());
    fill(&mut store, options.users)?;
    let used = processor().unwrap_or_default().saturating_sub(before);
    options.shown(
        "filling",
        "filling and publishing, once",
        vec![begun.elapsed()],
        vec![used],
    );

    options.measured("opening", "opening the store", || Ok(Store::open(&paths)?))?;
    let user = store.read().user("user711")?;
    let targets = options.measured("targets", "everything that one user reaches", || {
        Ok(store.read().targets(&user, NOW)?)
    })?;
    if !options.json {
        println!("{:<52} {:>9}", "  (targets)", targets.len());
    }
    let target = targets.first().ok_or("no target")?;
    let login = NewLogin {
        user: &user,
        login_name: "user711",
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
    options.measured(
        "decision",
        "a decision, its facts read from the store",
        || {
            let pair = (target.asset_id, target.system_user_id);
            let facts = store
                .read()
                .facts(&user, Some(&login), pair, access::Counts::default())?;
            let decision = decide(&facts, Channel::Shell, NOW);
            decision.allow.then_some(()).ok_or_else(|| "refused".into())
        },
    )?;
    options.measured("publishing", "publishing both snapshots", || {
        std::fs::remove_file(paths.users_snapshot())?;
        Ok(store.publish()?)
    })?;
    if options.short {
        return Ok(());
    }
    let left = Cell::new(0);
    let page = || {
        left.set(if left.get() == 0 { PAGE } else { left.get() } - 1);
        left.get() > 0
    };
    options.measured("page-users", "the first page of users", || {
        Ok(store.read().each_user(&mut |_| page())?)
    })?;
    options.measured("page-assets", "the first page of assets", || {
        Ok(store.read().each_asset(&mut |_| page())?)
    })?;
    options.measured("page-grants", "the first page of grants", || {
        Ok(store.read().each_grant(&mut |_| page())?)
    })?;
    options.measured("page-teams", "the first page of teams", || {
        Ok(store.read().each_user_group(&mut |_| page())?)
    })?;
    options.measured(
        "page-places",
        "the first page of places, ten assets each",
        || Ok(store.read().each_asset_group(&mut |_| page())?),
    )?;
    let asset = store.read().asset("web4711")?;
    options.measured(
        "page-asset",
        "the first page of who reaches one asset",
        || Ok(store.read().access_to(&asset, NOW, &mut |_| page())?),
    )?;
    options.measured(
        "page-user",
        "the first page of what one user reaches",
        || Ok(store.read().access_of(&user, NOW, &mut |_| page())?),
    )?;
    for kind in [None, Some("policy.change"), Some("login")] {
        let what = format!("the first page of events, type {}", kind.unwrap_or("any"));
        options.measured("page-events", &what, || {
            let search = EventSearch {
                kind: kind.map(str::to_owned),
                limit: 1001,
                ..EventSearch::default()
            };
            Ok(store.read().events(&search)?.len())
        })?;
    }
    options.measured("users", "all users", || Ok(store.read().users()?.len()))?;
    options.measured("assets", "all assets", || Ok(store.read().assets()?.len()))?;
    options.measured("grants", "all grants", || Ok(store.read().grants()?.len()))?;
    Ok(())
}
