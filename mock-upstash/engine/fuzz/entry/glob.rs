//! A glob pattern, and behind the first line end the text it is tried on: nothing panics or takes long.

use redis_engine::glob;

pub(crate) fn run(input: &[u8]) {
    let at = input.iter().position(|byte| *byte == b'\n');
    let (pattern, text) = input.split_at(at.unwrap_or(input.len()));
    glob::matches(pattern, text.get(1..).unwrap_or_default());
}
