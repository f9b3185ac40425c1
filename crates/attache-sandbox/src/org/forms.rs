//! What a host draws forms and lists of: page layouts, compact layouts, list views.
//!
//! An administrator defines them here; the REST front prints them. An object for which nothing was
//! defined has what the platform makes by itself: a layout of all fields, and no list views.

use super::Org;
use crate::id;
use crate::schema::{FieldDef, ObjectDef};
use std::collections::BTreeMap;

/// A page layout.
///
/// ```
/// use attache_sandbox::org::{LayoutDef, LayoutItem};
///
/// let layout = LayoutDef::new("Household Layout")
///     .section("Household", 2, [LayoutItem::field("Name").required(), LayoutItem::field("Phone"), LayoutItem::blank()])
///     .related("Contacts", ["Name", "Email"]);
/// assert_eq!(layout.sections[0].items.len(), 3);
/// ```
#[derive(Clone, Debug)]
pub struct LayoutDef {
    /// What administrators call it; no answer tells it.
    pub name: String,
    /// From top to bottom.
    pub sections: Vec<LayoutSection>,
    /// Names of child relationships, each with the columns of its list.
    pub related: Vec<(String, Vec<String>)>,
}

/// A section of a layout.
#[derive(Clone, Debug)]
pub struct LayoutSection {
    /// What stands above it.
    pub heading: String,
    /// Columns, 1 or 2.
    pub columns: usize,
    /// Items, filled in row by row.
    pub items: Vec<LayoutItem>,
}

/// One place of a section.
#[derive(Clone, Debug)]
pub struct LayoutItem {
    /// The field; `None` for a blank.
    pub field: Option<String>,
    /// The page wants a value even where the describe does not.
    pub required: bool,
    /// The page does not let it be edited even where the describe does.
    pub read_only: bool,
}

/// A list view.
#[derive(Clone, Debug)]
pub struct ListViewDef {
    /// 15-character id; given by [`Org::define_list_view`].
    pub id: String,
    /// API name.
    pub developer_name: String,
    /// What a person sees.
    pub label: String,
    /// `everything`, `mine`, or another scope of the object.
    pub scope: String,
    /// Fields and parent paths, in order.
    pub columns: Vec<String>,
    /// What it shows; `None`: all.
    pub condition: Option<ListCondition>,
    /// Field and whether it descends.
    pub order: Vec<(String, bool)>,
}

/// The condition of a list view, as its describe tells it.
#[derive(Clone, Debug)]
pub enum ListCondition {
    /// A field, an operator such as `equals`, and literals of SOQL.
    Test(String, &'static str, Vec<String>),
    /// All of them.
    All(Vec<ListCondition>),
    /// Any of them.
    Any(Vec<ListCondition>),
    /// The opposite.
    Not(Box<ListCondition>),
}

/// What was defined, by the name of the object.
#[derive(Debug, Default)]
pub(super) struct Forms {
    /// With its id and the record types that it is for, by API name or `Master`.
    layouts: BTreeMap<String, Vec<(String, String, LayoutDef)>>,
    compact: BTreeMap<String, Vec<String>>,
    list_views: BTreeMap<String, Vec<ListViewDef>>,
    made: u64,
}

impl LayoutDef {
    /// Starts an empty layout.
    pub fn new(name: &str) -> LayoutDef {
        LayoutDef {
            name: name.into(),
            sections: Vec::new(),
            related: Vec::new(),
        }
    }

    /// Appends a section.
    pub fn section(
        mut self,
        heading: &str,
        columns: usize,
        items: impl IntoIterator<Item = LayoutItem>,
    ) -> LayoutDef {
        self.sections.push(LayoutSection {
            heading: heading.into(),
            columns: columns.max(1),
            items: items.into_iter().collect(),
        });
        self
    }

    /// Appends a list of children.
    pub fn related<'a>(
        mut self,
        relationship: &str,
        columns: impl IntoIterator<Item = &'a str>,
    ) -> LayoutDef {
        let columns = columns.into_iter().map(str::to_owned).collect();
        self.related.push((relationship.to_owned(), columns));
        self
    }

    /// What the platform shows of an object for which nothing was defined.
    fn generated(object: &ObjectDef, children: Vec<(String, Vec<String>)>) -> LayoutDef {
        let shown = |field: &&FieldDef| {
            let part = field.compound.as_deref().is_some_and(|of| of != "Name");
            let compound = field.kind == crate::schema::FieldKind::Address;
            !part
                && field.name != "RecordTypeId"
                && (compound || field.createable || field.updateable)
        };
        let fields = object.fields.iter().filter(shown);
        let system = ["CreatedById", "LastModifiedById"];
        let system = system
            .into_iter()
            .filter(|name| object.index(name).is_some());
        LayoutDef {
            related: children,
            ..LayoutDef::new("Layout")
                .section(
                    &format!("{} Information", object.label),
                    2,
                    fields.map(|field| LayoutItem::field(&field.name)),
                )
                .section("System Information", 2, system.map(LayoutItem::field))
        }
    }
}

impl LayoutItem {
    /// A field.
    pub fn field(name: &str) -> LayoutItem {
        LayoutItem {
            field: Some(name.into()),
            required: false,
            read_only: false,
        }
    }

    /// An empty place.
    pub fn blank() -> LayoutItem {
        LayoutItem {
            field: None,
            required: false,
            read_only: false,
        }
    }

    /// Wants a value on this page.
    pub fn required(mut self) -> LayoutItem {
        self.required = true;
        self
    }

    /// Lets nobody edit it on this page.
    pub fn read_only(mut self) -> LayoutItem {
        self.read_only = true;
        self
    }
}

impl ListViewDef {
    /// Starts a list of everything that shows the name.
    pub fn new(developer_name: &str, label: &str) -> ListViewDef {
        ListViewDef {
            id: String::new(),
            developer_name: developer_name.into(),
            label: label.into(),
            scope: "everything".into(),
            columns: vec!["Name".into()],
            condition: None,
            order: Vec::new(),
        }
    }

    /// Sets whose rows it shows.
    pub fn scope(mut self, scope: &str) -> ListViewDef {
        self.scope = scope.into();
        self
    }

    /// Sets the columns.
    pub fn columns<'a>(mut self, columns: impl IntoIterator<Item = &'a str>) -> ListViewDef {
        self.columns = columns.into_iter().map(str::to_owned).collect();
        self
    }

    /// Sets the condition.
    pub fn condition(mut self, condition: ListCondition) -> ListViewDef {
        self.condition = Some(condition);
        self
    }

    /// Appends a field to the order.
    pub fn order(mut self, field: &str, descending: bool) -> ListViewDef {
        self.order.push((field.to_owned(), descending));
        self
    }

    /// Prints the order with nulls first, ties broken by the id, as the platform does.
    pub(crate) fn order_by(&self) -> String {
        let mut order: Vec<String> = Vec::new();
        for (field, descending) in &self.order {
            let direction = if *descending {
                "DESC NULLS LAST"
            } else {
                "ASC NULLS FIRST"
            };
            order.push(format!("{field} {direction}"));
        }
        order.push("Id ASC NULLS FIRST".into());
        order.join(", ")
    }
}

impl ListCondition {
    /// A field against one literal of SOQL: `test("StageName", "equals", "'Won'")`.
    pub fn test(field: &str, operator: &'static str, literal: &str) -> ListCondition {
        ListCondition::Test(field.into(), operator, vec![literal.into()])
    }

    /// Prints it as SOQL.
    pub(crate) fn soql(&self) -> String {
        let joined = |parts: &[ListCondition], word: &str| {
            let parts: Vec<String> = parts
                .iter()
                .map(|part| format!("({})", part.soql()))
                .collect();
            parts.join(word)
        };
        match self {
            ListCondition::Test(field, operator, values) => {
                let list = values.join(", ");
                match *operator {
                    "in" => format!("{field} IN ({list})"),
                    "notIn" => format!("{field} NOT IN ({list})"),
                    "includes" => format!("{field} INCLUDES ({list})"),
                    "excludes" => format!("{field} EXCLUDES ({list})"),
                    "like" => format!("{field} LIKE {list}"),
                    "notEquals" => format!("{field} != {list}"),
                    "lessThan" => format!("{field} < {list}"),
                    "lessThanOrEqualTo" => format!("{field} <= {list}"),
                    "greaterThan" => format!("{field} > {list}"),
                    "greaterThanOrEqualTo" => format!("{field} >= {list}"),
                    _ => format!("{field} = {list}"),
                }
            }
            ListCondition::All(parts) => joined(parts, " AND "),
            ListCondition::Any(parts) => joined(parts, " OR "),
            ListCondition::Not(inner) => format!("(NOT ({}))", inner.soql()),
        }
    }
}

impl Org {
    /// Gives a record type, or the master, a layout, and tells the layout's id.
    ///
    /// `record_type` is an API name; `None` stands for the master, whose layout all record types
    /// without one of their own have.
    pub fn define_layout(
        &mut self,
        object: &str,
        record_type: Option<&str>,
        layout: LayoutDef,
    ) -> String {
        let of = record_type.unwrap_or("Master").to_owned();
        self.forms.made += 1;
        let id = id::make("00h", self.forms.made);
        let layouts = self.forms.layouts.entry(object.to_owned()).or_default();
        match layouts.iter_mut().find(|(_, own, _)| *own == of) {
            // A layout that is edited keeps its id.
            Some((known, _, own)) => {
                *own = layout;
                known.clone()
            }
            None => {
                layouts.push((id.clone(), of, layout));
                id
            }
        }
    }

    /// Sets the fields of an object's compact layout.
    pub fn define_compact_layout<'a>(
        &mut self,
        object: &str,
        fields: impl IntoIterator<Item = &'a str>,
    ) {
        let fields = fields.into_iter().map(str::to_owned).collect();
        self.forms.compact.insert(object.to_owned(), fields);
    }

    /// Makes a list view, or changes the one of the same API name, and gives its 15-character id.
    pub fn define_list_view(&mut self, object: &str, view: ListViewDef) -> String {
        self.forms.made += 1;
        let fresh = id::make("00B", self.forms.made)[..15].to_owned();
        let views = self.forms.list_views.entry(object.to_owned()).or_default();
        match views
            .iter_mut()
            .find(|own| own.developer_name == view.developer_name)
        {
            Some(own) => {
                let id = own.id.clone();
                *own = ListViewDef {
                    id: id.clone(),
                    ..view
                };
                id
            }
            None => {
                views.push(ListViewDef {
                    id: fresh.clone(),
                    ..view
                });
                fresh
            }
        }
    }

    /// Gives a list view another API name.
    pub fn rename_list_view(&mut self, object: &str, from: &str, to: &str) {
        let views = self.forms.list_views.get_mut(object);
        for view in views
            .into_iter()
            .flatten()
            .filter(|one| one.developer_name == from)
        {
            to.clone_into(&mut view.developer_name);
        }
    }

    /// Deletes a list view by its API name.
    pub fn remove_list_view(&mut self, object: &str, developer_name: &str) {
        if let Some(views) = self.forms.list_views.get_mut(object) {
            views.retain(|one| one.developer_name != developer_name);
        }
    }

    /// The layouts of an object with their ids; one is made where none was defined.
    pub(crate) fn layouts_of(&self, object: &ObjectDef) -> Vec<(String, LayoutDef)> {
        let mut all: Vec<(String, LayoutDef)> = Vec::new();
        let defined = self.forms.layouts.get(&object.name).map(Vec::as_slice);
        for (id, _, layout) in defined.unwrap_or_default() {
            all.push((id.clone(), layout.clone()));
        }
        if !defined
            .unwrap_or_default()
            .iter()
            .any(|(_, of, _)| of == "Master")
        {
            all.push((standard_layout(object), self.generated(object)));
        }
        all
    }

    /// The id of the layout of a record type, `Master` for the master.
    pub(crate) fn layout_of(&self, object: &ObjectDef, record_type: &str) -> String {
        let defined = self
            .forms
            .layouts
            .get(&object.name)
            .map(Vec::as_slice)
            .unwrap_or_default();
        let find = |name: &str| defined.iter().find(|(_, of, _)| of == name);
        let found = find(record_type).or_else(|| find("Master"));
        found.map_or_else(|| standard_layout(object), |(id, _, _)| id.clone())
    }

    fn generated(&self, object: &ObjectDef) -> LayoutDef {
        let mut children = Vec::new();
        for child in self
            .schema
            .objects()
            .iter()
            .filter(|child| child.createable)
        {
            for field in &child.fields {
                let name = field.child_relationship_name.as_ref();
                if let Some(name) = name.filter(|_| field.reference_to.contains(&object.name)) {
                    let columns = child.fields.iter().filter(|field| field.name_field);
                    children.push((
                        name.clone(),
                        columns.map(|field| field.name.clone()).collect(),
                    ));
                }
            }
        }
        LayoutDef::generated(object, children)
    }

    /// The fields of an object's compact layout that was defined.
    pub(crate) fn compact_layout(&self, object: &str) -> Option<&[String]> {
        self.forms.compact.get(object).map(Vec::as_slice)
    }

    /// The list views of an object.
    pub(crate) fn list_views(&self, object: &str) -> &[ListViewDef] {
        self.forms
            .list_views
            .get(object)
            .map(Vec::as_slice)
            .unwrap_or_default()
    }
}

/// The id of the layout that an object has by itself.
fn standard_layout(object: &ObjectDef) -> String {
    let number = object
        .key_prefix
        .bytes()
        .fold(0, |number, byte| number * 256 + u64::from(byte));
    id::make("00h", 1_000_000_000 + number)
}
