//! A real Redis, and a cluster of them, behind the REST front.

use std::net::{Ipv4Addr, TcpListener};
use std::time::{Duration, Instant};

use mock_upstash::MockUpstash;
use reqwest::{Client, StatusCode};

use crate::rest::{answer, post};
use crate::server::RedisServer;

async fn front(url: &str) -> (MockUpstash, Client) {
    let (_, client) = crate::rest::start().await;
    let front = MockUpstash::builder()
        .upstream(url)
        .start()
        .await
        .expect("a free port");
    (front, client)
}

async fn send(front: &MockUpstash, client: &Client, path: &str, body: &str) -> String {
    answer(post(front, client, path).body(body.to_owned()))
        .await
        .1
}

#[tokio::test]
async fn a_redis_carries_out_what_the_front_admits() {
    let Some(server) = RedisServer::start(&[]) else {
        return;
    };
    let (front, client) = front(&server.url()).await;
    let one = async |body: &str| send(&front, &client, "/", body).await;
    assert_eq!(one(r#"["SET","k","v w"]"#).await, r#"{"result":"OK"}"#);
    assert_eq!(
        one(r#"["EVAL","return {redis.call('GET',KEYS[1]),1.9}",1,"k"]"#).await,
        r#"{"result":["v w",1]}"#
    );
    assert_eq!(
        one(r#"["LPUSH","k","x"]"#).await,
        r#"{"error":"WRONGTYPE Operation against a key holding the wrong kind of value"}"#
    );
    // A transaction is one on the server, too: its commands come in one piece, or not at all.
    let discarded = r#"[["SET","t","1"],["SET","t"]]"#;
    assert_eq!(
        send(&front, &client, "/multi-exec", discarded).await,
        r#"{"error":"ERR wrong number of arguments for 'set' command"}"#
    );
    assert_eq!(one(r#"["EXISTS","t"]"#).await, r#"{"result":0}"#);
    let rows = r#"[["INCR","n"],["LPUSH","k","x"],["INCR","n"]]"#;
    let wrong = r#"{"error":"WRONGTYPE Operation against a key holding the wrong kind of value"}"#;
    assert_eq!(
        send(&front, &client, "/multi-exec", rows).await,
        format!(r#"[{{"result":1}},{wrong},{{"result":2}}]"#)
    );
}

#[tokio::test]
async fn nothing_blocks_a_connection_that_others_share() {
    let Some(server) = RedisServer::start(&[]) else {
        return;
    };
    let read = r#"["XREAD","BLOCK","0","STREAMS","s","$"]"#;
    for (passed_over, text) in [
        (false, "is not allowed in REST"),
        (true, "ERR BLOCK would hold a connection that others share"),
    ] {
        let (_, client) = crate::rest::start().await;
        let front = MockUpstash::builder()
            .upstream(server.url())
            .assume(mock_upstash::Assumption::RestBlockPassedOver, passed_over)
            .start()
            .await
            .expect("a free port");
        let refused = send(&front, &client, "/", read).await;
        assert!(refused.contains(text), "{refused}");
        let plain = r#"["XREAD","STREAMS","s","0"]"#;
        assert_eq!(
            send(&front, &client, "/", plain).await,
            r#"{"result":null}"#
        );
    }
}

#[tokio::test]
async fn a_redis_that_was_away_is_found_again() {
    let Some(server) = RedisServer::start(&[]) else {
        return;
    };
    let (front, client) = front(&server.url()).await;
    assert_eq!(
        send(&front, &client, "/", r#"["SET","k","v"]"#).await,
        r#"{"result":"OK"}"#
    );
    // Every connection of the pool is cut; the next request has to make one anew.
    let mut other = redis(&server).await;
    let cut: i64 = redis::cmd("CLIENT")
        .arg(&["KILL", "TYPE", "normal", "SKIPME", "yes"])
        .query_async(&mut other)
        .await
        .expect("an answer");
    assert!(cut > 0);
    assert_eq!(
        send(&front, &client, "/", r#"["GET","k"]"#).await,
        r#"{"result":"v"}"#
    );
    drop(server);
    let (status, text) = answer(post(&front, &client, "/").body(r#"["GET","k"]"#)).await;
    assert_eq!(status, StatusCode::SERVICE_UNAVAILABLE);
    assert!(text.contains("is not reachable"), "{text}");
}

#[tokio::test]
async fn redirections_of_a_cluster_are_followed() {
    let Some((low, high)) = cluster().await else {
        return;
    };
    let (front, client) = front(&low.url()).await;
    // 'foo' has slot 12182, 'bar' 5061: one on each node.
    let rows = r#"[["SET","foo","1"],["SET","bar","2"],["GET","foo"],["GET","bar"]]"#;
    assert_eq!(
        send(&front, &client, "/pipeline", rows).await,
        r#"[{"result":"OK"},{"result":"OK"},{"result":"1"},{"result":"2"}]"#
    );
    for (server, key) in [(&high, "foo"), (&low, "bar")] {
        let keys: Vec<String> = redis::cmd("KEYS")
            .arg("*")
            .query_async(&mut redis(server).await)
            .await
            .expect("an answer");
        assert_eq!(keys, [key]);
    }
    let transaction = r#"[["INCR","{foo}a"],["INCR","{foo}a"]]"#;
    assert_eq!(
        send(&front, &client, "/multi-exec", transaction).await,
        r#"[{"result":1},{"result":2}]"#
    );
    let across = r#"{"error":"CROSSSLOT Keys in request don't hash to the same slot"}"#;
    assert_eq!(
        send(&front, &client, "/", r#"["MGET","foo","bar"]"#).await,
        across
    );
    let transaction = r#"[["INCR","foo"],["INCR","bar"]]"#;
    assert_eq!(
        send(&front, &client, "/multi-exec", transaction).await,
        across
    );

    // While a slot moves, a key that is not here any more is asked for there.
    let (from, to) = (id(&high).await, id(&low).await);
    for (server, state, node) in [(&low, "IMPORTING", &from), (&high, "MIGRATING", &to)] {
        cluster_command(server, &["SETSLOT", "12182", state, node]).await;
    }
    assert_eq!(
        send(&front, &client, "/", r#"["SET","{foo}new","3"]"#).await,
        r#"{"result":"OK"}"#
    );
    assert_eq!(
        send(&front, &client, "/", r#"["GET","{foo}new"]"#).await,
        r#"{"result":"3"}"#
    );
}

#[tokio::test]
async fn a_cluster_is_one_database() {
    let Some((low, _high)) = cluster().await else {
        return;
    };
    let (front, client) = front(&low.url()).await;
    let one = async |body: &str| send(&front, &client, "/", body).await;
    let rows: Vec<String> = (0..40)
        .map(|i| format!(r#"["SET","k{i}","{i}"]"#))
        .collect();
    // What concerns all nodes keeps its place among what does not.
    let rows = format!(r#"[{},["DBSIZE"],["DEL","k0"]]"#, rows.join(","));
    let replies = send(&front, &client, "/pipeline", &rows).await;
    assert!(
        replies.ends_with(r#"{"result":40},{"result":1}]"#),
        "{replies}"
    );
    let names = |reply: &serde_json::Value| -> Vec<String> {
        let list = reply.as_array().expect("an array").iter();
        list.map(|name| name.as_str().expect("text").to_owned())
            .collect()
    };
    let parse = |text: String| -> serde_json::Value {
        serde_json::from_str::<serde_json::Value>(&text).expect("JSON")["result"].clone()
    };
    let mut want: Vec<String> = (1..40).map(|i| format!("k{i}")).collect();
    want.sort();
    let mut keys = names(&parse(one(r#"["KEYS","*"]"#).await));
    keys.sort();
    assert_eq!(keys, want);
    let (mut scanned, mut cursor) = (Vec::new(), "0".to_owned());
    loop {
        let reply = parse(one(&format!(r#"["SCAN","{cursor}","COUNT",3]"#)).await);
        scanned.extend(names(&reply[1]));
        cursor = reply[0].as_str().expect("a cursor").to_owned();
        if cursor == "0" {
            break;
        }
    }
    scanned.sort();
    scanned.dedup();
    assert_eq!(scanned, want);
    let digest = "e0e1f9fabfc9d4800c877a703b823ac0578ff8db";
    assert_eq!(
        one(r#"["SCRIPT","LOAD","return 1"]"#).await,
        format!(r#"{{"result":"{digest}"}}"#)
    );
    for key in ["foo", "bar"] {
        let called = one(&format!(r#"["EVALSHA","{digest}",1,"{key}"]"#)).await;
        assert_eq!(called, r#"{"result":1}"#, "{key}");
    }
    assert_eq!(one(r#"["FLUSHALL"]"#).await, r#"{"result":"OK"}"#);
    assert_eq!(one(r#"["DBSIZE"]"#).await, r#"{"result":0}"#);
}

async fn redis(server: &RedisServer) -> redis::aio::MultiplexedConnection {
    redis::Client::open(server.url())
        .expect("a URL")
        .get_multiplexed_async_connection()
        .await
        .expect("a connection")
}

async fn cluster_command(server: &RedisServer, arguments: &[&str]) -> String {
    redis::cmd("CLUSTER")
        .arg(arguments)
        .query_async(&mut redis(server).await)
        .await
        .expect("an answer")
}

async fn id(server: &RedisServer) -> String {
    cluster_command(server, &["MYID"]).await
}

/// A cluster of two: the first has the lower half of the slots.
async fn cluster() -> Option<(RedisServer, RedisServer)> {
    let [low_bus, high_bus] = [free_port(), free_port()];
    let start = |bus: &str| {
        let options = ["--cluster-enabled", "yes", "--cluster-port", bus];
        RedisServer::start(&options)
    };
    let (low, high) = (start(&low_bus)?, start(&high_bus)?);
    cluster_command(&low, &["ADDSLOTSRANGE", "0", "8191"]).await;
    cluster_command(&high, &["ADDSLOTSRANGE", "8192", "16383"]).await;
    let port = high.port().to_string();
    cluster_command(&low, &["MEET", "127.0.0.1", &port, &high_bus]).await;
    let begun = Instant::now();
    for server in [&low, &high] {
        while !cluster_command(server, &["INFO"])
            .await
            .starts_with("cluster_state:ok")
        {
            assert!(begun.elapsed() < Duration::from_secs(30), "no cluster");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }
    Some((low, high))
}

fn free_port() -> String {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a free port");
    listener.local_addr().expect("bound").port().to_string()
}
