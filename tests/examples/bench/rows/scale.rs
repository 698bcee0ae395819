//! The menu and the store at the size that they are made for, by the examples that show it.

use std::time::Duration;

use anyhow::{Context, Result};
use serde_json::Value;
use tests::Host;

use super::Row;
use crate::report::{Aim, Measured};
use crate::rounds::{OURS, Series};
use crate::workbench::{LITTLE, Workbench};

/// `force_command/examples/first_screen.rs`.
pub const MENU: Row = Row {
    name: "menu",
    about: "the menu's first screen with 10,000 assets",
    needs: LITTLE,
    play: menu,
};

/// `jms/examples/scale.rs`.
pub const STORE: Row = Row {
    name: "store",
    about: "a decision among many grants; publishing 1,000,000 users",
    needs: LITTLE,
    play: store,
};

/// Long enough to fill a store.
const LONG: Duration = Duration::from_secs(900);

fn menu(bench: &Workbench) -> Result<Vec<Measured>> {
    let said = run(bench, "first_screen", &[])?;
    Ok(vec![measured(
        &said,
        "screen",
        "the menu's first screen, 10,000 assets".to_owned(),
        50.0,
    )?])
}

fn store(bench: &Workbench) -> Result<Vec<Measured>> {
    let users = bench.options.users;
    let said = run(bench, "scale", &["--users", &users.to_string(), "--short"])?;
    let grants = said
        .iter()
        .find_map(|it| it["expanded_grants"].as_u64())
        .context("scale says nothing of grants")?;
    let decision = format!("one decision, {grants} grant rows after expansion");
    Ok(vec![
        measured(&said, "decision", decision, 1.0)?,
        measured(
            &said,
            "publishing",
            format!("publishing {users} users"),
            2_000.0,
        )?,
    ])
}

/// What an example of the release profile says, one object a line; run in a host, like everything here.
fn run(bench: &Workbench, example: &str, arguments: &[&str]) -> Result<Vec<Value>> {
    let host = bench.ours.bastion();
    let program = install(host, example)?;
    let words = [program.as_str(), "--json"]
        .into_iter()
        .chain(arguments.iter().copied());
    host.command(words)
        .within(LONG)
        .run()
        .success()?
        .json_lines()
}

fn install(host: &Host, example: &str) -> Result<String> {
    let own = std::env::current_exe()?;
    let target = own.ancestors().nth(3).context("no target folder")?;
    let path = target.join("release/examples").join(example);
    let bytes = std::fs::read(&path)
        .with_context(|| format!("{} is not built; `make bench` builds it", path.display()))?;
    let there = format!("/srv/{example}");
    host.write(&there, bytes);
    host.run(format!("chmod 755 {there}")).success()?;
    Ok(there)
}

fn measured(said: &[Value], id: &str, what: String, most: f64) -> Result<Measured> {
    let values = said
        .iter()
        .find(|it| it["id"] == id)
        .and_then(|it| it["milliseconds"].as_array())
        .with_context(|| format!("the example says nothing of {id}"))?;
    let values = values.iter().filter_map(Value::as_f64).collect();
    Ok(Measured {
        what,
        unit: "ms",
        aim: Aim::AtMost(most),
        series: vec![Series { name: OURS, values }],
    })
}
