//! What an org is told once: its zone, its locale, and how to read the open points of the documentation.

use serde::{Deserialize, Serialize};

/// Settings of an org.
#[derive(Clone, Debug)]
pub struct OrgConfig {
    /// Time zone of users that name none, an IANA name such as `Europe/Berlin`.
    pub time_zone: String,
    /// Locale of users that name none, such as `en_US`; it decides the first day of a week.
    pub locale: String,
    /// Newest version of the API, such as `67.0`.
    pub api_version: String,
    /// 18-character id of the org, `00D…`.
    pub org_id: String,
    /// First month of the fiscal year, 1 to 12.
    pub fiscal_year_start: i8,
    /// A fiscal year bears the name of the calendar year it begins in, not of the one it ends in.
    pub fiscal_year_named_by_start: bool,
    /// How the points are read that the documentation leaves open.
    pub switches: Switches,
}

impl Default for OrgConfig {
    fn default() -> OrgConfig {
        OrgConfig {
            time_zone: "UTC".into(),
            locale: "en_US".into(),
            api_version: "67.0".into(),
            org_id: "00DHx000000000mMAA".into(),
            fiscal_year_start: 1,
            fiscal_year_named_by_start: false,
            switches: Switches::default(),
        }
    }
}

/// The points no official text or recording settles, one field each.
///
/// A client must work whichever way they are set; the paragraph named is that
/// of `salesforce-api.md`.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Switches {
    /// §4.5: nulls come first in a descending order too.
    pub nulls_first_when_descending: bool,
    /// §4.2: `F NOT IN ('x')` also finds rows whose `F` is null.
    pub not_in_matches_null: bool,
    /// §4.2: `(NOT F LIKE 'x')` also finds rows whose `F` is null.
    pub not_like_matches_null: bool,
    /// §5.2: `If-Unmodified-Since` looks at `SystemModstamp`, not `LastModifiedDate`.
    pub precondition_reads_system_modstamp: bool,
    /// §13.7: nulling a lookup because its target was deleted moves the child's `LastModifiedDate`.
    pub lookup_nulling_moves_last_modified: bool,
    /// §13.8: rows that were merged into others are listed by getDeleted.
    pub merges_are_in_delete_log: bool,
    /// §13.10: a write needs the locks of the rows that its row belongs to.
    pub writes_lock_parents: bool,
    /// §13.3: leading and trailing blanks of text are cut on save.
    pub trims_blanks: bool,
    /// §8.4: text beyond a field's length is cut instead of refused, as very old API versions did.
    pub cuts_long_text: bool,
    /// §13.3: a multi-select list is stored in the order of its definition.
    pub orders_multi_select: bool,
    /// §13.2: validation rules run before the required fields are checked.
    pub validation_rules_first: bool,
    /// §3.2: rows deleted or hidden after a query ran are missing in its later pages.
    pub rows_vanish_from_later_pages: bool,
    /// §4.6: a parent the user may not see is null in a query.
    pub hidden_parents_are_null: bool,
    /// §13.5: who sees a contact, an opportunity or a case by itself sees its account, without changing it. Real orgs
    /// do so; off, as it is at first, what a user holds is told by owners and shares alone.
    pub children_show_accounts: bool,
    /// §12: assignment rules run when a lead or a case is changed, not only when it is created.
    pub updates_assign: bool,
    /// §13.2: a roll-up moves the `SystemModstamp` of the parent.
    pub roll_ups_move_parent: bool,
    /// §13.6: a row that was restored is still listed by getDeleted.
    pub restored_rows_stay_in_delete_log: bool,
    /// §13.6: seconds a deleted row stays in the recycle bin.
    pub recycle_bin_seconds: i64,
    /// §7.1: ids that one call for what changed or was deleted lists; a span with more is refused.
    pub listed_ids_max: usize,
    /// §8.3: a dependent picklist accepts only what its controller allows.
    pub enforces_dependent_picklists: bool,
    /// §8.2: a restricted picklist accepts only what the row's record type leaves of it.
    pub enforces_record_type_picklists: bool,
    /// §4.4: a week's first day follows the user's locale; otherwise it is Sunday.
    pub week_follows_locale: bool,
    /// Bytes of all files together; one that does not fit is refused with `STORAGE_LIMIT_EXCEEDED`.
    pub file_storage_bytes_max: u64,
}

impl Default for Switches {
    fn default() -> Switches {
        Switches {
            nulls_first_when_descending: true,
            not_in_matches_null: true,
            not_like_matches_null: true,
            precondition_reads_system_modstamp: false,
            lookup_nulling_moves_last_modified: false,
            merges_are_in_delete_log: true,
            writes_lock_parents: false,
            trims_blanks: true,
            cuts_long_text: false,
            orders_multi_select: true,
            validation_rules_first: false,
            rows_vanish_from_later_pages: false,
            hidden_parents_are_null: true,
            children_show_accounts: false,
            updates_assign: true,
            roll_ups_move_parent: true,
            restored_rows_stay_in_delete_log: true,
            recycle_bin_seconds: 15 * 86_400,
            listed_ids_max: 600_000,
            enforces_dependent_picklists: true,
            enforces_record_type_picklists: true,
            week_follows_locale: true,
            file_storage_bytes_max: 1 << 30,
        }
    }
}
