//! What the org as a whole says of itself.

use crate::client::{Call, Salesforce, escape};
use attache::{ErrorKind, FiscalYear, FiscalYearName, Result};

const FIELDS: &str = "FiscalYearStartMonth,UsesStartDateAsFiscalYearName";

#[derive(serde::Deserialize)]
#[serde(rename_all = "PascalCase")]
struct OrganizationDoc {
    fiscal_year_start_month: Option<i8>,
    uses_start_date_as_fiscal_year_name: Option<bool>,
}

impl Salesforce {
    /// Tells when the fiscal year of an org begins, if the user may know; one call.
    ///
    /// An org with custom fiscal years (periods drawn by hand) tells the month of its standard one.
    pub(crate) async fn fiscal_year_of(&self, org_id: &str) -> Result<Option<FiscalYear>> {
        let org_id = escape(org_id);
        let path = self.path(format_args!(
            "/sobjects/Organization/{org_id}?fields={FIELDS}"
        ));
        let call = Call::read("organization", path);
        let answer = self.send(&call).await?;
        if answer.status != 200 {
            let refused = self.refused_object("Organization", &answer);
            return if is_withheld(refused.kind()) {
                Ok(None)
            } else {
                Err(refused)
            };
        }
        let doc: OrganizationDoc = self.decode(&answer.body)?;
        let month = doc.fiscal_year_start_month;
        let name = match doc.uses_start_date_as_fiscal_year_name {
            Some(true) => FiscalYearName::Start,
            _ => FiscalYearName::End,
        };
        let within = month.filter(|month| (1..=12).contains(month));
        Ok(within.map(|start_month| FiscalYear { start_month, name }))
    }
}

/// The org lets this user know nothing of itself: no reason to stop a session.
fn is_withheld(kind: ErrorKind) -> bool {
    matches!(
        kind,
        ErrorKind::UnknownObject | ErrorKind::UnknownField | ErrorKind::RemoteRefused
    )
}
