//! Arguments of library functions, checked and refused as Lua's own auxiliary library does.

use mlua::{Lua, LuaString, MultiValue, Value};

use crate::script::conversion::truncated;
use crate::script::failure::{Failure, text_of};

/// The arguments of one call.
pub(super) struct Arguments<'a> {
    pub(super) lua: &'a Lua,
    values: &'a MultiValue,
    /// The level of the stack on which the function stands that scripts called.
    level: usize,
}

impl<'a> Arguments<'a> {
    pub(super) fn new(lua: &'a Lua, values: &'a MultiValue) -> Self {
        Arguments::below(lua, values, 0)
    }

    /// For a function that one of ours calls, which stands so many levels below.
    pub(super) fn below(lua: &'a Lua, values: &'a MultiValue, level: usize) -> Self {
        Arguments { lua, values, level }
    }

    pub(super) fn len(&self) -> usize {
        self.values.len()
    }

    /// The argument at a place, counted from 1.
    pub(super) fn get(&self, index: usize) -> Option<&'a Value> {
        self.values.get(index.checked_sub(1)?)
    }

    pub(super) fn is_absent(&self, index: usize) -> bool {
        self.get(index).is_none_or(Value::is_nil)
    }

    pub(super) fn refuse(&self, index: usize, why: impl AsRef<[u8]>) -> Failure {
        Failure::bad_argument_at(self.lua, self.level, index, why)
    }

    fn wrong_type(&self, index: usize, wanted: &str) -> Failure {
        let given = match self.get(index) {
            None => "no value",
            Some(Value::Integer(_)) => "number",
            Some(Value::LightUserData(_) | Value::Error(_)) => "userdata",
            Some(value) => value.type_name(),
        };
        self.refuse(index, format!("{wanted} expected, got {given}"))
    }

    /// `luaL_checklstring`
    pub(super) fn text(&self, index: usize) -> Result<LuaString, Failure> {
        self.get(index)
            .and_then(|value| text_of(self.lua, value))
            .ok_or_else(|| self.wrong_type(index, "string"))
    }

    /// `luaL_checknumber`
    pub(super) fn number(&self, index: usize) -> Result<f64, Failure> {
        let number = match self.get(index) {
            Some(Value::Integer(number)) => Some(*number as f64),
            Some(Value::Number(number)) => Some(*number),
            Some(text @ Value::String(_)) => self.lua.coerce_number(text.clone()).ok().flatten(),
            _ => None,
        };
        number.ok_or_else(|| self.wrong_type(index, "number"))
    }

    /// `luaL_optinteger`
    pub(super) fn integer_or(&self, index: usize, default: i64) -> Result<i64, Failure> {
        if self.is_absent(index) {
            return Ok(default);
        }
        self.number(index).map(truncated)
    }

    /// `luaL_error`
    pub(super) fn error(&self, text: impl AsRef<[u8]>) -> Failure {
        Failure::located_at(self.lua, self.level + 1, text)
    }
}
