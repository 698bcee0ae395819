//! Goes through all rows, on a few labs at once, and says which cell is wrong.

use std::collections::BTreeMap;
use std::io::Write;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::Instant;

use tests::boot::ADMINISTRATOR_PASSWORD;
use tests::{Lab, Release};

use crate::bastion::Bastion;
use crate::columns::{self, Seen};
use crate::row::{Row, row};
use crate::{rows, table};

/// Labs at once. One waits for a hang while the other works.
const LABS: usize = 2;
/// More wrong rows than this are no accident.
const WORTH_ANOTHER_TRY: usize = 3;

#[test]
fn whatever_breaks_the_administrator_gets_in_and_the_virtual_user_is_served_or_told() {
    let release = Release::from_environment().expect("a release");
    let wanted = std::env::var("BREAKAGE_ROWS").unwrap_or_default();
    let all = rows::all();
    let is_wanted = |row: &&Row| wanted.split(',').any(|word| row.name().contains(word));
    let tried: Vec<Row> = all.iter().filter(is_wanted).cloned().collect();
    let next = AtomicUsize::new(0);
    let seen: Mutex<BTreeMap<usize, Seen>> = Mutex::default();
    thread::scope(|scope| {
        for _ in 0..LABS.min(tried.len()) {
            scope.spawn(|| work(&tried, &next, &seen));
        }
    });
    let mut seen = seen.into_inner().expect("no worker panicked");
    assert_eq!(seen.len(), tried.len(), "some rows were not tried");
    try_again_alone(&tried, &mut seen);

    let seen: BTreeMap<String, Seen> = tried
        .iter()
        .map(Row::name)
        .zip(seen.into_values())
        .collect();
    println!("{release}\n\n{}", table::markdown(&tried, &seen, ""));
    let wrong: Vec<String> = tried
        .iter()
        .flat_map(|row| complaints(row, &seen[&row.name()]))
        .collect();
    assert!(
        wrong.is_empty(),
        "{} cells are wrong\n\n{}",
        wrong.len(),
        wrong.join("\n\n")
    );
    compare(release, &all, &seen);
}

/// What only people read; one row takes it all away.
const FOR_PEOPLE: [&str; 9] = [
    "/doc/",
    "/man/",
    "/lintian/",
    "/bash-completion/",
    "/zsh/",
    "/fish/",
    "/bastion-profile.conf",
    "/share/jms/passwords.conf",
    "/share/jms/filters/",
];

#[test]
fn every_file_of_the_package_has_a_row() {
    let rows = rows::all();
    let lab = Lab::installed();
    let listed = lab
        .bastion()
        .run("dpkg -L jms | while read -r path; do [ -f \"$path\" ] && echo \"$path\"; done; true")
        .expect_status(0)
        .text();
    let without: Vec<&str> = listed
        .lines()
        .filter(|path| !FOR_PEOPLE.iter().any(|folder| path.contains(folder)))
        .filter(|path| !rows.iter().any(|row| path.ends_with(row.subject)))
        .collect();
    assert!(without.is_empty(), "no row breaks {without:?}");
    assert!(listed.lines().count() > 10, "the package has only {listed}");
}

fn complaints(row: &Row, seen: &Seen) -> Vec<String> {
    seen.wrong
        .iter()
        .map(|(column, saw)| format!("row “{}”, column “{column}”: {saw}", row.name()))
        .collect()
}

/// A few wrong rows may be the machine's fault, which lets nobody wait for seconds when it is busy: as `run-end-to-end` does with
/// tests, each is tried once more with nothing beside it, and what is right then is called flaky, for it to see.
fn try_again_alone(tried: &[Row], seen: &mut BTreeMap<usize, Seen>) {
    let wrong: Vec<usize> = seen
        .iter()
        .filter(|(_, result)| !result.wrong.is_empty())
        .map(|(number, _)| *number)
        .collect();
    if wrong.len() > WORTH_ANOTHER_TRY {
        return;
    }
    for number in wrong {
        let row = &tried[number];
        let again: Mutex<BTreeMap<usize, Seen>> = Mutex::default();
        work(std::slice::from_ref(row), &AtomicUsize::new(0), &again);
        let again = again.into_inner().expect("no worker panicked").remove(&0);
        if let Some(result) = again.filter(|result| result.wrong.is_empty()) {
            // Not by a macro, whose output is shown of failures only.
            let line = format!("FLAKY: row “{}”\n", row.name());
            std::io::stderr().write_all(line.as_bytes()).expect("said");
            seen.insert(number, result);
        }
    }
}

/// Takes the next row until there is none.
fn work(all: &[Row], next: &AtomicUsize, seen: &Mutex<BTreeMap<usize, Seen>>) {
    let bastion = Bastion::start();
    let askpass = askpass(&bastion);
    let whole = row("nothing", "at the end", "");
    loop {
        let number = next.fetch_add(1, Ordering::Relaxed);
        let Some(row) = all.get(number) else { break };
        let started = Instant::now();
        let damaged = bastion.damage(row);
        let mut result = columns::try_all(&bastion, row, &askpass);
        for (column, done) in [("broken", damaged), ("put back", bastion.put_back(row))] {
            result.wrong.extend(done.err().map(|error| (column, error)));
        }
        eprintln!(
            "{:5.1}s, {:4.1}s of it the virtual user’s: {}",
            started.elapsed().as_secs_f32(),
            result.waited.as_secs_f32(),
            row.name()
        );
        for complaint in complaints(row, &result) {
            eprintln!("{complaint}");
        }
        seen.lock()
            .expect("no worker panicked")
            .insert(number, result);
    }
    // What a row left behind would have shown in those after it.
    let result = columns::try_all(&bastion, &whole, &askpass);
    assert!(
        result.wrong.is_empty(),
        "with everything in its place: {:?}",
        result.wrong
    );
}

fn askpass(bastion: &Bastion) -> PathBuf {
    let path = bastion.lab.folder().path().join("askpass");
    std::fs::write(
        &path,
        format!("#!/bin/sh\necho '{ADMINISTRATOR_PASSWORD}'\n"),
    )
    .expect("written");
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).expect("executable");
    path
}

/// The document says what was seen.
fn compare(release: Release, all: &[Row], seen: &BTreeMap<String, Seen>) {
    let path = table::document();
    let update = std::env::var_os("BREAKAGE_UPDATE").is_some();
    let document = std::fs::read_to_string(&path).expect("docs/breakage.md");
    let before = table::of(&document, release).expect("its markers");
    let text = table::markdown(all, seen, before);
    let refreshed = table::with_table(&document, release, &text).expect("its markers");
    if update {
        std::fs::write(&path, refreshed).expect("written");
        return;
    }
    assert!(
        document == refreshed,
        "docs/breakage.md has another table for {release}: refresh it with BREAKAGE_UPDATE=1"
    );
}
