//! Which granted target a wording means. Only what is granted now is ever looked at, so a target that is
//! not granted and one that does not exist cannot be told apart.
#![forbid(unsafe_code)]

use crate::request::Wording;
use jms::names::nearest;
use jms::store::Target;

/// Why a wording means no single target.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TargetError {
    /// Nothing that is granted fits. A granted target may be near.
    NotGranted {
        /// `SYSTEM_USER@ASSET`, or the asset if that was asked for.
        near: Option<String>,
    },
    /// Several fit: `SYSTEM_USER@ASSET` each.
    Ambiguous(Vec<String>),
}

/// Finds the one target of `granted` that `wording` means: by the asset's name, else by its address.
///
/// # Errors
/// [`TargetError`].
pub fn resolve<'a>(wording: &Wording, granted: &'a [Target]) -> Result<&'a Target, TargetError> {
    let system_user = wording.system_user.as_ref().map(|name| name.as_str());
    let fits = |target: &&Target| system_user.is_none_or(|name| name == target.system_user);
    let mut found: Vec<&Target> = granted
        .iter()
        .filter(|target| target.asset == wording.asset)
        .filter(fits)
        .collect();
    if found.is_empty() {
        let same = |target: &&Target| same_address(&target.address, &wording.asset);
        found = granted.iter().filter(same).filter(fits).collect();
    }
    match found.as_slice() {
        [one] => Ok(one),
        [] => Err(TargetError::NotGranted {
            near: near(wording, granted),
        }),
        several => Err(TargetError::Ambiguous(
            several.iter().map(|target| name(target)).collect(),
        )),
    }
}

/// The target as it is written.
#[must_use]
pub fn name(target: &Target) -> String {
    format!("{}@{}", target.system_user, target.asset)
}

/// Addresses compare as addresses (`::1` and `0:0::1` are one), names without case.
#[must_use]
pub fn same_address(stored: &str, worded: &str) -> bool {
    match (
        stored.parse::<std::net::IpAddr>(),
        worded.parse::<std::net::IpAddr>(),
    ) {
        (Ok(stored), Ok(worded)) => stored == worded,
        _ => stored.eq_ignore_ascii_case(worded),
    }
}

fn near(wording: &Wording, granted: &[Target]) -> Option<String> {
    let worded = wording.to_string();
    if wording.system_user.is_none() {
        return nearest(&worded, granted.iter().map(|target| target.asset.as_str()))
            .map(str::to_owned);
    }
    let names: Vec<String> = granted.iter().map(name).collect();
    nearest(&worded, names.iter().map(String::as_str)).map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;
    use jms::policy::Rights;

    fn target(system_user: &str, asset: &str, address: &str) -> Target {
        Target {
            asset_id: 1,
            asset: asset.into(),
            address: address.into(),
            comment: String::new(),
            system_user_id: 1,
            system_user: system_user.into(),
            rights: Rights::NONE,
        }
    }

    fn granted() -> Vec<Target> {
        vec![
            target("dev", "web1", "192.0.2.1"),
            target("dba", "web1", "192.0.2.1"),
            target("dev", "db1", "2001:db8::1"),
        ]
    }

    fn resolve(text: &str) -> Result<String, TargetError> {
        let granted = granted();
        super::resolve(&Wording::parse(text.as_bytes()).unwrap(), &granted).map(name)
    }

    #[test]
    fn by_name_then_by_address() {
        assert_eq!(resolve("dev@web1"), Ok("dev@web1".into()));
        assert_eq!(
            resolve("db1"),
            Ok("dev@db1".into()),
            "the only system user that is granted"
        );
        assert_eq!(resolve("dev@2001:db8:0::1"), Ok("dev@db1".into()));
        assert_eq!(
            resolve("web1"),
            Err(TargetError::Ambiguous(vec![
                "dev@web1".into(),
                "dba@web1".into()
            ]))
        );
    }

    #[test]
    fn what_is_not_granted_names_only_what_is() {
        assert_eq!(
            resolve("root@web1"),
            Err(TargetError::NotGranted { near: None })
        );
        assert_eq!(
            resolve("dev@web2"),
            Err(TargetError::NotGranted {
                near: Some("dev@web1".into())
            })
        );
        assert_eq!(
            resolve("db2"),
            Err(TargetError::NotGranted {
                near: Some("db1".into())
            })
        );
        assert_eq!(
            resolve("unknown"),
            Err(TargetError::NotGranted { near: None })
        );
    }
}
