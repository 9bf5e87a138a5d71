//! The RESP front, as any Redis client sees it.

use std::time::Duration;

use mock_upstash::MockUpstash;
use redis::AsyncCommands;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

async fn start() -> (MockUpstash, redis::aio::MultiplexedConnection) {
    let mock = MockUpstash::builder().start().await.expect("a free port");
    let url = mock
        .redis_url()
        .expect("the Redis protocol is spoken by default");
    let client = redis::Client::open(url).expect("a valid URL");
    let connection = client
        .get_multiplexed_async_connection()
        .await
        .expect("it connects");
    (mock, connection)
}

#[tokio::test]
async fn values_are_bytes() {
    let (_mock, mut redis) = start().await;
    let bytes = b"\x00\r\n\xff".to_vec();
    let () = redis.set("k", &bytes).await.expect("OK");
    let back: Vec<u8> = redis.get("k").await.expect("the value");
    assert_eq!(back, bytes);
}

#[tokio::test]
async fn a_wrong_password_is_refused() {
    let mock = MockUpstash::builder().start().await.expect("a free port");
    let url = mock
        .redis_url()
        .expect("spoken")
        .replace(mock.token(), "wrong");
    let client = redis::Client::open(url).expect("a valid URL");
    match client.get_multiplexed_async_connection().await {
        Ok(_) => panic!("a wrong password was accepted"),
        Err(error) => assert!(
            error.to_string().contains("Password authentication failed"),
            "{error}"
        ),
    }
}

#[tokio::test]
async fn the_connections_of_a_deleted_user_end() {
    let (mock, mut redis) = start().await;
    let token: String = command(&mut redis, &["ACL", "GENTOKEN"]).await;
    let password = format!(">{token}");
    let rules = ["ACL", "SETUSER", "worker", "on", &password, "~*", "+@all"];
    let done: String = command(&mut redis, &rules).await;
    assert_eq!(done, "OK");
    let address = mock.redis_url().expect("spoken");
    let address = address.rsplit('@').next().expect("an address").to_owned();
    let mut streams = Vec::new();
    for waits in ["PING", "BLPOP queue 0", "SUBSCRIBE news"] {
        let mut stream = TcpStream::connect(&address).await.expect("it listens");
        let sent = format!("AUTH worker {token}\r\n{waits}\r\n");
        stream
            .write_all(sent.as_bytes())
            .await
            .expect("it is there");
        let mut told = [0; 5];
        stream.read_exact(&mut told).await.expect("an answer");
        assert_eq!(&told, b"+OK\r\n");
        streams.push(stream);
    }
    let deleted: i64 = command(&mut redis, &["ACL", "DELUSER", "worker"]).await;
    assert_eq!(deleted, 1);
    for mut stream in streams {
        let mut rest = Vec::new();
        let ended = tokio::time::timeout(Duration::from_secs(20), stream.read_to_end(&mut rest));
        ended.await.expect("it ends").ok();
    }
}

async fn command<T: redis::FromRedisValue>(
    redis: &mut redis::aio::MultiplexedConnection,
    words: &[&str],
) -> T {
    let mut command = redis::cmd(words[0]);
    command.arg(&words[1..]);
    command.query_async(redis).await.expect("a reply")
}

#[tokio::test]
async fn the_read_only_token_is_a_password_of_its_own_user() {
    let mock = MockUpstash::builder().start().await.expect("a free port");
    let url = mock.read_only_redis_url().expect("spoken");
    assert!(url.contains("default_ro:"), "{url}");
    let client = redis::Client::open(url.clone()).expect("a valid URL");
    let mut reader = client
        .get_multiplexed_async_connection()
        .await
        .expect("it connects");
    let read: Option<String> = reader.get("k").await.expect("an answer");
    assert_eq!(read, None);
    let refused = reader.set::<_, _, ()>("k", "v").await.expect_err("refused");
    assert!(refused.to_string().contains("NOPERM") || refused.code() == Some("NOPERM"));
    let other = url.replace("default_ro:", "default:");
    let client = redis::Client::open(other).expect("a valid URL");
    let refused = client.get_multiplexed_async_connection().await.err();
    let refused = refused.expect("refused").to_string();
    assert!(refused.to_lowercase().contains("auth"), "{refused}");
}
