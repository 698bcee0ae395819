//! Programs that start the program named in their arguments, and where it stands there.
//!
//! From their manual pages: sudo(8), doas(1), env(1), xargs(1), ssh(1), … An option that is missing here and takes a
//! value of its own makes that value look like the program; what runs then is not found.

/// What stands behind a wrapper's own options and operands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Then {
    /// A program and its arguments.
    Program,
    /// A program and its arguments, to which others are added that the line does not show.
    ProgramAndMore,
    /// Words that are joined by blanks and given to a shell.
    Shell,
    /// The same, and others are added that the line may show behind `:::`.
    ShellAndMore,
}

/// One wrapper, or several that are alike.
pub struct Wrapper {
    pub names: &'static [&'static str],
    /// Letters of options that take a value.
    pub letters: &'static str,
    /// Long options that take one.
    pub long: &'static [&'static str],
    /// Options whose value is a command line for a shell.
    pub scripts: &'static [&'static str],
    /// `NAME=VALUE` may stand before the program.
    pub assignments: bool,
    /// How many operands of its own come first.
    pub operands: usize,
    pub then: Then,
    /// Without a program it starts a shell, which reads standard input.
    pub shell_alone: bool,
}

const fn plain(names: &'static [&'static str], letters: &'static str) -> Wrapper {
    Wrapper {
        names,
        letters,
        long: &[],
        scripts: &[],
        assignments: false,
        operands: 0,
        then: Then::Program,
        shell_alone: false,
    }
}

pub const WRAPPERS: &[Wrapper] = &[
    plain(
        &[
            "nohup",
            "setsid",
            "command",
            "builtin",
            "noglob",
            "nocorrect",
            "-",
            "and",
            "or",
            "not",
            "begin",
            "busybox",
            "toybox",
            "fakeroot",
            "unbuffer",
            "eatmydata",
            "dbus-run-session",
        ],
        "",
    ),
    plain(&["exec"], "a"),
    Wrapper {
        long: &["format", "output"],
        ..plain(&["time"], "fo")
    },
    Wrapper {
        long: &["input", "output", "error"],
        ..plain(&["stdbuf"], "ioe")
    },
    Wrapper {
        long: &[
            "chdir",
            "close-from",
            "group",
            "host",
            "prompt",
            "chroot",
            "role",
            "command-timeout",
            "type",
            "other-user",
            "user",
        ],
        assignments: true,
        shell_alone: true,
        ..plain(&["sudo"], "CDghpRrTtUu")
    },
    Wrapper {
        shell_alone: true,
        ..plain(&["doas"], "aCu")
    },
    Wrapper {
        long: &["user"],
        ..plain(&["pkexec"], "")
    },
    Wrapper {
        long: &["unset", "chdir", "argv0"],
        scripts: &["-S", "--split-string"],
        assignments: true,
        ..plain(&["env"], "uCaS")
    },
    Wrapper {
        long: &["adjustment"],
        ..plain(&["nice"], "n")
    },
    Wrapper {
        long: &["class", "classdata", "pid", "pgid", "uid"],
        ..plain(&["ionice"], "cnpPu")
    },
    Wrapper {
        long: &["kill-after", "signal"],
        operands: 1,
        ..plain(&["timeout"], "ks")
    },
    Wrapper {
        operands: 1,
        ..plain(&["repeat", "gosu", "taskset"], "")
    },
    Wrapper {
        operands: 1,
        long: &["sched-runtime", "sched-period", "sched-deadline"],
        ..plain(&["chrt"], "TPD")
    },
    Wrapper {
        operands: 1,
        long: &["userspec", "groups"],
        shell_alone: true,
        ..plain(&["chroot"], "")
    },
    Wrapper {
        operands: 1,
        long: &["wait", "timeout", "conflict-exit-code"],
        scripts: &["-c", "--command"],
        ..plain(&["flock"], "wEc")
    },
    Wrapper {
        long: &[
            "target",
            "setuid",
            "setgid",
            "root",
            "wd",
            "map-user",
            "map-group",
        ],
        shell_alone: true,
        ..plain(&["nsenter", "unshare"], "tSGRw")
    },
    Wrapper {
        long: &[
            "reuid",
            "regid",
            "groups",
            "inh-caps",
            "ambient-caps",
            "bounding-set",
        ],
        ..plain(&["setpriv"], "")
    },
    Wrapper {
        long: &[
            "unit",
            "property",
            "description",
            "slice",
            "uid",
            "gid",
            "nice",
            "working-directory",
            "setenv",
            "service-type",
            "host",
            "machine",
            "on-active",
            "on-calendar",
        ],
        ..plain(&["systemd-run", "run0"], "puEdHM")
    },
    plain(&["strace", "ltrace"], "abeEIoOpPsSuUX"),
    Wrapper {
        long: &[
            "arg-file",
            "delimiter",
            "max-args",
            "max-procs",
            "max-chars",
            "process-slot-var",
        ],
        then: Then::ProgramAndMore,
        ..plain(&["xargs"], "aEILnPsd")
    },
    Wrapper {
        long: &[
            "jobs",
            "arg-file",
            "delimiter",
            "max-args",
            "sshlogin",
            "joblog",
            "delay",
        ],
        then: Then::ShellAndMore,
        ..plain(&["parallel"], "aCdEIjLNnPSs")
    },
    Wrapper {
        long: &["interval", "equexit"],
        then: Then::Shell,
        ..plain(&["watch"], "nq")
    },
    Wrapper {
        operands: 1,
        scripts: &["-c"],
        then: Then::Shell,
        ..plain(&["sg"], "c")
    },
    Wrapper {
        operands: 1,
        then: Then::Shell,
        shell_alone: true,
        ..plain(&["ssh"], "BbcDEeFIiJLlmOoPpQRSWw")
    },
    Wrapper {
        then: Then::Shell,
        ..plain(&["eval"], "")
    },
    Wrapper {
        long: &["user", "group", "supp-group", "shell"],
        scripts: &["-c", "--command", "--session-command"],
        shell_alone: true,
        ..plain(&["runuser"], "cugGsw")
    },
    // They run later what their standard input says.
    Wrapper {
        operands: usize::MAX,
        shell_alone: true,
        ..plain(&["at", "batch"], "fqt")
    },
    // The command to start is an option's value; the operands are a user, a file, signals.
    Wrapper {
        operands: usize::MAX,
        long: &[
            "group",
            "shell",
            "supp-group",
            "user",
            "whitelist-environment",
        ],
        scripts: &["-c", "--command", "--session-command"],
        shell_alone: true,
        ..plain(&["su"], "cgGsw")
    },
    Wrapper {
        operands: usize::MAX,
        scripts: &["-c", "--command"],
        ..plain(&["script"], "cBEIoOmT")
    },
];

/// Shells: `-c` is followed by a script, no operand means that standard input is one.
pub const SHELLS: &[&str] = &[
    "sh", "bash", "rbash", "dash", "ash", "zsh", "rzsh", "ksh", "ksh93", "mksh", "lksh", "pdksh",
    "fish", "csh", "tcsh", "yash",
];

/// Interpreters that read a program from standard input if they get no operand.
pub const INTERPRETERS: &[&str] = &[
    "python", "python2", "python3", "perl", "ruby", "node", "php", "lua", "tclsh", "guile",
    "mysql", "mariadb", "psql", "sqlite3",
];

/// Letters of options whose value is a script in an interpreter's own language.
pub fn script_letters(name: &str) -> &'static str {
    let stem = name.trim_end_matches(|last: char| last.is_ascii_digit() || last == '.');
    match stem {
        "python" | "psql" => "c",
        "perl" => "eE",
        "ruby" | "lua" | "mysql" | "mariadb" => "e",
        "node" => "ep",
        "php" => "r",
        "guile" => "ce",
        _ => "",
    }
}
