//! Contact and User.

use super::build::*;
use crate::schema::{Formula, ObjectDef};
use crate::value::Value;

pub(super) fn contact() -> ObjectDef {
    ObjectDef::new("Contact", "Contact", "Contacts", "003")
        .scoped(&["everything", "mine", "scopingRule", "team"])
        .with([
            id("Contact ID"),
            deleted(),
            lookup(
                "MasterRecordId",
                "Master Record ID",
                &["Contact"],
                "MasterRecord",
            )
            .read_only(),
            lookup("AccountId", "Account ID", &["Account"], "Account")
                .children("Contacts")
                .cascade(),
        ])
        .with(person(&["Mr.", "Ms.", "Mrs.", "Dr.", "Prof."]))
        .with(address("Other"))
        .with(address("Mailing"))
        .with([
            phone("Phone", "Business Phone"),
            phone("Fax", "Business Fax"),
            phone("MobilePhone", "Mobile Phone"),
            phone("HomePhone", "Home Phone"),
            phone("OtherPhone", "Other Phone"),
            phone("AssistantPhone", "Asst. Phone"),
            lookup("ReportsToId", "Reports To ID", &["Contact"], "ReportsTo"),
            email("Email", "Email").upsert_key(),
            text("Title", "Title", 128),
            text("Department", "Department", 80),
            text("AssistantName", "Assistant's Name", 40),
            pick("LeadSource", "Lead Source", 255, SOURCES),
            date("Birthdate", "Birthdate"),
            area("Description", "Contact Description", 32_000),
            owner("Owner ID", &["User"]),
            flag("DoNotCall", "Do Not Call"),
        ])
        .with(stamps())
        .with([
            date("LastActivityDate", "Last Activity").read_only(),
            datetime("LastCURequestDate", "Last Stay-in-Touch Request Date").read_only(),
            datetime("LastCUUpdateDate", "Last Stay-in-Touch Save Date").read_only(),
        ])
        .with(viewed())
        .with([
            text("EmailBouncedReason", "Email Bounced Reason", 255),
            datetime("EmailBouncedDate", "Email Bounced Date"),
            flag("IsEmailBounced", "Is Email Bounced").read_only(),
            url("PhotoUrl", "Photo URL").read_only().info("imageurl"),
            text("Jigsaw", "Data.com Key", 20),
            text("JigsawContactId", "Jigsaw Contact ID", 20).read_only(),
            pick("CleanStatus", "Clean Status", 40, CLEAN_STATUSES).restricted(),
            multi("Languages__c", "Languages", LANGUAGES),
        ])
}

/// A user. Profiles and roles are not modelled, and zones are not limited to those listed.
pub(super) fn user() -> ObjectDef {
    let mut user = ObjectDef::new("User", "User", "Users", "005").scoped(&["everything", "team"]);
    user.deletable = false;
    user.with([
        id("User ID"),
        text("Username", "Username", 80).required().upsert_key(),
        text("LastName", "Last Name", 80)
            .required()
            .part_of("Name")
            .info("personname"),
        text("FirstName", "First Name", 40)
            .part_of("Name")
            .info("personname"),
        text("Name", "Full Name", 121)
            .required()
            .name_of_row()
            .computed(Formula::PersonName)
            .info("personname"),
        text("CompanyName", "Company Name", 80),
        text("Division", "Division", 80),
        text("Department", "Department", 80),
        text("Title", "Title", 80),
    ])
    .with(address(""))
    .with([
        email("Email", "Email").required().upsert_key(),
        phone("Phone", "Phone"),
        phone("Fax", "Fax"),
        phone("MobilePhone", "Cell"),
        text("Alias", "Alias", 8).required(),
        text("CommunityNickname", "Nickname", 40).required(),
        flag("IsActive", "Active"),
        pick("TimeZoneSidKey", "Time Zone", 40, ZONES).required(),
        pick("LocaleSidKey", "Locale", 40, LOCALES).required(),
        pick(
            "EmailEncodingKey",
            "Email Encoding",
            40,
            &["UTF-8", "ISO-8859-1"],
        )
        .required(),
        pick("UserType", "User Type", 40, &["Standard"])
            .read_only()
            .restricted(),
        pick("LanguageLocaleKey", "Language", 40, LOCALES).required(),
        text("EmployeeNumber", "Employee Number", 20),
        lookup("ManagerId", "Manager ID", &["User"], "Manager").children("DirectReports"),
        datetime("LastLoginDate", "Last Login").read_only(),
    ])
    .with(stamps())
    .with(viewed())
    .with([pick(
        "DefaultGroupNotificationFrequency",
        "Default Notification Frequency",
        40,
        NOTICES,
    )
    .required()
    .default_to(Value::text("N"))
    .restricted()])
}

const LANGUAGES: &[&str] = &[
    "English",
    "French",
    "German",
    "Italian",
    "Japanese",
    "Portuguese",
    "Spanish",
];

const ZONES: &[&str] = &[
    "UTC",
    "America/Los_Angeles",
    "America/Chicago",
    "America/New_York",
    "America/Sao_Paulo",
    "Europe/London",
    "Europe/Berlin",
    "Europe/Paris",
    "Asia/Kolkata",
    "Asia/Tokyo",
    "Australia/Sydney",
];

const LOCALES: &[&str] = &[
    "en_US", "en_GB", "de", "de_DE", "es", "fr", "fr_FR", "it", "ja", "ja_JP", "pt_BR",
];

const NOTICES: &[&str] = &[
    "P|Email on each post",
    "D|Daily digests",
    "W|Weekly digests",
    "N|Never",
];
