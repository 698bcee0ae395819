//! How long a person with 10,000 assets waits for the menu's first screen, and for what a line then takes.
//! `cargo run --release -p force_command --example first_screen`; with `-- --json` as objects, one a line, for `make bench`.

use force_command::menu::catalogue::Catalogue;
use force_command::menu::greeting::first_screen;
use force_command::menu::page::Size;
use jms::nouns::{Asset, AssetGroup, Grant, SystemUser, User};
use jms::paths::Paths;
use jms::policy::Rights;
use jms::settings::Settings;
use jms::store::{Actor, Store};
use jms::time::Time;
use serde_json::json;
use std::error::Error;
use std::hint::black_box;
use std::time::{Duration, Instant};

const ASSETS: usize = 10_000;
/// How often each is measured; the fastest, which other programs disturbed least, and the median are shown.
const ROUNDS: usize = 15;
const WINDOW: Size = Size {
    columns: 80,
    lines: 24,
};

fn fill(store: &mut Store) -> Result<(), Box<dyn Error>> {
    let now = Time::now();
    let actor = Actor {
        name: "root".into(),
        why: String::new(),
    };
    let high_water = store.paths().uid_high_water();
    let rights = Rights::parse("shell,exec,upload").map_err(|error| error.to_string())?;
    store.change(&actor, now, |change| {
        change.add_user(
            &User::new("alice", now),
            100_000..=100_010,
            &high_water,
            |_| false,
        )?;
        for account in ["dev", "dba"] {
            change.add_system_user(&SystemUser::new(account, now))?;
        }
        for path in ["/prod", "/prod/web", "/prod/db"] {
            change.add_asset_group(&AssetGroup::new(path, now))?;
        }
        for number in 0..ASSETS {
            let group = if number % 2 == 0 {
                "/prod/web"
            } else {
                "/prod/db"
            };
            change.add_asset(&Asset {
                asset_groups: vec![group.to_owned()],
                comment: format!("生产环境 rack {}", number % 97),
                ..Asset::new(
                    &format!("web{number}"),
                    &format!("10.0.{}.{}", number / 250, number % 250),
                    now,
                )
            })?;
        }
        change.add_grant(&Grant {
            users: vec!["alice".to_owned()],
            asset_groups: vec!["/prod".to_owned()],
            system_users: vec!["dev".to_owned(), "dba".to_owned()],
            rights,
            ..Grant::new("all", now)
        })
    })?;
    Ok(())
}

fn measured(
    id: &str,
    what: &str,
    mut work: impl FnMut() -> Result<(), Box<dyn Error>>,
) -> Result<(), Box<dyn Error>> {
    let mut times = Vec::new();
    for _ in 0..ROUNDS {
        let begun = Instant::now();
        black_box(work()?);
        times.push(begun.elapsed());
    }
    let milliseconds = |time: Duration| time.as_secs_f64() * 1e3;
    if wants_json() {
        let all: Vec<f64> = times.into_iter().map(milliseconds).collect();
        println!("{}", json!({"id": id, "what": what, "milliseconds": all}));
        return Ok(());
    }
    times.sort();
    let median = times.get(ROUNDS / 2).copied().unwrap_or_default();
    let fastest = times.first().copied().unwrap_or_default();
    println!(
        "{what:<50} {:>9.3} ms {:>9.3} ms",
        milliseconds(fastest),
        milliseconds(median)
    );
    Ok(())
}

fn wants_json() -> bool {
    std::env::args().any(|word| word == "--json")
}

fn main() -> Result<(), Box<dyn Error>> {
    let folder = tempfile::tempdir()?;
    let paths = Paths::under(folder.path());
    paths.create()?;
    let mut store = Store::create(&paths)?;
    store.set_event_sender(event::Sender::to(folder.path().join("no-syslog")));
    fill(&mut store)?;
    drop(store);

    let uid = Store::open(&paths)?.read().user("alice")?.uid;
    measured("screen", "from nothing to the first screen's text", || {
        let store = Store::open(&paths)?;
        let settings = Settings::load(&paths.settings())?;
        let user = store.read().user_by_uid(uid)?.ok_or("no user")?;
        let catalogue = Catalogue::read(&store, &user)?;
        black_box(first_screen(&catalogue, &settings.menu, &user.name, WINDOW));
        Ok(())
    })?;
    let store = Store::open(&paths)?;
    let user = store.read().user("alice")?;
    measured(
        "granted",
        "  of it: what is granted, from the store",
        || {
            black_box(store.read().targets(&user, Time::now())?.len());
            Ok(())
        },
    )?;
    let catalogue = Catalogue::read(&store, &user)?;
    let assets = catalogue.entries.len();
    match wants_json() {
        true => println!("{}", json!({"assets": assets})),
        false => println!("{:<50} {assets:>9}", "  (assets)"),
    }
    measured("search", "a search through all of them", || {
        black_box(catalogue.meant("rack 42").len());
        Ok(())
    })?;
    Ok(())
}
