//! A `.briefcaseDefinition` of Briefcase Builder, as the Metadata API has it.

use super::{BriefcaseImport, Notes, cannot_read, check_size, finish, order_by};
use crate::briefcase::Briefcase;
use crate::briefcase::document::{
    DEPTH_MAX, Document, RelatedPath, RelatedRule, Scope, TopRule, Written,
};
use crate::error::{Error, Result};
use crate::filter::Filter;
use crate::filter::row::{Row, RowValue};
use roxmltree::Node;

/// What the org puts for the id of whoever asks.
const USER_ID: &str = "$User.Id";

impl Briefcase {
    /// Makes a briefcase of a `.briefcaseDefinition` of Briefcase Builder: the XML that the Metadata API deploys.
    ///
    /// The file does not say of which types its fields are. Values are taken for dates,
    /// numbers or checkboxes where they look like them, and the notes name each.
    ///
    /// # Errors
    /// [`InvalidArgument`](crate::ErrorKind::InvalidArgument) for what is no such file. Document types and
    /// entities of its own are refused, as nobody needs them and they can grow without bound.
    ///
    /// # Examples
    /// ```
    /// use attache::Briefcase;
    ///
    /// let import = Briefcase::from_briefcase_definition(r#"<?xml version="1.0" encoding="UTF-8"?>
    /// <BriefcaseDefinition xmlns="http://soap.sforce.com/2006/04/metadata">
    ///   <masterLabel>Open Work</masterLabel>
    ///   <isActive>true</isActive>
    ///   <briefcaseRules>
    ///     <targetEntity>WorkOrder</targetEntity>
    ///     <queryScope>Mine</queryScope>
    ///     <filterLogic>1</filterLogic>
    ///     <briefcaseRuleFilters>
    ///       <filterOperator>n</filterOperator><filterSeqNumber>1</filterSeqNumber><filterValue></filterValue>
    ///       <targetEntityField>AccountId</targetEntityField>
    ///     </briefcaseRuleFilters>
    ///     <relatedRules>
    ///       <targetEntity>WorkOrderLineItem</targetEntity>
    ///       <relationshipType>ParentToChild</relationshipType><relationshipField>WorkOrderId</relationshipField>
    ///     </relatedRules>
    ///   </briefcaseRules>
    /// </BriefcaseDefinition>"#)?;
    /// assert_eq!(import.briefcase.name(), Some("Open Work"));
    /// assert_eq!(import.briefcase.objects().collect::<Vec<_>>(), ["WorkOrder", "WorkOrderLineItem"]);
    /// assert!(import.notes.is_empty());
    /// # Ok::<(), attache::Error>(())
    /// ```
    ///
    /// # Source
    /// BriefcaseDefinition in the Metadata API Developer Guide.
    pub fn from_briefcase_definition(xml: &str) -> Result<BriefcaseImport> {
        const WHAT: &str = "briefcase definition";
        check_size(xml, WHAT)?;
        // Document types are refused unless asked for, so nothing can expand.
        let tree = roxmltree::Document::parse(xml).map_err(|error| cannot_read(WHAT, error))?;
        let root = tree.root_element();
        if root.tag_name().name() != "BriefcaseDefinition" {
            return Err(cannot_read(WHAT, "its root is no BriefcaseDefinition"));
        }
        let mut reader = Reader::default();
        if text(root, "isActive").as_deref() == Some("false") {
            reader.notes.add("the definition is not active in the org; the briefcase is used as soon as it is set");
        }
        let rules = children(root, "briefcaseRules").filter_map(|rule| reader.top(rule));
        let document = Document {
            rules: rules.collect(),
            name: text(root, "masterLabel"),
            description: text(root, "description"),
            ..Document::default()
        };
        finish(document, reader.notes)
    }
}

fn children<'a>(node: Node<'a, 'a>, name: &'static str) -> impl Iterator<Item = Node<'a, 'a>> {
    node.children()
        .filter(move |child| child.tag_name().name() == name)
}

/// The text of a child element that is there and not empty.
fn text(node: Node<'_, '_>, name: &str) -> Option<String> {
    let child = node
        .children()
        .find(|child| child.tag_name().name() == name)?;
    let text: String = child.children().filter_map(|part| part.text()).collect();
    Some(text.trim().to_owned()).filter(|text| !text.is_empty())
}

/// What the filters of a rule say.
struct Filters {
    filter: Option<Written>,
    /// A field that must hold the user, which a scope says here.
    mine: Option<String>,
}

#[derive(Default)]
struct Reader {
    notes: Notes,
    names: Vec<String>,
}

impl Reader {
    /// A name that no rule has yet: the definition has none.
    fn name(&mut self, object: &str) -> String {
        let same = self.names.iter().filter(|name| *name == object).count();
        self.names.push(object.to_owned());
        match same {
            0 => object.to_owned(),
            more => format!("{object} ({})", more + 1),
        }
    }

    fn top(&mut self, node: Node<'_, '_>) -> Option<TopRule> {
        let object = self.object(node)?;
        let name = self.name(&object);
        let filters = self.filters(node, &name)?;
        let scope = text(node, "queryScope").unwrap_or_default();
        let scope = match scope.to_ascii_lowercase().as_str() {
            "" | "everything" => match filters.mine {
                Some(field) => Scope::Mine { field },
                None => Scope::Everything,
            },
            "mine" if filters.mine.is_none() => Scope::Mine {
                field: "OwnerId".to_owned(),
            },
            "assignedtome" if filters.mine.is_none() && object == "ServiceAppointment" => {
                return Some(self.assigned(node, name, filters.filter));
            }
            _ => {
                self.notes.add(format!("the rule {name:?} is left out: its scope {scope:?} together with its filters has no counterpart"));
                return None;
            }
        };
        let mut rule = TopRule {
            name: Some(name.clone()),
            object,
            scope,
            filter: filters.filter,
            limit: text(node, "recordLimit")
                .and_then(|limit| limit.parse().ok())
                .filter(|limit| *limit > 0),
            ..TopRule::default()
        };
        if let Some(field) = text(node, "orderBy") {
            let falls = text(node, "isAscendingOrder").as_deref() == Some("false");
            let order = format!("{field}{}", if falls { " DESC" } else { "" });
            order_by(&mut rule, &order, &name, &mut self.notes);
        }
        rule.related = self.related(node, &name, 1);
        Some(rule)
    }

    /// Appointments that somebody is assigned to, said with the objects that assign them.
    fn assigned(&mut self, node: Node<'_, '_>, name: String, filter: Option<Written>) -> TopRule {
        self.cannot_cut(node, &name);
        let appointments = RelatedRule {
            path: RelatedPath::Parents {
                field: "ServiceAppointmentId".to_owned(),
                objects: vec!["ServiceAppointment".to_owned()],
            },
            optional: false,
            filter,
            related: self.related(node, &name, 3),
        };
        let assigned = RelatedRule {
            path: RelatedPath::Children {
                object: "AssignedResource".to_owned(),
                field: "ServiceResourceId".to_owned(),
            },
            optional: false,
            filter: None,
            related: vec![appointments],
        };
        TopRule {
            name: Some(name),
            object: "ServiceResource".to_owned(),
            scope: Scope::Mine {
                field: "RelatedRecordId".to_owned(),
            },
            related: vec![assigned],
            ..TopRule::default()
        }
    }

    /// The object of a rule, unless its records are none that can be edited.
    fn object(&mut self, node: Node<'_, '_>) -> Option<String> {
        let Some(object) = text(node, "targetEntity") else {
            self.notes.add("a rule without a targetEntity is left out");
            return None;
        };
        let files = ["ContentDocumentLink", "ContentDocument", "ContentVersion"];
        if text(node, "isRelatedFilesRule").as_deref() == Some("true")
            || files.contains(&object.as_str())
        {
            self.notes.add(format!(
                "the rule for {object} is left out: files are not carried"
            ));
            return None;
        }
        if object.ends_with("__mdt") {
            self.notes.add(format!(
                "the rule for {object} is left out: custom metadata is no record"
            ));
            return None;
        }
        Some(object)
    }

    fn related(&mut self, node: Node<'_, '_>, above: &str, depth: usize) -> Vec<RelatedRule> {
        let found: Vec<Node<'_, '_>> = children(node, "relatedRules").collect();
        if depth > DEPTH_MAX && !found.is_empty() {
            self.notes.add(format!(
                "related rules below {above:?} are left out: they hang deeper than {DEPTH_MAX}"
            ));
            return Vec::new();
        }
        found
            .into_iter()
            .filter_map(|rule| self.related_rule(rule, above, depth))
            .collect()
    }

    fn related_rule(
        &mut self,
        node: Node<'_, '_>,
        above: &str,
        depth: usize,
    ) -> Option<RelatedRule> {
        let object = self.object(node)?;
        let name = format!("{above} > {object}");
        let field = text(node, "relationshipField");
        let path = match (text(node, "relationshipType").as_deref(), field) {
            (Some("ParentToChild"), Some(field)) => RelatedPath::Children { object, field },
            (Some("ChildToParent"), Some(field)) => RelatedPath::Parents {
                field,
                objects: vec![object],
            },
            _ => {
                self.notes.add(format!(
                    "the rule {name:?} is left out: it does not say how it is related"
                ));
                return None;
            }
        };
        let filters = self.filters(node, &name)?;
        let scope =
            text(node, "queryScope").filter(|scope| !scope.eq_ignore_ascii_case("everything"));
        if scope.is_some() || filters.mine.is_some() {
            self.notes.add(format!("the rule {name:?} is left out: a related rule has no scope, and does not know the user"));
            return None;
        }
        self.cannot_cut(node, &name);
        Some(RelatedRule {
            path,
            optional: false,
            filter: filters.filter,
            related: self.related(node, &name, depth + 1),
        })
    }

    fn cannot_cut(&mut self, node: Node<'_, '_>, name: &str) {
        if text(node, "recordLimit").is_some() || text(node, "orderBy").is_some() {
            self.notes.add(format!("{name:?}: the limit and the order are left out: a related rule takes all that is related"));
        }
    }

    /// The filters of a rule; `None` if they cannot be carried over, which is noted.
    fn filters(&mut self, node: Node<'_, '_>, name: &str) -> Option<Filters> {
        match self.read_filters(node, name) {
            Ok(filters) => Some(filters),
            Err(error) => {
                self.notes.add(format!(
                    "the rule {name:?} is left out: its filters cannot be carried over: {error}"
                ));
                None
            }
        }
    }

    fn read_filters(&mut self, node: Node<'_, '_>, name: &str) -> Result<Filters> {
        let mut rows: Vec<(usize, Node<'_, '_>)> = children(node, "briefcaseRuleFilters")
            .map(|row| (number(row), row))
            .collect();
        rows.sort_by_key(|(nr, _)| *nr);
        if rows.iter().zip(1..).any(|((nr, _), wanted)| *nr != wanted) {
            return Err(Error::invalid("its filters are not numbered from 1"));
        }
        let logic = text(node, "filterLogic").unwrap_or_default();
        let holds_user = |row: &Node<'_, '_>| text(*row, "filterValue").as_deref() == Some(USER_ID);
        let (user, rows): (Vec<_>, Vec<_>) = rows.into_iter().partition(|(_, row)| holds_user(row));
        let mine = match user.as_slice() {
            [] => None,
            [(_, one)]
                if is_all(&logic) && text(*one, "filterOperator").as_deref() == Some("e") =>
            {
                text(*one, "targetEntityField")
            }
            _ => {
                return Err(Error::invalid(
                    "the user is compared in a way that no scope says",
                ));
            }
        };
        let filters: Result<Vec<Filter>> = rows
            .iter()
            .map(|(nr, row)| self.row(*row, *nr, name))
            .collect();
        let filters = filters?;
        if filters.is_empty() {
            return Ok(Filters { filter: None, mine });
        }
        let filter = Filter::from_rows(&filters, if mine.is_some() { "" } else { &logic })?;
        Ok(Filters {
            filter: Some(Written {
                filter,
                as_rows: true,
            }),
            mine,
        })
    }

    fn row(&mut self, row: Node<'_, '_>, nr: usize, name: &str) -> Result<Filter> {
        let missing = || Error::invalid("a filter has no field or no operator");
        let field = text(row, "targetEntityField").ok_or_else(missing)?;
        let operator = text(row, "filterOperator").ok_or_else(missing)?;
        let value = text(row, "filterValue");
        let (op, value) = match (operator.as_str(), value) {
            ("e", None) => ("=", RowValue::Null),
            ("n", None) => ("!=", RowValue::Null),
            ("s", Some(text)) => ("starts with", RowValue::Text(text)),
            ("d", Some(text)) => ("like", RowValue::Text(format!("%{}", escaped(&text)))),
            ("i", Some(text)) => ("like", RowValue::Text(text)),
            (operator, Some(text)) => {
                let op = match operator {
                    "e" => "=",
                    "n" => "!=",
                    "g" => ">",
                    "h" => ">=",
                    "l" => "<",
                    "m" => "<=",
                    other => return Err(Error::invalid(format!("unknown operator {other:?}"))),
                };
                (op, self.guess(text, &field, nr, name))
            }
            (operator, None) => {
                return Err(Error::invalid(format!(
                    "the operator {operator:?} has no value"
                )));
            }
        };
        let row = Row {
            field,
            op: op.to_owned(),
            value,
        };
        row.filter().map_err(|(_, error)| error)
    }

    /// Takes a value for what it looks like, and says so.
    fn guess(&mut self, text: String, field: &str, nr: usize, name: &str) -> RowValue {
        let literal = RowValue::Literal(text.clone());
        let is_literal = Row {
            field: field.to_owned(),
            op: "=".to_owned(),
            value: literal.clone(),
        };
        let (what, value) = match text.as_str() {
            "true" | "false" => ("a checkbox", RowValue::Boolean(text == "true")),
            // A date literal is in capitals, and a currency's amount looks like many product codes.
            _ if is_literal.filter().is_ok() && is_date(&text) => ("a date", literal),
            _ if is_number(&text) => ("a number", RowValue::Number(text)),
            _ => return RowValue::Text(text),
        };
        self.notes.add(format!(
            "the rule {name:?}, filter {nr}: the value was taken for {what}; if {field} is a text, write the value in quotes"
        ));
        value
    }
}

fn number(row: Node<'_, '_>) -> usize {
    text(row, "filterSeqNumber")
        .and_then(|nr| nr.parse().ok())
        .unwrap_or(0)
}

/// Says whether a logic line joins all rows by AND.
fn is_all(logic: &str) -> bool {
    let upper = logic.to_ascii_uppercase();
    !upper.contains("OR") && !upper.contains("NOT")
}

fn is_number(text: &str) -> bool {
    let row = Row {
        field: "F".to_owned(),
        op: "=".to_owned(),
        value: RowValue::Number(text.to_owned()),
    };
    // Digits behind a leading nought are a code, and would be changed by being a number.
    let code = text.len() > 1 && text.starts_with('0') && !text.starts_with("0.");
    !code && row.filter().is_ok()
}

fn is_date(text: &str) -> bool {
    let is_literal = text
        .bytes()
        .all(|b| b.is_ascii_uppercase() || b.is_ascii_digit() || matches!(b, b'_' | b':'));
    let is_word = is_literal && text.starts_with(|c: char| c.is_ascii_uppercase());
    let is_money = text.len() > 3 && text[3..].bytes().all(|b| b.is_ascii_digit());
    (is_word && !is_money) || text.as_bytes().get(4) == Some(&b'-')
}

fn escaped(text: &str) -> String {
    text.replace('\\', "\\\\")
        .replace('%', "\\%")
        .replace('_', "\\_")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn import(rules: &str) -> BriefcaseImport {
        let xml = format!(
            r#"<BriefcaseDefinition xmlns="http://soap.sforce.com/2006/04/metadata"><masterLabel>A &amp; B</masterLabel><isActive>true</isActive>{rules}</BriefcaseDefinition>"#
        );
        Briefcase::from_briefcase_definition(&xml)
            .unwrap_or_else(|e| panic!("{e}: {:?}", e.problems()))
    }

    fn filter(nr: u32, field: &str, operator: &str, value: &str) -> String {
        format!(
            "<briefcaseRuleFilters><filterOperator>{operator}</filterOperator><filterSeqNumber>{nr}</filterSeqNumber><filterValue>{value}</filterValue><targetEntityField>{field}</targetEntityField></briefcaseRuleFilters>"
        )
    }

    fn rule(object: &str, members: &str) -> String {
        format!("<briefcaseRules><targetEntity>{object}</targetEntity>{members}</briefcaseRules>")
    }

    fn soql(import: &BriefcaseImport) -> Vec<String> {
        let rules = import.briefcase.rules().into_iter();
        rules
            .map(|rule| {
                rule.filter
                    .map_or_else(String::new, |filter| filter.to_string())
            })
            .collect()
    }

    #[test]
    fn filters_keep_their_numbers_and_values_their_look() {
        let filters = [
            filter(2, "Amount", "h", "1000"),
            filter(1, "CloseDate", "m", "NEXT_N_DAYS:90"),
            filter(3, "IsWon", "e", "true"),
            filter(4, "Zip__c", "e", "01234"),
            filter(5, "Code__c", "e", "ABC123"),
            filter(6, "Name", "d", "50%"),
            filter(7, "Name", "s", "O'N"),
            filter(8, "AccountId", "e", ""),
        ];
        let logic = "<filterLogic>1 AND 2 AND 3 AND (4 OR 5 OR 6 OR 7) AND 8</filterLogic>";
        let import = import(&rule(
            "Opportunity",
            &format!("{logic}{}", filters.concat()),
        ));
        assert_eq!(import.briefcase.name(), Some("A & B"));
        assert_eq!(
            soql(&import),
            [
                "CloseDate <= NEXT_N_DAYS:90 AND Amount >= 1000 AND IsWon = true AND (Zip__c = '01234' OR Code__c = 'ABC123' OR Name LIKE '%50\\%' OR Name LIKE 'O\\'N%') AND AccountId = null"
            ]
        );
        assert_eq!(import.notes.len(), 3, "{:?}", import.notes);
    }

    #[test]
    fn the_user_is_a_scope() {
        let by = filter(1, "CreatedById", "e", USER_ID) + &filter(2, "Name", "e", "x");
        let one = import(&rule(
            "Case",
            &format!("<filterLogic>1 AND 2</filterLogic>{by}"),
        ));
        assert!(one.briefcase.to_json().contains(r#""mine": "CreatedById""#));
        assert_eq!(soql(&one), ["Name = 'x'"]);
        let other = import(&rule(
            "Case",
            &format!("<filterLogic>1 OR 2</filterLogic>{by}"),
        ));
        assert_eq!(other.briefcase.objects().count(), 0);
        assert_eq!(other.notes.len(), 1);
    }

    #[test]
    fn assigned_appointments_are_found_through_their_assignment() {
        let related = "<relatedRules><targetEntity>WorkOrder</targetEntity><relationshipType>ChildToParent</relationshipType><relationshipField>ParentRecordId</relationshipField></relatedRules>";
        let import = import(&rule(
            "ServiceAppointment",
            &format!("<queryScope>AssignedToMe</queryScope><recordLimit>50</recordLimit>{related}"),
        ));
        let objects: Vec<String> = import
            .briefcase
            .rules()
            .into_iter()
            .filter_map(|rule| rule.object)
            .collect();
        assert_eq!(
            objects,
            [
                "ServiceResource",
                "AssignedResource",
                "ServiceAppointment",
                "WorkOrder"
            ]
        );
        assert_eq!(import.notes.len(), 1, "{:?}", import.notes);
    }

    #[test]
    fn what_is_left_out_is_told() {
        let files = "<relatedRules><targetEntity>ContentDocumentLink</targetEntity><isRelatedFilesRule>true</isRelatedFilesRule></relatedRules>";
        let rules = [
            rule("WorkOrder", &format!("<orderBy>Name</orderBy>{files}")),
            rule("Rates__mdt", ""),
            rule("Lead", &filter(3, "Name", "e", "x")),
            rule("Lead", &filter(1, "Name", "z", "x")),
            rule("Lead", "<queryScope>Team</queryScope>"),
            rule(
                "Lead",
                "<recordLimit>5</recordLimit><orderBy>Name</orderBy><isAscendingOrder>false</isAscendingOrder>",
            ),
        ];
        let import = import(&rules.concat());
        assert_eq!(import.notes.len(), 6, "{:#?}", import.notes);
        let printed = import.briefcase.to_json();
        assert!(printed.contains(r#""order_by": "Name DESC""#), "{printed}");
    }

    #[test]
    fn entities_that_expand_are_refused() {
        let bomb = r#"<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">]><BriefcaseDefinition><masterLabel>&b;</masterLabel></BriefcaseDefinition>"#;
        assert!(Briefcase::from_briefcase_definition(bomb).is_err());
        assert!(Briefcase::from_briefcase_definition("<Package/>").is_err());
        assert!(Briefcase::from_briefcase_definition("").is_err());
        let deep = format!("{}{}", "<a>".repeat(500_000), "</a>".repeat(500_000));
        assert!(Briefcase::from_briefcase_definition(&deep).is_err());
    }
}
