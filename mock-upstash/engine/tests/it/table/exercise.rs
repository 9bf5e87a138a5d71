//! Every command and subcommand is called, and answers what it should.

use std::collections::{BTreeSet, HashMap, VecDeque};
use std::sync::{Arc, Mutex};

use bytes::Bytes;
use redis_engine::session::Protocol;
use redis_engine::{
    ClientId, Config, Connect, Dialect, Engine, ManualClock, Options, Outbox, Reply, command,
};

use super::call::{Block, Expected, Judge, blocks};
use super::rows;
use crate::differential::compare::{Mode, equal, mode};
use crate::differential::reference::Server;
use crate::differential::wire::Wire;
use crate::testing::{START_MS, show};

/// Commands that can answer an error alone where no script runs and no file holds users.
const ALWAYS_REFUSED: [&str; 4] = ["SCRIPT KILL", "FUNCTION KILL", "ACL LOAD", "ACL SAVE"];

/// Commands whose replies tell of the server itself: only the kind of reply is compared.
const OF_THE_SERVER: [&str; 11] = [
    "ACL CAT",
    "ACL GENPASS",
    "ACL GETUSER",
    "ACL LIST",
    "CLIENT ID",
    "CLIENT INFO",
    "CLIENT LIST",
    "COMMAND",
    "DUMP",
    "HELLO",
    "INFO",
];

#[test]
fn every_command_is_called_and_answers_as_it_should() {
    let server = Server::start();
    let mut called = BTreeSet::new();
    for block in blocks() {
        match block.judge {
            Judge::Redis => {
                for protocol in [Protocol::Resp2, Protocol::Resp3] {
                    against_redis(&server, &block, protocol, &mut called);
                }
            }
            Judge::Engine => as_written(&block, Dialect::REDIS, &mut called),
            Judge::Upstash => as_written(&block, Dialect::UPSTASH, &mut called),
        }
    }
    let missed: Vec<_> = rows()
        .map(|row| row.name)
        .filter(|name| !called.contains(name))
        .collect();
    assert!(
        missed.is_empty(),
        "no call in tests/data/calls.txt of {missed:?}"
    );
}

/// The engine with one client, as a server has it.
struct Peer {
    engine: Engine,
    client: ClientId,
    outbox: Arc<Mutex<VecDeque<Reply>>>,
}

struct Queue(Arc<Mutex<VecDeque<Reply>>>);

impl Outbox for Queue {
    fn push(&mut self, reply: Reply) {
        if let Ok(mut queue) = self.0.lock() {
            queue.push_back(reply);
        }
    }
}

impl Peer {
    fn new(dialect: Dialect, protocol: Protocol) -> Peer {
        let mut engine = Engine::new(Options {
            dialect,
            config: Config::default(),
            clock: Arc::new(ManualClock::at(START_MS)),
            seed: 1,
        });
        let outbox = Arc::default();
        let client = engine.connect(Connect {
            outbox: Box::new(Queue(Arc::clone(&outbox))),
            ..Connect::default()
        });
        engine.session_mut(client).protocol = protocol;
        Peer {
            engine,
            client,
            outbox,
        }
    }

    /// Runs one command; the reply is what a client reads first.
    fn run(&mut self, args: &[Vec<u8>]) -> Reply {
        let args: Vec<Bytes> = args.iter().cloned().map(Bytes::from).collect();
        let reply = self.engine.execute(self.client, &args);
        let queued = self
            .outbox
            .lock()
            .ok()
            .and_then(|mut queue| queue.pop_front());
        if reply == Reply::None {
            queued.unwrap_or(reply)
        } else {
            reply
        }
    }

    /// The protocol that the client speaks by now.
    fn protocol(&self) -> Protocol {
        self.engine
            .session(self.client)
            .map_or(Protocol::Resp2, |session| session.protocol)
    }

    /// The row whose handler ran last.
    fn last_command(&self) -> Option<&'static str> {
        let session = self.engine.session(self.client)?;
        session.last_command.map(|row| row.name)
    }

    /// Notes which row a call exercised: the one that was run and did not refuse; a container's own,
    /// which nothing but its name reaches, when the name alone was called.
    fn note(&self, args: &[Vec<u8>], reply: &Reply, called: &mut BTreeSet<&'static str>) {
        let refused = matches!(reply, Reply::Error(_));
        if let Some(name) = self.last_command()
            && (!refused || ALWAYS_REFUSED.contains(&name))
        {
            called.insert(name);
        }
        if let [name] = args
            && let Some(row) = command::find(name)
            && !row.subcommands.is_empty()
            && refused
        {
            called.insert(row.name);
        }
    }
}

/// Gives a block to the engine and to a redis-server.
fn against_redis(
    server: &Server,
    block: &Block,
    protocol: Protocol,
    called: &mut BTreeSet<&'static str>,
) {
    let mut connection = server.connect();
    let mut aside = server.connect();
    aside.run("FLUSHALL");
    let mut peer = Peer::new(Dialect::REDIS, protocol);
    if protocol == Protocol::Resp3 {
        connection.run("HELLO 3");
    }
    for call in &block.calls {
        let place = format!("{}, {protocol:?}: {}", block.title, call.line);
        let redis = connection
            .run_all(std::slice::from_ref(&call.args))
            .unwrap_or_else(|error| panic!("{place}: {error}"))
            .remove(0);
        let reply = peer.run(&call.args);
        peer.note(&call.args, &reply, called);
        let ours = Wire::fold(reply, peer.protocol());
        let same = if peer
            .last_command()
            .is_some_and(|name| OF_THE_SERVER.contains(&name))
        {
            std::mem::discriminant(&redis) == std::mem::discriminant(&ours)
        } else {
            equal(mode(&call.args), &redis, &ours)
        };
        assert!(
            same,
            "{place}\n  redis:  {}\n  engine: {}",
            redis.show(),
            ours.show()
        );
        if !matches!(ours, Wire::Error(_)) {
            compare_keys(&peer, &mut aside, &call.args, &place);
        }
    }
}

/// Holds the places of a command's keys against what `COMMAND GETKEYS` finds.
fn compare_keys(
    peer: &Peer,
    server: &mut crate::differential::reference::Connection,
    args: &[Vec<u8>],
    place: &str,
) {
    let args: Vec<Bytes> = args.iter().cloned().map(Bytes::from).collect();
    let Ok(row) = peer.engine.resolve(&args) else {
        return;
    };
    let positions = row.key_positions(&args);
    let ours: Vec<Wire> = positions
        .iter()
        .map(|at| Wire::Bulk(args[*at].to_vec()))
        .collect();
    let mut request = vec![b"COMMAND".to_vec(), b"GETKEYS".to_vec()];
    request.extend(args.iter().map(|arg| arg.to_vec()));
    let redis = match server.run_all(&[request]).expect("a reply").remove(0) {
        Wire::Array(keys) => keys,
        Wire::Error(text) if text.starts_with(b"ERR The command has no key arguments") => vec![],
        other => panic!("{place}: COMMAND GETKEYS answers {}", other.show()),
    };
    assert_eq!(sorted(redis), sorted(ours), "keys of {place}");
}

fn sorted(mut keys: Vec<Wire>) -> Vec<Wire> {
    keys.sort();
    keys
}

/// Gives a block to the engine, and holds its replies against those written down.
fn as_written(block: &Block, dialect: Dialect, called: &mut BTreeSet<&'static str>) {
    let mut peer = Peer::new(dialect, Protocol::Resp2);
    let mut kept: HashMap<&str, String> = HashMap::new();
    for call in &block.calls {
        let place = format!("{}: {}", block.title, call.line);
        let args: Vec<Vec<u8>> = call.args.iter().map(|arg| fill(arg, &kept)).collect();
        let reply = peer.run(&args);
        peer.note(&args, &reply, called);
        match &call.expected {
            Expected::AsRedis => panic!("{place}: no reply is written behind it"),
            Expected::Reply(text) => assert_eq!(show(&reply), *text, "{place}"),
            Expected::Kept(name) => {
                let Reply::Bulk(text) = &reply else {
                    panic!("{place}: {}", show(&reply));
                };
                kept.insert(name, String::from_utf8_lossy(text).into_owned());
            }
        }
    }
}

/// An argument with the kept texts in place of their names.
fn fill(arg: &[u8], kept: &HashMap<&str, String>) -> Vec<u8> {
    let Ok(text) = std::str::from_utf8(arg) else {
        return arg.to_vec();
    };
    let filled = kept.iter().fold(text.to_owned(), |text, (name, value)| {
        text.replace(&format!("${name}"), value)
    });
    filled.into_bytes()
}

#[test]
fn a_call_that_nobody_makes_is_missed() {
    let mut called = BTreeSet::new();
    let mut peer = Peer::new(Dialect::REDIS, Protocol::Resp2);
    for call in ["GET", "GET k k", "NOPE", "LPUSH", "XGROUP NOPE"] {
        let args: Vec<Vec<u8>> = call
            .split(' ')
            .map(|word| word.as_bytes().to_vec())
            .collect();
        let reply = peer.run(&args);
        peer.note(&args, &reply, &mut called);
    }
    // What is refused for its arity, or unknown, exercises nothing.
    assert_eq!(called, BTreeSet::new());
    let args = [b"GET".to_vec(), b"k".to_vec()];
    let reply = peer.run(&args);
    peer.note(&args, &reply, &mut called);
    assert_eq!(called, BTreeSet::from(["GET"]));
    assert_eq!(mode(&args), Mode::Exact);
}
