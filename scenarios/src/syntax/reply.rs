//! Expected replies: what redis-cli prints, and the comparators that stand in for it.

use super::argument::{Scanner, Unreadable};
use super::{Line, Mistakes};
use crate::document::Location;
use crate::expectation::Expectation;
use crate::glob::Glob;
use crate::print::is_status_word;
use crate::step::Argument;

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

struct Parser<'l, 't, 'm> {
    lines: &'l [Line<'t>],
    /// The line being read, or to be read next.
    line: usize,
    depth: usize,
    mistakes: &'m mut Mistakes,
}

/// The `1) ` before an element.
struct Marker {
    number: usize,
    separator: char,
    /// The columns of its first digit and its separator.
    digits: usize,
    end: usize,
}

type Parsed = Result<Expectation, Unreadable>;

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

    /// One value or several with `|` between them, and the name to keep it under.
    fn scalars(&mut self, scanner: &mut Scanner<'_, '_>) -> Parsed {
        let mut alternatives = vec![self.scalar(scanner)?];
        loop {
            scanner.skip_spaces();
            if !scanner.skip("|") {
                break;
            }
            scanner.skip_spaces();
            alternatives.push(self.scalar(scanner)?);
        }
        let mut value = match alternatives.pop() {
            Some(only) if alternatives.is_empty() => only,
            last => {
                alternatives.extend(last);
                Expectation::Either(alternatives)
            }
        };
        if scanner.skip("=>") {
            scanner.skip_spaces();
            let start = scanner.column();
            let word = scanner.take_while(|c| !c.is_whitespace());
            let name = word.strip_prefix('$').filter(|name| is_capture_name(name));
            let Some(name) = name else {
                let help = "name it with a dollar sign and lower-case letters: `=> $name`";
                return self.fail(start, word.len(), "a reply is kept under no name", help);
            };
            value = Expectation::Capture(Box::new(value), name.to_owned());
            scanner.skip_spaces();
        }
        if scanner.peek().is_some() {
            let (start, length) = (scanner.column(), scanner.rest().trim_end().chars().count());
            let help = "a line holds one value; a command begins with a prompt, `> GET {key}`";
            return self.fail(start, length, "there is more text after the reply", help);
        }
        Ok(value)
    }

    fn scalar(&mut self, scanner: &mut Scanner<'_, '_>) -> Parsed {
        let start = scanner.column();
        match scanner.peek() {
            Some('(') => self.parenthesis(scanner),
            Some('"' | '\'' | '{' | '$' | '<') => self.text(scanner).map(Expectation::Text),
            Some(first) => {
                let word = scanner.take_while(|c| !c.is_whitespace());
                if is_status_word(&word) {
                    return Ok(Expectation::Status(word));
                }
                let length = scanner.rest().trim_end().chars().count() + word.chars().count();
                if first.is_ascii_digit() || first == '-' {
                    let help = format!("write `(integer) {word}`, or `\"{word}\"` for text");
                    return self.fail(start, length, "this number has no type", &help);
                }
                let help = "write it as redis-cli prints it: `OK`, `\"text\"`, `(integer) 3`, \
                            `(nil)`, `1) \"a\"`; a command begins with a prompt, `> GET {key}`";
                self.fail(start, length, "this is no reply", help)
            }
            None => {
                let help = "write a value, or leave the line out";
                self.fail(start, 1, "a reply is missing here", help)
            }
        }
    }

    /// Text in quotes, a key, a captured reply or a fill.
    fn text(&mut self, scanner: &mut Scanner<'_, '_>) -> Result<Argument, Unreadable> {
        let mut text = scanner.word(self.mistakes)?;
        text.location = None;
        Ok(text)
    }

    fn parenthesis(&mut self, scanner: &mut Scanner<'_, '_>) -> Parsed {
        let start = scanner.column();
        if scanner.skip("(like") {
            return self.like(scanner, start);
        }
        if scanner.skip("(approx") {
            return self.approx(scanner, start);
        }
        scanner.skip("(");
        let word = scanner.take_while(|c| c.is_ascii_alphabetic() || c == ' ');
        let word = word.trim_end();
        if !scanner.skip(")") {
            return self.unknown(start, word.chars().count() + 1);
        }
        scanner.skip_spaces();
        match word {
            "nil" => Ok(Expectation::Nil),
            "true" => Ok(Expectation::Boolean(true)),
            "false" => Ok(Expectation::Boolean(false)),
            "any" => Ok(Expectation::Any),
            "string" => Ok(Expectation::AnyText),
            "empty array" | "empty list or set" => Ok(Expectation::Array(Vec::new())),
            "empty set" => Ok(Expectation::Set(Vec::new())),
            "empty hash" => Ok(Expectation::Map(Vec::new())),
            "integer" => self.integer(scanner),
            "double" => self.double(scanner),
            "big number" => self.big_number(scanner),
            "status" => self.status(scanner),
            "error" => self.error(scanner),
            "unordered" => {
                let help = "put it before the array: `1) (unordered)`, then `   1) …` below it";
                self.fail(start, 11, "(unordered) stands before no array", help)
            }
            _ => self.unknown(start, word.chars().count() + 2),
        }
    }

    fn unknown(&mut self, start: usize, length: usize) -> Parsed {
        let help = "it is one of (integer), (nil), (double), (true), (false), (error), (status), \
                    (string), (any), (like \"glob*\"), (approx 0.01), (unordered), (big number), \
                    (empty array), (empty set), (empty hash)";
        self.fail(
            start,
            length,
            "these parentheses name no kind of reply",
            help,
        )
    }

    fn like(&mut self, scanner: &mut Scanner<'_, '_>, start: usize) -> Parsed {
        scanner.skip_spaces();
        let text = match scanner.peek() {
            Some('"' | '\'') => Some(scanner.quote(self.mistakes)?),
            _ => None,
        };
        scanner.skip_spaces();
        match text {
            Some(text) if scanner.skip(")") => Ok(Expectation::Like(Glob::new(&text))),
            _ => {
                let help = "write a text with asterisks: `(like \"user:*\")`";
                self.fail(start, 5, "(like …) holds no text in quotes", help)
            }
        }
    }

    fn approx(&mut self, scanner: &mut Scanner<'_, '_>, start: usize) -> Parsed {
        scanner.skip_spaces();
        let tolerance = number(&scanner.take_while(|c| c != ')' && !c.is_whitespace()));
        let closed = scanner.skip(")");
        scanner.skip_spaces();
        for prefix in ["(double)", "(integer)"] {
            scanner.skip(prefix);
        }
        scanner.skip_spaces();
        let word = scanner.take_while(|c| !c.is_whitespace());
        let value = number(word.trim_matches('"'));
        match (tolerance, value) {
            (Some(tolerance), Some(value)) if closed && tolerance >= 0.0 => {
                Ok(Expectation::Approx { value, tolerance })
            }
            _ => {
                let help = "write how far off it may be, then the number: `(approx 0.001) 3.14`";
                let length = scanner.column() - start;
                self.fail(start, length, "this is not a number with a tolerance", help)
            }
        }
    }

    fn integer(&mut self, scanner: &mut Scanner<'_, '_>) -> Parsed {
        let start = scanner.column();
        let word = scanner.take_while(|c| c.is_ascii_digit() || matches!(c, '-' | '+' | '.'));
        let bound = |text: &str, open: i64| match text {
            "" => Some(open),
            text => text.parse().ok(),
        };
        let range = match word.split_once("..") {
            Some(("", "")) => None,
            Some((min, max)) => bound(min, i64::MIN).zip(bound(max, i64::MAX)),
            None if word.is_empty() => Some((i64::MIN, i64::MAX)),
            None => word.parse().ok().map(|value: i64| (value, value)),
        };
        match range {
            Some((min, max)) if min <= max => Ok(Expectation::Integer { min, max }),
            _ => {
                let help =
                    "write `(integer) 3`, a range `(integer) 1..200`, or `(integer)` for any";
                let message = "this is no 64-bit integer, nor a range of them";
                self.fail(start, word.chars().count(), message, help)
            }
        }
    }

    fn double(&mut self, scanner: &mut Scanner<'_, '_>) -> Parsed {
        let start = scanner.column();
        let word = scanner.take_while(|c| !c.is_whitespace() && !matches!(c, '|' | '='));
        if word.is_empty() {
            return Ok(Expectation::AnyDouble);
        }
        match number(&word) {
            Some(value) => Ok(Expectation::Double(value)),
            None => {
                let help = "write `(double) 1.5`, or `(double)` for any";
                self.fail(start, word.chars().count(), "this is no number", help)
            }
        }
    }

    fn big_number(&mut self, scanner: &mut Scanner<'_, '_>) -> Parsed {
        let start = scanner.column();
        let word = scanner.take_while(|c| !c.is_whitespace());
        let digits = word.strip_prefix('-').unwrap_or(&word);
        if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
            let help = "write its digits: `(big number) 123456789012345678901234567890`";
            return self.fail(start, word.chars().count(), "this is no whole number", help);
        }
        Ok(Expectation::BigNumber(word))
    }

    fn status(&mut self, scanner: &mut Scanner<'_, '_>) -> Parsed {
        let start = scanner.column();
        let text = match scanner.peek() {
            Some('"' | '\'') => self.text(scanner)?.literal(),
            _ => None,
        };
        match text.and_then(|bytes| String::from_utf8(bytes).ok()) {
            Some(text) => Ok(Expectation::Status(text)),
            None => {
                let help = "write the text in quotes: `(status) \"Background saving started\"`";
                self.fail(start, 1, "(status) has no text", help)
            }
        }
    }

    fn error(&mut self, scanner: &mut Scanner<'_, '_>) -> Parsed {
        let start = scanner.column();
        let quoted = scanner.peek() == Some('"');
        let source = if quoted {
            self.text(scanner)?.literal().unwrap_or_default()
        } else {
            // An error text may hold anything but the beginning of an alternative.
            let rest = scanner.rest();
            let text = rest.split(" | (").next().unwrap_or_default();
            scanner.skip(text);
            text.trim_end().as_bytes().to_vec()
        };
        let glob = Glob::new(&source);
        let exact = quoted && !glob.has_wildcard();
        let class = source
            .split(|byte| *byte == b' ')
            .next()
            .unwrap_or_default();
        if !exact && (class.is_empty() || Glob::new(class).has_wildcard()) {
            let help = "name its class, then what may follow: `(error) WRONGTYPE *`, `(error) ERR *`; \
                        a scenario that takes any error proves nothing";
            let length = String::from_utf8_lossy(&source).chars().count();
            return self.fail(start, length, "this error has no class", help);
        }
        Ok(Expectation::Error(glob))
    }

    fn note(&mut self, column: usize, length: usize, message: &str, help: &str) {
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

    fn fail<T>(
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

fn number(text: &str) -> Option<f64> {
    text.parse().ok().filter(|_| !text.is_empty())
}

fn is_capture_name(name: &str) -> bool {
    name.starts_with(|c: char| c.is_ascii_lowercase())
        && name
            .bytes()
            .all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == b'_')
}
