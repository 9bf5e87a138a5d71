//! The RESP front, as any Redis client sees it.

use mock_upstash::MockUpstash;
use redis::AsyncCommands;

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
