use super::*;
use proptest::prelude::*;

#[test]
fn a_command_is_passed_on_word_by_word_in_quotes() {
    for (line, passed) in [
        ("ls", "'ls'"),
        ("ls # and more", "'ls'"),
        ("  ls   -l  ", "'ls' '-l'"),
        ("cat 'a b' \"c'd\" e\\ f", "'cat' 'a b' 'c'\"'\"'d' 'e f'"),
        ("grep 'x\\.y' -", "'grep' 'x'\\\\'.y' '-'"),
        (
            "echo '$HOME' '*' '~' '=ls' \\;",
            "'echo' '$HOME' '*' '~' '=ls' ';'",
        ),
        ("test ''", "'test' \"\""),
        (
            "/usr/bin/systemctl restart 'nginx'",
            "'/usr/bin/systemctl' 'restart' 'nginx'",
        ),
        ("echo é", "'echo' 'é'"),
    ] {
        assert_eq!(enforce(line), Ok(passed.to_owned()), "{line}");
    }
}

#[test]
fn whatever_a_shell_could_act_upon_is_refused() {
    for line in [
        "",
        " ",
        "ls; rm x",
        "ls\nrm x",
        "ls && rm x",
        "ls | sh",
        "ls &",
        "ls $HOME",
        "ls \"$HOME\"",
        "ls `id`",
        "ls $(id)",
        "ls <(id)",
        "ls > x",
        "ls < x",
        "ls 2>&1",
        "ls 2>/dev/null",
        "ls <<E\nx\nE",
        "ls *",
        "ls ?x",
        "ls [a]",
        "ls {a,b}",
        "ls ~",
        "ls ~root",
        "A=1 ls",
        "A=1",
        "(ls)",
        "{ ls; }",
        "! ls",
        "if ls; then id; fi",
        "time ls",
        "'ls",
    ] {
        assert_eq!(enforce(line), Err(NotPlain::NotOneCommand), "{line:?}");
    }
    for line in [
        "sh",
        "bash -s",
        "sudo -i",
        "env sh",
        "python3 -",
        "ssh web2",
    ] {
        assert_eq!(enforce(line), Err(NotPlain::ReadsInput), "{line:?}");
    }
    for (line, one) in [
        ("echo 'a!b'", '!'),
        ("echo 'a\nb'", '\n'),
        ("echo 'a\tb'", '\t'),
        ("echo $'\\x01'", '\u{1}'),
        ("echo '\u{f600}'", '\u{f600}'),
        ("echo '\u{fffd}'", '\u{fffd}'),
    ] {
        assert_eq!(enforce(line), Err(NotPlain::Character(one)), "{line:?}");
    }
    for line in [
        "'if' x",
        "'and' rm x",
        "\\time ls",
        "'-x'",
        "'@' x",
        "'a b'",
        "'A=1' ls",
        "'%1'",
        "'' x",
        "/bin/",
        "'{' ls",
    ] {
        assert!(
            matches!(enforce(line), Err(NotPlain::Program(_))),
            "{line:?}: {:?}",
            enforce(line)
        );
    }
}

/// What a shell makes of a line, by its own program: each word on a line of its own.
fn words_of(shell: &str, line: &str) -> Option<Vec<String>> {
    let line = line.replacen("'show'", "printf '%s\\n'", 1);
    let output = std::process::Command::new(shell)
        .args(["-c", &line])
        .output()
        .ok()?;
    let text = String::from_utf8(output.stdout).ok()?;
    Some(text.lines().map(str::to_owned).collect())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(150))]

    #[test]
    fn what_is_passed_on_is_the_same_words_to_the_shells_of_this_machine(
        words in prop::collection::vec("[ -~é]{0,12}", 1..4),
    ) {
        let typed: Vec<String> = words.iter().map(|word| quote(word)).collect();
        let line = format!("show {}", typed.join(" "));
        let Ok(passed) = enforce(&line) else {
            prop_assert!(words.concat().contains('!'), "{line}");
            return Ok(());
        };
        for shell in ["bash", "dash"] {
            if let Some(read) = words_of(shell, &passed) {
                prop_assert_eq!(&read, &words, "{} reads {}", shell, &passed);
            }
        }
    }

    #[test]
    fn what_is_passed_on_is_passed_on_as_it_is(line in "\\PC{0,60}") {
        if let Ok(passed) = enforce(&line) {
            prop_assert_eq!(enforce(&passed), Ok(passed.clone()));
            let both = [line.as_str(), passed.as_str()]
                .map(|line| judge(&[], line, Context::EXEC).single_command().map(|words| words.join("\0")));
            prop_assert_eq!(&both[0], &both[1]);
        }
    }
}
