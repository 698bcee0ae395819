//! The recording as a tap: always first, independent of every other.
#![forbid(unsafe_code)]

use super::output_limit::{Limit, Reached, gap_words};
use crate::relay::{Stream, Tap, TapFailure};
use crate::sys::Window;
use jms::policy::Channel;
use jms::recording::{Finished, Recorder, RecordingError};
use jms::settings::OutputLimit;
use std::time::{Duration, Instant};

/// Sizes that follow each other faster than this are one: whoever pulls at a window, or never stops, does not fill a recording.
const RESIZE_PAUSE: Duration = Duration::from_millis(100);

/// How much of a channel's output is kept.
#[derive(Debug)]
enum Keep {
    Everything,
    /// As much as the limit lets through.
    Some(Limit),
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
    /// What is kept: a terminal and a shell whole; of a command's output the first `exec_output_bytes` and what is no
    /// stream, if there is such a limit; of a transfer that there was one, never its bytes.
    /// What a terminal prints is kept whatever the channel is said to be.
    ///
    /// # Errors
    /// The recording cannot be extended.
    pub fn new(
        recorder: Recorder,
        channel: Channel,
        terminal: bool,
        exec_output_bytes: OutputLimit,
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
        } else if let (Channel::Exec, false, OutputLimit::Bytes(limit)) =
            (channel, terminal, exec_output_bytes)
        {
            record.keep = Keep::Some(Limit::new(limit));
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
        match &mut self.keep {
            Keep::Everything => self.recorder.output(since, bytes),
            Keep::Nothing => Ok(()),
            Keep::Some(limit) => {
                let kept = limit.take(since, bytes.len());
                if let Some(gap) = kept.gap {
                    self.recorder.marker(since, &gap_words(gap))?;
                }
                let recorded = bytes.get(..kept.bytes).unwrap_or_default();
                if !recorded.is_empty() {
                    self.recorder.output(since, recorded)?;
                }
                if kept.is_first_cut {
                    self.recorder.marker(since, &limit.first_words())?;
                }
                Ok(())
            }
        }
    }

    /// Bytes of the output that a setting has left out so far, if output is recorded at all.
    #[must_use]
    pub fn left_out(&self) -> Option<u64> {
        match &self.keep {
            Keep::Everything => Some(0),
            Keep::Some(limit) => Some(limit.left_out()),
            Keep::Nothing => None,
        }
    }

    /// Whether the setting's limit was reached: for those who watch over the session meanwhile.
    #[must_use]
    pub fn limit_reached(&self) -> Reached {
        match &self.keep {
            Keep::Some(limit) => limit.reached(),
            Keep::Everything | Keep::Nothing => Reached::default(),
        }
    }

    /// Ends the recording.
    ///
    /// # Errors
    /// It could not be written to its end.
    pub fn finish(mut self) -> Result<Finished, RecordingError> {
        self.settle(Instant::now())?;
        if let Keep::Some(limit) = &self.keep {
            for words in limit.last_words() {
                self.mark(&words)?;
            }
        }
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
        let mut record =
            Record::new(recorder, channel, terminal, OutputLimit::Bytes(limit)).unwrap();
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
        let markers: Vec<&str> = cut
            .iter()
            .filter(|(kind, _)| *kind == Kind::Marker)
            .map(|(_, text)| text.as_str())
            .collect();
        let said = [
            "of the output that follows at most 16 KiB a second are recorded (recording.exec_output_bytes)",
            "8 bytes of the output were not recorded in all (recording.exec_output_bytes)",
        ];
        assert_eq!(markers, said);
        let exactly = recorded(Channel::Exec, false, 11, &[b"hello", b" world"]);
        assert!(exactly.iter().all(|(kind, _)| *kind == Kind::Output));
    }

    #[test]
    fn a_shell_that_follows_a_stream_in_a_command_is_recorded_and_the_stream_is_not() {
        let events = told_of(
            Channel::Exec,
            false,
            OutputLimit::Bytes(5),
            |record, begin| {
                let mut print = |millis, bytes: &[u8]| {
                    let at = begin + Duration::from_millis(millis);
                    record.output(at, Stream::Output, bytes).unwrap();
                };
                print(0, b"12345678");
                print(10, &[b'x'; 100_000]);
                print(1_500, b"$ ");
                print(60_000, b"rm -r /srv");
            },
        );
        let (marked, shell) = events.split_at(events.len() - 3);
        let words = "(recording.exec_output_bytes)";
        let said = [
            "12345".into(),
            format!("of the output that follows at most 16 KiB a second are recorded {words}"),
            format!("100003 bytes of the output were not recorded here {words}"),
        ];
        assert_eq!(marked, said);
        let all = format!("100003 bytes of the output were not recorded in all {words}");
        assert_eq!(shell, ["$ ", "rm -r /srv", &all]);
    }

    /// Sizes (R) and output (o) as they come out of a recording of `work`.
    fn told(work: impl FnOnce(&mut Record, Instant)) -> Vec<String> {
        told_of(Channel::Shell, true, OutputLimit::All, work)
    }

    fn told_of(
        channel: Channel,
        terminal: bool,
        limit: OutputLimit,
        work: impl FnOnce(&mut Record, Instant),
    ) -> Vec<String> {
        let root = tempfile::tempdir().unwrap();
        let begin = Instant::now();
        let recorder =
            Recorder::create_at(root.path(), &Id::random().unwrap(), &header(), begin).unwrap();
        let path = recorder.path().to_owned();
        let mut record = Record::new(recorder, channel, terminal, limit).unwrap();
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
            record.output(at(60), Stream::Output, b"b").unwrap();
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
