//! How an account is proved to the asset, and what the client is told of it: never the secret itself.
#![forbid(unsafe_code)]

use super::ask::ASKPASS;

/// How the account is proved.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Method {
    /// By the key that our agent signs with.
    Key,
    /// By the stored password, as password or as the answer to a prompt.
    Password,
    /// By what the person at the terminal types.
    Typed,
}

impl Method {
    /// Whether the client asks through our `askpass`.
    #[must_use]
    pub fn asks(self) -> bool {
        self != Self::Key
    }

    /// Its options of ssh_config(5).
    pub(super) fn options(self) -> impl Iterator<Item = String> {
        let (own, preferred) = match self {
            Self::Key => (
                [
                    "BatchMode=yes",
                    "NumberOfPasswordPrompts=0",
                    "PasswordAuthentication=no",
                    "KbdInteractiveAuthentication=no",
                ],
                "publickey",
            ),
            // Public-key login comes first, without a key, so that nothing of it is sent: with it the client proves to
            // our agent with whom it speaks. OpenSSH 9.2 does so in any case, 10.0 where the asset offers such logins.
            Self::Password => (ASKING, "publickey,password,keyboard-interactive"),
            Self::Typed => (ASKING, "publickey,keyboard-interactive,password"),
        };
        own.map(str::to_owned)
            .into_iter()
            .chain([format!("PreferredAuthentications={preferred}")])
    }

    /// What it adds to the client's environment.
    pub(super) fn environment(self) -> impl Iterator<Item = String> {
        let asking = [
            format!("SSH_ASKPASS={ASKPASS}"),
            "SSH_ASKPASS_REQUIRE=force".to_owned(),
        ];
        asking.into_iter().filter(move |_| self.asks())
    }
}

const ASKING: [&str; 4] = [
    "BatchMode=no",
    "NumberOfPasswordPrompts=1",
    "PasswordAuthentication=yes",
    "KbdInteractiveAuthentication=yes",
];
