//! One function per object: what a row of it looks like.

use super::words::{self, CITIES, FIRST_NAMES, LAST_NAMES, STREETS, TITLES};
use super::{ORG_ID, Random, Row, World, user_id};
use crate::catalog;
use crate::id;
use crate::value::Value;
use jiff::ToSpan as _;
use jiff::civil::Date;
use rust_decimal::Decimal;

const DAY: i64 = 86_400;

const ACCOUNT_TYPES: &[&str] = &[
    "Prospect",
    "Customer - Direct",
    "Customer - Channel",
    "Other",
];

const INDUSTRIES: &[&str] = &[
    "Agriculture",
    "Energy",
    "Food & Beverage",
    "Retail",
    "Technology",
];

/// 18 digits of cents.
const MONEY_MAX: i64 = 10_i64.pow(18) - 1;

impl World {
    pub(super) fn organization(&self, row: &mut Row<'_>) {
        self.system(row, 0);
        row.set("Id", ORG_ID);
        row.set("Name", "Attaché Sandbox");
        row.set("OrganizationType", "Developer Edition");
        row.set("DefaultLocaleSidKey", "en_US");
        row.set("LanguageLocaleKey", "en_US");
        row.set("TimeZoneSidKey", "UTC");
        row.set("InstanceName", "SBX0");
        row.set("IsSandbox", true);
    }

    pub(super) fn user(&self, row: &mut Row<'_>) {
        let n = row.n;
        self.system(row, 0);
        row.set("Username", format!("user{}@sandbox.example", n + 1));
        row.set("Email", format!("user{}@sandbox.example", n + 1));
        row.set("Alias", format!("u{}", n + 1));
        row.set("CommunityNickname", format!("user{}", n + 1));
        row.set("FirstName", FIRST_NAMES[n % FIRST_NAMES.len()]);
        row.set("LastName", LAST_NAMES[n % LAST_NAMES.len()]);
        row.set("IsActive", true);
        row.set("TimeZoneSidKey", "UTC");
        row.set("LocaleSidKey", "en_US");
        row.set("LanguageLocaleKey", "en_US");
        row.set("EmailEncodingKey", "UTF-8");
        row.set("UserType", "Standard");
        // The first user manages everybody.
        row.set("ManagerId", (n > 0).then(|| user_id(0)));
    }

    pub(super) fn queue(&self, row: &mut Row<'_>) {
        self.system(row, 0);
        row.set("Name", "Inbound Leads");
        row.set("DeveloperName", "Inbound_Leads");
        row.set("Type", "Queue");
    }

    pub(super) fn account(&self, row: &mut Row<'_>) {
        let n = row.n;
        self.system(row, self.account_owner(n));
        let random = &mut row.random;
        let name = words::company(random);
        let parent = (n > 0 && random.percent(12)).then(|| random.below(n as u64));
        row.set("Name", name);
        row.set("ParentId", parent.map(|parent| id::make("001", parent + 1)));
        row.maybe(80, "Type", |random| random.one(ACCOUNT_TYPES));
        row.maybe(85, "Industry", |random| random.one(INDUSTRIES));
        row.maybe(50, "Rating", |random| random.one(&["Hot", "Warm", "Cold"]));
        row.maybe(70, "AnnualRevenue", |random| {
            random.money(50_000_000).trunc()
        });
        row.maybe(80, "NumberOfEmployees", |random| {
            Decimal::from(random.skewed(90_000, 4))
        });
        row.maybe(90, "Phone", words::phone);
        row.maybe(60, "Website", |_| {
            format!("https://www.company{n}.example/")
        });
        row.maybe(60, "AccountNumber", |random| {
            format!("{:08}", random.below(100_000_000))
        });
        row.maybe(40, "Description", words::prose);
        self.place(
            row,
            [
                "BillingStreet",
                "BillingCity",
                "BillingState",
                "BillingPostalCode",
                "BillingCountry",
            ],
        );
        row.maybe(70, "External_Id__c", |_| format!("ACC-{n:06}"));
        row.maybe(70, "Active__c", |_| true);
        row.maybe(75, "Regions__c", |random| {
            random.some(&["AMER", "APAC", "EMEA", "LATAM"])
        });
        row.maybe(60, "Renewal_Date__c", |random| {
            self.day(random.between(-400, 700))
        });
        row.maybe(90, "Score__c", |random| {
            Decimal::from(random.between(-100, 1_000))
        });
    }

    pub(super) fn contact(&self, row: &mut Row<'_>) {
        let n = row.n;
        let account = self.account_of_contact(n);
        let owner = self.owner_near(account, &mut row.random);
        self.system(row, owner);
        row.set("AccountId", account.map(account_id));
        self.person(row, "contact");
        let colleague = n > 0 && account.is_some() && self.account_of_contact(n - 1) == account;
        row.maybe(20, "ReportsToId", |_| {
            colleague.then(|| id::make("003", n as u64))
        });
        row.maybe(30, "MobilePhone", words::phone);
        row.maybe(30, "Birthdate", |random| {
            self.day(-random.between(20 * 365, 70 * 365))
        });
        row.maybe(80, "LeadSource", |random| {
            random.one(&["Web", "Phone Inquiry", "Other"])
        });
        row.maybe(10, "DoNotCall", |_| true);
        row.maybe(20, "Description", words::prose);
        self.place(
            row,
            [
                "MailingStreet",
                "MailingCity",
                "MailingState",
                "MailingPostalCode",
                "MailingCountry",
            ],
        );
        row.maybe(80, "Languages__c", |random| {
            random.some(&["English", "French", "German"])
        });
    }

    pub(super) fn opportunity(&self, row: &mut Row<'_>) {
        let n = row.n;
        let account = self.account_of_opportunity(n);
        let owner = self.owner_near(account, &mut row.random);
        self.system(row, owner);
        let random = &mut row.random;
        let stages = catalog::stages();
        let stage = &stages[random.below(stages.len() as u64) as usize];
        let name = format!("{} #{n}", random.one(words::DEAL_WORDS));
        // What is open mostly closes soon; what is closed mostly did so in the past.
        let ahead = random.percent(if stage.closed { 5 } else { 90 });
        let days = random.skewed(365, 2) as i64;
        let close = self.day(if ahead { days } else { -days });
        let amount = match random.below(100) {
            // As many digits as the field takes: more than a float can carry.
            _ if n % 250 == 7 => Some(Decimal::new(random.between(10_i64.pow(17), MONEY_MAX), 2)),
            0..8 => None,
            _ => Some(random.money(2_500_000)),
        };
        row.set("Name", name);
        row.set("AccountId", account.map(account_id));
        row.set("StageName", stage.name);
        row.set("Probability", stage.probability);
        row.set("ForecastCategory", stage.forecast);
        row.set("ForecastCategoryName", stage.forecast);
        row.set("CloseDate", close);
        row.set("Amount", amount);
        row.maybe(75, "Type", |random| {
            random.one(&["New Customer", "Existing Customer - Upgrade"])
        });
        row.maybe(70, "LeadSource", |random| {
            random.one(&["Web", "Partner Referral", "Other"])
        });
        row.maybe(40, "NextStep", |random| {
            random.one(&["Call back", "Send the offer", "Ask Zoë"])
        });
        row.maybe(25, "Description", words::prose);
        row.maybe(20, "TotalOpportunityQuantity", |random| random.money(500));
        row.maybe(10, "IsPrivate", |_| true);
    }

    pub(super) fn lead(&self, row: &mut Row<'_>) {
        let owner = row.random.below(self.users() as u64) as usize;
        self.system(row, owner);
        row.maybe(5, "OwnerId", |_| id::make("00G", 1));
        let company = words::company(&mut row.random);
        row.set("Company", company);
        self.person(row, "lead");
        row.maybe(60, "Status", |random| {
            random.one(&["Working - Contacted", "Closed - Not Converted"])
        });
        row.maybe(60, "Rating", |random| random.one(&["Hot", "Warm", "Cold"]));
        row.maybe(80, "LeadSource", |random| {
            random.one(&["Web", "Purchased List", "Other"])
        });
        row.maybe(60, "AnnualRevenue", |random| {
            random.money(9_000_000).trunc()
        });
        row.maybe(30, "Description", words::prose);
        self.place(row, ["Street", "City", "State", "PostalCode", "Country"]);
    }

    pub(super) fn visit(&self, row: &mut Row<'_>) {
        let n = row.n;
        self.system(row, 0);
        let random = &mut row.random;
        let account = self.account_of_visit(n);
        let kind = random.below(catalog::KINDS.len() as u64) as usize;
        let outcomes: Vec<&str> = (catalog::OUTCOMES.iter().zip(catalog::VALID_FOR))
            .filter(|(_, valid)| valid.contains(&kind))
            .map(|(outcome, _)| *outcome)
            .collect();
        let outcome = random.one(&outcomes);
        let (day, minutes) = (random.between(-60, 60), random.between(7 * 60, 18 * 60));
        row.set("Name", format!("V-{:05}", n + 1));
        row.set("Account__c", account_id(account));
        row.set("Kind__c", catalog::KINDS[kind]);
        row.set("Visited_On__c", self.day(day));
        row.set(
            "Starts_At__c",
            Value::DateTime(self.midnight(day) + minutes * 60),
        );
        row.set("Arrival__c", Value::Time(minutes as u32 * 60_000));
        row.maybe(70, "Outcome__c", |_| outcome);
        row.maybe(60, "Contact__c", |random| {
            self.any("003", self.spec.contacts, random)
        });
        row.maybe(70, "Fee__c", |random| random.money(2_000));
        row.maybe(30, "Discount__c", |random| {
            Decimal::new(random.between(0, 5_000), 2)
        });
        row.maybe(60, "Topics__c", |random| {
            random.some(&["Pricing", "Support", "Training", "Renewal"])
        });
        row.maybe(60, "Notes__c", words::prose);
        row.maybe(20, "Billable__c", |_| false);
    }

    pub(super) fn task(&self, row: &mut Row<'_>) {
        let subject = row.random.one(words::TASK_SUBJECTS);
        self.activity(row, subject);
        // Summed, so that most are due this week or the next to it.
        let day = row.random.between(-14, 14) + row.random.between(-10, 10);
        let due = (!row.random.percent(5)).then(|| self.day(day));
        let done = day < 0 && row.random.percent(80);
        row.set("ActivityDate", due);
        row.maybe(50, "Status", |random| {
            random.one(&["In Progress", "Deferred"])
        });
        if done {
            row.set("Status", "Completed");
        }
        if row.random.percent(15) {
            row.set("Priority", "High");
            row.set("IsHighPriority", true);
        }
        if due.is_some() && row.random.percent(20) {
            row.set("IsReminderSet", true);
            row.set(
                "ReminderDateTime",
                Value::DateTime(self.midnight(day) + 8 * 3_600),
            );
        }
    }

    pub(super) fn event(&self, row: &mut Row<'_>) {
        let subject = row
            .random
            .one(&["Call", "Meeting", "Other", "Review at 50 %"]);
        self.activity(row, subject);
        let random = &mut row.random;
        let day = random.between(-21, 21) + random.between(-10, 10);
        let all_day = random.percent(8);
        let start = self.midnight(day)
            + if all_day {
                0
            } else {
                random.between(28, 72) * 900
            };
        let minutes = if all_day {
            1_440
        } else {
            random.between(1, 8) * 15
        };
        let end = if all_day { start } else { start + minutes * 60 };
        row.set("IsAllDayEvent", all_day);
        row.set("ActivityDate", self.day(day));
        row.set("EndDate", self.day(day));
        row.set("ActivityDateTime", Value::DateTime(start));
        row.set("StartDateTime", Value::DateTime(start));
        row.set("EndDateTime", Value::DateTime(end));
        row.set("DurationInMinutes", Decimal::from(minutes));
        row.set("EventSubtype", "Event");
        row.maybe(40, "ShowAs", |random| random.one(&["OutOfOffice", "Free"]));
        row.maybe(60, "Location", |random| {
            CITIES[random.below(CITIES.len() as u64) as usize].0
        });
    }

    /// What tasks and events share: a subject, an owner, and what and whom they are about.
    fn activity(&self, row: &mut Row<'_>, subject: &str) {
        let spec = &self.spec;
        let random = &mut row.random;
        let pick = |random: &mut Random, count: usize| {
            (count > 0).then(|| random.skewed(count as u64, 2) as usize)
        };
        let (what, mut account) = match random.below(100) {
            0..55 => match pick(random, spec.opportunities) {
                Some(n) => (
                    Some(id::make("006", n as u64 + 1)),
                    self.account_of_opportunity(n),
                ),
                None => (None, None),
            },
            55..80 => match pick(random, spec.accounts) {
                Some(n) => (Some(account_id(n)), Some(n)),
                None => (None, None),
            },
            80..85 if spec.accounts > 0 => match pick(random, spec.visits) {
                Some(n) => (
                    Some(id::make("a00", n as u64 + 1)),
                    Some(self.account_of_visit(n)),
                ),
                None => (None, None),
            },
            _ => (None, None),
        };
        // A lead has no other business: with one, nothing else is related.
        let who = if what.is_none() && random.percent(50) {
            self.any("00Q", spec.leads, random)
        } else if random.percent(55) {
            let contact = pick(random, spec.contacts);
            account = account.or_else(|| self.account_of_contact(contact?));
            contact.map(|n| id::make("003", n as u64 + 1))
        } else {
            None
        };
        let owner = self.owner_near(account, random);
        self.system(row, owner);
        row.set("Subject", subject);
        row.set("WhatId", what);
        row.set("WhoId", who);
        row.set("AccountId", account.map(account_id));
        row.maybe(30, "Description", words::prose);
    }

    fn person(&self, row: &mut Row<'_>, mailbox: &str) {
        let n = row.n;
        let (first, last) = (row.random.one(FIRST_NAMES), row.random.one(LAST_NAMES));
        row.set("LastName", last);
        row.maybe(95, "FirstName", |_| first);
        row.maybe(60, "Salutation", |random| {
            random.one(&["Mr.", "Ms.", "Dr."])
        });
        row.maybe(85, "Email", |_| format!("{mailbox}{n}@example.com"));
        row.maybe(80, "Phone", words::phone);
        row.maybe(80, "Title", |random| random.one(TITLES));
    }

    /// Sets an address: street, city, state, postal code, country. Some rows have none.
    fn place(&self, row: &mut Row<'_>, fields: [&str; 5]) {
        if row.random.percent(15) {
            return;
        }
        let (city, state, country) = CITIES[row.random.below(CITIES.len() as u64) as usize];
        let street = format!("{} {}", 1 + row.random.below(999), row.random.one(STREETS));
        let code = format!("{:05}", row.random.below(100_000));
        let values = [
            street.into(),
            city.into(),
            state.into(),
            code.into(),
            country.into(),
        ];
        for (field, value) in fields.into_iter().zip(values) {
            row.set(field, Value::clone(&value));
        }
    }

    fn account_owner(&self, n: usize) -> usize {
        self.random("account owner", n).below(self.users() as u64) as usize
    }

    /// Mostly the account's owner, now and then a colleague.
    fn owner_near(&self, account: Option<usize>, random: &mut Random) -> usize {
        match account {
            Some(account) if random.percent(75) => self.account_owner(account),
            _ => random.below(self.users() as u64) as usize,
        }
    }

    fn account_of_contact(&self, n: usize) -> Option<usize> {
        self.account_of("account of contact", n)
    }

    fn account_of_opportunity(&self, n: usize) -> Option<usize> {
        self.account_of("account of opportunity", n)
    }

    fn account_of_visit(&self, n: usize) -> usize {
        self.random("account of visit", n)
            .skewed(self.spec.accounts as u64, 3) as usize
    }

    /// Gives a row its account: cubed, so that few accounts have most of the rows.
    fn account_of(&self, topic: &str, n: usize) -> Option<usize> {
        let mut random = self.random(topic, n);
        let orphan = self.spec.accounts == 0 || random.percent(3);
        (!orphan).then(|| random.skewed(self.spec.accounts as u64, 3) as usize)
    }

    fn any(&self, prefix: &str, count: usize, random: &mut Random) -> Option<String> {
        (count > 0).then(|| id::make(prefix, random.below(count as u64) + 1))
    }

    fn day(&self, days: i64) -> Date {
        self.today.saturating_add(days.days())
    }

    fn midnight(&self, days: i64) -> i64 {
        self.spec.now.div_euclid(DAY) * DAY + days * DAY
    }
}

fn account_id(n: usize) -> String {
    id::make("001", n as u64 + 1)
}
