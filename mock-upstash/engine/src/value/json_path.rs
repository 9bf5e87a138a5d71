//! JSONPath: reading a path, and finding what it matches in a document.
//!
//! Two dialects, as RedisJSON has them: paths that begin with `$` may match any number of places;
//! those that do not (`.a.b[0]`, `a.b`) are the older ones, for one place.

use std::cell::Cell;

use super::json::Json;

/// How deep conditions may nest, so that none can exhaust the stack.
const DEEPEST: usize = 64;

/// How much a search may cost: the steps of all places it finds, a long name counting for several.
/// What a path matches can grow with every segment of it, so a short path on a small document could
/// take for ever, and all memory.
const HIGHEST_COST: usize = 8_000_000;

/// How much more a search may cost.
struct Budget(Cell<usize>);

impl Budget {
    /// Pays for something; says whether it can be afforded.
    fn pays(&self, cost: usize) -> bool {
        let left = self.0.get();
        self.0.set(left.saturating_sub(cost));
        left > cost
    }
}

/// A path.
#[derive(Debug, Clone)]
pub struct Path {
    /// It is of the older dialect.
    pub legacy: bool,
    segments: Vec<Segment>,
}

#[derive(Debug, Clone)]
struct Segment {
    /// `..`: also in everything below.
    recursive: bool,
    selectors: Vec<Selector>,
}

#[derive(Debug, Clone)]
enum Selector {
    Name(String),
    Index(i64),
    Slice(Option<i64>, Option<i64>, i64),
    All,
    Filter(Condition),
}

#[derive(Debug, Clone)]
enum Condition {
    Or(Box<Condition>, Box<Condition>),
    And(Box<Condition>, Box<Condition>),
    Not(Box<Condition>),
    Exists(Operand),
    Compare(Operand, Comparison, Operand),
}

#[derive(Debug, Clone)]
enum Operand {
    Literal(Json),
    /// From the element at hand (`@`) or from the root (`$`).
    Path {
        from_root: bool,
        path: Path,
    },
}

#[derive(Debug, Clone, Copy)]
enum Comparison {
    Equal,
    Unequal,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
}

/// One step down a document.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Step {
    /// To a member of an object.
    Name(String),
    /// To an element of an array.
    Index(usize),
}

/// A place in a document.
pub type Place = Vec<Step>;

impl Path {
    /// Reads a path.
    ///
    /// # Errors
    /// With what is wrong, and where.
    pub fn parse(text: &str) -> Result<Path, String> {
        let legacy = !text.starts_with('$');
        let mut parser = Parser {
            text: text.as_bytes(),
            at: usize::from(!legacy),
            depth: 0,
        };
        let mut segments = Vec::new();
        if legacy {
            if text == "." || text.is_empty() {
                return Ok(Path { legacy, segments });
            }
            if !text.starts_with(['.', '[']) {
                segments.push(Segment {
                    recursive: false,
                    selectors: vec![parser.bare_name()?],
                });
            }
        }
        segments.extend(parser.segments()?);
        if parser.at < parser.text.len() {
            return Err(parser.wrong("unexpected character"));
        }
        Ok(Path { legacy, segments })
    }

    /// Whether it is the root itself.
    pub fn is_root(&self) -> bool {
        self.segments.is_empty()
    }

    /// The path to the parent and the last name, when the path ends with one name.
    pub fn split_name(&self) -> Option<(Path, &str)> {
        let (last, parents) = self.segments.split_last()?;
        match (&last.selectors[..], last.recursive) {
            ([Selector::Name(name)], false) => {
                let parent = Path {
                    legacy: self.legacy,
                    segments: parents.to_vec(),
                };
                Some((parent, name))
            }
            _ => None,
        }
    }

    /// Every place that it matches, outer ones first, or inner ones first.
    ///
    /// # Errors
    /// When that would take too long.
    pub fn places(&self, document: &Json, deepest_first: bool) -> Result<Vec<Place>, String> {
        let budget = Budget(Cell::new(HIGHEST_COST));
        let places = self.places_from(document, document, deepest_first, &budget);
        if budget.0.get() == 0 {
            return Err("it matches too many places".to_owned());
        }
        Ok(places)
    }

    fn places_from(
        &self,
        start: &Json,
        root: &Json,
        deepest_first: bool,
        budget: &Budget,
    ) -> Vec<Place> {
        let mut places = vec![Vec::new()];
        for segment in &self.segments {
            let mut next = Vec::new();
            for place in &places {
                if let Some(node) = get(start, place) {
                    select(segment, node, place, root, deepest_first, budget, &mut next);
                }
            }
            places = next;
        }
        places
    }
}

/// What stands at a place.
pub fn get<'j>(document: &'j Json, place: &[Step]) -> Option<&'j Json> {
    place
        .iter()
        .try_fold(document, |node, step| match (node, step) {
            (Json::Object(members), Step::Name(name)) => members.get(name),
            (Json::Array(items), Step::Index(index)) => items.get(*index),
            _ => None,
        })
}

/// What stands at a place, to change.
pub fn get_mut<'j>(document: &'j mut Json, place: &[Step]) -> Option<&'j mut Json> {
    place
        .iter()
        .try_fold(document, |node, step| match (node, step) {
            (Json::Object(members), Step::Name(name)) => members.get_mut(name),
            (Json::Array(items), Step::Index(index)) => items.get_mut(*index),
            _ => None,
        })
}

fn children(node: &Json) -> Vec<(Step, &Json)> {
    match node {
        Json::Object(members) => members
            .iter()
            .map(|(name, value)| (Step::Name(name.clone()), value))
            .collect(),
        Json::Array(items) => items
            .iter()
            .enumerate()
            .map(|(index, item)| (Step::Index(index), item))
            .collect(),
        _ => Vec::new(),
    }
}

/// The place one step below another, if it can be afforded.
fn below(place: &[Step], step: Step, budget: &Budget) -> Option<Place> {
    let cost = place.iter().chain([&step]).map(|step| match step {
        Step::Name(name) => 1 + name.len() / 32,
        Step::Index(_) => 1,
    });
    budget.pays(1 + cost.sum::<usize>()).then(|| {
        let mut below = Vec::with_capacity(place.len() + 1);
        below.extend_from_slice(place);
        below.push(step);
        below
    })
}

fn select(
    segment: &Segment,
    node: &Json,
    place: &[Step],
    root: &Json,
    deepest_first: bool,
    budget: &Budget,
    found: &mut Vec<Place>,
) {
    if !budget.pays(1) {
        return;
    }
    if !(segment.recursive && deepest_first) {
        select_here(segment, node, place, root, budget, found);
    }
    if segment.recursive {
        for (step, child) in children(node) {
            let Some(place) = below(place, step, budget) else {
                return;
            };
            select(segment, child, &place, root, deepest_first, budget, found);
        }
        if deepest_first {
            select_here(segment, node, place, root, budget, found);
        }
    }
}

fn select_here(
    segment: &Segment,
    node: &Json,
    place: &[Step],
    root: &Json,
    budget: &Budget,
    found: &mut Vec<Place>,
) {
    for selector in &segment.selectors {
        if !budget.pays(1) {
            return;
        }
        match (selector, node) {
            (Selector::Name(name), Json::Object(members)) if members.contains_key(name) => {
                found.extend(below(place, Step::Name(name.clone()), budget));
            }
            (Selector::Index(index), Json::Array(items)) => {
                if let Some(index) = absolute(*index, items.len()) {
                    found.extend(below(place, Step::Index(index), budget));
                }
            }
            (Selector::Slice(start, end, step), Json::Array(items)) => {
                for index in slice(*start, *end, *step, items.len()) {
                    found.extend(below(place, Step::Index(index), budget));
                }
            }
            (Selector::All, node) => {
                let all = children(node).into_iter();
                found.extend(all.map_while(|(step, _)| below(place, step, budget)));
            }
            (Selector::Filter(condition), node) => {
                for (step, child) in children(node) {
                    if budget.pays(1) && condition.holds(child, root, budget) {
                        found.extend(below(place, step, budget));
                    }
                }
            }
            _ => {}
        }
    }
}

fn absolute(index: i64, length: usize) -> Option<usize> {
    let length = i64::try_from(length).ok()?;
    let index = if index < 0 {
        index.checked_add(length)?
    } else {
        index
    };
    (0..length).contains(&index).then_some(index as usize)
}

fn slice(start: Option<i64>, end: Option<i64>, step: i64, length: usize) -> Vec<usize> {
    let length = i64::try_from(length).unwrap_or(i64::MAX);
    let from_end = |at: i64| {
        if at < 0 {
            at.saturating_add(length)
        } else {
            at
        }
    };
    let mut indexes = Vec::new();
    if step > 0 {
        let mut at = from_end(start.unwrap_or(0)).clamp(0, length);
        let end = from_end(end.unwrap_or(length)).clamp(0, length);
        while at < end {
            indexes.push(at as usize);
            at = at.saturating_add(step);
        }
    } else if step < 0 {
        let mut at = from_end(start.unwrap_or(length - 1)).clamp(-1, length - 1);
        let end = match end {
            Some(end) => from_end(end).clamp(-1, length - 1),
            None => -1,
        };
        while at > end {
            indexes.push(at as usize);
            at = at.saturating_add(step);
        }
    }
    indexes
}

impl Condition {
    fn holds(&self, node: &Json, root: &Json, budget: &Budget) -> bool {
        match self {
            Condition::Or(a, b) => a.holds(node, root, budget) || b.holds(node, root, budget),
            Condition::And(a, b) => a.holds(node, root, budget) && b.holds(node, root, budget),
            Condition::Not(inner) => !inner.holds(node, root, budget),
            Condition::Exists(operand) => operand.value(node, root, budget).is_some(),
            Condition::Compare(a, comparison, b) => {
                let (a, b) = (a.value(node, root, budget), b.value(node, root, budget));
                compare(a, *comparison, b)
            }
        }
    }
}

impl Operand {
    fn value<'j>(&'j self, node: &'j Json, root: &'j Json, budget: &Budget) -> Option<&'j Json> {
        match self {
            Operand::Literal(value) => Some(value),
            Operand::Path { from_root, path } => {
                let start = if *from_root { root } else { node };
                let places = path.places_from(start, root, false, budget);
                get(start, places.first()?)
            }
        }
    }
}

fn compare(a: Option<&Json>, comparison: Comparison, b: Option<&Json>) -> bool {
    use std::cmp::Ordering;
    let ordering = match (a, b) {
        (Some(Json::String(a)), Some(Json::String(b))) => Some(a.cmp(b)),
        (Some(a), Some(b)) => match (a.as_number(), b.as_number()) {
            (Some(a), Some(b)) => a.partial_cmp(&b),
            _ => (a == b).then_some(Ordering::Equal),
        },
        _ => None,
    };
    match comparison {
        Comparison::Equal => ordering == Some(Ordering::Equal),
        Comparison::Unequal => ordering != Some(Ordering::Equal),
        Comparison::Less => ordering == Some(Ordering::Less),
        Comparison::LessOrEqual => matches!(ordering, Some(Ordering::Less | Ordering::Equal)),
        Comparison::Greater => ordering == Some(Ordering::Greater),
        Comparison::GreaterOrEqual => {
            matches!(ordering, Some(Ordering::Greater | Ordering::Equal))
        }
    }
}

struct Parser<'a> {
    text: &'a [u8],
    at: usize,
    depth: usize,
}

impl Parser<'_> {
    fn wrong(&self, what: &str) -> String {
        format!("{what} at position {} of the path", self.at + 1)
    }

    fn peek(&self) -> u8 {
        self.text.get(self.at).copied().unwrap_or(0)
    }

    fn takes(&mut self, word: &str) -> bool {
        let rest = self.text.get(self.at..).unwrap_or_default();
        let found = rest.starts_with(word.as_bytes());
        if found {
            self.at += word.len();
        }
        found
    }

    fn skip_spaces(&mut self) {
        while self.peek().is_ascii_whitespace() {
            self.at += 1;
        }
    }

    fn expect(&mut self, word: &str) -> Result<(), String> {
        self.skip_spaces();
        if self.takes(word) {
            return Ok(());
        }
        Err(self.wrong(&format!("expected '{word}'")))
    }

    /// Segments, as many as there are.
    fn segments(&mut self) -> Result<Vec<Segment>, String> {
        let mut segments = Vec::new();
        loop {
            let recursive = self.takes("..");
            let selectors = if self.peek() == b'[' {
                self.brackets()?
            } else if recursive || self.takes(".") {
                if self.peek() == b'[' {
                    self.brackets()?
                } else {
                    vec![self.bare_name()?]
                }
            } else {
                return Ok(segments);
            };
            segments.push(Segment {
                recursive,
                selectors,
            });
        }
    }

    fn bare_name(&mut self) -> Result<Selector, String> {
        if self.takes("*") {
            return Ok(Selector::All);
        }
        let start = self.at;
        while let Some(&byte) = self.text.get(self.at) {
            let part = byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'$' | b'@');
            if !part && byte.is_ascii() {
                break;
            }
            self.at += 1;
        }
        let name = std::str::from_utf8(&self.text[start..self.at]).unwrap_or_default();
        if name.is_empty() {
            return Err(self.wrong("expected a name"));
        }
        Ok(Selector::Name(name.to_owned()))
    }

    fn brackets(&mut self) -> Result<Vec<Selector>, String> {
        self.expect("[")?;
        let mut selectors = Vec::new();
        loop {
            self.skip_spaces();
            selectors.push(self.selector()?);
            self.skip_spaces();
            if !self.takes(",") {
                break;
            }
        }
        self.expect("]")?;
        Ok(selectors)
    }

    fn selector(&mut self) -> Result<Selector, String> {
        match self.peek() {
            b'*' => {
                self.at += 1;
                Ok(Selector::All)
            }
            b'\'' | b'"' => self.string().map(Selector::Name),
            b'?' => {
                self.at += 1;
                self.condition().map(Selector::Filter)
            }
            _ => self.index_or_slice(),
        }
    }

    fn index_or_slice(&mut self) -> Result<Selector, String> {
        let start = self.integer()?;
        self.skip_spaces();
        if !self.takes(":") {
            return start
                .map(Selector::Index)
                .ok_or_else(|| self.wrong("expected an index"));
        }
        self.skip_spaces();
        let end = self.integer()?;
        self.skip_spaces();
        let step = if self.takes(":") {
            self.skip_spaces();
            self.integer()?.unwrap_or(1)
        } else {
            1
        };
        Ok(Selector::Slice(start, end, step))
    }

    fn integer(&mut self) -> Result<Option<i64>, String> {
        let start = self.at;
        self.takes("-");
        while self.peek().is_ascii_digit() {
            self.at += 1;
        }
        if start == self.at {
            return Ok(None);
        }
        let text = std::str::from_utf8(&self.text[start..self.at]).unwrap_or_default();
        match text.parse() {
            Ok(number) => Ok(Some(number)),
            Err(_) => Err(self.wrong("expected an integer")),
        }
    }

    fn string(&mut self) -> Result<String, String> {
        let quote = self.peek();
        self.at += 1;
        let mut bytes = Vec::new();
        loop {
            match self.text.get(self.at) {
                None => return Err(self.wrong("unfinished string")),
                Some(&byte) if byte == quote => break,
                Some(b'\\') => {
                    self.at += 1;
                    bytes.push(match self.peek() {
                        b'n' => b'\n',
                        b't' => b'\t',
                        b'r' => b'\r',
                        0 => return Err(self.wrong("unfinished string")),
                        other => other,
                    });
                }
                Some(&byte) => bytes.push(byte),
            }
            self.at += 1;
        }
        self.at += 1;
        String::from_utf8(bytes).map_err(|_| self.wrong("a name that is not UTF-8"))
    }

    fn condition(&mut self) -> Result<Condition, String> {
        self.depth += 1;
        if self.depth > DEEPEST {
            return Err(self.wrong("too many nested conditions"));
        }
        let mut left = self.conjunction()?;
        self.skip_spaces();
        while self.takes("||") {
            let right = self.conjunction()?;
            left = Condition::Or(Box::new(left), Box::new(right));
            self.skip_spaces();
        }
        self.depth -= 1;
        Ok(left)
    }

    fn conjunction(&mut self) -> Result<Condition, String> {
        let mut left = self.term()?;
        self.skip_spaces();
        while self.takes("&&") {
            let right = self.term()?;
            left = Condition::And(Box::new(left), Box::new(right));
            self.skip_spaces();
        }
        Ok(left)
    }

    fn term(&mut self) -> Result<Condition, String> {
        self.skip_spaces();
        if self.peek() == b'!' {
            self.depth += 1;
            if self.depth > DEEPEST {
                return Err(self.wrong("too many nested conditions"));
            }
            self.at += 1;
            let inner = self.term()?;
            self.depth -= 1;
            return Ok(Condition::Not(Box::new(inner)));
        }
        if self.takes("(") {
            let inner = self.condition()?;
            self.expect(")")?;
            return Ok(inner);
        }
        let left = self.operand()?;
        self.skip_spaces();
        let comparisons = [
            ("==", Comparison::Equal),
            ("!=", Comparison::Unequal),
            ("<=", Comparison::LessOrEqual),
            (">=", Comparison::GreaterOrEqual),
            ("<", Comparison::Less),
            (">", Comparison::Greater),
        ];
        for (sign, comparison) in comparisons {
            if self.takes(sign) {
                self.skip_spaces();
                let right = self.operand()?;
                return Ok(Condition::Compare(left, comparison, right));
            }
        }
        Ok(Condition::Exists(left))
    }

    fn operand(&mut self) -> Result<Operand, String> {
        match self.peek() {
            b'@' | b'$' => {
                let from_root = self.peek() == b'$';
                self.at += 1;
                self.depth += 1;
                if self.depth > DEEPEST {
                    return Err(self.wrong("too many nested conditions"));
                }
                let segments = self.segments()?;
                self.depth -= 1;
                let path = Path {
                    legacy: false,
                    segments,
                };
                Ok(Operand::Path { from_root, path })
            }
            b'\'' | b'"' => self
                .string()
                .map(|text| Operand::Literal(Json::String(text))),
            _ => {
                let start = self.at;
                while matches!(self.peek(), b'-' | b'+' | b'.')
                    || self.peek().is_ascii_alphanumeric()
                {
                    self.at += 1;
                }
                match Json::parse(&self.text[start..self.at]) {
                    Ok(value) => Ok(Operand::Literal(value)),
                    Err(_) => Err(self.wrong("expected a value")),
                }
            }
        }
    }
}
