//! What has to have happened in a run for its result to say much: whoever never waited for a lock does
//! not know whether it keeps others out.

use crate::history::{History, Operation, Value};

/// Something that clients of a workload have to get into.
#[derive(Debug, Clone, Copy)]
pub struct Occasion {
    /// What it is, as a sentence without a full stop that is true where it never came.
    pub missed: &'static str,
    /// Whether it came.
    pub came: fn(&History) -> bool,
}

impl Occasion {
    pub(super) const OVERLAP: Occasion = Occasion {
        missed: "no two clients were at it at the same time",
        came: overlap,
    };
    pub(super) const REFUSED: Occasion = Occasion {
        missed: "nobody was refused, so nobody was in another's way",
        came: |history| any(history, "acquire", |one| one.returned(false)),
    };
    pub(super) const STALLED: Occasion = Occasion {
        missed: "no holder stalled past its lease and found it given to another, or gone",
        came: |history| any(history, "release", |one| one.returned(false)),
    };
    pub(super) const NEVER_RELEASED: Occasion = Occasion {
        missed: "no holder crashed and left its lease to run out while another waited",
        came: |history| {
            any(history, "crash", |crash| {
                any(history, "acquire", |one| {
                    crash.precedes(one) && one.returned(true)
                })
            })
        },
    };
    pub(super) const LATE_WRITER: Occasion = Occasion {
        missed: "no holder wrote too late, so none was kept out",
        came: |history| any(history, "store", |one| one.returned(false)),
    };
    pub(super) const STAMPEDE: Occasion = Occasion {
        missed: "no two clients missed an entry together",
        came: |history| any(history, "acquire", |one| one.returned(false)),
    };
    pub(super) const SWAPPED: Occasion = Occasion {
        missed: "not both happened: a swap that worked, and one that came too late",
        came: |history| {
            any(history, "swap", |one| one.returned(true))
                && any(history, "swap", |one| one.returned(false))
        },
    };
    pub(super) const LIMITED: Occasion = Occasion {
        missed: "the limit was not reached in two windows",
        came: limited,
    };
    pub(super) const READ_AFTER_WRITE: Occasion = Occasion {
        missed: "nobody read what had been written before",
        came: |history| {
            any(history, "write", |write| {
                any(history, "read", |read| {
                    read.object == write.object && write.precedes(read)
                })
            })
        },
    };
    pub(super) const HANDED_OVER: Occasion = Occasion {
        missed: "no job was pushed by one client and taken by another",
        came: |history| any(history, "take", |one| some(one).is_some()),
    };
    pub(super) const EMPTY: Occasion = Occasion {
        missed: "nobody ever found it empty",
        came: |history| any(history, "take", |one| one.returned(Value::Nil)),
    };
    pub(super) const DRAINED: Occasion = Occasion {
        missed: "jobs were left when time was up, so nothing is known of what was lost",
        came: |history| any(history, "drain", |one| one.returned(true)),
    };
    pub(super) const CRASHED: Occasion = Occasion {
        missed: "no consumer crashed",
        came: |history| any(history, "crash", |_| true),
    };
    pub(super) const RECLAIMED: Occasion = Occasion {
        missed: "nothing that a crashed consumer had left was given to another",
        came: |history| any(history, "reclaim", |one| some(one).is_some()),
    };
    pub(super) const RIVALS: Occasion = Occasion {
        missed: "no two consumers went for the same job",
        came: |history| any(history, "take", |one| one.returned(Value::Nil)),
    };
}

fn any(history: &History, name: &str, what: impl Fn(&Operation) -> bool) -> bool {
    let mut named = history.operations().iter().filter(|one| one.name == name);
    named.any(what)
}

/// What it returned, if that is something.
fn some(operation: &Operation) -> Option<&Value> {
    operation.output().filter(|value| **value != Value::Nil)
}

/// Whether operations of two clients on one object were under way at once.
fn overlap(history: &History) -> bool {
    history.objects().into_iter().any(|object| {
        let part = history.of(object);
        let pairs = part.operations().windows(2);
        pairs
            .into_iter()
            .any(|pair| pair[0].client != pair[1].client && pair[1].invoked_us < pair[0].ended_us)
    })
}

/// Whether calls were refused in two windows of the clock, and granted in both.
fn limited(history: &History) -> bool {
    let mut windows = std::collections::BTreeMap::<i64, [bool; 2]>::new();
    for call in history.named("call") {
        let answer = call.output().and_then(|output| {
            let granted = output.at(0) == Some(&Value::Bool(true));
            Some((granted, output.at(1)?.integer()?))
        });
        let window = call.input.at(1).and_then(Value::integer);
        if let (Some((granted, at)), Some(window)) = (answer, window) {
            windows.entry(at.div_euclid(window.max(1))).or_default()[usize::from(granted)] = true;
        }
    }
    windows.values().filter(|seen| **seen == [true; 2]).count() >= 2
}
