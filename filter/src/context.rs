//! Where a line comes from, and in which language it is.

/// In which language a line is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Language {
    /// A shell's.
    #[default]
    Shell,
    /// None that is read here: only expressions are looked for, in the whole text. A language that gets a parser of its
    /// own (SQL) becomes another variant, whose statements are judged as a shell's simple commands are.
    Text,
}

/// Where a line comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Origin {
    /// The command of an exec request: the whole of it.
    #[default]
    Exec,
    /// A script on standard input: a line of it, or as many as it takes until the command is whole.
    Script,
    /// A line of a terminal, as the shell there was given it.
    Terminal,
}

/// What must be known of a line besides its text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Context {
    /// Where it comes from.
    pub origin: Origin,
    /// Its language.
    pub language: Language,
    /// It is not known whether a quote or a here-document of what came before still holds: it may mean something else.
    pub out_of_step: bool,
    /// Some of its lines may have been read by others than the shell: what belongs together may not do so.
    pub in_doubt: bool,
}

impl Context {
    /// An exec request.
    pub const EXEC: Self = Self::shell(Origin::Exec);
    /// A shell's script on standard input.
    pub const SCRIPT: Self = Self::shell(Origin::Script);
    /// A line that is typed to a shell.
    pub const TERMINAL: Self = Self::shell(Origin::Terminal);

    const fn shell(origin: Origin) -> Self {
        Self {
            origin,
            language: Language::Shell,
            out_of_step: false,
            in_doubt: false,
        }
    }

    /// The same place; each line may also stand for itself.
    #[must_use]
    pub const fn in_doubt(self) -> Self {
        Self {
            in_doubt: true,
            ..self
        }
    }

    /// The same place, of which nobody knows any more what came before it.
    #[must_use]
    pub const fn out_of_step(self) -> Self {
        Self {
            out_of_step: true,
            ..self
        }
    }

    /// The same place, another language.
    #[must_use]
    pub const fn in_language(self, language: Language) -> Self {
        Self { language, ..self }
    }
}
