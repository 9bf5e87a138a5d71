//! A sequence of byte strings, quick at both ends.

use std::collections::VecDeque;
use std::collections::vec_deque;

/// An element of a list.
pub type Element = Box<[u8]>;

/// One of a list's ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum End {
    /// The first element's side.
    Left,
    /// The last element's side.
    Right,
}

/// A sequence of byte strings, quick at both ends and by index.
#[derive(Debug, Clone, Default)]
pub struct List {
    elements: VecDeque<Element>,
}

impl List {
    /// Whether there is nothing in it.
    pub fn is_empty(&self) -> bool {
        self.elements.is_empty()
    }

    /// Number of elements.
    pub fn len(&self) -> usize {
        self.elements.len()
    }

    /// The elements from left to right.
    pub fn iter(&self) -> vec_deque::Iter<'_, Element> {
        self.elements.iter()
    }

    /// The place of an index as clients give it: from 0 on, or from -1 down for the right end.
    pub fn place(&self, index: i64) -> Option<usize> {
        let place = if index < 0 {
            self.len()
                .checked_sub(usize::try_from(index.unsigned_abs()).ok()?)?
        } else {
            usize::try_from(index).ok()?
        };
        (place < self.len()).then_some(place)
    }

    /// The element at a place.
    pub fn get(&self, place: usize) -> Option<&[u8]> {
        self.elements.get(place).map(|element| &element[..])
    }

    /// Puts another element at a place that is there.
    pub fn set(&mut self, place: usize, element: &[u8]) {
        if let Some(slot) = self.elements.get_mut(place) {
            *slot = element.into();
        }
    }

    /// The elements of a dense range of places.
    pub fn range(&self, range: std::ops::Range<usize>) -> vec_deque::Iter<'_, Element> {
        let end = range.end.min(self.len());
        self.elements.range(range.start.min(end)..end)
    }

    /// Adds an element at one end.
    pub fn push(&mut self, end: End, element: impl Into<Element>) {
        match end {
            End::Left => self.elements.push_front(element.into()),
            End::Right => self.elements.push_back(element.into()),
        }
    }

    /// Takes an element from one end.
    pub fn pop(&mut self, end: End) -> Option<Element> {
        match end {
            End::Left => self.elements.pop_front(),
            End::Right => self.elements.pop_back(),
        }
    }

    /// The place of the first element equal to `wanted`, from the left.
    pub fn find(&self, wanted: &[u8]) -> Option<usize> {
        self.elements.iter().position(|have| **have == *wanted)
    }

    /// Puts an element before the one at `place`; at the right end when `place` is the length.
    pub fn insert(&mut self, place: usize, element: &[u8]) {
        self.elements.insert(place.min(self.len()), element.into());
    }

    /// Keeps the elements of a dense range of places and takes out all others.
    pub fn keep(&mut self, range: std::ops::Range<usize>) {
        self.elements.truncate(range.end);
        self.elements.drain(..range.start.min(self.len()));
        // A list that was long gives its room back; one that shrinks a little keeps it.
        if self.elements.capacity() > 64 && self.elements.len() < self.elements.capacity() / 4 {
            self.elements.shrink_to_fit();
        }
    }

    /// Takes out up to `limit` elements equal to `unwanted`, beginning at one end; answers how many.
    pub fn remove(&mut self, unwanted: &[u8], from: End, limit: usize) -> usize {
        let mut removed = 0;
        let mut goes = |element: &Element| {
            let goes = removed < limit && **element == *unwanted;
            removed += usize::from(goes);
            goes
        };
        match from {
            End::Left => self.elements.retain(|element| !goes(element)),
            End::Right => {
                // Seen from the right, so that it is the rightmost ones which go.
                let reversed: VecDeque<Element> = std::mem::take(&mut self.elements)
                    .into_iter()
                    .rev()
                    .filter(|element| !goes(element))
                    .collect();
                self.elements = reversed.into_iter().rev().collect();
            }
        }
        removed
    }

    /// The places of elements equal to `wanted`: from the left, or from the right with `backwards`;
    /// the first `skip` matches left out, at most `compared` elements looked at.
    pub fn positions(
        &self,
        wanted: &[u8],
        backwards: bool,
        skip: usize,
        compared: usize,
    ) -> impl Iterator<Item = usize> {
        let len = self.len();
        (0..len)
            .map(move |step| if backwards { len - 1 - step } else { step })
            .take(compared)
            .filter(move |&place| self.get(place) == Some(wanted))
            .skip(skip)
    }
}

impl FromIterator<Element> for List {
    fn from_iter<I: IntoIterator<Item = Element>>(elements: I) -> Self {
        List {
            elements: elements.into_iter().collect(),
        }
    }
}

/// The dense range of places that `start` and `stop` mean for a sequence of `len` elements: both
/// inclusive, negative ones from the end, cut to what is there. Empty ranges are `0..0`.
pub fn window(start: i64, stop: i64, len: usize) -> std::ops::Range<usize> {
    let signed = i64::try_from(len).unwrap_or(i64::MAX);
    let start = if start < 0 {
        start.saturating_add(signed).max(0)
    } else {
        start
    };
    let stop = if stop < 0 {
        stop.saturating_add(signed)
    } else {
        stop.min(signed - 1)
    };
    if start > stop || start >= signed {
        return 0..0;
    }
    // Both lie between 0 and the length by now.
    start as usize..stop as usize + 1
}
