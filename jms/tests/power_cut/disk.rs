//! A disk that stops taking what it is given: `fsync` fails, or the room is used up.
//!
//! A small library in front of libc, compiled here, lets the calls fail from a certain one on.

use super::{add_somebody, assert_sound, child, given_folder, make_store, open_store};
use std::path::{Path, PathBuf};
use std::process::Command;

/// Fails `fsync` and `fdatasync` with EIO, or writing with ENOSPC, from the N-th such call on.
const FAILING_DISK: &str = r#"
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

static long calls(const char *name, long *count) {
    const char *from = getenv(name);
    return from && ++*count >= atol(from);
}
static long syncs, writes;
int fsync(int fd) {
    static int (*real)(int);
    if (!real) real = dlsym(RTLD_NEXT, "fsync");
    if (calls("FAIL_SYNC_FROM", &syncs)) { errno = EIO; return -1; }
    return real(fd);
}
int fdatasync(int fd) {
    static int (*real)(int);
    if (!real) real = dlsym(RTLD_NEXT, "fdatasync");
    if (calls("FAIL_SYNC_FROM", &syncs)) { errno = EIO; return -1; }
    return real(fd);
}
ssize_t pwrite64(int fd, const void *bytes, size_t length, off64_t at) {
    static ssize_t (*real)(int, const void *, size_t, off64_t);
    if (!real) real = dlsym(RTLD_NEXT, "pwrite64");
    if (calls("FAIL_WRITE_FROM", &writes)) { errno = ENOSPC; return -1; }
    return real(fd, bytes, length, at);
}
ssize_t pwrite(int fd, const void *bytes, size_t length, off_t at) {
    return pwrite64(fd, bytes, length, at);
}
"#;

fn failing_disk(folder: &Path) -> PathBuf {
    let (source, library) = (
        folder.join("failing_disk.c"),
        folder.join("failing_disk.so"),
    );
    std::fs::write(&source, FAILING_DISK).unwrap();
    let status = Command::new("cc")
        .args(["-shared", "-fPIC", "-o"])
        .arg(&library)
        .arg(&source)
        .status();
    assert!(status.unwrap().success());
    library
}

/// Adds users on a disk that fails from the N-th call on, for 24 N that are `step` apart; returns how many runs failed.
fn fails_from_each_call_on(variable: &str, step: usize) -> usize {
    let tools = tempfile::tempdir().unwrap();
    let library = failing_disk(tools.path());
    let folder = tempfile::tempdir().unwrap();
    make_store(folder.path());
    let mut confirmed = Vec::new();
    let mut failures = 0;
    for from in (1..).step_by(step).take(24) {
        let output = child("disk::adds_users_until_it_fails", folder.path())
            .env("LD_PRELOAD", &library)
            .env(variable, from.to_string())
            .output()
            .unwrap();
        let told = String::from_utf8_lossy(&output.stdout);
        confirmed.extend(
            told.lines()
                .filter_map(|line| line.strip_prefix("added ").map(str::to_owned)),
        );
        failures += usize::from(told.contains("failed: "));
        assert!(
            output.status.success(),
            "{told}{}",
            String::from_utf8_lossy(&output.stderr)
        );
        assert_sound(folder.path(), &confirmed);
    }
    assert!(!confirmed.is_empty());
    failures
}

#[test]
fn an_fsync_that_fails_is_an_error_and_loses_nothing_that_was_confirmed() {
    assert!(fails_from_each_call_on("FAIL_SYNC_FROM", 1) >= 20);
}

#[test]
fn a_write_that_fails_is_an_error_and_loses_nothing_that_was_confirmed() {
    assert!(fails_from_each_call_on("FAIL_WRITE_FROM", 5) >= 20);
}

/// The child of the tests above.
#[test]
fn adds_users_until_it_fails() {
    let Some(folder) = given_folder() else { return };
    let added = |store: &mut jms::store::Store| {
        for _ in 0..12 {
            println!("added {}", add_somebody(store)?);
        }
        Ok::<_, jms::store::StoreError>(())
    };
    if let Err(error) = open_store(&folder).and_then(|mut store| added(&mut store)) {
        println!("failed: {error}");
    }
}
