//! Walks over cursors.

use scenarios::Reply;
use scenarios::cursor::Cursor;

fn command(words: &[&str]) -> Vec<Vec<u8>> {
    words.iter().map(|word| word.as_bytes().to_vec()).collect()
}

fn bulk(text: &str) -> Reply {
    Reply::Bulk(text.as_bytes().to_vec())
}

fn page(cursor: &str, elements: &[&str]) -> Reply {
    let elements = elements.iter().map(|text| bulk(text)).collect();
    Reply::Array(vec![bulk(cursor), Reply::Array(elements)])
}

#[test]
fn follows_the_cursor_and_keeps_each_element_once() {
    let mut cursor = Cursor::new(command(&["SCAN", "0", "MATCH", "p*"]));
    assert_eq!(cursor.take(page("17", &["p1", "p2"])), None);
    assert_eq!(*cursor.command(), command(&["SCAN", "17", "MATCH", "p*"]));
    let all = cursor.take(page("0", &["p2", "p3"]));
    assert_eq!(
        all,
        Some(Reply::Array(vec![bulk("p1"), bulk("p2"), bulk("p3")]))
    );
}

#[test]
fn keeps_pairs_of_a_hash_together() {
    let mut cursor = Cursor::new(command(&["hscan", "h", "0"]));
    assert_eq!(cursor.take(page("3", &["f", "x", "g", "x"])), None);
    assert_eq!(*cursor.command(), command(&["hscan", "h", "3"]));
    let all = cursor.take(page("0", &["f", "x"]));
    assert_eq!(
        all,
        Some(Reply::Array(vec![
            bulk("f"),
            bulk("x"),
            bulk("g"),
            bulk("x")
        ]))
    );
}

#[test]
fn takes_fields_without_values_one_by_one() {
    let mut cursor = Cursor::new(command(&["HSCAN", "h", "0", "NOVALUES"]));
    let all = cursor.take(page("0", &["f", "g", "f"]));
    assert_eq!(all, Some(Reply::Array(vec![bulk("f"), bulk("g")])));
}

#[test]
fn hands_on_what_is_no_cursor() {
    let error = Reply::Error("WRONGTYPE …".to_owned());
    let mut cursor = Cursor::new(command(&["SSCAN", "s", "0"]));
    assert_eq!(cursor.take(error.clone()), Some(error));
}

#[test]
fn gives_up_on_a_cursor_that_never_returns() {
    let mut cursor = Cursor::new(command(&["SSCAN", "s", "0"]));
    let last = (0..scenarios::cursor::MOST_CALLS).find_map(|_| cursor.take(page("1", &[])));
    assert!(last.is_some_and(|reply| reply.is_error()));
}
