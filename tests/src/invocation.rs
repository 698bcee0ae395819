//! One program to run: on this machine, in a host, or as a client. What came out is an [`Outcome`].

use std::ffi::{OsStr, OsString};
use std::fmt;
use std::io::{Read, Write};
use std::process::{Child, ChildStdin, Command, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use nix::errno::Errno;
use nix::sys::wait::{Id, WaitPidFlag, waitid};
use nix::unistd::Pid;

use crate::outcome::{End, Outcome};
use crate::terminal::Terminal;

/// How long a program may take unless the test says otherwise.
const DEADLINE: Duration = Duration::from_secs(60);
/// How long after a program's end its output may still be open (a service that it left behind keeps the pipe).
const PIPE_GRACE: Duration = Duration::from_millis(500);

/// A program with its arguments, input and deadline, not yet started.
#[derive(Debug, Clone)]
pub struct Invocation {
    words: Vec<OsString>,
    /// How many of the words are the way into a host, and where they lead.
    way: (usize, String),
    input: Vec<u8>,
    deadline: Duration,
    environment: Vec<(OsString, OsString)>,
    window: (u16, u16),
    discards: bool,
}

impl Invocation {
    /// A program of this machine.
    pub fn new(program: impl AsRef<OsStr>) -> Self {
        Self {
            words: vec![program.as_ref().to_owned()],
            way: (0, String::new()),
            input: Vec::new(),
            deadline: DEADLINE,
            environment: Vec::new(),
            window: (80, 24),
            discards: false,
        }
    }

    /// Adds one argument.
    #[must_use]
    pub fn arg(mut self, word: impl AsRef<OsStr>) -> Self {
        self.words.push(word.as_ref().to_owned());
        self
    }

    /// Adds arguments.
    #[must_use]
    pub fn args<Word: AsRef<OsStr>>(mut self, words: impl IntoIterator<Item = Word>) -> Self {
        self.words
            .extend(words.into_iter().map(|word| word.as_ref().to_owned()));
        self
    }

    /// What the program reads from its standard input; nothing by default.
    #[must_use]
    pub fn input(mut self, bytes: impl Into<Vec<u8>>) -> Self {
        self.input = bytes.into();
        self
    }

    /// How long the program may take before it is killed; a minute by default.
    #[must_use]
    pub fn within(mut self, deadline: Duration) -> Self {
        self.deadline = deadline;
        self
    }

    /// Its standard output goes to nobody, for what would be too much to keep.
    #[must_use]
    pub fn discard_output(mut self) -> Self {
        self.discards = true;
        self
    }

    /// Sets an environment variable for the started program. A command *in a host* starts with a clean environment: use
    /// [`crate::Host::command`] with `env NAME=VALUE …` there.
    #[must_use]
    pub fn variable(mut self, name: impl AsRef<OsStr>, value: impl AsRef<OsStr>) -> Self {
        self.environment
            .push((name.as_ref().to_owned(), value.as_ref().to_owned()));
        self
    }

    /// Starts the program, gives it its input, and waits for its end.
    ///
    /// # Panics
    /// When the program cannot be started at all.
    #[must_use]
    #[track_caller]
    pub fn run(self) -> Outcome {
        let input = self.input.clone();
        let mut running = self.spawn();
        let stdin = running.stdin.take();
        // Beside the reading, or a program that answers while it reads would block.
        thread::spawn(move || {
            if let Some(mut stdin) = stdin {
                // A program that does not read all of its input is no fault of the writer.
                let _ = stdin.write_all(&input);
            }
        });
        running.wait()
    }

    /// Starts the program and returns at once; its input stays open for [`Running::write`].
    ///
    /// # Panics
    /// When the program cannot be started at all.
    #[must_use]
    #[track_caller]
    pub fn spawn(self) -> Running {
        let line = self.to_string();
        let started = Instant::now();
        let deadline = self.deadline;
        let output = match self.discards {
            true => Stdio::null(),
            false => Stdio::piped(),
        };
        // In a session of its own: without a terminal, as in CI, so that a question is a failure and never waits for a person.
        let mut command = self.behind(&["setsid", "--wait", "--"]).command();
        command
            .stdin(Stdio::piped())
            .stdout(output)
            .stderr(Stdio::piped());
        let mut child = match command.spawn() {
            Ok(child) => child,
            Err(error) => panic!("cannot start {line}: {error}"),
        };
        Running {
            line,
            started,
            deadline,
            stdin: child.stdin.take(),
            stdout: Collector::start(child.stdout.take()),
            stderr: Collector::start(child.stderr.take()),
            child,
        }
    }

    /// The size of its terminal, if it gets one; 80 columns by 24 lines by default.
    #[must_use]
    pub fn in_window(mut self, columns: u16, lines: u16) -> Self {
        self.window = (columns, lines);
        self
    }

    /// Starts the program on a terminal of its own (an xterm, unless `TERM` says otherwise) for a conversation.
    ///
    /// # Panics
    /// When there is no terminal to be had or the program cannot be started at all.
    #[must_use]
    #[track_caller]
    pub fn on_terminal(self) -> Terminal {
        Terminal::start(self)
    }

    /// Runs the program with this process's own input, output and terminal.
    ///
    /// # Errors
    /// When the program cannot be started.
    pub fn run_in_foreground(self) -> std::io::Result<ExitStatus> {
        self.command().status()
    }

    /// The command for the standard library, without its three streams.
    pub(crate) fn command(&self) -> Command {
        let (program, arguments) = self
            .words
            .split_first()
            .expect("an invocation has a program");
        let mut command = Command::new(program);
        command
            .args(arguments)
            .envs(self.environment.iter().map(|(name, value)| (name, value)));
        command
    }

    /// The words so far are the way into `host`; messages show its name in their place.
    pub(crate) fn into_host(mut self, host: &str) -> Self {
        self.way = (self.words.len(), format!("{host}: "));
        self
    }

    /// The same, started by a program of this machine: `prefix` is that and its arguments.
    #[must_use]
    pub fn behind(mut self, prefix: &[&str]) -> Self {
        self.words.splice(0..0, prefix.iter().map(OsString::from));
        self
    }

    /// Sets an environment variable that the test has said nothing about.
    pub(crate) fn variable_unless_set(self, name: &str, value: &str) -> Self {
        match self.environment.iter().any(|(set, _)| set == name) {
            true => self,
            false => self.variable(name, value),
        }
    }

    /// Columns and lines of its terminal.
    pub(crate) fn window(&self) -> (u16, u16) {
        self.window
    }

    /// How long it may take.
    pub(crate) fn deadline(&self) -> Duration {
        self.deadline
    }
}

impl fmt::Display for Invocation {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.way.1)?;
        for (position, word) in self.words.iter().skip(self.way.0).enumerate() {
            let gap = if position == 0 { "" } else { " " };
            write!(formatter, "{gap}{}", word.to_string_lossy())?;
        }
        Ok(())
    }
}

/// A started program. It is killed when this value goes away.
#[derive(Debug)]
pub struct Running {
    line: String,
    started: Instant,
    deadline: Duration,
    child: Child,
    stdin: Option<ChildStdin>,
    stdout: Collector,
    stderr: Collector,
}

impl Running {
    /// Writes to the program's standard input.
    ///
    /// # Panics
    /// When the program has closed it.
    #[track_caller]
    pub fn write(&mut self, bytes: impl AsRef<[u8]>) {
        let Some(stdin) = self.stdin.as_mut() else {
            panic!("the input of {} is closed", self.line)
        };
        if let Err(error) = stdin.write_all(bytes.as_ref()).and_then(|()| stdin.flush()) {
            panic!("{} does not read its input: {error}", self.line);
        }
    }

    /// Ends the program's standard input.
    pub fn close_input(&mut self) {
        self.stdin = None;
    }

    /// What it has written to its standard output so far.
    #[must_use]
    pub fn stdout_so_far(&self) -> String {
        String::from_utf8_lossy(&self.stdout.bytes()).into_owned()
    }

    /// What it has written to its standard error so far.
    #[must_use]
    pub fn stderr_so_far(&self) -> String {
        String::from_utf8_lossy(&self.stderr.bytes()).into_owned()
    }

    /// Whether it still runs.
    pub fn is_running(&mut self) -> bool {
        matches!(self.child.try_wait(), Ok(None))
    }

    /// Its process id on this machine.
    #[must_use]
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Kills it with SIGKILL.
    pub fn kill(&mut self) {
        // It may have ended on its own already.
        let _ = self.child.kill();
    }

    /// Waits for its end, at most until its deadline, and then kills it. Its input stays as it is: a program that reads to
    /// the end needs [`Running::close_input`] first.
    #[must_use]
    pub fn wait(mut self) -> Outcome {
        let left = self.deadline.saturating_sub(self.started.elapsed());
        let (end, ended) = match self.ended().recv_timeout(left) {
            Ok(ended) => (self.child.wait().map_or(End::TimedOut, End::from), ended),
            // Who asks late does not find it late.
            Err(_) => match self.child.try_wait() {
                Ok(Some(status)) => (End::from(status), Instant::now()),
                _ => {
                    self.kill();
                    let _ = self.child.wait();
                    (End::TimedOut, Instant::now())
                }
            },
        };
        let elapsed = ended.duration_since(self.started);
        self.stdin = None;
        Outcome {
            line: self.line.clone(),
            end,
            stdout: self.stdout.finish(),
            stderr: self.stderr.finish(),
            elapsed,
        }
    }
}

impl Running {
    /// Says when the program ended, to the moment: who asks now and then measures his own pauses. It stays to be waited for.
    fn ended(&self) -> Receiver<Instant> {
        let (sender, receiver) = channel();
        let child = Pid::from_raw(self.child.id().cast_signed());
        let end = WaitPidFlag::WEXITED | WaitPidFlag::WNOWAIT;
        thread::spawn(move || {
            // Any other answer means that there is nothing left to wait for.
            while waitid(Id::Pid(child), end) == Err(Errno::EINTR) {}
            let _ = sender.send(Instant::now());
        });
        receiver
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.kill();
        let _ = self.child.wait();
    }
}

/// Gathers what comes out of one pipe.
#[derive(Debug)]
struct Collector {
    gathered: Arc<Mutex<Vec<u8>>>,
    thread: Option<JoinHandle<()>>,
}

impl Collector {
    fn start(pipe: Option<impl Read + Send + 'static>) -> Self {
        let gathered = Arc::new(Mutex::new(Vec::new()));
        let sink = Arc::clone(&gathered);
        let thread = thread::spawn(move || {
            let Some(mut pipe) = pipe else { return };
            let mut buffer = [0; 64 * 1024];
            loop {
                match pipe.read(&mut buffer) {
                    Ok(0) => return,
                    Ok(length) => {
                        let chunk = buffer.get(..length).unwrap_or_default();
                        sink.lock()
                            .unwrap_or_else(PoisonError::into_inner)
                            .extend_from_slice(chunk);
                    }
                    Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
                    Err(_) => return,
                }
            }
        });
        Self {
            gathered,
            thread: Some(thread),
        }
    }

    fn bytes(&self) -> Vec<u8> {
        self.gathered
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    /// All bytes up to the end of the pipe, or those that came until a moment after the program's end.
    fn finish(&mut self) -> Vec<u8> {
        if let Some(thread) = self.thread.take() {
            let until = Instant::now() + PIPE_GRACE;
            while !thread.is_finished() && Instant::now() < until {
                thread::sleep(Duration::from_millis(1));
            }
        }
        self.bytes()
    }
}
