//! A guest on somebody else's server: what it leaves behind, what it never sends, when it stops.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use scenarios::client::Command;
use scenarios::{ClientError, Connector, Reply};
use swapcheck::target::{KeyExpiry, Options, Target, TargetKind, TcpConnector};
use url::Url;

use super::{ask, bulk, command, ready};
use crate::server::RedisServer;

const PREFIX: &[u8] = b"swapcheck:t:";

fn options(journal: &Path) -> Options {
    Options {
        journal_dir: Some(journal.to_owned()),
        ..Options::default()
    }
}

/// A client of the server's owner, who sees everything.
async fn owner(server: &RedisServer) -> Box<dyn scenarios::Client> {
    let url = Url::parse(&server.url()).unwrap();
    TcpConnector::new(&url, &Options::default())
        .unwrap()
        .connect()
        .await
        .unwrap()
}

/// What the owner is answered, as text; an array by its members' texts.
pub(crate) async fn ask_owner(server: &RedisServer, words: &[&str]) -> String {
    let mut owner = owner(server).await;
    let reply = ask(owner.as_mut(), words).await;
    reply.as_bytes().map_or_else(
        || format!("{reply:?}"),
        |bytes| String::from_utf8_lossy(bytes).into_owned(),
    )
}

/// Every key with its serialized value and its expiry.
pub(crate) async fn everything(server: &RedisServer) -> Vec<(Vec<u8>, Reply, Reply)> {
    let mut owner = owner(server).await;
    let Reply::Array(keys) = ask(owner.as_mut(), &["KEYS", "*"]).await else {
        panic!("KEYS gives an array")
    };
    let mut all = Vec::new();
    for key in keys {
        let key = key.as_bytes().unwrap().to_vec();
        let value = owner
            .command(&vec![b"DUMP".to_vec(), key.clone()])
            .await
            .unwrap();
        let expiry = owner
            .command(&vec![b"PEXPIRETIME".to_vec(), key.clone()])
            .await
            .unwrap();
        all.push((key, value, expiry));
    }
    all.sort_by(|a, b| a.0.cmp(&b.0));
    all
}

pub(crate) async fn with_others_keys(server: &RedisServer) {
    let mut owner = owner(server).await;
    ask(
        owner.as_mut(),
        &[
            "MSET",
            "theirs",
            "1",
            "swapcheck",
            "2",
            "swapcheck:other:k",
            "3",
        ],
    )
    .await;
    ask(owner.as_mut(), &["SET", "swapcheck:t", "4", "EX", "1000"]).await;
    ask(owner.as_mut(), &["RPUSH", "their:list", "a", "b"]).await;
}

/// What a scenario might do, in one scope.
async fn work(target: &Target, expiry: KeyExpiry) -> swapcheck::target::Scope {
    let scope = target.scope(PREFIX, expiry);
    let mut client = scope.connector().connect().await.unwrap();
    let client = client.as_mut();
    ask(client, &["SET", "swapcheck:t:a", "1"]).await;
    ask(client, &["RPUSH", "swapcheck:t:list", "x", "y"]).await;
    ask(client, &["RENAME", "swapcheck:t:a", "swapcheck:t:b"]).await;
    ask(
        client,
        &[
            "EVAL",
            "return redis.call('SET', KEYS[1], ARGV[1])",
            "1",
            "swapcheck:t:script",
            "v",
        ],
    )
    .await;
    client
        .pipeline(&[
            command(&["SADD", "swapcheck:t:set", "m"]),
            command(&["INCR", "swapcheck:t:n"]),
        ])
        .await
        .unwrap();
    client
        .transaction(&[command(&["ZADD", "swapcheck:t:z", "1", "m"])])
        .await
        .unwrap();
    scope
}

#[tokio::test]
async fn keys_of_others_stay_and_ours_go() {
    let Some(server) = RedisServer::start(&[]) else {
        return;
    };
    with_others_keys(&server).await;
    let before = everything(&server).await;
    let journal = tempfile::tempdir().unwrap();
    let target = ready(&server.url(), &options(journal.path())).await;
    assert!(!target.owned);
    for expiry in [KeyExpiry::Guarded, KeyExpiry::Observed] {
        let scope = work(&target, expiry).await;
        assert_eq!(
            everything(&server).await.len(),
            before.len() + 6,
            "the scenario's keys are there"
        );
        scope.finish().await.unwrap();
        assert_eq!(everything(&server).await, before);
    }
    assert_eq!(target.shutdown().await, Vec::<String>::new());
    assert_eq!(everything(&server).await, before);
    assert_eq!(
        std::fs::read_dir(journal.path()).unwrap().count(),
        0,
        "the journal is gone"
    );
}

#[tokio::test]
async fn shutdown_in_the_middle_leaves_nothing() {
    let Some(server) = RedisServer::start(&[]) else {
        return;
    };
    with_others_keys(&server).await;
    let before = everything(&server).await;
    let journal = tempfile::tempdir().unwrap();
    let target = Arc::new(ready(&server.url(), &options(journal.path())).await);
    let unfinished = work(&target, KeyExpiry::Observed).await;
    // A scenario that is still writing, as when Ctrl-C comes.
    let busy = target.scope(PREFIX, KeyExpiry::Guarded);
    let mut client = busy.connector().connect().await.unwrap();
    let writer = tokio::spawn(async move {
        for number in 0.. {
            let key = format!("swapcheck:t:busy:{number}");
            if let Err(error) = client.command(&command(&["SET", &key, "v"])).await {
                return error;
            }
        }
        unreachable!("the numbers do not end")
    });
    while target.billable() < 100 {
        tokio::task::yield_now().await;
    }
    assert_eq!(target.shutdown().await, Vec::<String>::new());
    let stopped = writer.await.unwrap();
    assert!(
        matches!(&stopped, ClientError::Refused(text) if text.contains("the run is ending")),
        "{stopped:?}"
    );
    assert_eq!(everything(&server).await, before);
    drop((unfinished, busy));
}

#[tokio::test]
async fn a_scenario_sees_its_keys_as_it_made_them() {
    let Some(server) = RedisServer::start(&[]) else {
        return;
    };
    let journal = tempfile::tempdir().unwrap();
    let target = ready(&server.url(), &options(journal.path())).await;
    let scope = target.scope(PREFIX, KeyExpiry::Observed);
    let mut client = scope.connector().connect().await.unwrap();
    ask(client.as_mut(), &["SET", "swapcheck:t:k", "v"]).await;
    assert_eq!(
        ask(client.as_mut(), &["TTL", "swapcheck:t:k"]).await,
        Reply::Integer(-1)
    );
    assert_eq!(
        ask(client.as_mut(), &["PERSIST", "swapcheck:t:k"]).await,
        Reply::Integer(0)
    );
    scope.finish().await.unwrap();
    target.shutdown().await;
}

/// The expiry of a key, once it has one.
pub(super) async fn expiry_of(server: &RedisServer, key: &str) -> i64 {
    let mut owner = owner(server).await;
    loop {
        match ask(owner.as_mut(), &["PTTL", key]).await {
            Reply::Integer(-1) => tokio::task::yield_now().await,
            Reply::Integer(ms) => return ms,
            other => panic!("{other:?}"),
        }
    }
}

#[tokio::test]
async fn after_a_crash_keys_expire() {
    let Some(server) = RedisServer::start(&[]) else {
        return;
    };
    let journal = tempfile::tempdir().unwrap();
    let target = ready(&server.url(), &options(journal.path())).await;
    let scope = work(&target, KeyExpiry::Guarded).await;
    let mut client = scope.connector().connect().await.unwrap();
    ask(
        client.as_mut(),
        &["SET", "swapcheck:t:short", "v", "EX", "100"],
    )
    .await;
    for key in ["b", "list", "script", "set", "n", "z"] {
        let ms = expiry_of(&server, &format!("swapcheck:t:{key}")).await;
        assert!((3_000_000..=3_600_000).contains(&ms), "{key}: {ms}");
    }
    // Overwriting drops an expiry; emptying and filling again makes another key.
    ask(client.as_mut(), &["SET", "swapcheck:t:b", "2"]).await;
    ask(client.as_mut(), &["DEL", "swapcheck:t:set"]).await;
    ask(client.as_mut(), &["SADD", "swapcheck:t:set", "m"]).await;
    for key in ["b", "set"] {
        assert!(
            expiry_of(&server, &format!("swapcheck:t:{key}")).await > 3_000_000,
            "{key}"
        );
    }
    let own = expiry_of(&server, "swapcheck:t:short").await;
    assert!(
        (1..=100_000).contains(&own),
        "the scenario's own expiry stands: {own}"
    );
    scope.finish().await.unwrap();
    target.shutdown().await;
}

#[tokio::test]
async fn after_a_crash_the_next_run_cleans_up() {
    let Some(server) = RedisServer::start(&[]) else {
        return;
    };
    with_others_keys(&server).await;
    let before = everything(&server).await;
    let journal = tempfile::tempdir().unwrap();
    let target = ready(&server.url(), &options(journal.path())).await;
    let scope = work(&target, KeyExpiry::Observed).await;
    // What a killed process does: nothing more, and its files are closed.
    drop((scope, target));
    assert_eq!(everything(&server).await.len(), before.len() + 6);

    let next = ready(&server.url(), &options(journal.path())).await;
    assert!(
        next.notes
            .iter()
            .any(|note| note.contains("a run that was killed had left behind (")),
        "{:?}",
        next.notes
    );
    assert_eq!(everything(&server).await, before);
    next.shutdown().await;
    assert_eq!(std::fs::read_dir(journal.path()).unwrap().count(), 0);
}

#[tokio::test]
async fn the_budget_ends_the_run_and_leaves_room_to_clean_up() {
    let Some(server) = RedisServer::start(&[]) else {
        return;
    };
    let journal = tempfile::tempdir().unwrap();
    let options = Options {
        max_commands: Some(20),
        ..options(journal.path())
    };
    let target = ready(&server.url(), &options).await;
    let scope = target.scope(PREFIX, KeyExpiry::Observed);
    let mut client = scope.connector().connect().await.unwrap();
    let mut sent = 0;
    let refused = loop {
        match client
            .command(&command(&["RPUSH", "swapcheck:t:list", "x"]))
            .await
        {
            Ok(_) => sent += 1,
            Err(error) => break error,
        }
    };
    assert!(
        matches!(&refused, ClientError::Refused(text) if text.contains("budget of 20") && text.contains("--max-commands")),
        "{refused:?}"
    );
    assert!(
        sent < 20 && target.billable() <= 20,
        "{sent} sent, {} billed",
        target.billable()
    );
    assert!(
        target
            .stopped()
            .is_some_and(|reason| reason.contains("budget"))
    );
    let mut owner = owner(&server).await;
    assert_eq!(
        ask(owner.as_mut(), &["LLEN", "swapcheck:t:list"]).await,
        Reply::Integer(sent)
    );
    scope.finish().await.unwrap();
    assert_eq!(target.shutdown().await, Vec::<String>::new());
    assert!(everything(&server).await.is_empty());
}

#[tokio::test]
async fn a_pipeline_that_is_over_the_budget_is_not_begun() {
    let Some(server) = RedisServer::start(&[]) else {
        return;
    };
    let journal = tempfile::tempdir().unwrap();
    let options = Options {
        max_commands: Some(20),
        ..options(journal.path())
    };
    let target = ready(&server.url(), &options).await;
    let scope = target.scope(PREFIX, KeyExpiry::Observed);
    let mut client = scope.connector().connect().await.unwrap();
    let many = vec![command(&["INCR", "swapcheck:t:n"]); 30];
    assert!(matches!(
        client.pipeline(&many).await,
        Err(ClientError::Refused(_))
    ));
    assert!(everything(&server).await.is_empty());
    target.shutdown().await;
}

#[tokio::test]
async fn forbidden_commands_are_not_sent() {
    let Some(server) = RedisServer::start(&[]) else {
        return;
    };
    with_others_keys(&server).await;
    let before = everything(&server).await;
    let journal = tempfile::tempdir().unwrap();
    let target = ready(&server.url(), &options(journal.path())).await;
    let scope = target.scope(PREFIX, KeyExpiry::Guarded);
    let mut client = scope.connector().connect().await.unwrap();
    let mut owner = owner(&server).await;
    ask(owner.as_mut(), &["CONFIG", "RESETSTAT"]).await;
    for words in [
        &["FLUSHALL"][..],
        &["flushdb"],
        &["KEYS", "*"],
        &["CONFIG", "SET", "maxmemory", "1mb"],
        &["SCRIPT", "FLUSH"],
        &["FUNCTION", "FLUSH"],
        &["ACL", "SETUSER", "x", "on"],
        &["EVAL", "redis.call('FLUSHALL')", "0"],
        &["DEL", "theirs"],
        &["SCAN", "0"],
    ] {
        let refused = client.command(&command(words)).await;
        assert!(
            matches!(refused, Err(ClientError::Refused(_))),
            "{words:?}: {refused:?}"
        );
        let refused = client.pipeline(&[command(&["PING"]), command(words)]).await;
        assert!(
            matches!(refused, Err(ClientError::Refused(_))),
            "{words:?}: {refused:?}"
        );
        let refused = client.transaction(&[command(words)]).await;
        assert!(
            matches!(refused, Err(ClientError::Refused(_))),
            "{words:?}: {refused:?}"
        );
    }
    assert!(
        client
            .subscribe(&[b"theirs".to_vec()], false)
            .await
            .is_err()
    );
    let info = ask(owner.as_mut(), &["INFO", "commandstats"]).await;
    let info = String::from_utf8(info.as_bytes().unwrap().to_vec()).unwrap();
    for sent in [
        "flush",
        "cmdstat_keys",
        "config|set",
        "script",
        "function",
        "acl",
        "eval",
        "cmdstat_del",
        "cmdstat_scan",
        "cmdstat_ping",
        "subscribe",
    ] {
        assert!(!info.contains(sent), "{sent} was sent: {info}");
    }
    assert_eq!(everything(&server).await, before);
    target.shutdown().await;
}

#[tokio::test]
async fn a_large_database_is_not_scanned() {
    let Some(server) = RedisServer::start(&[]) else {
        return;
    };
    let journal = tempfile::tempdir().unwrap();
    let mut owner = owner(&server).await;
    let scan = command(&["SCAN", "0", "MATCH", "swapcheck:t:*"]);

    let target = ready(&server.url(), &options(journal.path())).await;
    let scope = target.scope(PREFIX, KeyExpiry::Guarded);
    let mut client = scope.connector().connect().await.unwrap();
    let found = client.command(&scan).await;
    assert_eq!(
        found,
        Ok(Reply::Array(vec![bulk("0"), Reply::Array(vec![])]))
    );
    target.shutdown().await;

    ask(
        owner.as_mut(),
        &[
            "EVAL",
            "for i = 1, 10001 do redis.call('SET', 'their:' .. i, i) end",
            "0",
        ],
    )
    .await;
    ask(owner.as_mut(), &["CONFIG", "RESETSTAT"]).await;
    let target = ready(&server.url(), &options(journal.path())).await;
    let scope = target.scope(PREFIX, KeyExpiry::Guarded);
    let mut client = scope.connector().connect().await.unwrap();
    let refused = client.command(&scan).await;
    assert!(
        matches!(&refused, Err(ClientError::Refused(text)) if text.contains("10001 keys")),
        "{refused:?}"
    );
    target.shutdown().await;
    let info = ask(owner.as_mut(), &["INFO", "commandstats"]).await;
    assert!(!String::from_utf8_lossy(info.as_bytes().unwrap()).contains("cmdstat_scan"));
}

#[tokio::test]
async fn what_is_sent_is_counted() {
    let Some(server) = RedisServer::start(&[]) else {
        return;
    };
    let journal = tempfile::tempdir().unwrap();
    let target = ready(&server.url(), &options(journal.path())).await;
    let scope = target.scope(PREFIX, KeyExpiry::Observed);
    let mut client = scope.connector().connect().await.unwrap();
    let before = scope.billable();
    ask(client.as_mut(), &["GET", "swapcheck:t:k"]).await;
    assert_eq!(scope.billable() - before, 1);
    client
        .pipeline(&[command(&["PING"]), command(&["PING"])])
        .await
        .unwrap();
    assert_eq!(scope.billable() - before, 3);
    client.transaction(&[command(&["PING"])]).await.unwrap();
    assert_eq!(scope.billable() - before, 6, "MULTI, PING, EXEC");
    ask(
        client.as_mut(),
        &[
            "EVAL",
            "return redis.call('GET', KEYS[1])",
            "1",
            "swapcheck:t:k",
        ],
    )
    .await;
    assert_eq!(scope.billable() - before, 8, "a script and its call");
    assert!(target.billable() >= scope.billable());
    scope.finish().await.unwrap();
    target.shutdown().await;
}

/// A server that says that its quota is used up, as Upstash does.
#[tokio::test]
async fn a_used_up_quota_ends_the_run() {
    let quota = "ERR max requests limit exceeded. Limit: 500000, Usage: 500000.";
    let server = wiremock::MockServer::start().await;
    let body = serde_json::json!({ "error": quota });
    wiremock::Mock::given(wiremock::matchers::any())
        .respond_with(wiremock::ResponseTemplate::new(400).set_body_json(body))
        .mount(&server)
        .await;
    let url = Url::parse(&server.uri()).unwrap();
    let token = swapcheck::target::Secret::new("s3cr3t");
    let connector =
        swapcheck::target::RestConnector::new(&url, token, &Options::default()).unwrap();
    let target = Target::around("upstash", TargetKind::Upstash, Arc::new(connector), false);
    let scope = target.scope(PREFIX, KeyExpiry::Observed);
    let mut client = scope.connector().connect().await.unwrap();
    for _ in 0..2 {
        let refused = client.command(&command(&["GET", "swapcheck:t:k"])).await;
        assert!(
            matches!(&refused, Err(ClientError::Refused(text)) if text.contains("quota is used up")),
            "{refused:?}"
        );
    }
    assert!(target.stopped().is_some());
    assert_eq!(server.received_requests().await.unwrap().len(), 1);
    tokio::time::timeout(Duration::from_secs(5), target.shutdown())
        .await
        .unwrap();
}

/// A server before Redis 7.0, whose PEXPIRE has no NX: a real one behind a client that hides it.
struct Older(TcpConnector);

#[async_trait::async_trait]
impl Connector for Older {
    async fn connect(&self) -> Result<Box<dyn scenarios::Client>, ClientError> {
        Ok(Box::new(OlderClient(self.0.connect().await?)))
    }

    fn capabilities(&self) -> scenarios::client::Capabilities {
        self.0.capabilities()
    }
}

struct OlderClient(Box<dyn scenarios::Client>);

#[async_trait::async_trait]
impl scenarios::Client for OlderClient {
    async fn command(&mut self, command: &Command) -> Result<Reply, ClientError> {
        match command[0] == b"PEXPIRE" && command.len() > 3 {
            true => Ok(Reply::Error(
                "ERR wrong number of arguments for 'pexpire' command".to_owned(),
            )),
            false => self.0.command(command).await,
        }
    }

    async fn pipeline(&mut self, commands: &[Command]) -> Result<Vec<Reply>, ClientError> {
        let mut replies = Vec::new();
        for command in commands {
            replies.push(self.command(command).await?);
        }
        Ok(replies)
    }

    async fn transaction(&mut self, commands: &[Command]) -> Result<Reply, ClientError> {
        self.0.transaction(commands).await
    }

    async fn subscribe(
        &mut self,
        channels: &[Vec<u8>],
        pattern: bool,
    ) -> Result<Box<dyn scenarios::client::Subscription>, ClientError> {
        self.0.subscribe(channels, pattern).await
    }
}

#[tokio::test]
async fn keys_expire_on_older_servers_too() {
    let Some(server) = RedisServer::start(&[]) else {
        return;
    };
    let url = Url::parse(&server.url()).unwrap();
    let older = Older(TcpConnector::new(&url, &Options::default()).unwrap());
    let target = Target::around("older", TargetKind::RedisUrl, Arc::new(older), false);
    let scope = target.scope(PREFIX, KeyExpiry::Guarded);
    let mut client = scope.connector().connect().await.unwrap();
    ask(
        client.as_mut(),
        &["SET", "swapcheck:t:own", "v", "EX", "100"],
    )
    .await;
    ask(client.as_mut(), &["APPEND", "swapcheck:t:own", "w"]).await;
    for key in ["swapcheck:t:a", "swapcheck:t:b"] {
        ask(client.as_mut(), &["SET", key, "v"]).await;
        assert!(expiry_of(&server, key).await > 3_000_000, "{key}");
    }
    assert!(expiry_of(&server, "swapcheck:t:own").await <= 100_000);
    scope.finish().await.unwrap();
    target.shutdown().await;
    assert!(everything(&server).await.is_empty());
}

/// Over REST the rules are the same; the expiry is given by a pipeline of its own.
#[tokio::test]
async fn a_guest_over_rest_leaves_nothing_either() {
    let mock = mock_upstash::MockUpstash::builder().start().await.unwrap();
    let journal = tempfile::tempdir().unwrap();
    let url = format!("{}?_token={}", mock.url(), mock.token());
    let target = ready(&url, &options(journal.path())).await;
    assert!(!target.owned);
    assert!(
        !target.description.contains(mock.token()),
        "{}",
        target.description
    );
    let token = swapcheck::target::Secret::new(mock.token());
    let url = Url::parse(&mock.url()).unwrap();
    let mut owner = swapcheck::target::RestConnector::new(&url, token, &Options::default())
        .unwrap()
        .client();
    ask(&mut owner, &["SET", "theirs", "1"]).await;

    let scope = target.scope(PREFIX, KeyExpiry::Guarded);
    let mut client = scope.connector().connect().await.unwrap();
    ask(client.as_mut(), &["SET", "swapcheck:t:a", "1"]).await;
    let batch = [command(&["SADD", "swapcheck:t:b", "m"])];
    client.pipeline(&batch).await.unwrap();
    client.transaction(&batch).await.unwrap();
    assert!(matches!(
        client.command(&command(&["DEL", "theirs"])).await,
        Err(ClientError::Refused(_))
    ));
    let channel = b"swapcheck:t:news".to_vec();
    let mut news = client
        .subscribe(std::slice::from_ref(&channel), false)
        .await
        .unwrap();
    ask(client.as_mut(), &["PUBLISH", "swapcheck:t:news", "hello"]).await;
    let heard = news.next(Duration::from_secs(5)).await.unwrap().unwrap();
    assert_eq!((heard.channel, heard.payload), (channel, b"hello".to_vec()));
    for key in ["swapcheck:t:a", "swapcheck:t:b"] {
        let limit = std::time::Instant::now() + Duration::from_secs(10);
        while ask(&mut owner, &["PTTL", key]).await == Reply::Integer(-1) {
            assert!(
                std::time::Instant::now() < limit,
                "{key} was given no expiry"
            );
        }
    }
    scope.finish().await.unwrap();
    assert_eq!(target.shutdown().await, Vec::<String>::new());
    assert_eq!(ask(&mut owner, &["DBSIZE"]).await, Reply::Integer(1));
    assert_eq!(ask(&mut owner, &["GET", "theirs"]).await, bulk("1"));
}

/// The mock over TCP, whose password is its token.
#[tokio::test]
async fn a_database_is_reached_over_tcp_as_over_rest() {
    let mock = mock_upstash::MockUpstash::builder().start().await.unwrap();
    let journal = tempfile::tempdir().unwrap();
    let redis_url = mock
        .redis_url()
        .expect("the mock speaks the Redis protocol");
    let url = mock.url();
    let environment = swapcheck::target::Environment::of([
        ("UPSTASH_REDIS_REST_URL", url.as_str()),
        ("UPSTASH_REDIS_REST_TOKEN", mock.token()),
        ("UPSTASH_REDIS_URL", redis_url.as_str()),
    ]);
    let options = Options {
        environment,
        ..options(journal.path())
    };
    let rest = ready("upstash", &options).await;
    let tcp = ready("upstash-tcp", &options).await;
    assert!(rest.capabilities().rest && !tcp.capabilities().rest);
    assert!(
        rest.version
            .as_deref()
            .is_some_and(|version| version.starts_with("Upstash "))
    );
    assert_eq!(rest.version, tcp.version);
    let (over_rest, over_tcp) = (
        rest.scope(PREFIX, KeyExpiry::Observed),
        tcp.scope(PREFIX, KeyExpiry::Observed),
    );
    let mut client = over_rest.connector().connect().await.unwrap();
    ask(client.as_mut(), &["SET", "swapcheck:t:k", "\u{ff}"]).await;
    let mut client = over_tcp.connector().connect().await.unwrap();
    assert_eq!(
        ask(client.as_mut(), &["GET", "swapcheck:t:k"]).await,
        bulk("\u{ff}")
    );
    for target in [rest, tcp] {
        target.health().await.unwrap();
        assert_eq!(target.shutdown().await, Vec::<String>::new());
    }
}
