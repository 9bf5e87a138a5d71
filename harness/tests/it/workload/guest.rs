//! Workloads on a database of somebody else's: they touch nothing of theirs, give what they make an
//! expiry, clean up, and stop when the budget is used up.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use mock_upstash::MockUpstash;
use scenarios::client::Command;
use scenarios::workload::{Settings, Verdict, execute, workloads};
use scenarios::{Client, Connector, Reply};
use swapcheck::run::{Events, WorkloadPlan, execute_workloads};
use swapcheck::target::{KeyExpiry, Opened, Options, Scope, Target, TcpConnector, open};
use tokio::sync::watch;
use url::Url;

use crate::fake::plan;
use crate::server::RedisServer;

const PREFIX: &str = "swapcheck:t:";

async fn ask(owner: &mut dyn Client, words: &[&str]) -> Reply {
    let command: Command = words.iter().map(|word| word.as_bytes().to_vec()).collect();
    let reply = owner.command(&command).await;
    reply.unwrap_or_else(|error| panic!("{words:?}: {error}"))
}

/// What the owner has, under names that are nearly ours, too.
async fn settle(owner: &mut dyn Client) {
    ask(owner, &["SET", "lock", "theirs"]).await;
    ask(
        owner,
        &["SET", "swapcheck:other:lock", "theirs", "EX", "10000"],
    )
    .await;
    ask(owner, &["RPUSH", "jobs", "a", "b"]).await;
    ask(owner, &["HSET", "session", "visits", "7"]).await;
}

/// The owner's keys and what they hold.
async fn theirs(owner: &mut dyn Client) -> [Reply; 4] {
    [
        ask(owner, &["GET", "lock"]).await,
        ask(owner, &["GET", "swapcheck:other:lock"]).await,
        ask(owner, &["LRANGE", "jobs", "0", "-1"]).await,
        ask(owner, &["HGETALL", "session"]).await,
    ]
}

/// The names of all keys, the owner's four left out.
async fn others(owner: &mut dyn Client) -> Vec<String> {
    let Reply::Array(keys) = ask(owner, &["KEYS", "*"]).await else {
        panic!("KEYS gives an array")
    };
    let text = |key: &Reply| {
        let bytes = key.as_bytes().unwrap_or_default();
        String::from_utf8_lossy(bytes).into_owned()
    };
    let all: Vec<String> = keys.iter().map(text).collect();
    let own = ["lock", "swapcheck:other:lock", "jobs", "session"];
    assert_eq!(
        all.iter().filter(|key| own.contains(&key.as_str())).count(),
        4,
        "{all:?}"
    );
    all.into_iter()
        .filter(|key| !own.contains(&key.as_str()))
        .collect()
}

async fn guest(url: &str, journal: &Path, max_commands: Option<u64>) -> Target {
    let options = Options {
        journal_dir: Some(journal.to_owned()),
        max_commands,
        ..Options::default()
    };
    let spec = url.parse().expect("a target");
    match open(&spec, &options).await.expect("a target") {
        Opened::Ready(target) => *target,
        Opened::Absent(reason) => panic!("{reason}"),
    }
}

/// All workloads with few operations, each in a scope of its own.
async fn all_workloads(target: &Target) -> Vec<(&'static str, Scope, Verdict)> {
    let settings = Settings {
        clients: 4,
        operations: 60,
        // The operations end it, however slow the machine is.
        duration: Duration::from_secs(30),
        round_trips: 0,
        seed: 5,
    };
    let tasks: Vec<_> = workloads()
        .into_iter()
        .enumerate()
        .map(|(number, workload)| {
            let prefix = format!("{PREFIX}{number}:");
            let scope = target.scope(prefix.as_bytes(), KeyExpiry::Guarded);
            tokio::spawn(async move {
                let (_keep, stop) = watch::channel(false);
                let connector = scope.connector();
                let running = execute(&workload, connector, prefix.as_bytes(), settings, stop);
                let verdict = running.await.verdict;
                (workload.id, scope, verdict)
            })
        })
        .collect();
    let mut ended = Vec::new();
    for task in tasks {
        ended.push(task.await.expect("no workload panics"));
    }
    ended
}

/// Runs all workloads as a guest, and looks at what is there before and after they clean up.
async fn keeps_to_the_rules(target: Target, owner: &mut dyn Client) {
    assert!(!target.owned);
    settle(owner).await;
    let before = theirs(owner).await;
    let ended = all_workloads(&target).await;
    assert_eq!(theirs(owner).await, before);
    for key in others(owner).await {
        assert!(key.starts_with(PREFIX), "{key}");
        // Where the workload gives none, one is given in the background.
        let limit = Instant::now() + Duration::from_secs(10);
        while ask(owner, &["PTTL", &key]).await == Reply::Integer(-1) {
            assert!(Instant::now() < limit, "{key} was given no expiry");
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }
    for (id, scope, verdict) in ended {
        let may_be = matches!(verdict, Verdict::Held)
            || matches!(verdict, Verdict::Unsupported(_)) && id == "sessions/workload/handed-on";
        assert!(may_be, "{id}: {verdict:?}");
        scope.finish().await.expect("cleaned up");
    }
    assert_eq!(target.shutdown().await, Vec::<String>::new());
    assert_eq!(others(owner).await, Vec::<String>::new());
    assert_eq!(theirs(owner).await, before);
}

/// Runs all workloads on a budget that is less than they want.
async fn keeps_to_its_budget(target: Target, budget: u64, owner: &mut dyn Client) {
    settle(owner).await;
    let before = theirs(owner).await;
    let ended = all_workloads(&target).await;
    assert!(target.billable() <= budget, "{}", target.billable());
    let mut stopped = 0;
    for (id, scope, verdict) in ended {
        match verdict {
            Verdict::NotEvaluable(reason) => {
                assert!(reason.contains("--max-commands"), "{id}: {reason}");
                stopped += 1;
            }
            Verdict::Violated(violation) => panic!("{id}: {violation:?}"),
            Verdict::Held | Verdict::Unsupported(_) => {}
        }
        scope.finish().await.expect("cleaned up");
    }
    assert!(stopped > 0, "the budget was enough");
    assert_eq!(target.shutdown().await, Vec::<String>::new());
    assert!(target.billable() <= budget, "{}", target.billable());
    assert_eq!(others(owner).await, Vec::<String>::new());
    assert_eq!(theirs(owner).await, before);
}

async fn owner_of(server: &RedisServer) -> Box<dyn Client> {
    let url = Url::parse(&server.url()).expect("a URL");
    let connector = TcpConnector::new(&url, &Options::default()).expect("a connector");
    connector.connect().await.expect("a client")
}

async fn owner_of_mock(mock: &MockUpstash) -> Box<dyn Client> {
    let connector: Arc<dyn Connector> = super::rest(mock);
    connector.connect().await.expect("a client")
}

fn url_of(mock: &MockUpstash) -> String {
    format!("{}?_token={}", mock.url(), mock.token())
}

#[tokio::test(flavor = "multi_thread")]
async fn on_a_redis_keys_of_others_stay_and_ours_expire_and_go() {
    let Some(server) = RedisServer::start(&[]) else {
        return;
    };
    let journal = tempfile::tempdir().expect("a folder");
    let mut owner = owner_of(&server).await;
    let target = guest(&server.url(), journal.path(), None).await;
    keeps_to_the_rules(target, owner.as_mut()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn over_rest_keys_of_others_stay_and_ours_expire_and_go() {
    let mock = MockUpstash::builder().start().await.expect("a mock");
    let journal = tempfile::tempdir().expect("a folder");
    let mut owner = owner_of_mock(&mock).await;
    let target = guest(&url_of(&mock), journal.path(), None).await;
    keeps_to_the_rules(target, owner.as_mut()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn workloads_stop_when_the_budget_is_used_up() {
    let Some(server) = RedisServer::start(&[]) else {
        return;
    };
    let journal = tempfile::tempdir().expect("a folder");
    let mut owner = owner_of(&server).await;
    let target = guest(&server.url(), journal.path(), Some(900)).await;
    keeps_to_its_budget(target, 900, owner.as_mut()).await;

    let mock = MockUpstash::builder().start().await.expect("a mock");
    let journal = tempfile::tempdir().expect("a folder");
    let mut owner = owner_of_mock(&mock).await;
    let target = guest(&url_of(&mock), journal.path(), Some(900)).await;
    keeps_to_its_budget(target, 900, owner.as_mut()).await;
}

/// REST and TCP of one database are two targets of one run.
#[tokio::test(flavor = "multi_thread")]
async fn two_ways_to_one_database_do_not_meet() {
    let mock = MockUpstash::builder().start().await.expect("a mock");
    let journal = tempfile::tempdir().expect("a temporary folder");
    let rest = format!("rest={}?_token={}", mock.url(), mock.token());
    let tcp = format!("tcp={}", mock.redis_url().expect("a Redis port"));
    let mut both = plan(
        "## Nothing\nNothing.\n\n```redis\n> PING\nPONG\n```\n",
        vec![
            guest(&rest, journal.path(), None).await,
            guest(&tcp, journal.path(), None).await,
        ],
    );
    both.reference = None;
    let plan = Arc::new(both);
    let wanted = WorkloadPlan {
        workloads: workloads(),
        settings: Settings {
            clients: 3,
            operations: 60,
            duration: Duration::from_secs(30),
            round_trips: 0,
            seed: 5,
        },
        reach: BTreeMap::new(),
    };
    let (events, _receiver) = Events::channel();
    let (_keep, stop) = watch::channel(false);
    let worked = execute_workloads(&plan, &wanted, &events, &stop).await;
    for workload in &worked.workloads {
        assert_eq!(workload.results.len(), 2, "{}", workload.id);
        for result in &workload.results {
            assert!(result.violation.is_none(), "{}: {result:?}", workload.id);
        }
    }
    for target in &plan.targets {
        assert!(target.shutdown().await.is_empty());
    }
    mock.stop().await;
}
