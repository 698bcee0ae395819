//! Settings that the documents for people show: each is one.

use jms::settings::{SECTIONS, Settings};
use std::path::{Path, PathBuf};

fn documents() -> Vec<(PathBuf, String)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let mut paths = vec![root.join("README.md")];
    for entry in std::fs::read_dir(root.join("docs")).unwrap() {
        paths.push(entry.unwrap().path());
    }
    paths
        .into_iter()
        .filter(|path| path.extension().is_some_and(|extension| extension == "md"))
        .map(|path| {
            let text = std::fs::read_to_string(&path).unwrap();
            (path, text)
        })
        .collect()
}

/// The blocks between fences that say `toml settings`.
fn blocks(text: &str) -> Vec<&str> {
    text.split("```toml settings\n")
        .skip(1)
        .filter_map(|rest| rest.split("```").next())
        .collect()
}

#[test]
fn every_sample_of_settings_in_a_document_is_understood() {
    let mut samples = 0;
    for (path, text) in documents() {
        for block in blocks(&text) {
            samples += 1;
            if let Err(sentence) = Settings::parse(block) {
                panic!("{}: {sentence}", path.display());
            }
        }
        // A block of another kind says so, or it is taken for settings.
        assert!(
            !text.contains("```toml\n"),
            "{}: mark the block as `toml settings` or `toml policy`",
            path.display()
        );
    }
    assert!(samples > 0, "no document shows settings");
}

#[test]
fn every_setting_that_a_document_names_exists() {
    let mut named = 0;
    for (path, text) in documents() {
        // `[section] key` in backticks.
        for code in text.split('`').skip(1).step_by(2) {
            let Some((section, key)) = code
                .strip_prefix('[')
                .and_then(|rest| rest.split_once("] "))
            else {
                continue;
            };
            named += 1;
            let exists = SECTIONS
                .iter()
                .filter(|known| known.name == section)
                .flat_map(|known| known.settings)
                .any(|known| Some(known.key) == key.split([' ', '=']).next());
            assert!(exists, "{}: there is no setting `{code}`", path.display());
        }
    }
    assert!(named > 0);
}
