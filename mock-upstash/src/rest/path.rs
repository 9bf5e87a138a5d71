//! Commands in a request's path and query: `/set/key/value?EX=10`.

use bytes::Bytes;
use percent_encoding::percent_decode;

/// A path's segments, percent-decoded one by one, so that `%2F` stays within its argument. Empty
/// segments are dropped: the path form cannot carry an empty argument.
///
/// With `decode_first`, `%2F` ends an argument as a slash does.
pub(crate) fn segments(path: &str, decode_first: bool) -> Vec<Bytes> {
    if decode_first {
        let path = decode(path.as_bytes(), false);
        return path
            .split(|&byte| byte == b'/')
            .filter(|segment| !segment.is_empty())
            .map(|segment| path.slice_ref(segment))
            .collect();
    }
    path.split('/')
        .filter(|segment| !segment.is_empty())
        .map(|segment| decode(segment.as_bytes(), false))
        .collect()
}

/// Whether a path's segments ask for a stream of events.
pub(crate) fn opens_stream(segments: &[Bytes]) -> bool {
    let [first, rest @ ..] = segments else {
        return false;
    };
    let is = |name: &[u8]| first.eq_ignore_ascii_case(name);
    match rest.is_empty() {
        true => is(b"monitor"),
        false => is(b"subscribe") || is(b"psubscribe"),
    }
}

/// The path without empty, `.` and `..` segments, when it has any: Go's HTTP server redirects there.
pub(crate) fn cleaned(path: &str) -> Option<String> {
    let within = path.strip_prefix('/').unwrap_or(path);
    let trimmed = within.strip_suffix('/').unwrap_or(within);
    if trimmed.is_empty() && within.is_empty()
        || !trimmed.is_empty()
            && trimmed
                .split('/')
                .all(|part| !matches!(part, "" | "." | ".."))
    {
        return None;
    }
    let mut kept = Vec::new();
    for part in within.split('/') {
        match part {
            "" | "." => {}
            ".." => drop(kept.pop()),
            other => kept.push(other),
        }
    }
    let mut cleaned = format!("/{}", kept.join("/"));
    if path.ends_with('/') && cleaned != "/" {
        cleaned.push('/');
    }
    Some(cleaned)
}

/// A query as `(token, arguments)`: `_token` apart, each other parameter as its name and, where there
/// is a `=`, its value.
pub(crate) fn query(query: &str) -> (Option<Bytes>, Vec<Bytes>) {
    let mut token = None;
    let mut arguments = Vec::new();
    for parameter in query.split('&').filter(|parameter| !parameter.is_empty()) {
        let (name, value) = match parameter.split_once('=') {
            Some((name, value)) => (name, Some(value)),
            None => (parameter, None),
        };
        let name = decode(name.as_bytes(), true);
        let value = value.map(|value| decode(value.as_bytes(), true));
        if name == "_token" {
            token = value;
        } else {
            arguments.push(name);
            arguments.extend(value);
        }
    }
    (token, arguments)
}

fn decode(text: &[u8], plus_is_space: bool) -> Bytes {
    if plus_is_space && text.contains(&b'+') {
        let spaced: Vec<u8> = text
            .iter()
            .map(|&b| if b == b'+' { b' ' } else { b })
            .collect();
        return percent_decode(&spaced).collect::<Vec<u8>>().into();
    }
    percent_decode(text).collect::<Vec<u8>>().into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_segment_is_one_argument_whatever_it_holds() {
        assert_eq!(
            segments("/set/a%2Fb/%00%ff+", false),
            ["set".into(), "a/b".into(), Bytes::from_static(b"\x00\xff+")]
        );
        assert_eq!(segments("/get/k/", false), ["get", "k"]);
        assert_eq!(segments("/set/a%2Fb%2F", true), ["set", "a", "b"]);
        assert_eq!(segments("/get/%zz%", false), ["get", "%zz%"]);
    }

    #[test]
    fn unclean_paths_are_cleaned_as_go_does() {
        for clean in ["/", "/get/k", "/get/k/", "/get/%2F%2F", "", "/get/..."] {
            assert_eq!(cleaned(clean), None, "{clean}");
        }
        for (path, clean) in [
            ("//pipeline", "/pipeline"),
            ("//", "/"),
            ("/get//k", "/get/k"),
            ("/get//k/", "/get/k/"),
            ("/./get/../k", "/k"),
            ("/../../k//", "/k/"),
        ] {
            assert_eq!(cleaned(path).as_deref(), Some(clean), "{path}");
        }
    }

    #[test]
    fn parameters_follow_as_name_and_value() {
        let (token, arguments) = query("EX=100&_token=t%20t&NX&a+b=c%2B");
        assert_eq!(token.as_deref(), Some(b"t t".as_slice()));
        assert_eq!(arguments, ["EX", "100", "NX", "a b", "c+"]);
    }
}
