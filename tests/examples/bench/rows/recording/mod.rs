//! How large the recording of ordinary interactive work is.
//!
//! People's pauses decide that: recorders gather what comes close together, and ours closes a block each second. So nothing is
//! played faster than a person works: the same work is typed at the same time, in real time, into a session of each recorder, by as
//! many people as there are rounds, and weighed as an hour of it.

mod person;

use std::thread;
use std::time::Duration;

use anyhow::{Context, Result, anyhow};
use tests::{Host, Invocation};

use super::Row;
use crate::references::{RECORDERS, RECORDINGS};
use crate::report::{Aim, Measured};
use crate::rounds::{OURS, Series};
use crate::workbench::{LITTLE, Needs, PLAIN_WAY, WAY, Workbench};
use person::Person;

/// As it is written, and raw and packed afterwards.
pub const SIZE: Row = Row {
    name: "recording",
    about: "the size of recordings of ordinary interactive work",
    needs: Needs {
        references: &RECORDERS,
        programs: true,
        ..LITTLE
    },
    play: size,
};

/// A recording, before and after `zstd -3`: MB an hour.
#[derive(Debug, Clone, Copy)]
struct Weight {
    written: f64,
    packed: f64,
}

fn size(bench: &Workbench) -> Result<Vec<Measured>> {
    let seconds = bench.options.seconds;
    for lab in [&bench.ours, &bench.plain] {
        person::prepare(lab.web1())?;
    }
    let session = Duration::from_secs(u64::from(seconds) + 120);
    let begin = |client: Invocation, number: usize| {
        let mut person = Person::new(client.within(session).on_terminal(), number);
        person.work(Duration::from_secs(u64::from(seconds)));
        person.leave();
    };
    let recorders = bench.that_are_there(&RECORDERS);
    let people = bench.options.rounds;
    thread::scope(|scope| {
        let mut desks = Vec::new();
        for number in 0..people {
            for &reference in &recorders {
                desks.push(scope.spawn(move || {
                    begin(
                        bench.plain_client(reference, "ssh", &["-tt", PLAIN_WAY]),
                        number,
                    )
                }));
            }
            desks.push(scope.spawn(move || begin(bench.ours_client("ssh", &["-tt", WAY]), number)));
        }
        desks
            .into_iter()
            .try_for_each(|desk| desk.join().map_err(|_| anyhow!("a session broke off")))
    })?;
    let mut series: Vec<(&'static str, Vec<Weight>)> = Vec::new();
    for &reference in &recorders {
        let pattern = format!("{RECORDINGS}/{}*", reference.name());
        series.push((
            reference.name(),
            weights(bench.plain.bastion(), &pattern, seconds)?,
        ));
    }
    series.push((
        OURS,
        weights(
            bench.ours.bastion(),
            "$(find /var/lib/jms/recordings -type f)",
            seconds,
        )?,
    ));
    let quantity = |what: &str, aim, of: fn(&Weight) -> f64| Measured {
        what: format!("recording of ordinary work: {what}"),
        unit: "MB/h",
        aim,
        series: series
            .iter()
            .map(|(name, weights)| Series {
                name,
                values: weights.iter().map(of).collect(),
            })
            .collect(),
    };
    Ok(vec![
        quantity("as it is written", Aim::AtMost(0.10), |it| it.written),
        quantity(
            "packed with zstd -3 afterwards (ours is already)",
            Aim::None,
            |it| it.packed,
        ),
    ])
}

/// What the files of a pattern weigh, each: what was recorded in `seconds`, as if it had gone on for an hour.
fn weights(host: &Host, pattern: &str, seconds: u32) -> Result<Vec<Weight>> {
    let script = format!(
        "for file in {pattern}; do [ -s \"$file\" ] || exit 1; stat -c %s \"$file\"; zstd -qc3 \"$file\" | wc -c; done"
    );
    let sizes: Result<Vec<f64>, _> = host
        .run(script)
        .success()?
        .text()
        .lines()
        .map(str::parse)
        .collect();
    let an_hour = 3600.0 / f64::from(seconds) / 1e6;
    let sizes = sizes.context("no sizes")?;
    Ok(sizes
        .chunks_exact(2)
        .filter_map(|pair| {
            let [written, packed] = pair else { return None };
            Some(Weight {
                written: written * an_hour,
                packed: packed * an_hour,
            })
        })
        .collect())
}
