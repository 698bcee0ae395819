//! A terminal in the middle: runs a command on a terminal of its own, with capture between the two, denies the lines that a
//! rule matches, and logs. `proxy [--rules FILE] --log FILE -- COMMAND…`; FILE is `[{"pattern": REGEX, "action": "deny"}]`.
use capture::{Action, Capture, Outcome, Settings, Size, Verdict};
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::pty::{OpenptyResult, Winsize, openpty};
use nix::sys::signal::{SigSet, Signal};
use nix::sys::signalfd::{SfdFlags, SignalFd};
use nix::sys::termios::{SetArg, cfmakeraw, tcgetattr, tcsetattr};
use std::io::Write;
use std::os::fd::AsFd;
use std::os::unix::process::CommandExt;
use std::process::Command;
use std::time::Instant;

fn size() -> Size {
    let text = Command::new("stty")
        .arg("size")
        .output()
        .map(|o| String::from_utf8_lossy(&o.stdout).into_owned())
        .unwrap_or_default();
    let mut numbers = text.split_whitespace().filter_map(|n| n.parse().ok());
    Size {
        rows: numbers.next().unwrap_or(24),
        columns: numbers.next().unwrap_or(80),
    }
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let (mut rules, mut log, mut command) = (Vec::new(), None, Vec::new());
    let mut arguments = std::env::args().skip(1);
    while let Some(argument) = arguments.next() {
        match argument.as_str() {
            "--rules" => {
                let text = std::fs::read_to_string(arguments.next().unwrap_or_default())?;
                let list: Vec<serde_json::Value> = serde_json::from_str(&text)?;
                for rule in list {
                    rules.push((
                        regex::Regex::new(rule["pattern"].as_str().unwrap_or(""))?,
                        rule["action"] == "confirm",
                    ));
                }
            }
            "--log" => log = arguments.next(),
            "--" => command.extend(arguments.by_ref()),
            other => command.push(other.to_owned()),
        }
    }
    let mut log = std::fs::OpenOptions::new()
        .create(true)
        .append(true)
        .open(log.ok_or("no --log")?)?;
    let mut trace = std::env::var("CAPTURE_TRACE")
        .ok()
        .map(|folder| {
            std::fs::File::create(format!(
                "{folder}/{}",
                std::env::var("CORPUS_CASE").unwrap_or_default()
            ))
        })
        .transpose()?;
    let stdin = std::io::stdin();
    let terminal = tcgetattr(&stdin)?;
    let at = size();
    let window = Winsize {
        ws_row: at.rows,
        ws_col: at.columns,
        ws_xpixel: 0,
        ws_ypixel: 0,
    };
    let OpenptyResult { master, slave } = openpty(Some(&window), Some(&terminal))?;
    let mut signals = SigSet::empty();
    signals.add(Signal::SIGWINCH);
    signals.add(Signal::SIGHUP);
    let program = command.first().ok_or("no command")?;
    let (a, b, c) = (slave.try_clone()?, slave.try_clone()?, slave);
    // util-linux' setsid makes it the controlling terminal: no unsafe code is needed here.
    let mut child = Command::new("setsid")
        .args(["--ctty", "--wait", "--"])
        .arg(program)
        .args(&command[1..])
        .stdin(a)
        .stdout(b)
        .stderr(c)
        .process_group(0)
        .spawn()?;
    signals.thread_block()?;
    let signal = SignalFd::with_flags(&signals, SfdFlags::SFD_NONBLOCK)?;
    let mut raw = terminal.clone();
    cfmakeraw(&mut raw);
    tcsetattr(&stdin, SetArg::TCSANOW, &raw)?;

    let begun = Instant::now();
    let mut note = |kind: &str, bytes: &[u8]| {
        if let Some(file) = &mut trace {
            let _ = writeln!(
                file,
                "{:8.1} {kind} {:?}",
                begun.elapsed().as_secs_f64() * 1000.0,
                String::from_utf8_lossy(bytes)
            );
        }
    };
    let mut capture = Capture::new(
        at,
        Settings {
            enforcing: !rules.is_empty() || std::env::var_os("CAPTURE_ENFORCE").is_some(),
            ..Settings::default()
        },
    );
    let mut buffer = vec![0; 65536];
    let mut over = false;
    while !over {
        let timeout = capture.deadline().map_or(PollTimeout::NONE, |d| {
            PollTimeout::try_from(
                d.saturating_duration_since(Instant::now())
                    .as_micros()
                    .div_ceil(1000) as i32,
            )
            .unwrap_or(PollTimeout::MAX)
        });
        let mut fds = [
            PollFd::new(stdin.as_fd(), PollFlags::POLLIN),
            PollFd::new(master.as_fd(), PollFlags::POLLIN),
            PollFd::new(signal.as_fd(), PollFlags::POLLIN),
        ];
        if let Err(error) = poll(&mut fds, timeout)
            && error != nix::errno::Errno::EINTR
        {
            return Err(error.into());
        }
        let ready = |fd: &PollFd| fd.revents().is_some_and(|r| !r.is_empty());
        let (user, asset, window) = (ready(&fds[0]), ready(&fds[1]), ready(&fds[2]));
        let now = Instant::now();
        if window {
            while let Ok(Some(info)) = signal.read_signal() {
                if info.ssi_signo == Signal::SIGWINCH as u32 {
                    let at = size();
                    let _ = Command::new("stty")
                        .args([
                            "rows",
                            &at.rows.to_string(),
                            "columns",
                            &at.columns.to_string(),
                        ])
                        .stdin(master.try_clone()?)
                        .output();
                    capture.resized(now, at);
                }
            }
        }
        if asset {
            match nix::unistd::read(&master, &mut buffer) {
                Ok(0) | Err(_) => over = true,
                Ok(count) => {
                    note("o", &buffer[..count]);
                    nix::unistd::write(std::io::stdout(), &buffer[..count])?;
                    capture.printed(now, &buffer[..count]);
                }
            }
        }
        if user && !over {
            match nix::unistd::read(&stdin, &mut buffer[..4096]) {
                Ok(0) | Err(_) => over = true,
                Ok(count) => {
                    note("i", &buffer[..count]);
                    capture.typed(now, &buffer[..count]);
                }
            }
        }
        if !user && !asset {
            capture.tick(now);
        }
        if over {
            capture.ended(now);
        }
        while let Some(action) = capture.next_action() {
            match action {
                Action::Send(bytes) => {
                    note("SEND", &bytes);
                    let mut rest = &bytes[..];
                    while !rest.is_empty() {
                        let count = nix::unistd::write(&master, rest).unwrap_or(rest.len());
                        rest = &rest[count..];
                    }
                }
                Action::Show(bytes) => {
                    note("SHOW", &bytes);
                    nix::unistd::write(std::io::stdout(), &bytes)?;
                }
                Action::Judge {
                    id,
                    candidates,
                    hidden,
                    ..
                } => {
                    note(
                        "JUDGE",
                        format!("{candidates:?} hidden {hidden}").as_bytes(),
                    );
                    let hit = rules
                        .iter()
                        .find(|(r, _)| candidates.iter().any(|c| r.is_match(c)));
                    let verdict = match hit {
                        None => Verdict::Allow,
                        Some((_, true)) => Verdict::Confirm {
                            question: "jms: run it? [y/N]".into(),
                            refused: "jms: not run".into(),
                        },
                        Some((rule, false)) => {
                            Verdict::Deny(format!("jms: denied by the rule {rule}"))
                        }
                    };
                    capture.verdict(now, id, verdict);
                }
                Action::Command(c) => {
                    let denied = matches!(c.outcome, Outcome::Denied | Outcome::Refused);
                    note("LOG", format!("{c:?}").as_bytes());
                    if !c.hidden {
                        writeln!(
                            log,
                            "{}",
                            serde_json::json!({"line": c.line, "action": if denied { "deny" } else { "accept" }, "captured": c.certainty.word()})
                        )?;
                    }
                }
                Action::Hidden { .. } => note("HIDDEN", b""),
                Action::End(reason) => {
                    note("END", format!("{reason:?}").as_bytes());
                    over = true;
                }
            }
        }
    }
    drop(master);
    tcsetattr(&stdin, SetArg::TCSANOW, &terminal)?;
    let _ = child.kill();
    Ok(())
}
