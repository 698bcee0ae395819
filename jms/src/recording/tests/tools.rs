//! The tools that everybody has can read our files: zstd, and asciinema where it is installed.
use super::{path, read, recorder, sample};
use std::process::{Command, Output};
use std::time::Duration;

/// Runs `script` in a shell with the file as its first argument.
fn shell(script: &str, file: &[u8]) -> Output {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("session.cast.zst");
    std::fs::write(&path, file).unwrap();
    Command::new("sh")
        .args(["-c", script, "sh"])
        .arg(&path)
        .env("ASCIINEMA_CONFIG_HOME", folder.path())
        .env("LC_ALL", "C.UTF-8")
        .output()
        .unwrap()
}

#[test]
fn zstd_unpacks_whole_files_and_agrees_with_our_reader() {
    let whole = sample();
    let done = shell("zstd -t \"$1\" && zstd -dcq \"$1\"", &whole);
    assert!(done.status.success(), "is zstd installed? {done:?}");
    assert_eq!(done.stdout, zstd::decode_all(&whole[..]).unwrap());
}

/// In a pipe, zstd prints what it has before it complains; so players show a cut file's rest.
#[test]
fn zstd_unpacks_what_there_is_of_a_cut_file() {
    let whole = sample();
    let all = zstd::decode_all(&whole[..]).unwrap();
    for length in (0..whole.len()).step_by(37) {
        let cut = &whole[..length];
        let done = shell("zstd -dcq \"$1\"", cut);
        assert!(all.starts_with(&done.stdout), "{length}");
        let lines = done.stdout.iter().filter(|byte| **byte == b'\n').count();
        let ours = read(cut).map_or(0, |(events, _)| events.len() + 1);
        assert_eq!(lines, ours, "{length}: zstd and our reader differ");
    }
}

#[test]
fn asciinema_plays_whole_and_cut_files() {
    if Command::new("asciinema").arg("--version").output().is_err() {
        return;
    }
    let whole = sample();
    let (root, mut killed) = recorder();
    for step in 0..4_u64 {
        let line = format!("line {step} €\r\n\x1b[1mbold");
        killed
            .output(Duration::from_secs(step), line.as_bytes())
            .unwrap();
        killed.flush().unwrap();
    }
    killed.output(Duration::from_secs(9), b"cut").unwrap();
    killed.flush().unwrap();
    let cut = std::fs::read(path(root.path())).unwrap();
    for file in [&whole[..], &cut[..cut.len() - 2]] {
        let play = "zstd -dcq \"$FILE\" | asciinema play --speed 100000 --idle-time-limit 0.01 -";
        let done = shell(&format!("FILE=\"$1\" script -qec '{play}' /dev/null"), file);
        let shown = String::from_utf8_lossy(&done.stdout);
        for line in ["line 0 €", "line 3 €", "\u{1b}[1mbold"] {
            assert!(shown.contains(line), "{done:?}");
        }
    }
}
