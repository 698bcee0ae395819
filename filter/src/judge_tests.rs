use super::judge;
use crate::context::{Context, Language};
use crate::rule::{Filter, FilterText, Matching, RuleText};
use crate::verdict::Verdict;

fn compile(default: Verdict, rules: &[RuleText]) -> Filter {
    let text = FilterText {
        name: "f".to_owned(),
        default,
        rules: rules.to_vec(),
    };
    Filter::compile(&text).expect("rules")
}

fn command(text: &str) -> Matching {
    Matching::Command(text.to_owned())
}

fn regex(text: &str) -> Matching {
    Matching::Regex(text.to_owned())
}

fn filter(default: Verdict, rules: &[(Verdict, Matching)]) -> Filter {
    let rules: Vec<RuleText> = rules
        .iter()
        .zip(1..)
        .map(|((verdict, matching), id)| RuleText {
            id,
            priority: 50,
            verdict: *verdict,
            matching: matching.clone(),
            ignore_case: false,
        })
        .collect();
    compile(default, &rules)
}

fn verdict(filters: &[Filter], line: &str) -> Verdict {
    judge(filters, line, Context::EXEC).verdict
}

fn denied_by(pattern: &str, line: &str) -> bool {
    let filter = filter(Verdict::Allow, &[(Verdict::Deny, command(pattern))]);
    verdict(&[filter], line) == Verdict::Deny
}

fn allowed_by(pattern: &str, line: &str) -> bool {
    let filter = filter(Verdict::Deny, &[(Verdict::Allow, command(pattern))]);
    verdict(&[filter], line) == Verdict::Allow
}

#[test]
fn what_dash_runs_before_an_ampersand_is_not_allowed_for_what_stands_behind_it() {
    let allow = |words: &str| (Verdict::Allow, command(words));
    let only = [filter(Verdict::Deny, &[allow("env ls"), allow("ls")])];
    assert_eq!(verdict(&only, "env ls"), Verdict::Allow);
    assert_eq!(verdict(&only, "ls &>/dev/null"), Verdict::Allow);
    assert_eq!(verdict(&only, "env &>/dev/null ls"), Verdict::Deny);
}

#[test]
fn a_sentence_holds_no_control_characters_of_the_line_that_it_is_about() {
    let only_ls = [filter(Verdict::Deny, &[(Verdict::Allow, command("ls"))])];
    for line in [
        "rm \x1b[2Jx\ty",
        "\u{9b}2J",
        // What a shell would not expect there stands in the reason.
        "(ls) \x1b]0;title\x07",
        "{ ls; } \x1b[31m",
        "#\n(#\n(z?(((()\0\0\0()",
        &format!("(ls) {}", "\x1b[31m".repeat(1000)),
    ] {
        let judgement = judge(&only_ls, line, Context::EXEC);
        assert_eq!(judgement.verdict, Verdict::Deny, "{line:?}");
        let mut said = vec![judgement.sentence()];
        let reasons = judgement
            .findings
            .iter()
            .map(|found| found.reason.to_string());
        said.extend(reasons);
        said.extend(judgement.opaque().map(|opaque| opaque.to_string()));
        for sentence in said {
            assert!(!sentence.contains(char::is_control), "{sentence:?}");
            assert!(sentence.len() < 600, "{sentence:?}");
        }
    }
}

#[test]
fn an_argument_that_hides_may_be_what_a_rule_forbids() {
    let open = filter(Verdict::Allow, &[(Verdict::Deny, command("rm -rf"))]);
    let rules = [
        (Verdict::Deny, command("rm -rf")),
        (Verdict::Deny, command("rm /etc/passwd")),
        (Verdict::Allow, command("rm")),
        (Verdict::Allow, command("echo")),
        (Verdict::Allow, command("xargs rm")),
    ];
    let strict = filter(Verdict::Deny, &rules);
    for line in [
        "rm $x /",
        "rm ${x:--rf} /",
        "rm $(echo -rf) /",
        "rm -r* /",
        "rm *",
        "rm -r \"$@\"",
        "rm {-rf,x}",
        "rm a$x",
        "echo a | xargs rm",
    ] {
        let judged = judge(std::slice::from_ref(&open), line, Context::EXEC);
        assert!(judged.opaque().is_some(), "{line:?}");
        assert_eq!(judged.verdict, Verdict::Allow, "{line:?}");
        assert_eq!(
            verdict(std::slice::from_ref(&strict), line),
            Verdict::Deny,
            "{line:?}"
        );
    }
    // No flag, and no such file.
    for line in [
        "rm x",
        "rm \"a$x\"",
        "rm -r -- \"$x\"",
        "rm r*",
        "rm ./*",
        "rm \"$d\"/x",
        "rm -r *.old",
    ] {
        let judged = judge(std::slice::from_ref(&open), line, Context::EXEC);
        assert_eq!(judged.opaque(), None, "{line:?}");
    }
    // Before the rule that may forbid it, another one allows it.
    let mut earlier = rules.map(|(verdict, matching)| RuleText {
        id: 1,
        priority: 50,
        verdict,
        matching,
        ignore_case: false,
    });
    earlier[2].priority = 1;
    let earlier = compile(Verdict::Deny, &earlier);
    assert_eq!(verdict(&[earlier], "rm $x"), Verdict::Allow);
}

#[test]
fn a_value_that_is_listed_allows_no_other() {
    for (pattern, line) in [
        (
            "cp --target-directory=/backup f",
            "cp --target-directory=/etc f",
        ),
        ("cp -t/backup f", "cp -t/etc f"),
        ("cp -t /backup f", "cp /backup -t f"),
        ("systemctl -Hweb1 status x", "systemctl -Hevil status x"),
        ("kill -sTERM 1", "kill -sKILL 1"),
        ("tail -n5 f", "tail -n99999 f"),
        ("rm -r x", "rm -rf x"),
        ("rm -r x", "rm -- -r x"),
    ] {
        assert!(allowed_by(pattern, pattern), "{pattern:?}");
        assert!(!allowed_by(pattern, line), "{line:?}");
    }
    for line in [
        "rm -fr x",
        "rm -f -r x",
        "rm --force --recursive x",
        "/bin/rm -R -f x",
    ] {
        assert!(allowed_by("rm -rf x", line), "{line:?}");
    }
}

#[test]
fn a_forbidden_command_is_found_in_every_spelling() {
    for line in [
        "rm -rf x",
        "rm -fr x",
        "rm -r -f x",
        "rm x -r -f",
        "rm --recursive --force x",
        "rm --rec --fo x",
        "rm -R -f x",
        "rm -rvf x",
        "/bin/rm -r -f x",
        "\\rm -rf x",
        "r''m -r\"f\" x",
        "A=1 rm -rf x",
        "ls; rm -rf x",
        "ls && sudo rm -rf x",
        "echo $(rm -rf x)",
        "xargs rm -rf",
        "find . -exec rm -rf {} +",
        "sh -c 'rm -rf x'",
        "rm -rf x >/dev/null 2>&1 &",
        "f() { rm -rf x; }",
        "if; rm -rf x",
        "echo 'unclosed; rm -rf x",
    ] {
        assert!(denied_by("rm -rf", line), "{line:?}");
    }
}

#[test]
fn a_command_that_only_looks_like_it_is_not() {
    for line in [
        "alarm -rf x",
        "echo rm -rf x",
        "rm x",
        "rm -r x",
        "rm -- -rf",
        "rm -f -- -r",
        "grep 'rm -rf' log",
        "rmdir -rf",
        "cat <<E\nrm -rf x\nE\n",
        "ls # rm -rf x",
        "x='rm -rf y'",
    ] {
        assert!(!denied_by("rm -rf", line), "{line:?}");
    }
}

#[test]
fn words_of_a_pattern_are_looked_for_in_their_order() {
    assert!(denied_by(
        "systemctl stop sshd",
        "systemctl --no-block stop nginx sshd"
    ));
    assert!(!denied_by(
        "systemctl stop sshd",
        "systemctl start sshd; systemctl stop nginx"
    ));
    assert!(denied_by("rm -rf /", "rm -rf /"));
    assert!(denied_by("rm -rf /", "rm -rf //./x/.."));
    assert!(!denied_by("rm -rf /", "rm -rf /tmp"));
    assert!(denied_by("rm /etc/*", "rm /etc/passwd"));
    assert!(!denied_by("rm /etc/*", "rm /etc/ssh/x"));
    assert!(denied_by("find -delete", "find /x -type f -delete"));
}

#[test]
fn what_is_allowed_is_exactly_what_is_listed() {
    for (pattern, line) in [
        ("ls", "ls"),
        ("ls", "ls -la /tmp *.txt ~"),
        ("ls", "/bin/ls x"),
        ("ls", "ls 2>/dev/null"),
        ("systemctl status nginx", "systemctl status nginx"),
        ("systemctl status *", "systemctl status nginx"),
        ("cat /var/log/*.log", "cat /var/log/a.log"),
        ("tar -tf ...", "tar -tf x y"),
        ("rm -rf /tmp/x", "rm -f --recursive /tmp/x"),
        (
            "sudo systemctl restart nginx",
            "sudo systemctl restart nginx",
        ),
    ] {
        assert!(allowed_by(pattern, line), "{pattern:?} {line:?}");
    }
    for (pattern, line) in [
        ("ls", "ls; rm x"),
        ("ls", "ls $(rm x)"),
        ("ls", "./ls"),
        ("ls", "/tmp/ls"),
        ("ls", "~/ls"),
        ("ls", "../bin/ls"),
        ("ls", "ls >file"),
        ("ls", "LD_PRELOAD=x ls"),
        ("ls", "PATH=.; ls"),
        ("ls", ">file"),
        ("ls", "sudo ls"),
        ("ls", "$x"),
        ("ls", "l$x"),
        ("ls", "ls 'x"),
        ("ls", "ls() { ls; }; ls | sh"),
        ("sh", "sh -c 'rm x'"),
        ("sh", "echo rm | sh"),
        ("sudo", "sudo rm x"),
        ("ls", "xargs ls"),
        ("systemctl status nginx", "systemctl status nginx sshd"),
        ("systemctl status nginx", "systemctl -H evil status nginx"),
        ("systemctl status *", "systemctl status --no-pager"),
        ("systemctl status *", "systemctl status $x"),
        ("cat /var/log/*", "cat /var/log/../../etc/shadow"),
        ("cat /var/log/*", "cat /var/log/.."),
        ("cat /var/log/*", "cat /var/log/a/b"),
        ("git pull", "git -c core.x=y pull"),
        ("rm -f x", "rm -rf x"),
    ] {
        assert!(!allowed_by(pattern, line), "{pattern:?} {line:?}");
    }
}

#[test]
fn the_first_rule_by_priority_speaks_and_ties_deny() {
    let rule = |id, priority, verdict, text| RuleText {
        id,
        priority,
        verdict,
        matching: command(text),
        ignore_case: false,
    };
    let rules = [
        rule(1, 10, Verdict::Allow, "rm /tmp/x"),
        rule(2, 20, Verdict::Deny, "rm"),
        rule(3, 30, Verdict::Warn, "ls"),
        rule(4, 30, Verdict::Confirm, "ls"),
        rule(5, 30, Verdict::Allow, "ls"),
    ];
    let filter = [compile(Verdict::Allow, &rules)];
    assert_eq!(verdict(&filter, "rm /tmp/x"), Verdict::Allow);
    assert_eq!(verdict(&filter, "rm /tmp/x y"), Verdict::Deny);
    assert_eq!(verdict(&filter, "rm /tmp/x; ls"), Verdict::Confirm);
    assert_eq!(verdict(&filter, "ls; rm y"), Verdict::Deny);
    assert_eq!(verdict(&filter, "id"), Verdict::Allow);
}

#[test]
fn of_several_filters_the_strictest_holds() {
    let filters = [
        filter(Verdict::Allow, &[(Verdict::Warn, command("ls"))]),
        filter(Verdict::Allow, &[(Verdict::Deny, command("rm"))]),
    ];
    assert_eq!(verdict(&filters, "ls"), Verdict::Warn);
    assert_eq!(verdict(&filters, "ls; rm"), Verdict::Deny);
    assert_eq!(verdict(&[], "rm"), Verdict::Allow);
}

#[test]
fn expressions_are_looked_for_in_each_command_and_in_the_line() {
    let denied = |text: &str, line: &str| {
        let filter = filter(Verdict::Allow, &[(Verdict::Deny, regex(text))]);
        verdict(&[filter], line) == Verdict::Deny
    };
    assert!(denied(r"^\s*rm\b", "rm x"));
    assert!(denied(r"^\s*rm\b", "ls; rm x"));
    assert!(denied(r"^\s*rm\b", "/bin/rm x"));
    assert!(denied(r"^\s*rm\b", "r\\m x"));
    assert!(denied(r"^\s*rm\b", "sudo rm x"));
    assert!(denied(r"^\s*rm\b", "for f in a; do\nrm $f\ndone"));
    assert!(denied(r";\s*rm\b", "ls; rm x"));
    assert!(!denied(r"^\s*rm\b", "echo rm x"));
    assert!(!denied(r"^\s*rm\b", "cat <<E\nrm x\nE"));
    let allowed = |text: &str, line: &str| {
        let filter = filter(Verdict::Deny, &[(Verdict::Allow, regex(text))]);
        verdict(&[filter], line) == Verdict::Allow
    };
    assert!(allowed("ls|id", "ls; id"));
    assert!(allowed("l|ls", "ls"));
    assert!(!allowed("ls", "ls; rm x"));
    assert!(!allowed("ls", "lsof"));
    assert!(!allowed("ls .*", "ls $(rm x)"));
    assert!(!allowed("ls .*", "ls $x"));
    assert!(!allowed("ls.*", "ls >x"));
    let text = filter(
        Verdict::Allow,
        &[(Verdict::Deny, regex(r"(?i)drop\s+table"))],
    );
    assert_eq!(
        judge(
            &[text],
            "DROP  TABLE x;",
            Context::TERMINAL.in_language(Language::Text)
        )
        .verdict,
        Verdict::Deny
    );
}

#[test]
fn a_rule_that_is_none_is_an_error() {
    for matching in [
        command(""),
        command("ls; rm"),
        command("ls > x"),
        command("$x"),
        command("'ls"),
        command("A=1 ls"),
        regex(""),
        regex("("),
        regex("a)(b"),
        regex("x*"),
        regex(r"\w{500}{500}"),
    ] {
        let rule = RuleText {
            id: 7,
            priority: 1,
            verdict: Verdict::Deny,
            matching: matching.clone(),
            ignore_case: false,
        };
        assert!(crate::rule::check(&rule).is_err(), "{matching:?}");
    }
}

#[test]
fn tricks_of_those_who_know_shells_are_seen_through_or_said_to_be_opaque() {
    let filters = [filter(
        Verdict::Allow,
        &[(Verdict::Deny, command("rm -rf"))],
    )];
    for line in [
        "$'\\x72\\155' -rf x",
        "r\\\nm -rf x",
        "\"r\"m -r''f x",
        "((rm -rf x))",
        "echo $'a\\'; rm -rf x #'",
        "echo \"${x:-'$(rm -rf x)'}\"",
        ". /dev/stdin <<< 'rm -rf x'",
        "source /dev/fd/0 <<E\nrm -rf x\nE",
        "echo 'rm -rf x' | sh",
        "sh -c \"$(echo rm -rf x)\"",
        "rm${IFS}-rf${IFS}x",
        "{rm,-rf,x}",
        "r$@m -rf x",
        "x=rm; $x -rf y; rm=-rf; y=rm -rf z; $y",
        "parallel 'rm -rf {}' ::: x",
        "parallel ::: 'rm -rf x'",
        "at now <<< 'rm -rf x'",
        "perl -e 'system(\"rm -rf x\")'",
        "python3 -c 'import os; os.system(\"rm -rf x\")'",
        "coproc rm -rf x",
        "!rm -rf x; rm -rf y",
        "rm >/dev/null -rf x",
        "2>&1 rm -rf x",
        "</dev/null rm -rf x",
        "cat <(rm -rf x)",
        "case a in a) rm -rf x;; esac",
        "function f { rm -rf x; }; f",
        "trap 'rm -rf x' EXIT",
        "nohup setsid stdbuf -oL nice -n 19 ionice -c3 timeout 5 env -i rm -rf x",
        "su -c 'rm -rf x' - root",
        "if true; then\n\trm -rf x\nfi",
    ] {
        assert_eq!(verdict(&filters, line), Verdict::Deny, "{line:?}");
    }
    for line in [
        "command -v rm",
        "type rm",
        "which rm",
        "python3 -c 'print(1)'",
        "echo \"${x#'$(rm -rf x)'}\"",
        "echo 'it'\\''s rm -rf'",
        "git commit -m 'rm -rf is gone'",
    ] {
        assert_eq!(verdict(&filters, line), Verdict::Allow, "{line:?}");
    }
}

#[test]
fn under_a_default_of_deny_nothing_runs_that_some_shell_would_read_otherwise() {
    let filters = [filter(
        Verdict::Deny,
        &[
            (Verdict::Allow, command("ls")),
            (Verdict::Allow, command("xargs ls ...")),
        ],
    )];
    for line in [
        "ls && ((evil))",
        "ls $'a\\'; evil #'",
        "[[ -n a && evil ]]; ls",
        "ls; (evil)",
        "ls (evil)",
        "ls | xargs",
        "ls <(evil)",
        "ls \"$(evil)\"",
        "ls\nevil",
        "ls & evil",
        "ls || evil",
        "BASH_ENV=x ls",
        "ls 2>file",
    ] {
        assert_eq!(verdict(&filters, line), Verdict::Deny, "{line:?}");
    }
    for line in ["ls -l x", "ls | ls", "ls; xargs ls -d"] {
        assert_eq!(verdict(&filters, line), Verdict::Allow, "{line:?}");
    }
    // What an interactive zsh takes for no comment.
    let on_a_terminal = judge(&filters, "ls # x; evil", Context::TERMINAL);
    assert_eq!(on_a_terminal.verdict, Verdict::Deny);
    assert_eq!(verdict(&filters, "ls # x; evil"), Verdict::Allow);
}

#[test]
fn a_rule_that_comes_first_speaks_first_also_of_what_a_command_starts() {
    let rule = |id, priority, verdict, matching| RuleText {
        id,
        priority,
        verdict,
        matching,
        ignore_case: false,
    };
    let filters = [compile(
        Verdict::Allow,
        &[
            rule(1, 10, Verdict::Allow, command("sudo rm -rf /tmp/x")),
            rule(2, 20, Verdict::Deny, command("rm -rf")),
            rule(3, 30, Verdict::Allow, regex("git .*")),
            rule(4, 40, Verdict::Deny, regex("push")),
        ],
    )];
    assert_eq!(verdict(&filters, "sudo rm -rf /tmp/x"), Verdict::Allow);
    assert_eq!(verdict(&filters, "sudo rm -rf /tmp/y"), Verdict::Deny);
    assert_eq!(verdict(&filters, "git push"), Verdict::Allow);
    assert_eq!(verdict(&filters, "git push; svn push"), Verdict::Deny);
    assert_eq!(verdict(&filters, "git push; ls"), Verdict::Deny);
}
