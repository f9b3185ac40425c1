//! What to do where both sides changed something: declared by the host, kept in the briefcase.

use crate::error::{Error, Result};
use crate::schema::{FieldSchema, FieldType, ObjectSchema};
use serde::de::value::{MapAccessDeserializer, SeqAccessDeserializer, StrDeserializer};
use serde::de::{MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize};
use std::collections::BTreeMap;
use std::fmt;

/// What to do with a field that both sides changed to different values.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum Policy {
    /// Make a conflict and let a person decide.
    #[default]
    Ask,
    /// Keep this device's value.
    Local,
    /// Take the server's value.
    Remote,
    /// Keep what either side added to a multi-select list, without what either removed.
    Union,
    /// Join the changes of both sides line by line; lines that both changed ask.
    Text,
    /// Add the changes of both sides to the number they started from. The same number on both sides counts once.
    Counter,
}

impl Policy {
    /// Says whether the policy makes a value of its own, which only suits one kind of field.
    fn joins(self) -> bool {
        matches!(self, Policy::Union | Policy::Text | Policy::Counter)
    }

    /// Its name in a briefcase.
    pub(super) fn name(self) -> &'static str {
        match self {
            Policy::Ask => "ask",
            Policy::Local => "local",
            Policy::Remote => "remote",
            Policy::Union => "union",
            Policy::Text => "text",
            Policy::Counter => "counter",
        }
    }
}

/// Which side stands where one deleted a record and the other edited it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum Survivor {
    /// Make a conflict and let a person decide.
    Ask,
    /// The edit. A record that is gone at the server is created again.
    Edit,
    /// The deletion. The edits are let go.
    Deletion,
}

/// What to do where one side deleted a record that the other edited.
///
/// Without a word of the host's an edit is never lost: a deletion made here gives way, and an
/// edit of what is deleted at the server asks, because the record may as well have moved out
/// of the user's sight, and would then exist twice.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
pub struct DeletionPolicy {
    /// Deleted here, edited at the server.
    pub here: Survivor,
    /// Edited here, deleted at the server or out of this user's sight.
    pub there: Survivor,
}

impl Default for DeletionPolicy {
    fn default() -> DeletionPolicy {
        DeletionPolicy {
            here: Survivor::Edit,
            there: Survivor::Ask,
        }
    }
}

/// Which [`Policy`] holds for which field of an object, and which fields merge as one value.
///
/// Fields that belong together by their describe (the parts of an address, of a person's
/// name, of a location; a picklist and what controls it) are a group without being named.
/// [`Policy::Union`], [`Policy::Text`] and [`Policy::Counter`] hold for single fields of
/// multi-select lists, free text and numbers; as the default they mean [`Policy::Ask`] for
/// every other field, and for groups.
///
/// In a briefcase it stands under `objects.<Name>.merge`:
///
/// ```
/// use attache::{MergePolicy, Policy, Survivor};
///
/// let policy = MergePolicy::from_json(r#"{
///   "default": "ask",
///   "fields": {"Description": "text", "Visits__c": "counter", "MailingAddress": "remote"},
///   "groups": [["Site", "Floor__c"], {"fields": ["Amount", "CurrencyIsoCode"], "policy": "local"}],
///   "deletion": {"here": "ask"}
/// }"#)?;
/// assert_eq!(policy.of("DESCRIPTION"), Policy::Text);
/// assert_eq!(policy.of("Amount"), Policy::Local);
/// assert_eq!(policy.of("Phone"), Policy::Ask);
/// assert_eq!(policy.deletion().here, Survivor::Ask);
///
/// let same = MergePolicy::new(Policy::Ask)
///     .with_field("Description", Policy::Text)
///     .with_field("Visits__c", Policy::Counter)
///     .with_field("MailingAddress", Policy::Remote) // a compound field stands for its parts
///     .with_group(["Site", "Floor__c"], None)
///     .with_group(["Amount", "CurrencyIsoCode"], Some(Policy::Local))
///     .with_deletion(policy.deletion());
/// assert_eq!(same, policy);
/// # Ok::<(), attache::Error>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(
    deny_unknown_fields,
    expecting = "an object of default, fields, groups and deletion"
)]
pub struct MergePolicy {
    #[serde(default, skip_serializing_if = "is_default")]
    default: Policy,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    fields: BTreeMap<String, Policy>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    groups: Vec<Group>,
    #[serde(default, skip_serializing_if = "is_default")]
    deletion: DeletionPolicy,
}

/// Fields that a host declares to be one value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Group {
    pub fields: Vec<String>,
    pub policy: Option<Policy>,
}

impl MergePolicy {
    /// Makes a policy for every field of an object.
    pub fn new(default: Policy) -> MergePolicy {
        MergePolicy {
            default,
            ..MergePolicy::default()
        }
    }

    /// Reads the form in which a briefcase holds it.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidArgument`](crate::ErrorKind) for what is not such a document, and with all that
    /// contradicts itself in it.
    pub fn from_json(json: &str) -> Result<MergePolicy> {
        let policy: MergePolicy = serde_json::from_str(json)
            .map_err(|error| Error::invalid(format!("the merge policy cannot be read: {error}")))?;
        match policy.contradictions().as_slice() {
            [] => Ok(policy),
            problems => Err(Error::invalid(format!(
                "the merge policy contradicts itself: {}",
                problems.join("; ")
            ))),
        }
    }

    /// Sets the policy of one field, or of all parts of a compound field, by its API name in any case.
    #[must_use]
    pub fn with_field(mut self, name: &str, policy: Policy) -> MergePolicy {
        self.fields.insert(name.to_owned(), policy);
        self
    }

    /// Has fields merge as one value, under a policy of their own if there is one.
    #[must_use]
    pub fn with_group<I: IntoIterator<Item = impl Into<String>>>(
        mut self,
        fields: I,
        policy: Option<Policy>,
    ) -> MergePolicy {
        let fields = fields.into_iter().map(Into::into).collect();
        self.groups.push(Group { fields, policy });
        self
    }

    /// Sets what to do where one side deleted what the other edited.
    #[must_use]
    pub fn with_deletion(mut self, deletion: DeletionPolicy) -> MergePolicy {
        self.deletion = deletion;
        self
    }

    /// The policy of a field by itself; that of the compound field it may be a part of is not looked at.
    pub fn of(&self, name: &str) -> Policy {
        self.named(name).unwrap_or(self.default)
    }

    /// What to do where one side deleted what the other edited.
    pub fn deletion(&self) -> DeletionPolicy {
        self.deletion
    }

    /// The same groups, with everything else left to a person.
    pub(crate) fn asking(&self) -> MergePolicy {
        let groups = self.groups.iter().map(|group| Group {
            fields: group.fields.clone(),
            policy: None,
        });
        MergePolicy {
            groups: groups.collect(),
            ..MergePolicy::default()
        }
    }

    /// The policy of a described field: its own, that of its compound, or the default.
    pub(super) fn of_field(&self, field: &FieldSchema) -> Policy {
        self.named(&field.name)
            .or_else(|| self.named(field.compound.as_deref()?))
            .unwrap_or(self.default)
    }

    fn named(&self, name: &str) -> Option<Policy> {
        let own = self
            .fields
            .iter()
            .find(|(known, _)| known.eq_ignore_ascii_case(name))
            .map(|(_, policy)| *policy);
        own.or_else(|| self.group_of(name).and_then(|group| group.policy))
    }

    fn group_of(&self, name: &str) -> Option<&Group> {
        self.groups.iter().find(|group| group.has(name))
    }

    /// The groups that the host declares.
    pub(super) fn groups(&self) -> &[Group] {
        &self.groups
    }

    /// What contradicts itself, whatever the object looks like: a sentence each, beginning with the place.
    pub(crate) fn contradictions(&self) -> Vec<String> {
        let mut problems = Vec::new();
        let mut names: Vec<&String> = self.fields.keys().collect();
        names.sort_by_key(|name| name.to_ascii_lowercase());
        for pair in names.windows(2) {
            if pair[0].eq_ignore_ascii_case(pair[1]) {
                problems.push(format!("fields: {} and {} are one field", pair[0], pair[1]));
            }
        }
        let mut seen: BTreeMap<String, usize> = BTreeMap::new();
        for (at, group) in self.groups.iter().enumerate() {
            if group.fields.len() < 2 {
                problems.push(format!("groups[{at}]: a group has two fields at least"));
            }
            if let Some(policy) = group.policy.filter(|policy| policy.joins()) {
                problems.push(format!(
                    "groups[{at}].policy: a group is one value, for which {} means nothing; use ask, local or remote",
                    policy.name()
                ));
            }
            for field in &group.fields {
                if let Some(other) = seen.insert(field.to_ascii_lowercase(), at) {
                    problems.push(format!(
                        "groups[{at}]: {field} is in groups[{other}] already; join the two groups"
                    ));
                }
            }
        }
        for (name, policy) in &self.fields {
            let Some(group) = self.group_of(name) else {
                continue;
            };
            if group.policy.is_some() {
                problems.push(format!(
                    "fields.{name}: its group has a policy; a group has one policy only"
                ));
            } else if policy.joins() {
                problems.push(format!(
                    "fields.{name}: it is part of a group, for which {} means nothing; use ask, local or remote",
                    policy.name()
                ));
            }
        }
        problems
    }

    /// The first name that an object has no field of.
    pub(crate) fn unknown_field(&self, object: &ObjectSchema) -> Option<&str> {
        let named = self.fields.keys();
        let grouped = self.groups.iter().flat_map(|group| &group.fields);
        let is_compound = |name: &str| {
            let mut compounds = object.fields.iter().filter_map(|f| f.compound.as_deref());
            compounds.any(|compound| compound.eq_ignore_ascii_case(name))
        };
        let unknown_name = named
            .filter(|name| !is_compound(name))
            .find(|name| object.field(name).is_none());
        unknown_name
            .or_else(|| {
                grouped
                    .into_iter()
                    .find(|name| object.field(name).is_none())
            })
            .map(String::as_str)
    }

    /// What an object's fields are not made for: a sentence each, beginning with the place.
    pub(crate) fn misfits(&self, object: &ObjectSchema) -> Vec<String> {
        let groups = super::FieldGroups::of(object, self);
        let mut problems = Vec::new();
        for (name, policy) in self.fields.iter().filter(|(_, policy)| policy.joins()) {
            let suits = object
                .fields
                .iter()
                .position(|field| field.name.eq_ignore_ascii_case(name))
                .map(|at| (suits(*policy, &object.fields[at].field_type), at));
            match suits {
                Some((true, at)) if groups.is_alone(at) => {}
                Some((true, _)) => problems.push(format!(
                    "fields.{name}: it merges as one value with other fields, for which {} means nothing; use ask, local or remote",
                    policy.name()
                )),
                _ => problems.push(format!(
                    "fields.{name}: {} is for {}",
                    policy.name(),
                    match policy {
                        Policy::Union => "multi-select lists",
                        Policy::Text => "text",
                        _ => "numbers",
                    }
                )),
            }
        }
        for (at, group) in self.groups.iter().enumerate() {
            let compound = group.fields.iter().find(|name| {
                object
                    .field(name)
                    .is_some_and(|field| !field.field_type.is_stored())
            });
            if let Some(name) = compound {
                problems.push(format!(
                    "groups[{at}]: {name} is no field of its own; name its parts"
                ));
            }
        }
        problems
    }
}

impl Group {
    pub(super) fn has(&self, name: &str) -> bool {
        self.fields
            .iter()
            .any(|field| field.eq_ignore_ascii_case(name))
    }
}

/// Says whether a policy can make a value for fields of a type.
pub(super) fn suits(policy: Policy, ty: &FieldType) -> bool {
    match policy {
        Policy::Ask | Policy::Local | Policy::Remote => true,
        Policy::Union => *ty == FieldType::MultiPicklist,
        Policy::Text => matches!(ty, FieldType::TextArea | FieldType::String),
        Policy::Counter => ty.is_number(),
    }
}

fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}

/// A group with a policy, as it is written.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct GroupDocument {
    fields: Vec<String>,
    policy: Policy,
}

impl Serialize for Group {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.policy {
            None => self.fields.serialize(serializer),
            Some(policy) => GroupDocument {
                fields: self.fields.clone(),
                policy,
            }
            .serialize(serializer),
        }
    }
}

impl<'de> Deserialize<'de> for Group {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Group, D::Error> {
        struct Either;
        impl<'de> Visitor<'de> for Either {
            type Value = Group;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a list of fields, or {\"fields\": [...], \"policy\": ...}")
            }

            fn visit_seq<A: SeqAccess<'de>>(self, list: A) -> Result<Group, A::Error> {
                let fields = Vec::deserialize(SeqAccessDeserializer::new(list))?;
                Ok(Group {
                    fields,
                    policy: None,
                })
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Group, A::Error> {
                let read = GroupDocument::deserialize(MapAccessDeserializer::new(map))?;
                Ok(Group {
                    fields: read.fields,
                    policy: Some(read.policy),
                })
            }
        }
        deserializer.deserialize_any(Either)
    }
}

/// Both directions of a deletion, each as it is written.
#[derive(Deserialize)]
#[serde(default, deny_unknown_fields)]
struct DeletionDocument {
    here: Survivor,
    there: Survivor,
}

impl Default for DeletionDocument {
    fn default() -> DeletionDocument {
        let DeletionPolicy { here, there } = DeletionPolicy::default();
        DeletionDocument { here, there }
    }
}

impl<'de> Deserialize<'de> for DeletionPolicy {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<DeletionPolicy, D::Error> {
        struct Either;
        impl<'de> Visitor<'de> for Either {
            type Value = DeletionPolicy;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("\"ask\", \"edit\" or \"deletion\", or {\"here\": ..., \"there\": ...}")
            }

            fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<DeletionPolicy, E> {
                let both = Survivor::deserialize(StrDeserializer::new(text))?;
                Ok(DeletionPolicy {
                    here: both,
                    there: both,
                })
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<DeletionPolicy, A::Error> {
                let map = MapAccessDeserializer::new(map);
                let DeletionDocument { here, there } = DeletionDocument::deserialize(map)?;
                Ok(DeletionPolicy { here, there })
            }
        }
        deserializer.deserialize_any(Either)
    }
}
