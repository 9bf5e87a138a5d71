//! DUMP and RESTORE against Redis: what either dumps, the other restores.

use redis_engine::session::Protocol;

use super::generate::Args;
use super::reference::Server;
use super::wire::Wire;
use super::{Peer, compare_all, looks};

fn args(words: &[&[u8]]) -> Args {
    words.iter().map(|word| word.to_vec()).collect()
}

/// A command that makes a value of `count` elements, each of them said by `element`.
fn many(name: &str, count: usize, element: impl Fn(usize) -> Vec<String>) -> Args {
    let elements = (0..count).flat_map(element).map(String::into_bytes);
    [name.as_bytes().to_vec(), b"k1".to_vec()]
        .into_iter()
        .chain(elements)
        .collect()
}

/// Values in every encoding that Redis has for their types.
fn values() -> Vec<Vec<Args>> {
    let long = |i: usize| "ab".repeat(40 + i % 3);
    vec![
        vec![args(&[b"SET", b"k1", b""])],
        vec![args(&[b"SET", b"k1", b"-1"])],
        vec![args(&[b"SET", b"k1", b"-32000"])],
        vec![args(&[b"SET", b"k1", b"2000000000"])],
        vec![args(&[b"SET", b"k1", b"20000000000"])],
        vec![args(&[b"SET", b"k1", b"\0\xff\r\n"])],
        vec![args(&[b"SET", b"k1", "ab".repeat(10_000).as_bytes()])],
        vec![args(&[b"SETRANGE", b"k1", b"70000", b"end"])],
        vec![many("RPUSH", 5, |i| vec![format!("{i}")])],
        vec![many("RPUSH", 300, |i| {
            vec![format!("{}", i * i * i * 1_000)]
        })],
        vec![many("RPUSH", 200, |i| {
            vec![format!("-{}", 1u64 << (i % 60))]
        })],
        vec![many("RPUSH", 200, |i| vec![long(i)])],
        vec![args(&[b"RPUSH", b"k1", "x".repeat(9_000).as_bytes(), b"y"])],
        vec![many("SADD", 5, |i| vec![format!("{i}")])],
        vec![many("SADD", 5, |i| vec![format!("{}", i * 100_000)])],
        vec![many("SADD", 5, |i| {
            vec![format!("-{}", i * 10_000_000_000)]
        })],
        vec![many("SADD", 5, |i| vec![format!("m{i}")])],
        vec![many("SADD", 200, |i| vec![format!("m{i}")])],
        vec![many("ZADD", 5, |i| vec![format!("{i}.5"), format!("m{i}")])],
        vec![many("ZADD", 300, |i| {
            vec![format!("-{i}e3"), format!("m{i}")]
        })],
        vec![args(&[
            b"ZADD", b"k1", b"inf", b"a", b"-inf", b"b", b"0.1", b"c",
        ])],
        vec![many("HSET", 5, |i| vec![format!("f{i}"), format!("{i}")])],
        vec![many("HSET", 600, |i| vec![format!("f{i}"), format!("{i}")])],
        vec![many("HSET", 3, |i| vec![format!("f{i}"), long(i)])],
        vec![
            many("HSET", 5, |i| vec![format!("f{i}"), format!("{i}")]),
            args(&[
                b"HPEXPIREAT",
                b"k1",
                b"4000000000000",
                b"FIELDS",
                b"1",
                b"f1",
            ]),
            args(&[
                b"HPEXPIREAT",
                b"k1",
                b"4000000000999",
                b"FIELDS",
                b"1",
                b"f2",
            ]),
        ],
        vec![
            many("HSET", 600, |i| vec![format!("f{i}"), long(i)]),
            args(&[
                b"HPEXPIREAT",
                b"k1",
                b"4000000000000",
                b"FIELDS",
                b"1",
                b"f1",
            ]),
            args(&[
                b"HPEXPIREAT",
                b"k1",
                b"4000000000999",
                b"FIELDS",
                b"1",
                b"f2",
            ]),
        ],
    ]
}

fn payload(reply: Wire) -> Vec<u8> {
    match reply {
        Wire::Bulk(payload) => payload,
        other => panic!("DUMP answered {}", other.show()),
    }
}

#[test]
fn what_either_dumps_the_other_restores() {
    let server = Server::start();
    let mut connection = server.connect();
    for setup in values() {
        connection.run("FLUSHALL");
        let mut engine = Peer::new(Protocol::Resp2);
        compare_all(&mut connection, &mut engine, &setup).expect("both take the commands");
        let theirs = payload(connection.run("DUMP k1"));
        let ours = payload(engine.run(&args(&[b"DUMP", b"k1"])));
        let crossed = [(ours, true), (theirs, false)];
        for (payload, to_server) in crossed {
            let restore = args(&[b"RESTORE", b"k1", b"0", &payload, b"REPLACE"]);
            let reply = if to_server {
                connection.run_all(&[restore]).expect("a reply").remove(0)
            } else {
                engine.run(&restore)
            };
            assert_eq!(
                reply,
                Wire::Status(b"OK".to_vec()),
                "the value of {} (to the server: {to_server}) was refused",
                super::show(&setup[0])
            );
        }
        let mut looks = looks(&mut engine);
        looks.push(args(&[
            b"HPEXPIRETIME",
            b"k1",
            b"FIELDS",
            b"2",
            b"f1",
            b"f2",
        ]));
        if let Err(error) = compare_all(&mut connection, &mut engine, &looks) {
            panic!("after {} went both ways: {error}", super::show(&setup[0]));
        }
    }
}

#[test]
fn what_is_wrong_with_a_restore_is_told_as_redis_does() {
    let server = Server::start();
    let mut connection = server.connect();
    let mut engine = Peer::new(Protocol::Resp2);
    connection.run("FLUSHALL");
    let good = {
        connection.run("SET k1 value");
        payload(connection.run("DUMP k1"))
    };
    let mut broken = good.clone();
    broken[1] ^= 1;
    let mut commands = vec![args(&[b"SET", b"k1", b"value"])];
    for tail in [
        &[][..],
        &[&b"REPLACE"[..]],
        &[b"replace", b"ABSTTL"],
        &[b"REPLACE", b"IDLETIME", b"5"],
        &[b"REPLACE", b"IDLETIME", b"-1"],
        &[b"REPLACE", b"FREQ", b"256"],
        &[b"REPLACE", b"FREQ", b"1", b"IDLETIME", b"1"],
        &[b"REPLACE", b"FREQ"],
        &[b"x"],
    ] {
        for (ttl, payload) in [
            (&b"0"[..], &good),
            (b"-1", &good),
            (b"x", &good),
            (b"1000000", &good),
            (b"0", &broken),
            (b"0", &Vec::new()),
        ] {
            let head: [&[u8]; 4] = [b"RESTORE", b"k1", ttl, payload];
            commands.push(args(&[&head[..], tail].concat()));
            commands.push(args(&[b"PTTL", b"k1"]));
        }
    }
    if let Err(error) = compare_all(&mut connection, &mut engine, &commands) {
        panic!("{error}");
    }
}
