//! The first line of a recording: the header of asciicast v2.
//!
//! Everything that players do not know stands in one object of its own, `"jms"`. Reading trusts
//! nothing: it may come from a file that was tampered with.
use super::{LINE_LIMIT, ReadError, RecordingError};
use crate::id::Id;
use crate::time::Time;
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;

/// What is known of a session when its recording begins.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Header {
    /// When the session started; event times count from here.
    pub started_at: Time,
    /// Columns of the terminal; 0 (there is none) is written as 80.
    pub width: u16,
    /// Lines of the terminal; 0 (there is none) is written as 24.
    pub height: u16,
    /// `TERM` of the session, if it has a terminal.
    pub term: Option<String>,
    /// What players show as the title.
    pub title: Option<String>,
    /// The command that the session runs; none for a shell.
    pub command: Option<String>,
    /// More about the session, such as `user`, `asset`, `system_user`. The names `session` and
    /// `started_at` are the recorder's own and are overwritten.
    pub meta: BTreeMap<String, String>,
}

impl Header {
    /// The header as one line of JSON with its line feed.
    pub(super) fn line(&self, session: &Id) -> Result<Vec<u8>, RecordingError> {
        let or = |size: u16, default: u16| if size == 0 { default } else { size };
        let mut head = Map::new();
        head.insert("version".into(), json!(2));
        head.insert("width".into(), json!(or(self.width, 80)));
        head.insert("height".into(), json!(or(self.height, 24)));
        head.insert("timestamp".into(), json!(self.started_at.seconds()));
        if let Some(command) = &self.command {
            head.insert("command".into(), json!(command));
        }
        if let Some(title) = &self.title {
            head.insert("title".into(), json!(title));
        }
        if let Some(term) = &self.term {
            head.insert("env".into(), json!({ "TERM": term }));
        }
        let mut own = self.meta.clone();
        own.insert("session".into(), session.to_string());
        own.insert("started_at".into(), self.started_at.to_string());
        head.insert("jms".into(), json!(own));
        let mut line = Value::Object(head).to_string().into_bytes();
        if line.len() >= LINE_LIMIT {
            return Err(RecordingError::HeaderTooLong { length: line.len() });
        }
        line.push(b'\n');
        Ok(line)
    }

    /// Reads a header, and the session that it names.
    pub(super) fn parse(line: &[u8]) -> Result<(Self, Option<Id>), ReadError> {
        let bad = |reason: &str| ReadError::Header {
            reason: reason.to_owned(),
        };
        let head: Map<String, Value> =
            serde_json::from_slice(line).map_err(|_| bad("its first line is no JSON object"))?;
        if head.get("version").and_then(Value::as_u64) != Some(2) {
            return Err(bad("it is not of asciicast version 2"));
        }
        let size = |name| {
            let number = head.get(name).and_then(Value::as_u64);
            number.and_then(|number| u16::try_from(number).ok())
        };
        let (Some(width), Some(height)) = (size("width"), size("height")) else {
            return Err(bad("it does not say how large its terminal was"));
        };
        let text = |value: Option<&Value>| value.and_then(Value::as_str).map(str::to_owned);
        let mut meta = BTreeMap::new();
        if let Some(Value::Object(own)) = head.get("jms") {
            let texts = own
                .iter()
                .filter_map(|(name, value)| Some((name, value.as_str()?)));
            meta.extend(texts.map(|(name, value)| (name.clone(), value.to_owned())));
        }
        let session = meta.remove("session").and_then(|text| Id::parse(&text));
        let exact = meta.remove("started_at");
        let seconds = head.get("timestamp").and_then(Value::as_i64).unwrap_or(0);
        let started_at = exact
            .and_then(|text| Time::parse_rfc3339(&text))
            .unwrap_or(Time(seconds.saturating_mul(1000)));
        let header = Self {
            started_at,
            width,
            height,
            term: text(head.get("env").and_then(|env| env.get("TERM"))),
            title: text(head.get("title")),
            command: text(head.get("command")),
            meta,
        };
        Ok((header, session))
    }
}

#[cfg(test)]
mod tests {
    use super::{Header, LINE_LIMIT, ReadError, RecordingError};
    use crate::id::Id;
    use crate::time::Time;

    fn header() -> Header {
        Header {
            started_at: Time(1_763_700_000_123),
            width: 0,
            height: 0,
            term: Some("xterm".to_owned()),
            title: Some("alice@dev@web1".to_owned()),
            command: Some("printf '\u{1b}]0;x\\n'".to_owned()),
            meta: [("user".to_owned(), "alice".to_owned())].into(),
        }
    }

    #[test]
    fn a_header_reads_back() {
        let session = Id::parse("0123456789abcdefghjk").unwrap();
        let line = header().line(&session).unwrap();
        assert_eq!(line.iter().filter(|byte| **byte == b'\n').count(), 1);
        let (read, named) = Header::parse(&line).unwrap();
        assert_eq!(named, Some(session));
        assert_eq!((read.width, read.height), (80, 24));
        let same = Header {
            width: 0,
            height: 0,
            ..read
        };
        assert_eq!(same, header());
    }

    #[test]
    fn other_first_lines_are_refused_with_a_reason() {
        for line in [
            "",
            "[]",
            "{}",
            r#"{"version":3,"width":1,"height":1}"#,
            r#"{"version":2}"#,
        ] {
            let error = Header::parse(line.as_bytes()).unwrap_err();
            assert!(matches!(error, ReadError::Header { .. }), "{line}");
        }
        let (read, named) =
            Header::parse(br#"{"version":2,"width":1,"height":65535,"jms":7}"#).unwrap();
        assert_eq!((read.height, named), (65535, None));
    }

    #[test]
    fn a_command_that_could_not_be_read_back_is_refused() {
        let session = Id::parse("0123456789abcdefghjk").unwrap();
        let command = Some("\u{1}".repeat(LINE_LIMIT / 6));
        let long = Header {
            command,
            ..header()
        };
        assert!(matches!(
            long.line(&session),
            Err(RecordingError::HeaderTooLong { .. })
        ));
    }
}
