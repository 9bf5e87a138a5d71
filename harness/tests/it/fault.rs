//! No scenario of the suite passes whatever a server answers: each is recorded on a real Redis, or on
//! the mock where that Redis lacks what it needs, then replayed with one wrong reply at a time, and the
//! verdict has to turn.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use mock_upstash::{Dialect, MockUpstash};
use scenarios::client::{Capabilities, Client, Command, Message, Subscription};
use scenarios::step::Action;
use scenarios::{ClientError, Connector, Reply};
use swapcheck::compare::{Catalogue, Side, Verdict, judge};
use swapcheck::run::{Planned, Trace, observe};
use swapcheck::suite::{Selection, load};
use swapcheck::target::{Opened, Options, Target, TargetKind, open};
use tokio::sync::watch;

use crate::server::{RedisServer, alone, in_ci};

/// What one call of a client came to.
#[derive(Debug, Clone)]
enum Recorded {
    One(Result<Reply, ClientError>),
    Many(Result<Vec<Reply>, ClientError>),
    Message(Option<Message>),
}

/// Every client's calls, in the order the clients were made.
type Tape = Arc<Mutex<Vec<VecDeque<Recorded>>>>;

fn lock(tape: &Tape) -> std::sync::MutexGuard<'_, Vec<VecDeque<Recorded>>> {
    tape.lock().expect("no test panics while it holds the tape")
}

/// Passes everything on to a real server and keeps what it answered.
struct Recorder {
    inner: Arc<dyn Connector>,
    tape: Tape,
}

struct RecordingClient {
    inner: Box<dyn Client>,
    tape: Tape,
    index: usize,
}

struct RecordingSubscription {
    inner: Box<dyn Subscription>,
    tape: Tape,
    index: usize,
}

#[async_trait]
impl Connector for Recorder {
    async fn connect(&self) -> Result<Box<dyn Client>, ClientError> {
        let inner = self.inner.connect().await?;
        let mut tape = lock(&self.tape);
        tape.push(VecDeque::new());
        let index = tape.len() - 1;
        Ok(Box::new(RecordingClient {
            inner,
            tape: self.tape.clone(),
            index,
        }))
    }

    fn capabilities(&self) -> Capabilities {
        self.inner.capabilities()
    }
}

#[async_trait]
impl Client for RecordingClient {
    async fn command(&mut self, command: &Command) -> Result<Reply, ClientError> {
        let reply = self.inner.command(command).await;
        lock(&self.tape)[self.index].push_back(Recorded::One(reply.clone()));
        reply
    }

    async fn pipeline(&mut self, commands: &[Command]) -> Result<Vec<Reply>, ClientError> {
        let replies = self.inner.pipeline(commands).await;
        lock(&self.tape)[self.index].push_back(Recorded::Many(replies.clone()));
        replies
    }

    async fn transaction(&mut self, commands: &[Command]) -> Result<Reply, ClientError> {
        let reply = self.inner.transaction(commands).await;
        lock(&self.tape)[self.index].push_back(Recorded::One(reply.clone()));
        reply
    }

    async fn subscribe(
        &mut self,
        channels: &[Vec<u8>],
        pattern: bool,
    ) -> Result<Box<dyn Subscription>, ClientError> {
        let inner = self.inner.subscribe(channels, pattern).await?;
        Ok(Box::new(RecordingSubscription {
            inner,
            tape: self.tape.clone(),
            index: self.index,
        }))
    }
}

#[async_trait]
impl Subscription for RecordingSubscription {
    async fn next(&mut self, timeout: Duration) -> Result<Option<Message>, ClientError> {
        let message = self.inner.next(timeout).await?;
        lock(&self.tape)[self.index].push_back(Recorded::Message(message.clone()));
        Ok(message)
    }
}

/// How a reply is made wrong.
#[derive(Debug, Clone, Copy)]
enum Wrong {
    /// Nearly the same value.
    Subtle,
    /// Another value of the same type altogether.
    Other,
    /// An error in place of a reply, a value in place of an error.
    Gross,
}

/// Answers from the tape, one call of all made wrong. The first client of a replay is the one that
/// the abilities of a target are asked by, or the scenario's own, as it was on the tape.
#[derive(Clone)]
struct Replay {
    tape: Vec<VecDeque<Recorded>>,
    capabilities: Capabilities,
    fault: Option<(usize, Wrong)>,
    clients: Arc<AtomicUsize>,
    calls: Arc<AtomicUsize>,
}

struct ReplayClient {
    replay: Replay,
    tape: Arc<Mutex<VecDeque<Recorded>>>,
}

impl ReplayClient {
    fn take(&self) -> Result<Recorded, ClientError> {
        let next = self
            .tape
            .lock()
            .expect("no test panics while it holds the tape")
            .pop_front();
        let call = self.replay.calls.fetch_add(1, Ordering::SeqCst);
        let recorded = next.ok_or_else(|| ClientError::Protocol("the tape is over".into()))?;
        Ok(match self.replay.fault {
            Some((at, how)) if at == call => twist(recorded, how),
            _ => recorded,
        })
    }
}

#[async_trait]
impl Connector for Replay {
    async fn connect(&self) -> Result<Box<dyn Client>, ClientError> {
        let index = self.clients.fetch_add(1, Ordering::SeqCst);
        let tape = self.tape.get(index).cloned().unwrap_or_default();
        Ok(Box::new(ReplayClient {
            replay: self.clone(),
            tape: Arc::new(Mutex::new(tape)),
        }))
    }

    fn capabilities(&self) -> Capabilities {
        self.capabilities
    }
}

#[async_trait]
impl Client for ReplayClient {
    async fn command(&mut self, _: &Command) -> Result<Reply, ClientError> {
        match self.take()? {
            Recorded::One(reply) => reply,
            other => Err(ClientError::Protocol(format!(
                "the tape has {other:?} here"
            ))),
        }
    }

    async fn pipeline(&mut self, _: &[Command]) -> Result<Vec<Reply>, ClientError> {
        match self.take()? {
            Recorded::Many(replies) => replies,
            other => Err(ClientError::Protocol(format!(
                "the tape has {other:?} here"
            ))),
        }
    }

    async fn transaction(&mut self, commands: &[Command]) -> Result<Reply, ClientError> {
        let _ = commands;
        self.command(&Vec::new()).await
    }

    async fn subscribe(
        &mut self,
        _: &[Vec<u8>],
        _: bool,
    ) -> Result<Box<dyn Subscription>, ClientError> {
        Ok(Box::new(ReplayClient {
            replay: self.replay.clone(),
            tape: self.tape.clone(),
        }))
    }
}

#[async_trait]
impl Subscription for ReplayClient {
    async fn next(&mut self, _: Duration) -> Result<Option<Message>, ClientError> {
        match self.take()? {
            Recorded::Message(message) => Ok(message),
            other => Err(ClientError::Protocol(format!(
                "the tape has {other:?} here"
            ))),
        }
    }
}

fn twist(recorded: Recorded, how: Wrong) -> Recorded {
    match recorded {
        Recorded::One(reply) => Recorded::One(reply.map(|reply| wrong(&reply, how))),
        Recorded::Many(replies) => Recorded::Many(
            replies.map(|replies| replies.iter().map(|reply| wrong(reply, how)).collect()),
        ),
        Recorded::Message(Some(_)) => Recorded::Message(None),
        Recorded::Message(None) => Recorded::Message(Some(Message {
            pattern: None,
            channel: b"swapcheck".to_vec(),
            payload: b"surprise".to_vec(),
        })),
    }
}

fn wrong(reply: &Reply, how: Wrong) -> Reply {
    match (how, reply) {
        (Wrong::Gross, Reply::Error(_)) => Reply::Integer(1),
        (Wrong::Gross, _) => Reply::Error("FAULT injected by a test".into()),
        (Wrong::Other, Reply::Bulk(_)) => Reply::Bulk(b"something else".to_vec()),
        (Wrong::Other, Reply::Integer(_)) => Reply::Integer(i64::MIN),
        (Wrong::Other, other) => wrong(other, Wrong::Subtle),
        (Wrong::Subtle, Reply::Integer(number)) => Reply::Integer(number.wrapping_add(1)),
        (Wrong::Subtle, Reply::Bulk(bytes)) => Reply::Bulk([bytes.as_slice(), b"x"].concat()),
        (Wrong::Subtle, Reply::Status(text)) => Reply::Status(format!("{text}X")),
        (Wrong::Subtle, Reply::Nil) => Reply::Bulk(b"x".to_vec()),
        (Wrong::Subtle, Reply::Array(items)) => {
            let mut items = items.clone();
            if items.pop().is_none() {
                items.push(Reply::Nil);
            }
            Reply::Array(items)
        }
        (Wrong::Subtle, _) => Reply::Error("FAULT injected by a test".into()),
    }
}

/// The verdict by the document alone, and the steps that turned it.
fn verdict(planned: &Planned, trace: &Trace) -> (Verdict, BTreeSet<usize>) {
    let side = Side {
        kind: TargetKind::Redis,
        upstash: false,
        trace,
    };
    let judged = judge(
        &planned.scenario,
        &[side],
        None,
        &BTreeSet::new(),
        &Catalogue::default(),
    )
    .remove(0);
    (
        judged.verdict,
        judged.findings.iter().map(|found| found.step).collect(),
    )
}

/// Keys are set apart by scenario, and are the same when it is replayed.
pub(crate) async fn tried(target: &Target, planned: &Planned) -> Trace {
    let (_keep, stop) = watch::channel(false);
    let mut hasher = DefaultHasher::new();
    planned.scenario.id.hash(&mut hasher);
    observe(
        target,
        &planned.scenario,
        &format!("{:016x}", hasher.finish()),
        0,
        stop,
    )
    .await
}

/// Records a scenario on the server.
async fn recorded(real: &Target, planned: &Planned) -> (Trace, Vec<VecDeque<Recorded>>) {
    let tape = Tape::default();
    let recorder = Recorder {
        inner: real.connector.clone(),
        tape: tape.clone(),
    };
    let mut target = Target::around("redis", TargetKind::Redis, Arc::new(recorder), true);
    target.version.clone_from(&real.version);
    let trace = tried(&target, planned).await;
    let tape = lock(&tape).clone();
    (trace, tape)
}

/// Replays a scenario with every possible single fault; the steps that some fault turned, and
/// whether a wrong value was enough.
async fn turned(
    real: &Target,
    planned: &Planned,
    tape: &[VecDeque<Recorded>],
) -> (BTreeSet<usize>, bool) {
    let calls: usize = tape.iter().map(VecDeque::len).sum();
    let (mut steps, mut subtly) = (BTreeSet::new(), false);
    for call in 0..calls {
        for how in [Wrong::Subtle, Wrong::Other, Wrong::Gross] {
            let replay = Replay {
                tape: tape.to_vec(),
                capabilities: real.capabilities(),
                fault: Some((call, how)),
                clients: Arc::default(),
                calls: Arc::default(),
            };
            let mut target = Target::around("redis", TargetKind::Redis, Arc::new(replay), true);
            target.version.clone_from(&real.version);
            let (verdict, turned) = verdict(planned, &tried(&target, planned).await);
            if verdict == Verdict::Differed {
                subtly |= !matches!(how, Wrong::Gross);
                steps.extend(turned);
            }
        }
    }
    (steps, subtly)
}

/// The steps that a document judges and that were run.
fn judged_steps(planned: &Planned, trace: &Trace) -> BTreeSet<usize> {
    let steps = planned.scenario.steps.iter().enumerate().zip(&trace.steps);
    steps
        .filter(|((_, step), seen)| {
            let judged = step.expect.is_some() || matches!(step.action, Action::NoMessage { .. });
            judged && !matches!(seen.answer, swapcheck::run::Answer::Skipped(_))
        })
        .map(|((index, _), _)| index)
        .collect()
}

/// The scenario without its waits.
pub(crate) fn hurried(planned: &Planned) -> Planned {
    let mut planned = planned.clone();
    for step in &mut planned.scenario.steps {
        if let Action::Wait(time) = &mut step.action {
            *time = Duration::ZERO;
        }
    }
    planned
}

/// A target that is there.
pub(crate) async fn opened(url: &str) -> Target {
    let spec = url.parse().expect("a URL");
    match open(&spec, &Options::default()).await {
        Ok(Opened::Ready(target)) => *target,
        Ok(Opened::Absent(why)) => panic!("{url} is absent: {why}"),
        Err(error) => panic!("{url}: {error}"),
    }
}

#[test]
fn every_scenario_can_fail() {
    let _alone = alone();
    let Some(server) = RedisServer::start(&[]) else {
        return;
    };
    let suite = load(&Selection::default()).expect("the suite is well-formed");
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    // What the one cannot do is proven on the next: the newest commands on the newest Redis, JSON
    // documents on the mock as stock Redis, what needs REST on the mock as Upstash.
    let newest = RedisServer::start_newest();
    let mock = |dialect| runtime.block_on(MockUpstash::builder().dialect(dialect).start());
    let stock = mock(Dialect::REDIS).expect("a free port");
    let upstash = mock(Dialect::UPSTASH).expect("a free port");
    let urls = [
        Some(server.url()),
        newest.as_ref().map(RedisServer::url),
        stock.redis_url(),
        Some(format!("{}?_token={}", upstash.url(), upstash.token())),
    ];
    let targets = urls
        .iter()
        .flatten()
        .map(|url| runtime.block_on(opened(url)));
    let mut failures = BTreeMap::new();
    let mut pending: Vec<&Planned> = suite.iter().collect();
    for real in targets {
        // Recorded at the same time, for many scenarios wait; a replay need not.
        // Those that move megabytes come after, so that no other waits for them in this one thread.
        pending.sort_by_key(|planned| planned.scenario.id.starts_with("cache/limit/"));
        let heavy = pending.partition_point(|one| !one.scenario.id.starts_with("cache/limit/"));
        let tapes = runtime.block_on(async {
            let mut tapes = Vec::new();
            for those in [&pending[..heavy], &pending[heavy..]] {
                let all = those.iter().map(|planned| recorded(&real, planned));
                tapes.extend(futures_util::future::join_all(all).await);
            }
            tapes
        });
        let mut unsupported = Vec::new();
        for (planned, first) in pending.into_iter().zip(tapes) {
            match runtime.block_on(proven(&real, planned, first)) {
                Ok(true) => {}
                Ok(false) => unsupported.push(planned),
                Err(why) => drop(failures.insert(planned.scenario.id.clone(), why)),
            }
        }
        pending = unsupported;
    }
    for planned in pending {
        let id = planned.scenario.id.clone();
        if newest.is_some() || in_ci() {
            failures.insert(id, "no server here can run it".to_owned());
        } else {
            eprintln!("not tested: {id} needs a newer Redis; set REDIS_SERVER_8_10");
        }
    }
    assert!(failures.is_empty(), "{failures:#?}");
}

/// Proves that a scenario can fail, by what was recorded of it among all others; answers whether the
/// server can run it. On a machine that was too busy for its waits it is recorded again, alone.
async fn proven(
    real: &Target,
    planned: &Planned,
    first: (Trace, Vec<VecDeque<Recorded>>),
) -> Result<bool, String> {
    let (mut trace, mut tape) = first;
    let mut attempts = 3;
    loop {
        let outcome = match verdict(planned, &trace).0 {
            Verdict::Unsupported => return Ok(false),
            Verdict::Matched => can_fail(real, planned, &trace, &tape).await,
            other => Err(format!("{} on {} itself", other.name(), real.name)),
        };
        match outcome {
            Ok(()) => return Ok(true),
            Err(why) if attempts == 1 => return Err(why),
            Err(_) => {
                attempts -= 1;
                // Its keys are the same each time.
                let mut client = real.connector.connect().await.expect("it is there");
                let emptied = client.command(&vec![b"FLUSHALL".to_vec()]).await;
                emptied.expect("a server that this test started");
                (trace, tape) = recorded(real, planned).await;
            }
        }
    }
}

/// Whether every judged step of a scenario is turned by some wrong reply, and the scenario by a wrong
/// value; else why not.
async fn can_fail(
    real: &Target,
    planned: &Planned,
    trace: &Trace,
    tape: &[VecDeque<Recorded>],
) -> Result<(), String> {
    let wanted = judged_steps(planned, trace);
    if wanted.is_empty() {
        return Err("no step is judged".to_owned());
    }
    let (steps, subtly) = turned(real, &hurried(planned), tape).await;
    let untouched: Vec<usize> = wanted
        .difference(&steps)
        .map(|step| planned.scenario.steps[*step].location.line)
        .collect();
    if !untouched.is_empty() {
        return Err(format!(
            "no wrong reply turns the steps at lines {untouched:?}"
        ));
    }
    if !subtly {
        return Err("only an error turns it, no wrong value does".to_owned());
    }
    Ok(())
}
