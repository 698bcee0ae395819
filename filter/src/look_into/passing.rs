//! Programs that pass on what they read: behind `cat |` a shell reads what stands on standard input all the same.

use super::Command;
use crate::shell::Input;

/// Programs that read standard input unless operands name files, and how many operands they have besides these.
const COPIERS: &[(&[&str], usize)] = &[
    (
        &[
            "cat", "tac", "head", "tail", "sort", "uniq", "cut", "fold", "fmt", "nl", "rev", "pv",
            "expand", "unexpand", "dos2unix", "more", "less",
        ],
        0,
    ),
    (
        &[
            "grep", "egrep", "fgrep", "rg", "sed", "gsed", "awk", "gawk", "mawk", "nawk",
        ],
        1,
    ),
    // All that they are told is something else.
    (
        &["tee", "tr", "dd", "read", "sponge", "mapfile", "readarray"],
        usize::MAX,
    ),
];

/// Whether the command, or one that it starts, may print what it reads from the standard input that the line leaves it.
pub fn passes_on(command: &Command) -> bool {
    let simple = &command.simple;
    let names = |name: &str| COPIERS.iter().find(|known| known.0.contains(&name));
    let copier = command.program().and_then(names);
    let copies = copier.is_some_and(|(_, own)| {
        let arguments = simple.words.iter().skip(1);
        // A number is an option's value.
        let is_file = |text: &str| {
            !text.starts_with(['-', '+']) && text.contains(|one: char| !one.is_ascii_digit())
        };
        arguments.filter(|word| is_file(&word.text)).count() <= *own
            || simple.words.iter().any(|word| word.text == "-")
    });
    simple.input == Input::Inherited && copies || command.inner.iter().any(passes_on)
}
