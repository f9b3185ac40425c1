//! Who the credentials belong to, beyond their ids.

use crate::client::{Call, Salesforce};
use crate::codec::{IdentityDoc, UserDoc};
use crate::error::{not_a_remote, refusal};
use attache::{Identity, Remote, Result, ServerTime};
use std::sync::PoisonError;

/// For how long a user's name, zone and locale are taken for what they were, by the server's clock.
///
/// A user changes them once in years, and sessions come every few minutes. Whom a token belongs to is asked each
/// time all the same, by the call that tells the server's clock.
const LIFE_S: i64 = 3_600;

/// What the org told of a user, and when.
pub(crate) type Known = Option<(ServerTime, Identity)>;

impl Salesforce {
    /// Tells of a user what the org told within the last hour, or asks.
    pub(crate) async fn person(&self, org_id: String, user_id: String) -> Result<Identity> {
        let now = self.meter.server_time();
        if let (Some(now), Some((at, known))) = (now, self.known_person())
            && (known.org_id.as_str(), known.user_id.as_str()) == (&org_id, &user_id)
            && (0..LIFE_S).contains(&(now.0 - at.0))
        {
            return Ok(known);
        }
        let (username, time_zone, locale) = self.about(&org_id, &user_id).await?;
        let told = Identity {
            user_id,
            org_id,
            username,
            time_zone,
            locale,
        };
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        *known = now.map(|now| (now, told.clone()));
        Ok(told)
    }

    fn known_person(&self) -> Known {
        let known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        known.clone()
    }

    /// Tells the name, the time zone and the locale of the user.
    async fn about(&self, org_id: &str, user_id: &str) -> Result<(String, String, String)> {
        // The link itself leads to the host of sign-in, where the token must
        // not go; the org's own host answers the same path.
        let path = format!("/id/{org_id}/{user_id}");
        let answer = self.send(&Call::read("identity", path)).await?;
        if answer.status == 200 {
            let doc: IdentityDoc = self.decode(&answer.body)?;
            return Ok((doc.username, doc.timezone, doc.locale));
        }
        if !matches!(answer.status, 403 | 404) {
            return Err(refusal(&self.address, &answer, &self.meter));
        }
        // A token without the scope for it may still read its own user.
        let soql = format!(
            "SELECT Username, TimeZoneSidKey, LocaleSidKey FROM User WHERE Id = '{user_id}'"
        );
        let page = self.query(&soql).await?;
        let user = page
            .records
            .first()
            .ok_or_else(|| not_a_remote(&self.address))?;
        let doc: UserDoc = self.decode(user.get().as_bytes())?;
        Ok((doc.username, doc.time_zone_sid_key, doc.locale_sid_key))
    }
}
