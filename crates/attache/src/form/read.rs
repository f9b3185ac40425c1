//! Reads the answers about layouts.

use super::{Form, Kind, Layout, LayoutItem, Picklists, RelatedList, Section};
use crate::error::{Error, ErrorKind, Result};
use crate::record::RecordId;
use crate::schema::RawEntry;
use serde::Deserialize;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct RawLayouts {
    layouts: Option<Vec<Option<RawLayout>>>,
    record_type_mappings: Option<Vec<RawMapping>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct RawLayout {
    id: String,
    detail_layout_sections: Option<Vec<RawSection>>,
    edit_layout_sections: Option<Vec<RawSection>>,
    related_lists: Option<Vec<RawList>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct RawSection {
    #[serde(default)]
    columns: u32,
    heading: Option<String>,
    #[serde(default)]
    use_heading: bool,
    #[serde(default)]
    use_collapsible_section: bool,
    layout_rows: Option<Vec<RawRow>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct RawRow {
    layout_items: Option<Vec<RawItem>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct RawItem {
    label: Option<String>,
    layout_components: Option<Vec<RawComponent>>,
    #[serde(default)]
    required: bool,
    #[serde(default)]
    editable_for_new: bool,
    #[serde(default)]
    editable_for_update: bool,
}

#[derive(Deserialize)]
struct RawComponent {
    #[serde(rename = "type")]
    kind: Option<String>,
    value: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct RawList {
    label: Option<String>,
    name: Option<String>,
    sobject: Option<String>,
    field: Option<String>,
    columns: Option<Vec<RawColumn>>,
    sort: Option<Vec<RawSort>>,
    limit_rows: Option<u32>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct RawColumn {
    label: Option<String>,
    name: Option<String>,
    field_api_name: Option<String>,
}

#[derive(Deserialize)]
struct RawSort {
    column: Option<String>,
    #[serde(default)]
    ascending: bool,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct RawMapping {
    record_type_id: String,
    layout_id: Option<String>,
    picklists_for_record_type: Option<Vec<RawPicklist>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct RawPicklist {
    picklist_name: String,
    picklist_values: Option<Vec<RawEntry>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct RawCompacts {
    compact_layouts: Option<Vec<RawCompact>>,
    record_type_compact_layout_mappings: Option<Vec<RawCompactMapping>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct RawCompact {
    id: Option<String>,
    field_items: Option<Vec<RawItem>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct RawCompactMapping {
    record_type_id: String,
    compact_layout_id: Option<String>,
}

/// Reads the answers of `describe/layouts` and, if there is one, of `describe/compactLayouts`.
///
/// What a later version of the API adds is passed over; what is not there is empty.
///
/// # Errors
/// [`ErrorKind::NotARemote`] for what is no such answer.
///
/// # Source
/// The reference, section 9.3, and the WSDL type `DescribeLayoutResult`.
pub(crate) fn read(layouts: &str, compact: Option<&str>) -> Result<(Form, Picklists)> {
    let raw: RawLayouts = parse(layouts)?;
    let (Some(layouts), Some(mappings)) = (raw.layouts, raw.record_type_mappings) else {
        return Err(unreadable());
    };
    let (mut form, mut picklists) = (Form::default(), Picklists::default());
    for raw in layouts.into_iter().flatten() {
        // One layout may come once for each record type that has it.
        if !form.layouts.iter().any(|known| known.id == raw.id) {
            form.layouts.push(layout(raw));
        }
    }
    for mapping in mappings {
        let id = long_id(mapping.record_type_id)?;
        let lists = mapping.picklists_for_record_type.into_iter().flatten();
        let lists =
            lists.map(|list| (list.picklist_name, list.picklist_values.unwrap_or_default()));
        picklists.insert(id.clone(), lists.collect());
        let kind = Kind {
            layout: mapping.layout_id,
            compact: Vec::new(),
        };
        form.kinds.insert(id, kind);
    }
    if let Some(compact) = compact {
        compacts(&mut form, parse(compact)?)?;
    }
    Ok((form, picklists))
}

fn parse<'a, T: Deserialize<'a>>(json: &'a str) -> Result<T> {
    serde_json::from_str(json).map_err(|error| unreadable().with_source(error))
}

fn unreadable() -> Error {
    let message = "the answer about layouts cannot be read";
    Error::new(ErrorKind::NotARemote, message)
}

fn long_id(id: String) -> Result<String> {
    let id = RecordId::parse(&id).map_err(|_| unreadable())?;
    Ok(id.as_str().to_owned())
}

fn layout(raw: RawLayout) -> Layout {
    let sections = |raw: Option<Vec<RawSection>>| raw.into_iter().flatten().map(section).collect();
    Layout {
        view: sections(raw.detail_layout_sections),
        edit: sections(raw.edit_layout_sections),
        related_lists: raw.related_lists.into_iter().flatten().map(list).collect(),
        id: raw.id,
    }
}

fn section(raw: RawSection) -> Section {
    let rows = raw.layout_rows.into_iter().flatten();
    let rows = rows.map(|row| row.layout_items.into_iter().flatten().map(item).collect());
    let rows: Vec<Vec<LayoutItem>> = rows.collect();
    let widest = rows.iter().map(Vec::len).max().unwrap_or_default();
    Section {
        heading: raw
            .heading
            .filter(|text| raw.use_heading && !text.is_empty()),
        // What it says may be wrong: a host that divides by it or lays out rows must not break.
        columns: u32::try_from(widest)
            .unwrap_or(u32::MAX)
            .max(raw.columns.clamp(1, 4)),
        collapsible: raw.use_collapsible_section,
        rows,
    }
}

fn item(raw: RawItem) -> LayoutItem {
    let mut fields: Vec<String> = Vec::new();
    for component in raw.layout_components.into_iter().flatten() {
        let is_field = component.kind.as_deref() == Some("Field");
        if let Some(name) = component.value.filter(|_| is_field)
            && !fields.contains(&name)
        {
            fields.push(name);
        }
    }
    LayoutItem {
        label: raw.label.unwrap_or_default(),
        fields,
        required: raw.required,
        editable_for_new: raw.editable_for_new,
        editable_for_update: raw.editable_for_update,
    }
}

fn list(raw: RawList) -> RelatedList {
    let columns = raw.columns.into_iter().flatten().filter_map(|column| {
        let path = column.field_api_name.or(column.name)?;
        Some((column.label.unwrap_or_else(|| path.clone()), path))
    });
    let sort = raw.sort.into_iter().flatten();
    let name = raw.name.unwrap_or_default();
    RelatedList {
        label: raw.label.unwrap_or_else(|| name.clone()),
        name,
        object: raw.sobject,
        field: raw.field,
        columns: columns.collect(),
        sort: sort
            .filter_map(|one| Some((one.column?, one.ascending)))
            .collect(),
        limit: raw.limit_rows.unwrap_or_default(),
    }
}

/// Gives each record type the fields of its compact layout.
fn compacts(form: &mut Form, raw: RawCompacts) -> Result<()> {
    let layouts: Vec<(Option<String>, Vec<String>)> = raw
        .compact_layouts
        .into_iter()
        .flatten()
        .map(|one| {
            let items = one.field_items.into_iter().flatten().map(item);
            (one.id, items.flat_map(|item| item.fields).collect())
        })
        .collect();
    for mapping in raw
        .record_type_compact_layout_mappings
        .into_iter()
        .flatten()
    {
        // The layout that the platform makes by itself has no id.
        let mut all = layouts.iter();
        let found = all.find(|(id, _)| *id == mapping.compact_layout_id);
        if let Some((_, fields)) = found {
            let kind = form
                .kinds
                .entry(long_id(mapping.record_type_id)?)
                .or_default();
            kind.compact.clone_from(fields);
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    const MASTER: &str = "012000000000000AAA";

    #[test]
    fn what_is_missing_is_empty_and_what_is_new_is_passed_over() {
        let json = r#"{"layouts": [null, {"id": "00h1", "later": {}, "detailLayoutSections": [
            {"columns": 0, "heading": "H", "useHeading": true, "layoutRows": [{"layoutItems": [
                {"label": "Created By", "layoutComponents": [
                    {"type": "Field", "value": "CreatedById"}, {"type": "Separator", "value": ", "},
                    {"type": "Field", "value": "CreatedDate"}]},
                {"layoutComponents": [{"type": "EmptySpace", "value": null}]},
                {"layoutComponents": null}]}, {}]}]}, {"id": "00h1"}],
            "recordTypeMappings": [{"recordTypeId": "012000000000000", "layoutId": "00h1",
                "picklistsForRecordType": null}]}"#;
        let (form, picklists) = read(json, None).unwrap();
        let layout = form.layout(MASTER).unwrap();
        assert_eq!(form.layouts.len(), 1);
        assert_eq!((layout.view[0].columns, layout.edit.len()), (3, 0));
        assert_eq!(layout.view[0].heading.as_deref(), Some("H"));
        let row = &layout.view[0].rows[0];
        assert_eq!(row[0].fields, ["CreatedById", "CreatedDate"]);
        assert!(row[0].is_read_only() && row[1].is_blank() && row[2].is_blank());
        assert_eq!(picklists[MASTER].len(), 0);
        assert_eq!(
            form.fields([MASTER].into_iter()),
            ["CreatedById", "CreatedDate"]
        );
    }

    #[test]
    fn compact_layouts_go_to_their_record_types() {
        let layouts = format!(
            r#"{{"layouts": [], "recordTypeMappings": [{{"recordTypeId": "{MASTER}", "layoutId": null}}]}}"#
        );
        let item = |name: &str| {
            format!(r#"{{"layoutComponents": [{{"type": "Field", "value": "{name}"}}]}}"#)
        };
        let compact = format!(
            r#"{{"compactLayouts": [{{"id": null, "fieldItems": [{}, {}]}}],
                "recordTypeCompactLayoutMappings": [{{"recordTypeId": "{MASTER}", "compactLayoutId": null}}]}}"#,
            item("Name"),
            item("Phone")
        );
        let (form, _) = read(&layouts, Some(&compact)).unwrap();
        assert_eq!(form.kinds[MASTER].compact, ["Name", "Phone"]);
        assert!(form.layout(MASTER).is_none());
    }

    #[test]
    fn what_is_no_answer_about_layouts_is_refused() {
        let deep = format!("{}{}", r#"{"layouts":["#.repeat(300), "]}".repeat(300));
        for json in [
            "",
            "null",
            "[]",
            "{}",
            r#"{"layouts": []}"#,
            r#"{"layouts": [], "recordTypeMappings": [{}]}"#,
            r#"{"layouts": [], "recordTypeMappings": [{"recordTypeId": "'; DROP TABLE"}]}"#,
            r#"{"layouts": [{"id": 5}], "recordTypeMappings": []}"#,
            r#"{"layouts": [{"id": "a", "detailLayoutSections": [{"columns": -1}]}], "recordTypeMappings": []}"#,
            &deep,
        ] {
            let error = read(json, None).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::NotARemote, "{json}");
        }
        let good = r#"{"layouts": [], "recordTypeMappings": []}"#;
        assert!(read(good, Some("[]")).is_err() && read(good, None).is_ok());
    }
}
