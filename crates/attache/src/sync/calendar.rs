//! When the org's fiscal year begins: what fiscal dates mean on the device.

use super::Run;
use crate::error::Result;
use crate::store::Durability;

/// When the org was asked last, in milliseconds by the device's clock.
const ASKED: &str = "fiscal_year_asked";
/// An org changes its fiscal year once in years, if ever.
const REST_MS: i64 = 24 * 3600 * 1000;

impl Run<'_> {
    /// Learns when the org's fiscal year begins, at most once a day: one call.
    ///
    /// What was known stays known if the org no longer tells it.
    pub(super) async fn learn_fiscal_year(&mut self, org_id: &str) -> Result<()> {
        let now = self.env.now().0;
        let asked = self.store.read(|r| r.setting(ASKED))?;
        let age = asked
            .and_then(|at| at.parse::<i64>().ok())
            .map(|at| now - at);
        // A clock that was set back makes an answer look new for ever.
        if age.is_some_and(|age| (0..REST_MS).contains(&age)) {
            return Ok(());
        }
        let year = self.remote.fiscal_year(org_id).await?;
        self.store.write(Durability::Ordered, |w| {
            if let Some(year) = year {
                w.set_setting("org_fiscal_year", &year.to_string())?;
            }
            w.set_setting(ASKED, &now.to_string())
        })
    }
}
