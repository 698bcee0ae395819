//! The enforcing mode: `exec` without `shell` under a filter with the default `deny`. What runs on the asset is what was
//! judged, whatever its login shell makes of a line: the asset's `execve` calls are compared, with hostile input.

use std::time::Duration;
use tests::{Lab, eventually};

const WAY: &str = "alice@dev@web1@bastion";
const TRACE: &str = "/tmp/executed";

/// The login shells of Debian that read a line most differently.
const SHELLS: &[&str] = &[
    "/bin/bash",
    "/bin/dash",
    "/usr/bin/zsh",
    "/usr/bin/fish",
    "/usr/local/bin/ash",
    "/bin/mksh",
    "/usr/bin/tcsh",
];

/// Each with the words that it is judged as, and that the program must be given: no more, no less, no others.
const PASSED: &[(&str, &[&str])] = &[
    (
        r#"show a "b c" 'd  e' f\ g # canary"#,
        &["show", "a", "b c", "d  e", "f g"],
    ),
    (
        r#"show '$HOME' '$(canary)' '`canary`' '; canary' '&& canary' '| canary' '& canary' '(canary)' ';canary;'"#,
        &[
            "show",
            "$HOME",
            "$(canary)",
            "`canary`",
            "; canary",
            "&& canary",
            "| canary",
            "& canary",
            "(canary)",
            ";canary;",
        ],
    ),
    (
        r#"show 'it'\''s' "a\"b" '"' "'" '\' 'a\' '\\' '\n' "\\'; canary #" '\'"'"'; canary; '"#,
        &[
            "show",
            "it's",
            "a\"b",
            "\"",
            "'",
            "\\",
            "a\\",
            "\\\\",
            "\\n",
            "\\'; canary #",
            "\\'; canary; ",
        ],
    ),
    (
        r#"show '*' '?' '[a-z]*' '{a,b}' '~' '~root' '=show' '-x' '--' '' "" '^a^b' '%1' '@' '#' '2>&1' '>/tmp/x' '<'"#,
        &[
            "show", "*", "?", "[a-z]*", "{a,b}", "~", "~root", "=show", "-x", "--", "", "", "^a^b",
            "%1", "@", "#", "2>&1", ">/tmp/x", "<",
        ],
    ),
    (
        r#"/usr/local/bin/show é漢字 'and' 'end; canary' "\$x" '$x[1]' '$'\''x' ''''a''"#,
        &[
            "/usr/local/bin/show",
            "é漢字",
            "and",
            "end; canary",
            "$x",
            "$x[1]",
            "$'x",
            "a",
        ],
    ),
    ("list one x", &["list", "one", "x"]),
];

/// Nothing of these may run. `show ...` and `list one *` are allowed, and nothing else is.
const REFUSED: &[&str] = &[
    "canary",
    "show; canary",
    "show\ncanary",
    "show\rcanary",
    "show && canary",
    "show || canary",
    "show | canary",
    "show & canary",
    "canary | show",
    "show $(canary)",
    "show `canary`",
    "show \"$(canary)\"",
    "show <(canary)",
    "show (canary)",
    "show > /tmp/x",
    "show < /etc/passwd",
    "show 2>/tmp/x",
    "show <<E\n$(canary)\nE",
    "show $HOME",
    "show \"${x:-$(canary)}\"",
    "show *",
    "show {a,b}",
    "show ~",
    "PATH=/tmp show",
    "env show",
    "command show",
    "\\command show",
    "exec show",
    "eval show",
    "'and' show",
    "show 'a!canary'",
    "show 'a\nb'",
    "show $'\\n' canary",
    "show 'a",
    "./show",
    "/tmp/show",
    "sh -c show",
    "sh",
    "list two",
    "list one x y",
    "list one /x",
    "list one -x",
    "{ show; }",
    "if show; then canary; fi",
    "show \u{f600}",
];

#[test]
fn what_runs_is_what_was_judged_whatever_the_login_shell() {
    let lab = Lab::everyday();
    let rules = "set -e
        jmsctl grant set everyday --rights exec
        jmsctl filter add listed --default deny
        jmsctl rule add listed --verdict allow --command 'show ...'
        jmsctl rule add listed --verdict allow --command 'list one *'
        jmsctl filter attach listed --user alice";
    drop(lab.bastion().run(rules).expect_status(0));
    let programs = "set -e; cd /usr/local/bin
        ln -s /bin/true show; ln -s /bin/true canary; ln -s /bin/true list; ln -s /bin/busybox ash
        cp /bin/true /tmp/show; touch ~dev/.hushlogin
        echo 'setopt rc_quotes extended_glob csh_junkie_quotes' > ~dev/.zshenv; chown dev: ~dev/.zshenv";
    drop(lab.web1().run(programs).expect_status(0));
    let tracer =
        "strace -f -qq -xx -s 65536 -e trace=execve -o /tmp/executed -p $(pgrep -o -x sshd)";
    let tracing = lab
        .web1()
        .command(["sh", "-c", &format!("exec {tracer}")])
        .spawn();
    eventually("the tracer writes", Duration::from_secs(20), || {
        lab.web1().has(TRACE)
    });

    for line in REFUSED {
        let outcome = lab
            .client()
            .ssh([WAY, line])
            .expect_status(126)
            .expect_stdout("");
        assert!(
            outcome
                .error_text()
                .starts_with("jms: denied by filter listed"),
            "{line:?}: {outcome}"
        );
    }
    let refused = executed(&lab);
    assert!(refused.is_empty(), "{refused:?}");
    // No shell, no files, no script.
    drop(
        lab.client()
            .ssh_on_terminal(["-tt", WAY])
            .wait()
            .expect_status(126),
    );
    drop(
        lab.client()
            .ssh_on_terminal(["-tt", WAY, "bash"])
            .wait()
            .expect_status(126),
    );
    drop(
        lab.client()
            .command("ssh", ["-T", WAY])
            .input("show\n")
            .run()
            .expect_status(126),
    );
    drop(
        lab.client()
            .command("ssh", [WAY, "sh -s"])
            .input("show\n")
            .run()
            .expect_status(126),
    );
    // On a terminal the same holds.
    drop(
        lab.client()
            .ssh_on_terminal(["-tt", WAY, "show; canary"])
            .wait()
            .expect_status(126),
    );

    for shell in SHELLS {
        drop(
            lab.web1()
                .run(format!("usermod -s {shell} dev"))
                .expect_status(0),
        );
        for (line, words) in PASSED {
            let before = executed(&lab).len();
            drop(lab.client().ssh([WAY, line]).expect_status(0));
            let ran = executed(&lab).split_off(before);
            assert_eq!(ran, [words.to_vec()], "{shell}: {line}");
        }
    }
    let mut tracing = tracing;
    tracing.kill();

    // Nothing of the user's environment goes along; without a filter it does.
    let marked = || {
        lab.client()
            .ssh(["-o", "SetEnv=LC_MARK=mine", WAY, "printenv LC_MARK"])
    };
    let rule = "jmsctl rule add listed --verdict allow --command 'printenv LC_MARK'";
    drop(lab.bastion().run(rule).expect_status(0));
    drop(marked().expect_status(1).expect_stdout(""));
    drop(
        lab.bastion()
            .run("jmsctl filter rm --yes listed")
            .expect_status(0),
    );
    drop(marked().expect_status(0).expect_stdout("mine\n"));
}

/// Arguments of every program of ours that the asset ran, in order.
fn executed(lab: &Lab) -> Vec<Vec<String>> {
    let trace = lab.web1().read_text(TRACE);
    let calls = trace
        .lines()
        .filter(|line| line.contains("execve(") && line.trim_end().ends_with("= 0"));
    let arguments = calls.filter_map(|line| {
        let (_, list) = line.split_once(", [")?;
        let (list, _) = list.split_once("], ")?;
        Some(list.split(", ").map(decoded).collect::<Vec<String>>())
    });
    let ours = |words: &Vec<String>| {
        let name = words
            .first()
            .map_or("", |word| word.rsplit('/').next().unwrap_or(word));
        ["show", "canary", "list"].contains(&name)
    };
    arguments.filter(ours).collect()
}

/// `"\x61\x62"` as it is.
fn decoded(hexadecimal: &str) -> String {
    let text = hexadecimal.trim_matches('"');
    let bytes: Vec<u8> = text
        .split("\\x")
        .filter(|digits| !digits.is_empty())
        .map(|digits| u8::from_str_radix(digits, 16).expect("two digits"))
        .collect();
    String::from_utf8(bytes).expect("text")
}
