//! What the taps of a session cost for each byte: the recording, the capture of commands, both, for pieces of several sizes.
//! `cargo run --release -p force_command --example bytes [log|random|coloured] [record|capture|both] [PIECE]`; no root.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use force_command::Record;
use force_command::commands::{Board, Limits, Rules, Watched};
use force_command::relay::{Stream, Tap};
use force_command::sys::Window;
use jms::id::Id;
use jms::policy::Channel;
use jms::recording::{Header, Recorder};
use jms::settings::{HiddenInput, OutputLimit};
use jms::time::Time;
use nix::sys::resource::{UsageWho, getrusage};
use nix::sys::time::TimeValLike;

const SIZE: usize = 64 << 20;
const WINDOW: Window = Window {
    columns: 80,
    rows: 24,
    pixels: (0, 0),
};

/// Output of one kind, as it comes out of a terminal.
fn text(kind: &str) -> Vec<u8> {
    let mut text = Vec::with_capacity(SIZE + 200);
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    let mut number = 0_u64;
    while text.len() < SIZE {
        let (minute, second, worker) = (number / 60 % 60, number % 60, number % 997);
        let (request, took) = (number * 7919, number % 431);
        match kind {
            "log" => text.extend(
                format!("2026-11-21T10:{minute:02}:{second:02} web1 app[{worker}]: request {request} answered in {took} ms\r\n")
                    .bytes(),
            ),
            "coloured" => text.extend(
                format!("\x1b[01;34mfolder{number}\x1b[0m  \x1b[01;32mprogram{took}\x1b[0m\r\n").bytes(),
            ),
            _ => {
                state ^= state << 13;
                state ^= state >> 7;
                state ^= state << 17;
                text.extend(state.to_le_bytes());
            }
        }
        number += 1;
    }
    text
}

fn cpu() -> Duration {
    let usage = getrusage(UsageWho::RUSAGE_SELF).expect("the kernel counts");
    let micros = (usage.user_time() + usage.system_time()).num_microseconds();
    Duration::from_micros(micros.unsigned_abs())
}

fn record(root: &std::path::Path, channel: Channel, terminal: bool) -> Record {
    let header = Header {
        started_at: Time(0),
        width: 80,
        height: 24,
        term: None,
        title: None,
        command: None,
        meta: BTreeMap::new(),
    };
    let id = Id::random().expect("random numbers");
    let recorder = Recorder::create(root, &id, &header).expect("a recording");
    Record::new(recorder, channel, terminal, OutputLimit::All).expect("a tap")
}

fn feed(tap: &mut dyn Tap, text: &[u8], piece: usize) {
    for bytes in text.chunks(piece) {
        let now = Instant::now();
        if tap.next_deadline().is_some_and(|due| due <= now) {
            tap.tick(now, &mut Vec::new()).expect("ticks");
        }
        tap.output(now, Stream::Output, bytes).expect("taken");
    }
}

fn main() {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let word = |at: usize, all: &[&str]| match words.get(at) {
        Some(one) => vec![one.clone()],
        None => all.iter().map(|one| (*one).to_owned()).collect(),
    };
    let folder = tempfile::tempdir().expect("a folder");
    for kind in word(0, &["log", "coloured", "random"]) {
        let text = text(&kind);
        for piece in word(2, &["1000", "4095", "16380", "65536"]) {
            let piece: usize = piece.parse().expect("a size");
            for what in word(1, &["record", "capture", "both"]) {
                let rules = Rules::compile(Vec::new(), HiddenInput::default()).expect("no rules");
                let board = RefCell::new(Board::new(rules));
                let terminal = kind != "random";
                let channel = if terminal {
                    Channel::Shell
                } else {
                    Channel::Exec
                };
                // Without its bytes: what capture alone costs.
                let kept = if what == "capture" {
                    Channel::Sftp
                } else {
                    channel
                };
                let mut record = record(folder.path(), kept, what != "capture" && terminal);
                let second = Duration::from_secs(1);
                let before = cpu();
                if what == "record" {
                    feed(&mut record, &text, piece);
                } else {
                    let limits = Limits {
                        hold: second,
                        answer: second,
                        lines_per_hour: 10_000,
                    };
                    let mut taps = Watched::terminal(&mut record, &board, Some(WINDOW), limits);
                    feed(&mut taps, &text, piece);
                }
                let size = record.finish().expect("finished").bytes;
                let took = (cpu() - before).as_secs_f64();
                println!(
                    "{kind:<9} {what:<8} {piece:>6}: {took:6.3} s of processor time, {:6.0} MiB/s, {:6.2} MiB written",
                    64.0 / took,
                    size as f64 / f64::from(1 << 20)
                );
            }
        }
    }
}
