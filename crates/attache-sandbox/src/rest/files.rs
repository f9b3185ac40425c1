//! Files on the wire: the bytes of a version, and versions that come with their bytes as a form of two parts.

use super::{Call, failure::Failure, machine::Machine, message::Response, rows};
use crate::json::{self, Fields};
use memchr::memmem;

/// The part of a form that holds the fields; the other one holds the bytes.
const FIELDS_PART: &str = "entity_content";
/// The part that holds the bytes of a version.
const BODY_PART: &str = "VersionData";
/// Parts of a form at most.
const PARTS_MAX: usize = 16;

/// One part of a form.
struct Part<'a> {
    name: String,
    body: &'a [u8],
}

/// `/sobjects/ContentVersion/<id>/VersionData`: the bytes, or a stretch of them.
pub(super) fn body(machine: &mut Machine, call: &Call<'_>, id: &str) -> Result<Response, Failure> {
    call.only("HEAD,GET")?;
    let body = machine
        .org
        .file_body(call.actor, id)
        .ok_or_else(Failure::not_found)?;
    let answer = |status, bytes: &[u8]| {
        Response {
            status,
            headers: Vec::new(),
            body: bytes.to_vec(),
        }
        .with("Content-Type", "application/octetstream")
    };
    let range = call
        .header("Range")
        .filter(|_| machine.switches.serves_ranges);
    let Some(range) = range.and_then(|text| Range::parse(text, body.len())) else {
        return Ok(answer(200, &body));
    };
    let Some((from, to)) = range.within(body.len()) else {
        return Ok(Response::empty(416).with("Content-Range", format!("bytes */{}", body.len())));
    };
    let place = format!("bytes {from}-{}/{}", to - 1, body.len());
    Ok(answer(206, &body[from..to]).with("Content-Range", place))
}

/// A stretch of bytes as asked for.
struct Range {
    from: usize,
    /// Exclusive.
    to: usize,
}

impl Range {
    /// Reads `bytes=0-99`, `bytes=100-` and `bytes=-5`. What is no single range of bytes is not looked at.
    fn parse(text: &str, length: usize) -> Option<Range> {
        let (from, to) = text.trim().strip_prefix("bytes=")?.split_once('-')?;
        let number = |text: &str| text.trim().parse::<usize>();
        match (from.trim(), to.trim()) {
            ("", last) => {
                let last = number(last).ok()?;
                let from = if last == 0 {
                    length
                } else {
                    length.saturating_sub(last)
                };
                Some(Range { from, to: length })
            }
            (from, "") => Some(Range {
                from: number(from).ok()?,
                to: length,
            }),
            (from, to) => {
                let (from, to) = (number(from).ok()?, number(to).ok()?);
                (from <= to).then(|| Range {
                    from,
                    to: to.saturating_add(1),
                })
            }
        }
    }

    fn within(&self, length: usize) -> Option<(usize, usize)> {
        (self.from < length).then(|| (self.from, self.to.min(length)))
    }
}

/// Says whether a call's body is a form of parts.
pub(super) fn is_form(call: &Call<'_>) -> bool {
    boundary(call).is_some()
}

/// `POST /sobjects/ContentVersion` with a form: part one is JSON, part two the bytes.
pub(super) fn upload(machine: &mut Machine, call: &Call<'_>) -> Result<Response, Failure> {
    let boundary = boundary(call).ok_or_else(|| malformed("it names no boundary"))?;
    let parts = parts(call.body, &boundary)?;
    let part = |name: &str| {
        let found = parts
            .iter()
            .find(|part| part.name.eq_ignore_ascii_case(name));
        found.ok_or_else(|| malformed(&format!("the part {name} is missing")))
    };
    let fields = part(FIELDS_PART)?.body;
    if json::is_deeper_than(super::DEPTH_MAX, fields) {
        return Err(malformed("its fields stand inside each other too deep"));
    }
    let mut fields: Fields = serde_json::from_slice(fields).map_err(Failure::malformed)?;
    fields.take("attributes");
    let body = part(BODY_PART)?.body.to_vec();
    let id = machine
        .org
        .create_file(call.actor, &fields.0, body)
        .map_err(Failure::of_save)?;
    machine.touch(call, &id);
    let place = rows::location(call, "ContentVersion", &id);
    Ok(rows::created(&id).with("Location", place))
}

fn malformed(why: &str) -> Failure {
    Failure::new(
        400,
        "INVALID_MULTIPART_REQUEST",
        format!("The form cannot be read: {why}"),
    )
}

/// Finds the boundary in `multipart/form-data; boundary="x"`.
fn boundary(call: &Call<'_>) -> Option<String> {
    let kind = call.header("Content-Type")?;
    let mut parts = kind.split(';').map(str::trim);
    if !parts.next()?.eq_ignore_ascii_case("multipart/form-data") {
        return None;
    }
    let named = parts.find_map(|part| {
        let (name, value) = part.split_once('=')?;
        name.trim()
            .eq_ignore_ascii_case("boundary")
            .then(|| value.trim().trim_matches('"').to_owned())
    })?;
    (1..=70).contains(&named.len()).then_some(named)
}

/// Takes a form apart (RFC 2046, §5.1.1).
fn parts<'a>(form: &'a [u8], boundary: &str) -> Result<Vec<Part<'a>>, Failure> {
    let first = format!("--{boundary}");
    let next = format!("\r\n--{boundary}");
    let finder = memmem::Finder::new(&next);
    let start = match form.starts_with(first.as_bytes()) {
        true => first.len(),
        // What stands before the first boundary means nothing.
        false => {
            finder
                .find(form)
                .ok_or_else(|| malformed("it has no parts"))?
                + next.len()
        }
    };
    let mut rest = &form[start..];
    let mut parts = Vec::new();
    while !rest.starts_with(b"--") {
        let inner = rest
            .strip_prefix(b"\r\n")
            .ok_or_else(|| malformed("a boundary does not end its line"))?;
        let end = finder
            .find(inner)
            .ok_or_else(|| malformed("it ends within a part"))?;
        if parts.len() == PARTS_MAX {
            return Err(malformed("it has too many parts"));
        }
        parts.push(part(&inner[..end])?);
        rest = &inner[end + next.len()..];
    }
    Ok(parts)
}

fn part(part: &[u8]) -> Result<Part<'_>, Failure> {
    let at = memmem::find(part, b"\r\n\r\n").ok_or_else(|| malformed("a part has no headers"))?;
    let head = std::str::from_utf8(&part[..at]).map_err(|_| malformed("a header is not UTF-8"))?;
    let name = head.lines().find_map(|line| {
        let (header, value) = line.split_once(':')?;
        if !header.trim().eq_ignore_ascii_case("Content-Disposition") {
            return None;
        }
        value.split(';').find_map(|word| {
            let (key, value) = word.trim().split_once('=')?;
            key.eq_ignore_ascii_case("name")
                .then(|| value.trim_matches('"').to_owned())
        })
    });
    Ok(Part {
        name: name.ok_or_else(|| malformed("a part has no name"))?,
        body: &part[at + 4..],
    })
}
