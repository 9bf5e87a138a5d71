//! A path, and behind the first line end a JSON document, however deep: nothing panics, nothing takes
//! long, and a document that is read is written as one that reads the same.

use redis_engine::value::json::Json;
use redis_engine::value::json_path::Path;

pub(crate) fn run(input: &[u8]) {
    let at = input.iter().position(|byte| *byte == b'\n');
    let (path, document) = input.split_at(at.unwrap_or(input.len()));
    let path = std::str::from_utf8(path).ok().map(Path::parse);
    let Ok(document) = Json::parse(document.get(1..).unwrap_or_default()) else {
        return;
    };
    let text = document.to_text();
    let again = Json::parse(text.as_bytes()).map(|again| again.to_text());
    assert_eq!(again.as_ref(), Ok(&text));
    if let Some(Ok(path)) = path {
        for deepest_first in [false, true] {
            // A search that costs too much is refused, which is an answer.
            drop(path.places(&document, deepest_first));
        }
    }
}
