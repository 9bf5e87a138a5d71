//! Reading scenario documents, as at the start of every run.

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use scenarios::suite::SOURCES;
use scenarios::{Document, suite};

fn parse(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("scenario");
    let whole: usize = SOURCES.iter().map(|(_, text)| text.len()).sum();
    group.throughput(Throughput::Bytes(whole as u64));
    group.bench_function("the whole suite", |bencher| {
        bencher.iter(|| suite().expect("the suite has no mistakes"))
    });
    let (path, text) = SOURCES
        .iter()
        .find(|(path, _)| path.ends_with("mutual-exclusion.md"))
        .expect("a document of the suite");
    group.throughput(Throughput::Bytes(text.len() as u64));
    group.bench_function("one document", |bencher| {
        bencher.iter(|| Document::parse(path, text).expect("it has no mistakes"))
    });
    // A user who gets it all wrong waits for every mistake to be found.
    let wrong = text.replace("\nOK", "\n(integer").replace("{", "");
    group.throughput(Throughput::Bytes(wrong.len() as u64));
    group.bench_function("one document full of mistakes", |bencher| {
        bencher.iter(|| Document::parse(path, &wrong).expect_err("it has mistakes"))
    });
    group.finish();
}

criterion_group!(scenario, parse);
criterion_main!(scenario);
