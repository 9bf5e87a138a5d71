//! Report files of benchmarks: which were asked for, and putting them there.

use std::fs;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use super::html::html;
use super::log::log;
use super::markdown::markdown;
use super::outcome::Outcome;

/// Where reports go when no other place is named.
const FOLDER: &str = "target/swapcheck";

/// The formats of report files.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// All figures and histograms; the schema is `harness/schema/bench.schema.json`.
    Json,
    /// Tables, for a pull request or a job.
    Markdown,
    /// One page with charts.
    Html,
    /// Histograms alone, as HdrHistogram's tools read them.
    Log,
}

const FORMATS: [(&str, Format, &str); 4] = [
    ("json", Format::Json, "bench.json"),
    ("markdown", Format::Markdown, "bench.md"),
    ("html", Format::Html, "bench.html"),
    ("hlog", Format::Log, "bench.hlog"),
];

/// A report that was asked for: `html=FILE`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wanted {
    /// Its format.
    pub format: Format,
    /// Its file.
    pub path: PathBuf,
}

impl FromStr for Wanted {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (name, path) = text.split_once('=').unwrap_or((text, ""));
        match FORMATS.iter().find(|(known, ..)| *known == name) {
            Some((_, format, _)) if !path.is_empty() => Ok(Wanted {
                format: *format,
                path: path.into(),
            }),
            Some((name, _, file)) => Err(format!("write the file after it: {name}={file}")),
            None => Err(format!(
                "'{name}' is no format: write json, markdown, html or hlog, then =PATH"
            )),
        }
    }
}

impl Wanted {
    /// JSON, Markdown and HTML, in `target/swapcheck`.
    pub fn default_set() -> Vec<Wanted> {
        let wanted = |(_, format, file): &(&str, Format, &str)| Wanted {
            format: *format,
            path: Path::new(FOLDER).join(file),
        };
        FORMATS[..3].iter().map(wanted).collect()
    }

    /// Makes sure that it can be written, before minutes are spent.
    ///
    /// # Errors
    /// A sentence that names the file, and what to do.
    pub fn check(&self) -> Result<(), String> {
        let path = self.path.display();
        if self.path.is_dir() {
            return Err(format!("'{path}' is a folder: name a file"));
        }
        let folder = match self.path.parent() {
            Some(folder) if !folder.as_os_str().is_empty() => folder,
            _ => Path::new("."),
        };
        fs::create_dir_all(folder)
            .and_then(|()| tempfile::tempfile_in(folder))
            .map(|_| ())
            .map_err(|error| format!("'{path}' cannot be written: {error}; name another file"))
    }

    /// Writes the report.
    ///
    /// # Errors
    /// A sentence that names the file, and what to do.
    pub fn write(&self, outcome: &Outcome) -> Result<(), String> {
        let path = self.path.display();
        let fault = |error: String| {
            format!("the report '{path}' cannot be made, please report it: {error}")
        };
        let text = match self.format {
            Format::Json => outcome
                .json()
                .map_err(|error| fault(error.to_string()))?
                .into_bytes(),
            Format::Markdown => markdown(outcome).into_bytes(),
            Format::Html => html(outcome)
                .map_err(|error| fault(error.to_string()))?
                .into_bytes(),
            Format::Log => log(outcome).map_err(fault)?,
        };
        let folder = self
            .path
            .parent()
            .filter(|folder| !folder.as_os_str().is_empty());
        folder
            .map_or(Ok(()), fs::create_dir_all)
            .and_then(|()| fs::write(&self.path, text))
            .map_err(|error| format!("'{path}' cannot be written: {error}; name another file"))
    }
}
