//! What can be asked of the agent that the relay answers as; and an agent that only listens, for the words with which an
//! honest client binds a connection to its session.

use std::io::{Error, Read, Result, Write};
use std::os::unix::net::{UnixListener, UnixStream};

const FAILURE: u8 = 5;
const SUCCESS: u8 = 6;
const REQUEST_IDENTITIES: u8 = 11;
const IDENTITIES_ANSWER: u8 = 12;
const SIGN_REQUEST: u8 = 13;
const SIGN_RESPONSE: u8 = 14;
const EXTENSION: u8 = 27;

/// The one connection that there is.
pub struct Agent(UnixStream);

impl Agent {
    /// The connection that is there already, or now.
    pub fn get(agent: &mut Option<Self>) -> Result<&mut Self> {
        if agent.is_none() {
            *agent = Some(Self(UnixStream::connect("/handed-over")?));
        }
        agent.as_mut().ok_or_else(|| Error::other("no agent"))
    }

    /// Says that the connection is that of another client, in its own words.
    pub fn bind(&mut self, binding: &str) -> Result<String> {
        Ok(match self.ask(&bytes(binding))?.first() {
            Some(&SUCCESS) => "done".to_owned(),
            answer => format!("refused: {answer:?}"),
        })
    }

    /// Asks for a signature under a login of `account` in this session, which may be one with another machine.
    pub fn log_in(&mut self, account: &str, session: &[u8]) -> Result<String> {
        let identities = self.ask(&[REQUEST_IDENTITIES])?;
        // Type, count, then the first key.
        let Some((key, _)) = identities.get(5..).and_then(string) else {
            return Ok("refused: the agent has no key".to_owned());
        };
        let mut login = Vec::new();
        put(&mut login, session);
        login.push(50);
        for text in [account, "ssh-connection", "publickey"] {
            put(&mut login, text.as_bytes());
        }
        login.push(1);
        put(&mut login, b"ssh-ed25519");
        put(&mut login, key);
        let mut request = vec![SIGN_REQUEST];
        put(&mut request, key);
        put(&mut request, &login);
        request.extend([0; 4]);
        Ok(match self.ask(&request)?.first() {
            Some(&SIGN_RESPONSE) => "done".to_owned(),
            answer => format!("refused: {answer:?}"),
        })
    }

    fn ask(&mut self, body: &[u8]) -> Result<Vec<u8>> {
        send(&mut self.0, body)?;
        receive(&mut self.0)
    }
}

/// Listens at `path` as an agent without keys, until a client has bound its connection; its words, in hexadecimal.
pub fn record_binding(path: &str) -> Result<String> {
    let listener = UnixListener::bind(path)?;
    println!("ready");
    let (mut client, _) = listener.accept()?;
    loop {
        let request = receive(&mut client)?;
        match request.first() {
            Some(&EXTENSION) => {
                send(&mut client, &[SUCCESS])?;
                return Ok(request.iter().map(|byte| format!("{byte:02x}")).collect());
            }
            Some(&REQUEST_IDENTITIES) => send(&mut client, &[IDENTITIES_ANSWER, 0, 0, 0, 0])?,
            _ => send(&mut client, &[FAILURE])?,
        }
    }
}

/// The session id in what [`record_binding`] says: type, name, host key, session id, signature.
pub fn session_of(binding: &str) -> Result<Vec<u8>> {
    let body = bytes(binding);
    let mut rest = body.get(1..).unwrap_or_default();
    let mut last = &[][..];
    for _ in 0..3 {
        (last, rest) = string(rest).ok_or_else(|| Error::other("no binding"))?;
    }
    Ok(last.to_vec())
}

fn send(stream: &mut UnixStream, body: &[u8]) -> Result<()> {
    let mut message = Vec::new();
    put(&mut message, body);
    stream.write_all(&message)
}

fn receive(stream: &mut UnixStream) -> Result<Vec<u8>> {
    let mut length = [0; 4];
    stream.read_exact(&mut length)?;
    let mut body = vec![0; u32::from_be_bytes(length) as usize];
    stream.read_exact(&mut body)?;
    Ok(body)
}

/// The string at the front, and what is behind it.
fn string(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let (length, rest) = bytes.split_first_chunk()?;
    rest.split_at_checked(u32::from_be_bytes(*length) as usize)
}

fn put(message: &mut Vec<u8>, text: &[u8]) {
    message.extend(u32::try_from(text.len()).unwrap_or(0).to_be_bytes());
    message.extend(text);
}

fn bytes(hex: &str) -> Vec<u8> {
    let digits: Vec<u32> = hex.chars().filter_map(|digit| digit.to_digit(16)).collect();
    let pairs = digits.chunks_exact(2);
    pairs.map(|pair| (pair[0] * 16 + pair[1]) as u8).collect()
}
