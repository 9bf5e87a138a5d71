//! Deciding whether what concurrent clients saw could have been.

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use scenarios::history::linearizable::{Linearizability, search};
use scenarios::history::model::Register;
use scenarios::history::{Ended, History, Operation, Value, holding};

/// Clients take turns on one register; each operation overlaps the next ones of the others.
fn register(operations: usize, clients: usize) -> Vec<Operation> {
    let mut last = Value::Nil;
    (0..operations)
        .map(|number| {
            let at = number as u64 * 10;
            let write = number % 3 == 0;
            let input = Value::Integer(number as i64);
            if write {
                last = input.clone();
            }
            Operation {
                client: number % clients,
                name: if write { "write" } else { "read" },
                object: "register".to_owned(),
                input: if write { input } else { Value::Nil },
                invoked_us: at,
                // It returns when its client's next turn is near.
                ended_us: at + 10 * clients as u64 - 5,
                ended: Ended::Returned(if write { Value::Nil } else { last.clone() }),
            }
        })
        .collect()
}

fn linearizable(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("history");
    for (operations, clients) in [(200, 4), (200, 8), (2_000, 4)] {
        let history = register(operations, clients);
        assert_eq!(
            search(&Register, &history, 1_000_000),
            Linearizability::Yes,
            "{operations} of {clients}"
        );
        group.throughput(Throughput::Elements(operations as u64));
        group.bench_function(
            format!("register, {operations} operations of {clients} clients"),
            |bencher| bencher.iter(|| search(&Register, &history, 1_000_000)),
        );
    }
    // The last read sees what was never written: everything has to be tried.
    let mut wrong = register(100, 4);
    if let Some(last) = wrong.last_mut() {
        last.name = "read";
        last.ended = Ended::Returned(Value::Integer(-1));
    }
    assert_eq!(search(&Register, &wrong, 1_000_000), Linearizability::No);
    group.throughput(Throughput::Elements(100));
    group.bench_function(
        "register, 100 operations of 4 clients, impossible",
        |bencher| bencher.iter(|| search(&Register, &wrong, 1_000_000)),
    );
    group.finish();
}

/// Many clients, one lock: the invariant is checked without a search.
fn exclusion(criterion: &mut Criterion) {
    let turns = 500;
    let operation = |number: u64, name, input: Vec<Value>, invoked_us, ended_us| Operation {
        client: number as usize % 16,
        name,
        object: "lock".to_owned(),
        input: Value::List(input),
        invoked_us,
        ended_us,
        ended: Ended::Returned(Value::Bool(true)),
    };
    let token = |number: u64| Value::Text(format!("token-{number}"));
    let operations = (0..turns)
        .flat_map(|number| {
            let at = number * 100;
            [
                operation(
                    number,
                    "acquire",
                    vec![token(number), Value::Integer(1_000)],
                    at,
                    at + 10,
                ),
                operation(number, "release", vec![token(number)], at + 50, at + 60),
            ]
        })
        .collect();
    let history = History::new(operations);
    holding::at_most(1, &history).expect("one holder at a time");
    let mut group = criterion.benchmark_group("history");
    group.throughput(Throughput::Elements(turns * 2));
    group.bench_function("mutual exclusion, 1000 operations", |bencher| {
        bencher.iter(|| holding::at_most(1, &history))
    });
    group.finish();
}

criterion_group!(history, linearizable, exclusion);
criterion_main!(history);
