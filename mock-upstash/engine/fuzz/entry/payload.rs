//! The body of a DUMP payload: nothing panics, and what is read is a value like any other: it survives
//! its own dump.

use redis_engine::dump;

pub(crate) fn run(body: &[u8]) {
    if let Ok(value) = dump::restore_body(body) {
        assert!(!value.is_empty_collection(), "{}", body.escape_ascii());
        let payload = dump::dump(&value);
        let again = dump::restore(&payload).map(|value| dump::dump(&value));
        assert_eq!(again.as_ref(), Ok(&payload), "{}", body.escape_ascii());
    }
}
