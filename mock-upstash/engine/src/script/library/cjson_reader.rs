//! `cjson.decode`: a reader that takes and refuses what lua-cjson 2.1.0 does, with its texts.

use mlua::{LuaString, Table, Value};

use super::argument::Arguments;
use super::cjson::{DEEPEST, Settings};
use crate::number;
use crate::script::failure::Failure;

/// A token, or what is wrong with what stands in its place.
enum Token {
    ObjectBegin,
    ObjectEnd,
    ArrayBegin,
    ArrayEnd,
    Colon,
    Comma,
    Text(Vec<u8>),
    Number(f64),
    Boolean(bool),
    Null,
    End,
    Wrong(&'static str),
}

impl Token {
    fn name(&self) -> &'static str {
        match self {
            Token::ObjectBegin => "T_OBJ_BEGIN",
            Token::ObjectEnd => "T_OBJ_END",
            Token::ArrayBegin => "T_ARR_BEGIN",
            Token::ArrayEnd => "T_ARR_END",
            Token::Colon => "T_COLON",
            Token::Comma => "T_COMMA",
            Token::Text(_) => "T_STRING",
            Token::Number(_) => "T_NUMBER",
            Token::Boolean(_) => "T_BOOLEAN",
            Token::Null => "T_NULL",
            Token::End => "T_END",
            Token::Wrong(what) => what,
        }
    }
}

/// Reads one text.
pub(super) struct Reader<'a> {
    args: &'a Arguments<'a>,
    text: &'a [u8],
    at: usize,
    /// Where the token at hand begins, or where it is wrong.
    token_at: usize,
    settings: Settings,
    array_metatable: &'a Table,
}

impl<'a> Reader<'a> {
    /// The value that a text stands for.
    pub(super) fn read(
        args: &'a Arguments<'a>,
        text: &'a [u8],
        settings: Settings,
        array_metatable: &'a Table,
    ) -> mlua::Result<Value> {
        if text.len() >= 2 && (text[0] == 0 || text[1] == 0) {
            return Err(args
                .error("JSON parser does not support UTF-16 or UTF-32")
                .into());
        }
        let mut reader = Reader {
            args,
            text,
            at: 0,
            token_at: 0,
            settings,
            array_metatable,
        };
        let token = reader.next();
        let value = reader.value(token)?;
        match reader.next() {
            Token::End => Ok(value),
            other => Err(reader.expected("the end", &other).into()),
        }
    }

    /// The byte at a distance from here; 0 behind the end, as in a C string.
    fn peek(&self, ahead: usize) -> u8 {
        self.text.get(self.at + ahead).copied().unwrap_or(0)
    }

    fn expected(&self, what: &str, found: &Token) -> Failure {
        self.args.error(format!(
            "Expected {what} but found {} at character {}",
            found.name(),
            self.token_at + 1
        ))
    }

    fn wrong(&mut self, what: &'static str) -> Token {
        self.token_at = self.at;
        Token::Wrong(what)
    }

    fn next(&mut self) -> Token {
        while matches!(self.peek(0), b' ' | b'\t' | b'\n' | b'\r') {
            self.at += 1;
        }
        self.token_at = self.at;
        let single = match self.peek(0) {
            b'{' => Some(Token::ObjectBegin),
            b'}' => Some(Token::ObjectEnd),
            b'[' => Some(Token::ArrayBegin),
            b']' => Some(Token::ArrayEnd),
            b':' => Some(Token::Colon),
            b',' => Some(Token::Comma),
            _ => None,
        };
        if let Some(token) = single {
            self.at += 1;
            return token;
        }
        match self.peek(0) {
            0 => return Token::End,
            b'"' => return self.string(),
            b'-' | b'0'..=b'9' => {
                if !self.settings.decode_invalid && self.is_invalid_number() {
                    return self.wrong("invalid number");
                }
                return self.number();
            }
            b'+' | b'i' | b'I' | b'n' | b'N' | b't' | b'f' => {}
            _ => return self.wrong("invalid token"),
        }
        let rest = self.text.get(self.at..).unwrap_or_default();
        let words = [
            (&b"true"[..], Token::Boolean(true)),
            (b"false", Token::Boolean(false)),
            (b"null", Token::Null),
        ];
        for (word, token) in words {
            if rest.starts_with(word) {
                self.at += word.len();
                return token;
            }
        }
        if self.settings.decode_invalid && self.is_invalid_number() {
            return self.number();
        }
        self.wrong("invalid token")
    }

    /// Whether what stands here is a number only outside of JSON: hexadecimal, infinite, with a
    /// plus or a leading zero.
    fn is_invalid_number(&self) -> bool {
        if self.peek(0) == b'+' {
            return true;
        }
        let skip = usize::from(self.peek(0) == b'-');
        let first = self.peek(skip);
        if first == b'0' {
            let second = self.peek(skip + 1);
            return second | 0x20 == b'x' || second.is_ascii_digit();
        }
        if first <= b'9' {
            return false;
        }
        let word: Vec<u8> = (0..3)
            .map(|ahead| self.peek(skip + ahead).to_ascii_lowercase())
            .collect();
        word == b"inf" || word == b"nan"
    }

    fn number(&mut self) -> Token {
        let rest = self.text.get(self.at..).unwrap_or_default();
        match number::leading_double(rest) {
            Some((value, length)) => {
                self.at += length;
                Token::Number(value)
            }
            None => self.wrong("invalid number"),
        }
    }

    fn string(&mut self) -> Token {
        self.at += 1;
        let mut text = Vec::new();
        loop {
            let byte = match self.peek(0) {
                b'"' => break,
                0 => return self.wrong("unexpected end of string"),
                b'\\' => {
                    let escaped = match self.peek(1) {
                        b'u' => {
                            let Some((character, length)) = self.unicode_escape() else {
                                return self.wrong("invalid unicode escape code");
                            };
                            text.extend_from_slice(&character);
                            self.at += length;
                            continue;
                        }
                        b'b' => 8,
                        b't' => b'\t',
                        b'n' => b'\n',
                        b'f' => 12,
                        b'r' => b'\r',
                        same @ (b'"' | b'\\' | b'/') => same,
                        _ => return self.wrong("invalid escape code"),
                    };
                    self.at += 1;
                    escaped
                }
                byte => byte,
            };
            text.push(byte);
            self.at += 1;
        }
        self.at += 1;
        Token::Text(text)
    }

    fn hex4(&self, ahead: usize) -> Option<u32> {
        (0..4).try_fold(0, |value, index| {
            let digit = char::from(self.peek(ahead + index)).to_digit(16)?;
            Some(value * 16 + digit)
        })
    }

    /// The UTF-8 of a `\u` escape and how many bytes it takes in the text.
    fn unicode_escape(&self) -> Option<(Vec<u8>, usize)> {
        let first = self.hex4(2)?;
        let (code, length) = match first {
            0xd800..=0xdbff => {
                if self.peek(6) != b'\\' || self.peek(7) != b'u' {
                    return None;
                }
                let second = self.hex4(8)?;
                if second & 0xfc00 != 0xdc00 {
                    return None;
                }
                (0x1_0000 + ((first & 0x3ff) << 10 | (second & 0x3ff)), 12)
            }
            0xdc00..=0xdfff => return None,
            code => (code, 6),
        };
        let character = char::from_u32(code)?;
        let mut buffer = [0; 4];
        Some((
            character.encode_utf8(&mut buffer).as_bytes().to_vec(),
            length,
        ))
    }

    /// The value that begins with a token. Tables that are being filled wait on a stack of its own,
    /// for the one of the thread may be short.
    fn value(&mut self, token: Token) -> mlua::Result<Value> {
        let mut open: Vec<Container> = Vec::new();
        let mut token = token;
        loop {
            let mut value = match token {
                Token::Text(text) => Value::String(self.args.lua.create_string(text)?),
                Token::Number(number) => Value::Number(number),
                Token::Boolean(truth) => Value::Boolean(truth),
                Token::Null if self.settings.null_is_nil => Value::Nil,
                Token::Null => Value::NULL,
                Token::ObjectBegin => {
                    let table = self.begin(open.len())?;
                    match self.next() {
                        Token::ObjectEnd => Value::Table(table),
                        first => {
                            let key = self.key(first)?;
                            open.push(Container {
                                table,
                                key,
                                length: 0,
                            });
                            token = self.next();
                            continue;
                        }
                    }
                }
                Token::ArrayBegin => {
                    let table = self.begin(open.len())?;
                    if self.settings.array_metatable {
                        table.set_metatable(Some(self.array_metatable.clone()))?;
                    }
                    match self.next() {
                        Token::ArrayEnd => Value::Table(table),
                        first => {
                            open.push(Container {
                                table,
                                key: None,
                                length: 0,
                            });
                            token = first;
                            continue;
                        }
                    }
                }
                other => return Err(self.expected("value", &other).into()),
            };
            // The value may end the tables it stands in.
            loop {
                let Some(container) = open.last_mut() else {
                    return Ok(value);
                };
                container.put(value)?;
                let is_object = container.key.is_some();
                match (self.next(), is_object) {
                    (Token::ObjectEnd, true) | (Token::ArrayEnd, false) => {
                        value = match open.pop() {
                            Some(container) => Value::Table(container.table),
                            None => Value::Nil,
                        };
                    }
                    (Token::Comma, true) => {
                        let first = self.next();
                        let key = self.key(first)?;
                        if let Some(container) = open.last_mut() {
                            container.key = key;
                        }
                        token = self.next();
                        break;
                    }
                    (Token::Comma, false) => {
                        token = self.next();
                        break;
                    }
                    (other, true) => {
                        return Err(self.expected("comma or object end", &other).into());
                    }
                    (other, false) => {
                        return Err(self.expected("comma or array end", &other).into());
                    }
                }
            }
        }
    }

    fn begin(&self, depth: usize) -> mlua::Result<Table> {
        let depth = i64::try_from(depth).unwrap_or(i64::MAX) + 1;
        if depth > self.settings.decode_depth.min(DEEPEST) {
            return Err(self
                .args
                .error(format!(
                    "Found too many nested data structures ({depth}) at character {}",
                    self.at
                ))
                .into());
        }
        self.args.lua.create_table()
    }

    /// A key with the colon behind it.
    fn key(&mut self, token: Token) -> mlua::Result<Option<LuaString>> {
        let Token::Text(key) = token else {
            return Err(self.expected("object key string", &token).into());
        };
        match self.next() {
            Token::Colon => self.args.lua.create_string(key).map(Some),
            other => Err(self.expected("colon", &other).into()),
        }
    }
}

/// A table that is being filled: an object, whose key waits for its value, or an array.
struct Container {
    table: Table,
    key: Option<LuaString>,
    length: i64,
}

impl Container {
    fn put(&mut self, value: Value) -> mlua::Result<()> {
        match &self.key {
            Some(key) => self.table.raw_set(key, value),
            // Where null is nil, what follows it moves up.
            None if value.is_nil() => Ok(()),
            None => {
                self.length += 1;
                self.table.raw_set(self.length, value)
            }
        }
    }
}
