//! Patterns of answers, and names in texts.

use serde_json::{Map, Value};

/// What was kept, by name.
pub type Kept = Map<String, Value>;

/// Puts what was kept into all texts of a step.
pub fn filled(value: &Value, kept: &Kept) -> Result<Value, String> {
    Ok(match value {
        Value::String(text) => named(text, kept)?,
        Value::Array(list) => Value::Array(
            list.iter()
                .map(|value| filled(value, kept))
                .collect::<Result<_, _>>()?,
        ),
        Value::Object(members) => Value::Object(
            members
                .iter()
                .map(|(name, value)| Ok((name.clone(), filled(value, kept)?)))
                .collect::<Result<_, String>>()?,
        ),
        other => other.clone(),
    })
}

fn named(text: &str, kept: &Kept) -> Result<Value, String> {
    let find = |name: &str| {
        kept.get(name)
            .ok_or_else(|| format!("nothing was kept as {name}"))
    };
    if let Some(name) = text.strip_prefix('$')
        && !name.starts_with('{')
    {
        return find(name).cloned();
    }
    let (mut out, mut rest) = (String::new(), text);
    while let Some((before, after)) = rest.split_once("${") {
        let (name, after) = after
            .split_once('}')
            .ok_or_else(|| format!("a name in {text} does not end"))?;
        out.push_str(before);
        match find(name)? {
            Value::String(text) => out.push_str(text),
            other => out.push_str(&other.to_string()),
        }
        rest = after;
    }
    out.push_str(rest);
    Ok(Value::String(out))
}

/// Compares an answer with its pattern, and says what differs and where.
pub fn matches(pattern: &Value, answer: &Value, at: &str) -> Result<(), String> {
    match (pattern, answer) {
        (Value::Object(members), _) if members.keys().any(|name| name.starts_with('$')) => members
            .iter()
            .try_for_each(|(name, of)| rule(name, of, answer, at)),
        (Value::Object(members), Value::Object(there)) => {
            members.iter().try_for_each(|(name, pattern)| {
                let at = format!("{at}/{name}");
                let answer = there
                    .get(name)
                    .ok_or_else(|| format!("{at} is missing in {answer}"))?;
                matches(pattern, answer, &at)
            })
        }
        (Value::Array(patterns), Value::Array(there)) if patterns.len() == there.len() => patterns
            .iter()
            .zip(there)
            .enumerate()
            .try_for_each(|(nr, (pattern, answer))| {
                matches(pattern, answer, &format!("{at}/{nr}"))
            }),
        _ if equal(pattern, answer) => Ok(()),
        _ => Err(format!("{at} is {answer}, not {pattern}")),
    }
}

fn equal(one: &Value, other: &Value) -> bool {
    match (one.as_f64(), other.as_f64()) {
        (Some(one), Some(other)) => one.total_cmp(&other).is_eq(),
        _ => one == other,
    }
}

fn rule(name: &str, of: &Value, answer: &Value, at: &str) -> Result<(), String> {
    let list = || {
        answer
            .as_array()
            .ok_or_else(|| format!("{at} is {answer}, not a list"))
    };
    let good = match name {
        "$any" => !answer.is_null(),
        "$min" => answer.as_f64() >= of.as_f64() && answer.is_number(),
        "$has" => answer
            .as_str()
            .zip(of.as_str())
            .is_some_and(|(text, part)| text.contains(part)),
        "$size" => Some(list()?.len() as u64) == of.as_u64(),
        "$some" => list()?.iter().any(|one| matches(of, one, at).is_ok()),
        "$none" => !list()?.iter().any(|one| matches(of, one, at).is_ok()),
        "$not" => matches(of, answer, at).is_err(),
        _ => return Err(format!("there is no pattern {name}")),
    };
    match good {
        true => Ok(()),
        false => Err(format!("{at} is {answer}, which does not meet {name} {of}")),
    }
}
