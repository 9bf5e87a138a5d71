//! The engine as a server's counterpart, with as many clients as a test wants.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use bytes::Bytes;
use redis_engine::session::Protocol;
use redis_engine::{
    ClientId, Config, Connect, Dialect, Engine, ManualClock, Options, Outbox, Reply,
};

use super::generate::Args;
use super::wire::Wire;

/// An engine and its clients.
pub(crate) struct Peer {
    engine: Engine,
    clock: ManualClock,
    clients: Vec<Client>,
}

struct Client {
    id: ClientId,
    outbox: Queue,
}

/// A queue that the test reads.
#[derive(Clone, Default)]
struct Queue(Arc<Mutex<VecDeque<Reply>>>);

impl Outbox for Queue {
    fn push(&mut self, reply: Reply) {
        // An empty reply says nothing: a front looks then whether the connection is to end.
        if reply != Reply::None
            && let Ok(mut queue) = self.0.lock()
        {
            queue.push_back(reply);
        }
    }
}

impl Queue {
    fn take(&self) -> Vec<Reply> {
        self.0
            .lock()
            .map_or_else(|_| Vec::new(), |mut queue| queue.drain(..).collect())
    }
}

impl Peer {
    /// An engine with one client that speaks a protocol.
    pub(crate) fn new(protocol: Protocol) -> Peer {
        let mut peer = Peer::with_clients(1);
        let client = peer.clients[0].id;
        peer.engine.session_mut(client).protocol = protocol;
        peer
    }

    /// An engine with some clients that have just connected.
    pub(crate) fn with_clients(count: usize) -> Peer {
        let clock = ManualClock::at(system_ms());
        let engine = Engine::new(Options {
            dialect: Dialect::REDIS,
            config: Config::default(),
            clock: Arc::new(clock.clone()),
            seed: 1,
        });
        let mut peer = Peer {
            engine,
            clock,
            clients: Vec::new(),
        };
        for _ in 0..count {
            let client = peer.connect();
            peer.clients.push(client);
        }
        peer
    }

    fn connect(&mut self) -> Client {
        let outbox = Queue::default();
        let options = Connect {
            outbox: Box::new(outbox.clone()),
            ..Connect::default()
        };
        let id = self.engine.connect(options);
        Client { id, outbox }
    }

    /// Runs one command as the first client. When it blocks, time is moved on to when it gives up.
    pub(crate) fn run(&mut self, args: &Args) -> Wire {
        let client = self.clients[0].id;
        let mut reply = self.execute(client, args);
        if reply == Reply::None
            && let Some(deadline_ms) = self.engine.next_deadline_ms()
        {
            let wait_ms = deadline_ms.saturating_sub(self.engine.now_ms());
            self.clock.advance(Duration::from_millis(wait_ms));
            self.engine.tick();
            let mut queued = self.clients[0].outbox.take().into_iter();
            reply = queued.next().unwrap_or(Reply::None);
        }
        self.fold(client, reply)
    }

    /// Runs one command as a client; answers what every client was sent in consequence.
    ///
    /// What is published to the client itself comes behind the reply.
    pub(crate) fn run_as(&mut self, who: usize, args: &Args) -> Vec<Vec<Wire>> {
        let reply = self.execute(self.clients[who].id, args);
        let mut sent: Vec<Vec<Reply>> = self.clients.iter().map(|c| c.outbox.take()).collect();
        if reply != Reply::None {
            let is_push = |reply: &Reply| matches!(reply, Reply::Push(_));
            let place = sent[who].iter().position(is_push);
            let place = place.unwrap_or(sent[who].len());
            sent[who].insert(place, reply);
        }
        let ids: Vec<ClientId> = self.clients.iter().map(|client| client.id).collect();
        let folded = ids.into_iter().zip(sent);
        folded
            .map(|(id, sent)| sent.into_iter().map(|reply| self.fold(id, reply)).collect())
            .collect()
    }

    /// Whether a client waits.
    pub(crate) fn is_blocked(&self, who: usize) -> bool {
        let session = self.engine.session(self.clients[who].id);
        session.is_some_and(|session| session.blocked.is_some())
    }

    /// Whether a client's connection is to be closed.
    pub(crate) fn is_closing(&self, who: usize) -> bool {
        let session = self.engine.session(self.clients[who].id);
        session.is_none_or(|session| session.closing)
    }

    /// Puts a new client in the place of one.
    pub(crate) fn reconnect(&mut self, who: usize) {
        self.engine.disconnect(self.clients[who].id);
        let client = self.connect();
        self.clients[who] = client;
    }

    fn execute(&mut self, client: ClientId, args: &Args) -> Reply {
        let args: Vec<Bytes> = args.iter().cloned().map(Bytes::from).collect();
        self.engine.execute(client, &args)
    }

    fn fold(&self, client: ClientId, reply: Reply) -> Wire {
        let session = self.engine.session(client);
        let protocol = session.map_or(Protocol::Resp2, |session| session.protocol);
        Wire::fold(reply, protocol)
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
