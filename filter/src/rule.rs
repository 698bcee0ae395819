//! Rules and filters: what an administrator wrote, compiled.

use crate::expressions::{self, Expressions};
use crate::pattern::{Pattern, PatternError};
use crate::verdict::Verdict;
use std::cell::Cell;
use std::collections::HashMap;
use std::fmt;

/// What a rule looks for.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Matching {
    /// A program with flags and words.
    Command(String),
    /// A regular expression.
    Regex(String),
}

impl Matching {
    /// How it was written.
    pub fn text(&self) -> &str {
        match self {
            Self::Command(text) | Self::Regex(text) => text,
        }
    }
}

/// A rule as it is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RuleText {
    /// A number by which the user finds it again.
    pub id: i64,
    /// Lower numbers are asked first; of equal ones the stricter verdict.
    pub priority: i64,
    /// What it says.
    pub verdict: Verdict,
    /// What it looks for.
    pub matching: Matching,
    /// Whether upper and lower case are the same.
    pub ignore_case: bool,
}

/// A filter as it is kept, with those of its rules that apply.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FilterText {
    /// Its name.
    pub name: String,
    /// What holds for a command of which no rule speaks.
    pub default: Verdict,
    /// Its rules, in any order.
    pub rules: Vec<RuleText>,
}

/// Which rule of which filter is none.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CompileError {
    /// The filter's name.
    pub filter: String,
    /// The rule's number; 0 if it is all of them together.
    pub rule: i64,
    /// What is wrong.
    pub error: RuleError,
}

impl fmt::Display for CompileError {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            out,
            "rule {} of filter {}: {}",
            self.rule, self.filter, self.error
        )
    }
}

impl std::error::Error for CompileError {}

/// Why a rule is no rule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RuleError {
    /// Nothing is looked for.
    Empty,
    /// The expression does not compile, or would become too large.
    Regex(String),
    /// It matches the empty text, and so everything.
    MatchesEverything,
    /// What `--command` names.
    Pattern(PatternError),
}

impl fmt::Display for RuleError {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Empty => write!(out, "the rule is empty"),
            Self::Regex(why) => write!(out, "the regular expression cannot be used: {why}"),
            Self::MatchesEverything => write!(
                out,
                "the regular expression matches every line; the filter's default says what holds for all"
            ),
            Self::Pattern(error) => error.fmt(out),
        }
    }
}

impl std::error::Error for RuleError {}

impl From<PatternError> for RuleError {
    fn from(error: PatternError) -> Self {
        Self::Pattern(error)
    }
}

/// Checks a rule before it is kept.
///
/// # Errors
/// [`RuleError`]: why it cannot be used.
pub fn check(rule: &RuleText) -> Result<(), RuleError> {
    match &rule.matching {
        Matching::Command(text) => {
            Pattern::parse(text, rule.ignore_case)?;
        }
        Matching::Regex(text) => {
            if text.is_empty() {
                return Err(RuleError::Empty);
            }
            let regex = expressions::compile(text, rule.verdict, rule.ignore_case)
                .map_err(|error| RuleError::Regex(error.to_string()))?;
            if regex.is_match(b"") {
                return Err(RuleError::MatchesEverything);
            }
        }
    }
    Ok(())
}

/// A compiled rule.
#[derive(Debug)]
pub struct Rule {
    /// As [`RuleText::id`].
    pub id: i64,
    /// As [`RuleText::verdict`].
    pub verdict: Verdict,
    /// How it was written, for people.
    pub text: String,
    pub(crate) pattern: Option<Pattern>,
}

/// A filter with its rules, ready to judge.
#[derive(Debug)]
pub struct Filter {
    /// Its name.
    pub name: String,
    /// What holds for a command of which no rule speaks.
    pub default: Verdict,
    /// In the order in which they are asked.
    pub(crate) rules: Vec<Rule>,
    /// Rules with a pattern, by program; ignoring case, by its lower case.
    by_program: HashMap<String, Vec<usize>>,
    expressions: Expressions,
    /// Which rule each expression belongs to.
    expression_rules: Vec<usize>,
}

impl Filter {
    /// Compiles. A rule that is none is an error: nothing is skipped.
    ///
    /// # Errors
    /// [`CompileError`] for the first rule that cannot be used.
    pub fn compile(text: &FilterText) -> Result<Self, CompileError> {
        let fails = |rule, error| CompileError {
            filter: text.name.clone(),
            rule,
            error,
        };
        let mut sorted: Vec<&RuleText> = text.rules.iter().collect();
        sorted.sort_by_key(|rule| (rule.priority, std::cmp::Reverse(rule.verdict), rule.id));
        let mut compiled = Vec::with_capacity(sorted.len());
        let mut by_program: HashMap<String, Vec<usize>> = HashMap::new();
        let mut texts = Vec::new();
        let mut expression_rules = Vec::new();
        for (at, rule) in sorted.into_iter().enumerate() {
            let pattern = match &rule.matching {
                Matching::Command(text) => {
                    let pattern = Pattern::parse(text, rule.ignore_case)
                        .map_err(|error| fails(rule.id, error.into()))?;
                    let program = pattern.program().to_lowercase();
                    by_program.entry(program).or_default().push(at);
                    Some(pattern)
                }
                Matching::Regex(text) => {
                    expressions::parse(text)
                        .map_err(|error| fails(rule.id, RuleError::Regex(error)))?;
                    texts.push((text.as_str(), rule.verdict, rule.ignore_case));
                    expression_rules.push(at);
                    None
                }
            };
            compiled.push(Rule {
                id: rule.id,
                verdict: rule.verdict,
                text: rule.matching.text().to_owned(),
                pattern,
            });
        }
        let expressions = Expressions::new(texts.into_iter());
        Ok(Self {
            name: text.name.clone(),
            default: text.default,
            rules: compiled,
            by_program,
            expressions,
            expression_rules,
        })
    }

    /// Compiles all that apply.
    ///
    /// # Errors
    /// As [`Filter::compile`].
    pub fn compile_all(texts: &[FilterText]) -> Result<Vec<Self>, CompileError> {
        texts.iter().map(Self::compile).collect()
    }

    /// Rules with a pattern for this program, in order.
    pub(crate) fn patterns_for(&self, program: &str) -> &[usize] {
        self.by_program
            .get(&program.to_lowercase())
            .map_or(&[], Vec::as_slice)
    }

    /// Rules whose expression is found in `text`, in order. `left`: how much may still be searched.
    pub(crate) fn expressions_in(
        &self,
        text: &str,
        left: &Cell<usize>,
    ) -> impl Iterator<Item = usize> {
        self.expressions
            .found_in(text, left)
            .into_iter()
            .filter_map(|at| self.expression_rules.get(at).copied())
    }
}
