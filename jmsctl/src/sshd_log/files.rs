//! The file that a syslog daemon writes, with what logrotate made of its older parts.
#![forbid(unsafe_code)]

use super::Within;
use super::lines::each_line;
use crate::failure::{Done, Failure};
use flate2::read::MultiGzDecoder;
use jms::sshd_log::{Line, syslog};
use jms::time::Time;
use std::fs::File;
use std::io::{BufReader, ErrorKind};
use std::path::Path;
use std::time::UNIX_EPOCH;

/// Where logs lie.
pub const FOLDER: &str = "/var/log";
/// The file with `auth` and `authpriv`: Debian's, Red Hat's, and where everything goes into one. The first that is
/// there counts.
pub const NAMES: [&str; 4] = ["auth.log", "secure", "messages", "syslog"];

/// Where root may have a copy of sshd's lines about unknown names written for the service user, so that auditors can look
/// at them from afar (docs/logins.md).
const COPIES: &str = "/var/log/jms";
const COPY: &str = "sshd.log";

/// One opened file.
pub struct LogFile {
    name: String,
    file: File,
    kind: Kind,
    changed: Time,
}

/// How a file is packed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Plain,
    Gzip,
    Zstd,
    /// By something that is not understood here.
    Unknown,
}

/// Opens the file and its older parts, the oldest first, as far as they reach into the time; and what
/// could not be opened for want of the right to.
pub fn open(within: Within) -> Done<(Vec<LogFile>, Option<String>)> {
    open_or_copy(Path::new(FOLDER), Path::new(COPIES), within)
}

fn open_or_copy(
    folder: &Path,
    copies: &Path,
    within: Within,
) -> Done<(Vec<LogFile>, Option<String>)> {
    let (files, denied) = open_in(folder, &NAMES, within)?;
    // With the journal alone there is no such file, and the journal may be as closed to whoever asks.
    let is_there = NAMES.iter().any(|name| folder.join(name).is_file());
    if denied.is_some() || !is_there {
        let (copied, denied_too) = open_in(copies, &[COPY], within)?;
        if denied_too.is_none() && copies.join(COPY).is_file() {
            return Ok((copied, None));
        }
    }
    Ok((files, denied))
}

fn open_in(folder: &Path, names: &[&str], within: Within) -> Done<(Vec<LogFile>, Option<String>)> {
    let Some(base) = names.iter().find(|name| folder.join(name).is_file()) else {
        return Ok((Vec::new(), None));
    };
    let failed = |error: std::io::Error| Failure::io("read", folder.display(), error);
    let mut names: Vec<String> = Vec::new();
    for entry in std::fs::read_dir(folder).map_err(failed)? {
        let name = entry.map_err(failed)?.file_name();
        names.extend(
            name.to_str()
                .filter(|name| kind_of(base, name).is_some())
                .map(str::to_owned),
        );
    }
    let (mut files, mut denied) = (Vec::new(), None);
    for name in names {
        let path = folder.join(&name);
        let kind = kind_of(base, &name).unwrap_or(Kind::Unknown);
        match open_one(&path, kind) {
            Ok(file) => files
                .extend(file.filter(|file| within.since.is_none_or(|since| since <= file.changed))),
            Err(error) if error.kind() == ErrorKind::PermissionDenied => {
                denied = Some(path.display().to_string());
            }
            // Rotated away in between.
            Err(error) if error.kind() == ErrorKind::NotFound => {}
            Err(error) => return Err(Failure::io("open", path.display(), error)),
        }
    }
    files.sort_by_key(|file| file.changed);
    Ok((files, denied))
}

fn open_one(path: &Path, kind: Kind) -> std::io::Result<Option<LogFile>> {
    let file = File::open(path)?;
    let metadata = file.metadata()?;
    if !metadata.is_file() {
        return Ok(None);
    }
    let changed = metadata.modified()?.duration_since(UNIX_EPOCH);
    let changed = changed
        .ok()
        .and_then(|since| i64::try_from(since.as_millis()).ok());
    Ok(Some(LogFile {
        name: path.display().to_string(),
        file,
        kind,
        changed: Time(changed.unwrap_or(0)),
    }))
}

/// Whether `name` is `base` or a rotated part of it: `auth.log.1`, `auth.log.2.gz`, `auth.log-20261121.zst`.
fn kind_of(base: &str, name: &str) -> Option<Kind> {
    let rest = name.strip_prefix(base)?;
    if rest.is_empty() {
        return Some(Kind::Plain);
    }
    let rest = rest.strip_prefix(['.', '-'])?;
    let digits = rest
        .bytes()
        .take_while(|byte| byte.is_ascii_digit() || *byte == b'-')
        .count();
    if digits == 0 {
        return None;
    }
    match rest.get(digits..)? {
        "" => Some(Kind::Plain),
        ".gz" => Some(Kind::Gzip),
        ".zst" => Some(Kind::Zstd),
        ".xz" | ".bz2" | ".lz4" => Some(Kind::Unknown),
        _ => None,
    }
}

impl LogFile {
    /// Reads all lines.
    ///
    /// # Errors
    /// The sentence that says what is missing now.
    pub fn read(self, take: &mut impl FnMut(Line)) -> Result<(), String> {
        let changed = self.changed;
        let each = |line: &[u8]| take(syslog(line, changed));
        let done = match self.kind {
            Kind::Plain => each_line(BufReader::new(self.file), each),
            Kind::Gzip => each_line(BufReader::new(MultiGzDecoder::new(self.file)), each),
            Kind::Zstd => match zstd::Decoder::new(self.file) {
                Ok(decoder) => each_line(BufReader::new(decoder), each),
                Err(error) => Err(error),
            },
            Kind::Unknown => {
                return Err(format!(
                    "{} is packed in a way that is not read here; it is left out",
                    self.name
                ));
            }
        };
        done.map_err(|error| format!("{} could be read only in part: {error}", self.name))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use flate2::Compression;
    use flate2::write::GzEncoder;
    use std::io::Write;

    #[test]
    fn the_file_and_its_rotated_parts_are_known_and_nothing_else() {
        for (name, kind) in [
            ("auth.log", Some(Kind::Plain)),
            ("auth.log.1", Some(Kind::Plain)),
            ("auth.log.12.gz", Some(Kind::Gzip)),
            ("auth.log-20261121", Some(Kind::Plain)),
            ("auth.log-20261121-1732147200.gz", Some(Kind::Gzip)),
            ("auth.log.3.zst", Some(Kind::Zstd)),
            ("auth.log.3.xz", Some(Kind::Unknown)),
            ("auth.log.bak", None),
            ("auth.log.1.swp", None),
            ("auth.log2", None),
            ("auth.logs", None),
            ("syslog", None),
        ] {
            assert_eq!(kind_of("auth.log", name), kind, "{name}");
        }
    }

    fn line(day: u32) -> String {
        format!(
            "2026-11-{day:02}T10:00:00+00:00 h sshd[1]: Invalid user day{day} from 192.0.2.1 port 1\n"
        )
    }

    fn names(folder: &Path, within: Within) -> Vec<String> {
        let mut names = Vec::new();
        for file in open_in(folder, &NAMES, within).unwrap().0 {
            file.read(&mut |line| {
                if let Line::Attempt(attempt) = line {
                    names.push(attempt.invalid.name);
                }
            })
            .unwrap();
        }
        names
    }

    #[test]
    fn packed_parts_are_read_the_oldest_first_and_those_before_since_are_not_opened() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str, day: u64, bytes: &[u8]| {
            let path = folder.path().join(name);
            std::fs::write(&path, bytes).unwrap();
            let file = File::options().write(true).open(&path).unwrap();
            let moment = UNIX_EPOCH
                + std::time::Duration::from_secs(1_793_491_200 + (day - 1) * 86_400 + 43_200);
            file.set_modified(moment).unwrap();
        };
        let mut packed = GzEncoder::new(Vec::new(), Compression::fast());
        packed.write_all(line(1).as_bytes()).unwrap();
        at("auth.log.3.gz", 1, &packed.finish().unwrap());
        at(
            "auth.log.2.zst",
            2,
            &zstd::encode_all(line(2).as_bytes(), 1).unwrap(),
        );
        at("auth.log.1", 3, line(3).as_bytes());
        at("auth.log", 4, line(4).as_bytes());
        at("syslog", 4, line(9).as_bytes());
        assert_eq!(
            names(folder.path(), Within::default()),
            ["day1", "day2", "day3", "day4"]
        );
        let since = Within {
            since: Time::parse_rfc3339("2026-11-03T00:00:00Z"),
            until: None,
        };
        assert_eq!(names(folder.path(), since), ["day3", "day4"]);
        // What is broken is said, and what could be read of it is kept.
        at("auth.log.4.gz", 1, b"no gzip");
        let (files, _) = open_in(folder.path(), &NAMES, Within::default()).unwrap();
        let broken = files
            .into_iter()
            .find(|file| file.name.ends_with(".4.gz"))
            .unwrap();
        assert!(
            broken
                .read(&mut |_| {})
                .unwrap_err()
                .contains("only in part")
        );
    }

    #[test]
    fn where_there_is_only_the_journal_the_copy_is_read() {
        let (folder, copies) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let open = || open_or_copy(folder.path(), copies.path(), Within::default()).unwrap();
        let names = || -> Vec<String> { open().0.into_iter().map(|file| file.name).collect() };
        assert!(open().0.is_empty() && open().1.is_none());
        let copy = copies.path().join(COPY);
        std::fs::write(&copy, line(1)).unwrap();
        assert_eq!(names(), [copy.display().to_string()]);
        // A log that may be read says more than its copy.
        let log = folder.path().join("auth.log");
        std::fs::write(&log, line(1)).unwrap();
        assert_eq!(names(), [log.display().to_string()]);
    }

    #[test]
    fn without_a_file_there_is_none() {
        let folder = tempfile::tempdir().unwrap();
        let (files, denied) = open_in(folder.path(), &NAMES, Within::default()).unwrap();
        assert!(files.is_empty() && denied.is_none());
    }
}
