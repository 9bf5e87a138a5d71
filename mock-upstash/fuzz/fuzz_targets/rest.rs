//! Paths and JSON bodies, as an HTTP client could send them: `cargo +nightly fuzz run rest`.
#![no_main]

use libfuzzer_sys::fuzz_target;

#[path = "exchange.rs"]
mod exchange;

fuzz_target!(|input: (u8, String, Vec<u8>)| {
    let (way, path, body) = input;
    let path: String = path.chars().filter(|c| c.is_ascii_graphic()).collect();
    let path = match way % 4 {
        0 => "/".to_owned(),
        1 => "/pipeline".to_owned(),
        2 => "/multi-exec".to_owned(),
        _ => format!("/{path}"),
    };
    let head = format!(
        "POST {path} HTTP/1.1\r\nHost: x\r\nAuthorization: t\r\nConnection: close\r\nContent-Length: {}\r\n\r\n",
        body.len()
    );
    exchange::rest(&[head.as_bytes(), &body].concat());
});
