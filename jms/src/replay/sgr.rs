//! Select Graphic Rendition: which colours and attributes pass.

use super::parser::PARAMETERS;

/// The parameters of `CSI … m` that may pass, as they are to be sent; `None` if none does.
pub(super) fn filter(parameters: &str) -> Option<String> {
    let mut passed: Vec<String> = Vec::new();
    let mut rest = parameters.split(';');
    while let Some(one) = rest.next() {
        if one.contains(':') {
            passed.extend(with_parts(one));
            continue;
        }
        // An empty parameter is 0 (ECMA-48, 5.4.2).
        let number = match one {
            "" => 0,
            _ => one.parse().unwrap_or(u16::MAX),
        };
        match number {
            38 | 48 | 58 => match colour(&mut rest) {
                Some(colour) => passed.push(format!("{number};{colour}")),
                // The rest would be taken for something that it is not.
                None => break,
            },
            // A reset makes what stands before it meaningless.
            0 => passed = vec!["0".to_owned()],
            _ if known(number) => passed.push(number.to_string()),
            _ => {}
        }
    }
    // Written out, empty parameters are longer: no more than what this module would read again.
    while length(&passed) > PARAMETERS {
        passed.pop();
    }
    (!passed.is_empty()).then(|| passed.join(";"))
}

/// Of the parameters with the semicolons between them.
fn length(passed: &[String]) -> usize {
    passed
        .iter()
        .map(|one| one.len() + 1)
        .sum::<usize>()
        .saturating_sub(1)
}

/// Attributes that only change how text looks. Not conceal (8): the auditor shall see the text.
/// Not 10–20: on a Linux console they change the font so that control characters are shown.
fn known(number: u16) -> bool {
    matches!(number,
        0..=7 | 9 | 21..=29 | 30..=37 | 39..=47 | 49 | 53 | 55 | 59 | 90..=97 | 100..=107)
}

/// `5;N` or `2;R;G;B` after 38, 48 or 58.
fn colour<'a>(rest: &mut impl Iterator<Item = &'a str>) -> Option<String> {
    let kind = rest.next()?;
    let count = match kind {
        "5" => 1,
        "2" => 3,
        _ => return None,
    };
    let mut colour = kind.to_owned();
    for _ in 0..count {
        let part = rest
            .next()
            .map(|part| if part.is_empty() { "0" } else { part })?;
        let part: u8 = part.parse().ok()?;
        colour += &format!(";{part}");
    }
    Some(colour)
}

/// `4:3` (kind of underline), `38:2::R:G:B` and the like (ITU-T T.416).
fn with_parts(one: &str) -> Option<String> {
    let (first, parts) = one.split_once(':')?;
    // No longer than it needs to be either: zeros in front would pass as they are.
    let small = |part: &str| part.is_empty() || part.len() <= 3 && part.parse::<u8>().is_ok();
    let good = match first {
        "4" => small(parts) && matches!(parts.parse(), Ok(0..=5_u8)),
        "38" | "48" | "58" => parts.split(':').count() <= 6 && parts.split(':').all(small),
        _ => false,
    };
    good.then(|| one.to_owned())
}

#[cfg(test)]
mod tests {
    use super::filter;

    #[test]
    fn colours_pass_and_the_rest_does_not() {
        let cases = [
            ("", Some("0")),
            ("0", Some("0")),
            ("1;31", Some("1;31")),
            (";7", Some("0;7")),
            ("1;;;7", Some("0;7")),
            ("1;;7;0", Some("0")),
            ("38;5;196;1", Some("38;5;196;1")),
            ("48;2;1;2;3", Some("48;2;1;2;3")),
            ("38;5;;4", Some("38;5;0;4")),
            ("4:3;58:2::1:2:3", Some("4:3;58:2::1:2:3")),
            ("8", None),
            ("1;8", Some("1")),
            ("11", None),
            ("38", None),
            ("1;38;5;300;8", Some("1")),
            ("38;7;1", None),
            ("4:9", None),
            ("4:0003", None),
            ("38:2::0000:0:0", None),
            ("8:1", None),
            ("38:2:1:2:3:4:5:6:7", None),
            ("99999999999999", None),
        ];
        for (parameters, wanted) in cases {
            assert_eq!(filter(parameters).as_deref(), wanted, "{parameters}");
        }
    }

    #[test]
    fn what_passes_is_never_longer_than_what_is_read() {
        for one in ["", "38;5;", "1;", "100"] {
            let parameters = vec![one; 300].join(";");
            let passed = filter(&parameters).unwrap();
            assert!(passed.len() <= super::PARAMETERS, "{one:?}: {passed}");
            assert_eq!(filter(&passed).as_deref(), Some(passed.as_str()));
        }
    }
}
