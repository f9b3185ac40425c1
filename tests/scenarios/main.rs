//! The stories that every language tells, told in Rust. README.md has the format.

mod asides;
mod calls;
mod device;
mod pattern;
mod tell;

use attache_sandbox::{Request, Sandbox, Serving, UserAccess};
use device::Device;
use pattern::{Kept, filled, matches};
use serde::Deserialize;
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

/// Where the sandbox is controlled, and where the org is asked.
const CONTROL: &str = "/sandbox/";
const REST: &str = "/services/data/v67.0";

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Story {
    about: String,
    #[serde(default)]
    sandbox: Setup,
    needs: Option<Need>,
    steps: Vec<Step>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Setup {
    seed: u64,
}

impl Default for Setup {
    fn default() -> Setup {
        Setup { seed: 7 }
    }
}

#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Need {
    Encryption,
}

impl Need {
    fn is_met(self) -> bool {
        match self {
            Need::Encryption => cfg!(any(feature = "sqlcipher", feature = "sqlcipher-vendored")),
        }
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Step {
    call: Option<String>,
    control: Option<String>,
    org: Option<String>,
    on: Option<String>,
    #[serde(default)]
    with: Value,
    #[serde(default)]
    body: Value,
    gives: Option<Value>,
    fails: Option<Value>,
    #[serde(default)]
    keep: BTreeMap<String, String>,
}

/// What a step came to: an answer, or an error as data.
pub type Told = Result<Value, Value>;

/// A story being told.
struct Stage<'a> {
    sandbox: &'a Sandbox,
    user: UserAccess,
    url: &'a str,
    folder: &'a Path,
    devices: BTreeMap<String, Device>,
    kept: Kept,
}

impl Stage<'_> {
    fn step(&mut self, step: &Step) -> Result<(), String> {
        let with = filled(&step.with, &self.kept)?;
        let body = filled(&step.body, &self.kept)?;
        let told = match (&step.call, &step.control, &step.org) {
            (Some(call), None, None) if body.is_null() => self.call(call, step.on.as_deref(), with)?,
            (None, Some(target), None) => self.ask(CONTROL, target, &body)?,
            (None, None, Some(target)) => self.ask(REST, target, &body)?,
            _ => return Err("a step is one of call, control and org; only a call has `with`, only the others `body`".into()),
        };
        let answer = match (told, &step.fails) {
            (Ok(answer), None) => answer,
            (Err(error), Some(pattern)) => {
                return matches(&filled(pattern, &self.kept)?, &error, "the error");
            }
            (Ok(answer), Some(_)) => return Err(format!("it did not fail: {answer}")),
            (Err(error), None) => return Err(format!("it failed: {error}")),
        };
        if let Some(pattern) = &step.gives {
            matches(&filled(pattern, &self.kept)?, &answer, "the answer")?;
        }
        for (name, pointer) in &step.keep {
            let part = answer
                .pointer(pointer)
                .ok_or_else(|| format!("there is no {pointer} in {answer}"))?;
            self.kept.insert(name.clone(), part.clone());
        }
        Ok(())
    }

    fn call(&mut self, name: &str, on: Option<&str>, with: Value) -> Result<Told, String> {
        let device = self.devices.entry(on.unwrap_or("main").into());
        let device =
            device.or_insert_with(|| Device::new(self.folder, self.url, &self.user.access_token));
        calls::call(device, name, &with, &mut self.kept)
    }

    /// Asks the org as another program of the user's would, or the sandbox around it.
    fn ask(&self, root: &str, target: &str, body: &Value) -> Result<Told, String> {
        let target = filled(&Value::String(target.into()), &self.kept)?;
        let target = target.as_str().unwrap_or_default();
        let (method, path) = target
            .split_once(' ')
            .ok_or_else(|| format!("{target} is no method and path"))?;
        let request = Request::new(method, &format!("{root}{path}"));
        let request = match body {
            Value::Null => request,
            body => request.json(body.to_string()),
        };
        let answer = match root {
            CONTROL => self.sandbox.control(&request),
            _ => {
                let outcome = self.sandbox.handle(request.bearer(&self.user.access_token));
                let answer = outcome.answer();
                answer.ok_or("the org gave no answer: a fault met the story's own call")?
            }
        };
        Ok(match answer.status {
            200..300 => Ok(serde_json::from_slice(&answer.body).unwrap_or(Value::Null)),
            status => Err(json!({"status": status, "body": String::from_utf8_lossy(&answer.body)})),
        })
    }
}

fn tell(story: &Story) -> Result<(), String> {
    let sandbox = Sandbox::builder()
        .seed(story.sandbox.seed)
        .build()
        .map_err(|error| error.to_string())?;
    let serving = Serving::spawn(sandbox.clone(), 0).map_err(|error| error.to_string())?;
    let folder = tempfile::tempdir().map_err(|error| error.to_string())?;
    let user = sandbox.users().remove(0);
    let mut stage = Stage {
        kept: Kept::from_iter([
            ("user".to_owned(), json!(user.id)),
            ("username".to_owned(), json!(user.username)),
        ]),
        sandbox: &sandbox,
        user,
        url: serving.url(),
        folder: folder.path(),
        devices: BTreeMap::new(),
    };
    for (nr, step) in story.steps.iter().enumerate() {
        stage.step(step).map_err(|why| {
            let kind = step
                .call
                .as_ref()
                .or(step.control.as_ref())
                .or(step.org.as_ref());
            let name = kind.map_or("", String::as_str);
            format!("step {} ({name}): {why}", nr + 1)
        })?;
    }
    Ok(())
}

#[test]
fn every_story_goes_as_it_is_told() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("scenarios");
    let mut files: Vec<_> = std::fs::read_dir(folder)
        .expect("the folder of the stories")
        .map(|file| file.expect("an entry").path())
        .filter(|file| file.extension().is_some_and(|end| end == "json"))
        .collect();
    files.sort();
    let (mut told, mut passed_over, mut failures) = (0, Vec::new(), Vec::new());
    for file in &files {
        let name = file.file_stem().unwrap_or_default().to_string_lossy();
        let text = std::fs::read_to_string(file).expect("a file");
        match serde_json::from_str::<Story>(&text) {
            Err(error) => failures.push(format!("{name}: {error}")),
            Ok(story) if story.needs.is_some_and(|need| !need.is_met()) => {
                passed_over.push(name.into_owned());
            }
            Ok(story) => {
                told += 1;
                if let Err(why) = tell(&story) {
                    failures.push(format!("{name} ({}): {why}", story.about));
                }
            }
        }
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
    println!("{told} stories told, without encryption: {passed_over:?}");
    assert_eq!(told + passed_over.len(), files.len());
    assert!(told > 0, "no stories");
}

/// All kinds of errors, and all functions that README.md names.
#[test]
fn the_stories_meet_every_kind_of_error_and_every_call() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("scenarios");
    let (mut kinds, mut calls) = (BTreeSet::new(), BTreeSet::new());
    for file in std::fs::read_dir(&folder).expect("the folder of the stories") {
        let path = file.expect("an entry").path();
        if path.extension().is_none_or(|end| end != "json") {
            continue;
        }
        let text = std::fs::read_to_string(path).expect("a file");
        let story: Story = serde_json::from_str(&text).expect("a story");
        for step in story.steps {
            calls.extend(step.call);
            let fails = step.fails.unwrap_or_default();
            kinds.extend(fails["kind"].as_str().map(str::to_owned));
        }
    }
    let all: BTreeSet<_> = tell::KINDS.into_iter().map(tell::kind).collect();
    assert_eq!(kinds, all);
    let readme = std::fs::read_to_string(folder.join("README.md")).expect("the README");
    let devices = readme
        .split_once("\n## Devices\n")
        .expect("a part of the README")
        .1;
    let rows = devices.lines().filter(|line| line.starts_with("| `"));
    let named: BTreeSet<String> = rows
        .flat_map(|row| row[1..].split('|').next().unwrap_or_default().split(','))
        .map(|name| name.trim().trim_matches('`').to_owned())
        .collect();
    assert_eq!(calls, named);
}

#[test]
fn a_pattern_finds_what_differs() {
    let answer = json!({"list": [1, {"a": "some text"}], "nothing": null});
    for good in [
        json!({"list": {"$size": 2}}),
        json!({"list": [1.0, {"a": {"$has": "text"}}]}),
        json!({"list": {"$some": {"a": {"$any": true}}, "$none": 2}}),
        json!({"list": [{"$min": 1}, {"$not": {"a": "text"}}], "nothing": null}),
    ] {
        assert_eq!(matches(&good, &answer, ""), Ok(()), "{good}");
    }
    for bad in [
        json!({"list": {"$size": 3}}),
        json!({"list": [1]}),
        json!({"lists": []}),
        json!({"nothing": {"$any": true}}),
        json!({"nothing": {"$min": 0}}),
        json!({"list": {"$same": 1}}),
        json!({"list": [{"$min": 2}, {"$any": true}]}),
    ] {
        assert!(matches(&bad, &answer, "").is_err(), "{bad}");
    }
}

#[test]
fn names_stand_for_what_was_kept() {
    let kept = Kept::from_iter([("n".to_owned(), json!(7)), ("id".to_owned(), json!("001"))]);
    let given = json!(["$n", "${id}/${n}", "plain", "$id"]);
    assert_eq!(
        filled(&given, &kept),
        Ok(json!([7, "001/7", "plain", "001"]))
    );
    assert!(filled(&json!("$other"), &kept).is_err());
    assert!(filled(&json!("${n"), &kept).is_err());
}
