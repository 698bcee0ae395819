//! The recording as a tap: always first, independent of every other.
#![forbid(unsafe_code)]

use crate::relay::{Stream, Tap, TapFailure};
use crate::sys::Window;
use jms::policy::Channel;
use jms::recording::{Finished, Recorder, RecordingError};
use std::time::{Duration, Instant};

/// Sizes that follow each other faster than this are one: whoever pulls at a window, or never stops, does not fill a recording.
const RESIZE_PAUSE: Duration = Duration::from_millis(100);

/// How much of a channel's output is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Keep {
    Everything,
    /// So many bytes more; then a marker, once.
    Only(u64),
    Nothing,
}

/// The recorder of one session.
pub struct Record {
    recorder: Recorder,
    keep: Keep,
    resizes: Resizes,
}

/// The terminal's sizes on their way into the recording: what is printed always follows the size that it was printed in.
#[derive(Debug, Default)]
struct Resizes {
    /// The last one that is recorded, as columns and rows.
    recorded: Option<(u16, u16)>,
    /// The next one is not recorded before.
    not_before: Option<Instant>,
    /// The newest one, not recorded yet.
    waiting: Option<(u16, u16)>,
}

impl Record {
    /// What is kept: a terminal and a shell whole; of a command's output the first
    /// `exec_output_bytes`, if there is such a limit; of a transfer that there was one, never its bytes.
    /// What a terminal prints is kept whatever the channel is said to be.
    ///
    /// # Errors
    /// The recording cannot be extended.
    pub fn new(
        recorder: Recorder,
        channel: Channel,
        terminal: bool,
        exec_output_bytes: Option<u64>,
    ) -> Result<Self, RecordingError> {
        let mut record = Self {
            recorder,
            keep: Keep::Everything,
            resizes: Resizes::default(),
        };
        if channel.is_transfer() && !terminal {
            record.keep = Keep::Nothing;
            record.mark(&format!(
                "{}: the bytes of files are not recorded",
                channel.as_str()
            ))?;
        } else if let (Channel::Exec, false, Some(limit)) = (channel, terminal, exec_output_bytes) {
            record.keep = Keep::Only(limit);
        }
        Ok(record)
    }

    fn mark(&mut self, label: &str) -> Result<(), RecordingError> {
        let at = self.recorder.origin().elapsed();
        self.recorder.marker(at, label)
    }

    /// How long after the recording's start a moment is.
    #[must_use]
    pub fn since_start(&self, at: Instant) -> Duration {
        at.saturating_duration_since(self.recorder.origin())
    }

    /// Marks a moment, which may have been a while ago.
    ///
    /// # Errors
    /// The recording cannot be extended.
    pub fn mark_at(&mut self, at: Instant, label: &str) -> Result<(), TapFailure> {
        let since = self.since_start(at);
        self.recorder.marker(since, label).map_err(failure)
    }

    /// Records the size that waits, if one does.
    fn settle(&mut self, at: Instant) -> Result<(), RecordingError> {
        let Some((columns, rows)) = self.resizes.waiting.take() else {
            return Ok(());
        };
        self.resizes.recorded = Some((columns, rows));
        self.resizes.not_before = at.checked_add(RESIZE_PAUSE);
        let since = at.saturating_duration_since(self.recorder.origin());
        self.recorder.resize(since, columns, rows)
    }

    /// When the size that waits is recorded, if nothing is printed before.
    fn settles_at(&self) -> Option<Instant> {
        self.resizes.waiting.and(self.resizes.not_before)
    }

    fn keep(&mut self, at: Instant, bytes: &[u8]) -> Result<(), RecordingError> {
        let since = at.saturating_duration_since(self.recorder.origin());
        match self.keep {
            Keep::Everything => self.recorder.output(since, bytes),
            Keep::Nothing => Ok(()),
            Keep::Only(left) => {
                let kept = usize::try_from(left).unwrap_or(usize::MAX).min(bytes.len());
                self.recorder
                    .output(since, bytes.get(..kept).unwrap_or_default())?;
                self.keep = Keep::Only(left - kept as u64);
                if kept < bytes.len() {
                    self.keep = Keep::Nothing;
                    self.recorder.marker(
                        since,
                        "the rest of the output is not recorded (recording.exec_output_bytes)",
                    )?;
                }
                Ok(())
            }
        }
    }

    /// Ends the recording.
    ///
    /// # Errors
    /// It could not be written to its end.
    pub fn finish(mut self) -> Result<Finished, RecordingError> {
        self.settle(Instant::now())?;
        self.recorder.finish()
    }
}

fn failure(error: RecordingError) -> TapFailure {
    TapFailure::Recording(error.to_string())
}

impl Tap for Record {
    fn output(&mut self, at: Instant, _: Stream, bytes: &[u8]) -> Result<(), TapFailure> {
        self.settle(at)
            .and_then(|()| self.keep(at, bytes))
            .map_err(failure)
    }

    fn resize(&mut self, at: Instant, window: Window) -> Result<(), TapFailure> {
        let size = (window.columns, window.rows);
        self.resizes.waiting = (self.resizes.recorded != Some(size)).then_some(size);
        if self.resizes.not_before.is_some_and(|then| at < then) {
            return Ok(());
        }
        self.settle(at).map_err(failure)
    }

    fn next_deadline(&self) -> Option<Instant> {
        self.recorder
            .next_deadline()
            .into_iter()
            .chain(self.settles_at())
            .min()
    }

    fn tick(&mut self, at: Instant, _: &mut Vec<u8>) -> Result<(), TapFailure> {
        if self.settles_at().is_some_and(|then| then <= at) {
            self.settle(at).map_err(failure)?;
        }
        self.recorder.tick(at).map_err(failure)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use jms::id::Id;
    use jms::recording::{Header, Kind, Reader};
    use jms::time::Time;
    use std::collections::BTreeMap;

    fn header() -> Header {
        Header {
            started_at: Time(0),
            width: 80,
            height: 24,
            term: None,
            title: None,
            command: None,
            meta: BTreeMap::new(),
        }
    }

    fn recorded(
        channel: Channel,
        terminal: bool,
        limit: u64,
        output: &[&[u8]],
    ) -> Vec<(Kind, String)> {
        let root = tempfile::tempdir().unwrap();
        let recorder = Recorder::create(root.path(), &Id::random().unwrap(), &header()).unwrap();
        let path = recorder.path().to_owned();
        let mut record = Record::new(recorder, channel, terminal, Some(limit)).unwrap();
        for bytes in output {
            record
                .output(Instant::now(), Stream::Output, bytes)
                .unwrap();
        }
        record.finish().unwrap();
        let reader = Reader::open(&path).unwrap();
        reader
            .map(Result::unwrap)
            .map(|event| (event.kind, event.data))
            .collect()
    }

    #[test]
    fn a_terminal_is_kept_whole_and_a_command_up_to_the_limit() {
        let whole = recorded(Channel::Exec, true, 1, &[b"hello", b" world"]);
        let text: String = whole.iter().map(|(_, text)| text.as_str()).collect();
        assert_eq!(text, "hello world");
        let cut = recorded(Channel::Exec, false, 7, &[b"hello", b" world", b"more"]);
        let text: String = cut
            .iter()
            .filter(|(kind, _)| *kind == Kind::Output)
            .map(|(_, text)| text.as_str())
            .collect();
        assert_eq!(text, "hello w");
        assert_eq!(
            cut.iter().filter(|(kind, _)| *kind == Kind::Marker).count(),
            1
        );
    }

    /// Sizes (R) and output (o) as they come out of a recording of `work`.
    fn told(work: impl FnOnce(&mut Record, Instant)) -> Vec<String> {
        let root = tempfile::tempdir().unwrap();
        let begin = Instant::now();
        let recorder =
            Recorder::create_at(root.path(), &Id::random().unwrap(), &header(), begin).unwrap();
        let path = recorder.path().to_owned();
        let mut record = Record::new(recorder, Channel::Shell, true, None).unwrap();
        work(&mut record, begin);
        record.finish().unwrap();
        let events = Reader::open(&path).unwrap().map(Result::unwrap);
        events.map(|event| event.data).collect()
    }

    fn columns(columns: u16) -> Window {
        Window {
            columns,
            rows: 24,
            pixels: (0, 0),
        }
    }

    #[test]
    fn a_storm_of_sizes_is_ten_a_second_and_the_last_one_is_never_lost() {
        let events = told(|record, begin| {
            for number in 0..10_000_u16 {
                let at = begin + Duration::from_micros(100) * u32::from(number);
                if record.next_deadline().is_some_and(|due| due <= at) {
                    record.tick(at, &mut Vec::new()).unwrap();
                }
                record.resize(at, columns(100 + number)).unwrap();
            }
        });
        assert!((9..=12).contains(&events.len()), "{events:?}");
        assert_eq!(events.last().map(String::as_str), Some("10099x24"));
    }

    #[test]
    fn what_is_printed_follows_the_size_that_it_was_printed_in() {
        let events = told(|record, begin| {
            let at = |millis| begin + Duration::from_millis(millis);
            record.resize(at(0), columns(81)).unwrap();
            record.resize(at(1), columns(82)).unwrap();
            record.resize(at(2), columns(83)).unwrap();
            record.output(at(3), Stream::Output, b"a").unwrap();
            record.resize(at(4), columns(84)).unwrap();
            record.resize(at(5), columns(83)).unwrap();
            assert_eq!(record.settles_at(), None, "back at what is recorded");
            record.output(at(6), Stream::Output, b"b").unwrap();
        });
        assert_eq!(events, ["81x24", "83x24", "a", "b"]);
    }

    #[test]
    fn what_a_terminal_prints_is_kept_even_if_it_is_called_a_transfer() {
        let events = recorded(Channel::ScpUpload, true, 1, &[b"switch7> "]);
        let text: String = events.iter().map(|(_, text)| text.as_str()).collect();
        assert_eq!(text, "switch7> ");
    }

    #[test]
    fn a_transfer_leaves_a_marker_and_no_byte() {
        let events = recorded(Channel::Sftp, false, 1000, &[b"secret file"]);
        assert_eq!(events.len(), 1);
        assert!(
            events[0].0 == Kind::Marker && events[0].1.starts_with("sftp:"),
            "{events:?}"
        );
    }
}
