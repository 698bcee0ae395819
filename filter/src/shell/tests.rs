use super::{Fault, Hidden, Input, MAX_DEPTH, MAX_LENGTH, parse};

/// The commands of a line, each as its words.
fn words(line: &str) -> Vec<Vec<String>> {
    parse(line)
        .commands
        .into_iter()
        .map(|simple| simple.words.into_iter().map(|word| word.text).collect())
        .collect()
}

fn sound(line: &str) -> Vec<String> {
    let script = parse(line);
    assert_eq!(script.fault, None, "{line:?}");
    words(line)
        .into_iter()
        .map(|words| words.join(" "))
        .collect()
}

#[test]
fn every_place_in_which_a_shell_looks_for_commands() {
    for (line, found) in [
        ("a; b && c || d | e & f\ng", "a,b,c,d,e,f,g"),
        ("a |& b", "a,b"),
        ("(a; b)", "a,b"),
        ("{ a; b; }", "a,b"),
        ("if a; then b; elif c; then d; else e; fi", "a,b,c,d,e"),
        ("while a; do b; done; until c; do d; done", "a,b,c,d"),
        ("for x in 1 2; do a $x; done", "a $x"),
        ("for ((i=0; i<3; i++)); do a; done", "a"),
        ("for x; do a; done", "a"),
        ("for x in 1; { a; }", "a"),
        (
            "case x in a|b) c;; (d) e ;& f) g;;& *) h; esac; i",
            "c,e,g,h,i",
        ),
        ("f() { a; }; f", "a,f"),
        ("function f { a; }", "a"),
        ("! a", "a"),
        ("time -p a", "a"),
        ("coproc n { a; }", "a"),
        ("[[ -f x && y == z ]] && a", "y == z,a"),
        ("((x = 1)) && a", "x = 1,a"),
        ("a \"${x:-'$(b)'}\"", "b,a ${x:-'$(b)'}"),
        ("a \"${x#'$(b)'}\"", "a ${x#'$(b)'}"),
        ("a $'x\\'; b #'", "a x'; b #,a $x\\,b"),
        ("a $(b $(c))", "c,b $(c),a $(b $(c))"),
        ("a `b \\`c\\``", "c,b `c`,a `b \\`c\\``"),
        ("a \"x $(b) `c`\"", "b,c,a x $(b) `c`"),
        ("a <(b) >(c)", "b,c,a <(b) >(c)"),
        ("x=$(a) y=(1 $(b))", "a,b,"),
        ("a ${x:-$(b)}", "b,a ${x:-$(b)}"),
        ("a ${ b; }", "b,a ${ b; }"),
        ("a $((1 + $(b)))", "b,a $((1 + $(b)))"),
        ("a $((b) | (c))", "b,c,a $((b) | (c))"),
        ("a <<E\n$(b)\nE\nc", "a,b,c"),
        ("a <<'E'\n$(b)\nE\nc", "a,c"),
        ("a \\\n b", "a b"),
        ("a # b; c\nd", "a,d"),
        ("a#b", "a#b"),
    ] {
        assert_eq!(sound(line).join(","), found, "{line:?}");
    }
}

#[test]
fn quotes_and_backslashes_are_removed() {
    for (line, found) in [
        ("r\\m 'a b' \"c d\"", "rm|a b|c d"),
        ("'r'm \"\"x''", "rm|x"),
        (
            "$'\\x72m' $'\\162\\155' $'a\\tb\\u00e9'",
            "rm|rm|a\tb\u{e9}",
        ),
        ("a \"\\$x \\\" \\n \\\\\"", "a|$x \" \\n \\"),
        ("a $\"b\"", "a|b"),
        ("a ''", "a|"),
    ] {
        let script = parse(line);
        assert_eq!(script.fault, None);
        assert_eq!(
            words(line),
            [found.split('|').collect::<Vec<_>>()],
            "{line:?}"
        );
        let hidden = script.commands.iter().flat_map(|simple| &simple.words);
        assert!(hidden.into_iter().all(|word| word.hidden.is_none()));
    }
}

#[test]
fn what_the_shell_would_still_expand_is_said() {
    for (word, hidden) in [
        ("$x", Some(Hidden::Variable)),
        ("\"$x\"", Some(Hidden::Variable)),
        ("a${x}b", Some(Hidden::Variable)),
        ("'$x'", None),
        ("\\$x", None),
        ("$", None),
        ("a$", None),
        ("$(b)", Some(Hidden::Substitution)),
        ("$((1))", Some(Hidden::Arithmetic)),
        ("$[1]", Some(Hidden::Arithmetic)),
        ("*.txt", Some(Hidden::Pattern)),
        ("[a-z]", Some(Hidden::Pattern)),
        ("[", None),
        ("'*'", None),
        ("{a,b}", Some(Hidden::Braces)),
        ("{1..3}", Some(Hidden::Braces)),
        ("{}", None),
        ("a.b", None),
    ] {
        let script = parse(&format!("p {word}"));
        let found = script
            .commands
            .last()
            .and_then(|simple| simple.words.get(1)?.hidden);
        assert_eq!(found, hidden, "{word}");
    }
    let script = parse("~/rm");
    assert!(script.commands[0].words[0].tilde);
}

#[test]
fn assignments_and_redirections_are_no_words() {
    let script = parse("A=1 B[2]=x C+='y z' a >out 2>&1 </in 3>&- D=2 &>/dev/null");
    let simple = &script.commands[0];
    assert_eq!(
        words("A=1 B[2]=x C+='y z' a >out 2>&1 </in 3>&- D=2 &>/dev/null"),
        [["a", "D=2"]]
    );
    assert_eq!(simple.assignments.len(), 3);
    let files: Vec<&str> = simple
        .redirections
        .iter()
        .map(|word| word.text.as_str())
        .collect();
    assert_eq!(files, ["out", "/in"]);
    assert_eq!(simple.input, Input::Elsewhere);
    assert!(parse("'A=1' a").commands[0].assignments.is_empty());
    assert!(parse("A\\=1 a").commands[0].assignments.is_empty());
}

#[test]
fn what_a_command_is_given_to_read_is_known() {
    let given = |line: &str| {
        parse(line)
            .commands
            .into_iter()
            .map(|simple| simple.input)
            .collect::<Vec<_>>()
    };
    let text = |text: &str, known| Input::Given {
        text: text.to_owned(),
        known,
    };
    assert_eq!(given("sh <<E\na\nb\nE\n"), [text("a\nb\n", true)]);
    assert_eq!(given("sh <<-E\n\ta\n\tE\n"), [text("a\n", true)]);
    assert_eq!(given("sh <<E\n$x\nE\n"), [text("$x\n", false)]);
    assert_eq!(given("sh <<'E'\n$x\nE\n"), [text("$x\n", true)]);
    assert_eq!(given("sh <<< 'a b'"), [text("a b", true)]);
    assert_eq!(given("a | sh"), [Input::Inherited, Input::Elsewhere]);
    assert_eq!(
        given("a | { b; sh; }; c")[1..],
        [Input::Elsewhere, Input::Elsewhere, Input::Inherited]
    );
}

#[test]
fn a_line_that_a_shell_refuses_says_so_and_hides_nothing() {
    for (line, found) in [
        ("a; fi; b", "a,b"),
        ("a )", "a"),
        ("if a; then b", "a,b"),
        ("a 'b", "a"),
        ("a $(b", "b,a"),
        ("a; (b", "a,b"),
        ("a; } b", "a,b"),
        // fish, csh, zsh
        ("echo (a b)", "a b,echo"),
        ("if (x) a", "x,a"),
    ] {
        let script = parse(line);
        assert!(script.fault.is_some(), "{line:?}");
        let found: Vec<&str> = found.split(',').collect();
        let words: Vec<String> = words(line)
            .into_iter()
            .map(|words| words.join(" "))
            .collect();
        for wanted in found {
            assert!(
                words.iter().any(|words| words == wanted),
                "{line:?}: {words:?}"
            );
        }
    }
}

#[test]
fn what_is_too_long_or_too_deep_is_a_fault_and_no_crash() {
    assert_eq!(
        parse(&"a".repeat(MAX_LENGTH + 1)).fault,
        Some(Fault::TooLong)
    );
    for (open, close) in [
        ("$(", ")"),
        ("(", ")"),
        ("{ ", "; }"),
        ("\"$(", ")\""),
        ("<(", ")"),
        ("${x:-", "}"),
        ("$((", "))"),
        ("if a; then ", "; fi"),
        ("@(", ")"),
        ("[[ a ]] && $[", "]"),
    ] {
        let half = MAX_LENGTH / 2 / open.len().max(close.len());
        let deep = format!("{}a{}", open.repeat(half), close.repeat(half));
        assert!(parse(&deep).fault.is_some(), "{open}");
        assert!(parse(&open.repeat(half)).fault.is_some(), "{open}");
        let fine = format!(
            "{}a{}",
            open.repeat(MAX_DEPTH / 4),
            close.repeat(MAX_DEPTH / 4)
        );
        assert_ne!(parse(&fine).fault, Some(Fault::TooDeep), "{open}");
    }
    assert_eq!(
        parse(&"a;".repeat(MAX_LENGTH / 2)).fault,
        Some(Fault::TooMany)
    );
}

#[test]
fn what_dash_reads_otherwise_is_found_as_well() {
    for line in [
        "ls &>/dev/null rm -rf x",
        "ls &>>f rm -rf x",
        "echo $[ 1; rm -rf x ]",
        "cat <<$'E'\n$E\nrm -rf x\nE\n",
        "cat <<$\"E\"\n$E\nrm -rf x\nE\n",
    ] {
        let found = super::parse(line).commands;
        let rm = |simple: &super::Simple| {
            simple.other_shells && super::words(&simple.words).starts_with("rm -rf x")
        };
        assert!(found.iter().any(rm), "{line:?}: {found:#?}");
    }
    // The other half of it, which an allowed command must not hide.
    for line in [
        "git push &>/dev/null --dry-run",
        "X=1 git push 2>&1 &>>f --dry-run &>g -v",
    ] {
        let found = super::parse(line).commands;
        let push = |simple: &&super::Simple| super::words(&simple.words) == "git push";
        let push = found
            .iter()
            .find(push)
            .unwrap_or_else(|| panic!("{line:?}: {found:#?}"));
        assert!(
            push.other_shells && push.source.ends_with(['h', '1']),
            "{push:#?}"
        );
    }
    // Where they agree, nothing is found twice.
    for line in ["ls &>/dev/null", "ls &>f", "echo $[1+2]", "echo a >&2 b"] {
        assert_eq!(super::parse(line).commands.len(), 1, "{line:?}");
    }
}

#[test]
fn a_backslash_at_the_end_hides_no_program() {
    let read = super::parse("ls; reboot\\");
    assert_eq!(super::words(&read.commands[1].words), "reboot");
    assert!(read.continues);
}

#[test]
fn what_is_read_in_several_ways_is_bounded_too() {
    let many = "((a;b;c))\n".repeat(400);
    let deep = format!("{}{many}{}", "((x;".repeat(12), "))".repeat(12));
    let around = format!(
        "{}{}(({}))",
        "x $(".repeat(20),
        "a;".repeat(505),
        "b;".repeat(600)
    );
    for line in [
        many,
        deep,
        around,
        "a &>b ".repeat(2_000),
        "echo $[a;b] ".repeat(2_000),
    ] {
        let read = super::parse(&line);
        assert!(read.commands.len() <= 2 * super::MAX_COMMANDS);
        assert!(read.fault.is_some());
    }
}
