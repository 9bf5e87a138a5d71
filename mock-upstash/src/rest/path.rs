//! Commands in a request's path and query: `/set/key/value?EX=10`.

use bytes::Bytes;
use percent_encoding::percent_decode;

/// A path's segments, percent-decoded one by one, so that `%2F` stays within its argument. Empty
/// segments are dropped, as Go's path cleaning does.
pub(crate) fn segments(path: &str) -> Vec<Bytes> {
    path.split('/')
        .filter(|segment| !segment.is_empty())
        .map(|segment| decode(segment.as_bytes(), false))
        .collect()
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
            segments("/set/a%2Fb/%00%ff+"),
            ["set".into(), "a/b".into(), Bytes::from_static(b"\x00\xff+")]
        );
        assert_eq!(segments("//get//k/"), ["get", "k"]);
        assert_eq!(segments("/get/%zz%"), ["get", "%zz%"]);
    }

    #[test]
    fn parameters_follow_as_name_and_value() {
        let (token, arguments) = query("EX=100&_token=t%20t&NX&a+b=c%2B");
        assert_eq!(token.as_deref(), Some(b"t t".as_slice()));
        assert_eq!(arguments, ["EX", "100", "NX", "a b", "c+"]);
    }
}
