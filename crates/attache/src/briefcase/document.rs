//! What a document says, as data: read by `read`, printed by `print`, laid out by `flat`.

use crate::filter::Filter;
use crate::merge::MergePolicy;
use std::collections::BTreeMap;

/// The version of the document that this library reads and writes.
pub(super) const VERSION: u32 = 1;
/// Rules of one object at most: each has a bit in its records.
pub(crate) const RULES_PER_OBJECT_MAX: usize = 60;
/// Rules at most, the related ones included.
pub(super) const RULES_MAX: usize = 1_000;
/// Related rules may hang below each other this deep.
pub(super) const DEPTH_MAX: usize = 16;
/// Bytes of a document at most.
pub(super) const BYTES_MAX: usize = 1 << 20;
/// How many recently viewed records of an object are kept if nothing else is said.
pub(super) const RECENT_LIMIT: u32 = 200;

#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Document {
    pub name: Option<String>,
    pub description: Option<String>,
    pub objects: BTreeMap<String, ObjectOptions>,
    pub recent: Option<Recent>,
    pub rules: Vec<TopRule>,
}

/// What a briefcase says of an object, apart from its rules.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct ObjectOptions {
    pub fields: FieldsOf,
    /// Layouts and picklists by record type are kept for hosts that draw forms.
    pub layouts: bool,
    /// The external-id field that carries a key of the client's in creates.
    pub client_key: Option<String>,
    /// What to do where both sides changed something; `None`: what the engine does by itself.
    pub merge: Option<MergePolicy>,
    /// Which files of its records come along; `None`: nothing is asked about files.
    pub files: Option<FilesPolicy>,
}

/// Of which files the bytes come along. What the files are is known of all of them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum FilesPolicy {
    /// Of none: they are fetched when somebody wants them.
    None,
    /// Of those that are not too large and of one of the types.
    Bodies {
        /// Bytes at most; `None`: whatever its size.
        bytes_max: Option<u64>,
        /// Endings of names in lower case, without the dot; none: every type.
        types: Vec<String>,
    },
}

impl FilesPolicy {
    /// Says whether the bytes of a file come along.
    pub(crate) fn takes(&self, extension: Option<&str>, bytes: u64) -> bool {
        match self {
            FilesPolicy::None => false,
            FilesPolicy::Bodies { bytes_max, types } => {
                let of_type = |text: &str| types.iter().any(|own| own.eq_ignore_ascii_case(text));
                bytes_max.is_none_or(|max| bytes <= max)
                    && (types.is_empty() || extension.is_some_and(of_type))
            }
        }
    }
}

/// Which fields of an object are carried.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) enum FieldsOf {
    /// All that the user may see.
    #[default]
    All,
    /// These.
    These(Vec<String>),
    /// Those on the layouts of all record types that the user may make records of.
    Layouts,
    /// Those on the layout of one record type, by its API name or its id.
    Layout(String),
}

impl ObjectOptions {
    /// Says whether layouts are to be fetched.
    pub(crate) fn wants_layouts(&self) -> bool {
        self.layouts || matches!(self.fields, FieldsOf::Layouts | FieldsOf::Layout(_))
    }
}

/// Records that the user looked at, at the server, some time ago.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Recent {
    pub objects: Vec<String>,
    pub limit: u32,
}

/// A rule that chooses by itself.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct TopRule {
    pub name: Option<String>,
    pub object: String,
    pub optional: bool,
    /// The list view of the org that says the scope, the condition and the order.
    pub list_view: Option<ListView>,
    pub scope: Scope,
    pub filter: Option<Written>,
    pub order_by: Option<OrderBy>,
    pub limit: Option<u32>,
    pub related: Vec<RelatedRule>,
}

/// A list view that a rule is made of.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct ListView {
    /// Its API name, or its id.
    pub name: String,
    /// The rule says what the list view does; until then it says nothing.
    pub told: bool,
}

/// A rule for what hangs on the records of the rule above it.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct RelatedRule {
    pub path: RelatedPath,
    pub optional: bool,
    pub filter: Option<Written>,
    pub related: Vec<RelatedRule>,
}

#[derive(Clone, Debug, PartialEq)]
pub(crate) enum RelatedPath {
    /// Records of `object` whose `field` points at a record of the rule above.
    Children { object: String, field: String },
    /// What `field` of the rule above points at; without objects: all that it may point at and the briefcase names.
    Parents { field: String, objects: Vec<String> },
}

/// A filter, and whether the document writes it as rows and a logic line.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Written {
    pub filter: Filter,
    pub as_rows: bool,
}

/// An order in its canonical spelling, without and with what goes without saying.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct OrderBy {
    pub short: String,
    pub full: String,
}

/// Whose records a rule takes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) enum Scope {
    /// Everybody's.
    #[default]
    Everything,
    /// Those whose reference field holds the user. The device can tell by itself.
    Mine {
        /// `OwnerId` unless the document names another one.
        field: String,
    },
    /// Those owned by a queue or a public group of which the user is a direct member. The org
    /// tells: the device does not know who is in a group.
    Queue,
    /// A scope of the org's by its name (`USING SCOPE`). The org alone can tell, and which objects have
    /// which scope only its describe says.
    Named(String),
}

/// Scopes of the org that are documented or were seen in describes, in their own spelling.
pub(super) const NAMED_SCOPES: [&str; 10] = [
    "delegated",
    "genericteam",
    "mine_and_my_groups",
    "my_team_territory",
    "my_territory",
    "queue_owned",
    "scopingRule",
    "team",
    "team_by_role",
    "user_owned",
];
