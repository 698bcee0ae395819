//! Pages with places: a `@name@` alone in a line, or within one, is replaced by what the tables say.
#![forbid(unsafe_code)]

/// Fills every place of `template`. `part` knows what stands where.
///
/// # Errors
/// The name of a place that nobody fills.
pub fn fill(template: &str, part: impl Fn(&str) -> Option<String>) -> Result<String, String> {
    let mut filled = String::new();
    for line in template.lines() {
        let mut pieces = line.split('@');
        filled.push_str(pieces.next().unwrap_or_default());
        let mut whole = false;
        while let Some(name) = pieces.next() {
            // Two in a row are one that is meant.
            let text = match name {
                "" => "@".to_owned(),
                name => part(name).ok_or_else(|| format!("nothing fills @{name}@"))?,
            };
            whole = text.ends_with('\n');
            filled.push_str(&text);
            let behind = pieces.next().unwrap_or_default();
            whole &= behind.is_empty();
            filled.push_str(behind);
        }
        if !whole {
            filled.push('\n');
        }
    }
    Ok(filled)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_filled_and_unknown_ones_are_errors() {
        let part = |name: &str| match name {
            "a" => Some("A".to_owned()),
            "lines" => Some("one\ntwo\n".to_owned()),
            _ => None,
        };
        assert_eq!(
            fill("x @a@ y\n@lines@\nb@@c\n", part).unwrap(),
            "x A y\none\ntwo\nb@c\n"
        );
        assert_eq!(fill("@what@", part).unwrap_err(), "nothing fills @what@");
    }
}
