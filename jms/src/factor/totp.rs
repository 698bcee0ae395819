//! One-time passwords by time: RFC 6238 over RFC 4226.
#![forbid(unsafe_code)]

use super::TotpSecret;
use crate::nouns::words;
use crate::time::Time;
use hmac::{Hmac, Mac};
use sha1::Sha1;
use sha2::Sha256;

/// Seconds that one code lasts (RFC 6238's X, what every app expects).
pub const PERIOD: i64 = 30;
/// So many steps before and after the present one are taken as well: clocks differ, and typing takes time.
pub const WINDOW: i64 = 1;

words! {
    /// The hash below the code.
    Algorithm {
        /// SHA-1, which every app knows. Its collisions do not touch HMAC.
        Sha1 = "sha1",
        /// SHA-256.
        Sha256 = "sha256",
    }
}

impl Algorithm {
    /// Length of a secret for it, in bytes: the hash's own.
    pub(super) fn key_length(self) -> usize {
        match self {
            Self::Sha1 => 20,
            Self::Sha256 => 32,
        }
    }
}

/// How many digits a code has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Digits {
    /// Six, which every app knows.
    Six,
    /// Eight.
    Eight,
}

impl Digits {
    /// The number.
    #[must_use]
    pub fn count(self) -> usize {
        match self {
            Self::Six => 6,
            Self::Eight => 8,
        }
    }

    /// Of that number, if it is one of the two.
    #[must_use]
    pub fn of(count: i64) -> Option<Self> {
        match count {
            6 => Some(Self::Six),
            8 => Some(Self::Eight),
            _ => None,
        }
    }

    fn modulus(self) -> u32 {
        match self {
            Self::Six => 1_000_000,
            Self::Eight => 100_000_000,
        }
    }
}

/// A generator of codes: what a person's app has, too.
#[derive(Debug)]
pub struct Totp {
    /// The shared secret.
    pub secret: TotpSecret,
    /// The hash.
    pub algorithm: Algorithm,
    /// How long a code is.
    pub digits: Digits,
}

impl Totp {
    /// The step of a moment. Before 1970 there are none that count.
    #[must_use]
    pub fn step(at: Time) -> i64 {
        at.seconds().div_euclid(PERIOD)
    }

    /// The code of a step, as a number.
    #[must_use]
    pub fn code(&self, step: i64) -> u32 {
        let counter = step.to_be_bytes();
        match self.algorithm {
            Algorithm::Sha1 => {
                let mac = Hmac::<Sha1>::new_from_slice(self.secret.expose());
                self.cut(mac.map(|mac| mac.chain_update(counter).finalize().into_bytes()))
            }
            Algorithm::Sha256 => {
                let mac = Hmac::<Sha256>::new_from_slice(self.secret.expose());
                self.cut(mac.map(|mac| mac.chain_update(counter).finalize().into_bytes()))
            }
        }
    }

    /// RFC 4226, 5.3: the last four bits say where 31 bits are taken.
    fn cut<E>(&self, mac: Result<impl AsRef<[u8]>, E>) -> u32 {
        // HMAC takes keys of any length: there is always a hash, and it is longer than 15 + 4 bytes.
        let Ok(mac) = mac else { return 0 };
        let hash = mac.as_ref();
        let offset = usize::from(hash.last().copied().unwrap_or(0) & 0x0f);
        let four = hash.get(offset..).and_then(|rest| rest.first_chunk());
        let number = u32::from_be_bytes(four.copied().unwrap_or_default()) & 0x7fff_ffff;
        number % self.digits.modulus()
    }

    /// The newest step around `now` whose code `typed` is, among those after `last_used`: a code works once, and the
    /// clock going back opens nothing. Takes as long for a wrong code as for a right one.
    #[must_use]
    pub fn matching_step(&self, typed: u32, now: Time, last_used: i64) -> Option<i64> {
        let present = Self::step(now);
        let mut found = None;
        for step in present.saturating_sub(WINDOW)..=present.saturating_add(WINDOW) {
            let same = self.code(step) == typed;
            found = if same & (step > last_used) & (step >= 0) {
                Some(step)
            } else {
                found
            };
        }
        found
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// RFC 6238, appendix B: the key is the digits, repeated to the hash's length.
    fn of_the_rfc(algorithm: Algorithm) -> Totp {
        let key = b"1234567890".iter().cycle().take(algorithm.key_length());
        Totp {
            secret: TotpSecret::from_bytes(key.copied().collect::<Vec<u8>>().into()),
            algorithm,
            digits: Digits::Eight,
        }
    }

    #[test]
    fn the_codes_of_the_rfc() {
        for (seconds, sha1, sha256) in [
            (59, 94_287_082, 46_119_246),
            (1_111_111_109, 7_081_804, 68_084_774),
            (1_111_111_111, 14_050_471, 67_062_674),
            (1_234_567_890, 89_005_924, 91_819_424),
            (2_000_000_000, 69_279_037, 90_698_825),
            (20_000_000_000, 65_353_130, 77_737_706),
        ] {
            let step = Totp::step(Time(seconds * 1000));
            assert_eq!(of_the_rfc(Algorithm::Sha1).code(step), sha1, "{seconds}");
            assert_eq!(
                of_the_rfc(Algorithm::Sha256).code(step),
                sha256,
                "{seconds}"
            );
        }
    }

    #[test]
    fn six_digits_are_the_last_six() {
        let six = Totp {
            digits: Digits::Six,
            ..of_the_rfc(Algorithm::Sha1)
        };
        assert_eq!(six.code(Totp::step(Time(59_000))), 287_082);
    }

    #[test]
    fn the_window_is_one_step_either_way_and_a_used_step_is_shut() {
        let totp = of_the_rfc(Algorithm::Sha1);
        let now = Time(1_234_567_890_000);
        let present = Totp::step(now);
        let at = |step: i64, last: i64| totp.matching_step(totp.code(step), now, last);
        assert_eq!(at(present, -1), Some(present));
        assert_eq!(at(present - 1, -1), Some(present - 1));
        assert_eq!(at(present + 1, -1), Some(present + 1));
        assert_eq!(at(present - 2, -1), None);
        assert_eq!(at(present + 2, -1), None);
        assert_eq!(at(present, present), None, "used");
        assert_eq!(at(present - 1, present), None, "before a used one");
        assert_eq!(at(present + 1, present), Some(present + 1));
        let back = Time(now.0 - 3_600_000);
        let code = totp.code(Totp::step(back));
        assert_eq!(
            totp.matching_step(code, back, present),
            None,
            "the clock went back"
        );
    }

    proptest! {
        #[test]
        fn whatever_is_typed_at_any_time_is_no_panic_and_only_new_steps_match(
            typed in any::<u32>(), now in any::<i64>(), last in any::<i64>()
        ) {
            let totp = of_the_rfc(Algorithm::Sha256);
            if let Some(step) = totp.matching_step(typed, Time(now), last) {
                prop_assert!(step > last && step >= 0);
                prop_assert_eq!(totp.code(step), typed);
            }
        }
    }
}
