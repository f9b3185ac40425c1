//! Briefcase documents: what to keep on the device.

use crate::background;
use crate::error::Result;
use crate::store::Attache;
use crate::tell::{Tell, mirror};
use attache::Briefcase;

/// A briefcase that was made of another document.
#[derive(Clone, Debug, PartialEq, Eq, uniffi::Record)]
pub struct BriefcaseImport {
    /// The briefcase (JSON).
    pub briefcase: String,
    /// What of the other document it does not say, in sentences for a person.
    pub notes: Vec<String>,
}

impl From<attache::BriefcaseImport> for BriefcaseImport {
    fn from(import: attache::BriefcaseImport) -> BriefcaseImport {
        BriefcaseImport {
            briefcase: import.briefcase.to_json(),
            notes: import.notes,
        }
    }
}

/// What differs between two briefcases.
#[derive(Clone, Debug, PartialEq, Eq, uniffi::Record)]
pub struct BriefcaseDiff {
    /// Nothing differs.
    pub is_empty: bool,
    /// The newer one may bring records.
    pub downloads: bool,
    /// The newer one may take records away.
    pub evicts: bool,
    /// Each rule and object that differs, as JSON.
    pub json: String,
}

/// Reads a briefcase document and writes it as the store keeps it. Fails with what is wrong and where.
#[uniffi::export]
pub fn briefcase_from_json(json: String) -> Result<String> {
    Ok(Briefcase::from_json(&json)?.to_json())
}

/// Makes a briefcase of all records of these objects.
#[uniffi::export]
pub fn briefcase_everything(objects: Vec<String>) -> String {
    Briefcase::everything(objects).to_json()
}

/// The JSON schema of briefcase documents.
#[uniffi::export]
pub fn briefcase_json_schema() -> String {
    Briefcase::json_schema().to_owned()
}

/// Lists the briefcases that come with the engine, by name.
#[uniffi::export]
pub fn briefcase_templates() -> Vec<String> {
    Briefcase::templates().map(str::to_owned).collect()
}

/// Gives a briefcase that comes with the engine.
#[uniffi::export]
pub fn briefcase_template(name: String) -> Result<String> {
    Ok(Briefcase::template(&name)?.to_json())
}

/// Makes a briefcase of the describe of a Salesforce list view (JSON).
#[uniffi::export]
pub fn briefcase_from_list_view(json: String) -> Result<BriefcaseImport> {
    Ok(Briefcase::from_list_view(&json)?.into())
}

/// Makes a briefcase of a `.briefcaseDefinition` of Briefcase Builder (XML).
#[uniffi::export]
pub fn briefcase_from_briefcase_definition(xml: String) -> Result<BriefcaseImport> {
    Ok(Briefcase::from_briefcase_definition(&xml)?.into())
}

/// Makes a briefcase of the `usersyncs.json` of MobileSync, and of its `userstore.json` if there is one.
#[uniffi::export(default(userstore = None))]
pub fn briefcase_from_mobile_sync(
    usersyncs: String,
    userstore: Option<String>,
) -> Result<BriefcaseImport> {
    Ok(Briefcase::from_mobile_sync(&usersyncs, userstore.as_deref())?.into())
}

/// Tells what differs between two briefcases (JSON).
#[uniffi::export]
pub fn briefcase_diff(older: String, newer: String) -> Result<BriefcaseDiff> {
    let diff = Briefcase::from_json(&older)?.diff(&Briefcase::from_json(&newer)?);
    Ok(BriefcaseDiff {
        is_empty: diff.is_empty(),
        downloads: diff.downloads(),
        evicts: diff.evicts(),
        json: diff.to_json(),
    })
}

mirror! {
    /// What a rule would hold.
    RuleEstimate of told: attache::RuleEstimate {
        /// The rule's name.
        rule: String,
        /// The object of its records.
        object: String,
        /// Records at the org that it matches.
        matches: u64,
        /// The org counted them. If not, they were estimated.
        exact: bool,
        /// The rule's limit.
        limit: Option<u32>,
        /// The limit would leave records out.
        truncated: bool = told.is_truncated(),
        /// Records that it would hold: what it matches, as far as its limit lets in.
        records: u64,
        /// About how many bytes these have.
        bytes: u64,
        /// Records of this device that it would hold.
        here: u64,
        /// Records that would have to be brought here.
        download: u64 = told.download(),
    }
}

mirror! {
    /// The files of an object's records whose bytes would come along.
    FilesEstimate of told: attache::FilesEstimate {
        /// The object.
        object: String,
        /// Files that the policy takes; nothing where the org cannot count them.
        files: Option<u64>,
        /// How many bytes these have.
        bytes: Option<u64>,
        /// The org counted just these. If not, it is their share of all files of the object.
        exact: bool,
    }
}

mirror! {
    /// What setting a briefcase would do.
    DryRun of told: attache::DryRun {
        /// The rules, each before those that hang on it.
        rules: Vec<RuleEstimate>,
        /// Records that the next session would bring, at most.
        download: u64,
        /// About how many bytes these have.
        download_bytes: u64,
        /// Records of this device that nothing would hold any more.
        evict: u64,
        /// About how many bytes these have.
        evict_bytes: u64,
        /// The files that would come along, of each object whose files do.
        files: Vec<FilesEstimate>,
        /// About how many calls the next session would take.
        calls: u64,
        /// Calls that the dry run itself took.
        calls_made: u64,
    }
}

#[uniffi::export]
impl Attache {
    /// Sets what to keep on the device: a briefcase document (JSON). It is stored, and checked
    /// against the org by the next `sync`.
    pub fn set_briefcase(&self, json: String) -> Result<()> {
        Ok(self.engine()?.set_briefcase(Briefcase::from_json(&json)?)?)
    }

    /// The briefcase that was set (JSON); nothing before one was.
    pub fn briefcase(&self) -> Result<Option<String>> {
        let briefcase = self.engine()?.briefcase()?;
        Ok(briefcase.map(|briefcase| briefcase.to_json()))
    }

    /// Tells what setting a briefcase would bring and take away. Nothing is changed by it, at the org or here.
    pub async fn dry_run(&self, json: String) -> Result<DryRun> {
        let (engine, briefcase) = (self.engine()?, Briefcase::from_json(&json)?);
        background::run(move || {
            let would = futures_lite::future::block_on(engine.dry_run(&briefcase))?;
            Ok(would.tell())
        })
        .await
    }

    /// Learns who and what the org is and checks the briefcase against it, without reading records.
    pub async fn prepare(&self) -> Result<()> {
        let engine = self.engine()?;
        background::run(move || Ok(futures_lite::future::block_on(engine.prepare())?)).await
    }
}
