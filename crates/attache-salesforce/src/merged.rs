//! What became of records that were merged into others.

use crate::client::{Call, Salesforce, escape};
use crate::codec::{PageDoc, remote_id};
use attache::Result;

/// A record that was merged into another.
#[derive(serde::Deserialize)]
struct MergedDoc {
    #[serde(rename = "Id")]
    id: String,
    #[serde(rename = "MasterRecordId")]
    master: Option<String>,
}

impl Salesforce {
    /// Tells into which records others were merged: see [`Remote::merged_into`](attache::Remote::merged_into).
    ///
    /// The recycle bin knows it, so only `queryAll` does, and for as long as the rows lie there.
    pub(crate) async fn masters(
        &self,
        object: &str,
        ids: &[String],
    ) -> Result<Vec<(String, String)>> {
        let ids: Vec<String> = ids.iter().filter_map(|id| remote_id(id)).collect();
        if ids.is_empty() {
            return Ok(Vec::new());
        }
        let soql = format!(
            "SELECT Id, MasterRecordId FROM {object} WHERE Id IN ('{}') AND MasterRecordId != null",
            ids.join("','")
        );
        let path = self.path(format_args!("/queryAll?q={}", escape(&soql)));
        let page: PageDoc = self.fetch(&Call::read("merged_into", path)).await?;
        let mut merged = Vec::with_capacity(page.records.len());
        for record in &page.records {
            let doc: MergedDoc = self.decode(record.get().as_bytes())?;
            let master = doc.master.and_then(|id| remote_id(&id));
            if let (Some(id), Some(master)) = (remote_id(&doc.id), master) {
                merged.push((id, master));
            }
        }
        Ok(merged)
    }
}
