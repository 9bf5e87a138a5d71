//! The read-only token changes nothing, whatever is tried with it.

use mock_upstash::{Assumption, MockUpstash};
use redis_engine::command::{self, Command, Flags};
use reqwest::Client;

use crate::rest::{answer, post, start};

/// Every command that has a handler, subcommands by their own rows.
fn rows() -> impl Iterator<Item = &'static Command> {
    command::all().flat_map(|row| match row.subcommands {
        [] => std::slice::from_ref(row).iter(),
        subcommands => subcommands.iter(),
    })
}

/// A call with as many arguments as the command takes, all keys that exist.
fn call(row: &Command, key: &str) -> Vec<String> {
    let mut words: Vec<String> = row.name.split(' ').map(str::to_owned).collect();
    let wanted = usize::from(row.arity.unsigned_abs()).max(words.len());
    while words.len() < wanted {
        words.push(if words.len() == 1 {
            key.to_owned()
        } else {
            "1".to_owned()
        });
    }
    words
}

async fn dump(mock: &MockUpstash, client: &Client) -> Vec<String> {
    let mut all = Vec::new();
    for read in [
        "/get/string",
        "/pttl/string",
        "/lrange/list/0/-1",
        "/hgetall/hash",
        "/smembers/set",
        "/zrange/zset/0/-1/withscores",
        "/dbsize",
        "/acl/list",
    ] {
        all.push(answer(post(mock, client, read)).await.1);
    }
    all
}

#[tokio::test]
async fn no_command_of_the_table_changes_anything() {
    let (mock, client) = start().await;
    mock.freeze();
    for write in [
        "/set/string/1/ex/1000",
        "/rpush/list/a/b/c",
        "/hset/hash/f/1",
        "/sadd/set/1/2",
        "/zadd/zset/1/a/2/b",
    ] {
        answer(post(&mock, &client, write)).await;
    }
    let before = dump(&mock, &client).await;
    let read_only = |path: &str, body: String| {
        client
            .post(format!("{}{path}", mock.url()))
            .bearer_auth(mock.read_only_token())
            .body(body)
    };
    let mut refused = 0;
    for row in rows() {
        for key in ["string", "list", "hash", "set", "zset"] {
            let json = serde_json::to_string(&call(row, key)).expect("JSON");
            let (_, alone) = answer(read_only("/", json.clone())).await;
            if row.flags.contains(Flags::WRITE) {
                assert!(alone.contains(r#""error":"#), "{json}: {alone}");
                refused += usize::from(alone.contains("NOPERM"));
            }
            answer(read_only("/pipeline", format!("[{json},{json}]"))).await;
            answer(read_only("/multi-exec", format!("[[\"PING\"],{json}]"))).await;
            let script = "return redis.call(unpack(ARGV))";
            for eval in ["EVAL", "EVAL_RO"] {
                let mut words = vec![eval.to_owned(), script.to_owned(), "0".to_owned()];
                words.extend(call(row, key));
                let json = serde_json::to_string(&words).expect("JSON");
                answer(read_only("/", json)).await;
            }
        }
        assert_eq!(dump(&mock, &client).await, before, "{}", row.name);
    }
    assert!(refused > 300, "{refused} refusals for want of permission");
}

#[tokio::test]
async fn what_walks_all_keys_is_refused_too() {
    let (mock, client) = start().await;
    for path in ["/keys/*", "/scan/0"] {
        let request = client
            .get(format!("{}{path}", mock.url()))
            .bearer_auth(mock.read_only_token());
        let (_, text) = answer(request).await;
        assert!(
            text.contains("NOPERM this user has no permissions to run the '"),
            "{path}: {text}"
        );
    }
}

#[tokio::test]
async fn whether_scripts_that_only_read_are_allowed_is_an_assumption() {
    let (allowing, client) = start().await;
    let builder = MockUpstash::builder().assume(Assumption::ReadOnlyScriptsRefused, true);
    let refusing = builder.start().await.expect("a free port");
    let body = r#"["EVAL_RO","return 1","0"]"#;
    let ask = |mock: &MockUpstash| {
        let request = client.post(mock.url()).bearer_auth(mock.read_only_token());
        answer(request.body(body))
    };
    assert_eq!(ask(&allowing).await.1, r#"{"result":1}"#);
    let refusal = r#"{"error":"NOPERM this user has no permissions to run the 'eval_ro' command or its subcommand"}"#;
    assert_eq!(ask(&refusing).await.1, refusal);
    refusing.reset();
    assert_eq!(ask(&refusing).await.1, refusal);
}

#[tokio::test]
async fn of_what_neither_reads_nor_writes_either_half_may_be_allowed() {
    let (mock, client) = start().await;
    let builder = MockUpstash::builder().assume(Assumption::ReadOnlyOthersSwapped, true);
    let swapped = builder.start().await.expect("a free port");
    let ask = async |mock: &MockUpstash, path: &str| {
        let request = client.post(format!("{}{path}", mock.url()));
        let request = request.bearer_auth(mock.read_only_token());
        request.send().await.expect("an answer").status()
    };
    for (path, allowed) in [
        ("/select/0", true),
        ("/pubsub/channels", true),
        ("/command", true),
        ("/info", true),
        ("/wait/0/0", false),
        ("/waitaof/0/0/0", false),
        ("/subscribe/c", false),
        ("/psubscribe/c*", false),
    ] {
        assert_eq!(ask(&mock, path).await == 200, allowed, "{path}");
        assert_eq!(ask(&swapped, path).await == 200, !allowed, "{path}");
    }
    // What is known stays.
    for mock in [&mock, &swapped] {
        assert_eq!(ask(mock, "/get/k").await, 200);
        assert_eq!(ask(mock, "/set/k/v").await, 400);
    }
}
