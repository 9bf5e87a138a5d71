//! Glob patterns over bytes, as KEYS, SCAN, PSUBSCRIBE and ACL rules use them.

/// Whether `text` matches `pattern`: `*`, `?`, `[a-z]`, `[^a]`, `\` before a character taken as is.
///
/// Follows Redis's `stringmatchlen`, its leniencies included: a class without `]` ends with the
/// pattern, and nothing but an empty pattern matches an empty text, not even `*`. Where Redis takes
/// `*` for "all there are" without matching, [`is_everything`] tells. Runs in time proportional to the
/// product of both lengths at worst.
pub fn matches(pattern: &[u8], text: &[u8]) -> bool {
    if text.is_empty() {
        return pattern.is_empty();
    }
    let (mut p, mut t) = (0, 0);
    // Where to take up again when what follows the last `*` does not match.
    let mut retry: Option<(usize, usize)> = None;
    loop {
        if p < pattern.len() && pattern[p] == b'*' {
            p += 1;
            retry = Some((p, t));
            continue;
        }
        let step = if t < text.len() {
            one(&pattern[p..], text[t])
        } else {
            None
        };
        if let Some(length) = step {
            p += length;
            t += 1;
            continue;
        }
        if t == text.len() && p == pattern.len() {
            return true;
        }
        match retry {
            Some((after_star, at)) if at < text.len() => {
                p = after_star;
                t = at + 1;
                retry = Some((p, t));
            }
            _ => return false,
        }
    }
}

/// Whether a pattern stands for everything: `*` alone.
pub fn is_everything(pattern: &[u8]) -> bool {
    pattern == b"*"
}

/// Matches one byte against the first element of `pattern`; answers the element's length.
fn one(pattern: &[u8], byte: u8) -> Option<usize> {
    match pattern {
        [] => None,
        [b'?', ..] => Some(1),
        [b'\\', escaped, ..] => (*escaped == byte).then_some(2),
        [b'[', rest @ ..] => class(rest, byte).map(|length| length + 1),
        [literal, ..] => (*literal == byte).then_some(1),
    }
}

/// Matches one byte against a class behind its `[`; answers the class's length.
fn class(rest: &[u8], byte: u8) -> Option<usize> {
    let negated = rest.first() == Some(&b'^');
    let mut i = usize::from(negated);
    let mut found = false;
    loop {
        match &rest[i.min(rest.len())..] {
            [] => break,
            [b'\\', escaped, ..] => {
                found |= *escaped == byte;
                i += 2;
            }
            [b']', ..] => {
                i += 1;
                break;
            }
            [low, b'-', high, ..] => {
                let (low, high) = (low.min(high), low.max(high));
                found |= (low..=high).contains(&&byte);
                i += 3;
            }
            [literal, ..] => {
                found |= *literal == byte;
                i += 1;
            }
        }
    }
    (found != negated).then_some(i)
}
