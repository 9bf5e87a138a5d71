//! The search for an order in which operations could have taken effect, one at a time.
//!
//! It is Wing and Gong's search (1993) with Lowe's just-in-time rule and memoization (2017): it walks
//! over the returns in the order in which they came, and at each lets operations take effect only
//! until the one that returns has. A configuration is which of the operations under way took effect,
//! and the state; none is visited twice. Three rules keep configurations few, and lose no order:
//!
//! - What only looks (a read, a refusal) takes effect as soon as the state allows: it changes nothing.
//! - What has no known outcome never has to take effect, so a configuration in which more of it did
//!   is worth nothing beside one that equals it otherwise. It is used late, and only where it helps.
//! - Fewest first: an order that leaves the others for later is tried before one that does not.

use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};

use super::linearizable::Model;
use super::operation::Operation;

/// What a search came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Found {
    /// This order of the operations, by their places in the list, explains all that was answered.
    /// Operations that did not happen, or never took effect, are not in it.
    Order(Vec<usize>),
    /// There is no order.
    Nothing,
    /// The search was given up.
    GaveUp,
}

/// Searches an order for the operations of one object, among no more than `limit` configurations.
pub fn order<M: Model>(model: &M, operations: &[Operation], limit: usize) -> Found {
    Search::new(model, operations, limit).run()
}

/// How many operations can be under way at once, those of unknown outcome counted.
const SLOTS: usize = 256;
const NOWHERE: u32 = u32::MAX;

type FastMap<K, V> = HashMap<K, V, BuildHasherDefault<Mixer>>;

/// A moment at which the history goes on.
#[derive(Clone, Copy)]
enum Moment {
    Invoked(usize),
    Returned(usize),
}

/// An operation under way.
#[derive(Clone, Copy)]
struct Pending {
    slot: usize,
    operation: usize,
    looks: bool,
    unknown: bool,
}

/// Where the search is: how many moments are over, which of the operations under way took effect,
/// the state, and how it came there.
#[derive(Clone, Copy)]
struct Node {
    moment: u32,
    done: Set,
    state: u32,
    link: u32,
}

struct Search<'a, M: Model> {
    model: &'a M,
    operations: &'a [Operation],
    limit: usize,
    moments: Vec<Moment>,
    /// What is under way after so many moments, soonest return first.
    pending: Vec<Vec<Pending>>,
    unknown: Set,
    slot_of: Vec<usize>,
    states: Vec<M::State>,
    state_ids: HashMap<M::State, u32>,
    steps: FastMap<(u32, u32), u32>,
    /// For what took effect and the state at a moment, the least of unknown outcome that did.
    seen: FastMap<(u32, u32, Set), Vec<Set>>,
    visited: usize,
    /// How configurations came about: the one before, and what took effect.
    links: Vec<(u32, u32)>,
}

impl<'a, M: Model> Search<'a, M> {
    fn new(model: &'a M, operations: &'a [Operation], limit: usize) -> Self {
        let initial = model.initial();
        Search {
            model,
            operations,
            limit,
            moments: moments(model, operations),
            pending: Vec::new(),
            unknown: Set::default(),
            slot_of: vec![0; operations.len()],
            states: vec![initial.clone()],
            state_ids: HashMap::from([(initial, 0)]),
            steps: FastMap::default(),
            seen: FastMap::default(),
            visited: 0,
            links: Vec::new(),
        }
    }

    fn run(mut self) -> Found {
        if !self.assign_slots() {
            return Found::GaveUp;
        }
        let mut open = vec![Node {
            moment: 0,
            done: Set::default(),
            state: 0,
            link: NOWHERE,
        }];
        while let Some(node) = open.pop() {
            let Some(moment) = self.moments.get(node.moment as usize).copied() else {
                return Found::Order(self.trace(node.link));
            };
            if self.visited > self.limit {
                return Found::GaveUp;
            }
            match moment {
                Moment::Invoked(_) => {
                    let mut next = node;
                    next.moment += 1;
                    self.settle(&mut next);
                    self.open(&mut open, next);
                }
                Moment::Returned(at) => {
                    let slot = self.slot_of[at];
                    if node.done.has(slot) {
                        let mut next = node;
                        next.moment += 1;
                        next.done.remove(slot);
                        self.open(&mut open, next);
                    } else {
                        self.go_on(&mut open, node, at);
                    }
                }
            }
        }
        Found::Nothing
    }

    /// Gives every operation a slot from its invocation to its return. False when there are too few.
    fn assign_slots(&mut self) -> bool {
        // What never returns keeps its slot for good, and shares none with what does.
        let unknown = self.moments.iter().filter(|moment| match moment {
            Moment::Invoked(at) => self.operations[*at].is_unknown(),
            Moment::Returned(_) => false,
        });
        let Some(known) = SLOTS.checked_sub(unknown.count()) else {
            return false;
        };
        let mut free: Vec<usize> = (0..known).rev().collect();
        let mut endless = known..SLOTS;
        let mut under_way: Vec<Pending> = Vec::new();
        self.pending.push(under_way.clone());
        for moment in &self.moments {
            match *moment {
                Moment::Invoked(at) => {
                    let operation = &self.operations[at];
                    let slot = match operation.is_unknown() {
                        true => endless.next(),
                        false => free.pop(),
                    };
                    let Some(slot) = slot else { return false };
                    self.slot_of[at] = slot;
                    if operation.is_unknown() {
                        self.unknown.insert(slot);
                    }
                    under_way.push(Pending {
                        slot,
                        operation: at,
                        looks: self.model.looks(operation),
                        unknown: operation.is_unknown(),
                    });
                    under_way
                        .sort_by_key(|one| (one.unknown, self.operations[one.operation].ended_us));
                }
                Moment::Returned(at) => {
                    under_way.retain(|one| one.operation != at);
                    free.push(self.slot_of[at]);
                }
            }
            self.pending.push(under_way.clone());
        }
        true
    }

    /// Lets one more operation take effect before this one returns, or this one itself, which is
    /// tried first.
    fn go_on(&mut self, open: &mut Vec<Node>, node: Node, returns: usize) {
        let moment = node.moment as usize;
        for place in (0..self.pending[moment].len()).rev() {
            let one = self.pending[moment][place];
            if one.operation != returns && !one.looks && !node.done.has(one.slot) {
                self.effect(open, node, one);
            }
        }
        if let Some(one) = self.pending[moment]
            .iter()
            .find(|one| one.operation == returns)
            .copied()
        {
            self.effect(open, node, one);
        }
    }

    fn effect(&mut self, open: &mut Vec<Node>, node: Node, one: Pending) {
        let Some(state) = self.step(node.state, one.operation) else {
            return;
        };
        // Nobody can tell whether it happened.
        if one.unknown && state == node.state {
            return;
        }
        let mut next = node;
        next.state = state;
        self.take(&mut next, one);
        self.settle(&mut next);
        self.open(open, next);
    }

    fn take(&mut self, node: &mut Node, one: Pending) {
        node.done.insert(one.slot);
        self.links.push((node.link, one.operation as u32));
        node.link = (self.links.len() - 1) as u32;
    }

    /// Lets everything take effect that only looks and sees what it returned.
    fn settle(&mut self, node: &mut Node) {
        let moment = node.moment as usize;
        for place in 0..self.pending[moment].len() {
            let one = self.pending[moment][place];
            if one.looks
                && !node.done.has(one.slot)
                && self.step(node.state, one.operation).is_some()
            {
                self.take(node, one);
            }
        }
    }

    /// Keeps a configuration for later, unless one as good was seen.
    fn open(&mut self, open: &mut Vec<Node>, node: Node) {
        let (known, unknown) = node.done.split(&self.unknown);
        let others = self
            .seen
            .entry((node.moment, node.state, known))
            .or_default();
        if others.iter().any(|other| other.is_within(&unknown)) {
            return;
        }
        others.retain(|other| !unknown.is_within(other));
        others.push(unknown);
        self.visited += 1;
        open.push(node);
    }

    fn step(&mut self, state: u32, operation: usize) -> Option<u32> {
        let key = (state, operation as u32);
        if let Some(known) = self.steps.get(&key) {
            return (*known != NOWHERE).then_some(*known);
        }
        let after = self
            .model
            .step(&self.states[state as usize], &self.operations[operation]);
        let id = match after {
            None => NOWHERE,
            Some(after) => match self.state_ids.get(&after) {
                Some(id) => *id,
                None => {
                    let id = self.states.len() as u32;
                    self.states.push(after.clone());
                    self.state_ids.insert(after, id);
                    id
                }
            },
        };
        self.steps.insert(key, id);
        (id != NOWHERE).then_some(id)
    }

    fn trace(&self, mut link: u32) -> Vec<usize> {
        let mut order = Vec::new();
        while let Some((before, operation)) = self.links.get(link as usize) {
            order.push(*operation as usize);
            link = *before;
        }
        order.reverse();
        order
    }
}

/// Invocations and returns in the order of their times; at one time the invocations come first, for
/// what ended then does not precede what began then. A look that nobody saw the end of says nothing.
fn moments<M: Model>(model: &M, operations: &[Operation]) -> Vec<Moment> {
    let mut moments = Vec::new();
    for (at, operation) in operations.iter().enumerate() {
        if operation.is_failed() || operation.is_unknown() && model.looks(operation) {
            continue;
        }
        moments.push((operation.invoked_us, false, at));
        if !operation.is_unknown() {
            moments.push((operation.ended_us, true, at));
        }
    }
    moments.sort_unstable();
    moments
        .into_iter()
        .map(|(_, returns, at)| match returns {
            true => Moment::Returned(at),
            false => Moment::Invoked(at),
        })
        .collect()
}

/// A set of slots, a bit for each.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
struct Set([u64; SLOTS / 64]);

impl Set {
    fn has(&self, slot: usize) -> bool {
        self.0[slot / 64] & (1 << (slot % 64)) != 0
    }

    fn insert(&mut self, slot: usize) {
        self.0[slot / 64] |= 1 << (slot % 64);
    }

    fn remove(&mut self, slot: usize) {
        self.0[slot / 64] &= !(1 << (slot % 64));
    }

    fn is_within(&self, other: &Set) -> bool {
        self.0
            .iter()
            .zip(&other.0)
            .all(|(one, two)| one & !two == 0)
    }

    /// What is not in the mask, and what is.
    fn split(&self, mask: &Set) -> (Set, Set) {
        let (mut out, mut within) = (*self, *self);
        for (at, mask) in mask.0.iter().enumerate() {
            out.0[at] &= !mask;
            within.0[at] &= mask;
        }
        (out, within)
    }
}

/// Hashes a few whole numbers: keys here are small, many, and nobody's attack.
#[derive(Default)]
struct Mixer(u64);

impl Hasher for Mixer {
    fn finish(&self) -> u64 {
        self.0 ^ (self.0 >> 29)
    }

    fn write(&mut self, bytes: &[u8]) {
        for chunk in bytes.chunks(8) {
            let mut word = [0; 8];
            word[..chunk.len()].copy_from_slice(chunk);
            self.write_u64(u64::from_le_bytes(word));
        }
    }

    fn write_u64(&mut self, word: u64) {
        self.0 = (self.0.rotate_left(23) ^ word).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    }

    fn write_u32(&mut self, word: u32) {
        self.write_u64(u64::from(word));
    }

    fn write_usize(&mut self, word: usize) {
        self.write_u64(word as u64);
    }
}
