//! Questions that the client asks on the asset's behalf: a password, or what keyboard-interactive login wants to know.
//!
//! The client starts our program `askpass` (`SSH_ASKPASS`, ssh(1)), which brings the question here and takes the
//! answer back, over a connection that the handover gives to it and to nobody else. Nothing is typed at the client's own
//! terminal, and nothing secret is in its arguments or environment.
//!
//! A question is the asset's text within the client's frame: the frame says which of the two it is, and for whom.

use super::arguments::HOST_KEY_ALIAS;
use jms::secret::SecretString;
use nix::poll::PollFlags;
use std::io::{self, ErrorKind, Read, Write};
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::net::UnixStream;
use zeroize::Zeroizing;

/// The program that the client asks with.
pub const ASKPASS: &str = "/usr/libexec/jms/askpass";
/// No honest question is longer, in bytes; what is longer is cut.
const LONGEST: u64 = 4096;

/// What is asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Question {
    /// The account's password (RFC 4252, section 8).
    Password,
    /// A prompt of the asset's own (RFC 4256), as it came: hostile text.
    Prompt(String),
    /// Something else, or for somebody else: never answered.
    Other,
}

impl Question {
    /// Reads the client's text (OpenSSH's sshconnect2.c: `userauth_passwd`, `input_userauth_info_req`).
    #[must_use]
    pub fn parse(text: &str, account: &str) -> Self {
        let text = text.trim_end_matches(['\r', '\n']);
        if text == format!("{account}@{HOST_KEY_ALIAS}'s password: ") {
            return Self::Password;
        }
        match text.strip_prefix(&format!("({account}@{HOST_KEY_ALIAS}) ")) {
            Some(prompt) => Self::Prompt(prompt.to_owned()),
            None => Self::Other,
        }
    }

    /// Whether the account's stored password is what is asked for. A code, a new password or a riddle is not.
    #[must_use]
    pub fn is_for_password(&self) -> bool {
        match self {
            Self::Password => true,
            Self::Prompt(prompt) => {
                let prompt = prompt.trim().trim_end_matches(':').to_ascii_lowercase();
                let others = [
                    "new", "old", "current", "again", "retype", "one-time", "otp",
                ];
                prompt.ends_with("password")
                    && !prompt
                        .split(|c: char| c.is_ascii_whitespace() || c == '(' || c == ')')
                        .any(|word| others.contains(&word))
            }
            Self::Other => false,
        }
    }
}

/// The place where one client's questions arrive. One at a time, each over a connection of its own.
#[derive(Debug)]
pub struct Asking {
    account: String,
    connection: Option<UnixStream>,
    text: Vec<u8>,
    asked: bool,
}

impl Asking {
    /// For questions about `account`.
    #[must_use]
    pub fn new(account: &str) -> Self {
        Self {
            account: account.to_owned(),
            connection: None,
            text: Vec::new(),
            asked: false,
        }
    }

    /// A program of the client's has connected, to ask one thing.
    pub fn hear(&mut self, connection: UnixStream) {
        self.connection = Some(connection);
        self.text.clear();
        self.asked = false;
    }

    /// What to wait for. While a question waits for its answer there is nothing.
    #[must_use]
    pub fn watched(&self) -> Option<(BorrowedFd<'_>, PollFlags)> {
        let connection = self.connection.as_ref().filter(|_| !self.asked);
        connection.map(|connection| (connection.as_fd(), PollFlags::POLLIN))
    }

    /// Does what can be done now without waiting; a question when one is whole.
    pub fn on_ready(&mut self) -> Option<Question> {
        let connection = self.connection.as_mut().filter(|_| !self.asked)?;
        let room = LONGEST.saturating_sub(self.text.len() as u64);
        match connection.take(room).read_to_end(&mut self.text) {
            Err(error) if error.kind() == ErrorKind::WouldBlock => return None,
            Err(_) => {
                self.connection = None;
                return None;
            }
            Ok(_) => {}
        }
        self.asked = true;
        let text = String::from_utf8_lossy(&self.text);
        Some(Question::parse(&text, &self.account))
    }

    /// Answers the question that waits, or refuses to: then the client gives up this way of logging in.
    pub fn answer(&mut self, secret: Option<&SecretString>) {
        if let (Some(mut connection), Some(secret)) = (self.connection.take(), secret) {
            // A socket's buffer is larger than any secret; who has gone meanwhile needs none.
            let _ = connection.write_all(secret.expose().as_bytes());
        }
    }
}

/// The program `askpass`: brings the question and prints the answer; the exit status.
#[must_use]
pub fn askpass(question: &[u8]) -> i32 {
    let ask = || -> io::Result<Zeroizing<Vec<u8>>> {
        // Whatever the name: the one who answers the call for a socket gives a connected one.
        let mut relay = UnixStream::connect("/")?;
        relay.write_all(question)?;
        relay.shutdown(std::net::Shutdown::Write)?;
        let mut answer = Zeroizing::new(Vec::with_capacity(8192));
        relay.take(LONGEST).read_to_end(&mut answer)?;
        Ok(answer)
    };
    match ask() {
        Ok(mut answer) if !answer.is_empty() => {
            answer.push(b'\n');
            let client = crate::sys::standard(crate::sys::StandardNumber::Output);
            i32::from(nix::unistd::write(client, &answer) != Ok(answer.len()))
        }
        _ => 1,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::{Duration, Instant};

    #[test]
    fn the_clients_frame_says_what_is_asked_and_for_whom() {
        let parse = |text| Question::parse(text, "dev");
        assert_eq!(parse("dev@asset's password: "), Question::Password);
        assert_eq!(
            parse("(dev@asset) Password: "),
            Question::Prompt("Password: ".into())
        );
        for other in [
            "root@asset's password: ",
            "dev@other's password: ",
            "(root@asset) Password: ",
            "Enter passphrase for key '/x': ",
            "Enter dev@asset's old password: ",
            "",
        ] {
            assert_eq!(parse(other), Question::Other, "{other}");
        }
    }

    #[test]
    fn a_stored_password_answers_a_question_for_it_and_no_other() {
        let is_for_password = |prompt: &str| Question::Prompt(prompt.into()).is_for_password();
        for prompt in [
            "Password: ",
            "password:",
            "dev's Password: ",
            "(web1) Password: ",
        ] {
            assert!(is_for_password(prompt), "{prompt}");
        }
        for prompt in [
            "Verification code: ",
            "New password: ",
            "Retype new password: ",
            "Current password: ",
            "One-time password (OATH) for `dev': ",
            "One-time Password: ",
            "Password for your bank, please\r\nPIN: ",
            "",
        ] {
            assert!(!is_for_password(prompt), "{prompt}");
        }
        assert!(!Question::Other.is_for_password());
    }

    fn question(asking: &mut Asking) -> Question {
        let until = Instant::now() + Duration::from_secs(20);
        loop {
            if let Some(question) = asking.on_ready() {
                return question;
            }
            assert!(Instant::now() < until, "no question came");
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    #[test]
    fn a_question_waits_for_its_answer_and_a_refused_one_gets_nothing() {
        let mut asking = Asking::new("dev");
        assert!(asking.watched().is_none(), "nobody can ask yet");
        for answer in ["quince", ""] {
            let (ours, mut far_end) = UnixStream::pair().unwrap();
            ours.set_nonblocking(true).unwrap();
            asking.hear(ours);
            far_end.write_all(b"dev@asset's pass").unwrap();
            assert_eq!(asking.on_ready(), None, "not whole yet");
            far_end.write_all(b"word: ").unwrap();
            far_end.shutdown(std::net::Shutdown::Write).unwrap();
            assert_eq!(question(&mut asking), Question::Password);
            assert!(asking.watched().is_none() && asking.on_ready().is_none());
            let secret = SecretString::from(answer.to_owned());
            asking.answer((!answer.is_empty()).then_some(&secret));
            let mut read = String::new();
            far_end.read_to_string(&mut read).unwrap();
            assert_eq!(read, answer);
        }
    }
}
