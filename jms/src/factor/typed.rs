//! What a person types where a code is asked for.
#![forbid(unsafe_code)]

use super::recovery::{self, RecoveryCode};
use std::fmt;
use zeroize::Zeroizing;

/// More than anybody types for a code; longer is no code.
const LONGEST: usize = 64;

/// What was typed, understood.
pub enum Typed {
    /// Nothing: the person gave up. It is no answer, so it counts for nothing.
    Nothing,
    /// Six or eight digits.
    Code {
        /// The number.
        number: u32,
        /// How many digits it was typed with.
        digits: usize,
    },
    /// Something of a recovery code's shape.
    Recovery(RecoveryCode),
    /// Neither: a wrong answer.
    Neither,
}

impl Typed {
    /// Understands what came from a terminal. Blanks and hyphens mean nothing, nor does case.
    #[must_use]
    pub fn parse(bytes: &[u8]) -> Self {
        if bytes.len() > LONGEST {
            return Self::Neither;
        }
        let mut text = Zeroizing::new(Vec::with_capacity(LONGEST));
        let meaningful = bytes
            .iter()
            .filter(|byte| !matches!(byte, b' ' | b'-' | b'\t' | b'\r' | b'\n'));
        text.extend(meaningful.map(u8::to_ascii_lowercase));
        let is_number = text.iter().all(u8::is_ascii_digit);
        match text.len() {
            0 => Self::Nothing,
            digits @ (6 | 8) if is_number => {
                let number = text
                    .iter()
                    .fold(0_u32, |number, digit| number * 10 + u32::from(digit - b'0'));
                Self::Code { number, digits }
            }
            recovery::LENGTH => RecoveryCode::parse(&text).map_or(Self::Neither, Self::Recovery),
            _ => Self::Neither,
        }
    }
}

impl fmt::Debug for Typed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[secret]")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn blanks_hyphens_and_case_mean_nothing() {
        assert!(matches!(Typed::parse(b" \r\n"), Typed::Nothing));
        assert!(matches!(
            Typed::parse(b"012 345\n"),
            Typed::Code {
                number: 12_345,
                digits: 6
            }
        ));
        assert!(matches!(
            Typed::parse(b"99999999"),
            Typed::Code {
                number: 99_999_999,
                digits: 8
            }
        ));
        for code in ["abcde-f2345", "ABCDEF2345", "abc de f23 45"] {
            let Typed::Recovery(code) = Typed::parse(code.as_bytes()) else {
                panic!("{code} is a recovery code");
            };
            assert_eq!(code.expose(), "abcde-f2345");
        }
        for wrong in [
            "12345",
            "1234567",
            "12345x",
            "abcde-f2341",
            "äbcde-f234",
            "0123456789",
        ] {
            assert!(
                matches!(Typed::parse(wrong.as_bytes()), Typed::Neither),
                "{wrong}"
            );
        }
        assert_eq!(format!("{:?}", Typed::parse(b"123456")), "[secret]");
    }

    proptest! {
        #[test]
        fn no_bytes_are_a_panic(bytes in proptest::collection::vec(any::<u8>(), 0..100)) {
            let _ = Typed::parse(&bytes);
        }
    }
}
