//! What is measured: single commands, whole operations of the areas, and batches.

/// What kind of thing a case measures.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Group {
    /// One command.
    Command,
    /// What an application does as one step: often several round trips.
    Operation,
    /// The same operation many times at once.
    Batch,
    /// A connection made for one command.
    ColdStart,
}

/// How the commands of a case are sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Way {
    /// Each on its own.
    Single,
    /// Those of a batch in one pipeline.
    Pipeline,
    /// Those of a batch in one transaction.
    Transaction,
}

/// One thing to measure, at one size and one batch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Case {
    /// Its id: `get/1kb`, `cache/hit/100b/pipeline/10`.
    pub id: String,
    /// Its place among all cases there are.
    pub number: usize,
    /// What it does once: `get`, `locks/acquire-release`.
    pub operation: &'static str,
    /// What it does, in a line.
    pub title: String,
    /// What kind of thing it is.
    pub group: Group,
    /// How its commands are sent.
    pub way: Way,
    /// How many bytes a value has.
    pub size: usize,
    /// How many times the operation is done at once.
    pub batch: usize,
    pub(super) kind: Kind,
}

/// The operations there are, for `script` to spell out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Get,
    Set,
    Incr,
    HashGetAll,
    SortedSetAdd,
    PushPop,
    Eval,
    Lock,
    Job,
    Session,
    CacheHit,
    CacheMiss,
    RateLimit,
    ColdStart,
}

/// An operation there is.
struct Operation {
    id: &'static str,
    title: &'static str,
    kind: Kind,
    group: Group,
    /// How many sizes of value are measured unless all are asked for; `None` without a value.
    sizes: Option<usize>,
}

const fn operation(
    id: &'static str,
    title: &'static str,
    kind: Kind,
    group: Group,
    sizes: Option<usize>,
) -> Operation {
    Operation {
        id,
        title,
        kind,
        group,
        sizes,
    }
}

const ALL: Option<usize> = Some(usize::MAX);

const OPERATIONS: [Operation; 13] = [
    operation("get", "GET of a string", Kind::Get, Group::Command, ALL),
    operation(
        "set",
        "SET of a string with an expiry",
        Kind::Set,
        Group::Command,
        ALL,
    ),
    operation(
        "incr",
        "INCR of a counter",
        Kind::Incr,
        Group::Command,
        None,
    ),
    operation(
        "hgetall",
        "HGETALL of a hash of ten fields",
        Kind::HashGetAll,
        Group::Command,
        Some(1),
    ),
    operation(
        "zadd",
        "ZADD of one member",
        Kind::SortedSetAdd,
        Group::Command,
        Some(1),
    ),
    operation(
        "lpush-rpop",
        "LPUSH, then RPOP",
        Kind::PushPop,
        Group::Command,
        Some(1),
    ),
    operation(
        "eval",
        "EVAL of a script that reads one key",
        Kind::Eval,
        Group::Command,
        Some(1),
    ),
    operation(
        "locks/acquire-release",
        "acquire a lock, release it",
        Kind::Lock,
        Group::Operation,
        None,
    ),
    operation(
        "queue/enqueue-take",
        "enqueue a job, take it, acknowledge it",
        Kind::Job,
        Group::Operation,
        ALL,
    ),
    operation(
        "sessions/read-touch",
        "read a session, extend it",
        Kind::Session,
        Group::Operation,
        ALL,
    ),
    operation(
        "cache/hit",
        "cache-aside, hit",
        Kind::CacheHit,
        Group::Operation,
        ALL,
    ),
    operation(
        "cache/miss",
        "cache-aside, miss and fill",
        Kind::CacheMiss,
        Group::Operation,
        ALL,
    ),
    operation(
        "patterns/rate-limit",
        "a rate-limit check by script",
        Kind::RateLimit,
        Group::Operation,
        None,
    ),
];

/// The cases at these value sizes and batches: a choice that shows each operation, each size and
/// each batch, or (`full`) every operation at every size in every batch.
pub fn cases(sizes: &[usize], batches: &[usize], full: bool) -> Vec<Case> {
    let mut all: Vec<(bool, Case)> = Vec::new();
    for operation in &OPERATIONS {
        let sizes = match operation.sizes {
            Some(usual) => sizes
                .iter()
                .enumerate()
                .map(|(index, size)| (index < usual, Some(*size)))
                .collect(),
            None => vec![(true, None)],
        };
        for (usual, size) in sizes {
            all.push((usual, operation.case(size, Way::Single, 1)));
        }
    }
    for way in [Way::Pipeline, Way::Transaction] {
        for operation in &OPERATIONS {
            let sized = sizes.iter().map(|size| Some(*size));
            let sizes: Vec<_> = match operation.sizes {
                Some(_) => sized.collect(),
                None => vec![None],
            };
            for (index, size) in sizes.into_iter().enumerate() {
                let usual = operation.kind == Kind::Get && index == 0;
                let each = batches.iter();
                all.extend(each.map(|batch| (usual, operation.case(size, way, *batch))));
            }
        }
    }
    all.push((true, COLD_START.case(None, Way::Single, 1)));
    for (number, (_, case)) in all.iter_mut().enumerate() {
        case.number = number;
    }
    let chosen = all.into_iter().filter(|(usual, _)| full || *usual);
    chosen.map(|(_, case)| case).collect()
}

const COLD_START: Operation = operation(
    "cold-start",
    "connect, then GET",
    Kind::ColdStart,
    Group::ColdStart,
    None,
);

/// The value of an operation whose size does not matter.
const ANY_SIZE: usize = 100;

impl Operation {
    fn case(&self, size: Option<usize>, way: Way, batch: usize) -> Case {
        let mut id = self.id.to_owned();
        let mut title = self.title.to_owned();
        if let Some(size) = size {
            id = format!("{id}/{}", size_name(size));
        }
        let group = match way {
            Way::Single => self.group,
            Way::Pipeline | Way::Transaction => {
                let name = if way == Way::Pipeline {
                    "pipeline"
                } else {
                    "transaction"
                };
                id = format!("{id}/{name}/{batch}");
                title = format!("{title}; {batch} in a {name}");
                Group::Batch
            }
        };
        Case {
            id,
            number: 0,
            operation: self.id,
            title,
            group,
            way,
            size: size.unwrap_or(ANY_SIZE),
            batch,
            kind: self.kind,
        }
    }
}

/// A size as ids have it: `100b`, `1kb`.
pub fn size_name(size: usize) -> String {
    match size {
        _ if size >= 1_000_000 && size.is_multiple_of(1_000_000) => {
            format!("{}mb", size / 1_000_000)
        }
        _ if size >= 1_000 && size.is_multiple_of(1_000) => format!("{}kb", size / 1_000),
        _ => format!("{size}b"),
    }
}

impl Case {
    /// Whether each operation makes a connection of its own, however the others are run.
    pub fn is_cold(&self) -> bool {
        self.kind == Kind::ColdStart
    }

    /// Which exchanges must not be answered with nil: then they did not do what they are for.
    pub fn needs_value(&self, exchange: usize) -> bool {
        match self.kind {
            Kind::CacheMiss => exchange == 1,
            _ => true,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_choice_has_every_operation_size_and_batch_and_is_part_of_all() {
        let (sizes, batches) = ([100, 1_000], [1, 10]);
        let chosen = cases(&sizes, &batches, false);
        let all = cases(&sizes, &batches, true);
        for operation in &OPERATIONS {
            assert!(chosen.iter().any(|case| case.operation == operation.id));
            let every = all.iter().filter(|case| case.operation == operation.id);
            let sizes = operation.sizes.map_or(1, |_| 2);
            assert_eq!(every.count(), sizes * (1 + 2 * 2), "{}", operation.id);
        }
        assert!(chosen.iter().all(|case| all.contains(case)));
        assert!(chosen.iter().any(|case| case.id == "cache/miss/1kb"));
        assert!(
            chosen
                .iter()
                .any(|case| case.id == "get/100b/transaction/10")
        );
    }
}
