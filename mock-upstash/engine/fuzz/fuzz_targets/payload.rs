//! Any bytes as a DUMP payload: nothing panics, and what is read survives its own dump.
#![no_main]

use libfuzzer_sys::fuzz_target;
use redis_engine::dump;

fuzz_target!(|body: &[u8]| {
    if let Ok(value) = dump::restore_body(body) {
        let payload = dump::dump(&value);
        let again = dump::restore(&payload).map(|value| dump::dump(&value));
        assert_eq!(again, Ok(payload));
    }
});
