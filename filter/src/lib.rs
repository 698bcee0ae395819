//! Command filters: what a command line would run, and whether a rule forbids it.
//!
//! Pure functions over text that a hostile user typed: no file, no clock, no store. Whoever holds the line (an exec request,
//! a script on standard input, a captured line of a terminal) asks [`judge()`] here, and all get the same answer:
//!
//! ```
//! use filter::{Context, Filter, FilterText, Matching, RuleText, Verdict, judge};
//!
//! // What `store.read().filters_for(user, asset, system_user)` gives.
//! let texts = [FilterText {
//!     name: "careful".to_owned(),
//!     default: Verdict::Allow,
//!     rules: vec![RuleText {
//!         id: 7,
//!         priority: 50,
//!         verdict: Verdict::Deny,
//!         matching: Matching::Command("rm -rf".to_owned()),
//!         ignore_case: false,
//!     }],
//! }];
//! // Once, and again when the rules changed.
//! let filters = Filter::compile_all(&texts)?;
//! let judgement = judge(&filters, "ls; sudo /bin/rm -r -f x", Context::EXEC);
//! assert_eq!(judgement.verdict, Verdict::Deny);
//! assert_eq!(
//!     judgement.sentence(),
//!     "denied by filter careful, rule 7 (rm -rf): /bin/rm -r -f x"
//! );
//! # Ok::<(), filter::CompileError>(())
//! ```
//!
//! [`Judgement::is_unfinished`] says that a shell would wait for more lines, [`Judgement::reads`] that standard input would be
//! a script, [`Judgement::single_command`] gives program and arguments of a line that is nothing else.
//!
//! Reading is bounded ([`shell`]): what is longer, deeper or more than that is a fault of the line, and a line with a
//! fault is opaque. An opaque line is denied by a filter whose default is `deny`; by others it is matched as text.
#![forbid(unsafe_code)]

mod context;
mod enforce;
mod expressions;
mod input;
mod judge;
mod judgement;
pub mod look_into;
mod pattern;
mod program;
mod rule;
mod script;
pub mod shell;
mod shown;
mod tried;
mod unreachable;
mod verdict;

pub use context::{Context, Language, Origin};
pub use enforce::{NotPlain, enforce};
pub use judge::judge;
pub use judgement::{Finding, Judgement, Reason};
pub use look_into::{Opaque, Reads};
pub use pattern::PatternError;
pub use rule::{CompileError, Filter, FilterText, Matching, Rule, RuleError, RuleText, check};
pub use script::{Piece, Script};
pub use tried::{Tried, tried};
pub use unreachable::{Unreachable, unreachable};
pub use verdict::Verdict;
