//! Holding replies against each other, which is done for every step on every target.

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use scenarios::Reply;
use scenarios::reply::Expressiveness;
use swapcheck::compare::{BUILT_IN, Catalogue, Mode, compare};

fn text(number: usize) -> Reply {
    Reply::Bulk(format!("member-{number:05}").into_bytes())
}

fn replies(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("compare");
    let level = Expressiveness::Json;
    for (name, one, other) in [
        ("a status", Reply::Status("OK".into()), text_of("OK")),
        ("10 kB of text", long(10_000), long(10_000)),
    ] {
        group.bench_function(name, |bencher| {
            bencher.iter(|| compare(&one, &other, level, &Mode::Exact))
        });
    }
    let members = 1_000;
    group.throughput(Throughput::Elements(members as u64));
    let forward = Reply::Array((0..members).map(text).collect());
    let backward = Reply::Array((0..members).rev().map(text).collect());
    group.bench_function("1000 members in order", |bencher| {
        bencher.iter(|| compare(&forward, &forward, level, &Mode::Exact))
    });
    group.bench_function("1000 members in any order", |bencher| {
        bencher.iter(|| compare(&forward, &backward, level, &Mode::Unordered))
    });
    let mut last = forward.clone();
    if let Reply::Array(members) = &mut last
        && let Some(member) = members.last_mut()
    {
        *member = text_of("another");
    }
    group.bench_function("1000 members, the last differs", |bencher| {
        bencher.iter(|| compare(&forward, &last, level, &Mode::Exact).expect("a difference"))
    });
    group.finish();
}

fn text_of(text: &str) -> Reply {
    Reply::Bulk(text.as_bytes().to_vec())
}

fn long(bytes: usize) -> Reply {
    Reply::Bulk(vec![b'x'; bytes])
}

/// The list of documented differences is read once a run.
fn catalogue(criterion: &mut Criterion) {
    criterion.bench_function(
        "compare/the catalogue of documented differences",
        |bencher| bencher.iter(|| Catalogue::parse(BUILT_IN).expect("it has no mistakes")),
    );
}

criterion_group!(comparison, replies, catalogue);
criterion_main!(comparison);
