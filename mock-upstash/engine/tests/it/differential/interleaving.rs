//! Several clients at once: one sends a command, and what every client is sent in consequence is
//! compared before the next one sends.
//!
//! Nothing is left to timing. A step is over when its client has its answer or the server lists it as
//! blocked; one more round trip then makes sure that what went out to others has arrived.

use std::cell::RefCell;

use proptest::prelude::*;
use redis_engine::number;

use super::compare::{self, Mode, mode};
use super::generate::{self, Args};
use super::reference::{Connection, Server};
use super::wire::Wire;
use super::{Peer, compare_all, looks, run, sequence_of, show};

/// Clients that take part.
pub(crate) const CLIENTS: usize = 3;

/// A command, and which client sends it.
pub(crate) type Step = (usize, Args);

/// Steps, as many as there are.
pub(crate) type Steps = BoxedStrategy<Vec<Step>>;

/// Any client sends one of several commands.
pub(crate) fn anybody(commands: Vec<generate::Part>) -> BoxedStrategy<Step> {
    (0..CLIENTS, generate::mutated(generate::any_of(commands))).boxed()
}

/// Some clients choose RESP3.
pub(crate) fn protocols() -> Steps {
    let choice = proptest::collection::vec(any::<bool>(), CLIENTS);
    choice
        .prop_map(|chosen| {
            let clients = (0..CLIENTS).filter(|who| chosen[*who]);
            clients.flat_map(|who| sent_by(who, &["HELLO 3"])).collect()
        })
        .boxed()
}

/// The same commands for a client, one after the other.
pub(crate) fn sent_by(who: usize, lines: &[&str]) -> Vec<Step> {
    let words = |line: &str| {
        line.split(' ')
            .map(|word| word.as_bytes().to_vec())
            .collect()
    };
    lines.iter().map(|line| (who, words(line))).collect()
}

/// Plays random steps on the engine and on a server, each case beginning with `opening`, and fails
/// with the shortest play in which any client was sent something else. `reset` brings the server back
/// to where it began.
pub(crate) fn interleaved_against_redis(
    group: &str,
    opening: Steps,
    step: BoxedStrategy<Step>,
    reset: fn(&mut Connection),
) {
    let server = Server::start();
    let control = RefCell::new(server.connect());
    let step = step.prop_filter("unfit", |(_, args)| {
        generate::is_harmless(args) && !gives_up_soon(args)
    });
    let cases = (opening, sequence_of(step)).prop_map(|(opening, steps)| [opening, steps].concat());
    run(group, &cases, |steps| {
        let mut control = control.borrow_mut();
        wait_for_all_to_leave(&mut control);
        reset(&mut control);
        let outcome = Play::new(&server).run(&mut control, &steps);
        outcome.map_err(|error| TestCaseError::fail(format!("{error}\nin {}", show_steps(&steps))))
    });
}

/// Clients of the case before are gone only when the server says so.
fn wait_for_all_to_leave(control: &mut Connection) {
    for _ in 0..100_000 {
        let Wire::Bulk(list) = control.run("CLIENT LIST") else {
            panic!("CLIENT LIST answers text");
        };
        if list.split(|byte| *byte == b'\n').count() <= 2 {
            return;
        }
    }
    panic!("the server does not let go of clients that left");
}

/// Whether a command would block and then give up on its own while the case runs: when exactly is up
/// to the clock.
fn gives_up_soon(args: &Args) -> bool {
    let name = args.first().map(|name| name.to_ascii_uppercase());
    let soon = |ms: u64| ms < 600_000;
    let seconds = |at: Option<&Vec<u8>>| {
        at.and_then(|timeout| number::timeout_ms(timeout, 0).ok().flatten())
            .is_some_and(soon)
    };
    match name.as_deref().unwrap_or_default() {
        b"WAIT" | b"WAITAOF" => true,
        b"BLMPOP" | b"BZMPOP" => seconds(args.get(1)),
        b"BLPOP" | b"BRPOP" | b"BLMOVE" | b"BRPOPLPUSH" | b"BZPOPMIN" | b"BZPOPMAX" => {
            seconds(args.last())
        }
        b"XREAD" | b"XREADGROUP" => args.windows(2).any(|pair| {
            let ms = number::integer(&pair[1]).and_then(|ms| u64::try_from(ms).ok());
            pair[0].eq_ignore_ascii_case(b"BLOCK") && ms.is_some_and(|ms| ms > 0 && soon(ms))
        }),
        _ => false,
    }
}

/// One case on both sides. The last client of the engine is the one that looks at the end.
struct Play<'a> {
    server: &'a Server,
    clients: Vec<Player>,
    engine: Peer,
    /// How to compare what every client has queued.
    queued: Vec<Vec<Mode>>,
}

struct Player {
    connection: Connection,
    id: i64,
}

impl Play<'_> {
    fn new(server: &Server) -> Play<'_> {
        let clients = (0..CLIENTS).map(|_| join(server)).collect();
        Play {
            server,
            clients,
            engine: Peer::with_clients(CLIENTS),
            queued: vec![Vec::new(); CLIENTS],
        }
    }

    fn run(&mut self, control: &mut Connection, steps: &[Step]) -> Result<usize, String> {
        let mut compared = 0;
        for (number, (who, args)) in steps.iter().enumerate() {
            // A client that waits sends nothing.
            if self.engine.is_blocked(*who) {
                continue;
            }
            self.step(control, *who, args)
                .map_err(|error| format!("step {number}, {who}> {}: {error}", show(args)))?;
            compared += 1;
        }
        // What is left has to be the same too; a new client of the engine looks at it.
        self.engine.reconnect(0);
        let looks = looks(&mut self.engine);
        compare_all(control, &mut self.engine, &looks).map_err(|error| error.to_string())?;
        Ok(compared + looks.len())
    }

    fn step(&mut self, control: &mut Connection, who: usize, args: &Args) -> Result<(), String> {
        let sent = self.engine.run_as(who, args);
        let player = &mut self.clients[who];
        let broken = |error: std::io::Error| format!("the server did not answer: {error}");
        let one = std::slice::from_ref(args);
        player.connection.send(one).map_err(broken)?;
        let mut expected: Vec<Vec<Wire>> = vec![Vec::new(); CLIENTS];
        let blocks = self.engine.is_blocked(who);
        expected[who] = until_answered(player, control, blocks).map_err(broken)?;
        control.run("PING");
        for (player, expected) in self.clients.iter_mut().zip(&mut expected) {
            expected.extend(player.connection.arrived().map_err(broken)?);
        }
        let modes = self.modes(who, args, &sent[who]);
        for (client, (expected, sent)) in expected.iter().zip(&sent).enumerate() {
            let modes: &[Mode] = if client == who { &modes } else { &[] };
            if !same_messages(modes, expected, sent) {
                return Err(format!(
                    "{client} was sent\n  redis:  {}\n  engine: {}",
                    show_messages(expected),
                    show_messages(sent)
                ));
            }
        }
        for client in 0..CLIENTS {
            let closed = self.clients[client].connection.is_closed();
            if closed != self.engine.is_closing(client) {
                let says = |closes| if closes { "closes" } else { "keeps" };
                return Err(format!(
                    "redis {} the connection of {client}, the engine {} it",
                    says(closed),
                    says(!closed)
                ));
            }
            if closed {
                self.clients[client] = join(self.server);
                self.engine.reconnect(client);
            }
        }
        Ok(())
    }
}

impl Play<'_> {
    /// How to compare a reply: one mode, or those of all that EXEC carries out.
    fn modes(&mut self, who: usize, args: &Args, sent: &[Wire]) -> Vec<Mode> {
        let queued = &mut self.queued[who];
        if let [Wire::Status(status)] = sent
            && status == b"QUEUED"
        {
            queued.push(mode(args));
            return Vec::new();
        }
        match args[0].to_ascii_uppercase().as_slice() {
            b"EXEC" => std::mem::take(queued),
            b"DISCARD" | b"RESET" | b"QUIT" | b"MULTI" if !matches!(sent, [Wire::Error(_)]) => {
                queued.clear();
                vec![mode(args)]
            }
            _ => vec![mode(args)],
        }
    }
}

fn join(server: &Server) -> Player {
    let mut connection = server.connect();
    let Wire::Integer(id) = connection.run("CLIENT ID") else {
        panic!("CLIENT ID answers an integer");
    };
    Player { connection, id }
}

/// What a client was sent once it has its answer; nothing when it is blocked. The server blocks a
/// client for a moment also while it frees what FLUSHALL took out, so that one that is not expected to
/// block is waited for.
fn until_answered(
    player: &mut Player,
    control: &mut Connection,
    blocks: bool,
) -> std::io::Result<Vec<Wire>> {
    for _ in 0..50_000 {
        let arrived = player.connection.arrived()?;
        if !arrived.is_empty() || player.connection.is_closed() {
            return Ok(arrived);
        }
        let Wire::Bulk(line) = control.run(&format!("CLIENT LIST ID {}", player.id)) else {
            panic!("CLIENT LIST answers text");
        };
        let flags = line
            .split(|byte| *byte == b' ')
            .find_map(|field| field.strip_prefix(b"flags="));
        if blocks && flags.is_some_and(|flags| flags.contains(&b'b')) {
            return player.connection.arrived();
        }
    }
    Err(std::io::Error::new(
        std::io::ErrorKind::TimedOut,
        "it neither answers nor blocks",
    ))
}

/// Whether a client was sent the same. The order in which patterns receive one message, and that in
/// which subscriptions end when all do, is each server's own affair.
fn same_messages(modes: &[Mode], left: &[Wire], right: &[Wire]) -> bool {
    left.len() == right.len()
        && (left.iter().zip(right).all(|(a, b)| same(modes, a, b))
            || compare::in_any_order(left) == compare::in_any_order(right))
}

/// Several modes are those of a transaction's replies.
fn same(modes: &[Mode], left: &Wire, right: &Wire) -> bool {
    match (modes, left, right) {
        ([mode], _, _) if compare::equal(*mode, left, right) => true,
        (_, Wire::Array(left), Wire::Array(right)) if left.len() == modes.len() => {
            let pairs = left.iter().zip(right);
            let mut all = modes.iter().zip(pairs);
            left.len() == right.len() && all.all(|(mode, (a, b))| compare::equal(*mode, a, b))
        }
        _ => left == right,
    }
}

fn show_messages(messages: &[Wire]) -> String {
    if messages.is_empty() {
        return "(nothing)".to_owned();
    }
    let shown: Vec<String> = messages.iter().map(Wire::show).collect();
    shown.join("; ")
}

fn show_steps(steps: &[Step]) -> String {
    let lines = steps
        .iter()
        .map(|(who, args)| format!("\n    {who}> {}", show(args)));
    lines.collect()
}
