//! Distinct byte strings.

use std::borrow::Cow;

use indexmap::IndexSet;
use rand::{Rng, RngExt};

use crate::number;

/// A member of a set.
pub type Member = Box<[u8]>;

/// Most integers that a set keeps sorted (`set-max-intset-entries`).
const MAX_INTEGERS: usize = 512;
/// Most members of a set that keeps the order they came in (`set-max-listpack-entries`).
const MAX_LISTED: usize = 128;
/// Longest member of a set that keeps the order they came in (`set-max-listpack-value`).
const MAX_LISTED_BYTES: usize = 64;

type Members = IndexSet<Member, foldhash::fast::RandomState>;

/// Distinct byte strings.
///
/// Redis stores sets in three ways, which clients see in the order of SMEMBERS and in what SSCAN
/// answers at once. This set goes through the same three.
#[derive(Debug, Clone)]
pub struct Set {
    form: Form,
}

#[derive(Debug, Clone)]
enum Form {
    /// Integers in canonical decimal form, ascending.
    Integers(Vec<i64>),
    /// Few and short: in the order in which they came.
    Listed(Members),
    /// In no order that clients may rely on; places are dense, and a member only ever moves from the
    /// end to a lower place.
    Hashed(Members),
}

impl Default for Set {
    fn default() -> Self {
        Set {
            form: Form::Integers(Vec::new()),
        }
    }
}

impl Set {
    /// Whether there is nothing in it.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Number of members.
    pub fn len(&self) -> usize {
        match &self.form {
            Form::Integers(integers) => integers.len(),
            Form::Listed(members) | Form::Hashed(members) => members.len(),
        }
    }

    /// The name of its form, as OBJECT ENCODING answers it.
    pub fn encoding(&self) -> &'static str {
        match self.form {
            Form::Integers(_) => "intset",
            Form::Listed(_) => "listpack",
            Form::Hashed(_) => "hashtable",
        }
    }

    /// Whether it is so small that a scan answers all of it at once.
    pub fn is_compact(&self) -> bool {
        !matches!(self.form, Form::Hashed(_))
    }

    /// Whether a byte string is a member.
    pub fn contains(&self, member: &[u8]) -> bool {
        match &self.form {
            Form::Integers(integers) => {
                number::integer(member).is_some_and(|n| integers.binary_search(&n).is_ok())
            }
            Form::Listed(members) | Form::Hashed(members) => members.contains(member),
        }
    }

    /// The member at a place; places are dense from 0.
    pub fn at(&self, place: usize) -> Option<Cow<'_, [u8]>> {
        match &self.form {
            Form::Integers(integers) => {
                let n = *integers.get(place)?;
                Some(Cow::Owned(n.to_string().into_bytes()))
            }
            Form::Listed(members) | Form::Hashed(members) => members
                .get_index(place)
                .map(|member| Cow::Borrowed(&member[..])),
        }
    }

    /// The members, in order of place.
    pub fn iter(&self) -> impl Iterator<Item = Cow<'_, [u8]>> {
        (0..self.len()).filter_map(|place| self.at(place))
    }

    /// Says that about `count` members are to come, for Redis chooses the form by that.
    pub fn expect(&mut self, count: usize) {
        match &mut self.form {
            Form::Integers(integers) => {
                if integers.is_empty() && count > MAX_INTEGERS {
                    self.hash();
                }
            }
            Form::Listed(_) if count > MAX_LISTED => self.hash(),
            Form::Listed(_) | Form::Hashed(_) => {}
        }
    }

    /// Puts a member in; says whether it is new.
    pub fn insert(&mut self, member: &[u8]) -> bool {
        match &mut self.form {
            Form::Integers(integers) => {
                let Some(n) = number::integer(member) else {
                    self.leave_integers(member);
                    return self.insert(member);
                };
                let Err(place) = integers.binary_search(&n) else {
                    return false;
                };
                integers.insert(place, n);
                if integers.len() > MAX_INTEGERS {
                    self.hash();
                }
                true
            }
            Form::Listed(members) => {
                if members.contains(member) {
                    return false;
                }
                if members.len() >= MAX_LISTED || member.len() > MAX_LISTED_BYTES {
                    self.hash();
                    return self.insert(member);
                }
                members.insert(member.into())
            }
            Form::Hashed(members) => !members.contains(member) && members.insert(member.into()),
        }
    }

    /// Takes a member out; says whether it was there.
    pub fn remove(&mut self, member: &[u8]) -> bool {
        match &mut self.form {
            Form::Integers(integers) => {
                let place = number::integer(member).and_then(|n| integers.binary_search(&n).ok());
                if let Some(place) = place {
                    integers.remove(place);
                }
                place.is_some()
            }
            Form::Listed(members) => members.shift_remove(member),
            Form::Hashed(members) => members.swap_remove(member),
        }
    }

    /// Takes the member at a place out.
    fn remove_at(&mut self, place: usize) -> Option<Member> {
        match &mut self.form {
            Form::Integers(integers) => {
                (place < integers.len()).then(|| decimal(integers.remove(place)))
            }
            Form::Listed(members) => members.shift_remove_index(place),
            Form::Hashed(members) => members.swap_remove_index(place),
        }
    }

    /// A member by chance.
    pub fn choose(&self, random: &mut impl Rng) -> Option<Cow<'_, [u8]>> {
        if self.is_empty() {
            return None;
        }
        self.at(random.random_range(0..self.len()))
    }

    /// `count` different members by chance; all of them, in order of place, when there are no more.
    pub fn sample(&self, random: &mut impl Rng, count: usize) -> Vec<Cow<'_, [u8]>> {
        if count >= self.len() {
            return self.iter().collect();
        }
        rand::seq::index::sample(random, self.len(), count)
            .into_iter()
            .filter_map(|place| self.at(place))
            .collect()
    }

    /// Takes a member out by chance.
    pub fn pop(&mut self, random: &mut impl Rng) -> Option<Member> {
        if self.is_empty() {
            return None;
        }
        self.remove_at(random.random_range(0..self.len()))
    }

    /// Takes the form that an integer set has once `member`, which is no integer, comes in.
    fn leave_integers(&mut self, member: &[u8]) {
        let few = self.len() < MAX_LISTED && member.len() <= MAX_LISTED_BYTES;
        let members = self.iter().map(|member| Member::from(&*member)).collect();
        self.form = if few {
            Form::Listed(members)
        } else {
            Form::Hashed(members)
        };
    }

    fn hash(&mut self) {
        self.form = match std::mem::take(self).form {
            Form::Integers(integers) => Form::Hashed(integers.into_iter().map(decimal).collect()),
            Form::Listed(members) | Form::Hashed(members) => Form::Hashed(members),
        };
    }
}

impl<T: AsRef<[u8]>> FromIterator<T> for Set {
    fn from_iter<I: IntoIterator<Item = T>>(members: I) -> Self {
        let mut set = Set::default();
        for member in members {
            set.insert(member.as_ref());
        }
        set
    }
}

fn decimal(n: i64) -> Member {
    n.to_string().into_bytes().into_boxed_slice()
}
