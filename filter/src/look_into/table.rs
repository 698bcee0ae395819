//! Programs that start the program named in their arguments, and where it stands there.
//!
//! From their manual pages: sudo(8), doas(1), env(1), xargs(1), ssh(1), … An option that is missing here might take a value of
//! its own, which would then look like the program: who uses one is opaque.

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
    /// Letters of options that take none.
    pub flags: &'static str,
    /// Letters of options whose value, if they have one, is attached.
    pub optional: &'static str,
    /// Long options that take a value.
    pub long: &'static [&'static str],
    /// Long options that take none, or only one behind `=`.
    pub long_flags: &'static [&'static str],
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

const fn plain(
    names: &'static [&'static str],
    letters: &'static str,
    flags: &'static str,
) -> Wrapper {
    Wrapper {
        names,
        letters,
        flags,
        optional: "",
        long: &[],
        long_flags: &[],
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
            "builtin",
            "noglob",
            "nocorrect",
            "-",
            "and",
            "or",
            "not",
            "begin",
            "busybox",
            "busybox.static",
            "toybox",
            "eatmydata",
            "torify",
            "torsocks",
            "dumb-init",
            "catchsegv",
        ],
        "",
        "",
    ),
    plain(&["command"], "", "pvV"),
    plain(&["unbuffer"], "", "p"),
    plain(&["proxychains", "proxychains4"], "f", "q"),
    Wrapper {
        long_flags: &["ctty", "fork", "wait"],
        ..plain(&["setsid"], "", "cfw")
    },
    Wrapper {
        long: &["lib", "faked", "fd-base"],
        long_flags: &["unknown-is-real"],
        ..plain(&["fakeroot"], "ilsb", "u")
    },
    Wrapper {
        long: &["config-file", "dbus-daemon"],
        ..plain(&["dbus-run-session"], "", "")
    },
    plain(&["exec"], "a", "cl"),
    Wrapper {
        long: &["format", "output"],
        long_flags: &["append", "portability", "quiet", "verbose"],
        ..plain(&["time"], "fo", "apqvV")
    },
    Wrapper {
        long: &["input", "output", "error"],
        ..plain(&["stdbuf"], "ioe", "")
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
        long_flags: &[
            "askpass",
            "background",
            "bell",
            "edit",
            "list",
            "login",
            "no-update",
            "non-interactive",
            "preserve-env",
            "preserve-groups",
            "remove-timestamp",
            "reset-timestamp",
            "set-home",
            "shell",
            "stdin",
            "validate",
        ],
        assignments: true,
        shell_alone: true,
        ..plain(&["sudo"], "CDghpRrTtUu", "AbBEeHiKklNnPSsVv")
    },
    Wrapper {
        shell_alone: true,
        ..plain(&["doas"], "aCu", "Lns")
    },
    Wrapper {
        long: &["user"],
        long_flags: &["disable-internal-agent", "keep-cwd"],
        shell_alone: true,
        ..plain(&["pkexec"], "u", "")
    },
    Wrapper {
        long: &["unset", "chdir", "argv0"],
        long_flags: &[
            "block-signal",
            "debug",
            "default-signal",
            "ignore-environment",
            "ignore-signal",
            "list-signal-handling",
            "null",
        ],
        scripts: &["-S", "--split-string"],
        assignments: true,
        ..plain(&["env"], "uCaS", "i0v")
    },
    Wrapper {
        long: &["adjustment"],
        ..plain(&["nice"], "n", "0123456789")
    },
    Wrapper {
        long: &["class", "classdata", "pid", "pgid", "uid"],
        long_flags: &["ignore"],
        ..plain(&["ionice"], "cnpPu", "t")
    },
    Wrapper {
        long: &["kill-after", "signal"],
        long_flags: &["foreground", "preserve-status", "verbose"],
        operands: 1,
        ..plain(&["timeout"], "ks", "fpv")
    },
    Wrapper {
        long_flags: &["all-tasks", "cpu-list", "pid"],
        operands: 1,
        ..plain(&["taskset"], "", "acp")
    },
    Wrapper {
        operands: 1,
        ..plain(&["repeat", "gosu", "su-exec"], "", "")
    },
    Wrapper {
        operands: 1,
        long: &["sched-runtime", "sched-period", "sched-deadline"],
        long_flags: &[
            "all-tasks",
            "batch",
            "deadline",
            "ext",
            "fifo",
            "idle",
            "max",
            "other",
            "pid",
            "reset-on-fork",
            "rr",
            "verbose",
        ],
        ..plain(&["chrt"], "TPD", "abdefimoprRv")
    },
    Wrapper {
        operands: 1,
        long: &["userspec", "groups"],
        long_flags: &["skip-chdir"],
        shell_alone: true,
        ..plain(&["chroot"], "", "")
    },
    Wrapper {
        operands: 1,
        long: &["wait", "timeout", "conflict-exit-code"],
        long_flags: &[
            "close",
            "exclusive",
            "nb",
            "no-fork",
            "nonblock",
            "nonblocking",
            "shared",
            "unlock",
            "verbose",
        ],
        scripts: &["-c", "--command"],
        ..plain(&["flock"], "wEc", "sexnuoFv")
    },
    Wrapper {
        long: &["target", "setuid", "setgid", "wdns", "net-socket"],
        long_flags: &[
            "all",
            "cgroup",
            "env",
            "follow-context",
            "ipc",
            "join-cgroup",
            "keep-caps",
            "mount",
            "net",
            "no-fork",
            "pid",
            "preserve-credentials",
            "root",
            "time",
            "user",
            "user-parent",
            "uts",
            "wd",
        ],
        optional: "muinpUCTrw",
        shell_alone: true,
        ..plain(&["nsenter"], "tSGWN", "aceFZ")
    },
    Wrapper {
        long: &[
            "boottime",
            "load-interp",
            "map-group",
            "map-groups",
            "map-user",
            "map-users",
            "monotonic",
            "propagation",
            "root",
            "setgid",
            "setgroups",
            "setuid",
            "wd",
        ],
        long_flags: &[
            "cgroup",
            "fork",
            "forward-signals",
            "ipc",
            "keep-caps",
            "kill-child",
            "map-auto",
            "map-current-user",
            "map-root-user",
            "mount",
            "mount-binfmt",
            "mount-proc",
            "net",
            "pid",
            "time",
            "user",
            "uts",
        ],
        optional: "muinpUCT",
        shell_alone: true,
        ..plain(&["unshare"], "RSGwl", "cfr")
    },
    Wrapper {
        long: &[
            "ambient-caps",
            "apparmor-profile",
            "bounding-set",
            "egid",
            "euid",
            "groups",
            "inh-caps",
            "landlock-access",
            "landlock-rule",
            "pdeathsig",
            "ptracer",
            "regid",
            "reuid",
            "rgid",
            "ruid",
            "seccomp-filter",
            "securebits",
            "selinux-label",
        ],
        long_flags: &[
            "clear-groups",
            "dump",
            "init-groups",
            "keep-groups",
            "list-caps",
            "nnp",
            "no-new-privs",
            "reset-env",
        ],
        ..plain(&["setpriv"], "", "d")
    },
    Wrapper {
        long: &[
            "background",
            "description",
            "gid",
            "host",
            "job-mode",
            "machine",
            "nice",
            "on-active",
            "on-boot",
            "on-calendar",
            "on-startup",
            "on-unit-active",
            "on-unit-inactive",
            "path-property",
            "property",
            "service-type",
            "setenv",
            "slice",
            "socket-property",
            "timer-property",
            "uid",
            "unit",
            "working-directory",
        ],
        long_flags: &[
            "collect",
            "expand-environment",
            "ignore-failure",
            "no-ask-password",
            "no-block",
            "on-clock-change",
            "on-timezone-change",
            "pipe",
            "pty",
            "quiet",
            "remain-after-exit",
            "same-dir",
            "scope",
            "send-sighup",
            "shell",
            "slice-inherit",
            "system",
            "user",
            "wait",
        ],
        shell_alone: true,
        ..plain(&["systemd-run"], "puEHMC", "dGPqrSt")
    },
    Wrapper {
        long: &[
            "background",
            "chdir",
            "description",
            "group",
            "machine",
            "nice",
            "property",
            "setenv",
            "slice",
            "unit",
            "user",
        ],
        long_flags: &["no-ask-password", "pipe", "pty", "slice-inherit"],
        shell_alone: true,
        ..plain(&["run0"], "ugDMp", "")
    },
    Wrapper {
        long: &[
            "attach",
            "env",
            "output",
            "string-limit",
            "summary-sort-by",
            "trace",
            "user",
        ],
        long_flags: &[
            "follow-forks",
            "output-separately",
            "summary",
            "summary-only",
        ],
        ..plain(&["strace"], "abeEIoOpPsSuUX", "cCdDfFhiknNqrtTvVwxyYzZA")
    },
    Wrapper {
        long: &["output", "library"],
        ..plain(&["ltrace"], "AaDeFlnopsuwx", "bcCfiLrStTV")
    },
    Wrapper {
        long: &[
            "arg-file",
            "delimiter",
            "max-args",
            "max-procs",
            "max-chars",
            "process-slot-var",
        ],
        long_flags: &[
            "eof",
            "exit",
            "interactive",
            "max-lines",
            "no-run-if-empty",
            "null",
            "open-tty",
            "replace",
            "show-limits",
            "verbose",
        ],
        optional: "iel",
        then: Then::ProgramAndMore,
        ..plain(&["xargs"], "aEILnPsd", "0oprtx")
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
        shell_alone: true,
        ..plain(&["parallel"], "aCdEIjLnNPSs", "0kmqrtuvXx")
    },
    Wrapper {
        long: &["interval", "equexit", "shotsdir"],
        long_flags: &[
            "beep",
            "chgexit",
            "color",
            "differences",
            "errexit",
            "exec",
            "follow",
            "no-color",
            "no-linewrap",
            "no-rerun",
            "no-title",
            "no-wrap",
            "precise",
        ],
        optional: "d",
        then: Then::Shell,
        ..plain(&["watch"], "nqs", "bcCefgprtwx")
    },
    Wrapper {
        operands: 1,
        scripts: &["-c"],
        then: Then::Shell,
        shell_alone: true,
        ..plain(&["sg"], "c", "")
    },
    Wrapper {
        operands: 1,
        then: Then::Shell,
        shell_alone: true,
        ..plain(
            &["ssh"],
            "BbcDEeFIiJLlmOoPpQRSWw",
            "46AaCfGgKkMNnqsTtVvXxYy",
        )
    },
    Wrapper {
        then: Then::Shell,
        ..plain(&["eval"], "", "")
    },
    Wrapper {
        long: &[
            "user",
            "group",
            "supp-group",
            "shell",
            "whitelist-environment",
        ],
        long_flags: &["fast", "login", "no-pty", "preserve-environment", "pty"],
        scripts: &["-c", "--command", "--session-command"],
        shell_alone: true,
        ..plain(&["runuser"], "cugGsw", "flmpPT")
    },
    Wrapper {
        shell_alone: true,
        ..plain(&["linux32", "linux64", "i386", "x86_64"], "", "3BFILRSTXZv")
    },
    Wrapper {
        operands: usize::MAX,
        shell_alone: true,
        ..plain(&["newgrp", "login"], "h", "fp")
    },
    Wrapper {
        operands: 1,
        long_flags: &["addr-no-randomize", "uname-2.6", "verbose"],
        shell_alone: true,
        ..plain(&["setarch"], "", "3BFILRSTXZv")
    },
    Wrapper {
        long: &["pid", "output"],
        long_flags: &["noheadings", "raw", "verbose"],
        optional: "cdefilmnqrstuvxy",
        ..plain(&["prlimit"], "po", "")
    },
    Wrapper {
        long: &["adjust", "pid"],
        ..plain(&["choom"], "np", "")
    },
    Wrapper {
        long: &[
            "cpunodebind",
            "interleave",
            "localalloc",
            "membind",
            "physcpubind",
            "preferred",
        ],
        ..plain(&["numactl"], "CNimp", "abl")
    },
    plain(&["sshpass"], "fdpP", "ev"),
    plain(&["valgrind", "rlwrap"], "", ""),
    Wrapper {
        operands: 1,
        ..plain(&["perf"], "", "")
    },
    // They run later what their standard input says.
    Wrapper {
        operands: usize::MAX,
        shell_alone: true,
        ..plain(&["at", "batch"], "fqt", "bcdlmMrvV")
    },
    // The command to start is an option's value; the operands are a user and what its shell is told.
    Wrapper {
        operands: usize::MAX,
        long: &[
            "group",
            "shell",
            "supp-group",
            "user",
            "whitelist-environment",
        ],
        long_flags: &["fast", "login", "no-pty", "preserve-environment", "pty"],
        scripts: &["-c", "--command", "--session-command"],
        shell_alone: true,
        ..plain(&["su"], "cgGsw", "flmpPT")
    },
    Wrapper {
        operands: usize::MAX,
        long: &[
            "echo",
            "log-in",
            "log-io",
            "log-out",
            "log-timing",
            "logging-format",
            "output-limit",
        ],
        long_flags: &["append", "flush", "force", "quiet", "return", "timing"],
        optional: "t",
        scripts: &["-c", "--command"],
        shell_alone: true,
        ..plain(&["script"], "cBEIoOmT", "aefq")
    },
];
