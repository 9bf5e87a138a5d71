//! Lines, wrapped text and tables on a screen.

use std::io::Write;

use owo_colors::{OwoColorize, Style};

use super::Terminal;

/// A cell, which may be painted: escape sequences take no room on a screen.
pub(super) struct Cell {
    pub(super) painted: String,
    pub(super) width: usize,
}

impl Cell {
    pub(super) fn of(text: &str) -> Self {
        Cell {
            painted: text.to_owned(),
            width: text.chars().count(),
        }
    }
}

impl<W: Write> Terminal<W> {
    /// One line. An output that nobody reads any more (`| head`) is no error.
    pub(super) fn line(&mut self, text: &str) {
        match &self.bar {
            Some(bar) if !bar.is_finished() => bar.suspend(|| {
                let _ = writeln!(self.out, "{text}");
            }),
            _ => {
                let _ = writeln!(self.out, "{text}");
            }
        }
    }

    pub(super) fn paint(&self, text: &str, style: Style) -> String {
        if self.color {
            text.style(style).to_string()
        } else {
            text.to_owned()
        }
    }

    pub(super) fn heading(&mut self, text: &str) {
        let painted = self.paint(text, Style::new().bold());
        self.line("");
        self.line(&painted);
    }

    /// Text wrapped to the width of the screen, every line indented.
    pub(super) fn wrapped(&mut self, indent: &str, text: &str) {
        for line in wrap(text, self.width.saturating_sub(indent.chars().count())) {
            self.line(&format!("{indent}{line}"));
        }
    }

    /// A table whose first column is aligned to the left and the others to the right.
    pub(super) fn table(&mut self, header: &[String], rows: &[Vec<Cell>]) {
        let header: Vec<Cell> = header
            .iter()
            .map(|text| Cell {
                painted: self.paint(text, Style::new().dimmed()),
                ..Cell::of(text)
            })
            .collect();
        let rows: Vec<&Vec<Cell>> = std::iter::once(&header).chain(rows).collect();
        let width = |index: usize| {
            rows.iter()
                .filter_map(|row| row.get(index))
                .map(|cell| cell.width)
                .max()
                .unwrap_or(0)
        };
        let widths: Vec<usize> = (0..header.len()).map(width).collect();
        for row in rows {
            let mut line = String::from(" ");
            for (index, (cell, width)) in row.iter().zip(&widths).enumerate() {
                let pad = " ".repeat(width - cell.width);
                let (before, after) = if index == 0 {
                    ("", pad.as_str())
                } else {
                    (pad.as_str(), "")
                };
                let gap = if index == 0 { " " } else { "   " };
                line.push_str(&format!("{gap}{before}{}{after}", cell.painted));
            }
            self.line(line.trim_end());
        }
    }
}

pub(super) fn wrap(text: &str, width: usize) -> Vec<String> {
    let mut lines = vec![String::new()];
    for word in text.split_whitespace() {
        let line = lines
            .last_mut()
            .map(|line| line.chars().count())
            .unwrap_or(0);
        if line > 0 && line + 1 + word.chars().count() > width {
            lines.push(String::new());
        }
        if let Some(line) = lines.last_mut() {
            if !line.is_empty() {
                line.push(' ');
            }
            line.push_str(word);
        }
    }
    lines
}
