//! Which live sessions a change would end: the same decision that they will make themselves.

use super::error::StoreError;
use super::read::Read;
use crate::nouns::Session;
use crate::policy::{Channel, access, decide};
use crate::time::Time;

impl Read<'_> {
    /// Live sessions whose right is gone; inside of a change, as the change has left it so far.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn ending_sessions(self, now: Time) -> Result<Vec<Session>, StoreError> {
        let mut ending = Vec::new();
        for session in self.live_sessions()? {
            if !self.goes_on(&session, now)? {
                ending.push(session);
            }
        }
        Ok(ending)
    }

    fn goes_on(self, session: &Session, now: Time) -> Result<bool, StoreError> {
        // A row lets go of what is removed.
        let ids = self.first(
            "SELECT u.uid, s.asset_id, s.system_user_id FROM session s JOIN user u ON u.id = s.user_id
             WHERE s.id = ?1 AND s.asset_id IS NOT NULL AND s.system_user_id IS NOT NULL",
            [&session.id],
            |row| Ok((row.get::<_, u32>(0)?, (row.get(1)?, row.get(2)?))),
        )?;
        let Some((uid, target)) = ids else {
            return Ok(false);
        };
        let user = self.user_by_uid(uid)?;
        let (Some(user), Some(channel)) = (user, Channel::parse(&session.channel)) else {
            return Ok(false);
        };
        let login = match &session.login {
            Some(id) => match self.login_by_prefix(id) {
                Err(StoreError::NotFound { .. }) => None,
                found => Some(found?),
            },
            None => None,
        };
        let mut facts = self.facts(&user, login.as_ref(), target, access::Counts::default())?;
        // Its own limits let it in; they do not end it.
        facts.limits = access::Counts::default();
        Ok(decide(&facts, channel, now).allow)
    }
}
