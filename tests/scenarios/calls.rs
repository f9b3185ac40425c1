//! The functions that stories call.

use crate::Told;
use crate::asides;
use crate::device::{Device, With, options, told};
use crate::pattern::Kept;
use crate::tell;
use attache::{
    Attache, CallBudget, CancelToken, Changeset, Keep, Limits, Pace, RecordId, Resolution, Unsent,
};
use attache_sim::wait;
use serde_json::{Value, json};
use std::fs;
use std::ops::ControlFlow;
use std::sync::{Arc, Mutex};

/// Calls a function. An error of the story itself ends it; one of the engine is an answer.
pub fn call(
    device: &mut Device,
    name: &str,
    with: &Value,
    kept: &mut Kept,
) -> Result<Told, String> {
    let mut with = With::read(with)?;
    let told = match store(device, name, &mut with)? {
        Some(told) => told,
        None => match edit(device, name, &mut with, kept)? {
            Some(told) => told,
            None => match read(device, name, &mut with)? {
                Some(told) => told,
                None => match asides::call(device, name, &mut with)? {
                    Some(told) => told,
                    None => return Err(format!("there is no call {name}")),
                },
            },
        },
    };
    with.end()?;
    Ok(told)
}

pub type Called = Result<Option<Told>, String>;

macro_rules! try_told {
    ($result:expr) => {
        match $result {
            Ok(value) => value,
            Err(error) => return Ok(Some(Err(tell::error(&error)))),
        }
    };
}

pub(crate) use try_told;

/// Stores as such, sessions, and what is kept.
fn store(device: &mut Device, name: &str, with: &mut With) -> Called {
    let nothing = |()| Value::Null;
    Ok(Some(match name {
        "open" => {
            let (file, options) = (with.optional("file")?, options(with.optional("key")?));
            let options = options.limits(Limits {
                store_bytes: with.count("store_bytes")?,
                ..Limits::default()
            });
            told(device.open(file, options), nothing)
        }
        "close" => {
            device.watches.clear();
            device.attache = None;
            Ok(Value::Null)
        }
        "wipe" => {
            let unsent = match &*with.text("unsent")? {
                "refuse" => Unsent::Refuse,
                "discard" => Unsent::Discard,
                other => return Err(format!("{other} is neither refuse nor discard")),
            };
            told(device.store()?.clone().wipe(unsent), nothing)
        }
        "write" => {
            let file = device.path(&with.text("file")?);
            fs::write(file, with.text("text")?).map_err(|error| error.to_string())?;
            Ok(Value::Null)
        }
        "inspect" => {
            let file = device.path(&with.text("file")?);
            told(
                attache::inspect_with(file, options(with.optional("key")?)),
                |seen| {
                    json!({
                        "format": seen.format, "username": seen.username, "records": tell::counts(&seen.records),
                        "unsent": seen.unsent, "conflicts": seen.conflicts, "damage": seen.damage,
                    })
                },
            )
        }
        "salvage" => {
            let (file, to) = (
                device.path(&with.text("file")?),
                device.path(&with.text("to")?),
            );
            let bytes = try_told!(attache::salvage(file));
            fs::write(to, &bytes).map_err(|error| error.to_string())?;
            Ok(json!(bytes.len()))
        }
        "export_unsent" => {
            let (to, passphrase) = (device.path(&with.text("to")?), with.optional("passphrase")?);
            let bytes = try_told!(device.store()?.export_unsent(passphrase.as_deref()));
            fs::write(to, &bytes).map_err(|error| error.to_string())?;
            Ok(json!(bytes.len()))
        }
        "import_unsent" => {
            let (from, passphrase) = (
                device.path(&with.text("from")?),
                with.optional("passphrase")?,
            );
            let bytes = fs::read(from).map_err(|error| error.to_string())?;
            told(
                device.store()?.import_unsent(&bytes, passphrase.as_deref()),
                |done| json!({"mutations": done.mutations, "already_there": done.already_there, "conflicts": done.conflicts}),
            )
        }
        "rekey" => {
            let key = with.optional("key")?.map(attache::Key::passphrase);
            told(device.store()?.rekey(key), nothing)
        }
        "set_briefcase" => {
            let briefcase = try_told!(with.briefcase()?);
            told(device.store()?.set_briefcase(briefcase), nothing)
        }
        "briefcase" => told(device.store()?.briefcase(), |briefcase| {
            briefcase.map_or(Value::Null, |briefcase| tell::parsed(&briefcase.to_json()))
        }),
        "dry_run" => {
            let briefcase = try_told!(with.briefcase()?);
            told(wait(device.store()?.dry_run(&briefcase)), |would| {
                let rules = would.rules.iter().map(|rule| {
                    json!({
                        "rule": rule.rule, "object": rule.object, "matches": rule.matches,
                        "records": rule.records, "here": rule.here,
                    })
                });
                json!({"rules": rules.collect::<Value>(), "download": would.download, "evict": would.evict})
            })
        }
        "prepare" => {
            let mut store = device.store()?.clone();
            if let Some(kind) = with.optional("token_fails")? {
                store = store.with_remote(try_told!(device.org_without_token(&kind)?));
            }
            told(wait(store.prepare()), nothing)
        }
        "sync" => return Ok(Some(sync(device, with)?)),
        "next_sync" => told(device.store()?.next_sync(&Pace::default()), |wait| {
            json!(u64::try_from(wait.as_millis()).unwrap_or(u64::MAX))
        }),
        _ => return Ok(None),
    }))
}

fn sync(device: &Device, with: &mut With) -> Result<Told, String> {
    let mut attache = device.store()?.clone();
    if let Some(token) = with.optional("token")? {
        attache = match device.org(Some(&token)) {
            Ok(org) => attache.with_remote(org),
            Err(error) => return Ok(Err(tell::error(&error))),
        };
    }
    let cancel = CancelToken::new();
    let cancel_in = with.optional("cancel_in")?;
    if cancel_in.as_deref() == Some("begin") {
        cancel.cancel();
    }
    let phases: Arc<Mutex<Vec<String>>> = Arc::default();
    let (seen, stop) = (Arc::clone(&phases), cancel.clone());
    let mut session = attache
        .sync()
        .cancel_token(cancel)
        .on_progress(move |progress| {
            let phase = tell::snake(&format!("{:?}", progress.phase));
            if cancel_in.as_ref() == Some(&phase) {
                stop.cancel();
            }
            let mut seen = seen.lock().expect("one thread tells");
            if !seen.contains(&phase) {
                seen.push(phase);
            }
        });
    session = session.budget(CallBudget {
        session_calls: with.count("session_calls")?,
        day_calls: with.count("day_calls")?,
    });
    if with.flag("metered") {
        session = session.metered();
    }
    Ok(told(wait(session), |report| {
        let mut told = tell::plain(&report);
        told["phases"] = json!(*phases.lock().expect("the session is over"));
        told
    }))
}

/// Edits, and what becomes of them.
fn edit(device: &Device, name: &str, with: &mut With, kept: &mut Kept) -> Called {
    let nothing = |()| Value::Null;
    let store = || device.store();
    Ok(Some(match name {
        "create" => {
            let (object, fields) = (with.text("object")?, with.json("fields")?.to_string());
            told(store()?.create_json(&object, &fields), tell::plain)
        }
        "update" => {
            let (id, fields) = (try_told!(with.id("id")?), with.json("fields")?.to_string());
            told(store()?.update_json(&id, &fields), nothing)
        }
        "delete" => told(store()?.delete(&try_told!(with.id("id")?)), nothing),
        "changeset" => return Ok(Some(changeset(store()?, with, kept)?)),
        "pending" => told(store()?.pending(), tell::plain),
        "undo" => told(store()?.undo(), tell::plain),
        "undo_changeset" => {
            let changeset = with.number("changeset")?.ok_or("changeset is missing")?;
            told(store()?.undo_changeset(changeset), tell::plain)
        }
        "waits_for" => told(store()?.waits_for(with.seq()?), tell::plain),
        "discard" => told(store()?.discard(with.seq()?), nothing),
        "retry" => told(store()?.retry(with.seq()?), nothing),
        "save_anyway" => told(store()?.save_anyway(with.seq()?), nothing),
        "discard_record" => told(
            store()?.discard_record(&try_told!(with.id("id")?)),
            tell::plain,
        ),
        "retry_record" => told(store()?.retry_record(&try_told!(with.id("id")?)), nothing),
        "retry_all" => told(store()?.retry_all(), tell::plain),
        "conflicts" => told(store()?.conflicts(), tell::plain),
        "resolve" => {
            let (id, resolution) = (with.conflict()?, resolution(&with.json("resolution")?)?);
            told(store()?.resolve(id, resolution), nothing)
        }
        "resolve_all" => {
            let (object, resolution) = (
                with.optional("object")?,
                resolution(&with.json("resolution")?)?,
            );
            told(
                store()?.resolve_all(object.as_deref(), &resolution),
                tell::plain,
            )
        }
        "reopen" => told(store()?.reopen(with.conflict()?), tell::plain),
        "attach" => {
            let record = try_told!(with.id("record")?);
            let (name, text) = (with.text("name")?, with.text("text")?);
            told(
                store()?.attach(&record, &name, text.as_bytes()),
                tell::plain,
            )
        }
        "fetch_file" => told(
            wait(store()?.fetch_file(&try_told!(with.id("id")?))),
            nothing,
        ),
        "evict_file" => told(store()?.evict_file(&try_told!(with.id("id")?)), nothing),
        "pin" => told(store()?.pin(&try_told!(with.id("id")?)), nothing),
        "unpin" => told(store()?.unpin(&try_told!(with.id("id")?)), nothing),
        "viewed" => told(store()?.viewed(&try_told!(with.id("id")?)), nothing),
        "fetch" => return Ok(Some(fetch(store()?, with)?)),
        _ => return Ok(None),
    }))
}

fn fetch(store: &Attache, with: &mut With) -> Result<Told, String> {
    let Value::Array(ids) = with.json("ids")? else {
        return Err("ids is not a list".into());
    };
    let ids: attache::Result<Vec<RecordId>> = ids
        .iter()
        .map(|id| RecordId::parse(id.as_str().unwrap_or_default()))
        .collect();
    Ok(told(
        ids.and_then(|ids| wait(store.fetch(&ids))),
        |answers| {
            let answers = answers.iter().map(|answer| match answer {
                Ok(record) => json!({"record": record}),
                Err(error) => json!({"error": tell::error(error)}),
            });
            answers.collect()
        },
    ))
}

fn changeset(store: &Attache, with: &mut With, kept: &mut Kept) -> Result<Told, String> {
    let Value::Array(edits) = with.json("edits")? else {
        return Err("edits is not a list".into());
    };
    let together = with.flag("all_or_none");
    let mut wrong = Ok(());
    let made = store.changeset(|changes| {
        if together {
            changes.all_or_none();
        }
        let mut made = Vec::new();
        for edit in &edits {
            match in_changeset(changes, edit, kept) {
                Ok(Ok(id)) => made.extend(id),
                Ok(Err(error)) => return Err(error),
                Err(why) => {
                    wrong = Err(why);
                    break;
                }
            }
        }
        Ok(made)
    });
    wrong?;
    Ok(told(made, tell::plain))
}

/// Makes one edit of a changeset. A create that has a name is known by it to the edits after it.
fn in_changeset(
    changes: &mut Changeset<'_>,
    edit: &Value,
    kept: &mut Kept,
) -> Result<attache::Result<Option<RecordId>>, String> {
    // Names of this changeset are put in here: the step was filled before they were known.
    let Value::Object(_) = edit else {
        return Err(format!("{edit} is no edit"));
    };
    let mut with = With::read(edit)?;
    let name = with.optional("as")?;
    let fields = with.value("fields").unwrap_or(json!({}));
    let fields = fill_own(&fields, kept).to_string();
    let done = if let Some(object) = with.optional("create")? {
        changes.create_json(&object, &fields).map(Some)
    } else if let Some(id) = with.optional("update")? {
        RecordId::parse(&id).and_then(|id| changes.update_json(&id, &fields).map(|()| None))
    } else {
        let id = with.text("delete")?;
        RecordId::parse(&id).and_then(|id| changes.delete(&id).map(|()| None))
    };
    with.end()?;
    if let (Some(name), Ok(Some(id))) = (name, &done) {
        kept.insert(name, tell::plain(id));
    }
    Ok(done)
}

/// Puts ids of this changeset in the place of `@name`.
fn fill_own(fields: &Value, kept: &Kept) -> Value {
    let own =
        |value: &Value| -> Option<Value> { kept.get(value.as_str()?.strip_prefix('@')?).cloned() };
    match fields {
        Value::Object(fields) => Value::Object(
            fields
                .iter()
                .map(|(name, value)| (name.clone(), own(value).unwrap_or_else(|| value.clone())))
                .collect(),
        ),
        other => other.clone(),
    }
}

pub fn resolution(value: &Value) -> Result<Resolution, String> {
    let keep = |value: &Value| -> Result<Keep, String> {
        match value {
            Value::String(word) if word == "mine" => Ok(Keep::Mine),
            Value::String(word) if word == "theirs" => Ok(Keep::Theirs),
            Value::String(word) if word == "later" => Ok(Keep::Later),
            Value::Object(new) if new.len() == 1 && new.contains_key("value") => {
                match &new["value"] {
                    Value::String(text) => Ok(Keep::Value(text.as_str().into())),
                    Value::Bool(flag) => Ok(Keep::Value((*flag).into())),
                    Value::Null => Ok(Keep::Value(attache::Value::Null)),
                    other => Err(format!("a story gives no {other} here")),
                }
            }
            other => Err(format!("{other} says not what to keep")),
        }
    };
    match value {
        Value::String(word) if word == "mine" => Ok(Resolution::Mine),
        Value::String(word) if word == "theirs" => Ok(Resolution::Theirs),
        Value::Object(fields) => {
            let kept: Result<Vec<(String, Keep)>, String> = fields
                .iter()
                .map(|(name, value)| Ok((name.clone(), keep(value)?)))
                .collect();
            Ok(Resolution::per_field(kept?))
        }
        other => Err(format!("{other} is no resolution")),
    }
}

/// What is read, and what may be drawn from it.
fn read(device: &mut Device, name: &str, with: &mut With) -> Called {
    Ok(Some(match name {
        "watch" => {
            let (soql, name) = (with.text("soql")?, with.text("as")?);
            let watch = try_told!(device.store()?.watch(&soql));
            device.watches.insert(name, watch);
            Ok(Value::Null)
        }
        "next" => {
            let name = with.text("watch")?;
            let watch = device.watches.get_mut(&name);
            let watch = watch.ok_or_else(|| format!("nothing is watched as {name}"))?;
            let changes = watch.try_next().transpose();
            told(changes, |changes| {
                changes.as_ref().map_or(Value::Null, tell::changes)
            })
        }
        "query" => {
            let (store, soql) = (device.store()?, with.text("soql")?);
            let rows = match try_told!(with.context(store)?) {
                Some(context) => store.query_with(&soql, &context),
                None => store.query(&soql),
            };
            told(rows, |rows| rows.map(|row| tell::row(&row)).collect())
        }
        "query_each" => {
            let (store, soql) = (device.store()?, with.text("soql")?);
            let rows_max = with.count("rows_max")?.ok_or("rows_max is missing")?;
            let context = match try_told!(with.context(store)?) {
                Some(context) => context,
                None => try_told!(store.context()),
            };
            let mut seen = Vec::new();
            let shown = store.query_each(&soql, &context, |row| {
                seen.push(tell::row(&row));
                match seen.len() as u64 == rows_max {
                    true => ControlFlow::Break(()),
                    false => ControlFlow::Continue(()),
                }
            });
            told(shown, |_| json!(seen))
        }
        "explain" => {
            let (store, soql) = (device.store()?, with.text("soql")?);
            let how = match try_told!(with.context(store)?) {
                Some(context) => store.explain_with(&soql, &context),
                None => store.explain(&soql),
            };
            told(how, tell::plain)
        }
        "search" => {
            let (words, object) = (with.text("words")?, with.optional("object")?);
            let (limit, offset) = (with.count("limit")?, with.count("offset")?);
            let mut search = device.store()?.search(&words);
            if let Some(object) = &object {
                search = search.object(object);
            }
            if let Some(limit) = limit {
                search = search.limit(usize::try_from(limit).unwrap_or(usize::MAX));
            }
            if let Some(offset) = offset {
                search = search.offset(usize::try_from(offset).unwrap_or(usize::MAX));
            }
            told(search.run(), |found| tell::found(&found))
        }
        "get" => told(device.store()?.get(&try_told!(with.id("id")?)), |record| {
            record.map_or(Value::Null, |record| tell::parsed(&record.to_json()))
        }),
        "status" => told(device.store()?.status(), |status| tell::status(&status)),
        "pins" => told(device.store()?.pins(), |pins| {
            let pins = pins.iter();
            pins.map(|pin| json!({"record": pin.record, "object": pin.object}))
                .collect()
        }),
        "recents" => told(device.store()?.recents(), |recents| {
            let recents = recents.iter();
            recents
                .map(|one| json!({"record": one.record, "object": one.object}))
                .collect()
        }),
        "why" => told(device.store()?.why(&try_told!(with.id("id")?)), |holders| {
            holders.iter().map(tell::holder).collect()
        }),
        "membership" => told(device.store()?.membership(), |rules| {
            let rules = rules.iter().map(|rule| {
                json!({"rule": rule.rule, "object": rule.object, "records": rule.records, "loaded": rule.loaded})
            });
            rules.collect()
        }),
        "files" => told(
            device.store()?.files(&try_told!(with.id("record")?)),
            tell::plain,
        ),
        "file" => told(
            device.store()?.file(&try_told!(with.id("id")?)),
            tell::plain,
        ),
        "read_file" => {
            let mut bytes = Vec::new();
            let read = device
                .store()?
                .read_file(&try_told!(with.id("id")?), &mut bytes);
            told(read, |_| json!(String::from_utf8_lossy(&bytes)))
        }
        _ => return Ok(None),
    }))
}
