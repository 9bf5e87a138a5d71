//! Lua's patterns, matched in a bounded number of steps.
//!
//! Lua's own matcher is C that no hook interrupts, and a pattern such as `.-.-.-.-x` keeps it busy for
//! years. This one does the same work in the same order (`lstrlib.c` of Lua 5.1), and asks now and
//! then whether the script's time is over.

/// Most captures of a pattern (`LUA_MAXCAPTURES`).
const MOST_CAPTURES: usize = 32;

/// How deep matching may nest, so that none can exhaust the stack, as later versions of Lua limit it.
const DEEPEST: usize = 400;

/// Steps between two looks at the clock.
const STRIDE: u32 = 10_000;

const ESCAPE: u8 = b'%';
const SPECIALS: &[u8] = b"^$*+?.([%-";

/// What can be wrong with a pattern or its matching.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fault {
    /// Lua's own text.
    Text(&'static str),
    /// The script's time is over.
    Ended,
}

/// What a capture took.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Capture {
    /// A part of the text, from a place on and so long.
    Part(usize, usize),
    /// A place in the text, counted from 1.
    Place(usize),
}

#[derive(Debug, Clone, Copy)]
enum Length {
    Open,
    Place,
    Closed(usize),
}

/// Matches one pattern against one text.
pub(super) struct Matcher<'a> {
    text: &'a [u8],
    pattern: &'a [u8],
    captures: Vec<(usize, Length)>,
    depth: usize,
    steps: u32,
    /// Says whether the script's time is over.
    is_over: &'a dyn Fn() -> bool,
}

type Step = Result<Option<usize>, Fault>;

impl<'a> Matcher<'a> {
    /// A matcher for a pattern without the anchor that it may begin with.
    pub(super) fn new(text: &'a [u8], pattern: &'a [u8], is_over: &'a dyn Fn() -> bool) -> Self {
        Matcher {
            text,
            pattern,
            captures: Vec::new(),
            depth: 0,
            steps: 0,
            is_over,
        }
    }

    /// Where a match that begins at a place ends; `None` when there is none.
    pub(super) fn match_at(&mut self, at: usize) -> Step {
        self.captures.clear();
        self.depth = 0;
        self.run(at, 0)
    }

    /// Number of captures of the last match.
    pub(super) fn captured(&self) -> usize {
        self.captures.len()
    }

    /// A capture of the last match; the whole match, when the pattern has no captures.
    pub(super) fn capture(&self, index: usize, from: usize, to: usize) -> Result<Capture, Fault> {
        match self.captures.get(index) {
            None if index == 0 => Ok(Capture::Part(from, to - from)),
            None => Err(Fault::Text("invalid capture index")),
            Some((_, Length::Open)) => Err(Fault::Text("unfinished capture")),
            Some((start, Length::Place)) => Ok(Capture::Place(start + 1)),
            Some((start, Length::Closed(length))) => Ok(Capture::Part(*start, *length)),
        }
    }

    fn count(&mut self) -> Result<(), Fault> {
        self.steps += 1;
        if self.steps >= STRIDE {
            self.steps = 0;
            if (self.is_over)() {
                return Err(Fault::Ended);
            }
        }
        Ok(())
    }

    /// Matches the pattern from `p` on against the text from `s` on.
    fn run(&mut self, s: usize, p: usize) -> Step {
        self.depth += 1;
        if self.depth > DEEPEST {
            return Err(Fault::Text("pattern too complex"));
        }
        let matched = self.run_loop(s, p);
        self.depth -= 1;
        matched
    }

    fn run_loop(&mut self, mut s: usize, mut p: usize) -> Step {
        loop {
            self.count()?;
            let Some(&special) = self.pattern.get(p) else {
                return Ok(Some(s));
            };
            match special {
                b'(' if self.pattern.get(p + 1) == Some(&b')') => {
                    return self.start_capture(s, p + 2, Length::Place);
                }
                b'(' => return self.start_capture(s, p + 1, Length::Open),
                b')' => return self.end_capture(s, p + 1),
                ESCAPE if self.pattern.get(p + 1) == Some(&b'b') => {
                    match self.match_balance(s, p + 2)? {
                        None => return Ok(None),
                        Some(end) => (s, p) = (end, p + 4),
                    }
                    continue;
                }
                ESCAPE if self.pattern.get(p + 1) == Some(&b'f') => {
                    p += 2;
                    if self.pattern.get(p) != Some(&b'[') {
                        return Err(Fault::Text("missing '[' after '%f' in pattern"));
                    }
                    let end = self.class_end(p)?;
                    // Before the text and behind it is a zero byte.
                    let byte = |at: Option<usize>| at.and_then(|at| self.text.get(at)).copied();
                    let before = byte(s.checked_sub(1)).unwrap_or(0);
                    let here = byte(Some(s)).unwrap_or(0);
                    if self.in_set(before, p, end - 1) || !self.in_set(here, p, end - 1) {
                        return Ok(None);
                    }
                    p = end;
                    continue;
                }
                ESCAPE if self.pattern.get(p + 1).is_some_and(u8::is_ascii_digit) => {
                    match self.match_capture(s, self.pattern[p + 1])? {
                        None => return Ok(None),
                        Some(end) => (s, p) = (end, p + 2),
                    }
                    continue;
                }
                b'$' if p + 1 == self.pattern.len() => {
                    return Ok((s == self.text.len()).then_some(s));
                }
                _ => {}
            }
            let end = self.class_end(p)?;
            let matches = self.single(s, p, end);
            match self.pattern.get(end) {
                Some(b'?') => {
                    if matches && let Some(found) = self.run(s + 1, end + 1)? {
                        return Ok(Some(found));
                    }
                    p = end + 1;
                }
                Some(b'*') => return self.expand_most(s, p, end),
                Some(b'+') if matches => return self.expand_most(s + 1, p, end),
                Some(b'-') => return self.expand_least(s, p, end),
                Some(b'+') => return Ok(None),
                _ if matches => (s, p) = (s + 1, end),
                _ => return Ok(None),
            }
        }
    }

    /// The end of the single-character class that begins at `p`.
    fn class_end(&self, mut p: usize) -> Result<usize, Fault> {
        let first = self.pattern[p];
        p += 1;
        match first {
            ESCAPE if p == self.pattern.len() => {
                Err(Fault::Text("malformed pattern (ends with '%')"))
            }
            ESCAPE => Ok(p + 1),
            b'[' => {
                if self.pattern.get(p) == Some(&b'^') {
                    p += 1;
                }
                // A bracket that closes at once stands for itself.
                loop {
                    let Some(&byte) = self.pattern.get(p) else {
                        return Err(Fault::Text("malformed pattern (missing ']')"));
                    };
                    p += 1;
                    if byte == ESCAPE && p < self.pattern.len() {
                        p += 1;
                    }
                    if self.pattern.get(p) == Some(&b']') {
                        return Ok(p + 1);
                    }
                }
            }
            _ => Ok(p),
        }
    }

    fn single(&self, s: usize, p: usize, end: usize) -> bool {
        let Some(&byte) = self.text.get(s) else {
            return false;
        };
        match self.pattern[p] {
            b'.' => true,
            ESCAPE => in_class(byte, self.pattern[p + 1]),
            b'[' => self.in_set(byte, p, end - 1),
            literal => literal == byte,
        }
    }

    /// Whether a byte is in the set whose brackets stand at `p` and `last`.
    fn in_set(&self, byte: u8, mut p: usize, last: usize) -> bool {
        let mut within = true;
        if self.pattern.get(p + 1) == Some(&b'^') {
            within = false;
            p += 1;
        }
        loop {
            p += 1;
            if p >= last {
                return !within;
            }
            let first = self.pattern[p];
            if first == ESCAPE {
                p += 1;
                if in_class(byte, self.pattern[p]) {
                    return within;
                }
            } else if self.pattern[p + 1] == b'-' && p + 2 < last {
                if (first..=self.pattern[p + 2]).contains(&byte) {
                    return within;
                }
                p += 2;
            } else if first == byte {
                return within;
            }
        }
    }

    fn match_balance(&mut self, s: usize, p: usize) -> Step {
        let (Some(&open), Some(&close)) = (self.pattern.get(p), self.pattern.get(p + 1)) else {
            return Err(Fault::Text("unbalanced pattern"));
        };
        if self.text.get(s) != Some(&open) {
            return Ok(None);
        }
        let mut nested = 1usize;
        for at in s + 1..self.text.len() {
            self.count()?;
            let byte = self.text[at];
            if byte == close {
                nested -= 1;
                if nested == 0 {
                    return Ok(Some(at + 1));
                }
            } else if byte == open {
                nested += 1;
            }
        }
        Ok(None)
    }

    fn expand_most(&mut self, s: usize, p: usize, end: usize) -> Step {
        let mut count = 0;
        while self.single(s + count, p, end) {
            self.count()?;
            count += 1;
        }
        loop {
            if let Some(found) = self.run(s + count, end + 1)? {
                return Ok(Some(found));
            }
            if count == 0 {
                return Ok(None);
            }
            count -= 1;
        }
    }

    fn expand_least(&mut self, mut s: usize, p: usize, end: usize) -> Step {
        loop {
            if let Some(found) = self.run(s, end + 1)? {
                return Ok(Some(found));
            }
            if !self.single(s, p, end) {
                return Ok(None);
            }
            s += 1;
        }
    }

    fn start_capture(&mut self, s: usize, p: usize, length: Length) -> Step {
        if self.captures.len() >= MOST_CAPTURES {
            return Err(Fault::Text("too many captures"));
        }
        let before = self.captures.len();
        self.captures.push((s, length));
        let found = self.run(s, p)?;
        if found.is_none() {
            self.captures.truncate(before);
        }
        Ok(found)
    }

    fn end_capture(&mut self, s: usize, p: usize) -> Step {
        let open = self
            .captures
            .iter()
            .rposition(|(_, length)| matches!(length, Length::Open))
            .ok_or(Fault::Text("invalid pattern capture"))?;
        self.captures[open].1 = Length::Closed(s - self.captures[open].0);
        let found = self.run(s, p)?;
        if found.is_none()
            && let Some(capture) = self.captures.get_mut(open)
        {
            capture.1 = Length::Open;
        }
        Ok(found)
    }

    fn match_capture(&mut self, s: usize, digit: u8) -> Step {
        let closed = usize::from(digit)
            .checked_sub(usize::from(b'1'))
            .and_then(|index| self.captures.get(index));
        let (start, length) = match closed {
            Some((start, Length::Closed(length))) => (*start, *length),
            // What holds a place has no text; Lua compares nothing with that, and never matches.
            Some((_, Length::Place)) => return Ok(None),
            Some((_, Length::Open)) | None => return Err(Fault::Text("invalid capture index")),
        };
        let end = s + length;
        let same = self.text.get(s..end) == self.text.get(start..start + length);
        Ok((end <= self.text.len() && same).then_some(end))
    }
}

/// Whether a byte is in a class such as `%a`; a letter in upper case stands for all others.
fn in_class(byte: u8, class: u8) -> bool {
    let within = match class.to_ascii_lowercase() {
        b'a' => byte.is_ascii_alphabetic(),
        b'c' => byte.is_ascii_control(),
        b'd' => byte.is_ascii_digit(),
        b'l' => byte.is_ascii_lowercase(),
        b'p' => byte.is_ascii_punctuation(),
        // C's blanks, of which Rust leaves out the vertical tab.
        b's' => byte.is_ascii_whitespace() || byte == 0x0b,
        b'u' => byte.is_ascii_uppercase(),
        b'w' => byte.is_ascii_alphanumeric(),
        b'x' => byte.is_ascii_hexdigit(),
        b'z' => byte == 0,
        _ => return class == byte,
    };
    within != class.is_ascii_uppercase()
}

/// Whether a pattern has nothing in it but itself.
pub(super) fn is_plain(pattern: &[u8]) -> bool {
    !pattern.iter().any(|byte| SPECIALS.contains(byte))
}
