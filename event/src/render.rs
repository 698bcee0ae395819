//! Events as lines.
//!
//! Which fields give way in a line that would be too long: the longest value is cut to half,
//! again and again, until the line fits or no value is longer than 64 bytes; then extra fields go,
//! the last first, counted in `fields_dropped`. Named fields are cut, never dropped.

use crate::escape::quote_into;
use crate::record::{DROPPED, Event, FIELDS, WHOLE_LENGTH, WHOLE_SHA256};
use crate::value::{Inner, VALUE_MAX, Value};

/// Longest line, in bytes. With syslog's header it fills at most 8 KiB, the size at which rsyslog
/// cuts a message unless it is told otherwise.
pub const LINE_MAX: usize = crate::sender::DATAGRAM_MAX - crate::sender::HEADER_MAX;

/// A value is not cut below this many bytes.
const VALUE_MIN: usize = 64;

/// How a line looks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum Format {
    /// `key="value"` separated by single spaces, values escaped as JSON strings, unknown fields
    /// left out.
    #[default]
    KeyValue,
    /// One JSON object; unknown named fields are `null`.
    Json,
}

/// One field on its way into a line.
struct Piece<'a> {
    name: &'a str,
    value: &'a Value,
    limit: usize,
    text: String,
}

impl Event {
    /// The event as one JSON object on one line of at most [`LINE_MAX`] bytes. `seq` is its number
    /// in the store; `None` for one that the store does not know.
    pub fn to_json(&self, seq: Option<u64>) -> String {
        self.to_line(Format::Json, seq)
    }

    /// The event as one line of at most [`LINE_MAX`] bytes.
    pub fn to_line(&self, format: Format, seq: Option<u64>) -> String {
        let head = self.head(format, seq);
        let named = FIELDS.into_iter().zip(&self.named);
        let extra = self
            .extra
            .iter()
            .map(|(name, value)| (name.as_str(), value));
        let mut pieces: Vec<Piece<'_>> = named
            .chain(extra)
            .map(|(name, value)| Piece {
                name,
                value,
                limit: VALUE_MAX,
                text: String::new(),
            })
            .collect();
        for piece in &mut pieces {
            piece.render(format);
        }
        let mut dropped = self.dropped;
        while length(&head, &pieces, dropped) > LINE_MAX {
            if !halve_longest(&mut pieces, format) {
                if pieces.len() == FIELDS.len() {
                    break;
                }
                pieces.pop();
                dropped = dropped.saturating_add(1);
            }
        }
        let mut line = head;
        for piece in &pieces {
            line.push_str(&piece.text);
        }
        if dropped > 0 {
            push_bare(&mut line, format, DROPPED, &dropped.to_string());
        }
        if format == Format::Json {
            line.push('}');
        }
        line
    }

    fn head(&self, format: Format, seq: Option<u64>) -> String {
        let mut out = String::with_capacity(512);
        let schema = crate::SCHEMA.to_string();
        match format {
            Format::KeyValue => {
                out.push_str("schema=\"");
                out.push_str(&schema);
                out.push('"');
            }
            Format::Json => {
                out.push_str("{\"schema\":");
                out.push_str(&schema);
            }
        }
        match (seq, format) {
            (Some(seq), _) => push_bare(&mut out, format, "seq", &seq.to_string()),
            (None, Format::Json) => push_bare(&mut out, format, "seq", "null"),
            (None, Format::KeyValue) => {}
        }
        push_text(&mut out, format, "time", &format!("{:.3}", self.time));
        push_text(&mut out, format, "type", self.kind.as_str());
        push_text(&mut out, format, "severity", self.severity.as_str());
        out
    }
}

impl Piece<'_> {
    fn render(&mut self, format: Format) {
        self.text.clear();
        let out = &mut self.text;
        match &self.value.0 {
            Inner::Null if format == Format::KeyValue => {}
            Inner::Null => push_bare(out, format, self.name, "null"),
            Inner::Flag(flag) => {
                push_bare(out, format, self.name, if *flag { "true" } else { "false" })
            }
            Inner::Number(number) => push_bare(out, format, self.name, &number.to_string()),
            Inner::Text(text) => {
                let (kept, whole) = text.within(self.limit);
                push_text(out, format, self.name, kept);
                if let Some(whole) = whole {
                    push_text(
                        out,
                        format,
                        &format!("{}{WHOLE_SHA256}", self.name),
                        &whole.sha256,
                    );
                    let length = whole.length.to_string();
                    push_bare(
                        out,
                        format,
                        &format!("{}{WHOLE_LENGTH}", self.name),
                        &length,
                    );
                }
            }
        }
    }

    /// Bytes of text that are shown now.
    fn shown(&self) -> usize {
        match &self.value.0 {
            Inner::Text(text) => text.kept.len().min(self.limit),
            _ => 0,
        }
    }
}

fn length(head: &str, pieces: &[Piece<'_>], dropped: u64) -> usize {
    // `,"fields_dropped":` with 20 digits and the closing brace.
    let tail = if dropped > 0 {
        DROPPED.len() + 5 + 20
    } else {
        1
    };
    head.len() + pieces.iter().map(|piece| piece.text.len()).sum::<usize>() + tail
}

/// Cuts the piece that takes most room to half of its text; false if none may be cut further.
fn halve_longest(pieces: &mut [Piece<'_>], format: Format) -> bool {
    let longest = pieces
        .iter_mut()
        .filter(|piece| piece.shown() > VALUE_MIN)
        .max_by_key(|piece| piece.text.len());
    let Some(piece) = longest else { return false };
    piece.limit = (piece.shown() / 2).max(VALUE_MIN);
    piece.render(format);
    true
}

fn push_name(out: &mut String, format: Format, name: &str) {
    match format {
        Format::KeyValue => {
            out.push(' ');
            out.push_str(name);
            out.push('=');
        }
        Format::Json => {
            out.push_str(",\"");
            out.push_str(name);
            out.push_str("\":");
        }
    }
}

fn push_text(out: &mut String, format: Format, name: &str, text: &str) {
    push_name(out, format, name);
    quote_into(out, text);
}

/// A number, a flag or null: bare in JSON, quoted like all else in key="value".
fn push_bare(out: &mut String, format: Format, name: &str, text: &str) {
    match format {
        Format::KeyValue => push_text(out, format, name, text),
        Format::Json => {
            push_name(out, format, name);
            out.push_str(text);
        }
    }
}
