//! One row of the matrix as data: what is broken, how, and what must be seen then.

/// One thing that is broken.
#[derive(Debug, Clone)]
pub struct Row {
    /// What is broken: a path of ours, or a part of the system.
    pub subject: &'static str,
    /// How.
    pub damage: &'static str,
    /// Bash that breaks it; the names of [`crate::bastion::NAMES`] are set.
    pub breaks: String,
    /// Bash that undoes what putting the files back does not: mounts, processes.
    pub mends: String,
    /// Whether sshd reads its settings again, as `systemctl reload ssh` has it do: not if `sshd -t` complains.
    pub reload: bool,
    /// What the virtual user asks for.
    pub request: Request,
    /// What becomes of the virtual user.
    pub alice: Alice,
    /// The local administrator's ways that are barred. Only where the C library itself fails, which root alone can bring
    /// about; he has all the others.
    pub barred: &'static [&'static str],
    /// What `jmsctl doctor` finds, in the order of the alphabet; neither less nor more.
    pub findings: &'static [&'static str],
    /// A sentence beside the table, for what needs one.
    pub note: &'static str,
}

/// What the virtual user asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Request {
    /// `ssh … COMMAND`.
    Exec,
    /// `sftp`, which comes as a subsystem.
    Sftp,
    /// `ssh -W` to the asset's sshd.
    Tunnel,
}

/// What becomes of the virtual user.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Alice {
    /// The asset answers.
    Served,
    /// Nothing of the asset is reached, within seconds.
    Refused {
        /// Words on the client's screen.
        sentence: &'static str,
        /// Words of one line of the log, in this order, with ` … ` between them. Empty: nothing of the host can log it.
        line: &'static str,
    },
    /// The asset is not reached, but files of the bastion that everybody may read are.
    ReadsTheBastion,
    /// The loader of glibc waits for ever, and nothing of ours runs that could say so.
    Hangs,
}

/// A row that serves everybody, to be changed by the methods below.
pub fn row(subject: &'static str, damage: &'static str, breaks: impl Into<String>) -> Row {
    Row {
        subject,
        damage,
        breaks: breaks.into(),
        mends: String::new(),
        reload: false,
        request: Request::Exec,
        alice: Alice::Served,
        barred: &[],
        findings: &[],
        note: "",
    }
}

impl Row {
    /// Its name in messages.
    pub fn name(&self) -> String {
        format!("{}: {}", self.subject, self.damage)
    }

    /// The virtual user is refused: words on her screen, words in the log.
    pub fn refused(mut self, sentence: &'static str, line: &'static str) -> Self {
        self.alice = Alice::Refused { sentence, line };
        self
    }

    /// Everybody's lookup waits for ever in the C library.
    pub fn hangs(mut self) -> Self {
        self.alice = Alice::Hangs;
        self
    }

    /// These ways of the local administrator are barred.
    pub fn barring(mut self, columns: &'static [&'static str]) -> Self {
        self.barred = columns;
        self
    }

    /// Undone by this bash, before the files are put back.
    pub fn mended_by(mut self, script: impl Into<String>) -> Self {
        self.mends = script.into();
        self
    }

    /// sshd reads its settings again.
    pub fn reloaded(mut self) -> Self {
        self.reload = true;
        self
    }

    /// The virtual user asks for something else than a command.
    pub fn asking(mut self, request: Request) -> Self {
        self.request = request;
        self
    }

    /// The virtual user gets at the bastion's own files.
    pub fn reads_the_bastion(mut self) -> Self {
        self.alice = Alice::ReadsTheBastion;
        self
    }

    /// A sentence for the reader of the table.
    pub fn noted(mut self, note: &'static str) -> Self {
        self.note = note;
        self
    }
}
