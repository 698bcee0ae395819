//! What is said about the second factor.
#![forbid(unsafe_code)]

use std::fmt;

/// A sentence about the second factor.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Factor<'a> {
    /// Why there is an enrolment screen.
    FirstTime,
    /// The same after `mfa enroll`, `mfa renew`.
    Anew,
    /// The first step, with the number of digits.
    Scan(usize),
    /// What to do with the code.
    Prove,
    /// The window is too narrow for the code: how many columns it takes.
    TooNarrow(usize),
    /// What precedes the code that proves the enrolment.
    ProofPrompt,
    /// What was typed there is no code of the new secret.
    NotProven,
    /// It is done.
    Enrolled,
    /// What recovery codes are.
    Recovery,
    /// What precedes the word that says that they were noted.
    NotedPrompt,
    /// Another word was typed.
    NotNoted,
    /// What precedes a code of the factor.
    CodePrompt,
    /// The same before it is replaced.
    OldCodePrompt,
    /// The same for a grant that demands it.
    FreshPrompt(&'a str),
    /// What precedes the enrolment code after a reset.
    EnrolmentCodePrompt,
    /// Why that code is asked for.
    AfterReset,
    /// What was typed was wrong.
    Wrong,
    /// Three times wrong.
    TooOften,
    /// Nothing was typed in time, or Ctrl-C.
    GivenUp,
    /// No factor yet, and no terminal to enrol one.
    EnrolElsewhere,
    /// A factor is asked for, and there is no terminal.
    AskElsewhere,
    /// The factor that this login should have passed is missing.
    Missing,
    /// The factor, or what is demanded, was changed after this login began.
    LoginAgain,
    /// The reset's code has run out.
    ResetExpired,
    /// There is a factor already.
    AlreadyEnrolled,
    /// There is none.
    NoneYet,
    /// A word that asks something, without a terminal.
    NeedsTerminal(&'static str),
    /// The code was right.
    Fresh,
    /// The factor was changed by somebody else meanwhile.
    Overtaken,
    /// The screen was wiped.
    Wiped,
}

impl fmt::Display for Factor<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::FirstTime => f.write_str(
                "This bastion asks you for a second factor beside your key, and you have none yet.",
            ),
            Self::Anew => f.write_str("A new second factor. The old one, if there is one, is good until this one is proven."),
            Self::Scan(digits) => write!(
                f,
                "1. Scan the code below with an authenticator app on your phone. Without a\n   camera, type this secret into it (by time, every 30 seconds, {digits} digits):"
            ),
            Self::Prove => f.write_str(
                "2. Type what the app shows. It is not shown here. Or: d and Return to draw the\n   code in another way, q to leave.",
            ),
            Self::TooNarrow(columns) => write!(
                f,
                "   (The window is too narrow for the code, which takes {columns} columns: widen it, then\n   d and Return.)"
            ),
            Self::ProofPrompt => f.write_str("code of the app: "),
            Self::NotProven => f.write_str(
                "that is not what the app should show now; is the phone's clock right? Try the next one",
            ),
            Self::Enrolled => f.write_str("The second factor is yours from now on."),
            Self::Recovery => f.write_str(
                "Recovery codes: each is good once in place of the app's code, for the day when the\nphone is lost. They are shown now and never again; keep them where the phone is not:",
            ),
            Self::NotedPrompt => f.write_str("type yes when you have noted them: "),
            Self::NotNoted => f.write_str("they will not be shown again"),
            Self::CodePrompt => f.write_str("second factor, the app's code or a recovery code: "),
            Self::OldCodePrompt => f.write_str("first the factor that you have, the app's code or a recovery code: "),
            Self::FreshPrompt(target) => {
                write!(f, "{target} asks for the second factor anew, the app's code or a recovery code: ")
            }
            Self::EnrolmentCodePrompt => f.write_str("enrolment code: "),
            Self::AfterReset => f.write_str(
                "Your second factor was reset. Your administrator has an enrolment code for you.",
            ),
            Self::Wrong => f.write_str("that is not it"),
            Self::TooOften => f.write_str("wrong three times"),
            Self::GivenUp => f.write_str("nothing is open to you without the second factor"),
            Self::EnrolElsewhere => f.write_str(
                "you need a second factor and have none yet; enrol it on a terminal: ssh -t USER@bastion",
            ),
            Self::AskElsewhere => f.write_str(
                "your second factor is asked for, which needs a terminal; pass it there, then this works for a while: ssh -t USER@bastion mfa verify",
            ),
            Self::Missing => f.write_str(
                "this login was opened without the second factor that you must pass; log in again, and if that does not help tell your administrator",
            ),
            Self::LoginAgain => f.write_str("your second factor, or what is demanded of you, was changed meanwhile; log in again"),
            Self::ResetExpired => f.write_str(
                "the enrolment code that was made for you has run out; ask your administrator for another: jmsctl user mfa-reset",
            ),
            Self::AlreadyEnrolled => f.write_str("you have a second factor; `mfa renew` replaces it"),
            Self::NoneYet => f.write_str("you have no second factor; `mfa enroll` makes one"),
            Self::NeedsTerminal(word) => write!(f, "mfa {word} asks and shows, which needs a terminal: ssh -t USER@bastion mfa {word}"),
            Self::Fresh => f.write_str("The second factor was passed."),
            Self::Overtaken => f.write_str("your second factor was changed meanwhile; begin again"),
            Self::Wiped => f.write_str("The screen was wiped. Welcome."),
        }
    }
}
