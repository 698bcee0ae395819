//! Bytes without a terminal: the output of a command, and files.

use anyhow::Result;
use tempfile::TempDir;

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
        ..LITTLE
    },
    play: copied,
};

/// A client program, and its arguments for a login and a remote file. What arrives goes nowhere, where the program can do that.
type Way = (&'static str, fn(&str, &str, &str) -> Vec<String>);

const WAYS: [(&str, Way); 5] = [
    (
        "exec (`cat` of log lines)",
        ("ssh", |login, file, _| {
            vec![login.to_owned(), format!("cat {file}.log")]
        }),
    ),
    (
        "exec (`cat` of random bytes)",
        ("ssh", |login, file, _| {
            vec![login.to_owned(), format!("cat {file}")]
        }),
    ),
    (
        "sftp",
        ("sftp", |login, file, _| {
            vec![
                "-q".to_owned(),
                format!("{login}:{file}"),
                "/dev/null".to_owned(),
            ]
        }),
    ),
    (
        "scp",
        ("scp", |login, file, _| {
            vec![
                "-q".to_owned(),
                format!("{login}:{file}"),
                "/dev/null".to_owned(),
            ]
        }),
    ),
    (
        "rsync",
        ("rsync", |login, file, folder| {
            vec![
                "--whole-file".to_owned(),
                format!("{login}:{file}"),
                format!("{folder}/"),
            ]
        }),
    ),
];

/// 16 MiB of lines, no two alike, over and over: no recorder looks back that far.
const FILES: &str = r#"cd /srv && head -c "$1M" /dev/urandom >"$2" &&
    awk 'BEGIN { for (i = 0; size < 16777216; i++) { line = sprintf("2026-11-21T10:%02d:%02d web1 app[%d]: request %d answered in %d ms",
        i/60%60, i%60, i%997, i*7919, i%431); size += length(line) + 1; print line } }' >lines &&
    while cat lines; do :; done 2>/dev/null | head -c "$1M" >"$2.log"; rm lines; [ -s "$2.log" ]"#;

fn copied(bench: &Workbench) -> Result<Vec<Measured>> {
    let most = bench.options.files;
    for lab in [&bench.ours, &bench.plain] {
        for (size, name) in [(most, "big"), (LITTLE_MIB.min(most), "little")] {
            lab.web1()
                .command(["bash", "-c", FILES, "files", &size.to_string(), name])
                .run()
                .success()?;
        }
    }
    // In memory, as the assets' files are: a disk would hide the way.
    let folder = TempDir::with_prefix_in("jms-bench-", "/dev/shm")?;
    let here = folder.path().display().to_string();
    let mut rows = Vec::new();
    for (name, (program, arguments)) in WAYS {
        let play = |round: Round, is_ours: bool| -> Result<Vec<f64>> {
            let file = if round == Round::WarmUp {
                "/srv/little"
            } else {
                "/srv/big"
            };
            let login = if is_ours { WAY } else { PLAIN_WAY };
            let words = arguments(login, file, &here);
            let words: Vec<&str> = words.iter().map(String::as_str).collect();
            let cost = match is_ours {
                true => bench.ours(program, &words)?,
                false => bench.plain(CHAIN, program, &words)?,
            };
            // It lies in memory.
            let forget = "find /var/lib/jms/recordings -type f -delete";
            bench.ours.bastion().run(forget).success()?;
            for entry in folder.path().read_dir()? {
                std::fs::remove_file(entry?.path())?;
            }
            let size = f64::from(most);
            Ok(vec![
                size / cost.wall.as_secs_f64(),
                cost.cpu.as_secs_f64() * 1024.0 / size,
            ])
        };
        let contenders = vec![
            Contender::with_warm_up(CHAIN.name(), |round| play(round, false)),
            Contender::with_warm_up(OURS, |round| play(round, true)),
        ];
        let quantities = interleave(bench.options.rounds, 2, contenders)?;
        let names = [
            ("throughput", "MiB/s", Aim::AtLeastTimes(0.95, CHAIN.name())),
            ("server CPU", "s/GiB", Aim::None),
        ];
        rows.extend(
            names
                .into_iter()
                .zip(quantities)
                .map(|((quantity, unit, aim), series)| Measured {
                    what: format!("{most} MiB by {name}: {quantity}"),
                    unit,
                    aim,
                    series,
                }),
        );
    }
    Ok(rows)
}
