//! What stands in a cell, in our words or in those of JumpServer's exports.
#![forbid(unsafe_code)]

use jms::time::Time;

/// `web(9f6e2a0c-…)` and `Linux(1)` are names with the id that they have there.
pub fn name(cell: &str) -> String {
    let cell = cell.trim();
    let without_id = cell.strip_suffix(')').and_then(|rest| {
        let (name, id) = rest.rsplit_once('(')?;
        let is_id = |character: char| character.is_ascii_hexdigit() || character == '-';
        (!name.is_empty() && !id.is_empty() && id.chars().all(is_id)).then_some(name)
    });
    without_id.unwrap_or(cell).trim().to_owned()
}

/// A list: JSON as JumpServer writes it, or names with commas.
pub fn names(cell: &str) -> Vec<String> {
    let listed: Vec<String> = match serde_json::from_str::<Vec<String>>(cell) {
        Ok(listed) => listed,
        Err(_) => cell
            .trim_matches(['[', ']'])
            .split([',', ';'])
            .map(|part| part.trim().trim_matches(['"', '\'']).to_owned())
            .collect(),
    };
    let mut names: Vec<String> = listed.iter().map(|one| name(one)).collect();
    names.retain(|name| !name.is_empty());
    names
}

/// `Yes`, `true`, `1` and their opposites.
pub fn yes(cell: &str) -> Result<bool, String> {
    match cell.to_ascii_lowercase().as_str() {
        "yes" | "true" | "1" => Ok(true),
        "no" | "false" | "0" => Ok(false),
        _ => Err(format!("“{}” is neither yes nor no", cell.escape_debug())),
    }
}

/// RFC 3339, or JumpServer's `2026-12-31 18:00:00 +0800`.
pub fn time(cell: &str) -> Result<Time, String> {
    if let Some(time) = Time::parse_rfc3339(cell) {
        return Ok(time);
    }
    for format in ["%Y/%m/%d %H:%M:%S %z", "%Y-%m-%d %H:%M:%S %z"] {
        if let Ok(time) = jiff::Timestamp::strptime(format, cell) {
            return Ok(Time(time.as_millisecond()));
        }
    }
    Err(format!(
        "“{}” is no time; write 2026-12-31T18:00:00Z",
        cell.escape_debug()
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_lose_the_ids_that_they_had_elsewhere() {
        assert_eq!(name("web(9f6e2a0c-1b2c-4d5e-8f90-a1b2c3d4e5f6)"), "web");
        assert_eq!(name("Linux(1)"), "Linux");
        assert_eq!(name("web (north)"), "web (north)");
        assert_eq!(name("(1)"), "(1)");
        assert_eq!(names(r#"["ops(1)", "dba(2)"]"#), ["ops", "dba"]);
        assert_eq!(names("ops, dba;web"), ["ops", "dba", "web"]);
        assert_eq!(names("['ops']"), ["ops"]);
        assert!(names("[]").is_empty());
    }

    #[test]
    fn times_and_answers_of_both_products() {
        let time_at = |cell| time(cell).map(|time| time.to_string());
        assert_eq!(
            time_at("2026-12-31 18:00:00 +0800").as_deref(),
            Ok("2026-12-31T10:00:00.000Z")
        );
        assert_eq!(
            time_at("2026/12/31 18:00:00 +0000").as_deref(),
            Ok("2026-12-31T18:00:00.000Z")
        );
        assert!(time("tomorrow").is_err());
        assert_eq!(yes("Yes"), Ok(true));
        assert_eq!(yes("False"), Ok(false));
        assert!(yes("maybe").is_err());
    }
}
