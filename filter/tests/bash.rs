//! What a shell runs must be among what we found.
//!
//! A real bash runs generated lines with a PATH that holds nothing; its command_not_found_handle writes down each program with the
//! very arguments that it would have got. A real dash runs them with a PATH that holds programs which do the same.
//! `JMS_CASES=100000` makes more of them.

use filter::look_into::{Command, Line, Opaque, look_into};
use filter::shell::Comments;
use filter::{Context, Filter, FilterText, Matching, RuleText, Verdict, judge};
use proptest::prelude::*;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::process::{Command as Process, Stdio};

const HANDLER: &str = r#"
command_not_found_handle() {
    printf '%s\0' "$@" 'end of a run' >>"$JMS_LOG"
    return 127
}
ulimit -t 2
"#;

/// The argument lists of all programs that bash would have started.
fn run_by_bash(line: &str) -> Vec<Vec<String>> {
    let folder = tempfile::tempdir().expect("a folder");
    let log = folder.path().join("log");
    fs::write(folder.path().join("handler"), HANDLER).expect("written");
    fs::create_dir(folder.path().join("here")).expect("a folder");
    // As `bash -c LINE` reads it; a loop that does not end is cut.
    let mut process = Process::new("/usr/bin/timeout")
        .args([
            "--kill-after=1",
            "2",
            "/bin/bash",
            "-c",
            ". ../handler; eval \"$JMS_LINE\"",
        ])
        .env_clear()
        .env("PATH", "/nonexistent")
        .env("JMS_LOG", &log)
        .env("JMS_LINE", line)
        .current_dir(folder.path().join("here"))
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .expect("bash");
    process.wait().expect("bash ends");
    runs_of(&fs::read(&log).unwrap_or_default())
}

const PROGRAM: &str = r#"#!/bin/sh
printf '%s\0' "${0##*/}" "$@" 'end of a run' >>"$JMS_LOG"
"#;

/// The argument lists of all programs that dash started.
fn run_by_dash(line: &str) -> Vec<Vec<String>> {
    let folder = tempfile::tempdir().expect("a folder");
    let log = folder.path().join("log");
    let programs = folder.path().join("programs");
    fs::create_dir(&programs).expect("a folder");
    for name in ["alpha", "beta", "gamma", "rm"] {
        let path = programs.join(name);
        fs::write(&path, PROGRAM).expect("written");
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).expect("executable");
    }
    fs::create_dir(folder.path().join("here")).expect("a folder");
    let mut process = Process::new("/usr/bin/timeout")
        .args(["--kill-after=1", "2", "/bin/dash", "-c", line])
        .env_clear()
        .env("PATH", &programs)
        .env("JMS_LOG", &log)
        .current_dir(folder.path().join("here"))
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .expect("dash");
    process.wait().expect("dash ends");
    runs_of(&fs::read(&log).unwrap_or_default())
}

fn runs_of(log: &[u8]) -> Vec<Vec<String>> {
    let mut runs = Vec::new();
    let mut current = Vec::new();
    for word in log.split(|byte| *byte == 0) {
        if word == b"end of a run" {
            runs.push(std::mem::take(&mut current));
        } else {
            current.push(String::from_utf8_lossy(word).into_owned());
        }
    }
    runs.truncate(200);
    runs
}

fn flatten<'a>(commands: &'a [Command], into: &mut Vec<&'a Command>) {
    for command in commands {
        into.push(command);
        flatten(&command.inner, into);
    }
}

/// Whether some command that was found may be this run.
fn is_found(line: &Line, run: &[String]) -> bool {
    let mut commands = Vec::new();
    flatten(&line.commands, &mut commands);
    commands.iter().any(|command| {
        let words = &command.simple.words;
        if hides(command) {
            return true;
        }
        if words.iter().any(|word| word.hidden.is_some() || word.tilde) {
            // Splitting and expansion change the number of words: the program must still be known.
            let ended = |text: &str| text.trim_end_matches('\\').to_owned();
            return words.first().and_then(|first| first.known()).map(ended)
                == run.first().map(|program| ended(program));
        }
        // A backslash that ends a script is left out by some, by others only there.
        let ended = |text: &str| text.trim_end_matches('\\').to_owned();
        words.len() == run.len()
            && words
                .iter()
                .zip(run)
                .all(|(word, given)| ended(&word.text) == ended(given))
    })
}

fn hides(command: &Command) -> bool {
    matches!(
        command.opaque,
        Some(Opaque::Program(_) | Opaque::Script(_) | Opaque::Input)
    )
}

/// A rule against the program of a run must hit the line.
fn is_denied(line: &str, run: &[String]) -> bool {
    let Some(program) = run.first() else {
        return true;
    };
    // As above.
    let ended = program.trim_end_matches('\\');
    ended.is_empty() || rule_hits(line, program) || rule_hits(line, ended)
}

fn rule_hits(line: &str, program: &str) -> bool {
    let quoted = format!("'{}'", program.replace('\'', "'\\''"));
    let rule = RuleText {
        id: 1,
        priority: 1,
        verdict: Verdict::Deny,
        matching: Matching::Command(quoted),
        ignore_case: false,
    };
    let filter = Filter::compile(&FilterText {
        name: "f".to_owned(),
        default: Verdict::Allow,
        rules: vec![rule],
    })
    .expect("a rule");
    let judged = judge(&[filter], line, Context::EXEC);
    let mut commands = Vec::new();
    flatten(&judged.line.commands, &mut commands);
    judged.verdict == Verdict::Deny || commands.into_iter().any(hides)
}

fn check(shell: &str, line: &str) -> Result<(), TestCaseError> {
    let found = look_into(line, Comments::Skipped);
    // To dash it is a letter before a quote: other words, which no rule looks for.
    let dollar_quote = shell == "dash" && line.contains("$'");
    let runs = match shell {
        "dash" => run_by_dash(line),
        _ => run_by_bash(line),
    };
    for run in runs {
        // zsh reads `=rm` as the path of rm, and so do we.
        if run.first().is_none_or(|program| program.starts_with('=')) {
            continue;
        }
        prop_assert!(
            found.fault.is_some() || dollar_quote || is_found(&found, &run),
            "{shell} ran {run:?} of {line:?}, and we found {found:#?}"
        );
        prop_assert!(
            is_denied(line, &run),
            "{shell} ran {run:?} of {line:?}, a rule against it did not hit, and we found {found:#?}"
        );
    }
    Ok(())
}

/// Spells a word in one of the ways in which bash reads it as that word.
fn spelled(word: String) -> impl Strategy<Value = String> {
    let (head, tail) = (
        word.chars().next().unwrap_or('x'),
        word.chars().skip(1).collect::<String>(),
    );
    prop_oneof![
        4 => Just(word.clone()),
        1 => Just(format!("\\{head}{tail}")),
        1 => Just(format!("'{head}'{tail}")),
        1 => Just(format!("{head}\"{tail}\"")),
        1 => Just(format!("$'\\x{:02x}'{tail}", u32::from(head))),
        1 => Just(format!("$'\\{:03o}{tail}'", u32::from(head))),
        1 => Just(format!("{head}\\\n{tail}")),
        1 => Just(format!("\"\"{word}''")),
    ]
}

fn word() -> impl Strategy<Value = String> {
    prop::sample::select(vec![
        "alpha",
        "beta",
        "gamma",
        "-rf",
        "x=1",
        "delta.txt",
        "#",
        "in",
        "do",
        "/tmp/q",
    ])
    .prop_map(str::to_owned)
    .prop_flat_map(spelled)
}

fn simple() -> impl Strategy<Value = String> {
    let program = prop::sample::select(vec!["alpha", "beta", "rm", "gamma"])
        .prop_map(str::to_owned)
        .prop_flat_map(spelled);
    let in_front = prop::sample::select(vec![
        "",
        "",
        "",
        "A=1 ",
        "B='x y' C= ",
        ">out ",
        "! ",
        "2>&1 ",
    ]);
    let behind = prop::sample::select(vec![
        "",
        "",
        "",
        " >out",
        " 2>/dev/null",
        " <<<word",
        " # rm it",
        " $x",
        " *",
    ]);
    (
        in_front,
        program,
        prop::collection::vec(word(), 0..3),
        behind,
    )
        .prop_map(|(in_front, program, words, behind)| {
            let words: String = words.iter().map(|word| format!(" {word}")).collect();
            format!("{in_front}{program}{words}{behind}")
        })
}

fn line() -> impl Strategy<Value = String> {
    simple().prop_recursive(4, 24, 3, |inner| {
        let two = (inner.clone(), inner.clone());
        prop_oneof![
            (
                two.clone(),
                prop::sample::select(vec![";", "\n", "\n||", "\n&&", "\n|", "\n&\n", "\n|&"])
            )
                .prop_map(|((one, other), operator)| {
                    let operator = operator.trim_start_matches('\n');
                    let operator = if operator.is_empty() { "\n" } else { operator };
                    format!("{{ {one}\n}} {operator} {other}")
                }),
            inner.clone().prop_map(|one| format!("({one}\n)")),
            inner
                .clone()
                .prop_map(|one| format!("beta \"a $({one}\n) b\"")),
            inner.clone().prop_map(|one| format!("echo $(({one}\n) )")),
            inner.clone().prop_map(|one| format!("cat <({one}\n)")),
            inner
                .clone()
                .prop_map(|one| format!("echo ${{x:-$({one}\n)}}")),
            inner.clone().prop_map(|one| format!("x=( $({one}\n) )")),
            inner.clone().prop_map(|one| format!("f() {{ {one}\n}}; f")),
            inner
                .clone()
                .prop_map(|one| format!("function g ( {one}\n); g")),
            inner
                .clone()
                .prop_map(|one| format!("for i in a b; do {one}\ndone")),
            inner
                .clone()
                .prop_map(|one| format!("for ((i=0;i<2;i++)); do {one}\ndone")),
            inner
                .clone()
                .prop_map(|one| format!("case a in (b) ;; a|c) {one}\n;; esac")),
            inner
                .clone()
                .prop_map(|one| format!("if {one}\nthen beta; else {one}\nfi")),
            inner.clone().prop_map(|one| format!(
                "while ! {one}\ndo break; done; [[ -n a && b < c ]] && alpha"
            )),
            inner
                .clone()
                .prop_map(|one| format!("cat <<EOF; alpha\n$({one}\n)\nEOF\nbeta")),
            inner
                .clone()
                .prop_map(|one| format!("cat <<'EOF'\n$(rm\nEOF\n{one}")),
            inner.clone().prop_map(|one| {
                let quoted = one.replace('\'', "'\\''");
                format!("eval '{quoted}'")
            }),
            inner.clone().prop_map(|one| format!("time -p {one}")),
            inner.prop_map(|one| format!("trap '{}' EXIT", one.replace('\'', "'\\''"))),
        ]
    })
}

/// Pieces that, in any order, are mostly no shell, and sometimes are.
fn soup() -> impl Strategy<Value = String> {
    let pieces = vec![
        "alpha",
        "beta",
        "rm",
        " ",
        " ",
        " ",
        "\n",
        ";",
        "&",
        "|",
        "&&",
        "||",
        "(",
        ")",
        "{ ",
        "; }",
        "$(",
        "`",
        "\"",
        "'",
        "\\",
        "$'",
        "${",
        "${x:-",
        "\"${x:-'",
        "\"${x#'",
        "'}\"",
        "\\'",
        "((rm ",
        "}",
        "x=",
        "<<E\n",
        "\nE\n",
        "<",
        ">o",
        "<(",
        "if ",
        "; then ",
        "; fi",
        "case x in ",
        ") ",
        ";; ",
        "esac",
        "for i in a; do ",
        "; done",
        "[[ ",
        " ]]",
        "((",
        "))",
        "$((",
        "!",
        "#",
        "function f ",
        "f()",
        "time ",
        "coproc ",
        "=",
        "[1]",
        "+(",
        "@(",
        "*",
        "~",
        "eval ",
        "command ",
        "$[",
        "]",
        "<<<",
        "2>&1",
        "&>o ",
        "&>>o ",
        "time -- ",
        "<<$'E'\n",
        "$E\n",
        "\t",
        "a",
    ];
    prop::collection::vec(prop::sample::select(pieces), 1..14).prop_map(|pieces| pieces.concat())
}

fn cases() -> u32 {
    let more = std::env::var("JMS_CASES").ok();
    more.and_then(|cases| cases.parse().ok()).unwrap_or(200)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: cases(), failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn what_bash_runs_of_a_sound_line_was_found(line in line()) {
        check("bash", &line)?;
    }

    #[test]
    fn what_dash_runs_of_a_sound_line_was_found(line in line()) {
        let line = line.replace("$'", "'");
        check("dash", &line)?;
    }

    #[test]
    fn what_dash_runs_of_a_heap_of_pieces_was_found(line in soup()) {
        check("dash", &line)?;
    }

    #[test]
    fn what_bash_runs_of_a_heap_of_pieces_was_found(line in soup()) {
        check("bash", &line)?;
    }
}

/// Without this, the others could pass with a bash that tells nothing.
#[test]
fn the_traced_shells_tell_what_they_run() {
    let runs = run_by_bash("A=1 al\\pha 'b c' || rm; echo $(rm -rf x)");
    assert_eq!(
        runs,
        [vec!["alpha", "b c"], vec!["rm"], vec!["rm", "-rf", "x"]]
    );
    let runs = run_by_dash("A=1 al\\pha 'b c' && ((rm x))");
    assert_eq!(runs, [vec!["alpha", "b c"], vec!["rm", "x"]]);
}
