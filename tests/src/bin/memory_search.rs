//! `memory-search HEX…`: which processes of this host hold any of these bytes, in memory, arguments, environment or an
//! open file: one line for each, `PID PROGRAM PLACE`. For root.

use std::fs::{self, File};
use std::io::{Read, Seek, SeekFrom};
use std::path::Path;

/// Larger mappings than any of our programs has are not read.
const LARGEST: u64 = 256 * 1024 * 1024;

fn main() {
    let patterns: Vec<Vec<u8>> = std::env::args().skip(1).map(|hex| bytes(&hex)).collect();
    let myself = std::process::id().to_string();
    for entry in fs::read_dir("/proc").into_iter().flatten().flatten() {
        let name = entry.file_name().to_string_lossy().into_owned();
        if !name.bytes().all(|byte| byte.is_ascii_digit()) || name == myself {
            continue;
        }
        let folder = entry.path();
        let holds = |text: &[u8]| patterns.iter().any(|pattern| contains(text, pattern));
        let program = fs::read_link(folder.join("exe")).unwrap_or_default();
        let report = |place: &str| println!("{name} {} {place}", program.display());
        for place in ["cmdline", "environ"] {
            if fs::read(folder.join(place)).is_ok_and(|text| holds(&text)) {
                report(place);
            }
        }
        for (name, part) in memory(&folder) {
            if holds(&part) {
                report(&format!("memory {name}"));
            }
        }
        for descriptor in fs::read_dir(folder.join("fd"))
            .into_iter()
            .flatten()
            .flatten()
        {
            let is_file = fs::metadata(descriptor.path()).is_ok_and(|it| it.is_file());
            if is_file && fs::read(descriptor.path()).is_ok_and(|text| holds(&text)) {
                report("descriptor");
            }
        }
    }
}

fn bytes(hex: &str) -> Vec<u8> {
    let digits: Vec<u32> = hex.chars().filter_map(|digit| digit.to_digit(16)).collect();
    let pairs = digits.chunks_exact(2);
    pairs.map(|pair| (pair[0] * 16 + pair[1]) as u8).collect()
}

fn contains(text: &[u8], pattern: &[u8]) -> bool {
    let first = pattern[0];
    let mut rest = text;
    while let Some(place) = rest.iter().position(|byte| *byte == first) {
        rest = &rest[place..];
        if rest.starts_with(pattern) {
            return true;
        }
        rest = &rest[1..];
    }
    false
}

/// Each readable mapping with its name.
fn memory(folder: &Path) -> Vec<(String, Vec<u8>)> {
    let Ok(mut file) = File::open(folder.join("mem")) else {
        return Vec::new();
    };
    let maps = fs::read_to_string(folder.join("maps")).unwrap_or_default();
    let mut parts = Vec::new();
    for line in maps.lines() {
        let mut words = line.split_whitespace();
        let (Some(range), Some(rights)) = (words.next(), words.next()) else {
            continue;
        };
        let ends = range.split_once('-').and_then(|(from, to)| {
            let number = |text| u64::from_str_radix(text, 16).ok();
            Some((number(from)?, number(to)?))
        });
        let Some((from, to)) = ends.filter(|_| rights.starts_with('r')) else {
            continue;
        };
        let mut part = vec![0; usize::try_from((to - from).min(LARGEST)).unwrap_or(0)];
        if file.seek(SeekFrom::Start(from)).is_ok() && file.read_exact(&mut part).is_ok() {
            let name = line.split_whitespace().nth(5).unwrap_or("-");
            parts.push((name.to_owned(), part));
        }
    }
    parts
}
