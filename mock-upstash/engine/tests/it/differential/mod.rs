//! The engine against a real Redis: both are sent the same random commands, every reply is compared,
//! and what differs is shrunk to the shortest sequence.
//!
//! The server is the one that `REDIS_SERVER_8_10` names, else `REDIS_SERVER`, else `redis-server` on
//! PATH. `DIFFERENTIAL_CASES` (sequences per group) and `DIFFERENTIAL_SEED` make a run longer, or
//! another one. A group adds a line to the file that `DIFFERENTIAL_REPORT` names: its name, how many
//! commands were compared, how many differed.
//!
//! `FOUND.md` lists what has been found this way.

pub(crate) mod compare;
pub(crate) mod generate;
pub(crate) mod interleaving;
pub(crate) mod peer;
pub(crate) mod reference;
pub(crate) mod wire;

mod acl;
mod bitmap;
mod blocking;
mod connection;
mod dump;
mod function;
mod generic;
mod geo;
mod hash;
mod hyperloglog;
mod list;
mod notification;
mod pubsub;
mod scripting;
mod server;
mod set;
mod sorted_set;
mod stream;
mod string;
mod transaction;

use std::cell::{Cell, RefCell};
use std::fs::OpenOptions;
use std::io::Write;

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::test_runner::{Config as Proptest, RngAlgorithm, TestError, TestRng, TestRunner};
use redis_engine::session::Protocol;

use compare::{equal, mode};
use generate::{Args, KEYS, Part};
pub(crate) use peer::Peer;
use reference::{Connection, Server};
use wire::Wire;

/// Sequences of commands that a group is given, unless told otherwise.
const CASES: u32 = 450;
/// Commands that a group has to compare at least, unless told otherwise. There are twenty groups.
const LEAST: usize = 10_000;

/// Gives random sequences of a group's commands to the engine and to a server, in RESP2 and RESP3,
/// and fails with the shortest sequence whose replies differ.
pub(crate) fn against_redis(group: &str, commands: Vec<Part>) {
    against_redis_with(&["FLUSHALL"], generate::is_fit, group, commands);
}

/// The same, with the commands that bring the server back to where it began, and with what commands
/// have to be to be sent at all.
pub(crate) fn against_redis_with(
    resets: &[&str],
    is_fit: fn(&Args) -> bool,
    group: &str,
    commands: Vec<Part>,
) {
    let server = Server::start();
    let connection = RefCell::new(server.connect());
    let one = prop_oneof![
        9 => generate::mutated(generate::any_of(commands)),
        2 => generate::surroundings(),
    ]
    .prop_filter("unfit", is_fit);
    run(
        group,
        &(protocol(), sequence_of(one)),
        |(protocol, commands)| {
            let mut connection = connection.borrow_mut();
            let outcome = run_case(&mut connection, resets, protocol, &commands);
            if outcome.is_err() {
                // Replies may be left over from what failed.
                *connection = server.connect();
            }
            outcome
        },
    );
}

/// Either protocol.
pub(crate) fn protocol() -> impl Strategy<Value = Protocol> {
    prop_oneof![Just(Protocol::Resp2), Just(Protocol::Resp3)]
}

/// Most sequences are short, for they shrink soon; some are long, for what takes long to build up.
pub(crate) fn sequence_of<S: Strategy + 'static>(one: S) -> impl Strategy<Value = Vec<S::Value>> {
    let one = one.boxed();
    prop_oneof![9 => vec(one.clone(), 1..60), 1 => vec(one, 60..240)]
}

/// Runs cases, reports how many commands were compared, and fails with the shortest case that fails.
/// A case answers how many commands it compared.
pub(crate) fn run<S: Strategy>(
    group: &str,
    cases: &S,
    case: impl Fn(S::Value) -> Result<usize, TestCaseError>,
) {
    let compared = Cell::new(0usize);
    let outcome = runner().run(cases, |input| {
        compared.set(compared.get() + case(input)?);
        Ok(())
    });
    let compared = compared.get();
    report(group, compared, usize::from(outcome.is_err()));
    match outcome {
        Ok(()) => println!("{group}: {compared} commands compared, no difference"),
        Err(TestError::Fail(reason, _)) => panic!("{group}: {reason}"),
        Err(error) => panic!("{group}: {error}"),
    }
    assert!(
        number("DIFFERENTIAL_CASES").is_some() || compared >= LEAST,
        "{group}: {compared} commands compared, fewer than the {LEAST} that every group owes"
    );
}

fn report(group: &str, compared: usize, differences: usize) {
    let Some(path) = std::env::var_os("DIFFERENTIAL_REPORT") else {
        return;
    };
    let line = format!("{group}\t{compared}\t{differences}\n");
    let file = OpenOptions::new().create(true).append(true).open(&path);
    file.and_then(|mut file| file.write_all(line.as_bytes()))
        .unwrap_or_else(|error| panic!("cannot add to {}: {error}", path.display()));
}

fn number(name: &str) -> Option<u64> {
    std::env::var(name).ok()?.parse().ok()
}

fn runner() -> TestRunner {
    let cases = number("DIFFERENTIAL_CASES").and_then(|n| u32::try_from(n).ok());
    let config = Proptest {
        cases: cases.unwrap_or(CASES),
        max_shrink_iters: 5_000,
        // A server that does not answer is waited for at every step.
        max_shrink_time: 30_000,
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
    resets: &[&str],
    protocol: Protocol,
    commands: &[Args],
) -> Result<usize, TestCaseError> {
    let version = if protocol == Protocol::Resp3 { 3 } else { 2 };
    connection.run(&format!("HELLO {version}"));
    for reset in resets {
        connection.run(reset);
    }
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
