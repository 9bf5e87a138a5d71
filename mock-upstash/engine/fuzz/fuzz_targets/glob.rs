//! See `entry/glob.rs`.
#![no_main]

use libfuzzer_sys::fuzz_target;

#[path = "../entry/glob.rs"]
mod entry;

fuzz_target!(|input: &[u8]| entry::run(input));
