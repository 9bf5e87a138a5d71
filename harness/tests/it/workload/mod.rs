//! Workloads: each catches the servers that are broken in its own way, finds nothing on a healthy one,
//! over TCP and REST, and ends when it is told to.

mod broken;
mod guest;
mod report;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use async_trait::async_trait;
use mock_upstash::{Effect, Fault, MockUpstash};
use scenarios::client::{Capabilities, Client, Command, Subscription};
use scenarios::history::Value;
use scenarios::history::linearizable::Undecided;
use scenarios::workload::{Finding, Settings, Verdict, Workload, execute, workloads};
use scenarios::{ClientError, Connector, Reply};
use swapcheck::target::{
    Opened, Options, RestConnector, Secret, Target, TargetSpec, TcpConnector, open,
};
use tokio::sync::{Semaphore, watch};
use url::Url;

use self::broken::{Breakage, Broken, CAUGHT_BY};
use crate::server::RedisServer;

/// How far the replica of a mock trails.
const LAG: Duration = Duration::from_millis(60);
/// How often the replica takes over, where that is what goes wrong.
const FAILOVERS: Duration = Duration::from_millis(120);
/// How many workloads run at a time: on a busy machine clients come to wait for one another.
const AT_ONCE: usize = 6;

/// A server that something is wrong with.
#[derive(Debug, Clone, Copy)]
enum Server {
    /// Something stands between it and its clients.
    Between(Breakage),
    /// A mock whose reads come from a replica that trails.
    ReplicaLag,
    /// The same, and now and then the replica takes over, and what it has not got is lost.
    Failover,
    /// A mock that now and then does as told and does not answer; its clients try again.
    LostAnswers,
}

/// What a mock can get wrong by itself, and the workload that is there to catch it.
const CAUGHT_ON_MOCKS: [(Server, &str); 8] = [
    (Server::ReplicaLag, "locks/workload/register"),
    (Server::ReplicaLag, "sessions/workload/others-writes"),
    (Server::ReplicaLag, "sessions/workload/fresh-clients"),
    (Server::Failover, "patterns/workload/counter"),
    (Server::Failover, "locks/workload/register"),
    (Server::Failover, "locks/workload/handover"),
    (Server::Failover, "queue/workload/reliable"),
    (Server::LostAnswers, "queue/workload/pops"),
];

fn cases() -> Vec<(Server, &'static str)> {
    let between = CAUGHT_BY
        .iter()
        .map(|(how, id)| (Server::Between(*how), *id));
    between.chain(CAUGHT_ON_MOCKS).collect()
}

async fn mock() -> Target {
    let spec: TargetSpec = "mock".parse().expect("a target");
    match open(&spec, &Options::default()).await.expect("a mock") {
        Opened::Ready(target) => *target,
        Opened::Absent(reason) => panic!("{reason}"),
    }
}

fn rest(mock: &MockUpstash) -> Arc<dyn Connector> {
    let url = Url::parse(&mock.url()).expect("a URL");
    let token = Secret::new(mock.token());
    Arc::new(RestConnector::new(&url, token, &Options::default()).expect("a connector"))
}

fn tcp(mock: &MockUpstash) -> Arc<dyn Connector> {
    let url = Url::parse(&mock.redis_url().expect("spoken unless told otherwise")).expect("a URL");
    Arc::new(TcpConnector::new(&url, &Options::default()).expect("a connector"))
}

async fn lagging() -> MockUpstash {
    let mock = MockUpstash::builder().replica_lag(LAG).start().await;
    mock.expect("a mock")
}

fn workload(id: &str) -> Workload {
    let found = workloads().into_iter().find(|one| one.id == id);
    found.unwrap_or_else(|| panic!("no workload {id}"))
}

async fn run(connector: Arc<dyn Connector>, id: &str, prefix: &str, seed: u64) -> Finding {
    let (_keep, stop) = watch::channel(false);
    let settings = Settings {
        seed,
        ..Settings::default()
    };
    execute(&workload(id), connector, prefix.as_bytes(), settings, stop).await
}

/// Runs a workload on a server that something is wrong with.
async fn run_on(server: Server, healthy: Arc<dyn Connector>, id: &str, seed: u64) -> Finding {
    let prefix = format!("{server:?}:{id}:{seed}:");
    let mock = match server {
        // Transactions are watched over TCP alone.
        Server::Between(how @ Breakage::IgnoresWatch) => {
            let mock = MockUpstash::builder().start().await.expect("a mock");
            let broken = Broken::new(tcp(&mock), how);
            let finding = run(Arc::new(broken), id, &prefix, seed).await;
            mock.stop().await;
            return finding;
        }
        Server::Between(how) => {
            let broken = Broken::new(healthy, how);
            return run(Arc::new(broken), id, &prefix, seed).await;
        }
        Server::ReplicaLag | Server::Failover => lagging().await,
        Server::LostAnswers => {
            let mock = MockUpstash::builder().start().await.expect("a mock");
            mock.inject(Fault::new(Effect::ResetAfter).on("RPUSH").every(10));
            mock
        }
    };
    let connector = match server {
        Server::LostAnswers => Arc::new(Retrying(rest(&mock))),
        _ => rest(&mock),
    };
    let running = run(connector, id, &prefix, seed);
    tokio::pin!(running);
    loop {
        tokio::select! {
            finding = &mut running => {
                mock.stop().await;
                return finding;
            }
            () = tokio::time::sleep(FAILOVERS) => {
                if matches!(server, Server::Failover) {
                    mock.failover();
                }
            }
        }
    }
}

/// Repeats whatever was not answered, as clients do whose authors forgot that it may have been done.
struct Retrying(Arc<dyn Connector>);

struct RetryingClient(Box<dyn Client>);

#[async_trait]
impl Connector for Retrying {
    async fn connect(&self) -> Result<Box<dyn Client>, ClientError> {
        Ok(Box::new(RetryingClient(self.0.connect().await?)))
    }

    fn capabilities(&self) -> Capabilities {
        self.0.capabilities()
    }
}

#[async_trait]
impl Client for RetryingClient {
    async fn command(&mut self, command: &Command) -> Result<Reply, ClientError> {
        match self.0.command(command).await {
            Err(ClientError::OutcomeUnknown(_)) => self.0.command(command).await,
            other => other,
        }
    }

    async fn pipeline(&mut self, commands: &[Command]) -> Result<Vec<Reply>, ClientError> {
        self.0.pipeline(commands).await
    }

    async fn transaction(&mut self, commands: &[Command]) -> Result<Reply, ClientError> {
        self.0.transaction(commands).await
    }

    async fn subscribe(
        &mut self,
        channels: &[Vec<u8>],
        pattern: bool,
    ) -> Result<Box<dyn Subscription>, ClientError> {
        self.0.subscribe(channels, pattern).await
    }
}

/// In how many of so many runs each is caught, and what the others came to.
async fn caught(runs: u64) -> Vec<(Server, &'static str, u64, Vec<String>)> {
    let target = mock().await;
    let permits = Arc::new(Semaphore::new(AT_ONCE));
    let tasks: Vec<_> = cases()
        .into_iter()
        .flat_map(|(server, id)| (1..=runs).map(move |seed| (server, id, seed)))
        .map(|(server, id, seed)| {
            let (permits, healthy) = (permits.clone(), target.connector.clone());
            tokio::spawn(async move {
                let _permit = permits.acquire_owned().await;
                run_on(server, healthy, id, seed).await
            })
        })
        .collect();
    let mut findings = Vec::new();
    for task in tasks {
        findings.push(task.await.expect("no workload panics"));
    }
    target.shutdown().await;
    let runs = usize::try_from(runs).expect("few runs");
    let of_case = |((server, id), findings): ((Server, &'static str), &[Finding])| {
        let (found, missed): (Vec<_>, Vec<_>) = findings
            .iter()
            .partition(|finding| matches!(finding.verdict, Verdict::Violated(_)));
        let missed = missed.iter().map(|finding| described(finding)).collect();
        (server, id, found.len() as u64, missed)
    };
    cases()
        .into_iter()
        .zip(findings.chunks(runs))
        .map(of_case)
        .collect()
}

/// What a run came to, and how much of what was done in it.
fn described(finding: &Finding) -> String {
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    for operation in finding.history.operations() {
        *counts.entry(operation.name).or_default() += 1;
    }
    format!("{:?} after {counts:?}", finding.verdict)
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_broken_is_caught_by_the_workload_that_is_there_for_it() {
    let target = mock().await;
    let mut missed = Vec::new();
    for (server, id, caught, others) in caught(2).await {
        // Chance decides who meets whom, and a busy machine who meets at all: then each alone.
        let mut is_caught = caught > 0;
        for seed in 3..9 {
            if is_caught {
                break;
            }
            let finding = run_on(server, target.connector.clone(), id, seed).await;
            is_caught = matches!(finding.verdict, Verdict::Violated(_));
        }
        if !is_caught {
            missed.push((server, id, others));
        }
    }
    target.shutdown().await;
    assert!(missed.is_empty(), "{missed:#?}");
}

/// `cargo test -p swapcheck --test it -- --ignored --nocapture nineteen`, and
/// `SWAPCHECK_WORKLOAD_RUNS` for more runs than twenty.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "takes minutes: twenty runs of every broken server, and a table of how many were caught"]
async fn at_least_nineteen_of_twenty_are_caught() {
    let set = std::env::var("SWAPCHECK_WORKLOAD_RUNS").ok();
    let runs = set.and_then(|text| text.parse().ok()).unwrap_or(20);
    let mut missed = Vec::new();
    for (server, id, caught, others) in caught(runs).await {
        let server = match server {
            Server::Between(how) => format!("{how:?}"),
            other => format!("mock: {other:?}"),
        };
        println!("| {server} | {id} | {caught} of {runs} |");
        if runs - caught > runs / 20 {
            missed.push(format!("{server} by {id}: {caught} of {runs}: {others:?}"));
        }
    }
    assert!(missed.is_empty(), "{missed:#?}");
}

/// All workloads at once on a target; those that may be unsupported are named. Each gets into what it
/// is there for, if not in the first run, for a busy machine keeps clients apart, then in a later one.
async fn nothing_is_violated(connector: Arc<dyn Connector>, unsupported: &[&str]) {
    let tasks: Vec<_> = workloads()
        .into_iter()
        .map(|workload| {
            let connector = connector.clone();
            tokio::spawn(async move {
                let mut missed = Vec::new();
                for seed in 7..12 {
                    let prefix = format!("healthy:{}:{seed}:", workload.id);
                    let finding = run(connector.clone(), workload.id, &prefix, seed).await;
                    let occasions = workload.occasions.iter();
                    missed = occasions
                        .filter(|occasion| !(occasion.came)(&finding.history))
                        .map(|occasion| occasion.missed)
                        .collect();
                    if missed.is_empty() || finding.verdict != Verdict::Held {
                        return (workload, finding.verdict, missed);
                    }
                }
                (workload, Verdict::Held, missed)
            })
        })
        .collect();
    for task in tasks {
        match task.await.expect("no workload panics") {
            (workload, Verdict::Unsupported(_), _) if unsupported.contains(&workload.id) => {}
            (workload, verdict, missed) => {
                assert_eq!(verdict, Verdict::Held, "{}", workload.id);
                assert!(!workload.occasions.is_empty(), "{}", workload.id);
                assert_eq!(missed, Vec::<&str>::new(), "{}", workload.id);
            }
        }
    }
}

/// Where clients never meet, a workload that held says that it says little.
#[tokio::test(flavor = "multi_thread")]
async fn a_run_that_proves_little_says_so() {
    let target = mock().await;
    let (_keep, stop) = watch::channel(false);
    let settings = Settings {
        operations: 1,
        ..Settings::default()
    };
    let exclusion = workload("locks/workload/mutual-exclusion");
    let connector = target.connector.clone();
    let finding = execute(&exclusion, connector, b"little:", settings, stop).await;
    assert_eq!(finding.verdict, Verdict::Held);
    let notes = finding.notes.join("\n");
    assert!(
        notes.contains("it held, and says little: nobody was refused"),
        "{notes}"
    );
    target.shutdown().await;
}

/// A far target is given more time, unless that was chosen.
#[tokio::test(flavor = "multi_thread")]
async fn a_far_target_is_given_more_time() {
    let mock = MockUpstash::builder().start().await.expect("a mock");
    mock.inject(Fault::delay(Duration::from_millis(40)).on("PING"));
    let settings = Settings {
        operations: 20,
        duration: Duration::from_millis(300),
        ..Settings::default()
    };
    for (round_trips, is_told) in [(20, true), (0, false)] {
        let (_keep, stop) = watch::channel(false);
        let settings = Settings {
            round_trips,
            ..settings
        };
        let counter = workload("patterns/workload/counter");
        let finding = execute(&counter, rest(&mock), b"far:", settings, stop).await;
        let told = finding
            .notes
            .iter()
            .any(|note| note == "far away: clients were given 20 round trips in place of 0.3 s");
        assert_eq!(told, is_told, "{:?}", finding.notes);
    }
    mock.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_healthy_mock_violates_nothing() {
    let target = mock().await;
    nothing_is_violated(target.connector.clone(), &[]).await;
    target.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_healthy_redis_violates_nothing() {
    let Some(server) = RedisServer::start(&[]) else {
        return;
    };
    let url = Url::parse(&server.url()).expect("a URL");
    let connector = TcpConnector::new(&url, &Options::default()).expect("a connector");
    let no_token = ["sessions/workload/handed-on"];
    nothing_is_violated(Arc::new(connector), &no_token).await;
}

/// Stale reads are Upstash's bargain; its sync token is how a client gets out of it. What does not
/// depend on them holds.
#[tokio::test(flavor = "multi_thread")]
async fn only_reads_without_a_sync_token_suffer_where_reads_are_stale() {
    let permits = Arc::new(Semaphore::new(AT_ONCE));
    let tasks: Vec<_> = workloads()
        .into_iter()
        .filter(|workload| !workload.eventual)
        .map(|workload| {
            let permits = permits.clone();
            tokio::spawn(async move {
                let _permit = permits.acquire_owned().await;
                let mock = lagging().await;
                let finding = run(rest(&mock), workload.id, "t:", 3).await;
                mock.stop().await;
                (workload.id, finding.verdict)
            })
        })
        .collect();
    for task in tasks {
        let (id, verdict) = task.await.expect("no workload panics");
        assert_eq!(verdict, Verdict::Held, "{id}");
    }
}

#[tokio::test]
async fn clients_that_share_a_sync_token_read_each_others_writes() {
    let mock = lagging().await;
    // The replica never catches up by itself.
    mock.freeze();
    let connector = rest(&mock);
    let words =
        |words: &[&str]| -> Command { words.iter().map(|word| word.as_bytes().to_vec()).collect() };
    let mut writer = connector.connect().await.expect("a client");
    let mut reader = connector.connect().await.expect("a client");
    assert_eq!(writer.sync_token(), None);
    let set = writer.command(&words(&["SET", "cart", "apple"])).await;
    assert_eq!(set, Ok(Reply::Bulk(b"OK".to_vec())));
    let get = words(&["GET", "cart"]);
    let seen = Ok(Reply::Bulk(b"apple".to_vec()));
    assert_eq!(reader.command(&get).await, Ok(Reply::Nil));
    assert_eq!(writer.command(&get).await, seen);
    reader.adopt_sync_token(&writer.sync_token().expect("a token"));
    assert_eq!(reader.command(&get).await, seen);
    // A third one that was given nothing still sees nothing.
    let mut other = connector.connect().await.expect("a client");
    assert_eq!(other.command(&get).await, Ok(Reply::Nil));
    mock.stop().await;
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
    for workload in workloads() {
        let (sender, stop) = watch::channel(false);
        let settings = Settings {
            duration: Duration::from_secs(600),
            operations: usize::MAX,
            ..Settings::default()
        };
        let connector = target.connector.clone();
        let begun = Instant::now();
        let prefix = format!("stopped:{}:", workload.id);
        let running = execute(&workload, connector, prefix.as_bytes(), settings, stop);
        let (finding, _) = tokio::join!(running, async {
            tokio::time::sleep(Duration::from_millis(20)).await;
            sender.send(true)
        });
        let interrupted = Verdict::NotEvaluable("the run was interrupted".to_owned());
        assert_eq!(finding.verdict, interrupted, "{}", workload.id);
        assert!(begun.elapsed() < settings.duration, "{}", workload.id);
    }
    target.shutdown().await;
}
