//! A part of the command corpus (tests/corpus), played through real logins: below these floors a change has made capture
//! worse. All of it: `make corpus`.

use tests::corpus::Corpus;

/// Some cases of most groups: shells, prompts, editing, pastes, secrets, denials; none that takes long.
const CASES: &[&str] = &[
    "bash-basic.pipeline.*",
    "bash-edit.[a-f]*.1",
    "bash-history.[a-e]*.1",
    "dash.simple.*",
    "filter.*.1",
    "fish.*.1",
    "ksh.*.1",
    "multiline.[a-h]*.1",
    "noecho.*.1",
    "paste.[a-p]*.1",
    "utf8.*.1",
    "zsh.*.1",
];

#[test]
fn lines_are_read_as_the_shells_were_given_them_denied_ones_never_run_and_no_secret_is_kept() {
    let corpus = Corpus::start(None, 2).expect("the corpus in a lab");
    let accounts = corpus.accounts();
    // Two runners share the cases, each with an account of its own.
    let runners: Vec<_> = accounts
        .iter()
        .enumerate()
        .map(|(number, account)| {
            let mut runner = corpus.runner(account).args(["--no-db", "--verbose"]);
            for case in CASES.iter().skip(number).step_by(accounts.len()) {
                runner = runner.args(["--id", case]);
            }
            let floors = [
                "--min-exact",
                "0.9",
                "--min-recall",
                "0.95",
                "--min-precision",
                "0.93",
                "--min-verdict",
                "1",
                "--max-leaks",
                "0",
            ];
            runner.args(floors).spawn()
        })
        .collect();
    for runner in runners {
        let outcome = runner.wait();
        println!("{}", outcome.text());
        drop(outcome.expect_status(0).expect_stdout_contains("TOTAL"));
    }
}
