//! The words the catalog is written in: one call per field, with what differs from the usual.
//!
//! A field starts optional and writable, as most are; the adjectives below take that away.

use crate::schema::{FieldDef, FieldKind, Formula, ObjectDef, PicklistEntry};
use crate::value::Value;

impl ObjectDef {
    /// Appends fields.
    pub(super) fn with(mut self, fields: impl IntoIterator<Item = FieldDef>) -> ObjectDef {
        self.extend(fields);
        self
    }

    /// Names the scopes beyond `everything` and `mine`, in the order of their names.
    pub(super) fn scoped(mut self, scopes: &[&'static str]) -> ObjectDef {
        self.scopes = scopes.to_vec();
        self
    }

    /// Takes away every right to write rows.
    pub(super) fn locked(mut self) -> ObjectDef {
        (self.createable, self.updateable, self.deletable) = (false, false, false);
        self
    }
}

/// Adjectives: each changes one thing of a field and gives it back.
impl FieldDef {
    pub(super) fn required(mut self) -> FieldDef {
        self.nillable = false;
        self
    }

    pub(super) fn read_only(mut self) -> FieldDef {
        (self.createable, self.updateable) = (false, false);
        self
    }

    pub(super) fn insert_only(mut self) -> FieldDef {
        self.updateable = false;
        self
    }

    pub(super) fn update_only(mut self) -> FieldDef {
        self.createable = false;
        self
    }

    pub(super) fn defaulted(mut self) -> FieldDef {
        self.defaulted_on_create = true;
        self
    }

    /// Defaults to this value; a picklist marks its entry.
    pub(super) fn default_to(mut self, value: Value) -> FieldDef {
        for entry in &mut self.picklist {
            entry.default = value.as_text() == Some(&entry.value);
        }
        self.default = Some(value);
        self.defaulted()
    }

    pub(super) fn unfiltered(mut self) -> FieldDef {
        (self.filterable, self.sortable) = (false, false);
        self
    }

    pub(super) fn ungrouped(mut self) -> FieldDef {
        self.groupable = false;
        self
    }

    pub(super) fn part_of(mut self, compound: &str) -> FieldDef {
        self.compound = Some(compound.into());
        self
    }

    pub(super) fn children(mut self, relationship: &str) -> FieldDef {
        self.child_relationship_name = Some(relationship.into());
        self
    }

    pub(super) fn cascade(mut self) -> FieldDef {
        self.cascade_delete = true;
        self
    }

    /// Makes a lookup the primary master: required, never changed, deleted along.
    pub(super) fn master(mut self) -> FieldDef {
        self.relationship_order = Some(0);
        self.required().insert_only().cascade()
    }

    pub(super) fn restricted(mut self) -> FieldDef {
        self.restricted_picklist = true;
        self
    }

    /// Makes a picklist dependent: for each entry, the controller's entries it is valid for.
    pub(super) fn controlled_by(mut self, controller: &str, valid_for: &[&[usize]]) -> FieldDef {
        self.controller = Some(controller.into());
        for (entry, valid) in self.picklist.iter_mut().zip(valid_for) {
            entry.valid_for = Some(valid.to_vec());
        }
        self
    }

    pub(super) fn upsert_key(mut self) -> FieldDef {
        self.id_lookup = true;
        self
    }

    pub(super) fn name_of_row(mut self) -> FieldDef {
        self.name_field = true;
        self
    }

    pub(super) fn computed(mut self, formula: Formula) -> FieldDef {
        self.formula = Some(formula);
        self.read_only()
    }

    pub(super) fn numbered(mut self, format: &str) -> FieldDef {
        self.auto_number = Some(format.into());
        self.required().read_only().defaulted()
    }

    pub(super) fn info(mut self, extra_type_info: &'static str) -> FieldDef {
        self.extra_type_info = Some(extra_type_info);
        self
    }
}

pub(super) fn text(name: &str, label: &str, length: u32) -> FieldDef {
    sized(name, label, FieldKind::String, length)
}

/// Text of many lines. Up to 255 characters it is filtered and sorted like a short one.
pub(super) fn area(name: &str, label: &str, length: u32) -> FieldDef {
    let mut field = sized(name, label, FieldKind::TextArea, length).info("plaintextarea");
    let short = length <= 255;
    (field.filterable, field.sortable, field.groupable) = (short, short, short);
    field
}

/// A picklist: each entry is its value, or `value|label` where they differ.
pub(super) fn pick(name: &str, label: &str, length: u32, entries: &[&str]) -> FieldDef {
    listed(sized(name, label, FieldKind::Picklist, length), entries)
}

pub(super) fn multi(name: &str, label: &str, entries: &[&str]) -> FieldDef {
    listed(
        FieldDef::new(name, label, FieldKind::MultiPicklist),
        entries,
    )
}

pub(super) fn combo(name: &str, label: &str, entries: &[&str]) -> FieldDef {
    listed(FieldDef::new(name, label, FieldKind::Combobox), entries)
}

pub(super) fn email(name: &str, label: &str) -> FieldDef {
    FieldDef::new(name, label, FieldKind::Email)
}

pub(super) fn phone(name: &str, label: &str) -> FieldDef {
    FieldDef::new(name, label, FieldKind::Phone)
}

pub(super) fn url(name: &str, label: &str) -> FieldDef {
    FieldDef::new(name, label, FieldKind::Url)
}

/// A checkbox: never null, false when nothing is given.
pub(super) fn flag(name: &str, label: &str) -> FieldDef {
    FieldDef::new(name, label, FieldKind::Boolean)
}

pub(super) fn int(name: &str, label: &str) -> FieldDef {
    FieldDef::new(name, label, FieldKind::Int)
}

pub(super) fn double(name: &str, label: &str, precision: u32, scale: u32) -> FieldDef {
    number(name, label, FieldKind::Double, precision, scale)
}

pub(super) fn currency(name: &str, label: &str, precision: u32, scale: u32) -> FieldDef {
    number(name, label, FieldKind::Currency, precision, scale)
}

pub(super) fn percent(name: &str, label: &str, precision: u32, scale: u32) -> FieldDef {
    number(name, label, FieldKind::Percent, precision, scale)
}

pub(super) fn date(name: &str, label: &str) -> FieldDef {
    FieldDef::new(name, label, FieldKind::Date)
}

pub(super) fn datetime(name: &str, label: &str) -> FieldDef {
    FieldDef::new(name, label, FieldKind::DateTime)
}

pub(super) fn time(name: &str, label: &str) -> FieldDef {
    FieldDef::new(name, label, FieldKind::Time)
}

/// A lookup to one object, or to several when it is polymorphic.
pub(super) fn lookup(name: &str, label: &str, to: &[&str], relationship: &str) -> FieldDef {
    let mut field = FieldDef::new(name, label, FieldKind::Reference);
    field.reference_to = to.iter().map(|&object| object.into()).collect();
    field.relationship_name = Some(relationship.into());
    field
}

/// A unique external id, whatever its case: the key a client may upsert by.
pub(super) fn external_id(name: &str, label: &str, length: u32) -> FieldDef {
    let unique = FieldDef {
        unique: true,
        external_id: true,
        ..text(name, label, length)
    };
    unique.upsert_key()
}

/// The record id.
pub(super) fn id(label: &str) -> FieldDef {
    FieldDef::new("Id", label, FieldKind::Id)
        .required()
        .read_only()
        .defaulted()
        .upsert_key()
}

/// `IsDeleted`.
pub(super) fn deleted() -> FieldDef {
    flag("IsDeleted", "Deleted").read_only()
}

/// `OwnerId`, which defaults to the user who inserts.
pub(super) fn owner(label: &str, to: &[&str]) -> FieldDef {
    lookup("OwnerId", label, to, "Owner").required().defaulted()
}

/// Who made and last changed a row, and when: the five fields every object has.
pub(super) fn stamps() -> [FieldDef; 5] {
    [
        datetime("CreatedDate", "Created Date"),
        lookup("CreatedById", "Created By ID", &["User"], "CreatedBy"),
        datetime("LastModifiedDate", "Last Modified Date"),
        lookup(
            "LastModifiedById",
            "Last Modified By ID",
            &["User"],
            "LastModifiedBy",
        ),
        datetime("SystemModstamp", "System Modstamp"),
    ]
    .map(|field| field.required().read_only().defaulted())
}

/// The fields an object needs before it has any of its own.
pub(crate) fn common() -> Vec<FieldDef> {
    [id("Record ID"), deleted()]
        .into_iter()
        .chain(stamps())
        .collect()
}

/// When the row was last looked at by the person who asks.
pub(super) fn viewed() -> [FieldDef; 2] {
    [
        datetime("LastViewedDate", "Last Viewed Date").read_only(),
        datetime("LastReferencedDate", "Last Referenced Date").read_only(),
    ]
}

/// The name of a person: its three parts, then the whole.
pub(super) fn person(salutations: &[&str]) -> [FieldDef; 4] {
    [
        text("LastName", "Last Name", 80).required().part_of("Name"),
        text("FirstName", "First Name", 40).part_of("Name"),
        pick("Salutation", "Salutation", 40, salutations).part_of("Name"),
        text("Name", "Full Name", 121)
            .required()
            .name_of_row()
            .computed(Formula::PersonName),
    ]
    .map(|field| field.info("personname"))
}

/// An address: its eight parts, then the compound. `prefix` is empty for a lone `Address`.
pub(super) fn address(prefix: &'static str) -> Vec<FieldDef> {
    let name = |part: &str| format!("{prefix}{part}");
    let label = |part: &str| format!("{prefix} {part}").trim_start().to_owned();
    let whole = name("Address");
    let parts = [
        area(&name("Street"), &label("Street"), 255),
        text(&name("City"), &label("City"), 40),
        text(&name("State"), &label("State/Province"), 80),
        text(&name("PostalCode"), &label("Zip/Postal Code"), 20),
        text(&name("Country"), &label("Country"), 80),
        double(&name("Latitude"), &label("Latitude"), 18, 15),
        double(&name("Longitude"), &label("Longitude"), 18, 15),
        pick(
            &name("GeocodeAccuracy"),
            &label("Geocode Accuracy"),
            40,
            GEOCODE_ACCURACIES,
        )
        .restricted(),
    ];
    let compound = FieldDef::new(&whole, &label("Address"), FieldKind::Address)
        .computed(Formula::Address(prefix));
    parts
        .map(|field| field.part_of(&whole))
        .into_iter()
        .chain([compound])
        .collect()
}

fn sized(name: &str, label: &str, kind: FieldKind, length: u32) -> FieldDef {
    FieldDef {
        length,
        ..FieldDef::new(name, label, kind)
    }
}

fn number(name: &str, label: &str, kind: FieldKind, precision: u32, scale: u32) -> FieldDef {
    FieldDef {
        precision,
        scale,
        ..FieldDef::new(name, label, kind)
    }
}

fn listed(mut field: FieldDef, entries: &[&str]) -> FieldDef {
    let entry = |text: &&str| {
        let (value, label) = text.split_once('|').unwrap_or((text, text));
        PicklistEntry {
            value: value.into(),
            label: label.into(),
            active: true,
            default: false,
            valid_for: None,
        }
    };
    field.picklist = entries.iter().map(entry).collect();
    field
}

pub(super) const GEOCODE_ACCURACIES: &[&str] = &[
    "Address",
    "NearAddress",
    "Block",
    "Street",
    "ExtendedZip",
    "Zip",
    "Neighborhood",
    "City",
    "County",
    "State",
    "Unknown",
];

pub(super) const INDUSTRIES: &[&str] = &[
    "Agriculture",
    "Apparel",
    "Banking",
    "Biotechnology",
    "Chemicals",
    "Communications",
    "Construction",
    "Consulting",
    "Education",
    "Electronics",
    "Energy",
    "Engineering",
    "Entertainment",
    "Environmental",
    "Finance",
    "Food & Beverage",
    "Government",
    "Healthcare",
    "Hospitality",
    "Insurance",
    "Machinery",
    "Manufacturing",
    "Media",
    "Not For Profit",
    "Recreation",
    "Retail",
    "Shipping",
    "Technology",
    "Telecommunications",
    "Transportation",
    "Utilities",
    "Other",
];

pub(super) const RATINGS: &[&str] = &["Hot", "Warm", "Cold"];

pub(super) const SOURCES: &[&str] = &[
    "Web",
    "Phone Inquiry",
    "Partner Referral",
    "Purchased List",
    "Other",
];

pub(super) const CLEAN_STATUSES: &[&str] = &[
    "Matched|In Sync",
    "Different",
    "Acknowledged|Reviewed",
    "NotFound|Not Found",
    "Inactive",
    "Pending|Not Compared",
    "SelectMatch|Select Match",
    "Skipped",
];
