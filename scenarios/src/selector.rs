//! Which scenarios of a suite to run: by area, and by a glob on the id.

use globset::{Glob, GlobBuilder, GlobMatcher};

use crate::document::{Document, Scenario};

/// Selects scenarios. The default selects all.
#[derive(Debug, Clone, Default)]
pub struct Selector {
    areas: Vec<String>,
    filters: Vec<GlobMatcher>,
}

/// A selection that cannot be made.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SelectorError {
    /// The text is not a glob.
    #[error("{glob:?} is not a glob: {reason}; quote it for the shell, as in --filter 'locks/*'")]
    Glob {
        /// The text.
        glob: String,
        /// What is wrong with it.
        reason: String,
    },
    /// No document is in this area.
    #[error("there is no area {area:?}; the areas are {}", known.join(", "))]
    UnknownArea {
        /// The area asked for.
        area: String,
        /// Those that documents are in.
        known: Vec<String>,
    },
}

impl Selector {
    /// Selects the scenarios that are in one of `areas` and whose id matches one of `filters`. An
    /// empty list takes all. A filter is a glob in which `*` crosses slashes; without any of the
    /// characters of a glob it selects the ids that contain it.
    ///
    /// # Errors
    /// When a filter is not a glob.
    pub fn new(areas: &[String], filters: &[String]) -> Result<Selector, SelectorError> {
        let compile = |text: &String| {
            let plain = !text.contains(['*', '?', '[', ']', '{', '}', '\\']);
            let pattern = if plain {
                format!("*{text}*")
            } else {
                text.clone()
            };
            let glob = GlobBuilder::new(&pattern).backslash_escape(true).build();
            glob.map(|glob: Glob| glob.compile_matcher())
                .map_err(|error| SelectorError::Glob {
                    glob: text.clone(),
                    reason: error.kind().to_string(),
                })
        };
        let filters = filters.iter().map(compile).collect::<Result<_, _>>()?;
        Ok(Selector {
            areas: areas.to_vec(),
            filters,
        })
    }

    /// Holds the areas asked for against those that there are.
    ///
    /// # Errors
    /// When no document is in one of them.
    pub fn check_areas(&self, documents: &[Document]) -> Result<(), SelectorError> {
        let mut known: Vec<String> = Vec::new();
        for document in documents {
            if !known.contains(&document.area) {
                known.push(document.area.clone());
            }
        }
        match self.areas.iter().find(|area| !known.contains(area)) {
            Some(area) => Err(SelectorError::UnknownArea {
                area: area.clone(),
                known,
            }),
            None => Ok(()),
        }
    }

    /// Whether a scenario is selected.
    pub fn selects(&self, scenario: &Scenario) -> bool {
        let area = self.areas.is_empty() || self.areas.contains(&scenario.area);
        let filter = self.filters.is_empty()
            || self
                .filters
                .iter()
                .any(|filter| filter.is_match(&scenario.id));
        area && filter
    }
}
