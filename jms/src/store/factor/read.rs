//! What stands about a user's second factor.

use crate::factor::{Algorithm, Digits, HashedCode, Totp, TotpSecret};
use crate::nouns::User;
use crate::policy::factor::{FactorPolicy, demanded};
use crate::secret::MasterKey;
use crate::store::SealedSample;
use crate::store::error::StoreError;
use crate::store::read::{Read, maybe_time, number, word};
use crate::time::Time;

/// A user's enrolled generator, opened, with the last step that was used.
pub(super) struct Enrolled {
    pub(super) totp: Totp,
    pub(super) last_step: i64,
}

/// An unused recovery code: its row and hash.
pub(super) struct StoredCode {
    pub(super) id: i64,
    pub(super) hash: HashedCode,
}

impl Read<'_> {
    /// Which second factor is demanded of a user, why, where, and whether he has one.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn factor_of(self, user: &User) -> Result<FactorPolicy, StoreError> {
        let (demanded, because_of) = demanded(user.mfa, self.defaults()?.mfa_of(user.role));
        let totp_since: Option<Time> = self
            .first(
                "SELECT confirmed_at FROM totp WHERE user_id = ?1 AND confirmed_at IS NOT NULL",
                [user.id],
                |row| maybe_time(row, "confirmed_at"),
            )?
            .flatten();
        Ok(FactorPolicy {
            demanded,
            because_of,
            role: user.role,
            asked: user.mfa_asked,
            totp_since,
            recovery_codes: self.recovery_codes_left(user.id)?,
        })
    }

    pub(super) fn recovery_codes_left(self, user_id: i64) -> Result<u32, StoreError> {
        let codes = self.number(
            "SELECT count(*) FROM recovery_code WHERE user_id = ?1 AND used_at IS NULL",
            [user_id],
        )?;
        number("recovery codes", codes)
    }

    pub(super) fn enrolled(
        self,
        user_id: i64,
        key: &MasterKey,
    ) -> Result<Option<Enrolled>, StoreError> {
        self.first(
            "SELECT secret, algorithm, digits, last_step FROM totp WHERE user_id = ?1 AND confirmed_at IS NOT NULL",
            [user_id],
            |row| {
                let sealed: Vec<u8> = row.get("secret")?;
                let secret = key.open(&super::place(user_id), &sealed).map_err(super::secret)?;
                let digits: i64 = row.get("digits")?;
                Ok(Enrolled {
                    totp: Totp {
                        secret: TotpSecret::from_bytes(secret),
                        algorithm: word("hash of a second factor", &row.get::<_, String>("algorithm")?, Algorithm::parse)?,
                        digits: Digits::of(digits).ok_or_else(|| StoreError::Nonsense {
                            what: "digits of a second factor",
                            found: digits.to_string(),
                        })?,
                    },
                    last_step: row.get("last_step")?,
                })
            },
        )
    }

    pub(super) fn unused_codes(self, user_id: i64) -> Result<Vec<StoredCode>, StoreError> {
        self.rows(
            "SELECT id, hash FROM recovery_code WHERE user_id = ?1 AND used_at IS NULL ORDER BY id",
            [user_id],
            |row| {
                let hash: String = row.get("hash")?;
                Ok(StoredCode {
                    id: row.get("id")?,
                    hash: HashedCode::parse(&hash).map_err(super::secret)?,
                })
            },
        )
    }

    /// One sealed secret of an app, if there is any.
    pub(in crate::store) fn sealed_totp(self) -> Result<Option<SealedSample>, StoreError> {
        self.first(
            "SELECT user_id, secret FROM totp ORDER BY user_id DESC LIMIT 1",
            [],
            |row| {
                Ok(SealedSample {
                    context: super::place(row.get(0)?),
                    sealed: row.get(1)?,
                })
            },
        )
    }
}
