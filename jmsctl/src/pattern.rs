//! Globs for names: `*` any text, `?` any character, `[a-z]` one of these, `[!a-z]` none of these.
#![forbid(unsafe_code)]

/// Whether `text` is a pattern and not a plain name.
pub fn is_glob(text: &str) -> bool {
    text.contains(['*', '?', '['])
}

/// Whether `name` as a whole matches `pattern`. Time grows with the product of their lengths at most.
pub fn matches(pattern: &str, name: &str) -> bool {
    let pattern: Vec<char> = pattern.chars().collect();
    let name: Vec<char> = name.chars().collect();
    let (mut p, mut n) = (0, 0);
    // Where to go on when what follows the last star did not fit: one character further.
    let mut retry: Option<(usize, usize)> = None;
    while let Some(character) = name.get(n) {
        if pattern.get(p) == Some(&'*') {
            retry = Some((p, n));
            p += 1;
        } else if let Some(length) = fits(pattern.get(p..).unwrap_or_default(), *character) {
            p += length;
            n += 1;
        } else if let Some((star, from)) = retry {
            retry = Some((star, from + 1));
            p = star + 1;
            n = from + 1;
        } else {
            return false;
        }
    }
    pattern.iter().skip(p).all(|character| *character == '*')
}

/// How many characters of the pattern stand for this one character; `None`: it does not fit.
fn fits(pattern: &[char], character: char) -> Option<usize> {
    match pattern {
        ['?', ..] => Some(1),
        ['[', rest @ ..] => match rest.iter().skip(1).position(|end| *end == ']') {
            Some(end) => set_has(rest.get(..=end)?, character).then_some(end + 3),
            None => (character == '[').then_some(1),
        },
        [first, ..] => (*first == character).then_some(1),
        [] => None,
    }
}

fn set_has(set: &[char], character: char) -> bool {
    let (set, inverted) = match set {
        ['!' | '^', rest @ ..] if !rest.is_empty() => (rest, true),
        _ => (set, false),
    };
    let mut rest = set;
    let mut found = false;
    while let Some((first, more)) = rest.split_first() {
        match more {
            ['-', last, after @ ..] => {
                found |= (*first..=*last).contains(&character);
                rest = after;
            }
            _ => {
                found |= *first == character;
                rest = more;
            }
        }
    }
    found != inverted
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_match_as_in_a_shell() {
        for (pattern, name) in [
            ("*", ""),
            ("web*", "web1"),
            ("*1", "web1"),
            ("w?b1", "web1"),
            ("web[0-9]", "web1"),
            ("web[!2]", "web1"),
            ("*a*b*", "xxaxxbxx"),
            ("web", "web"),
            ("[ab]*", "bob"),
            ("a[", "a["),
        ] {
            assert!(matches(pattern, name), "{pattern} {name}");
        }
        for (pattern, name) in [
            ("web?", "web"),
            ("web[2-9]", "web1"),
            ("web", "web1"),
            ("*x", "web1"),
            ("[!a-z]eb1", "web1"),
            ("", "a"),
        ] {
            assert!(!matches(pattern, name), "{pattern} {name}");
        }
    }

    #[test]
    fn a_hostile_pattern_takes_no_time() {
        let name = "a".repeat(2000);
        assert!(!matches(&format!("{}b", "a*".repeat(500)), &name));
    }
}
