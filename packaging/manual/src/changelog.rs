//! The changelog for people (`CHANGELOG.md`), from the one that packages have (deb-changelog(5)).
#![forbid(unsafe_code)]

const HEAD: &str = "\
# Changelog

Newest first. Made from `packaging/changelog` by `make generated`.
";

/// The same entries in Markdown.
pub fn for_people(changelog: &str) -> String {
    let mut page = HEAD.to_owned();
    let mut changes: Vec<String> = Vec::new();
    let mut version = "";
    for line in changelog.lines() {
        if let Some(rest) = line.strip_prefix("jms (") {
            version = rest.split(')').next().unwrap_or_default();
        } else if let Some(change) = line.strip_prefix("  * ") {
            changes.push(change.to_owned());
        } else if let Some(more) = line.strip_prefix("    ") {
            if let Some(change) = changes.last_mut() {
                change.push_str("\n  ");
                change.push_str(more);
            }
        } else if let Some((_, time)) = line.split_once(">  ") {
            page.push_str(&format!("\n## {version} ({})\n\n", day(time)));
            for change in changes.drain(..) {
                page.push_str(&format!("- {change}\n"));
            }
        }
    }
    page
}

/// `21 Nov 2026` of `Sat, 21 Nov 2026 06:00:00 +0000`.
fn day(time: &str) -> String {
    let words: Vec<&str> = time.split_whitespace().skip(1).take(3).collect();
    words.join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entries_become_sections() {
        let changelog = "jms (0.2.0) unstable; urgency=medium\n\n  * One\n    more.\n  * Two.\n\n -- A <a@b>  Sat, 21 Nov 2026 06:00:00 +0000\n";
        assert!(
            for_people(changelog).ends_with("\n## 0.2.0 (21 Nov 2026)\n\n- One\n  more.\n- Two.\n")
        );
    }

    #[test]
    fn the_file_for_people_says_what_the_package_says() {
        let file = include_str!("../../../CHANGELOG.md");
        assert!(
            file == for_people(jms::release::CHANGELOG),
            "CHANGELOG.md is not what packaging/changelog says; `make generated` writes it anew"
        );
    }
}
