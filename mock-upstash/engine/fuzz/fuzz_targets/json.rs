//! See `entry/json.rs`.
#![no_main]

use libfuzzer_sys::fuzz_target;

#[path = "../entry/json.rs"]
mod entry;

fuzz_target!(|input: &[u8]| entry::run(input));
