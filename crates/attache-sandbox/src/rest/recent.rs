//! What a user looked at or changed last.

use super::{Call, failure::Failure, machine::Machine, message::Response};

/// Rows answered at once.
const ROWS_MAX: usize = 200;

impl Machine {
    /// Notes that the caller read or wrote a row, unless the call asks not to.
    pub(super) fn touch(&mut self, call: &Call<'_>, id: &str) {
        let declined = call.header("Sforce-Mru").is_some_and(|value| {
            value
                .replace(' ', "")
                .eq_ignore_ascii_case("updateMru=false")
        });
        if declined || !self.switches.touches_recents {
            return;
        }
        self.org.look(call.actor, id);
    }
}

/// `GET /recent`
pub(super) fn recent(machine: &Machine, call: &Call<'_>) -> Result<Response, Failure> {
    call.only("HEAD,GET")?;
    let limit = match call.parameter("limit").map(str::parse::<usize>) {
        None => ROWS_MAX,
        Some(Ok(limit @ 1..=ROWS_MAX)) => limit,
        Some(_) => {
            return Err(Failure::parameter(format!(
                "limit must be a number between 1 and {ROWS_MAX}"
            )));
        }
    };
    Ok(Response::json(200, list(machine, call, None, limit)))
}

/// Prints the rows of one object as `recentItems` has them.
pub(super) fn of_object(machine: &Machine, call: &Call<'_>, object: &str) -> String {
    list(machine, call, Some(object), ROWS_MAX)
}

/// Prints the rows that the caller may still see.
fn list(machine: &Machine, call: &Call<'_>, only: Option<&str>, limit: usize) -> String {
    let shown: Vec<String> = machine
        .org
        .recents(call.actor)
        .filter(|(object, _)| only.is_none_or(|only| only.eq_ignore_ascii_case(object)))
        .filter_map(|(object, id)| {
            let definition = machine.org.schema().object(object)?;
            let name = definition
                .fields
                .iter()
                .find(|field| field.name_field)
                .map(|field| field.name.as_str());
            let fields: Vec<&str> = ["Id"].into_iter().chain(name).collect();
            machine
                .org
                .row_json(call.actor, object, id, Some(&fields), call.version)
                .ok()
                .flatten()
        })
        .take(limit)
        .collect();
    format!("[{}]", shown.join(","))
}
