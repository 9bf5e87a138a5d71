//! See `entry/lua_pattern.rs`.
#![no_main]

use libfuzzer_sys::fuzz_target;

#[path = "../entry/lua_pattern.rs"]
mod entry;

fuzz_target!(|input: &[u8]| entry::run(input));
