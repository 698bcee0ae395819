//! Where our line stands in sshd's stack of the authentication phase: what the administrator wrote behind `pam_jms.so`.
#![forbid(unsafe_code)]

use std::ffi::CStr;

/// The argument of a line, from `/etc/pam.d`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Place {
    /// None: the line decides alone. What the package installs.
    Alone,
    /// `after_key`: decides about who has proved a key to sshd, and leaves the others to the lines below.
    AfterKey,
    /// `after_password`: a module before this one has asked for the password, and a wrong one fails the stack.
    AfterPassword,
    /// Something else, which may have been meant to open or to close anything.
    Unknown,
}

impl Place {
    /// Reads the arguments.
    pub(crate) fn of(arguments: &[&CStr]) -> Self {
        match arguments {
            [] => Self::Alone,
            [one] if *one == c"after_key" => Self::AfterKey,
            [one] if *one == c"after_password" => Self::AfterPassword,
            _ => Self::Unknown,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Place;

    #[test]
    fn one_known_word_or_none() {
        assert_eq!(Place::of(&[]), Place::Alone);
        assert_eq!(Place::of(&[c"after_key"]), Place::AfterKey);
        assert_eq!(Place::of(&[c"after_password"]), Place::AfterPassword);
        for wrong in [
            &[c"after-password"][..],
            &[c""],
            &[c"AFTER_KEY"],
            &[c"after_key", c"after_password"],
            &[c"after_password", c"debug"],
        ] {
            assert_eq!(Place::of(wrong), Place::Unknown, "{wrong:?}");
        }
    }
}
