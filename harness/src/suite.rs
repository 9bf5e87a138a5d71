//! The scenarios to choose from: the suite that comes with swapcheck, and documents of one's own.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use globset::GlobBuilder;

use scenarios::{Document, ParseErrors};

use crate::run::Planned;

/// The documents of the repository: path and text.
const DOCUMENTS: &[(&str, &str)] = include!(concat!(env!("OUT_DIR"), "/documents.rs"));

/// Why scenarios could not be had. Every text says what to do next.
#[derive(Debug, thiserror::Error)]
pub enum SuiteError {
    /// Documents with mistakes, all of them.
    #[error("{}", mistakes(.0))]
    Malformed(Vec<ParseErrors>),
    /// A file that cannot be read.
    #[error(
        "the document '{path}' cannot be read: {error}; {}",
        unreadable(path, error)
    )]
    Unreadable {
        /// The file.
        path: String,
        /// What the system says.
        error: std::io::Error,
    },
    /// A folder without documents.
    #[error("the folder '{0}' holds no scenario document: a document is a Markdown file (.md)")]
    Empty(String),
    /// A document without scenarios.
    #[error(
        "the document '{0}' holds no scenario: write a level-2 heading (## …) and under it a block \
         that begins with ```redis"
    )]
    NoScenario(String),
    /// An area that no scenario is in.
    #[error("there is no area '{area}'; the areas are {}", .known.join(", "))]
    UnknownArea {
        /// The area.
        area: String,
        /// The areas there are.
        known: Vec<String>,
    },
    /// A glob that cannot be read.
    #[error("the filter '{glob}' cannot be used: {error}; write a glob such as 'locks/*'")]
    BadFilter {
        /// The glob.
        glob: String,
        /// What is wrong with it.
        error: String,
    },
    /// Filters that leave nothing.
    #[error("no scenario is left by --area and --filter; `swapcheck list` shows all ids")]
    NothingSelected,
    /// Two scenarios of one id.
    #[error("two scenarios have the id '{id}', in {one} and in {other}; rename a heading")]
    SameId {
        /// The id.
        id: String,
        /// The document of the first.
        one: String,
        /// The document of the second.
        other: String,
    },
}

/// What to do about a document that cannot be read.
fn unreadable(path: &str, error: &std::io::Error) -> &'static str {
    use std::io::ErrorKind;
    match error.kind() {
        // A word alone was meant as a subcommand most likely.
        ErrorKind::NotFound if !path.contains(['.', '/', '\\']) => {
            "it is no subcommand either: `swapcheck --help` lists them"
        }
        ErrorKind::NotFound => "check the path",
        ErrorKind::InvalidData => "a document is Markdown in UTF-8",
        _ => "check the path and its permissions",
    }
}

fn mistakes(errors: &[ParseErrors]) -> String {
    let shown: Vec<String> = errors.iter().map(ToString::to_string).collect();
    shown.join("\n")
}

/// Which scenarios to take.
#[derive(Debug, Clone, Default)]
pub struct Selection {
    /// Only these areas; all when empty.
    pub areas: Vec<String>,
    /// Only scenarios whose id one of these globs matches; all when empty.
    pub filters: Vec<String>,
    /// Documents and folders of the user's own, in place of the suite.
    pub documents: Vec<PathBuf>,
}

/// Reads and selects scenarios, in the order of their ids.
///
/// # Errors
/// When a document cannot be read or has mistakes, or the selection names what is not there.
pub fn load(selection: &Selection) -> Result<Vec<Planned>, SuiteError> {
    let documents = if selection.documents.is_empty() {
        parse(
            DOCUMENTS
                .iter()
                .map(|(path, text)| ((*path).to_owned(), (*text).to_owned())),
        )?
    } else {
        parse(own(&selection.documents)?)?
    };
    let all = planned(documents)?;
    select(all, selection)
}

/// The texts of the suite's own documents, by path.
pub fn built_in() -> impl Iterator<Item = (&'static str, &'static str)> {
    DOCUMENTS.iter().copied()
}

fn own(paths: &[PathBuf]) -> Result<Vec<(String, String)>, SuiteError> {
    let mut files = Vec::new();
    for path in paths {
        if path.is_dir() {
            let before = files.len();
            markdown(path, &mut files)?;
            if files.len() == before {
                return Err(SuiteError::Empty(path.display().to_string()));
            }
        } else {
            files.push(path.clone());
        }
    }
    files.into_iter().map(|path| read(&path)).collect()
}

fn read(path: &Path) -> Result<(String, String), SuiteError> {
    let name = path.display().to_string();
    match fs::read_to_string(path) {
        Ok(text) => Ok((name, text)),
        Err(error) => Err(SuiteError::Unreadable { path: name, error }),
    }
}

/// The Markdown files of a folder and of those below it.
fn markdown(folder: &Path, files: &mut Vec<PathBuf>) -> Result<(), SuiteError> {
    let unreadable = |error| SuiteError::Unreadable {
        path: folder.display().to_string(),
        error,
    };
    let mut paths = Vec::new();
    for entry in fs::read_dir(folder).map_err(unreadable)? {
        paths.push(entry.map_err(unreadable)?.path());
    }
    paths.sort();
    for path in paths {
        if path.is_dir() {
            markdown(&path, files)?;
        } else if path.extension().is_some_and(|extension| extension == "md") {
            files.push(path);
        }
    }
    Ok(())
}

/// All documents, or the mistakes of all.
fn parse(texts: impl IntoIterator<Item = (String, String)>) -> Result<Vec<Document>, SuiteError> {
    let (mut documents, mut errors) = (Vec::new(), Vec::new());
    for (path, text) in texts {
        match Document::parse(&path, &text) {
            Ok(document) if document.scenarios.is_empty() => {
                return Err(SuiteError::NoScenario(path));
            }
            Ok(document) => documents.push(document),
            Err(mistakes) => errors.push(mistakes),
        }
    }
    if errors.is_empty() {
        Ok(documents)
    } else {
        Err(SuiteError::Malformed(errors))
    }
}

fn planned(documents: Vec<Document>) -> Result<Vec<Planned>, SuiteError> {
    let mut all: BTreeMap<String, Planned> = BTreeMap::new();
    for document in documents {
        for scenario in document.scenarios {
            let id = scenario.id.clone();
            let planned = Planned {
                document: document.path.clone(),
                scenario,
            };
            if let Some(other) = all.insert(id.clone(), planned) {
                let one = other.document;
                return Err(SuiteError::SameId {
                    id,
                    one,
                    other: document.path,
                });
            }
        }
    }
    Ok(all.into_values().collect())
}

fn select(all: Vec<Planned>, selection: &Selection) -> Result<Vec<Planned>, SuiteError> {
    for area in &selection.areas {
        if !all.iter().any(|planned| planned.scenario.area == *area) {
            let mut known: Vec<String> = all
                .iter()
                .map(|planned| planned.scenario.area.clone())
                .collect();
            known.dedup();
            return Err(SuiteError::UnknownArea {
                area: area.clone(),
                known,
            });
        }
    }
    let mut globs = Vec::new();
    for glob in &selection.filters {
        let compiled = GlobBuilder::new(glob).case_insensitive(true).build();
        globs.push(
            compiled
                .map(|glob| glob.compile_matcher())
                .map_err(|error| SuiteError::BadFilter {
                    glob: glob.clone(),
                    error: error.kind().to_string(),
                })?,
        );
    }
    let selected: Vec<Planned> = all
        .into_iter()
        .filter(|planned| {
            let scenario = &planned.scenario;
            (selection.areas.is_empty() || selection.areas.contains(&scenario.area))
                && (globs.is_empty() || globs.iter().any(|glob| glob.is_match(&scenario.id)))
        })
        .collect();
    if selected.is_empty() {
        Err(SuiteError::NothingSelected)
    } else {
        Ok(selected)
    }
}
