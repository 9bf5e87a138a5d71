//! Words of a line as redis-cli splits them, with keys, captured replies and fills in them.

use super::{Line, Mistakes};
use crate::document::Location;
use crate::step::{Argument, Piece};

/// A fill is no longer than this; what is longer, no Redis plan takes as one request.
const LONGEST_FILL: usize = 512 * 1024 * 1024;

/// Reads words from lines, from a character of the first one on.
pub(super) struct Scanner<'l, 't> {
    lines: &'l [Line<'t>],
    line: usize,
    characters: Vec<char>,
    column: usize,
}

/// The word could not be read; the mistake has been noted.
pub(super) struct Unreadable;

impl<'l, 't> Scanner<'l, 't> {
    /// Begins at a character, counted from 0, of the first of `lines`. Quotes may go on over the
    /// lines given, and no further.
    pub(super) fn new(lines: &'l [Line<'t>], column: usize) -> Scanner<'l, 't> {
        let characters = lines
            .first()
            .map(|line| line.text.chars().collect())
            .unwrap_or_default();
        Scanner {
            lines,
            line: 0,
            characters,
            column,
        }
    }

    /// Where the next character stands.
    pub(super) fn location(&self) -> Location {
        let line = self.lines.get(self.line).map_or(1, |line| line.number);
        Location {
            line,
            column: self.column + 1,
        }
    }

    /// How many of the lines have been begun.
    pub(super) fn lines_read(&self) -> usize {
        self.line + 1
    }

    pub(super) fn column(&self) -> usize {
        self.column
    }

    pub(super) fn peek(&self) -> Option<char> {
        self.characters.get(self.column).copied()
    }

    /// What is left of the current line.
    pub(super) fn rest(&self) -> String {
        self.characters
            .get(self.column..)
            .unwrap_or_default()
            .iter()
            .collect()
    }

    /// One text in quotes, whatever follows it.
    pub(super) fn quote(&mut self, mistakes: &mut Mistakes) -> Result<Vec<u8>, Unreadable> {
        let mut pieces = Pieces::default();
        if let Some(quote) = self.peek() {
            self.quoted(quote, &mut pieces, mistakes)?;
        }
        match pieces.0.pop() {
            Some(Piece::Bytes(bytes)) => Ok(bytes),
            _ => Ok(Vec::new()),
        }
    }

    pub(super) fn skip_spaces(&mut self) {
        while self.peek().is_some_and(char::is_whitespace) {
            self.column += 1;
        }
    }

    /// Skips a text if it is what comes next.
    pub(super) fn skip(&mut self, text: &str) -> bool {
        let length = text.chars().count();
        let next = self.characters.get(self.column..self.column + length);
        let found = next.is_some_and(|next| next.iter().copied().eq(text.chars()));
        if found {
            self.column += length;
        }
        found
    }

    /// Takes the characters up to the next one that ends a word.
    pub(super) fn take_while(&mut self, keep: impl Fn(char) -> bool) -> String {
        let mut taken = String::new();
        while let Some(next) = self.peek().filter(|next| keep(*next)) {
            taken.push(next);
            self.column += 1;
        }
        taken
    }

    /// All words up to the end of a line.
    pub(super) fn words(&mut self, mistakes: &mut Mistakes) -> Result<Vec<Argument>, Unreadable> {
        let mut words = Vec::new();
        loop {
            self.skip_spaces();
            if self.peek().is_none() {
                return Ok(words);
            }
            words.push(self.word(mistakes)?);
        }
    }

    /// One word: bare text, quotes, keys, captured replies and fills without a space between them.
    pub(super) fn word(&mut self, mistakes: &mut Mistakes) -> Result<Argument, Unreadable> {
        let location = self.location();
        let mut pieces = Pieces::default();
        let mut begun = false;
        while let Some(next) = self.peek().filter(|next| !next.is_whitespace()) {
            match next {
                '"' | '\'' => {
                    self.quoted(next, &mut pieces, mistakes)?;
                    self.after_quote(mistakes)?;
                }
                '{' => match self.name_after(Some('}')) {
                    Some(name) => pieces.push(Piece::Key(name)),
                    None => self.literal(&mut pieces),
                },
                '$' => match self.name_after(None) {
                    Some(name) => pieces.push(Piece::Capture(name)),
                    None => self.literal(&mut pieces),
                },
                '<' if !begun && self.is_fill() => {
                    let fill = self.fill(mistakes)?;
                    pieces.push(fill);
                }
                _ => self.literal(&mut pieces),
            }
            begun = true;
        }
        Ok(Argument {
            pieces: pieces.0,
            location: Some(location),
        })
    }

    fn literal(&mut self, pieces: &mut Pieces) {
        if let Some(character) = self.peek() {
            pieces.push_char(character);
            self.column += 1;
        }
    }

    /// The name after the current character, if one is there. Keys, which end in a closing
    /// character, are `[a-z][a-z0-9_:.-]*`, captures `[a-z][a-z0-9_]*`.
    fn name_after(&mut self, close: Option<char>) -> Option<String> {
        let rest = self.characters.get(self.column + 1..)?;
        let key = close.is_some();
        let inner = |c: &char| {
            c.is_ascii_lowercase()
                || c.is_ascii_digit()
                || *c == '_'
                || (key && matches!(c, ':' | '.' | '-'))
        };
        let name: String = rest.iter().copied().take_while(|c| inner(c)).collect();
        let closed = close.is_none_or(|close| rest.get(name.len()) == Some(&close));
        if !name.starts_with(|c: char| c.is_ascii_lowercase()) || !closed {
            return None;
        }
        self.column += 1 + name.len() + usize::from(key);
        Some(name)
    }

    fn quoted(
        &mut self,
        quote: char,
        pieces: &mut Pieces,
        mistakes: &mut Mistakes,
    ) -> Result<(), Unreadable> {
        let opened = self.location();
        // An empty quote is a word of no bytes, not the absence of a word.
        pieces.touch();
        self.column += 1;
        loop {
            let Some(character) = self.peek() else {
                if self.next_line() {
                    pieces.push_char('\n');
                    continue;
                }
                mistakes.add(
                    opened,
                    1,
                    "this quote is never closed",
                    format!(
                        "close it with {quote}, and write \\{quote} for one within it; a text with an \
                         apostrophe goes in double quotes: \"it's\""
                    ),
                );
                return Err(Unreadable);
            };
            self.column += 1;
            match character {
                end if end == quote => return Ok(()),
                '\\' if quote == '"' => self.escape(pieces),
                '\\' if self.peek() == Some('\'') => self.literal(pieces),
                other => pieces.push_char(other),
            }
        }
    }

    /// What follows a backslash in double quotes, as redis-cli reads it.
    fn escape(&mut self, pieces: &mut Pieces) {
        let Some(character) = self.peek() else {
            pieces.push_byte(b'\\');
            return;
        };
        self.column += 1;
        match character {
            'n' => pieces.push_byte(b'\n'),
            'r' => pieces.push_byte(b'\r'),
            't' => pieces.push_byte(b'\t'),
            'b' => pieces.push_byte(0x08),
            'a' => pieces.push_byte(0x07),
            'x' => {
                let next = self.characters.iter().skip(self.column).take(2);
                let digits: String = next.collect();
                let is_hex = digits.len() == 2 && digits.bytes().all(|c| c.is_ascii_hexdigit());
                match u8::from_str_radix(&digits, 16) {
                    Ok(byte) if is_hex => {
                        pieces.push_byte(byte);
                        self.column += 2;
                    }
                    _ => pieces.push_byte(b'x'),
                }
            }
            other => pieces.push_char(other),
        }
    }

    fn after_quote(&mut self, mistakes: &mut Mistakes) -> Result<(), Unreadable> {
        if self.peek().is_none_or(char::is_whitespace) {
            return Ok(());
        }
        mistakes.add(
            self.location(),
            1,
            "a closing quote is followed by something other than a space",
            "put a space after the quote, or a backslash before a quote that belongs to the text",
        );
        Err(Unreadable)
    }

    fn next_line(&mut self) -> bool {
        let Some(line) = self.lines.get(self.line + 1) else {
            return false;
        };
        self.line += 1;
        self.characters = line.text.chars().collect();
        self.column = 0;
        true
    }

    /// Whether `<`, digits and a space come next.
    fn is_fill(&self) -> bool {
        let rest = self.characters.get(self.column + 1..).unwrap_or_default();
        let digits = rest.iter().take_while(|c| c.is_ascii_digit()).count();
        digits > 0 && rest.get(digits) == Some(&' ')
    }

    fn fill(&mut self, mistakes: &mut Mistakes) -> Result<Piece, Unreadable> {
        let start = self.location();
        self.column += 1;
        let digits = self.take_while(|c| c.is_ascii_digit());
        self.skip_spaces();
        let mut unit = Pieces::default();
        match self.peek() {
            Some(quote @ ('"' | '\'')) => self.quoted(quote, &mut unit, mistakes)?,
            _ => {
                for character in self.take_while(|c| c != '>' && !c.is_whitespace()).chars() {
                    unit.push_char(character);
                }
            }
        }
        self.skip_spaces();
        let closed = self.skip(">");
        let length = digits.parse().ok().filter(|length| *length <= LONGEST_FILL);
        let unit = match unit.0.pop() {
            Some(Piece::Bytes(unit)) => unit,
            _ => Vec::new(),
        };
        match length {
            Some(length) if closed && !unit.is_empty() => Ok(Piece::Fill { length, unit }),
            _ => {
                mistakes.add(
                    start,
                    self.column().saturating_sub(start.column - 1),
                    "this is not a length and a text to fill it with",
                    format!(
                        "write `<1000 ab>` for 1000 bytes of abab…, {LONGEST_FILL} at most; put a \
                         text that begins like this in quotes"
                    ),
                );
                Err(Unreadable)
            }
        }
    }
}

/// Pieces being put together; literal text next to literal text is one piece.
#[derive(Default)]
struct Pieces(Vec<Piece>);

impl Pieces {
    fn push(&mut self, piece: Piece) {
        // An empty literal piece is kept only where it is all there is.
        if self.0.last() == Some(&Piece::Bytes(Vec::new())) {
            self.0.pop();
        }
        self.0.push(piece);
    }

    fn touch(&mut self) {
        if self.0.is_empty() {
            self.0.push(Piece::Bytes(Vec::new()));
        }
    }

    fn push_byte(&mut self, byte: u8) {
        if let Some(Piece::Bytes(bytes)) = self.0.last_mut() {
            bytes.push(byte);
        } else {
            self.0.push(Piece::Bytes(vec![byte]));
        }
    }

    fn push_char(&mut self, character: char) {
        let mut buffer = [0; 4];
        for &byte in character.encode_utf8(&mut buffer).as_bytes() {
            self.push_byte(byte);
        }
    }
}
