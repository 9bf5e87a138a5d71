//! Expected replies: what redis-cli prints, and the comparators that stand in for it.

use super::argument::{Scanner, Unreadable};
use super::{Line, Mistakes};
use crate::document::Location;
use crate::expectation::Expectation;

/// Replies nest no deeper; Redis's own never pass 7, its Lua conversion stops far later.
const DEEPEST: usize = 64;

/// Reads the lines of one reply. `None` when they hold a mistake, which has been noted.
pub(super) fn parse(lines: &[Line<'_>], mistakes: &mut Mistakes) -> Option<Expectation> {
    let mut parser = Parser {
        lines,
        line: 0,
        depth: 0,
        mistakes,
    };
    let expectation = parser.value(0, 0).ok()?;
    if let Some(line) = lines.get(parser.line) {
        let help = if matches!(
            expectation,
            Expectation::Array(_) | Expectation::Unordered(_)
        ) {
            "indent an element as redis-cli does: under the first element it belongs with"
        } else {
            "a reply is one value; put a blank line before what does not belong to it, and a prompt \
             (`> `) before a command"
        };
        let length = line.text.trim_end().chars().count();
        let indent = line.text.chars().take_while(|c| c.is_whitespace()).count();
        let location = Location {
            line: line.number,
            column: indent + 1,
        };
        mistakes.add(
            location,
            length - indent,
            "this line continues no reply",
            help,
        );
        return None;
    }
    Some(expectation)
}

pub(super) struct Parser<'l, 't, 'm> {
    lines: &'l [Line<'t>],
    /// The line being read, or to be read next.
    line: usize,
    depth: usize,
    pub(super) mistakes: &'m mut Mistakes,
}

/// The `1) ` before an element.
struct Marker {
    number: usize,
    separator: char,
    /// The columns of its first digit and its separator.
    digits: usize,
    end: usize,
}

pub(super) type Parsed = Result<Expectation, Unreadable>;

impl Parser<'_, '_, '_> {
    /// A value that begins at a column of the current line, and whose further lines are indented.
    fn value(&mut self, column: usize, indent: usize) -> Parsed {
        if self.depth >= DEEPEST {
            let help = format!("nest no deeper than {DEEPEST} levels");
            return self.fail(column, 1, "this reply is nested too deeply", &help);
        }
        self.depth += 1;
        let value = match self.marker(column) {
            Some(first) => self.aggregate(column, indent, first),
            None => self.line_value(column, indent),
        };
        self.depth -= 1;
        value
    }

    /// A value without elements, or the `(unordered)` before one that has them.
    fn line_value(&mut self, column: usize, indent: usize) -> Parsed {
        let lines = self.lines.get(self.line..self.line + 1).unwrap_or_default();
        let mut scanner = Scanner::new(lines, column);
        scanner.skip_spaces();
        if scanner.skip("(unordered)") {
            return self.unordered(scanner, column, indent);
        }
        let value = self.scalars(&mut scanner)?;
        self.line += 1;
        Ok(value)
    }

    fn unordered(&mut self, mut scanner: Scanner<'_, '_>, column: usize, indent: usize) -> Parsed {
        scanner.skip_spaces();
        let mut column_of_value = scanner.column();
        if scanner.peek().is_none() {
            self.line += 1;
            column_of_value = indent;
        }
        let ahead = self
            .lines
            .get(self.line)
            .map(|line| line.text.trim_start().to_owned());
        let value = match ahead {
            Some(_) if self.marker(column_of_value).is_some() => {
                self.value(column_of_value, indent)?
            }
            Some(ahead) if ahead.starts_with("(empty ") => self.value(column_of_value, indent)?,
            _ => {
                self.line = self.line.min(self.lines.len().saturating_sub(1));
                let help = "put the elements after it: `(unordered)`, then `1) …` below it";
                return self.fail(column, 11, "(unordered) stands before no array", help);
            }
        };
        Ok(match value {
            Expectation::Array(elements) => Expectation::Unordered(elements),
            // Sets and maps have no order to begin with.
            other => other,
        })
    }

    fn aggregate(&mut self, column: usize, indent: usize, first: Marker) -> Parsed {
        let separator = first.separator;
        // Right-aligned numbers have their separator in one column. The first one is behind other
        // text in a map (`1# "a" => 1) …`): redis-cli aligns the others with the key, people with
        // the first.
        let columns = [first.end - column + indent, first.end];
        let mut elements = Vec::new();
        let mut pairs = Vec::new();
        // Where redis-cli would have put the element, had it begun a line.
        let mut inner = first.end + 2 - column + indent;
        let mut marker = first;
        loop {
            let expected = elements.len().max(pairs.len()) + 1;
            if marker.number != expected {
                let message = format!("this is element {} where {expected} is due", marker.number);
                let (digits, length) = (marker.digits, marker.end - marker.digits + 1);
                self.note(
                    digits,
                    length,
                    &message,
                    "number the elements 1, 2, 3 … in their order",
                );
            }
            if marker.separator != separator {
                let message = format!(
                    "`{}` among elements written `{separator}`",
                    marker.separator
                );
                let help =
                    "write all elements alike: `)` for an array, `~` for a set, `#` for a map";
                self.note(marker.end, 1, &message, help);
            }
            let content = marker.end + 2;
            if separator == '#' {
                pairs.push(self.pair(content, inner)?);
            } else {
                elements.push(self.value(content, inner)?);
            }
            match self.next_marker(indent, columns) {
                Some(next) => {
                    inner = next.end + 2;
                    marker = next;
                }
                None => break,
            }
        }
        Ok(match separator {
            '#' => Expectation::Map(pairs),
            '~' => Expectation::Set(elements),
            _ => Expectation::Array(elements),
        })
    }

    fn pair(
        &mut self,
        column: usize,
        indent: usize,
    ) -> Result<(Expectation, Expectation), Unreadable> {
        let lines = self.lines.get(self.line..self.line + 1).unwrap_or_default();
        let mut scanner = Scanner::new(lines, column);
        let key = self.scalar(&mut scanner)?;
        scanner.skip_spaces();
        if !scanner.skip("=>") {
            let (at, help) = (
                scanner.column(),
                "write a pair as `1# \"field\" => \"value\"`",
            );
            return self.fail(at, 1, "a map's key is followed by no `=>`", help);
        }
        // One space only: those before a right-aligned number are a part of its column.
        scanner.skip(" ");
        let value = self.value(scanner.column(), indent)?;
        Ok((key, value))
    }

    /// The marker at a column of the current line.
    fn marker(&self, column: usize) -> Option<Marker> {
        let rest: Vec<char> = self
            .lines
            .get(self.line)?
            .text
            .chars()
            .skip(column)
            .collect();
        let spaces = rest.iter().take_while(|c| **c == ' ').count();
        let digits: String = rest[spaces..]
            .iter()
            .take_while(|c| c.is_ascii_digit())
            .collect();
        let number = digits.parse().ok()?;
        let end = spaces + digits.len();
        let separator = *rest.get(end).filter(|c| matches!(c, ')' | '#' | '~'))?;
        let spaced = rest.get(end + 1).is_none_or(|next| *next == ' ');
        spaced.then_some(Marker {
            number,
            separator,
            digits: column + spaces,
            end: column + end,
        })
    }

    /// The marker that goes on with the elements at this indentation.
    fn next_marker(&self, indent: usize, columns: [usize; 2]) -> Option<Marker> {
        self.marker(0)
            .filter(|marker| marker.digits == indent || columns.contains(&marker.end))
    }

    pub(super) fn note(&mut self, column: usize, length: usize, message: &str, help: &str) {
        let line = self.lines.get(self.line).map_or(1, |line| line.number);
        self.mistakes.add(
            Location {
                line,
                column: column + 1,
            },
            length,
            message,
            help,
        );
    }

    pub(super) fn fail<T>(
        &mut self,
        column: usize,
        length: usize,
        message: &str,
        help: &str,
    ) -> Result<T, Unreadable> {
        self.note(column, length, message, help);
        Err(Unreadable)
    }
}
