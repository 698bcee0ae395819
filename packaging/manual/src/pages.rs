//! The pages: a template for each, filled.
#![forbid(unsafe_code)]

use crate::parts::part;
use crate::template::fill;
use std::path::Path;

/// Name and section, and the template.
const TEMPLATES: &[(&str, &str, &str)] = &[
    ("jms.toml", "5", include_str!("../pages/jms.toml.5")),
    (
        "authorized-keys-command",
        "8",
        include_str!("../pages/authorized-keys-command.8"),
    ),
    (
        "force-command",
        "8",
        include_str!("../pages/force-command.8"),
    ),
    ("nss_jms", "8", include_str!("../pages/nss_jms.8")),
    ("pam_jms", "8", include_str!("../pages/pam_jms.8")),
];

/// Writes all pages into `man5` and `man8` of `folder`.
///
/// # Errors
/// A sentence.
pub fn write(folder: &Path) -> Result<(), String> {
    for (name, section, template) in TEMPLATES {
        let folder = folder.join(format!("man{section}"));
        let path = folder.join(format!("{name}.{section}"));
        let page = fill(template, part).map_err(|error| format!("{}: {error}", path.display()))?;
        std::fs::create_dir_all(&folder)
            .and_then(|()| std::fs::write(&path, page))
            .map_err(|error| format!("cannot write {}: {error}", path.display()))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use jms::settings::{SECTIONS, Settings};

    fn page(name: &str) -> String {
        let found = TEMPLATES.iter().find(|template| template.0 == name);
        fill(found.unwrap().2, part).unwrap()
    }

    #[test]
    fn every_page_says_which_it_is_and_has_its_sections() {
        for (name, section, _) in TEMPLATES {
            let page = page(name);
            let title = format!("\n.Dt {} {section}\n", name.to_uppercase());
            assert!(page.contains(&title), "{name}");
            assert!(page.starts_with(".Dd "), "{name}");
            assert!(page.contains(&format!("\n.Os jms {}\n", jms::release::VERSION)));
            for heading in ["NAME", "DESCRIPTION", "FILES", "EXAMPLES", "SEE ALSO"] {
                assert!(
                    page.contains(&format!("\n.Sh {heading}\n")),
                    "{name}: {heading}"
                );
            }
        }
    }

    #[test]
    fn every_setting_is_on_its_page() {
        let page = page("jms.toml");
        for section in SECTIONS {
            assert!(page.contains(&format!("\n.Ss [{}]\n", section.name)));
            for setting in section.settings {
                assert!(
                    page.contains(&format!("\n.It Cm {} No = ", setting.key)),
                    "{}",
                    setting.key
                );
            }
        }
    }

    #[test]
    fn the_examples_of_settings_are_settings() {
        let page = page("jms.toml");
        let examples: Vec<&str> = page
            .split(".Bd -literal -offset indent\n")
            .skip(1)
            .filter_map(|rest| rest.split_once(".Ed\n"))
            .map(|(example, _)| example)
            .collect();
        assert!(!examples.is_empty());
        for example in examples {
            let example = example.replace("\\-", "-").replace("\\e", "\\");
            assert_ne!(Settings::parse(&example).unwrap(), Settings::default());
        }
    }

    #[test]
    fn every_word_of_sessions_and_every_exit_status_is_on_the_page() {
        let page = page("force-command").replace("\\-", "-");
        for row in force_command::message::help::PAGES {
            assert!(page.contains(row.word), "{}", row.word);
        }
        for (status, _) in force_command::status::MEANINGS {
            assert!(page.contains(&format!("\n.It \\&{status}\n")), "{status}");
        }
    }

    /// What pages show as ours is what the package has.
    #[test]
    fn lines_for_sshd_and_pam_are_the_shipped_ones() {
        let drop_in = include_str!("../../../sshd_config.d/00-jms.conf");
        let keys = page("authorized-keys-command").replace("\\-", "-");
        let lines: Vec<&str> = keys
            .lines()
            .filter(|line| line.starts_with("AuthorizedKeysCommand"))
            .collect();
        assert_eq!(lines.len(), 2);
        for line in lines {
            assert!(drop_in.contains(&format!("\t{line}\n")), "{line}");
        }
        let profile = include_str!("../../pam-configs/jms");
        let pam = page("pam_jms");
        let line = pam.lines().find(|line| line.starts_with("[success="));
        let control = line.and_then(|line| line.split_once(']')).unwrap().0;
        assert!(profile.contains(control), "{control}");
    }
}
