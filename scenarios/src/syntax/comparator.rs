//! Values without elements: what redis-cli prints for them, and the comparators in their place.

use super::argument::{Scanner, Unreadable};
use super::reply::{Parsed, Parser};
use crate::expectation::Expectation;
use crate::glob::Glob;
use crate::print::is_status_word;
use crate::step::Argument;

impl Parser<'_, '_, '_> {
    /// One value or several with `|` between them, and the name to keep it under.
    pub(super) fn scalars(&mut self, scanner: &mut Scanner<'_, '_>) -> Parsed {
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

    pub(super) fn scalar(&mut self, scanner: &mut Scanner<'_, '_>) -> Parsed {
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
