//! Splitting a command into words: the first word for our grammar, and all of them for recognising transfers.

/// The first word and what follows it after one run of blanks. Leading blanks are skipped.
pub fn first(text: &[u8]) -> (&[u8], &[u8]) {
    let text = skip_blanks(text);
    let end = text
        .iter()
        .position(|byte| is_blank(*byte))
        .unwrap_or(text.len());
    let (word, rest) = text.split_at(end);
    (word, skip_blanks(rest))
}

fn is_blank(byte: u8) -> bool {
    byte == b' ' || byte == b'\t'
}

fn skip_blanks(text: &[u8]) -> &[u8] {
    let start = text
        .iter()
        .position(|byte| !is_blank(*byte))
        .unwrap_or(text.len());
    text.get(start..).unwrap_or_default()
}

/// One word of a simple command.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Word {
    /// The word without its quotes.
    pub bytes: Vec<u8>,
    /// It holds a pattern that the asset's shell may replace by names of files.
    pub pattern: bool,
    /// Whether that could make it begin with anything, a dash too.
    pub begins_with_pattern: bool,
}

impl Word {
    /// Whether a program may take it for an option, now or after the shell has replaced a pattern.
    pub fn may_be_option(&self) -> bool {
        self.begins_with_pattern || self.bytes.first() == Some(&b'-')
    }
}

/// The words of `text`, if every shell that an asset may have would run exactly one program with them.
///
/// Stricter than any one shell: no character that separates commands, substitutes or redirects may
/// occur even in quotes (cmd.exe knows no single quotes), and no backslash within quotes (where
/// POSIX shells, csh and fish disagree). What it refuses is still run, as an ordinary command with
/// the rights of one.
pub fn simple(text: &[u8]) -> Option<Vec<Word>> {
    let mut words = Vec::new();
    let mut word: Option<Word> = None;
    let mut quote: Option<u8> = None;
    let mut bytes = text.iter().copied();
    while let Some(byte) = bytes.next() {
        if byte < b' ' || byte == 0x7f || b";&|<>()$`".contains(&byte) {
            return None;
        }
        match (quote, byte) {
            (Some(open), _) if byte == open => quote = None,
            (Some(_), b'\\') => return None,
            (Some(_), _) => word.get_or_insert_default().bytes.push(byte),
            (None, b' ') => words.extend(word.take()),
            (None, b'\'' | b'"') => {
                quote = Some(byte);
                word.get_or_insert_default();
            }
            (None, b'\\') => {
                let escaped = bytes.next().filter(|byte| *byte >= b' ')?;
                word.get_or_insert_default().bytes.push(escaped);
            }
            (None, _) => {
                let word = word.get_or_insert_default();
                // `*?[` everywhere, braces in bash and csh, `^` and `#` in zsh; `#` begins a comment.
                if b"*?[{^#".contains(&byte) {
                    word.pattern = true;
                    word.begins_with_pattern |= word.bytes.is_empty();
                }
                word.bytes.push(byte);
            }
        }
    }
    words.extend(word);
    quote.is_none().then_some(words)
}

/// Why a text is no list of words.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NotWords {
    /// A quote, or a backslash at the end, that nothing closes.
    Open,
    /// A character that a shell would act upon, and no shell is here.
    Shell(char),
}

/// The words of a command line for one of our own programs, with the quotes of POSIX shells and nothing else of
/// theirs: no variables, no patterns, no second command. Bytes within quotes, and patterns, stay as they are.
///
/// # Errors
/// [`NotWords`]: rather than hand on what a shell would have understood otherwise.
pub fn quoted(text: &[u8]) -> Result<Vec<Vec<u8>>, NotWords> {
    let mut words = Vec::new();
    let mut word: Option<Vec<u8>> = None;
    let mut quote: Option<u8> = None;
    let mut bytes = text.iter().copied().peekable();
    while let Some(byte) = bytes.next() {
        match (quote, byte) {
            (Some(open), _) if byte == open => quote = None,
            (Some(b'"'), b'\\') if bytes.peek().is_some_and(|next| b"\"\\$`".contains(next)) => {
                word.get_or_insert_default().extend(bytes.next());
            }
            (Some(_), _) => word.get_or_insert_default().push(byte),
            (None, b' ' | b'\t') => words.extend(word.take()),
            (None, b'\'' | b'"') => {
                quote = Some(byte);
                word.get_or_insert_default();
            }
            (None, b'\\') => {
                let escaped = bytes.next().ok_or(NotWords::Open)?;
                word.get_or_insert_default().push(escaped);
            }
            (
                None,
                b';' | b'&' | b'|' | b'<' | b'>' | b'(' | b')' | b'$' | b'`' | b'\n' | b'\r',
            ) => {
                return Err(NotWords::Shell(char::from(byte)));
            }
            (None, _) => word.get_or_insert_default().push(byte),
        }
    }
    words.extend(word);
    match quote {
        Some(_) => Err(NotWords::Open),
        None => Ok(words),
    }
}
