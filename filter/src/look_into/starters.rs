//! Programs that do other things, and start others when an option or a word says so.

use super::{Looking, Opaque, Reads};
use crate::shell::Word;

/// Programs, and those of their options whose value is a command line.
const SCRIPTS: &[(&[&str], &[&str])] = &[
    (&["rsync"], &["-e", "--rsh", "--rsync-path"]),
    (
        &["tar", "gtar", "bsdtar"],
        &[
            "-I",
            "-F",
            "--use-compress-program",
            "--to-command",
            "--checkpoint-action",
            "--rsh-command",
            "--info-script",
            "--new-volume-script",
        ],
    ),
    (&["scp", "sftp"], &["-S", "-D"]),
    (&["start-stop-daemon"], &["-x", "--exec", "-a", "--startas"]),
    (&["mapfile", "readarray", "compgen", "complete"], &["-C"]),
    (&["split"], &["--filter"]),
    (&["sort"], &["--compress-program"]),
    (&["man"], &["-P", "--pager"]),
    (&["tcpdump"], &["-z"]),
];

/// Programs, and the words with which they start something that is not looked into; none: whatever they are told.
const STARTERS: &[(&[&str], &[&str])] = &[
    (
        &[
            "docker",
            "podman",
            "nerdctl",
            "kubectl",
            "oc",
            "crictl",
            "ctr",
            "lxc",
            "incus",
            "machinectl",
        ],
        &["exec", "run", "shell", "debug"],
    ),
    (
        &["tmux"],
        &[
            "new",
            "split",
            "respawn",
            "run",
            "if",
            "send",
            "pipe",
            "popup",
            "display-p",
            "source",
            "bind",
            "set-hook",
            "confirm",
            "command",
        ],
    ),
    (&["screen", "lxc-attach", "start-stop-daemon", "xterm"], &[]),
];

/// Settings of git(1) that are command lines, by a part of their names.
const SETTINGS_OF_GIT: &[&str] = &[
    "alias.",
    "askpass",
    "cmd",
    "command",
    "driver",
    "editor",
    "external",
    "filter.",
    "fsmonitor",
    "helper",
    "hookspath",
    "pack",
    "pager",
    "program",
    "textconv",
];

impl Looking<'_> {
    /// What the options and words of such a program start.
    pub fn starter(&mut self, name: &str) {
        let arguments = self.arguments();
        if let Some((_, options)) = SCRIPTS.iter().find(|known| known.0.contains(&name)) {
            self.scripts_of(&arguments, options);
        }
        let starts = |(_, words): &(&[&str], &[&str])| {
            let told = |word: &Word| {
                words.is_empty() || words.iter().any(|known| word.text.starts_with(known))
            };
            arguments.iter().any(told)
        };
        if STARTERS
            .iter()
            .filter(|known| known.0.contains(&name))
            .any(starts)
        {
            self.hide(Opaque::Started);
            if ["lxc-attach", "machinectl"].contains(&name) {
                self.reads_input(Reads::Shell);
            }
        }
        match name {
            "git" => self.settings_of_git(&arguments),
            "scp" | "sftp" => self.options_of_ssh(&arguments),
            "ip" => self.in_network(&arguments),
            _ => {}
        }
    }

    fn scripts_of(&mut self, arguments: &[Word], options: &[&str]) {
        // What rsync's other end is told has other letters.
        if arguments.iter().any(|word| word.text == "--server") {
            return;
        }
        for (at, word) in arguments.iter().enumerate() {
            for option in options {
                let Some(attached) = value_of(&word.text, option) else {
                    continue;
                };
                let (text, hidden) = match (attached, arguments.get(at + 1)) {
                    ("", Some(next)) => (next.text.as_str(), next.hidden),
                    (attached, _) => (attached, word.hidden),
                };
                // tar: `--checkpoint-action=exec=SCRIPT`.
                let script = text.strip_prefix("exec=").unwrap_or(text);
                self.interprets(script, hidden);
            }
        }
    }

    /// `git -c KEY=VALUE`.
    fn settings_of_git(&mut self, arguments: &[Word]) {
        let pairs = arguments.iter().zip(arguments.iter().skip(1));
        for (_, setting) in pairs.filter(|(option, _)| option.text == "-c") {
            let Some((key, value)) = setting.text.split_once('=') else {
                continue;
            };
            let key = key.to_ascii_lowercase();
            if SETTINGS_OF_GIT.iter().any(|part| key.contains(part)) {
                self.interprets(value.trim_start_matches('!'), setting.hidden);
            }
        }
    }

    fn options_of_ssh(&mut self, arguments: &[Word]) {
        for (at, word) in arguments.iter().enumerate() {
            match word.text.strip_prefix("-o") {
                Some("") => {
                    if let Some(value) = arguments.get(at + 1) {
                        self.ssh_option(value);
                    }
                }
                Some(value) => self.ssh_option(&Word {
                    hidden: word.hidden,
                    ..Word::literal(value)
                }),
                None => {}
            }
        }
    }

    /// `ip netns exec NAME PROGRAM…`, `ip vrf exec NAME PROGRAM…`.
    fn in_network(&mut self, arguments: &[Word]) {
        let object = arguments
            .iter()
            .position(|word| !word.text.starts_with('-'))
            .unwrap_or(arguments.len());
        let words = arguments.get(object..).unwrap_or_default();
        if let [object, exec, _, program @ ..] = words
            && (object.text.starts_with("net") || object.text == "vrf")
            && "exec".starts_with(exec.text.as_str())
        {
            self.runs(program.to_vec(), false);
        }
    }
}

/// What is attached to `option` in `text`, maybe nothing; `None`: it is another option.
fn value_of<'a>(text: &'a str, option: &str) -> Option<&'a str> {
    if option.starts_with("--") {
        let (name, value) = text.split_once('=').unwrap_or((text, ""));
        // getopt_long(3) lets it be cut.
        return (name.len() > "--x".len() && option.starts_with(name)).then_some(value);
    }
    let letter = option.chars().next_back()?;
    let letters = text
        .strip_prefix('-')
        .filter(|letters| !letters.starts_with('-'))?;
    letters.split_once(letter).map(|(_, attached)| attached)
}
