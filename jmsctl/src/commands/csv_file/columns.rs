//! A CSV file as rows of named cells.
#![forbid(unsafe_code)]

use super::cell;
use std::collections::HashMap;

/// A field that is understood, and the headings under which it comes (lower case).
pub struct Column {
    /// Our name for it.
    pub field: &'static str,
    /// Its headings, JumpServer's among them.
    pub headings: &'static [&'static str],
}

/// The whole file.
pub struct Table {
    fields: Vec<Option<&'static str>>,
    headings: Vec<String>,
    records: Vec<Result<csv::StringRecord, String>>,
}

/// One line.
pub struct Row<'a> {
    line: u64,
    cells: HashMap<&'static str, &'a str>,
}

impl Table {
    /// Reads the file.
    ///
    /// # Errors
    /// A sentence when the first line names nothing that is understood, or a field twice.
    pub fn parse(text: &str, known: &'static [Column]) -> Result<Self, String> {
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        let mut reader = csv::ReaderBuilder::new()
            .trim(csv::Trim::All)
            .from_reader(text.as_bytes());
        let headings: Vec<String> = match reader.headers() {
            Ok(headings) => headings.iter().map(str::to_owned).collect(),
            Err(error) => return Err(error.to_string()),
        };
        let names: Vec<String> = headings.iter().map(|heading| plain(heading)).collect();
        let mut fields = Vec::new();
        for name in &names {
            let field = field_of(name, &names, known);
            if field.is_some() && fields.contains(&field) {
                return Err(format!("two columns say the same: {name}"));
            }
            fields.push(field);
        }
        if fields.iter().all(Option::is_none) {
            let names: Vec<&str> = known.iter().map(|column| column.field).collect();
            return Err(format!(
                "the first line must name the columns; {} are understood",
                names.join(", ")
            ));
        }
        let records = reader.records();
        let records = records
            .map(|record| record.map_err(|error| error.to_string()))
            .collect();
        Ok(Self {
            fields,
            headings,
            records,
        })
    }

    /// Headings that are not understood.
    pub fn ignored(&self) -> Vec<&str> {
        let pairs = self.headings.iter().zip(&self.fields);
        pairs
            .filter(|(_, field)| field.is_none())
            .map(|(heading, _)| heading.as_str())
            .collect()
    }

    /// How many lines there are below the headings.
    pub fn len(&self) -> usize {
        self.records.len()
    }

    /// Every line, or what is wrong with it.
    pub fn rows(&self) -> impl Iterator<Item = Result<Row<'_>, String>> {
        self.records.iter().map(|record| {
            let record = record.as_ref().map_err(Clone::clone)?;
            let line = record.position().map_or(0, csv::Position::line);
            let cells = self.fields.iter().zip(record.iter());
            let cells = cells
                .filter_map(|(field, cell)| Some(((*field)?, cell)))
                // JumpServer writes - for nothing.
                .filter(|(_, cell)| !cell.is_empty() && *cell != "-");
            Ok(Row {
                line,
                cells: cells.collect(),
            })
        })
    }
}

/// `*Name` is JumpServer's way to mark what is required.
fn plain(heading: &str) -> String {
    heading
        .trim_matches('*')
        .trim()
        .to_lowercase()
        .replace('_', " ")
}

fn field_of(name: &str, all: &[String], known: &'static [Column]) -> Option<&'static str> {
    // Where there is a column for the login name, `Name` is the person's.
    if name == "name" && all.iter().any(|other| other == "username") {
        return Some("full_name");
    }
    let column = known
        .iter()
        .find(|column| column.headings.contains(&name) || column.field.replace('_', " ") == name)?;
    Some(column.field)
}

impl Row<'_> {
    /// Where it stands in the file.
    pub fn line(&self) -> u64 {
        self.line
    }

    /// The cell as it is; `None` when it is empty.
    pub fn text(&self, field: &str) -> Option<&str> {
        self.cells.get(field).copied()
    }

    /// The names in a cell: `a, b`, or JumpServer's `["a(id)", "b(id)"]`.
    pub fn names(&self, field: &str) -> Option<Vec<String>> {
        self.text(field).map(cell::names)
    }

    /// The name in a cell: `a`, or JumpServer's `a(id)`.
    pub fn name(&self, field: &str) -> Option<String> {
        self.text(field).map(cell::name)
    }
}
