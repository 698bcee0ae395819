//! Command filters: what a command line would run, and whether a rule forbids it.
//!
//! Pure functions over text that a hostile user typed: no file, no clock, no store. Whoever holds the line (an exec request,
//! a script on standard input, a captured line of a terminal) asks here, and all get the same answer.
#![forbid(unsafe_code)]

mod judge;
pub mod look_into;
mod pattern;
mod program;
mod rule;
pub mod shell;

pub use judge::{Judged, Judgement, Language, Reason, judge};
pub use pattern::PatternError;
pub use rule::{Filter, Matching, Rule, RuleError, RuleText, Verdict, check};
