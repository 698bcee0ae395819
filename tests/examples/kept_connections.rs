//! Two hundred connections that are kept, of five users to forty assets, and two hundred processes killed at random while
//! others log in: keepers, their clients, sessions, logins. What is left after their time: nothing, or this fails.
//!
//! `cargo run -p tests --example kept_connections [COUNT [SEED]]`

use anyhow::{Context, Result};
use tests::Lab;
use tests::kept_storm::{Storm, play};

fn main() -> Result<()> {
    let mut words = std::env::args().skip(1);
    let mut number = |otherwise: u32| match words.next() {
        Some(word) => word.parse().context("COUNT and SEED are numbers"),
        None => Ok(otherwise),
    };
    let (count, seed) = (number(200)?, number(1)?);
    let count = usize::try_from(count)?;
    let storm = Storm {
        connections: count,
        users: 5,
        stays: 180,
        kills: count,
        seed,
    };
    let seen = play(&Lab::everyday(), storm)?;
    println!("{storm:?}");
    println!("{count} connections were kept after {:.1?}", seen.made);
    println!("killed: {:?}", seen.killed);
    println!("meanwhile {} others logged in", seen.meanwhile);
    println!(
        "then there were {:?} keepers and clients, and none after {:.1?}; nothing is left",
        seen.after_kills, seen.gone
    );
    Ok(())
}
