//! History designators (`!!`, `!$`, `^a^b`): what a line with them may become.
use std::collections::VecDeque;

/// Whether a shell would look for designators to expand: outside single quotes a `!` before something, or a `^` at the start.
pub fn has_designator(line: &str) -> bool {
    line.starts_with('^') && line.len() > 1 || !pieces(line).1.is_empty()
}

/// A builtin that runs an earlier line again, and prints it first.
pub fn runs_another(line: &str) -> bool {
    line.starts_with("fc -s")
}

/// The text around designators, and the designators.
fn pieces(line: &str) -> (Vec<String>, Vec<String>) {
    let mut texts = vec![String::new()];
    let mut found = Vec::new();
    let mut quoted = false;
    let mut characters = line.chars().peekable();
    let mut previous = ' ';
    while let Some(c) = characters.next() {
        if c == '\'' && previous != '\\' {
            quoted = !quoted;
        }
        let starts = c == '!'
            && !quoted
            && previous != '\\'
            && previous != '['
            && characters.peek().is_some_and(|n| !" \t=(\n\"".contains(*n));
        if !starts {
            if let Some(last) = texts.last_mut() {
                last.push(c);
            }
            previous = c;
            continue;
        }
        let mut designator = String::from('!');
        match characters.peek().copied() {
            Some(first @ ('!' | '$' | '*' | '^' | '#')) => {
                designator.push(first);
                characters.next();
            }
            Some('?') => {
                characters.next();
                designator.push('?');
                while let Some(next) = characters.next_if(|n| *n != '?') {
                    designator.push(next);
                }
                characters.next_if(|n| *n == '?');
            }
            _ => {
                while let Some(next) =
                    characters.next_if(|n| n.is_alphanumeric() || "-_./".contains(*n))
                {
                    designator.push(next);
                }
            }
        }
        if designator.len() == 1 {
            if let Some(last) = texts.last_mut() {
                last.push('!');
            }
            previous = c;
            continue;
        }
        // Word designators and modifiers belong to it.
        while let Some(next) = characters.next_if(|n| *n == ':') {
            designator.push(next);
            while let Some(part) =
                characters.next_if(|n| n.is_alphanumeric() || "$*^-/%&".contains(*n))
            {
                designator.push(part);
            }
        }
        found.push(designator);
        texts.push(String::new());
        previous = ' ';
    }
    (texts, found)
}

/// Whether `shown` can be what `line` was expanded to.
pub fn may_expand_to(line: &str, shown: &str) -> bool {
    if shown.trim().is_empty()
        || shown.ends_with("event not found")
        || shown.contains(": substitution failed")
    {
        return false;
    }
    if line.starts_with('^') || runs_another(line) {
        return true;
    }
    let (texts, found) = pieces(line);
    if found.is_empty() {
        return false;
    }
    let (Some(first), Some(last)) = (texts.first(), texts.last()) else {
        return false;
    };
    let mut rest = match shown.strip_prefix(first.trim_end()) {
        Some(rest) => rest,
        None => return false,
    };
    for text in &texts[1..] {
        match rest.find(text.trim()) {
            Some(at) => rest = &rest[at + text.trim().len()..],
            None => return false,
        }
    }
    shown.trim_end().ends_with(last.trim())
}

/// The expansion, when all that it needs has been seen in this session.
pub fn expand(line: &str, history: &VecDeque<String>) -> Option<String> {
    if let Some(rest) = line.strip_prefix('^') {
        let mut parts = rest.split('^');
        let (from, to) = (parts.next()?, parts.next().unwrap_or(""));
        let last = history.back()?;
        return last.contains(from).then(|| last.replacen(from, to, 1));
    }
    let (texts, found) = pieces(line);
    if found.is_empty() {
        return None;
    }
    let mut whole = String::new();
    for (index, text) in texts.iter().enumerate() {
        whole.push_str(text);
        if let Some(designator) = found.get(index) {
            whole.push_str(&one(designator, history)?);
        }
    }
    Some(whole)
}

fn one(designator: &str, history: &VecDeque<String>) -> Option<String> {
    let last = history.back()?;
    let body = designator.strip_prefix('!')?;
    let words = || last.split_whitespace();
    match body {
        "!" => Some(last.clone()),
        "$" | "!:$" => words().next_back().map(str::to_owned),
        "^" | "!:^" => words().nth(1).map(str::to_owned),
        "*" | "!:*" => Some(words().skip(1).collect::<Vec<_>>().join(" ")),
        _ if body.contains(':') => None,
        _ => match body.strip_prefix('-').and_then(|n| n.parse::<usize>().ok()) {
            Some(back) => history
                .len()
                .checked_sub(back)
                .and_then(|i| history.get(i))
                .cloned(),
            None if body.starts_with('?') => history
                .iter()
                .rev()
                .find(|l| l.contains(&body[1..]))
                .cloned(),
            None if body.chars().all(|c| c.is_ascii_digit()) => None,
            None => history.iter().rev().find(|l| l.starts_with(body)).cloned(),
        },
    }
}
