//! Clients that wait: who is served, in which order, and what else ends a wait. Scripted interleavings
//! are held against a real Redis.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex};

use bytes::Bytes;
use redis_engine::session::Protocol;
use redis_engine::{ClientId, Connect, Outbox, Reply};

use crate::differential::reference::{Connection, Server};
use crate::differential::wire::Wire;
use crate::testing::{Bench, show};

#[derive(Clone, Default)]
struct Queue(Arc<Mutex<VecDeque<Reply>>>);

impl Outbox for Queue {
    fn push(&mut self, reply: Reply) {
        self.0
            .lock()
            .expect("no test panics with it")
            .push_back(reply);
    }
}

/// An engine with named clients.
struct Players {
    bench: Bench,
    clients: BTreeMap<String, (ClientId, Queue)>,
}

impl Players {
    fn new() -> Players {
        Players {
            bench: Bench::redis(),
            clients: BTreeMap::new(),
        }
    }

    /// Runs a command as a client.
    fn run(&mut self, name: &str, line: &str) -> Reply {
        let args: Vec<Bytes> = line
            .split(' ')
            .map(|word| Bytes::copy_from_slice(word.as_bytes()))
            .collect();
        let engine = &mut self.bench.engine;
        let (client, _) = self.clients.entry(name.to_owned()).or_insert_with(|| {
            let queue = Queue::default();
            let outbox = Box::new(queue.clone());
            let options = Connect {
                outbox,
                ..Connect::default()
            };
            (engine.connect(options), queue)
        });
        self.bench.engine.execute(*client, &args)
    }

    fn blocked(&self) -> usize {
        let blocked = |(client, _): &&(ClientId, Queue)| {
            let session = self.bench.engine.session(*client);
            session.is_some_and(|session| session.blocked.is_some())
        };
        self.clients.values().filter(blocked).count()
    }

    /// Replies that came out of turn, with who got them.
    fn late(&mut self) -> Vec<(String, Reply)> {
        let mut late = Vec::new();
        for (name, (_, queue)) in &self.clients {
            let mut queue = queue.0.lock().expect("no test panics with it");
            late.extend(queue.drain(..).map(|reply| (name.clone(), reply)));
        }
        late
    }

    fn late_shown(&mut self) -> Vec<String> {
        let late = self.late().into_iter();
        late.map(|(name, reply)| format!("{name} {}", show(&reply)))
            .collect()
    }
}

/// Plays a script on the engine and on a real server; a line is a client's name and its command. Every
/// reply has to be the same, those of blocked clients at the same step, and at the end as many clients
/// have to be blocked.
fn same_as_redis(server: &Server, script: &[&str]) {
    let mut control = server.connect();
    control.run("FLUSHALL");
    let mut real: BTreeMap<String, Connection> = BTreeMap::new();
    let mut engine = Players::new();
    for (step, line) in script.iter().enumerate() {
        let (name, command) = line.split_once(' ').expect("a client and a command");
        let connection = real
            .entry(name.to_owned())
            .or_insert_with(|| server.connect());
        let words = command.split(' ').map(|word| word.as_bytes().to_vec());
        connection
            .send(&[words.collect()])
            .expect("the server listens");
        let reply = engine.run(name, command);
        let mut expected = Vec::new();
        if reply != Reply::None {
            expected.push((name.to_owned(), reply));
        }
        expected.extend(engine.late());
        for (name, reply) in expected {
            let connection = real.get_mut(&name).expect("it has sent something");
            let answer = connection.receive().expect("the server answers");
            let reply = Wire::fold(reply, Protocol::Resp2);
            assert_eq!(
                answer,
                reply,
                "{name} after step {step}, {line}: redis {}, engine {}",
                answer.show(),
                reply.show()
            );
        }
        wait_until_blocked(&mut control, engine.blocked(), line);
    }
}

/// Asks the server until as many clients are blocked.
fn wait_until_blocked(control: &mut Connection, count: usize, line: &str) {
    let wanted = format!("blocked_clients:{count}\r\n");
    for _ in 0..20_000 {
        let Wire::Bulk(info) = control.run("INFO clients") else {
            panic!("INFO answers text");
        };
        if String::from_utf8_lossy(&info).contains(&wanted) {
            return;
        }
    }
    panic!("after {line} the engine has {count} blocked clients, redis has not");
}

#[test]
fn interleavings_of_lists_end_as_with_redis() {
    let server = Server::start();
    let scripts: &[&[&str]] = &[
        // First come, first served, whichever command.
        &[
            "a BLPOP k 0",
            "b BRPOP k 0",
            "c RPUSH k 1 2 3",
            "c LRANGE k 0 -1",
        ],
        &[
            "a BLPOP x k 0",
            "b BLPOP k x 0",
            "c RPUSH k 1",
            "c RPUSH x 2",
        ],
        // One command wakes as many as it has elements for.
        &["a BLPOP k 0", "b BLPOP k 0", "c RPUSH k 1", "c RPUSH k 2"],
        // What is pushed and gone again within a transaction wakes nobody.
        &[
            "a BLPOP k 0",
            "c MULTI",
            "c RPUSH k 1",
            "c DEL k",
            "c EXEC",
            "c RPUSH k 2",
        ],
        &[
            "a BLPOP k 0",
            "c MULTI",
            "c RPUSH k 1",
            "c RPUSH k 2",
            "c LPUSH k 0",
            "c EXEC",
        ],
        // A key of another type is waited through.
        &["a BLPOP k 0", "c SET k v", "c DEL k", "c RPUSH k 1"],
        &[
            "a BLPOP k 0",
            "c SADD k v",
            "c RENAME k j",
            "c RPUSH l 1",
            "c RENAME l k",
        ],
        // One wait feeds the next.
        &[
            "a BLMOVE x y LEFT RIGHT 0",
            "b BLPOP y 0",
            "c RPUSH x 1",
            "c EXISTS x y",
        ],
        &[
            "a BRPOPLPUSH k k 0",
            "b BLPOP k 0",
            "c RPUSH k 1",
            "c LRANGE k 0 -1",
        ],
        // The destination is looked at when the element comes.
        &[
            "a BLMOVE x y LEFT LEFT 0",
            "c SET y v",
            "c RPUSH x 1",
            "c LRANGE x 0 -1",
        ],
        &[
            "a BLMPOP 0 2 x y LEFT COUNT 10",
            "b BLPOP y 0",
            "c RPUSH y 1 2 3",
            "c RPUSH y 4",
        ],
        &["a BLPOP k 0", "c LPUSH j 3 1 2", "c COPY j k", "c EXISTS k"],
        // The same key twice is one wait.
        &["a BLPOP k k 0", "c RPUSH k 1 2", "c LLEN k"],
        // In a transaction nothing blocks.
        &[
            "a MULTI",
            "a BLPOP k 0",
            "a BLMOVE k j LEFT LEFT 0",
            "a EXEC",
        ],
        // Another database has keys of its own.
        &[
            "a BLPOP k 0",
            "c SELECT 1",
            "c RPUSH k 1",
            "c SELECT 0",
            "c RPUSH k 2",
        ],
    ];
    for script in scripts {
        same_as_redis(&server, script);
    }
}

#[test]
fn interleavings_of_sorted_sets_end_as_with_redis() {
    let server = Server::start();
    let scripts: &[&[&str]] = &[
        &[
            "a BZPOPMIN z 0",
            "b BZPOPMAX z 0",
            "c ZADD z 1 x 2 y 3 w",
            "c ZRANGE z 0 -1",
        ],
        &[
            "a BZPOPMIN z 0",
            "c RPUSH z 1",
            "c DEL z",
            "c ZINCRBY z 1 x",
        ],
        &[
            "a BZMPOP 0 2 y z MAX COUNT 2",
            "c ZADD z 1 x 2 y 3 w",
            "c ZCARD z",
        ],
        &[
            "a BZPOPMIN z 0",
            "c ZADD y 1 x",
            "c ZUNIONSTORE z 1 y",
            "c EXISTS z",
        ],
        &["a BZPOPMIN z 0", "c GEOADD z 1 2 x", "c EXISTS z"],
        &[
            "a BZPOPMIN k 0",
            "b BLPOP k 0",
            "c ZADD k 1 x",
            "c RPUSH k 1",
        ],
    ];
    for script in scripts {
        same_as_redis(&server, script);
    }
}

#[test]
fn interleavings_of_streams_end_as_with_redis() {
    let server = Server::start();
    let scripts: &[&[&str]] = &[
        // Every reader gets what is new.
        &[
            "a XREAD BLOCK 0 STREAMS s $",
            "b XREAD BLOCK 0 STREAMS s 0",
            "c XADD s 1-1 f v",
        ],
        &[
            "c XADD s 1-1 f v",
            "a XREAD BLOCK 0 STREAMS s $",
            "c XADD s 1-2 f v",
        ],
        &[
            "c XADD s 5-0 f v",
            "a XREAD BLOCK 0 STREAMS s 7",
            "c XADD s 6-0 f v",
            "c XADD s 8-0 f v",
        ],
        &[
            "a XREAD BLOCK 0 STREAMS s t $ $",
            "c XADD t 1-1 f v",
            "c XADD s 1-1 f v",
        ],
        // What was deleted before its turn wakes nobody.
        &[
            "a XREAD BLOCK 0 STREAMS s $",
            "c MULTI",
            "c XADD s 1-1 f v",
            "c XDEL s 1-1",
            "c EXEC",
            "c XADD s 1-2 f v",
        ],
        // An expiry wakes nobody: what became of another key meanwhile would be told as an error.
        &[
            "c XADD s 1-1 f v",
            "a XREAD BLOCK 0 STREAMS l s $ $",
            "c EVAL return(redis.call('RPUSH','l','x')) 0",
            "c PEXPIRE s 100000",
            "c PERSIST s",
            "c DEL l",
            "c XADD s 2-1 f v",
        ],
        // Of a group, one gets it.
        &[
            "c XGROUP CREATE s g $ MKSTREAM",
            "a XREADGROUP GROUP g a BLOCK 0 STREAMS s >",
            "b XREADGROUP GROUP g b BLOCK 0 STREAMS s >",
            "c XADD s 1-1 f v",
            "c XADD s 1-2 f v",
            "c XPENDING s g",
        ],
        // What a group's readers wait for can go away.
        &[
            "c XGROUP CREATE s g $ MKSTREAM",
            "a XREADGROUP GROUP g a BLOCK 0 STREAMS s >",
            "c XGROUP DESTROY s g",
        ],
        &[
            "c XGROUP CREATE s g $ MKSTREAM",
            "a XREADGROUP GROUP g a BLOCK 0 STREAMS s >",
            "c DEL s",
        ],
        &[
            "c XGROUP CREATE s g $ MKSTREAM",
            "a XREADGROUP GROUP g a BLOCK 0 STREAMS s >",
            "c SET s v",
        ],
        &[
            "c XGROUP CREATE s g $ MKSTREAM",
            "a XREADGROUP GROUP g a BLOCK 0 STREAMS s >",
            "c FLUSHALL",
        ],
        &[
            "c XGROUP CREATE s g $ MKSTREAM",
            "a XREADGROUP GROUP g a BLOCK 0 STREAMS s >",
            "c RENAME s t",
        ],
        &[
            "a XREAD BLOCK 0 STREAMS s $",
            "c SET s v",
            "c DEL s",
            "c XADD s 1-1 f v",
        ],
    ];
    for script in scripts {
        same_as_redis(&server, script);
    }
}

#[test]
fn waits_end_at_their_time_and_in_order_of_arrival() {
    let mut players = Players::new();
    assert_eq!(players.bench.engine.next_deadline_ms(), None);
    for (name, line) in [
        ("a", "BLPOP k 2"),
        ("b", "BLMOVE k j LEFT LEFT 1"),
        ("c", "XREAD BLOCK 1000 STREAMS s $"),
        ("d", "BZPOPMIN z 0"),
    ] {
        assert_eq!(players.run(name, line), Reply::None);
    }
    let start_ms = players.bench.engine.now_ms();
    let deadline_ms = players.bench.engine.next_deadline_ms();
    assert_eq!(deadline_ms, Some(start_ms + 1000));
    players.bench.advance_ms(999);
    assert!(players.late_shown().is_empty());
    players.bench.advance_ms(1);
    assert_eq!(players.late_shown(), ["b nil", "c nil"]);
    players.bench.advance_ms(1000);
    assert_eq!(players.late_shown(), ["a nil"]);
    assert_eq!(players.bench.engine.next_deadline_ms(), None);
    players.run("e", "ZADD z 1 m");
    assert_eq!(players.late_shown(), [r#"d ["z", "m", 1.0]"#]);
}

#[test]
fn a_client_that_leaves_waits_no_more() {
    let mut players = Players::new();
    players.run("a", "BLPOP k 5");
    let (client, _) = players.clients.remove("a").expect("it ran a command");
    players.bench.engine.disconnect(client);
    assert_eq!(players.bench.engine.next_deadline_ms(), None);
    assert_eq!(players.run("b", "RPUSH k 1"), Reply::Integer(1));
    assert_eq!(players.run("b", "LLEN k"), Reply::Integer(1));
}
