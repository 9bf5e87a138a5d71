//! A glob over bytes with one wildcard: `*` stands for any bytes, none included.

/// A pattern; `\*` is an asterisk and `\\` a backslash.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Glob {
    source: Vec<u8>,
    /// The literal parts between the wildcards: n wildcards make n + 1 parts.
    parts: Vec<Vec<u8>>,
}

impl Glob {
    /// Reads a pattern. Every text is one: a backslash before anything but `*` and `\` is itself.
    pub fn new(source: &[u8]) -> Glob {
        let mut parts = vec![Vec::new()];
        let mut bytes = source.iter().copied().peekable();
        while let Some(byte) = bytes.next() {
            let escaped = (byte == b'\\')
                .then(|| bytes.next_if(|next| matches!(next, b'*' | b'\\')))
                .flatten();
            match escaped {
                None if byte == b'*' => parts.push(Vec::new()),
                literal => {
                    if let Some(part) = parts.last_mut() {
                        part.push(literal.unwrap_or(byte));
                    }
                }
            }
        }
        Glob {
            source: source.to_vec(),
            parts,
        }
    }

    /// A text as the pattern that matches it alone.
    pub fn escape(text: &[u8]) -> Vec<u8> {
        let mut escaped = Vec::with_capacity(text.len());
        for &byte in text {
            if matches!(byte, b'*' | b'\\') {
                escaped.push(b'\\');
            }
            escaped.push(byte);
        }
        escaped
    }

    /// The pattern as written.
    pub fn source(&self) -> &[u8] {
        &self.source
    }

    /// Whether it can match more than one text.
    pub fn has_wildcard(&self) -> bool {
        self.parts.len() > 1
    }

    /// Whether the pattern matches the whole text.
    pub fn matches(&self, text: &[u8]) -> bool {
        let [first, rest @ ..] = self.parts.as_slice() else {
            return false;
        };
        let [middle @ .., last] = rest else {
            return text == first.as_slice();
        };
        let Some(text) = text.strip_prefix(first.as_slice()) else {
            return false;
        };
        let Some(mut text) = text.strip_suffix(last.as_slice()) else {
            return false;
        };
        for part in middle {
            // The leftmost place is always right: it leaves the most for the parts that follow.
            match find(text, part) {
                Some(position) => text = &text[position + part.len()..],
                None => return false,
            }
        }
        true
    }
}

fn find(text: &[u8], part: &[u8]) -> Option<usize> {
    if part.is_empty() {
        return Some(0);
    }
    text.windows(part.len()).position(|window| window == part)
}
