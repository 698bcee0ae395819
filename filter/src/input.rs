//! Whether commands leave the standard input alone that they share with the shell which reads them from it. What one takes
//! of it, the shell does not see: lines that seem to belong together then do not.

use crate::judgement::Judgement;
use crate::look_into::Command;
use crate::shell::Input;

/// Programs and builtins that read no standard input.
const QUIET: &[&str] = &[
    ":", "[", "alias", "basename", "bg", "break", "cd", "chgrp", "chmod", "chown", "command",
    "continue", "cp", "date", "declare", "df", "dirname", "du", "echo", "exit", "export", "false",
    "hostname", "id", "kill", "ln", "local", "ls", "mkdir", "mount", "mv", "pgrep", "pkill",
    "popd", "printf", "ps", "pushd", "pwd", "readlink", "readonly", "realpath", "return", "rm",
    "rmdir", "seq", "set", "shift", "shopt", "sleep", "stat", "test", "touch", "true", "type",
    "typeset", "ulimit", "umask", "umount", "unalias", "uname", "unset", "wait", "which", "whoami",
];

/// Programs that read none besides those which they start.
const STARTERS: &[&str] = &[
    "builtin", "command", "doas", "env", "eval", "ionice", "nice", "nohup", "setsid", "sudo",
    "time", "timeout",
];

impl Judgement {
    /// Whether none of the commands can have read on in a script that stands on standard input.
    pub fn leaves_input_alone(&self) -> bool {
        self.line.fault.is_none() && self.line.commands.iter().all(is_quiet)
    }
}

fn is_quiet(command: &Command) -> bool {
    let simple = &command.simple;
    let Some(name) = command.program() else {
        return simple.words.is_empty();
    };
    // `rm -i` asks.
    let asks = || {
        let mut arguments = simple.words.iter().skip(1);
        ["cp", "ln", "mv", "rm"].contains(&name)
            && arguments.any(|word| {
                let text = word.text.to_lowercase();
                word.hidden.is_some() || text.starts_with('-') && text.contains('i')
            })
    };
    let by_itself = simple.input != Input::Inherited
        || QUIET.contains(&name) && !asks()
        || STARTERS.contains(&name) && !command.inner.is_empty();
    by_itself && command.reads.is_none() && command.inner.iter().all(is_quiet)
}

#[cfg(test)]
mod tests {
    use crate::{Context, judge};

    #[test]
    fn what_reads_on_is_told_from_what_does_not() {
        for (line, alone) in [
            ("echo a; cd /x && sudo mkdir y", true),
            ("if true; then ls; fi", true),
            ("cat <<E\na\nE\n", true),
            ("x=1", true),
            ("read x </dev/null", true),
            ("read x", false),
            ("cat", false),
            ("head -1 | tail -1", false),
            ("sudo sh", false),
            ("ssh host ls", false),
            ("rm -i x", false),
            ("$x", false),
            ("while read x; do ls; done", false),
        ] {
            let judgement = judge(&[], line, Context::SCRIPT);
            assert_eq!(judgement.leaves_input_alone(), alone, "{line:?}");
        }
    }
}
