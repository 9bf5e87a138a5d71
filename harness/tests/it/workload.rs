//! Workloads on a real server that is broken on purpose, a way at a time: each has to be caught by
//! the workload that is there for it; and on a healthy one, over TCP and REST, nothing is found.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use scenarios::client::{Capabilities, Client, Command, Subscription};
use scenarios::history::Value;
use scenarios::history::linearizable::Undecided;
use scenarios::workload::{Settings, Verdict, Workload, execute, workloads};
use scenarios::{ClientError, Connector, Reply};
use swapcheck::target::{Opened, Options, Target, TargetSpec, open};
use tokio::sync::watch;

/// In which way the server is broken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Breakage {
    /// Reads come from a copy that lags behind, whoever wrote.
    StaleReads,
    /// `NX` is forgotten.
    LosesNx,
    /// A lock is given back by DEL, whoever holds it.
    PlainDel,
    /// The commands of a transaction are sent one by one.
    SplitTransactions,
    /// Now and then a pop leaves the job where it was.
    PopsTwice,
    /// Now and then a push is done, fails, and is tried again by the transport.
    RetriesPushes,
    /// Now and then the last write of a key is taken back.
    ForgetsWrites,
    /// `INCR` is a read and a write.
    SplitIncrements,
}

/// Passes commands on, except for what is broken.
struct Broken {
    inner: Arc<dyn Connector>,
    how: Breakage,
    /// What keys held before the last write, and how many commands came so far.
    before: Arc<Mutex<HashMap<Vec<u8>, Reply>>>,
    count: Arc<AtomicU64>,
}

struct BrokenClient {
    inner: Box<dyn Client>,
    how: Breakage,
    before: Arc<Mutex<HashMap<Vec<u8>, Reply>>>,
    count: Arc<AtomicU64>,
}

#[async_trait]
impl Connector for Broken {
    async fn connect(&self) -> Result<Box<dyn Client>, ClientError> {
        Ok(Box::new(BrokenClient {
            inner: self.inner.connect().await?,
            how: self.how,
            before: self.before.clone(),
            count: self.count.clone(),
        }))
    }

    fn capabilities(&self) -> Capabilities {
        Capabilities {
            // Of a blocking pop, what came out would have to be put back elsewhere.
            blocking: false,
            ..self.inner.capabilities()
        }
    }
}

fn words(words: &[&[u8]]) -> Command {
    words.iter().map(|word| word.to_vec()).collect()
}

impl BrokenClient {
    /// What a key held before its last write.
    fn copy(&self, key: &[u8]) -> Option<Reply> {
        let before = self.before.lock().unwrap_or_else(PoisonError::into_inner);
        before.get(key).cloned()
    }

    async fn remember(&mut self, key: &[u8]) -> Result<(), ClientError> {
        let held = self.inner.command(&words(&[b"GET", key])).await?;
        let mut before = self.before.lock().unwrap_or_else(PoisonError::into_inner);
        before.insert(key.to_vec(), held);
        Ok(())
    }
}

#[async_trait]
impl Client for BrokenClient {
    async fn command(&mut self, command: &Command) -> Result<Reply, ClientError> {
        let tenth = self.count.fetch_add(1, Ordering::Relaxed) % 10 == 9;
        let name = String::from_utf8_lossy(&command[0]).into_owned();
        match (self.how, name.as_str()) {
            (Breakage::StaleReads, "SET") => {
                self.remember(&command[1]).await?;
                self.inner.command(command).await
            }
            (Breakage::StaleReads, "GET") if tenth => match self.copy(&command[1]) {
                Some(stale) => Ok(stale),
                None => self.inner.command(command).await,
            },
            (Breakage::LosesNx, "SET") => {
                let without = command.iter().filter(|word| *word != b"NX").cloned();
                self.inner.command(&without.collect()).await
            }
            (Breakage::PlainDel, "EVAL") if command[1].windows(3).any(|word| word == b"DEL") => {
                self.inner.command(&words(&[b"DEL", &command[3]])).await
            }
            (Breakage::PopsTwice, "LPOP") if tenth => {
                let head = words(&[b"LINDEX", &command[1], b"0"]);
                self.inner.command(&head).await
            }
            (Breakage::RetriesPushes, "RPUSH") if tenth => {
                self.inner.command(command).await?;
                self.inner.command(command).await
            }
            (Breakage::ForgetsWrites, "SET") if tenth => {
                let held = self.inner.command(&words(&[b"GET", &command[1]])).await?;
                let reply = self.inner.command(command).await?;
                let restore = match held.as_bytes() {
                    Some(held) => words(&[b"SET", &command[1], held]),
                    None => words(&[b"DEL", &command[1]]),
                };
                self.inner.command(&restore).await?;
                Ok(reply)
            }
            (Breakage::SplitIncrements, "INCR") => {
                let held = self.inner.command(&words(&[b"GET", &command[1]])).await?;
                let text = String::from_utf8_lossy(held.as_bytes().unwrap_or(b"0")).into_owned();
                let next = text.parse::<i64>().unwrap_or(0) + 1;
                let set = words(&[b"SET", &command[1], next.to_string().as_bytes()]);
                self.inner.command(&set).await?;
                Ok(Reply::Integer(next))
            }
            _ => self.inner.command(command).await,
        }
    }

    async fn pipeline(&mut self, commands: &[Command]) -> Result<Vec<Reply>, ClientError> {
        self.inner.pipeline(commands).await
    }

    async fn transaction(&mut self, commands: &[Command]) -> Result<Reply, ClientError> {
        if self.how != Breakage::SplitTransactions {
            return self.inner.transaction(commands).await;
        }
        let mut replies = Vec::new();
        for command in commands {
            replies.push(self.inner.command(command).await?);
        }
        Ok(Reply::Array(replies))
    }

    async fn subscribe(
        &mut self,
        channels: &[Vec<u8>],
        pattern: bool,
    ) -> Result<Box<dyn Subscription>, ClientError> {
        self.inner.subscribe(channels, pattern).await
    }
}

/// What is broken, and the workload that is there to catch it.
const CAUGHT_BY: [(Breakage, &str); 11] = [
    (Breakage::StaleReads, "locks/workload/register"),
    (Breakage::StaleReads, "sessions/workload/own-writes"),
    (Breakage::StaleReads, "sessions/workload/others-writes"),
    (Breakage::LosesNx, "locks/workload/mutual-exclusion"),
    (Breakage::LosesNx, "locks/workload/handover"),
    (Breakage::PlainDel, "locks/workload/mutual-exclusion"),
    (Breakage::SplitTransactions, "patterns/workload/transfers"),
    (Breakage::PopsTwice, "queue/workload/pops"),
    (Breakage::RetriesPushes, "queue/workload/pops"),
    (Breakage::ForgetsWrites, "locks/workload/register"),
    (Breakage::SplitIncrements, "patterns/workload/counter"),
];

async fn mock() -> Target {
    let spec: TargetSpec = "mock".parse().expect("a target");
    match open(&spec, &Options::default()).await.expect("a mock") {
        Opened::Ready(target) => *target,
        Opened::Absent(reason) => panic!("{reason}"),
    }
}

async fn run(connector: Arc<dyn Connector>, id: &str, prefix: &str, seed: u64) -> Verdict {
    let workload = workloads()
        .into_iter()
        .find(|one| one.id == id)
        .expect("a workload");
    let (_keep, stop) = watch::channel(false);
    let settings = Settings {
        seed,
        ..Settings::default()
    };
    execute(&workload, connector, prefix.as_bytes(), settings, stop)
        .await
        .verdict
}

/// How often each breakage is tried: `SWAPCHECK_WORKLOAD_RUNS`, else twice.
fn repetitions() -> u64 {
    let set = std::env::var("SWAPCHECK_WORKLOAD_RUNS").ok();
    set.and_then(|text| text.parse().ok()).unwrap_or(2)
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_broken_is_caught_by_the_workload_that_is_there_for_it() {
    let target = mock().await;
    let runs = repetitions();
    let each = CAUGHT_BY.map(|(how, id)| {
        let inner = target.connector.clone();
        tokio::spawn(async move {
            let mut caught = 0;
            for seed in 0..runs {
                let broken = Broken {
                    inner: inner.clone(),
                    how,
                    before: Arc::default(),
                    count: Arc::default(),
                };
                let prefix = format!("{how:?}:{id}:{seed}:");
                let verdict = run(Arc::new(broken), id, &prefix, seed).await;
                caught += u64::from(matches!(verdict, Verdict::Violated(_)));
            }
            (how, id, caught)
        })
    });
    let mut missed = Vec::new();
    for task in each {
        let (how, id, caught) = task.await.expect("no workload panics");
        eprintln!("{how:?} caught by {id} in {caught} of {runs} runs");
        // One run in twenty may miss it, for chance decides who meets whom.
        if runs - caught > (runs / 20).max(1) {
            missed.push(format!("{how:?} by {id}: {caught} of {runs}"));
        }
    }
    target.shutdown().await;
    assert!(missed.is_empty(), "{missed:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_healthy_server_violates_nothing() {
    let target = mock().await;
    let tasks: Vec<_> = workloads()
        .into_iter()
        .map(|workload| {
            let connector = target.connector.clone();
            tokio::spawn(async move {
                let prefix = format!("healthy:{}:", workload.id);
                (workload.id, run(connector, workload.id, &prefix, 7).await)
            })
        })
        .collect();
    for task in tasks {
        let (id, verdict) = task.await.expect("no workload panics");
        assert_eq!(verdict, Verdict::Held, "{id}");
    }
    target.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_decided_does_not_pass() {
    let target = mock().await;
    let undecided = Workload {
        run: |context| {
            Box::pin(async {
                let call = context.recorder.invoke(0, "read", "x", Value::Nil);
                call.returned(Value::Nil);
                Ok(())
            })
        },
        check: |_| {
            let object = "register-1".to_owned();
            Ok(vec![Undecided { object }])
        },
        ..workloads()[0]
    };
    let (_keep, stop) = watch::channel(false);
    let (connector, settings) = (target.connector.clone(), Settings::default());
    let finding = execute(&undecided, connector, b"undecided:", settings, stop).await;
    let Verdict::NotEvaluable(reason) = finding.verdict else {
        panic!("{:?}", finding.verdict);
    };
    assert!(
        reason.starts_with("not decided: the operations on register-1"),
        "{reason}"
    );
    target.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_workload_ends_when_the_run_is_stopped() {
    let target = mock().await;
    let (sender, stop) = watch::channel(false);
    let workload = workloads()[0];
    let settings = Settings {
        duration: Duration::from_secs(600),
        operations: usize::MAX,
        ..Settings::default()
    };
    let running = execute(
        &workload,
        target.connector.clone(),
        b"stopped:",
        settings,
        stop,
    );
    let (finding, _) = tokio::join!(running, async {
        tokio::task::yield_now().await;
        sender.send(true)
    });
    let interrupted = Verdict::NotEvaluable("the run was interrupted".to_owned());
    assert_eq!(finding.verdict, interrupted);
    target.shutdown().await;
}
