//! The seven lines of Attaché in Rust: open, connect, pack, sync, read, edit, settle.
//! Give the org in ATTACHE_URL and ATTACHE_ACCESS_TOKEN (`attache sandbox` prints both).

#![allow(clippy::print_stdout, reason = "an example talks to its terminal")]

use attache::{Attache, Briefcase, Keep, Resolution};
use attache_salesforce::{Salesforce, StaticToken};
use std::env;
use std::error::Error;

const FIELD_SALES: &str =
    r#"{"version":1,"rules":[{"object":"Opportunity","scope":"mine"},"Account"]}"#;

fn main() -> Result<(), Box<dyn Error>> {
    // Any executor will do: the engine brings no runtime of its own.
    futures_lite::future::block_on(quickstart(
        &env::var("ATTACHE_URL")?,
        &env::var("ATTACHE_ACCESS_TOKEN")?,
    ))
}

async fn quickstart(url: &str, token: &str) -> Result<(), Box<dyn Error>> {
    let org = Salesforce::new(url, StaticToken::new(token))?;
    let attache = Attache::open_in_memory()?.with_remote(org);
    attache.set_briefcase(Briefcase::from_json(FIELD_SALES)?)?;
    let report = attache
        .sync()
        .on_progress(|progress| println!("{}: {}", progress.object, progress.done))
        .await?;
    for row in attache.query("SELECT Name, Amount FROM Opportunity WHERE CloseDate = NEXT_N_DAYS:90 ORDER BY Amount DESC")? {
        println!("{:?} {:?}", row.get("Name"), row.get("Amount"));
        if let Some(id) = row.id() {
            attache.update(id, [("NextStep", "Call")])?;
        }
    }
    for conflict in attache.conflicts()? {
        attache.resolve(conflict.id, Resolution::per_field([("Phone", Keep::Mine)]))?;
    }
    println!(
        "{} records taken along, {} edits to send",
        report.inserted,
        attache.pending()?.len()
    );
    Ok(())
}
