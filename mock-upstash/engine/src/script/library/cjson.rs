//! `cjson`: its settings, and writing. Reading is in `cjson_reader`.

use std::collections::HashSet;
use std::sync::{Arc, Mutex, PoisonError};

use mlua::{Lua, MultiValue, Table, Value};

use super::argument::Arguments;
use super::cjson_reader::Reader;
use crate::dialect::{Dialect, Quirk};
use crate::number;
use crate::script::failure::Failure;

/// Deeper than this, neither side goes, whatever the settings say.
pub(super) const DEEPEST: i64 = 1000;

/// What scripts can set; it stays set for the scripts that follow.
#[derive(Debug, Clone, Copy)]
pub(super) struct Settings {
    sparse_convert: bool,
    sparse_ratio: i64,
    sparse_safe: i64,
    encode_depth: i64,
    pub(super) decode_depth: i64,
    precision: i64,
    keep_buffer: bool,
    encode_invalid: Invalid,
    pub(super) decode_invalid: bool,
    pub(super) array_metatable: bool,
    /// Upstash's ways with empty tables, with null, and with a table that is there twice.
    empty_is_array: bool,
    pub(super) null_is_nil: bool,
    refuses_shared: bool,
    /// Numbers have all their digits.
    all_digits: bool,
    /// A table is a list without holes, or has text keys alone.
    strict_keys: bool,
}

/// What becomes of numbers that JSON does not have.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Invalid {
    Refused,
    Written,
    Null,
}

impl Settings {
    fn new(dialect: Dialect) -> Self {
        Settings {
            sparse_convert: false,
            sparse_ratio: 2,
            sparse_safe: 10,
            encode_depth: DEEPEST,
            decode_depth: DEEPEST,
            precision: 14,
            keep_buffer: true,
            encode_invalid: Invalid::Refused,
            decode_invalid: true,
            array_metatable: false,
            empty_is_array: dialect.has(Quirk::CjsonEmptyTable),
            null_is_nil: dialect.has(Quirk::CjsonNull),
            refuses_shared: dialect.has(Quirk::CjsonSharedTable),
            all_digits: dialect.has(Quirk::CjsonNumber),
            strict_keys: dialect.has(Quirk::CjsonSparseList),
        }
    }
}

type Shared = Arc<Mutex<Settings>>;

fn now(settings: &Shared) -> Settings {
    *settings.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The library, with settings of its own.
pub(super) fn library(lua: &Lua, dialect: Dialect) -> mlua::Result<Table> {
    let cjson = lua.create_table()?;
    let settings: Shared = Arc::new(Mutex::new(Settings::new(dialect)));
    // Arrays that were read with `decode_array_with_array_mt` carry it, so that an empty one is
    // written as an array again.
    let array_metatable = lua.create_table()?;

    let (shared, mark) = (Arc::clone(&settings), array_metatable.clone());
    cjson.raw_set(
        "encode",
        lua.create_function(move |lua, values: MultiValue| {
            encode(lua, &values, now(&shared), &mark)
        })?,
    )?;
    let (shared, mark) = (Arc::clone(&settings), array_metatable);
    cjson.raw_set(
        "decode",
        lua.create_function(move |lua, values: MultiValue| {
            let args = Arguments::new(lua, &values);
            if args.len() != 1 {
                return Err(args.refuse(1, "expected 1 argument").into());
            }
            let text = args.text(1)?;
            let text = text.as_bytes();
            Reader::read(&args, &text, now(&shared), &mark)
        })?,
    )?;
    for (name, set) in SETTERS {
        let shared = Arc::clone(&settings);
        let function = lua.create_function(move |lua, values: MultiValue| {
            let args = Arguments::new(lua, &values);
            let mut settings = now(&shared);
            // What was set before a bad argument stays set.
            let shown = set(&mut settings, &args);
            *shared.lock().unwrap_or_else(PoisonError::into_inner) = settings;
            Ok(MultiValue::from_vec(shown?))
        })?;
        cjson.raw_set(*name, function)?;
    }
    cjson.raw_set(
        "new",
        lua.create_function(move |lua, _: MultiValue| library(lua, dialect))?,
    )?;
    if !dialect.has(Quirk::CjsonNull) {
        cjson.raw_set("null", Value::NULL)?;
    }
    cjson.raw_set("_NAME", "cjson")?;
    cjson.raw_set("_VERSION", "2.1.0")?;
    Ok(cjson)
}

type Setter = fn(&mut Settings, &Arguments<'_>) -> Result<Vec<Value>, Failure>;

const SETTERS: &[(&str, Setter)] = &[
    ("encode_sparse_array", |settings, args| {
        at_most(args, 3)?;
        if !args.is_absent(1) {
            settings.sparse_convert = truth(args, 1)?;
        }
        number_setting(&mut settings.sparse_ratio, args, 2, 0, i64::from(i32::MAX))?;
        number_setting(&mut settings.sparse_safe, args, 3, 0, i64::from(i32::MAX))?;
        Ok(vec![
            Value::Boolean(settings.sparse_convert),
            Value::Integer(settings.sparse_ratio),
            Value::Integer(settings.sparse_safe),
        ])
    }),
    ("encode_max_depth", |settings, args| {
        one_number(&mut settings.encode_depth, args, i64::from(i32::MAX))
    }),
    ("decode_max_depth", |settings, args| {
        one_number(&mut settings.decode_depth, args, i64::from(i32::MAX))
    }),
    ("encode_number_precision", |settings, args| {
        one_number(&mut settings.precision, args, 14)
    }),
    ("encode_keep_buffer", |settings, args| {
        one_truth(&mut settings.keep_buffer, args)
    }),
    ("decode_invalid_numbers", |settings, args| {
        one_truth(&mut settings.decode_invalid, args)
    }),
    ("decode_array_with_array_mt", |settings, args| {
        one_truth(&mut settings.array_metatable, args)
    }),
    ("encode_invalid_numbers", |settings, args| {
        at_most(args, 1)?;
        if !args.is_absent(1) {
            settings.encode_invalid = match args.get(1) {
                Some(Value::Boolean(false)) => Invalid::Refused,
                Some(Value::Boolean(true)) => Invalid::Written,
                _ => match &*args.text(1)?.as_bytes() {
                    b"off" => Invalid::Refused,
                    b"on" => Invalid::Written,
                    b"null" => Invalid::Null,
                    other => {
                        let why = format!("invalid option '{}'", String::from_utf8_lossy(other));
                        return Err(args.refuse(1, &why));
                    }
                },
            };
        }
        Ok(vec![match settings.encode_invalid {
            Invalid::Refused => Value::Boolean(false),
            Invalid::Written => Value::Boolean(true),
            Invalid::Null => match args.lua.create_string("null") {
                Ok(text) => Value::String(text),
                Err(_) => Value::Nil,
            },
        }])
    }),
];

fn at_most(args: &Arguments<'_>, count: usize) -> Result<(), Failure> {
    if args.len() > count {
        return Err(args.refuse(count + 1, "found too many arguments"));
    }
    Ok(())
}

fn number_setting(
    setting: &mut i64,
    args: &Arguments<'_>,
    index: usize,
    least: i64,
    most: i64,
) -> Result<(), Failure> {
    if !args.is_absent(index) {
        let number = args.number(index)? as i64;
        if number < least || number > most {
            let why = format!("expected integer between {least} and {most}");
            // The original blames the first argument, whichever it is.
            return Err(args.refuse(1, &why));
        }
        *setting = number;
    }
    Ok(())
}

fn one_number(setting: &mut i64, args: &Arguments<'_>, most: i64) -> Result<Vec<Value>, Failure> {
    at_most(args, 1)?;
    number_setting(setting, args, 1, 1, most)?;
    Ok(vec![Value::Integer(*setting)])
}

fn truth(args: &Arguments<'_>, index: usize) -> Result<bool, Failure> {
    if let Some(Value::Boolean(truth)) = args.get(index) {
        return Ok(*truth);
    }
    match &*args.text(index)?.as_bytes() {
        b"on" => Ok(true),
        b"off" => Ok(false),
        other => {
            let why = format!("invalid option '{}'", String::from_utf8_lossy(other));
            Err(args.refuse(index, &why))
        }
    }
}

fn one_truth(setting: &mut bool, args: &Arguments<'_>) -> Result<Vec<Value>, Failure> {
    at_most(args, 1)?;
    if !args.is_absent(1) {
        *setting = truth(args, 1)?;
    }
    Ok(vec![Value::Boolean(*setting)])
}

fn encode(
    lua: &Lua,
    values: &MultiValue,
    settings: Settings,
    array_metatable: &Table,
) -> mlua::Result<MultiValue> {
    let args = Arguments::new(lua, values);
    let Some(value) = args.get(1).filter(|_| args.len() == 1) else {
        return Err(args.refuse(1, "expected 1 argument").into());
    };
    let mut writer = Writer {
        args: &args,
        settings,
        array_metatable,
        seen: HashSet::new(),
        refusal: None,
        out: Vec::new(),
    };
    writer.value(value)?;
    if let Some(refusal) = writer.refusal {
        // Upstash's encoder answers nil and a text instead of raising an error.
        let text = lua.create_string(refusal)?;
        return Ok(MultiValue::from_vec(vec![Value::Nil, Value::String(text)]));
    }
    let text = lua.create_string(&writer.out)?;
    Ok(MultiValue::from_vec(vec![Value::String(text)]))
}

struct Writer<'a> {
    args: &'a Arguments<'a>,
    settings: Settings,
    array_metatable: &'a Table,
    seen: HashSet<usize>,
    /// Why Upstash's encoder gives up.
    refusal: Option<&'static str>,
    out: Vec<u8>,
}

impl Writer<'_> {
    fn refuse(&self, what: &str, why: &str) -> mlua::Error {
        self.args
            .error(format!("Cannot serialise {what}: {why}"))
            .into()
    }

    /// Writes a value. What is nested waits on a stack of its own, for the one of the thread may be
    /// short.
    fn value(&mut self, value: &Value) -> mlua::Result<()> {
        let mut open = Vec::new();
        self.begin(value, &mut open)?;
        while let Some(container) = open.last_mut() {
            let value = match container {
                Container::Array {
                    table,
                    next,
                    length,
                } if *next <= *length => {
                    if *next > 1 {
                        self.out.push(b',');
                    }
                    *next += 1;
                    table.raw_get(*next - 1)?
                }
                Container::Object { pairs, first } => match pairs.next() {
                    Some((key, value)) => {
                        if !std::mem::take(first) {
                            self.out.push(b',');
                        }
                        self.key(&key)?;
                        value
                    }
                    None => {
                        self.out.push(b'}');
                        open.pop();
                        continue;
                    }
                },
                Container::Array { .. } => {
                    self.out.push(b']');
                    open.pop();
                    continue;
                }
            };
            self.begin(&value, &mut open)?;
        }
        Ok(())
    }

    /// Writes a value, or the beginning of a table.
    fn begin(&mut self, value: &Value, open: &mut Vec<Container>) -> mlua::Result<()> {
        match value {
            Value::String(text) => self.text(&text.as_bytes()),
            Value::Integer(number) => self.number(*number as f64)?,
            Value::Number(number) => self.number(*number)?,
            Value::Boolean(true) => self.out.extend_from_slice(b"true"),
            Value::Boolean(false) => self.out.extend_from_slice(b"false"),
            Value::Nil => self.out.extend_from_slice(b"null"),
            value if *value == Value::NULL => self.out.extend_from_slice(b"null"),
            Value::Table(table) => {
                let depth = i64::try_from(open.len()).unwrap_or(i64::MAX) + 1;
                if let Some(container) = self.container(table, depth)? {
                    open.push(container);
                }
            }
            other => return Err(self.refuse(type_name(other), "type not supported")),
        }
        Ok(())
    }

    fn text(&mut self, text: &[u8]) {
        self.out.push(b'"');
        for &byte in text {
            let escape: &[u8] = match byte {
                b'"' => b"\\\"",
                b'\\' => b"\\\\",
                b'/' => b"\\/",
                8 => b"\\b",
                9 => b"\\t",
                10 => b"\\n",
                12 => b"\\f",
                13 => b"\\r",
                0..=31 | 127 => {
                    self.out
                        .extend_from_slice(format!("\\u{byte:04x}").as_bytes());
                    continue;
                }
                byte => {
                    self.out.push(byte);
                    continue;
                }
            };
            self.out.extend_from_slice(escape);
        }
        self.out.push(b'"');
    }

    fn number(&mut self, value: f64) -> mlua::Result<()> {
        if !value.is_finite() {
            match self.settings.encode_invalid {
                Invalid::Refused => return Err(self.refuse("number", "must not be NaN or Inf")),
                Invalid::Null => {
                    self.out.extend_from_slice(b"null");
                    return Ok(());
                }
                Invalid::Written if value.is_nan() => {
                    self.out.extend_from_slice(b"nan");
                    return Ok(());
                }
                Invalid::Written => {}
            }
        }
        if self.settings.all_digits && value.is_finite() {
            self.out.extend_from_slice(all_digits(value).as_bytes());
            return Ok(());
        }
        let precision = usize::try_from(self.settings.precision).unwrap_or(14);
        self.out
            .extend_from_slice(number::general(value, precision).as_bytes());
        Ok(())
    }

    fn container(&mut self, table: &Table, depth: i64) -> mlua::Result<Option<Container>> {
        if depth > self.settings.encode_depth.min(DEEPEST) {
            return Err(self
                .args
                .error(format!("Cannot serialise, excessive nesting ({depth})"))
                .into());
        }
        if self.settings.refuses_shared && !self.seen.insert(table.to_pointer() as usize) {
            self.refusal = Some("cannot encode recursively nested tables to JSON");
            return Ok(None);
        }
        if self.settings.strict_keys
            && let Some(refusal) = refused_keys(table)?
        {
            self.refusal = Some(refusal);
            return Ok(None);
        }
        let length = self.array_length(table)?;
        let is_empty_array = length == Some(0)
            && (self.settings.empty_is_array
                || table.metatable().as_ref() == Some(self.array_metatable));
        Ok(Some(match length {
            Some(length) if length > 0 || is_empty_array => {
                self.out.push(b'[');
                Container::Array {
                    table: table.clone(),
                    next: 1,
                    length,
                }
            }
            _ => {
                self.out.push(b'{');
                let pairs: Vec<_> = table.pairs().collect::<mlua::Result<_>>()?;
                Container::Object {
                    pairs: pairs.into_iter(),
                    first: true,
                }
            }
        }))
    }

    /// How long the array is that a table holds; `None` when it holds something else.
    fn array_length(&self, table: &Table) -> mlua::Result<Option<i64>> {
        let (mut highest, mut items) = (0i32, 0i64);
        for pair in table.pairs::<Value, Value>() {
            let index = match pair?.0 {
                Value::Integer(index) => index as f64,
                Value::Number(index) => index,
                _ => return Ok(None),
            };
            if index.floor() != index || index < 1.0 {
                return Ok(None);
            }
            // A C integer: an index that does not fit makes it negative, and the table an object.
            if index > f64::from(highest) {
                let fits = index <= f64::from(i32::MAX);
                highest = if fits { index as i32 } else { i32::MIN };
            }
            items += 1;
        }
        let Settings {
            sparse_ratio,
            sparse_safe,
            sparse_convert,
            ..
        } = self.settings;
        let highest = i64::from(highest);
        if sparse_ratio > 0 && highest > items.saturating_mul(sparse_ratio) && highest > sparse_safe
        {
            if !sparse_convert {
                return Err(self.refuse("table", "excessively sparse array"));
            }
            return Ok(None);
        }
        Ok(Some(highest))
    }

    fn key(&mut self, key: &Value) -> mlua::Result<()> {
        let number = match key {
            Value::String(key) => {
                self.text(&key.as_bytes());
                self.out.push(b':');
                return Ok(());
            }
            Value::Integer(key) => *key as f64,
            Value::Number(key) => *key,
            other => {
                return Err(self.refuse(type_name(other), "table key must be a number or string"));
            }
        };
        self.out.push(b'"');
        self.number(number)?;
        self.out.extend_from_slice(b"\":");
        Ok(())
    }
}

/// A number as Go's encoder writes it: the digits that tell the double, with an exponent where it is
/// very large or very small.
fn all_digits(value: f64) -> String {
    let size = value.abs();
    if size != 0.0 && !(1e-6..1e21).contains(&size) {
        let text = format!("{value:e}");
        return match text.split_once('e') {
            Some((digits, exponent)) if !exponent.starts_with('-') => {
                format!("{digits}e+{exponent}")
            }
            _ => text,
        };
    }
    value.to_string()
}

/// Why the keys of a table make neither a list without holes nor an object.
fn refused_keys(table: &Table) -> mlua::Result<Option<&'static str>> {
    let (mut numbers, mut texts, mut others, mut highest) = (0_u64, 0_u64, 0_u64, 0_f64);
    for pair in table.pairs::<Value, Value>() {
        match pair?.0 {
            Value::Integer(key) => {
                numbers += 1;
                highest = highest.max(key as f64);
            }
            Value::Number(key) => {
                numbers += 1;
                // A fraction makes a hole wherever it is.
                highest = highest.max(if key.fract() == 0.0 { key } else { f64::MAX });
            }
            Value::String(_) => texts += 1,
            _ => others += 1,
        }
    }
    Ok(if others > 0 || (numbers > 0 && texts > 0) {
        Some("cannot encode mixed or invalid key types")
    } else if highest != numbers as f64 {
        Some("cannot encode sparse array")
    } else {
        None
    })
}

/// A table that is being written.
enum Container {
    Array {
        table: Table,
        next: i64,
        length: i64,
    },
    Object {
        pairs: std::vec::IntoIter<(Value, Value)>,
        first: bool,
    },
}

/// The type of a value by Lua's own name, which has one for both kinds of userdata.
fn type_name(value: &Value) -> &'static str {
    match value {
        Value::LightUserData(_) => "userdata",
        value => value.type_name(),
    }
}
