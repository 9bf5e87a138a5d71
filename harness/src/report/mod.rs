//! Reports: the terminal while a run goes on, and files made from what it concluded.
//!
//! A [`Reporter`] only listens. The files are functions from an [`Outcome`] to text, without any
//! input or output of their own; [`write()`] puts them where they were asked for.

mod html;
mod json;
mod junit;
mod markdown;
mod plot;

mod terminal;
mod timeline;
mod view;
mod workload;

use std::fs;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use crate::run::{Event, Outcome};

pub use html::html;
pub use json::json;
pub use junit::junit;
pub use markdown::markdown;
pub use terminal::Terminal;
pub use view::{Class, Exhibit, Shown, exhibits};

/// Something that tells people or programs about a run.
pub trait Reporter {
    /// Takes note of an event.
    fn event(&mut self, event: &Event);
}

/// Where reports go when no other place is named.
pub const DEFAULT_FOLDER: &str = "target/swapcheck";

/// The formats of report files.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// All data, for programs; its schema is `harness/schema/report.schema.json`.
    Json,
    /// Test results, as GitLab and GitHub tools read them.
    Junit,
    /// A summary for a pull request or a job.
    Markdown,
    /// One page with everything.
    Html,
}

impl Format {
    /// All formats.
    pub const ALL: [Format; 4] = [Format::Json, Format::Junit, Format::Markdown, Format::Html];

    fn name(self) -> &'static str {
        match self {
            Format::Json => "json",
            Format::Junit => "junit",
            Format::Markdown => "markdown",
            Format::Html => "html",
        }
    }

    fn file(self) -> &'static str {
        match self {
            Format::Json => "report.json",
            Format::Junit => "junit.xml",
            Format::Markdown => "report.md",
            Format::Html => "report.html",
        }
    }

    /// The report as text.
    ///
    /// # Errors
    /// When the data cannot be put into the format, which is a fault of swapcheck.
    pub fn render(self, outcome: &Outcome) -> Result<String, ReportError> {
        let failed = |error: String| ReportError::Render {
            format: self.name(),
            error,
        };
        match self {
            Format::Json => json(outcome).map_err(|error| failed(error.to_string())),
            Format::Junit => junit(outcome).map_err(|error| failed(error.to_string())),
            Format::Markdown => Ok(markdown(outcome)),
            Format::Html => html(outcome).map_err(|error| failed(error.to_string())),
        }
    }
}

/// A report that was asked for: `json=PATH`.
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
        let format = Format::ALL.into_iter().find(|format| format.name() == name);
        match format {
            Some(format) if !path.is_empty() => Ok(Wanted {
                format,
                path: path.into(),
            }),
            Some(format) => Err(format!(
                "write the file after it: {0}={1}",
                format.name(),
                format.file()
            )),
            None => Err(format!(
                "'{name}' is no format: write json, junit, markdown or html, then =PATH"
            )),
        }
    }
}

impl Wanted {
    /// All formats, in [`DEFAULT_FOLDER`].
    pub fn default_set() -> Vec<Wanted> {
        let wanted = |format: Format| Wanted {
            format,
            path: Path::new(DEFAULT_FOLDER).join(format.file()),
        };
        Format::ALL.into_iter().map(wanted).collect()
    }
}

/// Why a report could not be written.
#[derive(Debug, thiserror::Error)]
pub enum ReportError {
    /// The data does not fit the format.
    #[error("the {format} report cannot be made, please report it: {error}")]
    Render {
        /// The format.
        format: &'static str,
        /// What is wrong.
        error: String,
    },
    /// The file cannot be written.
    #[error("the report '{path}' cannot be written: {error}; name another file with --report")]
    Write {
        /// The file.
        path: String,
        /// What the system says.
        error: std::io::Error,
    },
}

/// Writes the reports that were asked for.
///
/// # Errors
/// At the first that cannot be made or written.
pub fn write(outcome: &Outcome, wanted: &[Wanted]) -> Result<(), ReportError> {
    for report in wanted {
        let failed = |error| ReportError::Write {
            path: report.path.display().to_string(),
            error,
        };
        let text = report.format.render(outcome)?;
        if let Some(folder) = report
            .path
            .parent()
            .filter(|folder| !folder.as_os_str().is_empty())
        {
            fs::create_dir_all(folder).map_err(failed)?;
        }
        fs::write(&report.path, text).map_err(failed)?;
    }
    Ok(())
}
