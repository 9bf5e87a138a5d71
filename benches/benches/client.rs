//! What both clients spend on bytes: commands to requests, answers to replies.

use std::fmt::Write;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use scenarios::client::Command;
use swapcheck::target::codec::{rest_pipeline, rest_reply, rest_request, tcp_reply, tcp_request};

const SIZES: [(&str, usize); 2] = [("100 B", 100), ("10 kB", 10_000)];
const MEMBERS: usize = 100;

fn set(size: usize) -> Command {
    vec![b"SET".to_vec(), b"key".to_vec(), vec![b'x'; size]]
}

fn encode(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("client, encode");
    for (name, size) in SIZES {
        let command = set(size);
        group.throughput(Throughput::Bytes(size as u64));
        group.bench_function(format!("REST, SET of {name}"), |bencher| {
            bencher.iter(|| rest_request(&command).expect("it is text"))
        });
        group.bench_function(format!("RESP, SET of {name}"), |bencher| {
            bencher.iter(|| tcp_request(&command).expect("it can be sent"))
        });
    }
    let pipeline = vec![set(100); MEMBERS];
    group.throughput(Throughput::Elements(MEMBERS as u64));
    group.bench_function("REST, pipeline of 100 SET of 100 B", |bencher| {
        bencher.iter(|| rest_pipeline(&pipeline).expect("it is text"))
    });
    group.finish();
}

/// `size` bytes of the letter x in base64: three of them are `eHh4`. `size` is a multiple of three.
fn base64(size: usize) -> String {
    "eHh4".repeat(size / 3)
}

fn decode(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("client, decode");
    for (name, size) in [("100 B", 99), ("10 kB", 9_999)] {
        let rest = format!(r#"{{"result":"{}"}}"#, base64(size));
        let tcp = format!("${size}\r\n{}\r\n", "x".repeat(size));
        group.throughput(Throughput::Bytes(size as u64));
        group.bench_function(format!("REST, text of {name}"), |bencher| {
            bencher.iter(|| rest_reply(rest.as_bytes()).expect("it is a reply"))
        });
        group.bench_function(format!("RESP, text of {name}"), |bencher| {
            bencher.iter(|| tcp_reply(tcp.as_bytes()).expect("it is a reply"))
        });
    }
    let rest = format!(
        r#"{{"result":[{}]}}"#,
        vec![format!("\"{}\"", base64(99)); MEMBERS].join(",")
    );
    let mut tcp = format!("*{MEMBERS}\r\n");
    for _ in 0..MEMBERS {
        let _ = write!(tcp, "$99\r\n{}\r\n", "x".repeat(99));
    }
    group.throughput(Throughput::Elements(MEMBERS as u64));
    group.bench_function("REST, array of 100 texts of 100 B", |bencher| {
        bencher.iter(|| rest_reply(rest.as_bytes()).expect("it is a reply"))
    });
    group.bench_function("RESP, array of 100 texts of 100 B", |bencher| {
        bencher.iter(|| tcp_reply(tcp.as_bytes()).expect("it is a reply"))
    });
    group.finish();
}

criterion_group!(client, encode, decode);
criterion_main!(client);
