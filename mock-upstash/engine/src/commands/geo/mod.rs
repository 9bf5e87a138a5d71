//! Geo commands. Positions are sorted sets whose scores are geohashes of 52 bits.

mod hash;
mod member;
mod search;
mod shape;

use crate::command::{Command, Flags, Group};
use crate::error::ReplyError;

/// Rows of the command table.
pub const COMMANDS: &[Command] = &[
    row("GEOADD", -5, member::geoadd)
        .flags(&[Flags::WRITE, Flags::DENYOOM])
        .keys(1, 1, 1)
        .since("3.2.0"),
    row("GEODIST", -4, member::geodist)
        .flags(&[Flags::READONLY])
        .keys(1, 1, 1)
        .since("3.2.0"),
    row("GEOHASH", -2, member::geohash)
        .flags(&[Flags::READONLY])
        .keys(1, 1, 1)
        .since("3.2.0"),
    row("GEOPOS", -2, member::geopos)
        .flags(&[Flags::READONLY])
        .keys(1, 1, 1)
        .since("3.2.0"),
    row("GEORADIUS", -6, search::georadius)
        .flags(&[Flags::WRITE, Flags::DENYOOM])
        .custom_keys(1, search::radius_keys)
        .since("3.2.0"),
    row("GEORADIUS_RO", -6, search::georadius_ro)
        .flags(&[Flags::READONLY])
        .keys(1, 1, 1)
        .since("3.2.10"),
    row("GEORADIUSBYMEMBER", -5, search::georadiusbymember)
        .flags(&[Flags::WRITE, Flags::DENYOOM])
        .custom_keys(1, search::radius_by_member_keys)
        .since("3.2.0"),
    row("GEORADIUSBYMEMBER_RO", -5, search::georadiusbymember_ro)
        .flags(&[Flags::READONLY])
        .keys(1, 1, 1)
        .since("3.2.10"),
    row("GEOSEARCH", -7, search::geosearch)
        .flags(&[Flags::READONLY])
        .keys(1, 1, 1)
        .since("6.2.0"),
    row("GEOSEARCHSTORE", -8, search::geosearchstore)
        .flags(&[Flags::WRITE, Flags::DENYOOM])
        .keys(1, 2, 1)
        .since("6.2.0"),
];

const fn row(name: &'static str, arity: i16, handler: crate::command::Handler) -> Command {
    Command::new(Group::Geo, name, arity, handler)
}

/// Metres in a unit that clients name.
fn metres(unit: &[u8]) -> Result<f64, ReplyError> {
    let units: [(&[u8], f64); 4] = [
        (b"m", 1.0),
        (b"km", 1000.0),
        (b"ft", 0.3048),
        (b"mi", 1609.34),
    ];
    units
        .into_iter()
        .find(|(name, _)| unit.eq_ignore_ascii_case(name))
        .map(|(_, metres)| metres)
        .ok_or(ReplyError::fixed(
            "ERR unsupported unit provided. please use M, KM, FT, MI",
        ))
}
