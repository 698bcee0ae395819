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
    stuck: bool,
    none: Option<String>,
    /// What the person types while the next answer is on its way.
    ahead: Option<&'static [u8]>,
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
            .args(["--ctty", "--wait", path, "-c"])
            .arg(String::from_utf8(start::command()).unwrap())
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
            stuck: false,
            none: None,
            ahead: None,
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
        self.types(&start::answer(nonce, text));
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
                Marker::Hooked { eaten } => {
                    self.hooked = true;
                    self.types(&eaten);
                }
                Marker::Goes { eaten } => {
                    self.sieve.expect_no_echo();
                    self.types(&eaten);
                }
                Marker::Prompt { hooked } => self.prompts.push(hooked),
                Marker::Command {
                    nonce, fresh, line, ..
                } => {
                    let line = line.expect("undisturbed");
                    let denied = line.contains(self.denied);
                    self.announced.push((line, fresh));
                    self.replies(&nonce, if denied { start::NO } else { start::YES });
                }
                Marker::Stuck => self.stuck = true,
                Marker::None { shell } => self.none = Some(shell),
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
