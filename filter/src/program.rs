//! What the arguments of a program mean: which flags are the same, which are values.
//!
//! From the manual pages of coreutils, procps, systemd, shadow and iptables. A program that is not here has its short
//! flags read letter by letter, and nothing is known of its long ones.

use crate::shell::Word;
use std::collections::{BTreeSet, HashSet};

/// What is known of a program's flags.
struct Known {
    names: &'static [&'static str],
    /// Letters that take a value.
    values: &'static str,
    /// Letter and long name of the same flag. Letters that mean the same have the same long name.
    same: &'static [(char, &'static str)],
}

const KNOWN: &[Known] = &[
    Known {
        names: &["rm"],
        values: "",
        same: &[
            ('r', "recursive"),
            ('R', "recursive"),
            ('f', "force"),
            ('d', "dir"),
            ('v', "verbose"),
            ('i', "interactive"),
        ],
    },
    Known {
        names: &["chmod", "chown", "chgrp"],
        values: "",
        same: &[
            ('R', "recursive"),
            ('f', "silent"),
            ('v', "verbose"),
            ('c', "changes"),
            ('h', "no-dereference"),
        ],
    },
    Known {
        names: &["cp", "mv", "ln"],
        values: "tS",
        same: &[
            ('r', "recursive"),
            ('R', "recursive"),
            ('a', "archive"),
            ('f', "force"),
            ('s', "symbolic"),
            ('n', "no-clobber"),
            ('v', "verbose"),
            ('i', "interactive"),
            ('t', "target-directory"),
            ('T', "no-target-directory"),
            ('b', "backup"),
            ('u', "update"),
        ],
    },
    Known {
        names: &["mkdir", "rmdir"],
        values: "mZ",
        same: &[('p', "parents"), ('m', "mode"), ('v', "verbose")],
    },
    Known {
        names: &["tail", "head"],
        values: "cns",
        same: &[
            ('f', "follow"),
            ('n', "lines"),
            ('c', "bytes"),
            ('q', "quiet"),
            ('v', "verbose"),
        ],
    },
    Known {
        names: &["kill", "pkill", "killall"],
        values: "nsugPtUG",
        same: &[('s', "signal"), ('l', "list")],
    },
    Known {
        names: &["shutdown", "reboot", "halt", "poweroff"],
        values: "",
        same: &[
            ('H', "halt"),
            ('P', "poweroff"),
            ('p', "poweroff"),
            ('r', "reboot"),
            ('f', "force"),
            ('h', "help"),
        ],
    },
    Known {
        names: &["systemctl", "journalctl"],
        values: "tpnHMsouS",
        same: &[
            ('a', "all"),
            ('f', "force"),
            ('H', "host"),
            ('M', "machine"),
            ('n', "lines"),
            ('o', "output"),
            ('q', "quiet"),
            ('t', "type"),
            ('u', "unit"),
        ],
    },
    Known {
        names: &["userdel", "groupdel"],
        values: "R",
        same: &[('r', "remove"), ('f', "force"), ('R', "root")],
    },
    Known {
        names: &["iptables", "ip6tables"],
        values: "ADIRPNXEjpsdiot",
        same: &[
            ('F', "flush"),
            ('X', "delete-chain"),
            ('P', "policy"),
            ('A', "append"),
            ('D', "delete"),
            ('I', "insert"),
            ('j', "jump"),
            ('t', "table"),
        ],
    },
];

/// Arguments, sorted into flags and the rest.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Arguments<'a> {
    /// Flags: `--long` without its value, or `-x`; each letter of `-rf` is one. A letter that has a long name stands under
    /// that.
    pub flags: Vec<String>,
    /// Operands, and values that cannot be told from them.
    pub operands: Vec<&'a Word>,
}

/// An argument as an allowing pattern compares it.
#[derive(Debug, PartialEq, Eq)]
pub enum Token<'a> {
    /// Flags that stand beside each other and take no value, by their names.
    Flags(BTreeSet<String>),
    /// Anything else, in its place.
    Word(&'a Word),
}

/// The arguments in their order. Only flags of which it is known that they take no value may stand in another order, or
/// be spelled otherwise.
pub fn tokens<'a>(program: &str, words: &'a [Word]) -> Vec<Token<'a>> {
    let known = KNOWN.iter().find(|known| known.names.contains(&program));
    let mut tokens = Vec::new();
    let mut only_operands = false;
    for word in words {
        only_operands |= word.text == "--";
        let flags = known
            .filter(|_| !only_operands)
            .and_then(|known| known.plain_flags(word));
        match (flags, tokens.last_mut()) {
            (Some(flags), Some(Token::Flags(before))) => before.extend(flags),
            (Some(flags), _) => tokens.push(Token::Flags(flags.into_iter().collect())),
            (None, _) => tokens.push(Token::Word(word)),
        }
    }
    tokens
}

impl Known {
    /// The flags that a word is, if it is nothing else and none of them takes a value.
    fn plain_flags(&self, word: &Word) -> Option<Vec<String>> {
        let text = word.known().filter(|_| !word.tilde)?;
        let letter_of = |letter: char| {
            let same = self.same.iter().find(|same| same.0 == letter);
            same.filter(|_| !self.values.contains(letter))
                .map(|same| same.1.to_owned())
        };
        if let Some(long) = text.strip_prefix("--") {
            let same = self.same.iter().find(|same| same.1 == long)?;
            return letter_of(same.0).map(|name| vec![name]);
        }
        let letters = text.strip_prefix('-').filter(|rest| !rest.is_empty())?;
        letters.chars().map(letter_of).collect()
    }
}

/// Sorts the arguments of `program`. Words whose text is not known are sorted by what is written.
pub fn arguments<'a>(program: &str, words: impl Iterator<Item = &'a Word>) -> Arguments<'a> {
    let known = KNOWN.iter().find(|known| known.names.contains(&program));
    let mut sorted = Arguments::default();
    let mut only_operands = false;
    for word in words {
        let text = word.text.as_str();
        if only_operands || text.len() < 2 || !text.starts_with('-') {
            sorted.operands.push(word);
        } else if text == "--" {
            only_operands = true;
        } else if text.starts_with("--") {
            let name = text.split_once('=').map_or(text, |(name, _)| name);
            sorted.flags.push(name.to_owned());
        } else {
            short(known, text, &mut sorted.flags);
        }
    }
    sorted
}

/// `-rf`: its letters, up to one that takes a value.
fn short(known: Option<&Known>, text: &str, flags: &mut Vec<String>) {
    let mut seen = HashSet::new();
    for letter in text.chars().skip(1) {
        // Twice is no more than once, and a word may be very long.
        if !seen.insert(letter) {
            continue;
        }
        let long = known
            .and_then(|known| known.same.iter().find(|same| same.0 == letter))
            .map(|same| format!("--{}", same.1));
        flags.push(long.unwrap_or_else(|| format!("-{letter}")));
        if known.is_some_and(|known| known.values.contains(letter)) {
            return;
        }
    }
}
