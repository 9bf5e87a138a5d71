//! The libraries that scripts find beside Lua's own.

mod argument;
mod binary;
mod bit;
mod cjson;
mod cjson_reader;
mod cmsgpack;
mod pattern;
pub(crate) mod string;

use mlua::{Lua, Table};

use crate::dialect::Dialect;

/// Every library by its name.
pub(crate) fn all(lua: &Lua, dialect: Dialect) -> mlua::Result<Table> {
    let libraries = lua.create_table()?;
    libraries.raw_set("bit", bit::library(lua)?)?;
    libraries.raw_set("cjson", cjson::library(lua, dialect)?)?;
    libraries.raw_set("cmsgpack", cmsgpack::library(lua)?)?;
    libraries.raw_set("struct", binary::library(lua)?)?;
    Ok(libraries)
}
