//! How settings are described: one declaration of a setting makes the field that is parsed, its default, its row in
//! `jms.toml(5)` and its lines in the shipped file.
#![forbid(unsafe_code)]

use super::{Format, HiddenInput, HostKeyPolicy, OutputLimit, SECTIONS, Settings};
use std::fmt;

/// A section of the file.
#[derive(Debug, Clone, Copy)]
pub struct Section {
    /// `session` in `[session]`.
    pub name: &'static str,
    /// What it is about: lines of sentences, code in backticks.
    pub about: &'static [&'static str],
    /// What can be set in it.
    pub settings: &'static [Setting],
}

/// One setting.
#[derive(Debug, Clone, Copy)]
pub struct Setting {
    /// Its name in the file.
    pub key: &'static str,
    /// What it does: lines of sentences, code in backticks.
    pub about: &'static [&'static str],
    /// What may stand behind the `=`.
    pub kind: Kind,
    /// The smallest number, where it is not the type's own.
    pub least: Option<u64>,
    /// The largest number, where it is not the type's own.
    pub most: Option<u64>,
    /// What a number counts.
    pub unit: Option<&'static str>,
    /// A value to show, where nothing is set by default.
    pub example: Option<&'static str>,
}

/// What a value can be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// `true` or `false`.
    Flag,
    /// A whole number up to this one.
    Number(u64),
    /// A whole number up to this one, or this word.
    NumberOr(u64, &'static str),
    /// Any text.
    Text,
    /// One of these words.
    Words(&'static [&'static str]),
}

/// A type that a setting can have.
pub trait Described {
    /// What its values are.
    const KIND: Kind;
}

impl Described for bool {
    const KIND: Kind = Kind::Flag;
}

impl Described for u16 {
    const KIND: Kind = Kind::Number(u16::MAX as u64);
}

impl Described for u32 {
    const KIND: Kind = Kind::Number(u32::MAX as u64);
}

impl Described for u64 {
    /// More, TOML cannot say.
    const KIND: Kind = Kind::Number(i64::MAX as u64);
}

impl Described for String {
    const KIND: Kind = Kind::Text;
}

impl Described for Format {
    const KIND: Kind = Kind::Words(&["key-value", "json"]);
}

impl Described for HostKeyPolicy {
    const KIND: Kind = Kind::Words(&["asset", "refuse", "pin"]);
}

impl Described for HiddenInput {
    const KIND: Kind = Kind::Words(&["allow", "deny", "end"]);
}

impl Described for OutputLimit {
    const KIND: Kind = Kind::NumberOr(i64::MAX as u64, OutputLimit::ALL);
}

impl<T: Described> Described for Option<T> {
    const KIND: Kind = T::KIND;
}

impl fmt::Display for Setting {
    /// `number of seconds, at least 1`
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.kind {
            Kind::Flag => f.write_str("true or false"),
            Kind::Text => f.write_str("text"),
            Kind::Words(words) => {
                let quoted: Vec<String> = words.iter().map(|word| format!("\"{word}\"")).collect();
                f.write_str(&quoted.join(" or "))
            }
            Kind::Number(most) | Kind::NumberOr(most, _) => {
                f.write_str("number")?;
                if let Some(unit) = self.unit {
                    write!(f, " of {unit}")?;
                }
                let (least, most) = (self.least.unwrap_or(0), self.most.unwrap_or(most));
                if most < u64::from(u32::MAX) {
                    write!(f, ", {least} to {most}")?;
                } else {
                    write!(f, ", at least {least}")?;
                }
                match self.kind {
                    Kind::NumberOr(_, word) => write!(f, ", or \"{word}\""),
                    _ => Ok(()),
                }
            }
        }
    }
}

/// Declares the sections: for each a structure, for each setting a field, and the table of all.
macro_rules! settings {
    ($(
        $(#[doc = $section_about:literal])+
        $section:ident: $structure:ident {
            $(
                $(#[doc = $about:literal])+
                $key:ident: $type:ty = $default:expr
                    $(, least $least:literal)? $(, most $most:literal)? $(, unit $unit:literal)? $(, example $example:literal)?;
            )+
        }
    )+) => {
        /// Everything that can be set.
        #[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
        #[serde(default, deny_unknown_fields)]
        pub struct Settings {
            $($(#[doc = $section_about])+ pub $section: $structure,)+
        }

        $(
            $(#[doc = $section_about])+
            #[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
            #[serde(default, deny_unknown_fields)]
            pub struct $structure {
                $($(#[doc = $about])+ pub $key: $type,)+
            }

            impl Default for $structure {
                fn default() -> Self {
                    Self { $($key: $default,)+ }
                }
            }
        )+

        /// The same as a table: what the manual page and the shipped file are made from.
        pub const SECTIONS: &[Section] = &[$(
            Section {
                name: stringify!($section),
                about: &[$($section_about,)+],
                settings: &[$(
                    Setting {
                        key: stringify!($key),
                        about: &[$($about,)+],
                        kind: <$type as Described>::KIND,
                        least: settings!(@maybe $($least)?),
                        most: settings!(@maybe $($most)?),
                        unit: settings!(@maybe $($unit)?),
                        example: settings!(@maybe $($example)?),
                    },
                )+],
            },
        )+];
    };
    (@maybe) => { None };
    (@maybe $value:literal) => { Some($value) };
}
pub(super) use settings;

impl Setting {
    /// Its default as the file would say it; `None`: nothing is set.
    #[must_use]
    pub fn default_in(&self, section: &Section) -> Option<String> {
        let defaults = toml::Table::try_from(Settings::default()).ok()?;
        let value = defaults.get(section.name)?.get(self.key)?;
        Some(value.to_string())
    }
}

/// Longest line of the shipped file, in characters.
const WIDTH: usize = 110;

/// What stands above everything.
const HEAD: &str = "\
# Settings of the bastion, each with its default; take the # away to change one. See jms.toml(5).
# `jmsctl config check` says whether the file is understood. An unknown word is an error: then
# sessions of the bastion's users are refused, and local administrators log in as ever.
";

/// The file that the package ships: every setting with its default, as a comment. What has no default is
/// shown with an example, behind `# ` instead of `#`.
#[must_use]
pub fn shipped() -> String {
    let mut text = HEAD.to_owned();
    for section in SECTIONS {
        text.push_str(&format!("\n[{}]\n", section.name));
        for setting in section.settings {
            for line in filled(setting.about) {
                text.push_str(&format!("# {line}\n"));
            }
            let line = match (setting.default_in(section), setting.example) {
                (Some(default), _) => format!("#{} = {default}\n", setting.key),
                (None, example) => format!("# {} = {}\n", setting.key, example.unwrap_or_default()),
            };
            text.push_str(&line);
        }
    }
    text
}

/// Words in lines of a width that people like to read.
fn filled(about: &[&str]) -> Vec<String> {
    let mut lines = vec![String::new()];
    for word in about.iter().flat_map(|line| line.split_whitespace()) {
        let last = lines.last().map_or(0, |line| line.chars().count());
        if last > 0 && last + 1 + word.chars().count() > WIDTH - 2 {
            lines.push(String::new());
        }
        if let Some(line) = lines.last_mut() {
            if !line.is_empty() {
                line.push(' ');
            }
            line.push_str(word);
        }
    }
    lines
}
