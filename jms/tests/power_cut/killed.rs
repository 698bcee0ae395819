//! Killed with -9 at any moment, in a loop.

use super::{add_somebody, assert_sound, child, given_folder, make_store, open_store};
use std::io::{BufRead, BufReader, Write};
use std::process::Stdio;

/// How often the lights go out.
const TIMES: usize = 30;

#[test]
fn kill_9_in_mid_commit_loses_nothing_that_was_confirmed() {
    let folder = tempfile::tempdir().unwrap();
    make_store(folder.path());
    let mut confirmed = Vec::new();
    for turn in 0..TIMES {
        let mut running = child("killed::adds_users_for_ever", folder.path())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut told = BufReader::new(running.stdout.take().unwrap()).lines();
        // Some way into a change, another one each time; what is confirmed until the end counts too.
        let first = told.by_ref().map_while(Result::ok);
        confirmed.extend(
            first
                .filter_map(|line| line.strip_prefix("added ").map(str::to_owned))
                .take(1 + turn % 3),
        );
        std::thread::sleep(std::time::Duration::from_micros(700 * turn as u64));
        running.kill().unwrap();
        confirmed.extend(
            told.map_while(Result::ok)
                .filter_map(|line| line.strip_prefix("added ").map(str::to_owned)),
        );
        running.wait().unwrap();
        assert_sound(folder.path(), &confirmed);
    }
    assert!(confirmed.len() >= TIMES, "{}", confirmed.len());
}

/// The child of the test above.
#[test]
fn adds_users_for_ever() {
    let Some(folder) = given_folder() else { return };
    let mut store = open_store(&folder).unwrap();
    let mut told = std::io::stdout().lock();
    loop {
        let name = add_somebody(&mut store).unwrap();
        writeln!(told, "added {name}").unwrap();
        told.flush().unwrap();
    }
}
