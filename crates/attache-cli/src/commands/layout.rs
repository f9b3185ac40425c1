//! `attache layout`: how a form for an object's records is laid out, read offline.

use crate::error::Result;
use crate::output::{self, Output};
use crate::store;
use attache::{Layout, LayoutItem, PicklistEntry, RecordType, Section};
use clap::Args;
use serde::Serialize;
use std::collections::BTreeMap;
use std::path::PathBuf;

/// Which layout.
#[derive(Args)]
pub struct Arguments {
    /// The store's file.
    #[arg(value_name = "FILE")]
    store: PathBuf,
    /// The object whose records the form is for.
    #[arg(value_name = "OBJECT")]
    object: String,
    /// The record type, by its API name or id [default: the one that new records get].
    #[arg(long, value_name = "NAME")]
    record_type: Option<String>,
}

#[derive(Serialize)]
struct View<'a> {
    object: &'a str,
    record_types: Vec<KindView<'a>>,
    layout: Option<&'a Layout>,
    compact: Vec<String>,
    picklists: BTreeMap<&'a str, Vec<EntryView<'a>>>,
}

#[derive(Serialize)]
struct KindView<'a> {
    id: &'a str,
    name: &'a str,
    developer_name: Option<&'a str>,
    available: bool,
    default: bool,
    master: bool,
}

#[derive(Serialize)]
struct EntryView<'a> {
    value: &'a str,
    label: &'a str,
    default: bool,
    /// Places of the controlling field's values that it goes with; `null`: it goes with any.
    goes_with: Option<Vec<usize>>,
}

fn kind(of: &RecordType) -> KindView<'_> {
    KindView {
        id: &of.id,
        name: &of.name,
        developer_name: of.developer_name.as_deref(),
        available: of.available,
        default: of.default,
        master: of.master,
    }
}

fn entry(of: &PicklistEntry) -> EntryView<'_> {
    let places = |bits: &Vec<bool>| {
        let set = bits.iter().enumerate().filter(|(_, bit)| **bit);
        set.map(|(at, _)| at).collect()
    };
    EntryView {
        value: &of.value,
        label: &of.label,
        default: of.default,
        goes_with: of.valid_for.as_ref().map(places),
    }
}

/// Shows a layout, and the values that its picklists offer.
pub fn run(arguments: &Arguments, output: &Output) -> Result<()> {
    let attache = store::open(&arguments.store)?;
    let (object, wanted) = (&arguments.object, arguments.record_type.as_deref());
    let record_types = attache.record_types(object)?;
    let layout = attache.layout(object, wanted)?;
    let schema = attache.schema()?;
    let mut picklists: Vec<(&str, Vec<PicklistEntry>)> = Vec::new();
    let fields = schema.object(object).map(|found| found.fields.as_slice());
    for field in fields.unwrap_or_default() {
        if layout
            .as_ref()
            .is_some_and(|layout| shows(layout, &field.name))
            && !field.picklist.is_empty()
        {
            picklists.push((
                &field.name,
                attache.picklist_values(object, wanted, &field.name)?,
            ));
        }
    }
    let lists = picklists.iter();
    let view = View {
        object,
        record_types: record_types.iter().map(kind).collect(),
        layout: layout.as_ref(),
        compact: attache.compact_layout(object, wanted)?,
        picklists: lists
            .map(|(name, list)| (*name, list.iter().map(entry).collect()))
            .collect(),
    };
    output.show(&view, || lines(&view))
}

fn shows(layout: &Layout, field: &str) -> bool {
    let mut items = layout
        .view
        .iter()
        .chain(&layout.edit)
        .flat_map(|section| section.rows.iter().flatten());
    items.any(|item| item.fields.iter().any(|name| name == field))
}

fn lines(view: &View<'_>) -> Vec<String> {
    let Some(layout) = view.layout else {
        return vec![format!(
            "no layout of {} is on this device: add \"layouts\": true to its options in the briefcase, then sync",
            view.object
        )];
    };
    let mut lines: Vec<String> = layout.view.iter().flat_map(section).collect();
    for list in &layout.related_lists {
        let columns: Vec<&str> = list
            .columns
            .iter()
            .map(|(label, _)| label.as_str())
            .collect();
        lines.push(format!("{}: {}", list.label, columns.join(", ")));
    }
    for (field, entries) in &view.picklists {
        let values: Vec<&str> = entries.iter().map(|entry| entry.value).collect();
        lines.push(format!("{field}: {}", output::cut(&values.join(", "))));
    }
    lines
}

fn section(section: &Section) -> Vec<String> {
    let heading = section.heading.as_deref().unwrap_or("-");
    let rows: Vec<Vec<String>> = section
        .rows
        .iter()
        .map(|row| row.iter().map(item).collect())
        .collect();
    let none = vec![""; usize::try_from(section.columns).unwrap_or(1)];
    let mut lines = vec![format!("== {heading}")];
    // The first two lines are the head of the table, which a section has not.
    lines.extend(output::table(&none, &rows).into_iter().skip(2));
    lines
}

fn item(item: &LayoutItem) -> String {
    let mark = match (item.required, item.is_read_only()) {
        _ if item.is_blank() => return String::new(),
        (true, _) => "*",
        (false, true) => " (read only)",
        (false, false) => "",
    };
    format!("{}{mark} [{}]", item.label, item.fields.join(", "))
}
