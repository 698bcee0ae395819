//! One word of a command, as the shell would see it after quotes and backslashes are removed.

/// Why the words that will run cannot be read off the line. The first reason found is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Hidden {
    /// `$name`, `${name…}`, `$1`.
    Variable,
    /// `$(…)`, a backquote, `<(…)`.
    Substitution,
    /// `$((…))`.
    Arithmetic,
    /// `*`, `?`, `[…]`.
    Pattern,
    /// `{a,b}`, `{1..3}`.
    Braces,
}

impl Hidden {
    /// In what the word hides, for people.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Variable => "a variable",
            Self::Substitution => "a substitution",
            Self::Arithmetic => "arithmetic",
            Self::Pattern => "a file name pattern",
            Self::Braces => "a brace expansion",
        }
    }
}

/// A word. What the shell would still expand stands in `text` as it was written.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Word {
    /// The word without its quotes.
    pub text: String,
    /// What keeps `text` from being the word that will run.
    pub hidden: Option<Hidden>,
    /// The shell may make several words of it, or none.
    pub splits: bool,
    /// An unquoted `~` begins it: the shell puts a home folder there.
    pub tilde: bool,
    /// No quote, backslash or expansion in it: it may be a reserved word or an assignment.
    pub bare: bool,
    /// How long, in bytes, the part of `text` is that no quote and no expansion began before.
    pub bare_length: usize,
}

impl Word {
    /// A word that is exactly `text`.
    pub fn literal(text: &str) -> Self {
        Self {
            text: text.to_owned(),
            bare: true,
            bare_length: text.len(),
            ..Self::default()
        }
    }

    /// The text, if the shell hands on exactly that.
    pub fn known(&self) -> Option<&str> {
        self.hidden.is_none().then_some(self.text.as_str())
    }

    /// Whether the shell may make a word of it that begins with `-`.
    pub fn may_be_flag(&self) -> bool {
        let first = self.text.chars().next();
        match self.hidden {
            None => false,
            Some(_) if self.splits => true,
            Some(Hidden::Pattern) => {
                let of_flag = |one: char| one.is_ascii_alphanumeric() || "-*?[]!^".contains(one);
                matches!(first, Some('-' | '*' | '?' | '[')) && self.text.chars().all(of_flag)
            }
            Some(_) => {
                // No flag has a `/`: `"$folder"/x` is none.
                let expansion = |one: char| one.is_ascii_alphanumeric() || "${_".contains(one);
                let behind = match self.text.rfind([')', '}', '`']) {
                    Some(at) => self.text.get(at..).unwrap_or_default(),
                    None => self.text.trim_start_matches(expansion),
                };
                matches!(first, Some('-' | '$' | '`')) && !behind.contains('/')
            }
        }
    }

    /// Whether this is `name=…`, `name+=…` or `name[…]=…`, which a shell takes as an assignment in front of a command.
    pub fn is_assignment(&self) -> bool {
        let Some(bare) = self.text.get(..self.bare_length) else {
            return false;
        };
        let Some((name, _)) = bare.split_once('=') else {
            return false;
        };
        let name = name.strip_suffix('+').unwrap_or(name);
        let name = match name.split_once('[') {
            Some((name, index)) if index.ends_with(']') => name,
            Some(_) => return false,
            None => name,
        };
        let mut letters = name.chars();
        letters
            .next()
            .is_some_and(|first| first.is_ascii_alphabetic() || first == '_')
            && letters.all(|letter| letter.is_ascii_alphanumeric() || letter == '_')
    }
}
