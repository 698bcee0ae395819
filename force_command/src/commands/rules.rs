//! The filters that apply to one session, and what they say of a line.

use super::judged::Judged;
use capture::Verdict as Answer;
use filter::{CompileError, Context, Filter, FilterText, Language, Piece, Verdict};
use jms::settings::HiddenInput;

/// What is known of the lines of a script that ran.
#[derive(Debug, Clone, Copy, Default)]
pub struct Before {
    /// One of them may have read on in the script, so that its lines may not belong together as it seems.
    may_have_read: bool,
    /// A line may say something else to the shell than what it says.
    expands_history: bool,
}

/// What is said of a piece of a script.
#[derive(Debug)]
pub struct OfScript {
    /// The verdict.
    pub judged: Judged,
    /// What is known once it ran.
    pub then: Before,
}

/// See the module.
#[derive(Debug)]
pub struct Rules {
    texts: Vec<FilterText>,
    filters: Vec<Filter>,
    hidden: HiddenInput,
}

impl Rules {
    /// Makes filters ready to judge. `hidden`: what happens to lines that are typed without echo, if there are any filters.
    ///
    /// # Errors
    /// A rule that cannot be read.
    pub fn compile(texts: Vec<FilterText>, hidden: HiddenInput) -> Result<Self, CompileError> {
        Ok(Self {
            filters: Filter::compile_all(&texts)?,
            texts,
            hidden,
        })
    }

    /// Whether they are made of the same.
    #[must_use]
    pub fn are(&self, texts: &[FilterText]) -> bool {
        self.texts == texts
    }

    /// What happens to lines that are typed without echo.
    #[must_use]
    pub fn hidden(&self) -> HiddenInput {
        self.hidden
    }

    /// Whether any filter applies: only then is anything held.
    #[must_use]
    pub fn apply(&self) -> bool {
        !self.filters.is_empty()
    }

    /// The strictest judgement of all ways to read a line.
    #[must_use]
    pub fn judge(&self, readings: &[String]) -> Judged {
        let mut strictest: Option<Judged> = None;
        for reading in readings {
            let judged = Judged::from(filter::judge(&self.filters, reading, Context::TERMINAL));
            if strictest
                .as_ref()
                .is_none_or(|known| judged.verdict > known.verdict)
            {
                strictest = Some(judged);
            }
        }
        strictest.unwrap_or_else(Judged::nothing)
    }

    /// What is said of a piece of a script. What is no text cannot be read: a filter that allows only what it lists does not
    /// allow it.
    #[must_use]
    pub fn judge_script(&self, piece: &Piece, language: Language, before: Before) -> OfScript {
        let mut context = Context::SCRIPT.in_language(language);
        if language == Language::Shell && (!piece.in_step || before.expands_history) {
            context = context.out_of_step();
        }
        if before.may_have_read {
            context = context.in_doubt();
        }
        let judgement = filter::judge(&self.filters, &piece.text, context);
        let reads = language == Language::Shell && !judgement.leaves_input_alone();
        let then = Before {
            may_have_read: before.may_have_read || reads,
            expands_history: before.expands_history || judgement.expands_history(),
        };
        let mut judged = Judged::from(judgement);
        if judged.verdict != Verdict::Deny
            && let Some(why) = self.no_script(piece, language)
        {
            judged = why;
        }
        OfScript { judged, then }
    }

    /// Why the bytes of a piece are denied, whatever they say.
    fn no_script(&self, piece: &Piece, language: Language) -> Option<Judged> {
        if language == Language::Shell && piece.bytes.contains(&0) {
            // Shells leave it out, and no honest script has one.
            let filter = self.filters.first()?;
            return Some(Judged::denied(
                &filter.name,
                &"a NUL byte stands in the script",
            ));
        }
        Judged::of_bytes(&piece.bytes, &self.filters)
    }

    /// What is said of a line that was typed without echo and may be a password: only a rule speaks of it, no default does,
    /// and nothing of it is in what is said.
    #[must_use]
    pub fn judge_silent(&self, readings: &[String]) -> Judged {
        let judge = |reading: &String| {
            Judged::from(filter::judge(&self.filters, reading, Context::TERMINAL))
        };
        readings
            .iter()
            .map(judge)
            .filter(|judged| !judged.rule.is_empty() && judged.verdict != Verdict::Allow)
            .max_by_key(|judged| judged.verdict)
            .map_or_else(Judged::nothing, Judged::silent)
    }

    /// What is said of a line that is longer than what is known of it.
    #[must_use]
    pub fn judge_cut(&self) -> Judged {
        Judged::too_long()
    }

    /// What is said of a line that the shell announced and that nobody could read.
    #[must_use]
    pub fn judge_disturbed(&self) -> Judged {
        Judged::disturbed()
    }

    /// What is said of a line that was typed without echo.
    #[must_use]
    pub fn judge_hidden(&self) -> Judged {
        match self.hidden {
            HiddenInput::Allow => Judged::nothing(),
            HiddenInput::Deny | HiddenInput::End => Judged::unread(),
        }
    }

    /// What the engine is to do with a line of which this was said. `hidden`: it was typed without echo.
    #[must_use]
    pub fn answer(&self, judged: &Judged, hidden: bool) -> Answer {
        let sentence = &judged.sentence;
        match judged.verdict {
            Verdict::Deny if hidden && self.hidden == HiddenInput::End => Answer::End(
                "a line was typed without echo, which filter.hidden_input forbids".to_owned(),
            ),
            Verdict::Allow => Answer::Allow,
            Verdict::Warn => Answer::Warn(format!("jms: {sentence}")),
            Verdict::Deny => Answer::Deny(format!("jms: {sentence}")),
            Verdict::Confirm => Answer::Confirm {
                question: format!("jms: {sentence}; run it? [y/N] "),
                refused: "jms: not run".to_owned(),
            },
        }
    }
}
