//! The hooks in real shells on real terminals: bash everywhere, zsh and fish where they are installed.
//!
//! Here the test is the bastion: it sifts the markers out, gives the token and answers.

use force_command::hooks::{Marker, Sieve, start};
use jms::id::Token;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::pty::openpty;
use std::os::fd::{AsFd, OwnedFd};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

const PATIENCE: Duration = Duration::from_secs(20);

struct Shell {
    _home: tempfile::TempDir,
    child: Child,
    master: OwnedFd,
    token: Token,
    sieve: Sieve,
    /// What a person would see.
    seen: String,
    /// Commands that were announced.
    announced: Vec<(String, bool)>,
    /// Words that are denied.
    denied: &'static str,
    hooked: bool,
    prompts: Vec<bool>,
    /// Of these, before the last announcement.
    prompts_before: usize,
    stuck: bool,
    none: Option<String>,
    /// What the person types while the next answer is on its way.
    ahead: Option<&'static [u8]>,
    /// An interrupt was typed: an answer waits, as the tap has it wait, and is dropped if the shell reads its next line.
    interrupted: bool,
    held: Option<(Instant, Vec<u8>)>,
}

impl Drop for Shell {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Shell {
    /// `None`: this machine has no such shell.
    fn start(path: &str, files: &[(&str, &str)]) -> Option<Self> {
        let command = String::from_utf8(start::command()).unwrap();
        Self::started(path, &[path, "-c", &command], files)
    }

    /// As `sshd` would start it: without hooks.
    fn plain(path: &str, files: &[(&str, &str)]) -> Option<Self> {
        let name = path.rsplit('/').next().unwrap();
        let program = format!("exec -a -{name} {path}");
        Self::started(path, &["/bin/bash", "-c", &program], files)
    }

    fn started(path: &str, words: &[&str], files: &[(&str, &str)]) -> Option<Self> {
        if !std::path::Path::new(path).exists() {
            eprintln!("no {path} here");
            return None;
        }
        let home = tempfile::tempdir().unwrap();
        for (name, text) in files {
            std::fs::write(home.path().join(name), text).unwrap();
        }
        let pty = openpty(None, None).unwrap();
        let side = || Stdio::from(pty.slave.try_clone().unwrap());
        let child = Command::new("setsid")
            .args(["--ctty", "--wait"])
            .args(words)
            .env_clear()
            .env("PATH", "/usr/bin:/bin")
            .env("TERM", "xterm")
            .env("LANG", "C.UTF-8")
            .env("SHELL", path)
            .env("HOME", home.path())
            .env("TMPDIR", home.path())
            .current_dir(home.path())
            .stdin(side())
            .stdout(side())
            .stderr(side())
            .spawn()
            .unwrap();
        let token = Token::random().unwrap();
        Some(Self {
            _home: home,
            child,
            master: pty.master,
            sieve: Sieve::new(token.clone()),
            token,
            seen: String::new(),
            announced: Vec::new(),
            denied: "forbidden",
            hooked: false,
            prompts: Vec::new(),
            prompts_before: 0,
            stuck: false,
            none: None,
            ahead: None,
            interrupted: false,
            held: None,
        })
    }

    fn types(&mut self, bytes: &[u8]) {
        assert_eq!(nix::unistd::write(&self.master, bytes), Ok(bytes.len()));
    }

    fn replies(&mut self, nonce: &str, text: &str) {
        if let Some(ahead) = self.ahead.take() {
            self.types(ahead);
        }
        for echo in start::echoed(nonce, text) {
            self.sieve.expect_echo(echo);
        }
        let answer = start::answer(nonce, text);
        match std::mem::take(&mut self.interrupted) {
            true => self.held = Some((Instant::now() + Duration::from_millis(300), answer)),
            false => self.types(&answer),
        }
    }

    #[track_caller]
    fn until(&mut self, what: &str, done: impl Fn(&Self) -> bool) {
        let end = Instant::now() + PATIENCE;
        while !done(self) {
            assert!(
                Instant::now() < end,
                "{what}: {:?} {:?}",
                self.seen,
                self.announced
            );
            if let Some((_, answer)) = self.held.take_if(|(due, _)| *due <= Instant::now()) {
                self.types(&answer);
            }
            let mut fds = [PollFd::new(self.master.as_fd(), PollFlags::POLLIN)];
            poll(&mut fds, PollTimeout::from(100u8)).unwrap();
            if fds[0].any() == Some(true) {
                self.read();
            }
        }
    }

    fn read(&mut self) {
        let mut bytes = [0; 4096];
        let Ok(length) = nix::unistd::read(&self.master, &mut bytes) else {
            std::thread::sleep(Duration::from_millis(20));
            return;
        };
        let (seen, markers) = self.sieve.feed(&bytes[..length]);
        self.seen.push_str(&String::from_utf8_lossy(&seen));
        for marker in markers {
            match marker {
                Marker::Hello { nonce, .. } => {
                    let token = self.token.reveal().to_owned();
                    self.replies(&nonce, &token);
                }
                Marker::Hooked { eaten, .. } => {
                    self.hooked = true;
                    self.types(&eaten);
                }
                Marker::Goes { eaten, .. } => {
                    self.sieve.expect_no_echo();
                    self.types(&eaten);
                }
                Marker::Prompt { hooked } => {
                    self.held = None;
                    self.prompts.push(hooked);
                }
                Marker::Command {
                    nonce, fresh, line, ..
                } => {
                    let line = line.expect("undisturbed");
                    let denied = line.contains(self.denied);
                    self.announced.push((line, fresh));
                    self.prompts_before = self.prompts.len();
                    self.replies(&nonce, if denied { start::NO } else { start::YES });
                }
                Marker::Stuck => self.stuck = true,
                Marker::None { shell } => self.none = Some(shell),
            }
        }
    }

    /// Waits until it says no more: its line editor reads.
    fn settles(&mut self) {
        loop {
            let seen = self.seen.len();
            let end = Instant::now() + Duration::from_millis(200);
            self.until("quiet", |_| Instant::now() > end);
            if self.seen.len() == seen {
                return;
            }
        }
    }

    /// Types a line and waits for this in the output behind it.
    #[track_caller]
    fn runs(&mut self, line: &str, shows: &str) {
        let before = self.seen.len();
        self.types(format!("{line}\r").as_bytes());
        self.until(line, |shell| shell.seen[before..].contains(shows));
    }

    #[track_caller]
    fn announces(&mut self, line: &str) {
        let line = line.to_owned();
        self.until("announced", |shell| {
            shell.announced.iter().any(|(said, _)| *said == line)
        });
    }

    /// Nothing of the conversation is on the screen.
    #[track_caller]
    fn showed_nothing(&self) {
        for secret in ["Pjms", "[77;", self.token.reveal()] {
            assert!(!self.seen.contains(secret), "{secret:?} in {:?}", self.seen);
        }
    }
}

/// Starts a shell up to its first prompt.
fn ready(path: &str, files: &[(&str, &str)]) -> Option<Shell> {
    let mut shell = Shell::start(path, files)?;
    shell.until("hooked", |shell| shell.hooked && !shell.prompts.is_empty());
    Some(shell)
}

/// What holds in each of the shells. `status`: how it says its last status.
fn announces_and_skips(mut shell: Shell, status: &str) {
    let is_fish = status == "$status";
    shell.runs("echo o''ne", "one");
    shell.announces("echo o''ne");
    shell.runs("echo tw''o % é; echo th''ree | cat", "three");
    shell.announces("echo tw''o % é; echo th''ree | cat");
    let denied = [
        "touch forbidden; echo ra''n",
        "cat </dev/null | touch forbidden; echo ra''n",
        "eval touch forbidden; echo ra''n",
    ];
    for line in denied {
        shell.types(format!("{line}\r").as_bytes());
        shell.announces(line);
        // It says that it reads the next line.
        if !is_fish {
            shell.until("skipped", |shell| {
                shell.prompts.len() > shell.prompts_before
            });
        }
        shell.runs(&format!("echo status=={status}"), "status==");
    }
    shell.runs("ls; echo en''d", "end");
    assert!(!shell.seen.contains("\nran") && !shell._home.path().join("forbidden").exists());
    // The answer is on its way, and the person types.
    shell.ahead = Some(b"echo ah''ead; echo az\r");
    shell.runs("echo no''w", "now");
    shell.until("what was typed ahead", |shell| shell.seen.contains("ahead"));
    shell.announces("echo ah''ead; echo az");
    let token = shell.token.reveal().to_owned();
    shell.runs("env; echo en''v", "env");
    assert!(!shell.seen.contains(&token));
    shell.showed_nothing();
}

/// What a person and scripts can see of a shell's state, but for what the hooks are made of.
const STATE: &str = "\\
    echo $- $0 $SHLVL ${ENV-none} ${POSIXLY_CORRECT-none} $HISTFILE $HISTSIZE ${#DIRSTACK[@]}
    set -o; shopt; trap; jobs; umask; alias; echo ${PS1@Q} ${PS2@Q} ${PS4@Q}; enable -a
    declare -F | grep -v __jms; compgen -e | sort; ulimit -a
    bind -p | grep -v -e skip-csi -e ^#; history | tail -3; (exit 3)
    echo status=$? last=$_
";

/// Runs [`STATE`] in it.
fn state(mut shell: Shell) -> String {
    for line in ["echo wo''rd quince", "(exit 7)", "echo be''fore=$? last=$_"] {
        shell.settles();
        shell.types(format!("{line}\r").as_bytes());
    }
    shell.settles();
    let before = shell.seen.len();
    shell.runs(". ./state; echo state-is-wr''itten", "state-is-written");
    assert!(
        shell.seen.contains("before=7 last=quince"),
        "{:?}",
        shell.seen
    );
    let home = shell._home.path().display().to_string();
    let seen = shell.seen[before..].replace(&home, "HOME");
    let (state, _) = seen.split_once("\nstate-is-written").unwrap();
    state.to_owned()
}

#[test]
fn bash_with_hooks_is_the_bash_without_them() {
    let profile =
        "set -o notify; shopt -s autocd; alias ll='ls -l'; PS1='here> '; trap 'echo bye' EXIT\n";
    let files = [
        ("state", STATE),
        (".bash_profile", profile),
        (".bash_history", "one\ntwo\n"),
    ];
    let plain = state(Shell::plain("/bin/bash", &files).expect("bash is everywhere"));
    let hooked = state(ready("/bin/bash", &files).expect("bash is everywhere"));
    let both = plain.lines().zip(hooked.lines());
    let other: Vec<_> = both.filter(|(plain, hooked)| plain != hooked).collect();
    assert_eq!(other, []);
    assert_eq!(plain.lines().count(), hooked.lines().count());
}

#[test]
fn the_keys_of_a_line_editor_with_modes_do_what_they_do() {
    for (path, file, modes) in [
        ("/bin/bash", ".bash_profile", "set -o vi\n"),
        ("/bin/bash", ".inputrc", "set editing-mode vi\n"),
        ("/usr/bin/zsh", ".zshrc", "bindkey -v\n"),
    ] {
        let Some(mut shell) = ready(path, &[(file, modes)]) else {
            continue;
        };
        shell.settles();
        shell.types(b"echo wro''ng");
        shell.settles();
        shell.types(b"\x1b");
        shell.settles();
        shell.types(b"0wC");
        shell.settles();
        shell.runs("quin''ce", "quince");
        shell.announces("echo quin''ce");
    }
}

#[test]
fn what_a_program_or_the_shell_itself_reads_is_not_announced() {
    for (path, read) in [
        (
            "/bin/bash",
            "read -rsp 'PI''N: ' word; echo \"got-$word\" | tr a-z A-Z",
        ),
        (
            "/usr/bin/zsh",
            "read -rs 'word?PI''N: '; echo \"got-$word\" | tr a-z A-Z",
        ),
        (
            "/usr/bin/fish",
            "read -s -P 'PI''N: ' word; echo \"got-$word\" | tr a-z A-Z",
        ),
        (
            "/usr/bin/fish",
            "read -P 'PI''N: ' word; echo \"got-$word\" | tr a-z A-Z",
        ),
        (
            "/usr/bin/fish",
            "bind \\cx 'read -s -P \"PI\"\"N: \" word; echo \"got-$word\" | tr a-z A-Z'; echo bou''nd",
        ),
    ] {
        let Some(mut shell) = ready(path, &[(".zshrc", "")]) else {
            continue;
        };
        shell.settles();
        if read.contains("bind") {
            shell.runs(read, "bound");
            shell.settles();
            shell.types(b"\x18");
            shell.until("asked", |shell| shell.seen.contains("PIN: "));
        } else {
            shell.runs(read, "PIN: ");
        }
        shell.settles();
        shell.runs("quince", "GOT-QUINCE");
        shell.settles();
        shell.runs("echo af''ter", "after");
        shell.announces("echo af''ter");
        let quince = |(said, _): &(String, bool)| said.contains("quince");
        assert!(!shell.announced.iter().any(quince), "{:?}", shell.announced);
    }
}

#[test]
fn nothing_of_the_hooks_is_in_the_environment_of_children() {
    for (path, file) in [("/bin/bash", ".bash_profile"), ("/usr/bin/zsh", ".zshrc")] {
        let Some(mut shell) = ready(path, &[(file, "set -a\n")]) else {
            continue;
        };
        shell.runs("env; echo en''v-end", "env-end");
        assert!(!shell.seen.contains("__jms"), "{:?}", shell.seen);
        shell.showed_nothing();
        assert!(!shell.seen.contains("***"), "{:?}", shell.seen);
    }
}

#[test]
fn traces_and_strict_shells_show_nothing_of_the_hooks_and_go_on_announcing() {
    for (path, trace) in [
        ("/bin/bash", "set -x; set -u; set -e"),
        ("/bin/bash", "BASH_XTRACEFD=2; set -x"),
        ("/usr/bin/zsh", "set -x; set -u"),
        ("/usr/bin/fish", "set fish_trace 1"),
    ] {
        let Some(mut shell) = ready(path, &[(".zshrc", "")]) else {
            continue;
        };
        shell.runs(&format!("{trace}; echo se''t"), "set");
        for line in ["echo qu''ince", "echo la''st"] {
            shell.runs(line, &line.replace('\'', "")[5..]);
            shell.announces(line);
        }
        let token = shell.token.reveal().to_owned();
        assert!(!shell.seen.contains("__jms"), "{path}: {:?}", shell.seen);
        assert!(!shell.seen.contains("***"), "{path}: {:?}", shell.seen);
        // Who asks for it sees as much.
        shell.runs("echo $__jms_t; echo to''ld", "told");
        assert!(!shell.seen.contains(&token));
        assert!(shell.seen.contains(&"*".repeat(32)), "{:?}", shell.seen);
        shell.showed_nothing();
    }
}

#[test]
fn a_line_without_end_is_announced_as_far_as_it_is_kept() {
    for path in ["/bin/bash", "/usr/bin/zsh", "/usr/bin/fish"] {
        let long = format!("long='{}'; echo do''ne\n", "é%".repeat(40_000));
        let files = [(".zshrc", ""), ("long", long.as_str())];
        let Some(mut shell) = ready(path, &files) else {
            continue;
        };
        // It comes from the history: typing it would take the terminal's time.
        let recall = match path {
            "/bin/bash" => "history -r long",
            "/usr/bin/zsh" => "fc -R long",
            _ => continue,
        };
        shell.runs(&format!("{recall}; echo re''ad"), "read");
        shell.settles();
        shell.types(b"\x1b[A");
        shell.settles();
        shell.types(b"\r");
        shell.until("announced", |shell| {
            shell.announced.iter().any(|(said, _)| said.len() > 60_000)
        });
        shell.until("done", |shell| shell.seen.contains("done\r\n"));
        let longest = shell.announced.iter().map(|(said, _)| said.len()).max();
        assert!(
            longest > Some(64 * 1024) && longest < Some(70_000),
            "{longest:?}"
        );
        shell.showed_nothing();
    }
}

#[test]
fn an_interrupt_behind_the_line_leaves_the_terminal_as_it_was() {
    for path in ["/bin/bash", "/usr/bin/zsh"] {
        let Some(mut shell) = ready(path, &[(".zshrc", "")]) else {
            continue;
        };
        shell.settles();
        for turn in 0..8_u64 {
            shell.types(b"sleep 0.3\r");
            std::thread::sleep(Duration::from_millis(turn * 2));
            shell.types(b"\x03");
            shell.interrupted = true;
            let word = format!("turn-{turn}-");
            shell.settles();
            shell.interrupted = false;
            shell.runs(&format!("stty -a | tr ' ;' '\\n\\n' | grep -x -e '-*echo' -e '-*isig' -e '-*icanon' | xargs echo {word}"), &format!("{word} "));
            let after = format!("{word} isig icanon echo");
            shell.until(&after, |shell| shell.seen.contains(&after));
        }
    }
}

#[test]
fn bash_announces_and_skips() {
    let shell = ready("/bin/bash", &[]).expect("bash is everywhere");
    announces_and_skips(shell, "$?");
}

#[test]
fn zsh_announces_and_skips() {
    if let Some(shell) = ready("/usr/bin/zsh", &[(".zshrc", "")]) {
        announces_and_skips(shell, "$?");
    }
}

#[test]
fn fish_announces_and_skips() {
    if let Some(shell) = ready("/usr/bin/fish", &[]) {
        announces_and_skips(shell, "$status");
    }
}

#[test]
fn bash_is_the_login_shell_that_it_would_be() {
    let files = [
        (".bash_profile", "echo profile-read; . ~/.bashrc\n"),
        (
            ".bashrc",
            "PS1='here> '; PROMPT_COMMAND='echo -n mine-$?-'; HISTCONTROL=ignoreboth; alias printf=false\n",
        ),
        (".profile", "echo not-this-one\n"),
    ];
    let mut shell = ready("/bin/bash", &files).expect("bash is everywhere");
    shell.runs(
        "shopt login_shell; shopt -o posix; echo $HISTFILE",
        ".bash_history",
    );
    assert!(shell.seen.contains("profile-read") && !shell.seen.contains("not-this-one"));
    assert!(
        shell.seen.contains("login_shell    \ton") && shell.seen.contains("posix          \toff")
    );
    shell.runs("(exit 3)", "mine-3-");
    // What the history leaves out cannot be announced for certain, and is not.
    shell.runs(" echo spa''ce", "space");
    assert!(!shell.announced.last().unwrap().1, "{:?}", shell.announced);
    shell.runs("echo fre''sh", "fresh");
    assert_eq!(
        shell.announced.last(),
        Some(&("echo fre''sh".to_owned(), true))
    );
    shell.runs("for i in 1 2\rdo echo lo''op\rdone", "loop");
    shell.announces("for i in 1 2; do echo lo''op; done");
    // In the background and in subshells, too.
    for line in [
        "(touch forbidden)",
        "touch forbidden &",
        "f() { forbidden; }",
    ] {
        shell.types(format!("{line}\r").as_bytes());
        shell.announces(line);
    }
    shell.runs("ls; type f; echo en''d", "end");
    assert!(
        shell.seen.contains("type: f: not found"),
        "{:?}",
        shell.seen
    );
    // What could no longer ask does not say that it does.
    shell.runs("__jms_ask() { :; }; echo ke''pt", "kept");
    shell.announces("echo fre''sh");
    shell.runs("shopt -u promptvars; echo lite''ral", "literal");
    shell.until("told", |shell| shell.prompts.last() == Some(&false));
    shell.runs("shopt -s promptvars; echo ba''ck", "back");
    shell.until("hooked again", |shell| shell.prompts.last() == Some(&true));
    shell.runs("PS0=; echo go''ne", "gone");
    shell.until("told", |shell| shell.prompts.last() == Some(&false));
    shell.runs("logout", "logout");
    shell.showed_nothing();
}

#[test]
fn a_bash_that_handles_interrupts_waits_for_its_end() {
    let mut shell = ready("/bin/bash", &[]).expect("bash is everywhere");
    shell.runs("trap 'echo trapped' INT; echo se''t", "set");
    shell.types(b"touch forbidden\r");
    shell.until("stuck", |shell| shell.stuck);
    assert!(!shell._home.path().join("forbidden").exists());
}

#[test]
fn an_answer_that_nobody_waits_for_is_no_command() {
    let mut shell = ready("/bin/bash", &[]).expect("bash is everywhere");
    shell.runs("echo fi''rst", "first");
    shell.types(&start::answer("4711", start::YES));
    shell.runs("echo sec''ond", "second");
    shell.announces("echo sec''ond");
}

#[test]
fn a_shell_without_hooks_is_started_all_the_same() {
    let mut shell = Shell::start("/bin/dash", &[]).expect("dash is everywhere");
    shell.until("said", |shell| shell.none.as_deref() == Some("dash"));
    shell.runs("echo $((40 + 2)) $0", "42");
}
