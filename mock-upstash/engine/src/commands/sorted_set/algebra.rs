//! Unions, intersections and differences of sorted sets and sets.

use indexmap::IndexMap;

use crate::call::Call;
use crate::commands::argument;
use crate::error::{ReplyError, SYNTAX, WRONG_TYPE};
use crate::notification::Class;
use crate::number;
use crate::reply::{Outcome, Reply};
use crate::value::sorted_set::Member;
use crate::value::{Set, SortedSet, Value};

#[derive(Clone, Copy, PartialEq)]
enum Operation {
    Union,
    Intersection,
    Difference,
}

/// What becomes of a member's scores in several sets.
#[derive(Clone, Copy, PartialEq)]
enum Aggregate {
    Sum,
    Min,
    Max,
    /// Every score counts as 1, so that weights alone are added.
    Count,
}

impl Aggregate {
    fn join(self, a: f64, b: f64) -> f64 {
        match self {
            // Infinities of both signs make zero.
            Aggregate::Sum | Aggregate::Count => not_nan(a + b),
            // What is no number is neither less nor more.
            Aggregate::Min if b < a => b,
            Aggregate::Max if b > a => b,
            Aggregate::Min | Aggregate::Max => a,
        }
    }

    /// A weighted score. Infinity weighted with zero is no number: as a first score it counts as zero,
    /// in an intersection it takes the sum with it when it is joined.
    fn weigh(self, score: f64, weight: f64) -> f64 {
        match self {
            Aggregate::Count => weight,
            _ => score * weight,
        }
    }
}

fn not_nan(score: f64) -> f64 {
    if score.is_nan() { 0.0 } else { score }
}

/// An input: a sorted set, or a set whose members all score 1.
#[derive(Clone, Copy)]
enum Source<'s> {
    Missing,
    Plain(&'s Set),
    Sorted(&'s SortedSet),
}

impl<'s> Source<'s> {
    fn of(value: Option<&'s Value>) -> Result<Source<'s>, ReplyError> {
        match value {
            None => Ok(Source::Missing),
            Some(Value::Set(set)) => Ok(Source::Plain(set)),
            Some(Value::SortedSet(set)) => Ok(Source::Sorted(set)),
            Some(_) => Err(WRONG_TYPE),
        }
    }

    fn len(self) -> usize {
        match self {
            Source::Missing => 0,
            Source::Plain(set) => set.len(),
            Source::Sorted(set) => set.len(),
        }
    }

    fn score(self, member: &[u8]) -> Option<f64> {
        match self {
            Source::Missing => None,
            Source::Plain(set) => set.contains(member).then_some(1.0),
            Source::Sorted(set) => set.score(member),
        }
    }

    fn members(self) -> Box<dyn Iterator<Item = (Member, f64)> + 's> {
        match self {
            Source::Missing => Box::new(std::iter::empty()),
            Source::Plain(set) => Box::new(set.iter().map(|m| (Member::from(&*m), 1.0))),
            Source::Sorted(set) => Box::new(set.iter().map(|(m, score)| (m.into(), score))),
        }
    }
}

/// Members with the scores joined so far.
type Scores = IndexMap<Member, f64, foldhash::fast::RandomState>;

/// A command's arguments, read.
struct Query {
    operation: Operation,
    weights: Vec<f64>,
    aggregate: Aggregate,
    with_scores: bool,
    limit: usize,
}

/// Which options a command has.
#[derive(Clone, Copy, PartialEq)]
enum Form {
    Read,
    Store,
    Cardinality,
}

/// `ZUNION numkeys key [key …] [WEIGHTS …] [AGGREGATE …] [WITHSCORES]`
pub(super) fn zunion(call: &mut Call<'_>) -> Outcome {
    read(call, Operation::Union)
}

/// `ZINTER numkeys key [key …] [WEIGHTS …] [AGGREGATE …] [WITHSCORES]`
pub(super) fn zinter(call: &mut Call<'_>) -> Outcome {
    read(call, Operation::Intersection)
}

/// `ZDIFF numkeys key [key …] [WITHSCORES]`
pub(super) fn zdiff(call: &mut Call<'_>) -> Outcome {
    read(call, Operation::Difference)
}

/// `ZUNIONSTORE destination numkeys key [key …] [WEIGHTS …] [AGGREGATE …]`
pub(super) fn zunionstore(call: &mut Call<'_>) -> Outcome {
    store(call, Operation::Union, "zunionstore")
}

/// `ZINTERSTORE destination numkeys key [key …] [WEIGHTS …] [AGGREGATE …]`
pub(super) fn zinterstore(call: &mut Call<'_>) -> Outcome {
    store(call, Operation::Intersection, "zinterstore")
}

/// `ZDIFFSTORE destination numkeys key [key …]`
pub(super) fn zdiffstore(call: &mut Call<'_>) -> Outcome {
    store(call, Operation::Difference, "zdiffstore")
}

/// `ZINTERCARD numkeys key [key …] [LIMIT limit]`
pub(super) fn zintercard(call: &mut Call<'_>) -> Outcome {
    let (query, sources) = parse(call, 1, Operation::Intersection, Form::Cardinality)?;
    let found = query.common(&sources).take(query.limit).count();
    Ok(Reply::count(found))
}

fn read(call: &mut Call<'_>, operation: Operation) -> Outcome {
    let resp3 = call.resp3();
    let (query, sources) = parse(call, 1, operation, Form::Read)?;
    let result = query.compute(&sources);
    Ok(match query.with_scores {
        true if resp3 => super::pairs(result.iter()),
        true => super::flat(result.iter()),
        false => Reply::bulks(result.iter().map(|(member, _)| member)),
    })
}

fn store(call: &mut Call<'_>, operation: Operation, event: &str) -> Outcome {
    let destination = call.arg(1);
    let (query, sources) = parse(call, 2, operation, Form::Store)?;
    let result = query.compute(&sources).compacted();
    if result.is_empty() {
        if call.db().remove(destination) {
            call.changed(Class::GENERIC, "del", destination);
        }
        return Ok(Reply::Integer(0));
    }
    let len = result.len();
    let value = Value::SortedSet(Box::new(result));
    call.set_key(destination, value, Class::SORTED_SET, event);
    Ok(Reply::count(len))
}

/// Reads `numkeys key [key …]` and options from argument `at` on, and finds what the keys hold. A key
/// of the wrong kind comes before a mistake in the options, as with Redis.
fn parse<'c>(
    call: &'c Call<'_>,
    at: usize,
    operation: Operation,
    form: Form,
) -> Result<(Query, Vec<Source<'c>>), ReplyError> {
    let count = call.integer(at)?;
    if count < 1 {
        return Err(ReplyError::new(format!(
            "ERR at least 1 input key is needed for '{}' command",
            call.command.full_name()
        )));
    }
    let count = usize::try_from(count).unwrap_or(usize::MAX);
    let rest = call.args_from(at + 1);
    let keys = rest.get(..count).ok_or(SYNTAX)?;
    let db = &call.engine.databases[call.db];
    let sources = keys
        .iter()
        .map(|key| Source::of(db.value(key)))
        .collect::<Result<Vec<_>, _>>()?;
    let mut query = Query {
        operation,
        weights: vec![1.0; count],
        aggregate: Aggregate::Sum,
        with_scores: false,
        limit: usize::MAX,
    };
    let weighable = operation != Operation::Difference && form != Form::Cardinality;
    let mut at = at + 1 + count;
    while at < call.args.len() {
        let left = call.args.len() - at;
        if weighable && left > count && call.is(at, "WEIGHTS") {
            for (place, weight) in query.weights.iter_mut().enumerate() {
                *weight = number::double(call.arg(at + 1 + place))
                    .ok_or(ReplyError::fixed("ERR weight value is not a float"))?;
            }
            at += 1 + count;
        } else if weighable && left > 1 && call.is(at, "AGGREGATE") {
            query.aggregate = match () {
                () if call.is(at + 1, "SUM") => Aggregate::Sum,
                () if call.is(at + 1, "MIN") => Aggregate::Min,
                () if call.is(at + 1, "MAX") => Aggregate::Max,
                () if call.is(at + 1, "COUNT") => Aggregate::Count,
                () => return Err(SYNTAX),
            };
            at += 2;
        } else if form == Form::Read && call.is(at, "WITHSCORES") {
            query.with_scores = true;
            at += 1;
        } else if form == Form::Cardinality && left > 1 && call.is(at, "LIMIT") {
            let error = ReplyError::fixed("ERR LIMIT can't be negative");
            let limit = argument::ranged(call, at + 1, 0, i64::MAX, error)?;
            query.limit = match usize::try_from(limit) {
                Ok(0) | Err(_) => usize::MAX,
                Ok(limit) => limit,
            };
            at += 2;
        } else {
            return Err(SYNTAX);
        }
    }
    Ok((query, sources))
}

impl Query {
    fn compute(&self, sources: &[Source<'_>]) -> SortedSet {
        let mut result = SortedSet::large();
        match self.operation {
            Operation::Union => result.extend(self.union(sources)),
            Operation::Intersection => result.extend(self.common(sources)),
            Operation::Difference => result.extend(difference(sources)),
        }
        result
    }

    /// Sources with their weights, the smallest first: floating point sums depend on the order.
    fn by_size<'s>(&self, sources: &[Source<'s>]) -> Vec<(Source<'s>, f64)> {
        let weights = self.weights.iter().copied();
        let mut weighted: Vec<_> = sources.iter().copied().zip(weights).collect();
        weighted.sort_by_key(|(source, _)| source.len());
        weighted
    }

    fn union(&self, sources: &[Source<'_>]) -> Scores {
        let mut scores = Scores::default();
        for (source, weight) in self.by_size(sources) {
            for (member, score) in source.members() {
                let score = not_nan(self.aggregate.weigh(score, weight));
                scores
                    .entry(member)
                    .and_modify(|sum| *sum = self.aggregate.join(*sum, score))
                    .or_insert(score);
            }
        }
        scores
    }

    /// What all sources have in common, with joined scores. Walks the smallest of them.
    fn common<'s>(&self, sources: &[Source<'s>]) -> impl Iterator<Item = (Member, f64)> + 's {
        let sources = self.by_size(sources);
        let aggregate = self.aggregate;
        let smallest = sources.first().copied();
        smallest
            .into_iter()
            .flat_map(move |(source, weight)| {
                source
                    .members()
                    .map(move |(member, score)| (member, not_nan(aggregate.weigh(score, weight))))
            })
            .filter_map(move |(member, score)| {
                let mut joined = score;
                for (source, weight) in sources.iter().skip(1) {
                    let score = aggregate.weigh(source.score(&member)?, *weight);
                    joined = aggregate.join(joined, score);
                }
                Some((member, joined))
            })
    }
}

fn difference(sources: &[Source<'_>]) -> impl Iterator<Item = (Member, f64)> {
    let members = sources.first().map(|first| first.members());
    members.into_iter().flatten().filter(|(member, _)| {
        let mut others = sources.iter().skip(1);
        !others.any(|other| other.score(member).is_some())
    })
}
