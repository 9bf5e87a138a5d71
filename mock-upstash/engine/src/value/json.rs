//! A JSON document, with integers and other numbers kept apart and members in their order.

use indexmap::IndexMap;

/// A JSON document.
#[derive(Debug, Clone, PartialEq)]
pub enum Json {
    /// `null`
    Null,
    /// `true` or `false`
    Boolean(bool),
    /// A number without point and exponent that 64 bits hold.
    Integer(i64),
    /// Any other number.
    Number(f64),
    /// A string.
    String(String),
    /// An array.
    Array(Vec<Json>),
    /// An object, its members in the order in which they came.
    Object(IndexMap<String, Json>),
}

/// How a document is written out.
#[derive(Debug, Clone, Default)]
pub struct Layout {
    /// In front of a member, once for each level.
    pub indent: String,
    /// Behind a member and an opening bracket.
    pub newline: String,
    /// Between a name and its value.
    pub space: String,
}

impl Json {
    /// Reads a document.
    ///
    /// # Errors
    /// With what is wrong and where: `expected value at line 1 column 1`. Nesting deeper than 128 is
    /// refused, as RedisJSON does.
    pub fn parse(text: &[u8]) -> Result<Json, String> {
        let value: serde_json::Value =
            serde_json::from_slice(text).map_err(|error| error.to_string())?;
        Ok(Json::from(value))
    }

    /// The name of its type, as JSON.TYPE answers it.
    pub const fn type_name(&self) -> &'static str {
        match self {
            Json::Null => "null",
            Json::Boolean(_) => "boolean",
            Json::Integer(_) => "integer",
            Json::Number(_) => "number",
            Json::String(_) => "string",
            Json::Array(_) => "array",
            Json::Object(_) => "object",
        }
    }

    /// The number it is.
    pub const fn as_number(&self) -> Option<f64> {
        match self {
            Json::Integer(number) => Some(*number as f64),
            Json::Number(number) => Some(*number),
            _ => None,
        }
    }

    /// Writes it without spaces.
    pub fn to_text(&self) -> String {
        let mut text = String::new();
        self.write(&mut text, &Layout::default(), 0);
        text
    }

    /// Writes it with a layout.
    pub fn to_text_with(&self, layout: &Layout) -> String {
        let mut text = String::new();
        self.write(&mut text, layout, 0);
        text
    }

    fn write(&self, text: &mut String, layout: &Layout, depth: usize) {
        match self {
            Json::Null => text.push_str("null"),
            Json::Boolean(truth) => text.push_str(if *truth { "true" } else { "false" }),
            Json::Integer(number) => text.push_str(&number.to_string()),
            Json::Number(number) => text.push_str(&write_number(*number)),
            Json::String(string) => write_string(text, string),
            Json::Array(items) => {
                let members = items.iter().map(|item| (None, item));
                write_members(text, layout, depth, ('[', ']'), members);
            }
            Json::Object(members) => {
                let members = members.iter().map(|(name, value)| (Some(name), value));
                write_members(text, layout, depth, ('{', '}'), members);
            }
        }
    }

    /// How many bytes it takes, roughly.
    pub fn memory(&self) -> usize {
        let inner = match self {
            Json::String(string) => string.len(),
            Json::Array(items) => items.iter().map(Json::memory).sum(),
            Json::Object(members) => members
                .iter()
                .map(|(name, value)| name.len() + 24 + value.memory())
                .sum(),
            _ => 0,
        };
        8 + inner
    }

    /// Merges a patch into it, as RFC 7396 says: null takes a member out.
    pub fn merge(&mut self, patch: Json) {
        let Json::Object(patch) = patch else {
            *self = patch;
            return;
        };
        if !matches!(self, Json::Object(_)) {
            *self = Json::Object(IndexMap::new());
        }
        let Json::Object(members) = self else {
            return;
        };
        for (name, value) in patch {
            if value == Json::Null {
                members.shift_remove(&name);
            } else {
                members.entry(name).or_insert(Json::Null).merge(value);
            }
        }
    }
}

/// `1.0`, `0.5`, `1e21`: the shortest digits, an exponent without a plus.
fn write_number(number: f64) -> String {
    let text = serde_json::to_string(&number).unwrap_or_else(|_| "null".to_owned());
    text.replace("e+", "e")
}

fn write_string(text: &mut String, string: &str) {
    // Writing a string as JSON cannot fail.
    text.push_str(&serde_json::to_string(string).unwrap_or_default());
}

fn write_members<'a>(
    text: &mut String,
    layout: &Layout,
    depth: usize,
    (open, close): (char, char),
    members: impl ExactSizeIterator<Item = (Option<&'a String>, &'a Json)>,
) {
    text.push(open);
    let count = members.len();
    for (index, (name, value)) in members.enumerate() {
        text.push_str(&layout.newline);
        text.push_str(&layout.indent.repeat(depth + 1));
        if let Some(name) = name {
            write_string(text, name);
            text.push(':');
            text.push_str(&layout.space);
        }
        value.write(text, layout, depth + 1);
        if index + 1 < count {
            text.push(',');
        } else {
            text.push_str(&layout.newline);
            text.push_str(&layout.indent.repeat(depth));
        }
    }
    text.push(close);
}

impl From<serde_json::Value> for Json {
    fn from(value: serde_json::Value) -> Json {
        match value {
            serde_json::Value::Null => Json::Null,
            serde_json::Value::Bool(truth) => Json::Boolean(truth),
            serde_json::Value::Number(number) => match number.as_i64() {
                Some(number) => Json::Integer(number),
                None => Json::Number(number.as_f64().unwrap_or(f64::MAX)),
            },
            serde_json::Value::String(string) => Json::String(string),
            serde_json::Value::Array(items) => {
                Json::Array(items.into_iter().map(Json::from).collect())
            }
            serde_json::Value::Object(members) => Json::Object(
                members
                    .into_iter()
                    .map(|(name, value)| (name, Json::from(value)))
                    .collect(),
            ),
        }
    }
}
