//! Exchanges as bytes, made once before anything is timed, and answers read no further than needed.

use bytes::Bytes;
use scenarios::client::Command;

use super::script::Exchange;

/// One exchange, ready to be sent in either protocol.
#[derive(Debug, Clone)]
pub(crate) struct Prepared {
    /// In the Redis protocol; empty over REST.
    pub(crate) resp: Bytes,
    /// How many replies the Redis protocol answers with.
    pub(crate) replies: usize,
    /// The REST path.
    pub(crate) path: &'static str,
    /// The REST body; empty over TCP.
    pub(crate) json: Bytes,
    /// Whether nil says that it did not do what it is for.
    pub(crate) needs_value: bool,
}

impl Prepared {
    /// An exchange in the form that REST takes, or in the other.
    pub(crate) fn new(exchange: &Exchange, needs_value: bool, rest: bool) -> Self {
        let commands = exchange.commands();
        let mut resp = Vec::new();
        let transaction = matches!(exchange, Exchange::Transaction(_));
        if !rest {
            if transaction {
                encode(&mut resp, &[b"MULTI".to_vec()]);
            }
            for command in commands {
                encode(&mut resp, command);
            }
            if transaction {
                encode(&mut resp, &[b"EXEC".to_vec()]);
            }
        }
        let all = || -> Vec<Vec<String>> { commands.iter().map(texts).collect() };
        let (path, json) = match exchange {
            _ if !rest => ("", Ok(Vec::new())),
            Exchange::One(command) => ("/", serde_json::to_vec(&texts(command))),
            Exchange::Pipeline(_) => ("/pipeline", serde_json::to_vec(&all())),
            Exchange::Transaction(_) => ("/multi-exec", serde_json::to_vec(&all())),
        };
        Prepared {
            resp: resp.into(),
            replies: commands.len() + if transaction { 2 } else { 0 },
            path,
            // Lists of strings have no way to fail.
            json: json.unwrap_or_default().into(),
            needs_value,
        }
    }
}

fn texts(command: &Command) -> Vec<String> {
    // The commands of a benchmark are text.
    command
        .iter()
        .map(|word| String::from_utf8_lossy(word).into_owned())
        .collect()
}

/// A command in the Redis protocol.
pub(crate) fn encode(into: &mut Vec<u8>, command: &[Vec<u8>]) {
    into.extend_from_slice(format!("*{}\r\n", command.len()).as_bytes());
    for word in command {
        into.extend_from_slice(format!("${}\r\n", word.len()).as_bytes());
        into.extend_from_slice(word);
        into.extend_from_slice(b"\r\n");
    }
}

/// What was seen while passing over a reply.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Seen {
    /// Where the first error begins.
    pub(crate) error: Option<usize>,
    /// Whether the reply itself, or a member, is nil.
    pub(crate) nil: bool,
}

/// Replies that a server nests more deeply than this are none that a benchmark asked for.
const DEEPEST: usize = 16;

/// Passes over one reply that begins at `at`: where it ends, or `None` when more has to come.
///
/// # Errors
/// When this is not the Redis protocol.
pub(crate) fn pass(bytes: &[u8], at: usize, seen: &mut Seen) -> Result<Option<usize>, String> {
    pass_at(bytes, at, seen, 0)
}

fn pass_at(
    bytes: &[u8],
    at: usize,
    seen: &mut Seen,
    depth: usize,
) -> Result<Option<usize>, String> {
    let Some(line) = line_end(bytes, at) else {
        return Ok(None);
    };
    let (kind, text) = (bytes[at], &bytes[at + 1..line - 2]);
    let not_redis = || "it is not the Redis protocol that came back".to_owned();
    let length = || -> Result<Option<usize>, String> {
        let text = std::str::from_utf8(text).map_err(|_| not_redis())?;
        match text.parse::<i64>().map_err(|_| not_redis())? {
            -1 => Ok(None),
            length => usize::try_from(length).map(Some).map_err(|_| not_redis()),
        }
    };
    match kind {
        b'+' | b':' | b',' | b'#' | b'(' => Ok(Some(line)),
        b'-' => {
            seen.error.get_or_insert(at);
            Ok(Some(line))
        }
        b'_' => {
            seen.nil = true;
            Ok(Some(line))
        }
        b'$' => match length()? {
            None => {
                seen.nil = true;
                Ok(Some(line))
            }
            Some(length) => {
                let end = line.saturating_add(length).saturating_add(2);
                Ok((bytes.len() >= end).then_some(end))
            }
        },
        b'*' | b'%' | b'~' if depth < DEEPEST => {
            let Some(members) = length()? else {
                seen.nil = true;
                return Ok(Some(line));
            };
            let members = if kind == b'%' {
                members.saturating_mul(2)
            } else {
                members
            };
            let mut next = line;
            for _ in 0..members {
                match pass_at(bytes, next, seen, depth + 1)? {
                    Some(end) => next = end,
                    None => return Ok(None),
                }
            }
            Ok(Some(next))
        }
        _ => Err(not_redis()),
    }
}

/// The text of an error that begins at `at`.
pub(crate) fn error_text(bytes: &[u8], at: usize) -> String {
    let end = line_end(bytes, at).map_or(bytes.len(), |end| end - 2);
    let text: String = String::from_utf8_lossy(&bytes[at + 1..end])
        .chars()
        .take(200)
        .collect();
    text
}

/// Where the line that begins at `at` ends, its line break included.
fn line_end(bytes: &[u8], at: usize) -> Option<usize> {
    let rest = bytes.get(at..)?;
    let lf = rest.iter().position(|byte| *byte == b'\n')?;
    (lf >= 2 && rest[lf - 1] == b'\r').then_some(at + lf + 1)
}

/// What an answer over REST says besides "it worked".
pub(crate) fn judge_json(body: &[u8], needs_value: bool) -> Result<(), String> {
    let find = |part: &[u8]| body.windows(part.len()).position(|window| window == part);
    let single = body.first() == Some(&b'{');
    let failed = match single {
        true => body.starts_with(b"{\"error\""),
        // Values are runs of one letter, so that these bytes are nowhere in them.
        false => find(b"{\"error\"").is_some(),
    };
    if failed {
        return Err(String::from_utf8_lossy(body).chars().take(200).collect());
    }
    let nil = match single {
        true => body.starts_with(b"{\"result\":null"),
        false => find(b"{\"result\":null").is_some(),
    };
    if needs_value && nil {
        return Err("the reply is nil, so that the operation did not do what it is for".into());
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reply_ends_where_it_ends() {
        let whole = b"*3\r\n$3\r\nabc\r\n*2\r\n:1\r\n$-1\r\n-ERR no\r\n+OK\r\n";
        let end = whole.len() - 5;
        let mut seen = Seen::default();
        assert_eq!(pass(whole, 0, &mut seen), Ok(Some(end)));
        assert!(seen.nil);
        assert_eq!(error_text(whole, seen.error.unwrap()), "ERR no");
        for cut in 0..end {
            assert_eq!(
                pass(&whole[..cut], 0, &mut Seen::default()),
                Ok(None),
                "{cut}"
            );
        }
        assert!(pass(b"HTTP/1.1 400\r\n", 0, &mut Seen::default()).is_err());
        assert!(pass(b"$-7\r\n", 0, &mut Seen::default()).is_err());
        let deep = b"*1\r\n".repeat(100_000);
        assert!(pass(&deep, 0, &mut Seen::default()).is_err());
    }

    #[test]
    fn both_forms_say_the_same() {
        let get = vec![b"GET".to_vec(), b"k".to_vec()];
        let exchange = Exchange::Transaction(vec![get.clone()]);
        let prepared = Prepared::new(&exchange, true, false);
        assert_eq!(prepared.replies, 3);
        assert_eq!(
            prepared.resp,
            &b"*1\r\n$5\r\nMULTI\r\n*2\r\n$3\r\nGET\r\n$1\r\nk\r\n*1\r\n$4\r\nEXEC\r\n"[..]
        );
        assert!(prepared.json.is_empty());
        let prepared = Prepared::new(&exchange, true, true);
        assert_eq!(
            (prepared.path, &prepared.json[..]),
            ("/multi-exec", &br#"[["GET","k"]]"#[..])
        );
        assert_eq!(
            Prepared::new(&Exchange::One(get), true, true).json,
            &br#"["GET","k"]"#[..]
        );
    }

    #[test]
    fn errors_and_nil_over_rest_are_seen() {
        assert_eq!(judge_json(br#"{"result":"eA=="}"#, true), Ok(()));
        assert!(judge_json(br#"{"result":null}"#, true).is_err());
        assert_eq!(judge_json(br#"{"result":null}"#, false), Ok(()));
        assert!(judge_json(br#"[{"result":1},{"error":"ERR x"}]"#, false).is_err());
    }
}
