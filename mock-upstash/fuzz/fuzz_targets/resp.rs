//! Whatever bytes a Redis client could send: `cargo +nightly fuzz run resp`.
#![no_main]

use libfuzzer_sys::fuzz_target;

#[path = "exchange.rs"]
mod exchange;

fuzz_target!(|bytes: Vec<u8>| {
    exchange::resp(&[b"AUTH t\r\n", &bytes[..]].concat());
});
