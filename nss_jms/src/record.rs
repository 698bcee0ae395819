//! Lays the strings of a passwd entry out in the caller's buffer, however small that is.
#![forbid(unsafe_code)]

use std::mem::MaybeUninit;

/// `*`: no password fits. An `x` would make pam_unix look for a shadow entry, find none, and deny.
const PASSWORD: &[u8] = b"*";
const GECOS: &[u8] = b"";
/// The home of every virtual user: root's, and empty but for `.hushlogin`.
pub const HOME: &str = "/usr/share/jms/home";
/// The login shell of every virtual user, which is also their ForceCommand.
pub const SHELL: &str = "/usr/libexec/jms/force-command";

/// Where in the buffer each string begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Layout {
    /// `pw_name`
    pub name: usize,
    /// `pw_passwd`
    pub password: usize,
    /// `pw_gecos`
    pub gecos: usize,
    /// `pw_dir`
    pub home: usize,
    /// `pw_shell`
    pub shell: usize,
}

/// Writes the strings, each with a zero byte at its end. `None` if the buffer is too small; then part of it may have
/// been written.
#[must_use]
pub fn lay_out(buffer: &mut [MaybeUninit<u8>], name: &[u8]) -> Option<Layout> {
    let mut at = 0_usize;
    let mut place = |text: &[u8]| {
        let start = at;
        let end = start.checked_add(text.len())?;
        for (slot, byte) in buffer
            .get_mut(start..=end)?
            .iter_mut()
            .zip(text.iter().chain(&[0]))
        {
            slot.write(*byte);
        }
        at = end.checked_add(1)?;
        Some(start)
    };
    Some(Layout {
        name: place(name)?,
        password: place(PASSWORD)?,
        gecos: place(GECOS)?,
        home: place(HOME.as_bytes())?,
        shell: place(SHELL.as_bytes())?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_size() {
        let expected = format!("alice\0*\0\0{HOME}\0{SHELL}\0");
        for size in 0..expected.len() + 10 {
            let mut buffer = vec![MaybeUninit::new(0xAA); size];
            let layout = lay_out(&mut buffer, b"alice");
            assert_eq!(layout.is_some(), size >= expected.len(), "{size}");
            let Some(layout) = layout else { continue };
            assert_eq!(
                (layout.name, layout.password, layout.gecos, layout.home),
                (0, 6, 8, 9)
            );
            assert_eq!(layout.shell, 9 + HOME.len() + 1);
        }
    }
}
