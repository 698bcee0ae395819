//! How long a snapshot takes to make, and a lookup in it, with a file as it is in real life:
//! `cargo run --release -p snapshot --example lookups -- 1000000`

use std::{env, error::Error, hint::black_box, time::Instant};

use snapshot::{
    Kind, SnapshotFile, UserName,
    keys::{self, Conditions, Key},
    publish,
    users::{self, Flags, User},
};

fn name(number: u32) -> Result<UserName, Box<dyn Error>> {
    UserName::new(format!("user{number}").as_bytes()).ok_or_else(|| "no name".into())
}

fn fingerprint(number: u32) -> [u8; 32] {
    let mut fingerprint = [0; 32];
    for (word, salt) in fingerprint.chunks_exact_mut(8).zip(1..) {
        word.copy_from_slice(
            &u64::from(number)
                .wrapping_mul(0x9E37_79B9_7F4A_7C15_u64.wrapping_mul(salt))
                .to_be_bytes(),
        );
    }
    fingerprint
}

fn main() -> Result<(), Box<dyn Error>> {
    let count: u32 = env::args()
        .nth(1)
        .map_or(Ok(1_000_000), |count| count.parse())?;
    let lookups = 100_000;
    let folder = tempfile::tempdir()?;
    let report = |what: &str, start: Instant| {
        println!(
            "{what:<28} {:>10.1} ms",
            start.elapsed().as_secs_f64() * 1e3
        )
    };
    let each = |what: &str, start: Instant| {
        println!(
            "{what:<28} {:>10.2} µs each",
            start.elapsed().as_secs_f64() * 1e6 / f64::from(lookups)
        );
    };

    let (users_path, keys_path) = (
        folder.path().join("users.snap"),
        folder.path().join("keys.snap"),
    );
    let start = Instant::now();
    let all: Option<Vec<User>> = (0..count)
        .map(|number| User::new(name(number).ok()?, 1_000_000 + number, Flags::empty()))
        .collect();
    let bytes = users::write(1, all.ok_or("no user")?)?;
    report("users: made", start);
    let start = Instant::now();
    publish(&users_path, &bytes, Kind::Users, 0o644)?;
    report("users: checked, published", start);

    let blob = [&b"\0\0\0\x0bssh-ed25519\0\0\0\x20"[..], &[7; 32]].concat();
    let start = Instant::now();
    let all: Result<Vec<Key>, Box<dyn Error>> = (0..count)
        .map(|number| {
            Ok(Key::new(
                name(number)?,
                fingerprint(number),
                blob.clone(),
                Conditions::default(),
            )?)
        })
        .collect();
    let bytes = keys::write(1, all?)?;
    report("keys: made", start);
    let start = Instant::now();
    publish(&keys_path, &bytes, Kind::Keys, 0o640)?;
    report("keys: checked, published", start);

    let numbers = || (0..lookups).map(|step: u32| step.wrapping_mul(2_654_435_761) % count);
    let start = Instant::now();
    for number in numbers() {
        let reader = users::Reader::new(SnapshotFile::open(&users_path)?)?;
        black_box(reader.by_name(&name(number)?)?.ok_or("not found")?);
    }
    each("open, find a user by name", start);
    let start = Instant::now();
    for number in numbers() {
        let reader = users::Reader::new(SnapshotFile::open(&users_path)?)?;
        black_box(reader.by_uid(1_000_000 + number)?.ok_or("not found")?);
    }
    each("open, find a user by uid", start);
    let start = Instant::now();
    for number in numbers() {
        let reader = keys::Reader::new(SnapshotFile::open(&keys_path)?)?;
        black_box(
            reader
                .find(&fingerprint(number), &name(number)?)?
                .ok_or("not found")?,
        );
    }
    each("open, find a key", start);
    Ok(())
}
