//! The words of the bastion as people read about them: a row for each, and the page that shows all.
#![forbid(unsafe_code)]

/// What `help` says of one word.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Page {
    /// The word.
    pub word: &'static str,
    /// How it is written: a line for each form.
    pub usage: &'static [&'static str],
    /// What it is for, in a few words.
    pub summary: &'static str,
    /// The rest that is worth knowing.
    pub details: &'static str,
}

/// All of them, in the order of the help page.
pub const PAGES: &[Page] = &[
    Page {
        word: "ls",
        usage: &["ls [TEXT] [--group /PATH] [--json]"],
        summary: "what you may reach, and how",
        details: "\
A line for each target: SYSTEM_USER@ASSET, the rights that you have there, and a
comment.
TEXT: only lines with this text in name, address or comment. --group: only what
lies in this asset group or below.",
    },
    Page {
        word: "groups",
        usage: &["groups [--json]"],
        summary: "the asset groups of what you may reach",
        details: "A line for each group, with the number of your assets in it and below.",
    },
    Page {
        word: "connect",
        usage: &["connect TARGET [COMMAND]"],
        summary: "a shell or a command on an asset",
        details: "\
TARGET is SYSTEM_USER@ASSET, or ASSET alone if only one system user is granted
there. An asset's address will do for its name.",
    },
    Page {
        word: "ssh-config",
        usage: &["ssh-config [TEXT] [--group /PATH] [--json]"],
        summary: "settings for your own ssh: `ssh web1`, scp",
        details: "\
Prints stanzas for your own ssh's configuration, one for each asset, so that
`ssh web1`, `scp file web1:`, IDEs and Ansible work from then on. Once, as the
first line of your ~/.ssh/config:
  Include ~/.ssh/jms.conf
and whenever your assets change:
  ssh USER@bastion ssh-config > ~/.ssh/jms.conf
Where several system users are granted on an asset, `ssh ASSET` asks which one,
and `ssh ASSET+SYSTEM_USER` goes there without asking.",
    },
    Page {
        word: "whoami",
        usage: &["whoami [--json]"],
        summary: "who you are here",
        details: "Your user, this login, the key and the factors that it was opened with.",
    },
    Page {
        word: "sessions",
        usage: &["sessions [--online] [--limit N] [--json]"],
        summary: "your sessions, the newest last",
        details: "--online: only those that run. --limit: how many, 20 if you do not say.",
    },
    Page {
        word: "session",
        usage: &["session show ID [--json]", "session replay ID"],
        summary: "one of your sessions",
        details: "\
ID is the beginning of its id, at least six characters. Whether users may replay
their sessions is a setting of the bastion. Blank pauses a replay, q ends it.",
    },
    Page {
        word: "commands",
        usage: &["commands [--limit N] [--json]"],
        summary: "what you ran, the newest last",
        details: "--limit: how many lines, 20 if you do not say.",
    },
    Page {
        word: "passwd",
        usage: &["passwd"],
        summary: "choose another password",
        details: "\
Asks for the old one and twice for the new one; needs a terminal: ssh -t. Only
who was given a password by an administrator has one.",
    },
    Page {
        word: "mfa",
        usage: &["mfa [status] [--json]", "mfa enroll|renew|recovery|verify"],
        summary: "your second factor: codes of an app",
        details: "\
status: which factor is demanded of you, where it is asked for, and since when.
The others ask something and need a terminal: ssh -t USER@bastion mfa renew
enroll makes the first one: a QR code for an app on your phone, a code to prove
it, recovery codes. renew puts another in its place and asks for the old one
first, or for a recovery code. recovery makes ten new recovery codes. verify
asks for a code now, so that what has no terminal (scp, Ansible, IDEs) works
from the same machine with the same key until it is forgotten.",
    },
    Page {
        word: "jmsctl",
        usage: &["jmsctl NOUN VERB …"],
        summary: "for administrators and auditors",
        details: "\
The same program as on the bastion itself: `jmsctl --help`. Quote once for your
own shell, once for it:
  ssh USER@bastion \"jmsctl user set bob --full-name 'Bob Martin'\"
Files are given on standard input, as -.",
    },
    Page {
        word: "help",
        usage: &["help [WORD] [--json]"],
        summary: "this, or more about one word",
        details: "",
    },
    Page {
        word: "version",
        usage: &["version [--json]"],
        summary: "the version of the bastion",
        details: "",
    },
];

/// What stands above the table of words.
pub const WAYS: &str = "\
ssh USER@SYSTEM_USER@ASSET@bastion [COMMAND]   a shell or a command on an asset
ssh USER@ASSET@bastion [COMMAND]               as the one system user granted
ssh USER@bastion SYSTEM_USER@ASSET [COMMAND]   the target as first word
scp, sftp, rsync, git                          to USER@SYSTEM_USER@ASSET@bastion
ssh -t USER@bastion                            the menu

ssh USER@bastion WORD:
";

/// What stands below it.
pub const MORE: &str = "`help WORD` says more about one of them. Each takes --json.\n";

/// The page of a word.
#[must_use]
pub fn page(word: &str) -> Option<&'static Page> {
    PAGES.iter().find(|page| page.word == word)
}

/// The usage of a word, for a sentence.
#[must_use]
pub fn usage(word: &str) -> String {
    page(word).map_or_else(|| word.to_owned(), |page| page.usage.join(" | "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_word_that_is_understood_has_a_page_and_no_other() {
        let words: Vec<&str> = PAGES.iter().map(|page| page.word).collect();
        let mut known = crate::request::KNOWN.to_vec();
        known.sort_unstable();
        let mut sorted = words.clone();
        sorted.sort_unstable();
        assert_eq!(sorted, known);
    }

    #[test]
    fn no_line_is_wider_than_the_smallest_usual_terminal() {
        let pages = PAGES.iter().map(|page| page.details);
        for line in pages.chain([WAYS, MORE]).flat_map(str::lines) {
            assert!(line.chars().count() <= 80, "{line}");
        }
    }
}
