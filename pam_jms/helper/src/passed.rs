//! What the authentication phase says to the session phase, through PAM's environment (`JMS_FACTOR`).
//!
//! The two run in different processes of sshd, and `keyboard-interactive/pam` in sshd's own list does not say that *our*
//! module was asked. So the helper seals what was passed with the store's key, for this user, this key and this very
//! connection; who cannot read that key cannot make one, and one of another login does not open.

use data_encoding::BASE64;
use jms::nouns::User;
use jms::secret::{Context, MasterKey};
use jms::store::{FactorKind, Store, StoreError};
use jms::time::Time;
use pam_jms_protocol::Request;

/// The store's key, with which it is sealed and opened.
///
/// # Errors
/// [`StoreError::Secret`]: there is none that can be used. That is the bastion's fault, and nobody's factor is missing.
pub fn sealing_key(store: &Store) -> Result<MasterKey, StoreError> {
    MasterKey::load(&store.paths().secret_key()).map_err(|error| StoreError::Secret {
        sentence: error.to_string(),
    })
}

/// Longer than a login may take (LoginGraceTime), in milliseconds.
const LONGEST: i64 = 10 * 60 * 1000;

/// What was passed in an authentication.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Passed {
    /// A password, checked by us.
    pub password: bool,
    /// A second factor, and when: for a remembered one, when it was really passed.
    pub factor: Option<(FactorKind, Time)>,
    /// When this was written.
    pub at: Time,
}

impl Passed {
    /// Seals it. `fingerprint`: of the key that was proven before, or empty.
    ///
    /// # Errors
    /// A sentence: the kernel gives no random numbers.
    pub fn seal(
        &self,
        key: &MasterKey,
        user: &User,
        fingerprint: &str,
        request: &Request,
    ) -> Result<String, String> {
        let factor = match self.factor {
            Some((kind, at)) => format!("{kind} {}", at.0),
            None => "none 0".to_owned(),
        };
        let text = format!("{} {factor} {}", u8::from(self.password), self.at.0);
        let sealed = key
            .seal(&place(user, fingerprint, request), text.as_bytes())
            .map_err(|error| error.to_string())?;
        Ok(BASE64.encode(&sealed))
    }

    /// Opens what the authentication of this very login sealed; `None` for anything else.
    #[must_use]
    pub fn open(
        text: &str,
        key: &MasterKey,
        user: &User,
        fingerprint: &str,
        request: &Request,
        now: Time,
    ) -> Option<Self> {
        let sealed = BASE64.decode(text.as_bytes()).ok()?;
        let opened = key.open(&place(user, fingerprint, request), &sealed).ok()?;
        let opened = std::str::from_utf8(opened.expose()).ok()?;
        let mut words = opened.split(' ');
        let (password, kind) = (words.next()?, words.next()?);
        let (factor_at, at) = (words.next()?.parse().ok()?, words.next()?.parse().ok()?);
        let at = Time(at);
        let age = now.0.saturating_sub(at.0);
        if words.next().is_some() || !(-LONGEST..=LONGEST).contains(&age) {
            return None;
        }
        Some(Self {
            password: password == "1",
            factor: FactorKind::parse(kind).map(|kind| (kind, Time(factor_at))),
            at,
        })
    }
}

/// No two logins at once share a connection, and a name or uid that is given anew has another row.
fn place(user: &User, fingerprint: &str, request: &Request) -> Context {
    let connection = request.connection.as_deref().unwrap_or_default();
    let row = format!("{} {} {fingerprint} {connection}", user.id, user.uid);
    Context::new("login", "passed", row)
}
