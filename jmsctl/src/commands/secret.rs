//! The secret of a system user: given in a file, on standard input or at the terminal, or made here; sealed into the store.
#![forbid(unsafe_code)]

use crate::cli::system_user::{Attributes, Generate};
use crate::context::Context;
use crate::failure::{Done, Failure};
use crate::input::{FileArgument, can_ask, passphrase};
use jms::keys::{PrivateKey, PrivateKeyError};
use jms::nouns::{CredentialKind, SystemUser, SystemUserOverride};
use jms::secret::{Context as Place, MasterKey, SecretString};
use jms::store::{Change, NewCredential, StoreError};

/// The longest password that ssh takes from a program that asks for it, in bytes.
const LONGEST: usize = 1000;

/// A new secret, and the key that seals it.
pub struct NewSecret {
    secret: Secret,
    master: MasterKey,
}

enum Secret {
    Key(PrivateKey),
    Password(SecretString),
}

/// Whether the flags give a secret, and of which kind.
pub fn kind(attributes: &Attributes) -> Option<CredentialKind> {
    match (&attributes.key, attributes.generate, &attributes.password) {
        (None, None, None) => None,
        (None, None, Some(_)) => Some(CredentialKind::Password),
        _ => Some(CredentialKind::Key),
    }
}

impl NewSecret {
    /// The one that the flags give, ask for or make.
    pub fn given(attributes: &Attributes, context: &Context) -> Done<Option<Self>> {
        let secret = match (&attributes.key, attributes.generate, &attributes.password) {
            (Some(file), _, _) => Secret::Key(private_key(file)?),
            (None, Some(Generate::Ed25519), _) => Secret::Key(
                PrivateKey::generate_ed25519()
                    .map_err(|error| Failure::Failed(error.to_string()))?,
            ),
            (None, None, Some(file)) => {
                Secret::Password(password(file, "Password of the account")?)
            }
            (None, None, None) => return Ok(None),
        };
        let master = context.master_key()?;
        Ok(Some(Self { secret, master }))
    }

    /// Keeps it for the system user everywhere.
    pub fn keep(&self, change: &Change<'_>, name: &str) -> Result<SystemUser, StoreError> {
        let (public_key, fingerprint) = self.public(name);
        let new = self.credential(&public_key, &fingerprint);
        change.set_credential(name, &new, |row| self.seal(row))
    }

    /// Keeps it for the system user on one asset.
    pub fn keep_on(
        &self,
        change: &Change<'_>,
        name: &str,
        asset: &str,
    ) -> Result<SystemUserOverride, StoreError> {
        let (public_key, fingerprint) = self.public(&format!("{name}@{asset}"));
        let new = self.credential(&public_key, &fingerprint);
        change.set_credential_on(name, asset, &new, |row| self.seal(row))
    }

    fn credential<'a>(&self, public_key: &'a str, fingerprint: &'a str) -> NewCredential<'a> {
        NewCredential {
            kind: match self.secret {
                Secret::Key(_) => CredentialKind::Key,
                Secret::Password(_) => CredentialKind::Password,
            },
            public_key,
            fingerprint,
        }
    }

    /// Public key and fingerprint; a password has neither.
    fn public(&self, comment: &str) -> (String, String) {
        match &self.secret {
            Secret::Key(key) => (
                key.public().openssh_line(comment),
                key.public().fingerprint().to_string(),
            ),
            Secret::Password(_) => (String::new(), String::new()),
        }
    }

    /// The secret as it is stored in the credential's row of that id.
    fn seal(&self, row: i64) -> Result<Vec<u8>, StoreError> {
        let place = Place::credential(row);
        let sealed = match &self.secret {
            Secret::Key(key) => {
                let text = key.to_openssh();
                self.master.seal(&place, text.expose().as_bytes())
            }
            Secret::Password(text) => self.master.seal(&place, text.expose().as_bytes()),
        };
        sealed.map_err(|error| StoreError::Secret {
            sentence: error.to_string(),
        })
    }
}

fn private_key(file: &FileArgument) -> Done<PrivateKey> {
    let bad = |error: PrivateKeyError| Failure::BadInput(format!("{}: {error}", file.name()));
    let text = file.read()?;
    match PrivateKey::parse(text.expose(), None) {
        Err(PrivateKeyError::Encrypted) => {
            let passphrase = passphrase(&format!("Passphrase of {}", file.name()))?;
            PrivateKey::parse(text.expose(), Some(passphrase.expose())).map_err(bad)
        }
        other => other.map_err(bad),
    }
}

/// A password from a file or standard input; at a terminal, asked for twice with `question`.
pub fn password(file: &FileArgument, question: &str) -> Done<SecretString> {
    if file.is_standard() && can_ask() {
        let typed = checked(passphrase(question)?)?;
        if typed.expose() != passphrase("The same again")?.expose() {
            return Err(Failure::BadInput(
                "the two are not the same; nothing was changed".to_owned(),
            ));
        }
        return Ok(typed);
    }
    checked(file.read()?)
}

/// One line, as ssh can pass it on.
fn checked(text: SecretString) -> Done<SecretString> {
    let line = text.expose();
    let line = line.strip_suffix('\n').unwrap_or(line);
    let line = line.strip_suffix('\r').unwrap_or(line);
    let bad = |sentence: &str| Err(Failure::BadInput(sentence.to_owned()));
    if line.is_empty() {
        return bad("the password is empty");
    }
    if line.len() > LONGEST {
        return bad("the password is longer than 1000 bytes, which ssh would cut");
    }
    if line.chars().any(char::is_control) {
        return bad("a password is one line, without control characters");
    }
    Ok(SecretString::from(line.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::checked;
    use jms::secret::SecretString;

    fn password(text: &str) -> Option<String> {
        let checked = checked(SecretString::from(text.to_owned()));
        checked.ok().map(|text| text.expose().to_owned())
    }

    #[test]
    fn a_password_is_one_line_that_ssh_can_pass_on() {
        assert_eq!(password("qu ince\n").as_deref(), Some("qu ince"));
        assert_eq!(password(" quince \r\n").as_deref(), Some(" quince "));
        assert_eq!(password("quince").as_deref(), Some("quince"));
        for bad in ["", "\n", "two\nlines\n", "tab\t", &"x".repeat(1001)] {
            assert_eq!(password(bad), None, "{bad:?}");
        }
    }
}
