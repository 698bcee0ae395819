//! The filters that apply to one session, and what they say of a line.

use capture::Verdict as Answer;
use filter::{
    CompileError, Context, Filter, FilterText, Judgement, Language, NotPlain, Piece, Verdict,
};
use jms::settings::HiddenInput;

/// What is kept of a judgement.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Judged {
    /// The verdict.
    pub verdict: Verdict,
    /// The filter that spoke; empty: none.
    pub filter: String,
    /// The rule, as it is written; empty: the filter's default, or no filter.
    pub rule: String,
    /// For people.
    pub sentence: String,
}

impl Judged {
    /// No filter applies.
    #[must_use]
    pub fn nothing() -> Self {
        Self {
            verdict: Verdict::Allow,
            filter: String::new(),
            rule: String::new(),
            sentence: String::new(),
        }
    }

    /// A line that nobody could read, and the setting forbids it.
    fn unread() -> Self {
        Self {
            verdict: Verdict::Deny,
            sentence: "denied, because it was typed without echo (filter.hidden_input)".to_owned(),
            ..Self::nothing()
        }
    }
}

impl Judged {
    /// A line of which not all is known.
    fn too_long() -> Self {
        Self {
            verdict: Verdict::Deny,
            sentence: "denied, because the line is longer than 64 KiB".to_owned(),
            ..Self::nothing()
        }
    }

    /// The shell announced something, and something else wrote into it.
    fn disturbed() -> Self {
        Self {
            verdict: Verdict::Deny,
            sentence:
                "denied, because something else wrote into what the shell announced; try again"
                    .to_owned(),
            ..Self::nothing()
        }
    }

    /// Without anything of the line.
    fn silent(self) -> Self {
        let word = match self.verdict {
            Verdict::Deny => "denied by",
            Verdict::Confirm => "asked by",
            Verdict::Warn | Verdict::Allow => "seen by",
        };
        Self {
            sentence: format!(
                "{word} filter {}, rule {}: a line typed without echo",
                self.filter, self.rule
            ),
            ..self
        }
    }
}

impl From<Judgement> for Judged {
    fn from(judgement: Judgement) -> Self {
        Self {
            verdict: judgement.verdict,
            rule: judgement.rule().to_owned(),
            sentence: judgement.sentence(),
            filter: judgement.filter,
        }
    }
}

/// What is said of a piece of a script.
#[derive(Debug)]
pub struct OfScript {
    /// The verdict.
    pub judged: Judged,
    /// None of its commands can have read on in the script.
    pub leaves_input_alone: bool,
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

    /// What is said of a piece of a script. `in_doubt`: something before it may have read of the script, so that its lines may
    /// not belong together. What is no text cannot be read: a filter that allows only what it lists does not allow it.
    #[must_use]
    pub fn judge_script(&self, piece: &Piece, language: Language, in_doubt: bool) -> OfScript {
        let mut context = Context::SCRIPT.in_language(language);
        if !piece.in_step && language == Language::Shell {
            context = context.out_of_step();
        }
        if in_doubt {
            context = context.in_doubt();
        }
        let judgement = filter::judge(&self.filters, &piece.text, context);
        let leaves_input_alone = language != Language::Shell || judgement.leaves_input_alone();
        let mut judged = Judged::from(judgement);
        if judged.verdict != Verdict::Deny
            && let Some(why) = self.no_script(piece, language)
        {
            judged = why;
        }
        OfScript {
            judged,
            leaves_input_alone,
        }
    }

    /// Why the bytes of a piece are denied, whatever they say.
    fn no_script(&self, piece: &Piece, language: Language) -> Option<Judged> {
        let (filter, why) = if language == Language::Shell && piece.bytes.contains(&0) {
            // Shells leave it out, and no honest script has one.
            (
                self.filters.first()?,
                "a NUL byte stands in the script".to_owned(),
            )
        } else {
            let strict = |filter: &&Filter| filter.default == Verdict::Deny;
            let filter = self.filters.iter().find(strict)?;
            std::str::from_utf8(&piece.bytes).err()?;
            (filter, NotPlain::Bytes.to_string())
        };
        Some(Judged {
            verdict: Verdict::Deny,
            filter: filter.name.clone(),
            rule: String::new(),
            sentence: format!("denied by filter {}: {why}", filter.name),
        })
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
