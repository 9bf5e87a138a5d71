//! From commands to HTTP requests: JSON where the arguments are text, a path and a raw body where
//! one of them is not.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_encode};
use scenarios::ClientError;
use scenarios::client::Command;

/// Everything but the characters that no part of a URL gives a meaning to.
const RESERVED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'~');

/// A POST request to the REST API.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Request {
    /// Path and query, to be put behind the base URL.
    pub(crate) path: String,
    pub(crate) content_type: &'static str,
    pub(crate) body: Vec<u8>,
}

impl Request {
    /// One command: `["SET","key","value"]` in the body.
    ///
    /// JSON cannot carry bytes that are not UTF-8. A command with such an argument goes by path,
    /// and the last such argument as the raw body, which is binary safe; what follows it becomes
    /// query parameters (Upstash docs, REST API).
    pub(crate) fn command(command: &Command) -> Result<Self, ClientError> {
        if command.is_empty() {
            return Err(ClientError::NotSent(
                "there is no command to send".to_owned(),
            ));
        }
        match strings(command) {
            Some(arguments) => Ok(Request {
                path: "/".to_owned(),
                content_type: "application/json",
                body: json(&arguments),
            }),
            None => by_path(command),
        }
    }

    /// Several commands at once, to `/pipeline` or `/multi-exec`.
    pub(crate) fn batch(path: &str, commands: &[Command]) -> Result<Self, ClientError> {
        let all: Option<Vec<Vec<&str>>> = commands.iter().map(strings).collect();
        let all = all.ok_or_else(|| {
            ClientError::Unsupported(format!(
                "an argument is not UTF-8: JSON cannot carry it, and {path} takes JSON only"
            ))
        })?;
        Ok(Request {
            path: path.to_owned(),
            content_type: "application/json",
            body: json(&all),
        })
    }
}

/// A segment of a path, every byte of which arrives.
pub(crate) fn segment(bytes: &[u8]) -> Result<String, ClientError> {
    if bytes.is_empty() || bytes == b"." || bytes == b".." {
        return Err(ClientError::Unsupported(
            "an argument is empty, '.' or '..', which HTTP servers drop from a path, and another \
             is not UTF-8, which JSON cannot carry"
                .to_owned(),
        ));
    }
    Ok(percent_encode(bytes, RESERVED).to_string())
}

fn strings(command: &Command) -> Option<Vec<&str>> {
    command
        .iter()
        .map(|argument| std::str::from_utf8(argument).ok())
        .collect()
}

fn json<T: serde::Serialize>(value: &T) -> Vec<u8> {
    // Lists of strings have no way to fail.
    serde_json::to_vec(value).unwrap_or_default()
}

fn by_path(command: &Command) -> Result<Request, ClientError> {
    let last = command
        .iter()
        .rposition(|argument| std::str::from_utf8(argument).is_err())
        .unwrap_or(command.len() - 1);
    if last == 0 {
        return Err(ClientError::Unsupported(
            "the command's name is not UTF-8, which REST has no way to send".to_owned(),
        ));
    }
    let mut path = String::new();
    for argument in &command[..last] {
        path.push('/');
        path.push_str(&segment(argument)?);
    }
    for (index, pair) in command[last + 1..].chunks(2).enumerate() {
        if pair[0] == b"_token" {
            return Err(ClientError::Unsupported(
                "the argument '_token' would be taken for a token in the URL".to_owned(),
            ));
        }
        path.push(if index == 0 { '?' } else { '&' });
        path.push_str(&percent_encode(&pair[0], RESERVED).to_string());
        if let Some(value) = pair.get(1) {
            path.push('=');
            path.push_str(&percent_encode(value, RESERVED).to_string());
        }
    }
    Ok(Request {
        path,
        content_type: "application/octet-stream",
        body: command[last].clone(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn command(arguments: &[&[u8]]) -> Command {
        arguments.iter().map(|argument| argument.to_vec()).collect()
    }

    #[test]
    fn text_goes_as_json() {
        let request = Request::command(&command(&[b"SET", b"a/b %", b"\"\n"])).unwrap();
        assert_eq!(request.path, "/");
        assert_eq!(request.body, br#"["SET","a/b %","\"\n"]"#);
    }

    #[test]
    fn bytes_go_as_the_body() {
        let request =
            Request::command(&command(&[b"SET", b"a/b", b"\xff\0", b"EX", b"10"])).unwrap();
        assert_eq!(request.path, "/SET/a%2Fb?EX=10");
        assert_eq!(request.body, b"\xff\0");
        let bare = Request::command(&command(&[b"SET", b"k", b"\xff", b"NX"])).unwrap();
        assert_eq!(bare.path, "/SET/k?NX");
        let two = Request::command(&command(&[b"MSET", b"\xfe", b"1", b"b", b"\xff"])).unwrap();
        assert_eq!(two.path, "/MSET/%FE/1/b");
    }

    #[test]
    fn what_a_path_would_lose_is_refused() {
        for lost in [&b""[..], b".", b".."] {
            let refused = Request::command(&command(&[b"SET", lost, b"\xff"]));
            assert!(
                matches!(refused, Err(ClientError::Unsupported(_))),
                "{lost:?}"
            );
        }
        assert!(matches!(
            Request::batch("/pipeline", &[command(&[b"SET", b"k", b"\xff"])]),
            Err(ClientError::Unsupported(_))
        ));
        assert!(matches!(
            Request::command(&Vec::new()),
            Err(ClientError::NotSent(_))
        ));
    }
}
