//! What a code of the org means for a client: one table.

/// What may be done about a refusal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Class {
    /// The same call may succeed later.
    Retry,
    /// The same call may succeed with fresh credentials.
    Auth,
    /// A person has to change something first: the values, or what they may do.
    User,
    /// The org is not as the client believes: read again, then decide.
    State,
    /// Something else failed, and this went with it.
    Collateral,
}

/// The codes that a client meets. One that is not here is a person's to deal with.
///
/// # Source
/// ExceptionCode and StatusCode, SOAP API Developer Guide; status codes, REST API Developer Guide. The classes are
/// ours.
#[rustfmt::skip]
const TABLE: &[(Class, &[&str])] = &[
    (Class::Retry, &[
        "UNABLE_TO_LOCK_ROW", "REQUEST_LIMIT_EXCEEDED", "SERVER_UNAVAILABLE", "UNKNOWN_EXCEPTION",
        "INTERNAL_ERROR", "QUERY_TIMEOUT", "REQUEST_RUNNING_TOO_LONG", "TOO_MANY_APEX_REQUESTS",
        "TERRITORY_REALIGN_IN_PROGRESS", "INSERT_UPDATE_DELETE_NOT_ALLOWED_DURING_MAINTENANCE",
    ]),
    (Class::Auth, &["INVALID_SESSION_ID", "INVALID_AUTH_HEADER"]),
    (Class::User, &[
        "REQUIRED_FIELD_MISSING", "FIELD_CUSTOM_VALIDATION_EXCEPTION",
        "FIELD_FILTER_VALIDATION_EXCEPTION", "FIELD_INTEGRITY_EXCEPTION", "INVALID_FIELD",
        "INVALID_FIELD_FOR_INSERT_UPDATE", "INVALID_TYPE_ON_FIELD_IN_RECORD", "JSON_PARSER_ERROR",
        "STRING_TOO_LONG", "NUMBER_OUTSIDE_VALID_RANGE", "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST",
        "INVALID_EMAIL_ADDRESS", "TEXT_DATA_OUTSIDE_SUPPORTED_CHARSET", "TOO_MANY_ENUM_VALUE",
        "DUPLICATE_VALUE", "DUPLICATE_EXTERNAL_ID", "DUPLICATES_DETECTED", "MALFORMED_ID",
        "INVALID_ID_FIELD", "DELETE_FAILED", "DEPENDENCY_EXISTS", "DELETE_REQUIRED_ON_CASCADE",
        "INSUFFICIENT_ACCESS_OR_READONLY", "INSUFFICIENT_ACCESS",
        "INSUFFICIENT_ACCESS_ON_CROSS_REFERENCE_ENTITY", "CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY",
        "CHILD_SHARE_FAILS_PARENT", "TRANSFER_REQUIRES_READ", "INACTIVE_OWNER_OR_USER",
        "SELF_REFERENCE_FROM_TRIGGER", "MAX_DEPTH_IN_FLOW_EXECUTION", "CANNOT_EXECUTE_FLOW_TRIGGER",
        "FLOW_EXCEPTION", "APEX_ERROR", "STORAGE_LIMIT_EXCEEDED", "EXCEEDED_QUOTA",
        "API_DISABLED_FOR_ORG", "API_CURRENTLY_DISABLED", "FUNCTIONALITY_NOT_ENABLED",
    ]),
    (Class::State, &[
        "INVALID_CROSS_REFERENCE_KEY", "NOT_FOUND", "ENTITY_IS_DELETED", "ENTITY_IS_LOCKED",
        "RECORD_IN_USE_BY_WORKFLOW", "ENTITY_IS_ARCHIVED", "CANNOT_UPDATE_CONVERTED_LEAD",
        "MATCH_PRECONDITION_FAILED", "ENTITY_FAILED_IFLASTMODIFIED_ON_UPDATE",
        "INVALID_REPLICATION_DATE", "EXCEEDED_ID_LIMIT",
    ]),
    (Class::Collateral, &[
        "ALL_OR_NONE_OPERATION_ROLLED_BACK", "PROCESSING_HALTED", "BATCH_PROCESSING_HALTED",
    ]),
];

/// Finds the class of a code.
pub(crate) fn class(code: &str) -> Class {
    TABLE
        .iter()
        .find(|(_, codes)| codes.contains(&code))
        .map_or(Class::User, |(class, _)| *class)
}

/// Says whether the same write may succeed later as it is.
pub(crate) fn may_pass(code: &str) -> bool {
    match class(code) {
        Class::Retry | Class::Auth | Class::Collateral => true,
        Class::User | Class::State => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::push::judged;
    use attache::{Fields, Write, WriteAction, WriteOutcome};

    #[derive(Debug, PartialEq)]
    enum Fate {
        Later,
        Refused,
        Stale,
        Gone,
    }

    /// What becomes of an update that a collection refuses with this code.
    fn fate(code: &str) -> Fate {
        let update = Write {
            object: "Account".into(),
            action: WriteAction::Update {
                id: "001D000000JliSTIAZ".into(),
                fields: Fields::from([("Name", "Acme")]),
                unmodified_since: None,
            },
            allow_duplicates: false,
        };
        match judged(&update, code) {
            // Whether the record is there has to be looked at.
            None => Fate::Gone,
            Some(WriteOutcome::Later(_)) => Fate::Later,
            Some(WriteOutcome::Refused(_)) => Fate::Refused,
            Some(WriteOutcome::Stale) => Fate::Stale,
            Some(WriteOutcome::Gone) => Fate::Gone,
            Some(other) => panic!("{code}: {other:?}"),
        }
    }

    /// One test for each row of the table.
    macro_rules! rows {
        ($($class:ident { $($code:ident => $fate:ident,)* })*) => {
            $($(#[test]
            #[allow(non_snake_case, reason = "the org's own names")]
            fn $code() {
                assert_eq!(class(stringify!($code)), Class::$class);
                assert_eq!(fate(stringify!($code)), Fate::$fate);
            })*)*

            #[test]
            fn every_row_has_a_test() {
                let tested = [$($(stringify!($code),)*)*];
                for code in TABLE.iter().flat_map(|(_, codes)| codes.iter()) {
                    assert!(tested.contains(code), "{code}");
                }
                assert_eq!(TABLE.iter().map(|(_, codes)| codes.len()).sum::<usize>(), tested.len());
            }
        };
    }

    rows! {
        Retry {
            UNABLE_TO_LOCK_ROW => Later,
            REQUEST_LIMIT_EXCEEDED => Later,
            SERVER_UNAVAILABLE => Later,
            UNKNOWN_EXCEPTION => Later,
            INTERNAL_ERROR => Later,
            QUERY_TIMEOUT => Later,
            REQUEST_RUNNING_TOO_LONG => Later,
            TOO_MANY_APEX_REQUESTS => Later,
            TERRITORY_REALIGN_IN_PROGRESS => Later,
            INSERT_UPDATE_DELETE_NOT_ALLOWED_DURING_MAINTENANCE => Later,
        }
        Auth {
            INVALID_SESSION_ID => Later,
            INVALID_AUTH_HEADER => Later,
        }
        User {
            REQUIRED_FIELD_MISSING => Refused,
            FIELD_CUSTOM_VALIDATION_EXCEPTION => Refused,
            FIELD_FILTER_VALIDATION_EXCEPTION => Refused,
            FIELD_INTEGRITY_EXCEPTION => Refused,
            INVALID_FIELD => Refused,
            INVALID_FIELD_FOR_INSERT_UPDATE => Refused,
            INVALID_TYPE_ON_FIELD_IN_RECORD => Refused,
            JSON_PARSER_ERROR => Refused,
            STRING_TOO_LONG => Refused,
            NUMBER_OUTSIDE_VALID_RANGE => Refused,
            INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST => Refused,
            INVALID_EMAIL_ADDRESS => Refused,
            TEXT_DATA_OUTSIDE_SUPPORTED_CHARSET => Refused,
            TOO_MANY_ENUM_VALUE => Refused,
            DUPLICATE_VALUE => Refused,
            DUPLICATE_EXTERNAL_ID => Refused,
            DUPLICATES_DETECTED => Refused,
            MALFORMED_ID => Refused,
            INVALID_ID_FIELD => Refused,
            DELETE_FAILED => Refused,
            DEPENDENCY_EXISTS => Refused,
            DELETE_REQUIRED_ON_CASCADE => Refused,
            INSUFFICIENT_ACCESS_OR_READONLY => Refused,
            INSUFFICIENT_ACCESS => Refused,
            INSUFFICIENT_ACCESS_ON_CROSS_REFERENCE_ENTITY => Refused,
            CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY => Refused,
            CHILD_SHARE_FAILS_PARENT => Refused,
            TRANSFER_REQUIRES_READ => Refused,
            INACTIVE_OWNER_OR_USER => Refused,
            SELF_REFERENCE_FROM_TRIGGER => Refused,
            MAX_DEPTH_IN_FLOW_EXECUTION => Refused,
            CANNOT_EXECUTE_FLOW_TRIGGER => Refused,
            FLOW_EXCEPTION => Refused,
            APEX_ERROR => Refused,
            STORAGE_LIMIT_EXCEEDED => Refused,
            EXCEEDED_QUOTA => Refused,
            API_DISABLED_FOR_ORG => Refused,
            API_CURRENTLY_DISABLED => Refused,
            FUNCTIONALITY_NOT_ENABLED => Refused,
        }
        State {
            INVALID_CROSS_REFERENCE_KEY => Gone,
            NOT_FOUND => Gone,
            ENTITY_IS_DELETED => Gone,
            ENTITY_IS_LOCKED => Refused,
            RECORD_IN_USE_BY_WORKFLOW => Refused,
            ENTITY_IS_ARCHIVED => Refused,
            CANNOT_UPDATE_CONVERTED_LEAD => Refused,
            MATCH_PRECONDITION_FAILED => Stale,
            ENTITY_FAILED_IFLASTMODIFIED_ON_UPDATE => Stale,
            INVALID_REPLICATION_DATE => Refused,
            EXCEEDED_ID_LIMIT => Refused,
        }
        Collateral {
            ALL_OR_NONE_OPERATION_ROLLED_BACK => Later,
            PROCESSING_HALTED => Later,
            BATCH_PROCESSING_HALTED => Later,
        }
    }

    #[test]
    fn what_nobody_knows_is_told_to_a_person() {
        assert_eq!(class("A_CODE_OF_TOMORROW"), Class::User);
        assert_eq!(fate("A_CODE_OF_TOMORROW"), Fate::Refused);
    }
}
