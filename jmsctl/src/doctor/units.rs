//! systemd's files, read as systemd reads them: the last word about a setting wins.
#![forbid(unsafe_code)]

use super::system;
use std::path::{Path, PathBuf};

const FOLDERS: [&str; 4] = [
    "/etc/systemd",
    "/run/systemd",
    "/usr/lib/systemd",
    "/lib/systemd",
];

/// The value of a setting of a unit (`kind` is `system`), or of systemd's own file in `/etc/systemd` (`kind` is empty).
pub fn setting(kind: &str, file: &str, name: &str) -> Option<String> {
    let folder = |base: &&str| Path::new(base).join(kind);
    let main = FOLDERS
        .iter()
        .map(|base| folder(base).join(file))
        .find(|path| system::exists(path));
    let mut parts: Vec<PathBuf> = FOLDERS
        .iter()
        .flat_map(|base| system::names_in(folder(base).join(format!("{file}.d")), ".conf"))
        .collect();
    // By name, whatever folder they are in; of two with one name the first folder's counts.
    parts.sort_by(|a, b| a.file_name().cmp(&b.file_name()));
    parts.dedup_by(|later, earlier| later.file_name() == earlier.file_name());
    main.into_iter()
        .chain(parts)
        .filter_map(system::read)
        .filter_map(|text| last(&text, name))
        .next_back()
}

fn last(text: &str, name: &str) -> Option<String> {
    let value = |line: &str| {
        let (key, value) = line.trim().split_once('=')?;
        (key.trim() == name).then(|| value.trim().to_owned())
    };
    text.lines().filter_map(value).next_back()
}

#[cfg(test)]
mod tests {
    use super::last;

    #[test]
    fn comments_say_nothing_and_the_last_word_wins() {
        let text = "[Service]\n#NoNewPrivileges=yes\nNoNewPrivileges=no\nNoNewPrivileges = yes\n";
        assert_eq!(last(text, "NoNewPrivileges").as_deref(), Some("yes"));
        assert_eq!(last("#X=1\n", "X"), None);
    }
}
