//! How long each part of a message may be, in bytes. Longer ones are refused, never cut.

/// A whole body; above the sum of all parts of the longest message.
pub const BODY: usize = 32 * 1024;
/// PAM_USER as it was asked for: a name (32), `@`, and a target (128), with room.
pub const USER: usize = 256;
/// PAM_SERVICE.
pub const SERVICE: usize = 64;
/// PAM_RHOST: a host name (RFC 1035) or an address.
pub const REMOTE_HOST: usize = 255;
/// PAM_TTY.
pub const TERMINAL: usize = 128;
/// SSH_AUTH_INFO_0: one line a factor; a public key of 16384 bits is 2.8 KB of it.
pub const AUTHENTICATION: usize = 16 * 1024;
/// SSH_CONNECTION: two addresses of at most 50 characters and two ports (sshd's `auth-pam.c`).
pub const CONNECTION: usize = 128;
/// The sentence shown to the person.
pub const MESSAGE: usize = 512;
/// Number of environment variables in an answer.
pub const VARIABLES: usize = 8;
/// Name of an environment variable.
pub const VARIABLE_NAME: usize = 32;
/// Value of an environment variable.
pub const VARIABLE_VALUE: usize = 256;
/// Number of prompts in one conversation: passwords, new ones, codes.
pub const PROMPTS: usize = 8;
/// A prompt of the conversation.
pub const PROMPT: usize = 512;
/// What the person typed; PAM_MAX_RESP_SIZE of Linux-PAM.
pub const RESPONSE: usize = 512;
