//! The mistakes of a document, all at once, each with its line and a caret under it.

use std::fmt;

use crate::document::Location;

/// One mistake.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mistake {
    /// Where it begins.
    pub location: Location,
    /// How many characters it covers; at least 1.
    pub length: usize,
    /// What is wrong, as a lower-case fragment.
    pub message: String,
    /// What to do about it.
    pub help: String,
}

/// All mistakes of one document, in the order of their lines. Never empty.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub struct ParseErrors {
    /// The document's path, as given.
    pub path: String,
    /// The mistakes.
    pub mistakes: Vec<Mistake>,
    /// The line of each mistake, for the excerpt.
    pub(crate) excerpts: Vec<String>,
}

/// An excerpt keeps this many characters of a line, around the mistake.
const EXCERPT_WIDTH: usize = 100;

impl ParseErrors {
    pub(crate) fn new(path: &str, text: &str, mut mistakes: Vec<Mistake>) -> ParseErrors {
        mistakes.sort_by_key(|mistake| mistake.location);
        mistakes.dedup();
        let lines: Vec<&str> = text.lines().collect();
        let line = |mistake: &Mistake| {
            let index = mistake.location.line.saturating_sub(1);
            lines.get(index).copied().unwrap_or_default().to_owned()
        };
        let excerpts = mistakes.iter().map(line).collect();
        ParseErrors {
            path: path.to_owned(),
            mistakes,
            excerpts,
        }
    }
}

impl fmt::Display for ParseErrors {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, mistake) in self.mistakes.iter().enumerate() {
            if index > 0 {
                f.write_str("\n\n")?;
            }
            let excerpt = self
                .excerpts
                .get(index)
                .map(String::as_str)
                .unwrap_or_default();
            excerpt_of(f, &self.path, mistake, excerpt)?;
        }
        let count = self.mistakes.len();
        if count > 1 {
            write!(f, "\n\n{count} mistakes in {}", self.path)?;
        }
        Ok(())
    }
}

fn excerpt_of(
    f: &mut fmt::Formatter<'_>,
    path: &str,
    mistake: &Mistake,
    line: &str,
) -> fmt::Result {
    let Location {
        line: number,
        column,
    } = mistake.location;
    let gutter = " ".repeat(number.to_string().len());
    let (shown, column) = window(line, column);
    let room = shown.chars().count().saturating_sub(column - 1).max(1);
    let carets = "^".repeat(mistake.length.clamp(1, room));
    let indent = " ".repeat(column - 1);
    writeln!(
        f,
        "{path}:{number}:{}: {}",
        mistake.location.column, mistake.message
    )?;
    writeln!(f, "{gutter} |")?;
    writeln!(f, "{number} | {shown}")?;
    writeln!(f, "{gutter} | {indent}{carets}")?;
    write!(f, "{gutter} = {}", mistake.help)
}

/// The part of a line around a column, control characters made visible, and the column within it.
fn window(line: &str, column: usize) -> (String, usize) {
    let visible = |c: char| match c {
        '\t' => ' ',
        c if c.is_control() => '\u{fffd}',
        c => c,
    };
    let characters: Vec<char> = line.chars().map(visible).collect();
    let start = if characters.len() <= EXCERPT_WIDTH {
        0
    } else {
        column
            .saturating_sub(EXCERPT_WIDTH / 2)
            .min(characters.len() - EXCERPT_WIDTH)
    };
    let shown: String = characters.iter().skip(start).take(EXCERPT_WIDTH).collect();
    let column = column.saturating_sub(start).max(1);
    (shown, column)
}
