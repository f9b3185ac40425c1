//! What the rows say: plain words, and the ones that break careless code.

use super::random::Random;
use std::fmt::Write as _;

pub(super) const FIRST_NAMES: &[&str] = &[
    "Ada",
    "Ben",
    "Chloé",
    "Dmitri",
    "Eva",
    "Farid",
    "Grace",
    "Håkon",
    "Inès",
    "João",
    "Kaoru",
    "Łukasz",
    "María José",
    "Nia",
    "Ólafur",
    "Priya",
    "Quentin",
    "Renée",
    "Søren",
    "Tariq",
    "Uma",
    "Vera",
    "Wei",
    "Ximena",
    "Yusuf",
    "Zoë",
    "李",
    "Анна",
    "محمد",
    "Nguyễn",
];

pub(super) const LAST_NAMES: &[&str] = &[
    "Abbott",
    "O'Brien",
    "Müller",
    "Nakamura",
    "Smith",
    "García Márquez",
    "D'Angelo",
    "Weiß",
    "van der Berg",
    "Ødegård",
    "Kowalczyk",
    "Singh",
    "小林",
    "Иванова",
    "Smith-Jones",
    "St. Clair",
    "Öztürk",
    "Papadopoulos",
    "Nguyen",
    "Lee",
    "Nunes",
    "Ivarsson",
    "Haddad",
    "Brown",
];

const COMPANY_HEADS: &[&str] = &[
    "Northwind",
    "Acme",
    "Blue Harbour",
    "Granite",
    "Meridian",
    "Silverline",
    "Evergreen",
    "Apex",
    "Lakeside",
    "Pioneer",
    "Orchard",
    "Kestrel",
    "Sable",
    "Vantage",
    "Harbinger",
    "Tidewater",
    "Juniper",
    "Crescent",
    "Ironbridge",
    "Solstice",
    "Müller",
    "Łódź",
    "Québec",
    "São Paulo",
];

const COMPANY_TAILS: &[&str] = &[
    "Logistics",
    "Foods",
    "Software",
    "Holdings",
    "Energy",
    "Textiles",
    "Medical",
    "Robotics",
    "Partners",
    "Paper",
    "Optics",
    "Freight",
    "Instruments",
    "Chemicals",
    "Media",
    "Hotels",
];

const COMPANY_FORMS: &[&str] = &[
    "Inc.", "LLC", "GmbH", "S.A.", "Ltd", "AG", "& Co.", "& Sons",
];

/// Company names with quotes, wildcards, backslashes, two-byte and four-byte characters.
const ODD_COMPANIES: &[&str] = &[
    "100% Natural",
    "snake_case Systems",
    "Back\\slash Works",
    "O'Reilly's \"Quoted\" Goods",
    "Müller & Söhne",
    "株式会社東京商事",
    "🚀 Rocket Cargo",
    "Émile\u{301} Décor",
    "Tab & Co; Ltd, <b>",
    "%_\\ Wildcards",
    "NULL",
    "Ferme de l'Été",
];

pub(super) const CITIES: &[(&str, &str, &str)] = &[
    ("San Francisco", "CA", "United States"),
    ("New York", "NY", "United States"),
    ("Austin", "TX", "United States"),
    ("Chicago", "IL", "United States"),
    ("München", "BY", "Germany"),
    ("Zürich", "ZH", "Switzerland"),
    ("London", "", "United Kingdom"),
    ("São Paulo", "SP", "Brazil"),
    ("Tōkyō", "", "Japan"),
    ("Montréal", "QC", "Canada"),
    ("Sydney", "NSW", "Australia"),
    ("Kraków", "", "Poland"),
];

pub(super) const STREETS: &[&str] = &[
    "Market Street",
    "Hauptstraße",
    "High Street",
    "Rue de l'Église",
    "Mission Street\nFloor 3",
    "Harbour Road",
    "Elm Avenue",
    "5th Avenue",
    "Bahnhofstrasse",
    "Queen's Road",
];

pub(super) const TITLES: &[&str] = &[
    "CEO",
    "CFO",
    "VP, Sales",
    "Purchasing Manager",
    "Head of IT",
    "Facilities Director",
    "Engineer",
    "Office Manager",
    "Directeur général",
    "Buyer",
];

pub(super) const DEAL_WORDS: &[&str] = &[
    "Renewal",
    "Expansion",
    "Pilot",
    "Replacement",
    "Framework Contract",
    "Maintenance",
    "Upgrade 2×",
    "50% Discount Deal",
    "\"Phase II\"",
    "Rollout",
];

pub(super) const TASK_SUBJECTS: &[&str] = &[
    "Call",
    "Email",
    "Send Letter",
    "Send Quote",
    "Other",
    "Follow up",
    "Check 5% discount",
];

const WORDS: &[&str] = &[
    "asked", "for", "a", "quote", "the", "order", "was", "late", "again", "prefers", "email",
    "budget", "approved", "by", "board", "contract", "ends", "soon", "needs", "training", "in",
    "Ürümqi", "it's", "fine", "waiting", "on", "legal", "café", "meeting", "moved", "😀", "\\o/",
];

/// Makes up a company; one in thirty or so has a name that needs care.
pub(super) fn company(random: &mut Random) -> String {
    if random.percent(3) {
        return format!("{} {}", random.one(ODD_COMPANIES), random.below(1_000));
    }
    let (head, tail) = (random.one(COMPANY_HEADS), random.one(COMPANY_TAILS));
    if random.percent(40) {
        format!("{head} {tail} {}", random.one(COMPANY_FORMS))
    } else {
        format!("{head} {tail}")
    }
}

/// Writes some sentences, one in ten of them with line breaks.
pub(super) fn prose(random: &mut Random) -> String {
    let lines = if random.percent(10) { 4 } else { 1 };
    let mut text = String::with_capacity(64);
    for line in 0..lines {
        if line > 0 {
            text.push('\n');
        }
        text.push_str("Customer");
        for _ in 0..3 + random.below(9) {
            text.push(' ');
            text.push_str(random.one(WORDS));
        }
        text.push('.');
    }
    text
}

/// Makes up a telephone number in one of the ways people write them.
pub(super) fn phone(random: &mut Random) -> String {
    let (area, left, right) = (
        200 + random.below(800),
        random.below(1_000),
        random.below(10_000),
    );
    let mut number = String::with_capacity(16);
    let written = match random.below(3) {
        0 => write!(number, "({area}) {left:03}-{right:04}"),
        1 => write!(number, "+1 {area} {left:03} {right:04}"),
        _ => write!(number, "{area}.{left:03}.{right:04}"),
    };
    written.expect("writing to a string does not fail");
    number
}
