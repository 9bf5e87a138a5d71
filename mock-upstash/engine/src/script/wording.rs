//! How Upstash's Lua words run-time errors, made from how Redis's does.
//!
//! Stack traces of Upstash's look as those of gopher-lua do, which has words of its own for what goes wrong
//! at run time. Where they follow from Redis's words they are made from them. For arithmetic and `..` the
//! sandbox has them, where an operand is a number or a text. For indexing gopher-lua names a key that
//! Redis's words do not tell; those stay.

/// The text of an error that Lua raised or `error` placed, in Upstash's words; `None` for any other.
pub(super) fn reworded(text: &[u8]) -> Option<Vec<u8>> {
    const SOURCES: [&[u8]; 2] = [b"user_script:", b"user_function:"];
    let source = SOURCES.iter().find(|source| text.starts_with(source))?;
    let behind = &text[source.len()..];
    let digits = behind.iter().take_while(|byte| byte.is_ascii_digit());
    let (line, message) = behind.split_at(digits.count());
    let message = message.strip_prefix(b": ").filter(|_| !line.is_empty())?;
    let message = phrase(message).unwrap_or_else(|| message.to_vec());
    Some([&b"@"[..], source, line, b": ", &message].concat())
}

/// The message behind the place, where its words differ.
fn phrase(message: &[u8]) -> Option<Vec<u8>> {
    let text = std::str::from_utf8(message).ok()?;
    if text.starts_with("attempt to call ") && text.ends_with(" value)") {
        return Some(b"attempt to call a non-function object".to_vec());
    }
    if text.starts_with("attempt to get length of ") {
        return Some(b"__len undefined".to_vec());
    }
    if let Some(rest) = text.strip_prefix("attempt to compare two ") {
        let kind = rest.strip_suffix(" values")?;
        return Some(format!("attempt to compare {kind} with {kind}").into_bytes());
    }
    if let Some(rest) = text.strip_prefix("bad argument #") {
        let (index, rest) = rest.split_once(" to '")?;
        let (name, why) = rest.split_once("' (")?;
        return Some(format!("bad argument #{index} to {name} ({why}").into_bytes());
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_follows_is_reworded_and_the_rest_is_left() {
        for (redis, upstash) in [
            ("user_script:1: boom", Some("@user_script:1: boom")),
            (
                "user_script:12: attempt to call global 'f' (a nil value)",
                Some("@user_script:12: attempt to call a non-function object"),
            ),
            (
                "user_script:1: attempt to compare two nil values",
                Some("@user_script:1: attempt to compare nil with nil"),
            ),
            (
                "user_script:1: attempt to compare number with nil",
                Some("@user_script:1: attempt to compare number with nil"),
            ),
            (
                "user_script:1: bad argument #2 to 'rep' (number expected, got nil)",
                Some("@user_script:1: bad argument #2 to rep (number expected, got nil)"),
            ),
            (
                "user_script:1: attempt to index a nil value",
                Some("@user_script:1: attempt to index a nil value"),
            ),
            ("user_script: boom", None),
            ("boom", None),
        ] {
            let made = reworded(redis.as_bytes());
            assert_eq!(made.as_deref(), upstash.map(str::as_bytes), "{redis}");
        }
    }
}
