//! Bytes without a terminal: the output of a command, and files.

use std::path::Path;
use std::time::Duration;

use anyhow::Result;
use tempfile::TempDir;
use tests::Host;

use super::Row;
use crate::references::CHAIN;
use crate::report::{Aim, Measured};
use crate::rounds::{Contender, OURS, Round, interleave};
use crate::workbench::{LITTLE, Needs, PLAIN_WAY, WAY, Workbench};

/// What the round that does not count fetches, in MiB.
const LITTLE_MIB: u32 = 16;

/// A GiB: as log lines for a command's output, which is recorded, and as bytes that do not shrink.
pub const COPIED: Row = Row {
    name: "files",
    about: "1 GiB from an asset by exec, sftp, scp and rsync",
    needs: Needs {
        references: &[CHAIN],
        warm: Some(0),
        ..LITTLE
    },
    play: copied,
};

/// One way to fetch. What arrives goes nowhere, where the program can do that.
#[derive(Debug, Clone, Copy)]
struct Way {
    name: &'static str,
    program: &'static str,
    /// The arguments for a login, a remote file and a folder here.
    arguments: fn(&str, &str, &str) -> Vec<String>,
    /// The file on the asset.
    file: &'static str,
    /// Of so many equal parts of the whole it is one.
    part: u32,
}

fn cat(login: &str, file: &str, _: &str) -> Vec<String> {
    vec![login.to_owned(), format!("cat {file}")]
}

fn get(login: &str, file: &str, _: &str) -> Vec<String> {
    vec![
        "-q".to_owned(),
        format!("{login}:{file}"),
        "/dev/null".to_owned(),
    ]
}

fn sync(login: &str, file: &str, folder: &str) -> Vec<String> {
    vec![
        "--whole-file".to_owned(),
        format!("{login}:{file}"),
        format!("{folder}/"),
    ]
}

const WAYS: [Way; 5] = [
    Way {
        name: "exec, log lines",
        program: "ssh",
        arguments: cat,
        file: "lines",
        part: 1,
    },
    // The worst that a recorder can be given, and rare: fetched as a quarter.
    Way {
        name: "exec, random bytes",
        program: "ssh",
        arguments: cat,
        file: "part",
        part: 4,
    },
    Way {
        name: "sftp",
        program: "sftp",
        arguments: get,
        file: "random",
        part: 1,
    },
    Way {
        name: "scp",
        program: "scp",
        arguments: get,
        file: "random",
        part: 1,
    },
    Way {
        name: "rsync",
        program: "rsync",
        arguments: sync,
        file: "random",
        part: 1,
    },
];

fn copied(bench: &Workbench) -> Result<Vec<Measured>> {
    let most = bench.options.files;
    for lab in [&bench.ours, &bench.plain] {
        prepare(lab.web1(), "big", most)?;
        prepare(lab.web1(), "little", LITTLE_MIB.min(most))?;
    }
    // In memory, as the assets' files are: a disk would hide the way.
    let folder = TempDir::with_prefix_in("jms-bench-", "/dev/shm")?;
    let mut rows = Vec::new();
    for way in WAYS {
        let contenders = vec![
            Contender::with_warm_up(CHAIN.name(), |round| {
                fetch(bench, way, round, false, folder.path())
            }),
            Contender::with_warm_up(OURS, |round| fetch(bench, way, round, true, folder.path())),
        ];
        let quantities = interleave(bench.options.rounds, 2, contenders)?;
        let names = [
            ("throughput", "MiB/s", Aim::AtLeastTimes(0.95, CHAIN.name())),
            ("server CPU", "s/GiB", Aim::None),
        ];
        for ((quantity, unit, aim), series) in names.into_iter().zip(quantities) {
            rows.push(Measured {
                what: format!("{} MiB by {}: {quantity}", most / way.part, way.name),
                unit,
                aim,
                series,
            });
        }
    }
    Ok(rows)
}

/// MiB a second, and seconds of the bastion's processors for a GiB.
fn fetch(
    bench: &Workbench,
    way: Way,
    round: Round,
    is_ours: bool,
    folder: &Path,
) -> Result<Vec<f64>> {
    let name = if round == Round::WarmUp {
        "little"
    } else {
        "big"
    };
    let file = format!("/srv/{name}.{}", way.file);
    let login = if is_ours { WAY } else { PLAIN_WAY };
    let words = (way.arguments)(login, &file, &folder.display().to_string());
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let cost = match is_ours {
        true => bench.ours(way.program, &words)?,
        false => bench.plain(CHAIN, way.program, &words)?,
    };
    // What was recorded and fetched lies in memory.
    let forget = "find /var/lib/jms/recordings -type f -delete";
    bench.ours.bastion().run(forget).success()?;
    for entry in folder.read_dir()? {
        std::fs::remove_file(entry?.path())?;
    }
    let size = f64::from(bench.options.files) / f64::from(way.part);
    Ok(vec![
        size / cost.wall.as_secs_f64(),
        cost.cpu.as_secs_f64() * 1024.0 / size,
    ])
}

/// Lines, of which 16 MiB are repeated: no recorder looks back that far. Random bytes, and a quarter of them.
const FILES: &str = r#"set -e; cd /srv
awk 'BEGIN { for (i = 0; size < 16777216; i++) { line = sprintf("2026-11-21T10:%02d:%02d web1 app[%d]: request %d answered in %d ms",
    i/60%60, i%60, i%997, i*7919, i%431); size += length(line) + 1; print line } }' >lines
for copy in $(seq 0 16 "$2"); do cat lines; done >"$1.lines"; truncate -s "$2M" "$1.lines"; rm lines
head -c "$2M" /dev/urandom >"$1.random"
head -c $(($2 * 262144)) "$1.random" >"$1.part""#;

/// Files of so many MiB.
fn prepare(asset: &Host, name: &str, size: u32) -> Result<()> {
    let words = ["bash", "-c", FILES, "files", name, &size.to_string()];
    asset
        .command(words)
        .within(Duration::from_secs(300))
        .run()
        .success()?;
    Ok(())
}
