//! The password that an administrator hands over, good for one login: there a new one is asked for.

use super::HashError;
use crate::secret::SecretString;
use zeroize::Zeroizing;

/// No letter or digit that looks like another one, because it is read from paper or over the telephone; 32 of them.
const ALPHABET: &[u8; 32] = b"abcdefghjkmnpqrstuvwxyz23456789-";
/// Characters: 31 real ones of 5 bits minus a little; 100 bits.
const GROUPS: usize = 5;
const GROUP: usize = 4;

/// A random password: five groups of four letters or digits, 98 bits.
///
/// # Errors
/// [`HashError::NoRandomness`].
pub fn initial() -> Result<SecretString, HashError> {
    let mut text = Zeroizing::new(String::with_capacity(GROUPS * (GROUP + 1)));
    while text.len() < GROUPS * (GROUP + 1) - 1 {
        if text.len() % (GROUP + 1) == GROUP {
            text.push('-');
            continue;
        }
        let mut byte = [0_u8];
        getrandom::fill(&mut byte).map_err(|_| HashError::NoRandomness)?;
        // 256 is a multiple of 32; the hyphen is drawn again, so that groups stay groups.
        match ALPHABET.get(usize::from(byte[0] % 32)) {
            Some(b'-') | None => {}
            Some(letter) => text.push(char::from(*letter)),
        }
    }
    Ok(SecretString::from(std::mem::take(&mut *text)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn five_groups_of_four_and_never_the_same() {
        let one = initial().unwrap();
        let groups: Vec<&str> = one.expose().split('-').collect();
        assert_eq!(groups.len(), GROUPS);
        for group in groups {
            assert_eq!(group.len(), GROUP);
            assert!(
                group
                    .bytes()
                    .all(|byte| byte != b'-' && ALPHABET.contains(&byte))
            );
        }
        assert_ne!(one.expose(), initial().unwrap().expose());
    }
}
