//! Reads a folder of JSON lines as the rows an org already has.
//!
//! `Account.jsonl` or `Account.jsonl.gz` holds one row of Account per line; `types.json` names the
//! type of each field, by object. What the schema lacks becomes a definition of its own; a field
//! that neither knows has the type of its value in the first row.

mod define;
mod row;

use crate::schema::Schema;
use crate::value::Value;
use flate2::read::MultiGzDecoder;
use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, BufRead, BufReader};
use std::path::{Path, PathBuf};

/// Why a folder could not be loaded. The text names the file, and the line and field where known.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LoadError {
    /// A file or the folder could not be read, or is not what its name says.
    #[error("cannot read {}", file.display())]
    Read {
        /// The file.
        file: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// `types.json` is not a JSON object of objects of type names.
    #[error("{}: expected the type of each field, by object", file.display())]
    Types {
        /// The file.
        file: PathBuf,
        /// Where it stopped making sense.
        source: serde_json::Error,
    },
    /// `types.json` names a type that does not exist.
    #[error(
        "{}: {object}.{field} has the type {name}, expected text, textarea, number, boolean, \
         multi, date, datetime or id", file.display()
    )]
    Type {
        /// The file.
        file: PathBuf,
        /// The object.
        object: String,
        /// The field.
        field: String,
        /// The name of the type.
        name: String,
    },
    /// A file is of an object that neither the schema nor `types.json` knows.
    #[error("{}: neither the schema nor types.json has the object {object}", file.display())]
    Object {
        /// The file.
        file: PathBuf,
        /// The object.
        object: String,
    },
    /// A line is not a JSON object.
    #[error("{} line {line}: expected a JSON object", file.display())]
    Line {
        /// The file.
        file: PathBuf,
        /// The line, from one.
        line: usize,
        /// Where in the line it stopped making sense.
        source: serde_json::Error,
    },
    /// A field of a line cannot be taken.
    #[error("{} line {line}, field {field}: {problem}", file.display())]
    Field {
        /// The file.
        file: PathBuf,
        /// The line, from one.
        line: usize,
        /// The field.
        field: String,
        /// What was expected, or is wrong.
        problem: FieldProblem,
    },
}

/// What is wrong with a field of a line.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum FieldProblem {
    /// Neither the schema nor `types.json` nor the first row has it.
    #[error("neither the schema, types.json nor the first row has it")]
    Unknown,
    /// The value is not of the field's type, which is named as a describe does.
    #[error("expected a value of type {0}")]
    Type(&'static str),
    /// The row has no id.
    #[error("expected an id")]
    Missing,
    /// The id is of another object: it should start with these characters.
    #[error("expected an id that starts with {0}")]
    Prefix(String),
    /// The prefix of a new object's ids belongs to this one already.
    #[error("ids of this form belong to {0}")]
    PrefixTaken(String),
    /// The text has more characters than the field takes.
    #[error("expected {0} characters at most")]
    Length(u32),
}

type Types = BTreeMap<String, BTreeMap<String, String>>;

/// A folder of rows whose objects and fields the schema knows.
#[derive(Debug)]
pub struct Folder {
    files: Vec<Source>,
}

#[derive(Clone, Debug)]
struct Source {
    path: PathBuf,
    object: String,
}

impl Folder {
    /// Opens a folder and adds to the schema what it lacks.
    ///
    /// A new object gets the prefix of its first id, and the system fields besides those named. On
    /// an error the schema may have some of the additions, but nothing in it is altered.
    ///
    /// # Errors
    ///
    /// If the folder or `types.json` cannot be read, or defines something that cannot be.
    pub fn open(schema: &mut Schema, dir: &Path) -> Result<Folder, LoadError> {
        let mut files = sources(dir)?;
        let types = types(&dir.join("types.json"))?;
        for source in &files {
            define::extend(schema, source, dir, &types)?;
        }
        files.sort_by_key(|source| schema.index(&source.object));
        Ok(Folder { files })
    }

    /// Reads the rows: for each the object's index in the schema and the values in field order.
    ///
    /// Calculated fields are left out, but a person's whole name without parts becomes the last
    /// name. Text loses blanks at its ends, as an org would trim it. Missing checkboxes are false,
    /// missing stamps are those of the row that are there.
    ///
    /// # Errors
    ///
    /// Each item may be an error, which names the file, line and field; none follows it.
    ///
    /// # Cost
    ///
    /// One line in memory at a time.
    pub fn rows<'a>(
        &'a self,
        schema: &'a Schema,
    ) -> impl Iterator<Item = Result<(usize, Vec<Value>), LoadError>> + 'a {
        let mut failed = false;
        self.files
            .iter()
            .flat_map(move |source| row::Reader::new(schema, source))
            .take_while(move |row| {
                let go_on = !failed;
                failed |= row.is_err();
                go_on
            })
    }
}

/// Opens a folder, adds to the schema what it lacks, and gives all rows at once.
///
/// # Errors
///
/// The first that [`Folder::open`] or [`Folder::rows`] meets.
///
/// # Examples
///
/// ```no_run
/// use attache_sandbox::{catalog, load};
///
/// let mut schema = catalog::standard();
/// let rows = load::load_dir(&mut schema, "records".as_ref())?;
/// # Ok::<(), load::LoadError>(())
/// ```
pub fn load_dir(schema: &mut Schema, dir: &Path) -> Result<Vec<(usize, Vec<Value>)>, LoadError> {
    let folder = Folder::open(schema, dir)?;
    folder.rows(schema).collect()
}

/// Finds the files of rows, in the order of their names.
fn sources(dir: &Path) -> Result<Vec<Source>, LoadError> {
    let fail = |source| LoadError::Read {
        file: dir.to_owned(),
        source,
    };
    let mut files = Vec::new();
    for entry in dir.read_dir().map_err(fail)? {
        let path = entry.map_err(fail)?.path();
        let name = path
            .file_name()
            .and_then(|name| name.to_str())
            .unwrap_or_default();
        let stem = name
            .strip_suffix(".gz")
            .unwrap_or(name)
            .strip_suffix(".jsonl");
        if let Some(object) = stem.map(str::to_owned) {
            files.push(Source { path, object });
        }
    }
    files.sort_by(|a, b| a.path.cmp(&b.path));
    Ok(files)
}

/// Reads `types.json`; a folder without one defines nothing.
fn types(file: &Path) -> Result<Types, LoadError> {
    let text = match std::fs::read(file) {
        Ok(text) => text,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Types::new()),
        Err(source) => {
            return Err(LoadError::Read {
                file: file.to_owned(),
                source,
            });
        }
    };
    serde_json::from_slice(&text).map_err(|source| LoadError::Types {
        file: file.to_owned(),
        source,
    })
}

impl Source {
    fn lines(&self) -> Result<Box<dyn BufRead>, LoadError> {
        let file = File::open(&self.path).map_err(|source| self.unreadable(source))?;
        Ok(match self.path.extension() {
            Some(gz) if gz == "gz" => Box::new(BufReader::new(MultiGzDecoder::new(file))),
            _ => Box::new(BufReader::new(file)),
        })
    }

    fn unreadable(&self, source: io::Error) -> LoadError {
        LoadError::Read {
            file: self.path.clone(),
            source,
        }
    }

    fn bad_line(&self, line: usize, source: serde_json::Error) -> LoadError {
        LoadError::Line {
            file: self.path.clone(),
            line,
            source,
        }
    }

    fn bad_field(&self, line: usize, field: &str, problem: FieldProblem) -> LoadError {
        LoadError::Field {
            file: self.path.clone(),
            line,
            field: field.to_owned(),
            problem,
        }
    }
}
