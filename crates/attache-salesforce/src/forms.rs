//! What forms are drawn from, and list views.

use crate::client::{Call, Salesforce, escape};
use crate::error::{not_a_remote, refusal};
use attache::{Layouts, ListViewName, Result};
use serde::Deserialize;
use serde_json::value::RawValue;
use std::collections::BTreeSet;

/// Layouts that are asked for one by one at most: as many as an object has at the platform.
const APART_MAX: usize = 200;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct LayoutsDoc {
    layouts: Option<Vec<Option<Box<RawValue>>>>,
    record_type_mappings: Box<RawValue>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct MappingDoc {
    #[serde(default)]
    available: bool,
    layout_id: Option<String>,
    record_type_id: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct ListViewsDoc {
    listviews: Vec<ListViewDoc>,
    next_records_url: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct ListViewDoc {
    id: String,
    developer_name: String,
}

impl Salesforce {
    /// Asks for the layouts of an object: two calls, and one for each layout of an org that tells them one by one.
    pub(crate) async fn layouts_of(&self, object: &str) -> Result<Option<Layouts>> {
        let path =
            |rest: &str| self.path(format_args!("/sobjects/{}/describe/{rest}", escape(object)));
        let Some(layouts) = self.text("layouts", path("layouts")).await? else {
            return Ok(None);
        };
        let layouts = match self.missing_layouts(&layouts)? {
            missing if missing.is_empty() => layouts,
            missing => {
                let mut all = Vec::with_capacity(missing.len());
                for record_type in missing {
                    let path = path(&format!("layouts/{}", escape(&record_type)));
                    all.extend(self.text("layout", path).await?);
                }
                let doc: LayoutsDoc = self.decode(layouts.as_bytes())?;
                let mappings = doc.record_type_mappings;
                format!(
                    r#"{{"layouts":[{}],"recordTypeMappings":{mappings}}}"#,
                    all.join(",")
                )
            }
        };
        let compact = self.text("compact_layouts", path("compactLayouts")).await?;
        Ok(Some(Layouts { layouts, compact }))
    }

    /// Record types, one for each layout, whose layouts an answer names and does not hold.
    fn missing_layouts(&self, layouts: &str) -> Result<Vec<String>> {
        let doc: LayoutsDoc = self.decode(layouts.as_bytes())?;
        if doc.layouts.into_iter().flatten().flatten().next().is_some() {
            return Ok(Vec::new());
        }
        let mappings: Vec<MappingDoc> = self.decode(doc.record_type_mappings.get().as_bytes())?;
        let mut seen = BTreeSet::new();
        let wanted = mappings.into_iter().filter(|one| one.available);
        let one_each = wanted.filter(|one| seen.insert(one.layout_id.clone()));
        Ok(one_each
            .map(|one| one.record_type_id)
            .take(APART_MAX)
            .collect())
    }

    pub(crate) async fn list_views_of(&self, object: &str) -> Result<Vec<ListViewName>> {
        let mut path = self.path(format_args!("/sobjects/{}/listviews", escape(object)));
        let mut names = Vec::new();
        loop {
            let call = Call::read("list_views", path.clone());
            let answer = self.send(&call).await?;
            // An object without list views, and one that is not there, have none.
            if answer.status == 404 && crate::codec::problems(&answer.body).is_some() {
                return Ok(names);
            }
            if answer.status != 200 {
                return Err(refusal(&self.address, &answer, &self.meter));
            }
            let doc: ListViewsDoc = self.decode(&answer.body)?;
            let more = doc.listviews.len();
            for view in doc.listviews {
                names.push(ListViewName {
                    id: self.id(&view.id)?,
                    developer_name: view.developer_name,
                });
            }
            match doc.next_records_url {
                // A page without a list view would lead on for ever.
                Some(_) if more == 0 => return Err(not_a_remote(&self.address)),
                Some(next) => path = self.address.path_of(&next)?,
                None => return Ok(names),
            }
        }
    }

    pub(crate) async fn list_view_of(&self, object: &str, id: &str) -> Result<Option<String>> {
        let (object, id) = (escape(object), escape(id));
        let path = self.path(format_args!("/sobjects/{object}/listviews/{id}/describe"));
        self.text("list_view", path).await
    }

    /// Reads JSON as text; `None` if there is no such resource for this user.
    async fn text(&self, name: &'static str, path: String) -> Result<Option<String>> {
        let answer = self.send(&Call::read(name, path)).await?;
        match answer.status {
            200 => {
                self.decode::<Box<RawValue>>(&answer.body)?;
                let text = String::from_utf8(answer.body);
                text.map(Some).map_err(|_| not_a_remote(&self.address))
            }
            404 if crate::codec::problems(&answer.body).is_some() => Ok(None),
            _ => Err(refusal(&self.address, &answer, &self.meter)),
        }
    }
}
