//! The engine against a real Redis: both are sent the same random commands, every reply is compared,
//! and what differs is shrunk to the shortest sequence.
//!
//! The server is the one that `REDIS_SERVER_8_10` names, else `REDIS_SERVER`, else `redis-server` on
//! PATH. `DIFFERENTIAL_CASES` (sequences per group) and `DIFFERENTIAL_SEED` make a run longer, or
//! another one.

pub(crate) mod compare;
pub(crate) mod generate;
pub(crate) mod server;
pub(crate) mod wire;

mod bitmap;
mod dump;
mod generic;
mod geo;
mod hash;
mod hyperloglog;
mod list;
mod scripting;
mod set;
mod sorted_set;
mod stream;
mod string;

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use bytes::Bytes;
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::test_runner::{Config as Proptest, RngAlgorithm, TestError, TestRng, TestRunner};
use redis_engine::session::Protocol;
use redis_engine::{Config, Connect, Dialect, Engine, ManualClock, Options, Outbox, Reply};

use compare::{equal, mode};
use generate::{Args, KEYS, Part};
use server::{Connection, Server};
use wire::Wire;

/// Sequences of commands that a group is given, unless told otherwise.
const CASES: u32 = 200;
/// Longest sequence.
const LONGEST: usize = 60;

/// Gives random sequences of a group's commands to the engine and to a server, in RESP2 and RESP3,
/// and fails with the shortest sequence whose replies differ.
pub(crate) fn against_redis(group: &str, commands: Vec<Part>) {
    let server = Server::start();
    let connection = RefCell::new(server.connect());
    let compared = Cell::new(0usize);
    let one = prop_oneof![
        9 => generate::mutated(generate::any_of(commands)),
        2 => generate::surroundings(),
    ]
    .prop_filter("unfit", generate::is_fit);
    let protocol = prop_oneof![Just(Protocol::Resp2), Just(Protocol::Resp3)];
    let outcome = runner().run(&(protocol, vec(one, 1..LONGEST)), |(protocol, commands)| {
        let mut connection = connection.borrow_mut();
        let outcome = run_case(&mut connection, protocol, &commands);
        if outcome.is_err() {
            // Replies may be left over from what failed.
            *connection = server.connect();
        }
        compared.set(compared.get() + outcome?);
        Ok(())
    });
    match outcome {
        Ok(()) => {}
        Err(TestError::Fail(reason, _)) => panic!("{group}: {reason}"),
        Err(error) => panic!("{group}: {error}"),
    }
    println!(
        "{group}: {} commands compared, no difference",
        compared.get()
    );
}

fn runner() -> TestRunner {
    let number = |name: &str| std::env::var(name).ok()?.parse::<u64>().ok();
    let cases = number("DIFFERENTIAL_CASES").and_then(|n| u32::try_from(n).ok());
    let config = Proptest {
        cases: cases.unwrap_or(CASES),
        max_shrink_iters: 5_000,
        failure_persistence: None,
        ..Proptest::default()
    };
    let mut seed = [0; 32];
    seed[..8].copy_from_slice(&number("DIFFERENTIAL_SEED").unwrap_or(1).to_le_bytes());
    TestRunner::new_with_rng(config, TestRng::from_seed(RngAlgorithm::ChaCha, &seed))
}

/// Gives one sequence to both, from empty databases on; answers how many commands were compared.
fn run_case(
    connection: &mut Connection,
    protocol: Protocol,
    commands: &[Args],
) -> Result<usize, TestCaseError> {
    let version = if protocol == Protocol::Resp3 { 3 } else { 2 };
    connection.run(&format!("HELLO {version}"));
    connection.run("FLUSHALL");
    let mut engine = Peer::new(protocol);
    compare_all(connection, &mut engine, commands)?;
    // What the commands left behind has to be the same too.
    let looks = looks(&mut engine);
    compare_all(connection, &mut engine, &looks)
        .map_err(|error| TestCaseError::fail(format!("after {}\n{error}", show_all(commands))))?;
    Ok(commands.len() + looks.len())
}

fn compare_all(
    connection: &mut Connection,
    engine: &mut Peer,
    commands: &[Args],
) -> Result<(), TestCaseError> {
    let expected = connection
        .run_all(commands)
        .map_err(|error| TestCaseError::fail(format!("the server did not answer: {error}")))?;
    for (args, expected) in commands.iter().zip(expected) {
        let reply = engine.run(args);
        if !equal(mode(args), &expected, &reply) {
            return Err(TestCaseError::fail(format!(
                "{}\n  redis:  {}\n  engine: {}\nin {}",
                show(args),
                expected.show(),
                reply.show(),
                show_all(commands)
            )));
        }
    }
    Ok(())
}

/// Commands that show all that is under the shared keys.
fn looks(engine: &mut Peer) -> Vec<Args> {
    let command = |words: &[&str]| words.iter().map(|word| word.as_bytes().to_vec()).collect();
    let mut looks = Vec::new();
    for key in KEYS {
        looks.push(command(&["PTTL", key]));
        let kind = match engine.run(&command(&["TYPE", key])) {
            Wire::Status(kind) => kind,
            _ => continue,
        };
        looks.push(command(&["TYPE", key]));
        match &kind[..] {
            b"string" => looks.push(command(&["GET", key])),
            b"list" => looks.push(command(&["LRANGE", key, "0", "-1"])),
            b"set" => looks.push(command(&["SMEMBERS", key])),
            b"hash" => looks.push(command(&["HGETALL", key])),
            b"zset" => looks.push(command(&["ZRANGE", key, "0", "-1", "WITHSCORES"])),
            b"stream" => looks.push(command(&["XINFO", "STREAM", key, "FULL"])),
            _ => {}
        }
    }
    looks
}

/// The engine as the server's counterpart.
pub(crate) struct Peer {
    engine: Engine,
    clock: ManualClock,
    client: redis_engine::ClientId,
    protocol: Protocol,
    outbox: Arc<Mutex<VecDeque<Reply>>>,
}

/// A queue that the test reads.
struct Queue(Arc<Mutex<VecDeque<Reply>>>);

impl Outbox for Queue {
    fn push(&mut self, reply: Reply) {
        if let Ok(mut queue) = self.0.lock() {
            queue.push_back(reply);
        }
    }
}

impl Peer {
    pub(crate) fn new(protocol: Protocol) -> Peer {
        let clock = ManualClock::at(system_ms());
        let mut engine = Engine::new(Options {
            dialect: Dialect::REDIS,
            config: Config::default(),
            clock: Arc::new(clock.clone()),
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
            clock,
            client,
            protocol,
            outbox,
        }
    }

    /// Runs one command. When it blocks, time is moved on to when it gives up.
    pub(crate) fn run(&mut self, args: &Args) -> Wire {
        let args: Vec<Bytes> = args.iter().cloned().map(Bytes::from).collect();
        let mut reply = self.engine.execute(self.client, &args);
        if reply == Reply::None
            && let Some(deadline_ms) = self.engine.next_deadline_ms()
        {
            let wait_ms = deadline_ms.saturating_sub(self.engine.now_ms());
            self.clock.advance(Duration::from_millis(wait_ms));
            self.engine.tick();
            let queued = self
                .outbox
                .lock()
                .ok()
                .and_then(|mut queue| queue.pop_front());
            reply = queued.unwrap_or(Reply::None);
        }
        Wire::fold(reply, self.protocol)
    }
}

/// The server goes by the system's clock, so the engine has to.
#[expect(
    clippy::disallowed_methods,
    reason = "a real server is the other side, and it cannot be given a clock"
)]
fn system_ms() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    since.map_or(0, |since| since.as_millis() as u64)
}

fn show(args: &Args) -> String {
    let shown = args.iter().map(|arg| {
        let text = arg.escape_ascii().to_string();
        if text.is_empty() || text.contains([' ', '\\', '"']) {
            format!("\"{}\"", text.replace('"', "\\\""))
        } else {
            text
        }
    });
    shown.collect::<Vec<_>>().join(" ")
}

fn show_all(commands: &[Args]) -> String {
    let lines = commands.iter().map(|args| format!("\n    {}", show(args)));
    lines.collect()
}
