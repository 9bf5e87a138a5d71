//! Any bytes as a glob pattern and as the text it is tried on: nothing panics or takes long.
#![no_main]

use libfuzzer_sys::fuzz_target;
use redis_engine::glob;

fuzz_target!(|input: (&[u8], &[u8])| {
    let (pattern, text) = input;
    glob::matches(pattern, text);
});
