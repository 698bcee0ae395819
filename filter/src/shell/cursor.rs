//! A place in the line. Every step is at a character, none is out of bounds.

#[derive(Debug, Clone, Copy)]
pub struct Cursor<'a> {
    text: &'a str,
    at: usize,
}

impl<'a> Cursor<'a> {
    pub fn new(text: &'a str) -> Self {
        Self { text, at: 0 }
    }

    pub fn at(&self) -> usize {
        self.at
    }

    pub fn rest(&self) -> &'a str {
        self.text.get(self.at..).unwrap_or("")
    }

    /// From `start` to here.
    pub fn since(&self, start: usize) -> &'a str {
        self.text.get(start..self.at).unwrap_or("")
    }

    pub fn peek(&self) -> Option<char> {
        self.rest().chars().next()
    }

    /// The character after the next one.
    pub fn second(&self) -> Option<char> {
        let mut characters = self.rest().chars();
        characters.next();
        characters.next()
    }

    pub fn next(&mut self) -> Option<char> {
        let character = self.peek()?;
        self.at += character.len_utf8();
        Some(character)
    }

    pub fn looking_at(&self, expected: &str) -> bool {
        self.rest().starts_with(expected)
    }

    /// Steps over `expected` if it stands here.
    pub fn take(&mut self, expected: &str) -> bool {
        let found = self.looking_at(expected);
        if found {
            self.at += expected.len();
        }
        found
    }

    pub fn take_while(&mut self, wanted: impl Fn(char) -> bool) -> &'a str {
        let start = self.at;
        while self.peek().is_some_and(&wanted) {
            self.next();
        }
        self.since(start)
    }

    /// The rest of this line, without its end, which is stepped over, too.
    pub fn take_line(&mut self) -> &'a str {
        let line = self.rest();
        let line = line.split_once('\n').map_or(line, |(line, _)| line);
        self.at += line.len();
        self.take("\n");
        line
    }
}
