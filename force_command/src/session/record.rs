//! The recording as a tap: always first, independent of every other.
#![forbid(unsafe_code)]

use crate::relay::{Stream, Tap, TapFailure};
use crate::sys::Window;
use jms::policy::Channel;
use jms::recording::{Finished, Recorder, RecordingError};
use std::time::Instant;

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
}

impl Record {
    /// What is kept: a terminal and a shell whole; of a command's output the first
    /// `exec_output_bytes`, if there is such a limit; of a transfer that there was one, never its bytes.
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
        };
        if channel.is_transfer() {
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
    pub fn finish(self) -> Result<Finished, RecordingError> {
        self.recorder.finish()
    }
}

fn failure(error: RecordingError) -> TapFailure {
    TapFailure(error.to_string())
}

impl Tap for Record {
    fn output(&mut self, at: Instant, _: Stream, bytes: &[u8]) -> Result<(), TapFailure> {
        self.keep(at, bytes).map_err(failure)
    }

    fn resize(&mut self, at: Instant, window: Window) -> Result<(), TapFailure> {
        let since = at.saturating_duration_since(self.recorder.origin());
        self.recorder
            .resize(since, window.columns, window.rows)
            .map_err(failure)
    }

    fn next_deadline(&self) -> Option<Instant> {
        self.recorder.next_deadline()
    }

    fn tick(&mut self, at: Instant, _: &mut Vec<u8>) -> Result<(), TapFailure> {
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

    fn recorded(
        channel: Channel,
        terminal: bool,
        limit: u64,
        output: &[&[u8]],
    ) -> Vec<(Kind, String)> {
        let root = tempfile::tempdir().unwrap();
        let header = Header {
            started_at: Time(0),
            width: 80,
            height: 24,
            term: None,
            title: None,
            command: None,
            meta: BTreeMap::new(),
        };
        let recorder = Recorder::create(root.path(), &Id::random().unwrap(), &header).unwrap();
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
