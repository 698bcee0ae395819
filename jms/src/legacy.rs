//! What old devices still need: the algorithms that an asset with `--algorithms legacy` may speak beside the defaults of the
//! system's `ssh`. The whole list, and the only place where it is written; docs/assets.md says what each is for.
//!
//! Every name is known to OpenSSH 9.2 and 10.0, which would refuse to run otherwise.
#![forbid(unsafe_code)]

/// Options of ssh_config(5). Each adds behind the defaults: what both sides prefer is chosen before.
pub const OPTIONS: [&str; 4] = [
    "KexAlgorithms=+diffie-hellman-group14-sha1,diffie-hellman-group-exchange-sha1,diffie-hellman-group1-sha1",
    "Ciphers=+aes128-cbc,aes192-cbc,aes256-cbc,3des-cbc",
    "MACs=+hmac-sha1,hmac-sha1-96,hmac-md5",
    "PubkeyAcceptedAlgorithms=+ssh-rsa",
];

/// The signature with SHA-1 by which an old device proves its RSA host key (RFC 4253, section 6.6).
pub const HOST_KEY_SIGNATURE: &str = "ssh-rsa";

/// The names of the algorithms in [`OPTIONS`].
pub fn names() -> impl Iterator<Item = &'static str> {
    OPTIONS
        .iter()
        .filter_map(|option| option.split_once("=+"))
        .flat_map(|(_, names)| names.split(','))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_algorithm_of_the_list_is_documented_and_no_other() {
        let page = include_str!("../../docs/assets.md");
        let (_, section) = page.split_once("## Old devices").expect("a section");
        let section = section.split("\n## ").next().unwrap_or_default();
        let row = |line: &&str| line.starts_with("| ");
        let documented: Vec<&str> = section
            .lines()
            .filter(row)
            .flat_map(|line| line.split('`').skip(1).step_by(2))
            .collect();
        for name in names() {
            assert!(documented.contains(&name), "{name} is not in the table");
        }
        for name in documented.iter().filter(|name| name.contains('-')) {
            assert!(names().any(|it| it == *name), "{name} is not allowed");
        }
    }
}
