//! The longest, deepest, worst lines that we could think of.

use filter::shell::MAX_LENGTH;

/// As many of `text` as a line may hold.
fn fill(text: &str) -> String {
    text.repeat(MAX_LENGTH / text.len())
}

/// `head`, then as many of `text` as still fit.
fn then(head: &str, text: &str, tail: &str) -> String {
    let room = MAX_LENGTH - head.len() - tail.len();
    format!("{head}{}{tail}", text.repeat(room / text.len()))
}

/// Opened, and closed again.
fn nested(open: &str, close: &str) -> String {
    let half = MAX_LENGTH / (open.len() + close.len());
    format!("{}{}", open.repeat(half), close.repeat(half))
}

/// Each with its name.
pub fn lines() -> Vec<(&'static str, String)> {
    vec![
        ("one word", fill("a")),
        ("commands", fill("a;")),
        ("commands of a ruled program", fill("rm -rf a;")),
        ("words", then("rm -rf ", "a ", "")),
        ("flags", then("rm ", "-a ", "")),
        ("letters", then("rm -", "a", "")),
        ("sudo", fill("sudo ")),
        ("substitutions", fill("$(a)")),
        ("a word of substitutions", then("a", "$(b)", "")),
        ("deep", fill("$(")),
        ("deep and closed", nested("$(a ", ")")),
        ("arithmetic", fill("$((")),
        ("arithmetic that is none", fill("$((a) ")),
        ("parentheses", fill("((")),
        ("quotes", fill("'a'\"b\"")),
        ("open", fill("rm 'a ")),
        (
            "pieces of a program that cannot be read",
            then("", "rm a ", "'"),
        ),
        ("pipelines of shells", fill("cat | sh | ")),
        ("pipelines in each other", nested("cat | { sh | ", "}")),
        ("eval", fill("eval ")),
        (
            "eval of a long word",
            then("eval eval eval eval eval eval eval '", "a", "'"),
        ),
        (
            "eval of commands",
            then("eval eval eval eval eval eval eval '", "a;", "'"),
        ),
        ("here-documents", fill("a <<E\n")),
        (
            "one text for many shells",
            then(&format!("{{ {}}} <<E\n", "sh;".repeat(500)), "a", "\nE\n"),
        ),
        (
            "one text for many shells in shells",
            then(
                &format!(
                    "{{ {}}} <<'E'\n{{ {}}} <<F\n",
                    "sh;".repeat(400),
                    "sh;".repeat(100)
                ),
                "a",
                "\nF\nE\n",
            ),
        ),
        ("backquotes", fill("`a`")),
        ("backquotes in backquotes", nested("`\\`", "\\``")),
        ("braces", fill("${a:-")),
        ("loops", fill("for i in a; do ")),
        ("cases", fill("case a in a) ")),
        ("find", then("find ", "-exec rm {} ; ", "")),
        ("functions", fill("f() { rm; }; ")),
        ("conditions", fill("[[ a && ")),
        ("arrays", then("a=(", "b ", ")")),
        ("comments", fill("a # b; c\n")),
        ("comments that are read", then("a #", "; b", "")),
        ("backslashes", fill("\\")),
        ("line ends", fill("\n")),
        ("tabs in here-documents", then("a <<-E\n", "\t\n", "")),
        ("long characters", fill("\u{1f4a9}")),
        ("redirections that dash does not know", fill("a &>b ")),
        ("arithmetic that dash does not know", fill("$[a;b] ")),
        ("hidden arguments of a ruled program", fill("rm $a;")),
        ("hidden words of a ruled program", then("rm ", "$a ", "")),
        ("aliases", then("alias ", "a=b ", "")),
        ("options of tar", then("tar ", "-IF ", "")),
        ("settings of git", then("git ", "-c alias.a=!b ", "")),
        ("a script of sed", then("sed '", "/a/s/b/c/;", "'")),
        ("indices of arrays", then("let ", "'a[$(b)]' ", "")),
        ("escapes", then("$'", "\\x41", "'")),
        ("starts of many rules", then("program", "1 word ", "")),
        (
            "names of many rules",
            (0..5000)
                .map(|at| format!("program{at} word{at} "))
                .collect::<String>()
                .chars()
                .take(MAX_LENGTH)
                .collect(),
        ),
    ]
}

/// As they are typed every day.
pub fn ordinary() -> Vec<&'static str> {
    vec![
        "ls -la /var/log",
        "sudo systemctl restart nginx && tail -n 100 /var/log/nginx/error.log | grep -v x",
        "for f in *.log; do gzip -9 \"$f\"; done",
        "/bin/sh -c '/usr/bin/python3 && sleep 0'",
    ]
}
