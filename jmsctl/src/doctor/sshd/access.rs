//! AllowUsers, DenyUsers, AllowGroups and DenyGroups, as sshd applies them (`auth.c`, `match.c`).
#![forbid(unsafe_code)]

use super::effective::Effective;

/// Which list keeps a user out, and the pattern of it that does; a list that allows others has none.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeptOut {
    /// The keyword, in small letters.
    pub keyword: &'static str,
    /// The pattern that matched.
    pub pattern: Option<String>,
}

/// Why sshd would not let this user begin; `None`: it would.
pub fn kept_out(effective: &Effective, user: &str, groups: &[String]) -> Option<KeptOut> {
    let names = |pattern: &str| matches_user(pattern, user);
    let member = |pattern: &str| groups.iter().any(|group| matches(pattern, group));
    let denied = |keyword: &'static str, pattern: Option<&str>| {
        pattern.map(|pattern| KeptOut {
            keyword,
            pattern: Some(pattern.to_owned()),
        })
    };
    let find = |keyword: &'static str, hit: &dyn Fn(&str) -> bool| {
        let words = effective.words(keyword);
        words
            .into_iter()
            .find(|pattern| hit(pattern))
            .map(str::to_owned)
    };
    if let Some(out) = denied("denyusers", find("denyusers", &names).as_deref()) {
        return Some(out);
    }
    let listed = |keyword: &'static str, hit: &dyn Fn(&str) -> bool| {
        effective.words(keyword).is_empty() || find(keyword, hit).is_some()
    };
    if !listed("allowusers", &names) {
        return Some(KeptOut {
            keyword: "allowusers",
            pattern: None,
        });
    }
    if let Some(out) = denied("denygroups", find("denygroups", &member).as_deref()) {
        return Some(out);
    }
    if !listed("allowgroups", &member) {
        return Some(KeptOut {
            keyword: "allowgroups",
            pattern: None,
        });
    }
    None
}

/// A pattern may end in `@HOST`, which says nothing about the name.
pub fn matches_user(pattern: &str, user: &str) -> bool {
    let name = pattern.split('@').next().unwrap_or_default();
    matches(pattern, user) || (pattern.contains('@') && matches(name, user))
}

/// `*` and `?`, nothing else.
pub fn matches(pattern: &str, text: &str) -> bool {
    fn within(pattern: &[char], text: &[char]) -> bool {
        match (pattern.split_first(), text.split_first()) {
            (None, None) => true,
            (Some(('*', rest)), _) => {
                within(rest, text)
                    || text
                        .split_first()
                        .is_some_and(|(_, tail)| within(pattern, tail))
            }
            (Some(('?', rest)), Some((_, tail))) => within(rest, tail),
            (Some((one, rest)), Some((other, tail))) => one == other && within(rest, tail),
            _ => false,
        }
    }
    // sshd's patterns are short; more stars than anybody writes would only cost time.
    if pattern.matches('*').count() > 8 {
        return false;
    }
    within(
        &pattern.chars().collect::<Vec<_>>(),
        &text.chars().collect::<Vec<_>>(),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(text: &str) -> Option<&'static str> {
        let groups = ["jms-users".to_owned()];
        kept_out(&Effective::parse(text), "alice", &groups).map(|out| out.keyword)
    }

    #[test]
    fn lists_are_applied_in_sshds_order() {
        assert_eq!(asked(""), None);
        assert_eq!(asked("allowusers *\nallowgroups jms-users\n"), None);
        assert_eq!(asked("allowusers bob\n"), Some("allowusers"));
        assert_eq!(
            asked("allowusers al?ce\nallowgroups ops\n"),
            Some("allowgroups")
        );
        assert_eq!(asked("denyusers a*\nallowusers *\n"), Some("denyusers"));
        assert_eq!(asked("denygroups jms-*\n"), Some("denygroups"));
        assert_eq!(asked("allowusers alice@10.0.0.*\n"), None);
        assert_eq!(asked("denyusers bob carol\n"), None);
    }
}
