//! Members ordered by score, then by bytes.
//!
//! A map from member to its node, and a skip list of the nodes that knows how many it jumps over: a
//! member's score is had in constant time; inserting, deleting, ranks and the ends of ranges take
//! logarithmic time. A range of scores or of members is a range of ranks, so that counting, reading
//! and deleting all work on ranks.

mod bound;
mod skip_list;

use std::ops::Range;

use indexmap::IndexMap;
use rand::{Rng, RngExt};

pub use bound::{LexBound, LexRange, ScoreBound, ScoreRange};
use skip_list::{NodeId, SkipList};

/// A member of a sorted set.
pub type Member = Box<[u8]>;

/// Most members of a set that a scan answers in order (`zset-max-listpack-entries`).
const MAX_LISTED: usize = 128;
/// Longest member of a set that a scan answers in order (`zset-max-listpack-value`).
const MAX_LISTED_BYTES: usize = 64;

type Members = IndexMap<Member, NodeId, foldhash::fast::RandomState>;

/// Members ordered by score, then by bytes.
#[derive(Debug, Clone, Default)]
pub struct SortedSet {
    /// Where each member's node is. Places are dense, and a member only ever moves from the end to a
    /// lower place.
    members: Members,
    /// The nodes in order; each knows its member's place in the map.
    order: SkipList,
    /// It has been large: Redis does not go back to the compact form.
    grown: bool,
}

impl SortedSet {
    /// Whether there is nothing in it.
    pub fn is_empty(&self) -> bool {
        self.members.is_empty()
    }

    /// Number of members.
    pub fn len(&self) -> usize {
        self.members.len()
    }

    /// The name of its form, as OBJECT ENCODING answers it.
    pub fn encoding(&self) -> &'static str {
        if self.grown { "skiplist" } else { "listpack" }
    }

    /// Whether it is so small that a scan answers all of it at once.
    pub fn is_compact(&self) -> bool {
        !self.grown
    }

    /// Says that about `count` members are to come, the first of `bytes` bytes, for Redis chooses the
    /// form of a new set by that.
    pub fn expect(&mut self, count: usize, bytes: usize) {
        self.grown |= self.is_empty() && (count > MAX_LISTED || bytes > MAX_LISTED_BYTES);
    }

    /// A set that takes the large form however few its members are: what unions and the like compute
    /// in.
    pub fn large() -> SortedSet {
        SortedSet {
            grown: true,
            ..SortedSet::default()
        }
    }

    /// Takes the compact form if the set is small enough for it.
    #[must_use]
    pub fn compacted(self) -> SortedSet {
        let small = self.len() <= MAX_LISTED
            && self
                .members
                .keys()
                .all(|member| member.len() <= MAX_LISTED_BYTES);
        if !small {
            return self;
        }
        self.iter().collect()
    }

    /// A member's score.
    pub fn score(&self, member: &[u8]) -> Option<f64> {
        self.members.get(member).map(|node| self.order.score(*node))
    }

    /// Puts a member in or gives it another score; answers the score it had. A score is never NaN:
    /// callers see to that.
    pub fn insert(&mut self, member: &[u8], score: f64) -> Option<f64> {
        let is_new = !self.members.contains_key(member);
        if is_new {
            self.grown |= self.len() >= MAX_LISTED || member.len() > MAX_LISTED_BYTES;
        }
        // The compact form stores whole numbers as integers, which have no minus zero.
        let score = if score == 0.0 && !self.grown {
            0.0
        } else {
            score
        };
        let Some((place, _, node)) = self.members.get_full_mut(member) else {
            let (place, _) = self.members.insert_full(member.into(), NodeId::default());
            self.link(place, score);
            return None;
        };
        let before = self.order.score(*node);
        // Zero and minus zero are one score: the first one stays.
        if before != score {
            let node = *node;
            self.unlink(node);
            self.link(place, score);
        }
        Some(before)
    }

    /// Takes a member out; answers the score it had.
    pub fn remove(&mut self, member: &[u8]) -> Option<f64> {
        let node = *self.members.get(member)?;
        let score = self.order.score(node);
        self.unlink(node);
        let (place, _, _) = self.members.swap_remove_full(member)?;
        // The last one has taken its place.
        if let Some((_, moved)) = self.members.get_index(place) {
            self.order.set_place(*moved, place);
        }
        Some(score)
    }

    /// Takes out the members of a range of ranks; answers how many.
    pub fn remove_ranks(&mut self, ranks: Range<usize>) -> usize {
        let unwanted: Vec<Member> = self.range(ranks).map(|(member, _)| member.into()).collect();
        for member in &unwanted {
            self.remove(member);
        }
        unwanted.len()
    }

    /// How many members come before a member.
    pub fn rank(&self, member: &[u8]) -> Option<usize> {
        let node = *self.members.get(member)?;
        let score = self.order.score(node);
        Some(self.count_while(|s, m| precedes((s, m), (score, member))))
    }

    /// The members of a dense range of ranks, in order.
    pub fn range(&self, ranks: Range<usize>) -> impl Iterator<Item = (&[u8], f64)> {
        let count = ranks.end.min(self.len()).saturating_sub(ranks.start);
        let first = self.order.at(ranks.start).filter(|_| count > 0);
        std::iter::successors(first, |node| self.order.next(*node))
            .take(count)
            .filter_map(|node| self.shown(node))
    }

    /// The members of a dense range of ranks, the last one first.
    pub fn range_reversed(&self, ranks: Range<usize>) -> impl Iterator<Item = (&[u8], f64)> {
        let end = ranks.end.min(self.len());
        let count = end.saturating_sub(ranks.start);
        let last = end.checked_sub(1).filter(|_| count > 0);
        std::iter::successors(last.and_then(|rank| self.order.at(rank)), |node| {
            self.order.previous(*node)
        })
        .take(count)
        .filter_map(|node| self.shown(node))
    }

    /// All members, in order.
    pub fn iter(&self) -> impl Iterator<Item = (&[u8], f64)> {
        self.range(0..self.len())
    }

    /// The member at a place of the map, in no order that clients may rely on; places are dense.
    pub fn at(&self, place: usize) -> Option<(&[u8], f64)> {
        let (member, node) = self.members.get_index(place)?;
        Some((member, self.order.score(*node)))
    }

    /// A member by chance.
    pub fn choose(&self, random: &mut impl Rng) -> Option<(&[u8], f64)> {
        if self.is_empty() {
            return None;
        }
        self.at(random.random_range(0..self.len()))
    }

    /// `count` different members by chance; all of them, in order, when there are no more.
    pub fn sample(&self, random: &mut impl Rng, count: usize) -> Vec<(&[u8], f64)> {
        if count >= self.len() {
            return self.iter().collect();
        }
        rand::seq::index::sample(random, self.len(), count)
            .into_iter()
            .filter_map(|place| self.at(place))
            .collect()
    }

    /// The ranks of the members whose score is within a range.
    pub fn score_ranks(&self, range: &ScoreRange) -> Range<usize> {
        let start = self.count_while(|score, _| range.is_below(score));
        let end = self.count_while(|score, _| !range.is_above(score));
        start..end.max(start)
    }

    /// The ranks of the members that lie within a range of byte strings.
    ///
    /// That is only well defined while all have the same score. Where they have not, a small set
    /// answers as Redis does, which walks it from one end: from the far end with `reversed`.
    pub fn lex_ranks(&self, range: &LexRange<'_>, reversed: bool) -> Range<usize> {
        let ends = self
            .range(0..1)
            .next()
            .zip(self.range_reversed(0..self.len()).next());
        let apart = ends
            .is_none_or(|((first, _), (last, _))| range.is_above(first) || range.is_below(last));
        if apart || range.is_empty() {
            return 0..0;
        }
        if self.grown {
            let start = self.count_while(|_, member| range.is_below(member));
            let end = self.count_while(|_, member| !range.is_above(member));
            return start..end.max(start);
        }
        let len = self.len();
        if reversed {
            let after = |test: &dyn Fn(&[u8]) -> bool, from: usize| {
                let mut members = self.range_reversed(0..from).map(|(member, _)| member);
                members.position(test).map_or(0, |skipped| from - skipped)
            };
            let end = after(&|member| !range.is_above(member), len);
            let start = after(&|member| range.is_below(member), end);
            return start..end;
        }
        let before = |test: &dyn Fn(&[u8]) -> bool, from: usize| {
            let mut members = self.range(from..len).map(|(member, _)| member);
            members.position(test).map_or(len, |skipped| from + skipped)
        };
        let start = before(&|member| !range.is_below(member), 0);
        let end = before(&|member| range.is_above(member), start);
        start..end
    }

    /// How many members from the first one on fulfil a condition that none fulfils behind one that
    /// does not.
    fn count_while(&self, condition: impl Fn(f64, &[u8]) -> bool) -> usize {
        self.order
            .count_while(|score, place| condition(score, self.name(place)))
    }

    fn name(&self, place: usize) -> &[u8] {
        self.members
            .get_index(place)
            .map(|(member, _)| &member[..])
            .unwrap_or_default()
    }

    fn shown(&self, node: NodeId) -> Option<(&[u8], f64)> {
        self.at(self.order.place(node))
    }

    /// Makes the node of the member at a place of the map.
    fn link(&mut self, place: usize, score: f64) {
        let members = &self.members;
        let Some((member, _)) = members.get_index(place) else {
            return;
        };
        let node = self.order.insert(score, place, |s, other| {
            let other = members.get_index(other).map(|(other, _)| &other[..]);
            precedes((s, other.unwrap_or_default()), (score, member))
        });
        if let Some((_, slot)) = self.members.get_index_mut(place) {
            *slot = node;
        }
    }

    fn unlink(&mut self, node: NodeId) {
        let members = &self.members;
        let name = |place| {
            members
                .get_index(place)
                .map_or(&[][..], |(member, _)| member)
        };
        let own = (self.order.score(node), name(self.order.place(node)));
        self.order
            .remove(node, |score, place| precedes((score, name(place)), own));
    }
}

impl<M: AsRef<[u8]>> Extend<(M, f64)> for SortedSet {
    fn extend<I: IntoIterator<Item = (M, f64)>>(&mut self, members: I) {
        for (member, score) in members {
            self.insert(member.as_ref(), score);
        }
    }
}

impl<M: AsRef<[u8]>> FromIterator<(M, f64)> for SortedSet {
    fn from_iter<I: IntoIterator<Item = (M, f64)>>(members: I) -> Self {
        let mut set = SortedSet::default();
        set.extend(members);
        set
    }
}

/// The order of a sorted set: by score, then by bytes.
fn precedes((score, member): (f64, &[u8]), (other_score, other): (f64, &[u8])) -> bool {
    score < other_score || (score == other_score && member < other)
}
