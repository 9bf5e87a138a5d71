//! The Redis protocol over TCP and TLS, against a real server and against what is not one.

use std::time::Duration;

use scenarios::reply::Expressiveness;
use scenarios::{ClientError, Connector, Reply};
use swapcheck::target::{Options, Protocol, TargetError, TcpConnector};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use url::Url;

use super::{ask, bulk, command, ready, refused, says};
use crate::server::RedisServer;

fn connector(url: &str, options: &Options) -> TcpConnector {
    TcpConnector::new(&Url::parse(url).unwrap(), options).unwrap()
}

fn quick() -> Options {
    Options {
        connect_timeout: Duration::from_secs(2),
        reply_timeout: Duration::from_millis(300),
        ..Options::default()
    }
}

#[tokio::test]
async fn replies_arrive_as_the_server_sends_them() {
    let Some(server) = RedisServer::start(&[]) else {
        return;
    };
    let mut client = connector(&server.url(), &Options::default())
        .connect()
        .await
        .unwrap();
    let client = client.as_mut();
    assert_eq!(
        ask(client, &["SET", "k", "v"]).await,
        Reply::Status("OK".to_owned())
    );
    assert_eq!(
        ask(client, &["PING"]).await,
        Reply::Status("PONG".to_owned())
    );
    assert_eq!(ask(client, &["GET", "nil"]).await, Reply::Nil);
    assert_eq!(
        ask(client, &["INCRBY", "n", "9223372036854775807"]).await,
        Reply::Integer(i64::MAX)
    );
    assert_eq!(ask(client, &["HGETALL", "nil"]).await, Reply::Array(vec![]));
    let every_byte: Vec<u8> = (0..=255).collect();
    let set = vec![b"SET".to_vec(), every_byte.clone(), every_byte.clone()];
    assert_eq!(
        client.command(&set).await,
        Ok(Reply::Status("OK".to_owned()))
    );
    let get = vec![b"GET".to_vec(), every_byte.clone()];
    assert_eq!(client.command(&get).await, Ok(Reply::Bulk(every_byte)));
    assert_eq!(
        client.command(&command(&["SET", "", ""])).await,
        Ok(Reply::Status("OK".to_owned()))
    );
    assert_eq!(ask(client, &["GET", ""]).await, bulk(""));
}

/// The texts are those of redis-server 8.0; the scripts raise whatever a text may look like.
#[tokio::test]
async fn error_texts_are_exact() {
    let Some(server) = RedisServer::start(&[]) else {
        return;
    };
    let mut client = connector(&server.url(), &Options::default())
        .connect()
        .await
        .unwrap();
    let client = client.as_mut();
    ask(client, &["SET", "k", "v"]).await;
    let wrongtype = "WRONGTYPE Operation against a key holding the wrong kind of value";
    for (words, text) in [
        (&["LPUSH", "k", "x"][..], wrongtype),
        (
            &["INCR", "k"],
            "ERR value is not an integer or out of range",
        ),
        (&["GET"], "ERR wrong number of arguments for 'get' command"),
        (
            &["EVALSHA", "0", "0"],
            "NOSCRIPT No matching script. Please use EVAL.",
        ),
        (&["EXEC"], "ERR EXEC without MULTI"),
        (
            &[
                "EVAL",
                "return redis.error_reply('MOVED 1 127.0.0.1:1')",
                "0",
            ],
            "MOVED 1 127.0.0.1:1",
        ),
        (
            &[
                "EVAL",
                "return redis.error_reply('READONLY  two  spaces ')",
                "0",
            ],
            "READONLY  two  spaces ",
        ),
        (
            &["EVAL", "return redis.error_reply('MY own')", "0"],
            "MY own",
        ),
        (&["EVAL", "return {err='ALONE'}", "0"], "ALONE"),
    ] {
        assert_eq!(
            ask(client, words).await,
            Reply::Error(text.to_owned()),
            "{words:?}"
        );
    }
    let nested = ask(client, &["EVAL", "return {1, {err='MY own'}, 'a'}", "0"]).await;
    let expected = vec![
        Reply::Integer(1),
        Reply::Error("MY own".to_owned()),
        bulk("a"),
    ];
    assert_eq!(nested, Reply::Array(expected));
    let replies = client
        .pipeline(&[
            command(&["SET", "p", "1"]),
            command(&["LPUSH", "p", "x"]),
            command(&["INCR", "p"]),
        ])
        .await;
    let expected = vec![
        Reply::Status("OK".to_owned()),
        Reply::Error(wrongtype.to_owned()),
        Reply::Integer(2),
    ];
    assert_eq!(replies, Ok(expected));
}

#[tokio::test]
async fn resp3_tells_more_apart() {
    let Some(server) = RedisServer::start(&[]) else {
        return;
    };
    let options = Options {
        protocol: Protocol::Resp3,
        ..Options::default()
    };
    let connector = connector(&server.url(), &options);
    assert_eq!(
        connector.capabilities().expressiveness,
        Expressiveness::Resp3
    );
    let mut client = connector.dial().await.unwrap();
    assert_eq!(client.expressiveness(), Expressiveness::Resp3);
    ask(&mut client, &["HSET", "h", "f", "v"]).await;
    assert_eq!(
        ask(&mut client, &["HGETALL", "h"]).await,
        Reply::Map(vec![(bulk("f"), bulk("v"))])
    );
    ask(&mut client, &["ZADD", "z", "inf", "m"]).await;
    assert_eq!(
        ask(&mut client, &["ZSCORE", "z", "m"]).await,
        Reply::Double(f64::INFINITY)
    );
    ask(&mut client, &["SADD", "s", "m"]).await;
    assert_eq!(
        ask(&mut client, &["SMEMBERS", "s"]).await,
        Reply::Set(vec![bulk("m")])
    );
    assert_eq!(ask(&mut client, &["GET", "nil"]).await, Reply::Nil);
}

#[tokio::test]
async fn transactions_live_on_the_connection() {
    let Some(server) = RedisServer::start(&[]) else {
        return;
    };
    let connector = connector(&server.url(), &Options::default());
    let (mut a, mut b) = (
        connector.connect().await.unwrap(),
        connector.connect().await.unwrap(),
    );
    let set = [command(&["SET", "k", "a"]), command(&["LPUSH", "k", "x"])];
    let Ok(Reply::Array(replies)) = a.transaction(&set).await else {
        panic!("no array")
    };
    assert_eq!(replies[0], Reply::Status("OK".to_owned()));
    assert!(matches!(&replies[1], Reply::Error(text) if text.starts_with("WRONGTYPE ")));

    ask(a.as_mut(), &["WATCH", "k"]).await;
    ask(b.as_mut(), &["SET", "k", "b"]).await;
    assert_eq!(a.transaction(&set).await, Ok(Reply::Nil));

    let discarded = a.transaction(&[command(&["NOSUCHCOMMAND"])]).await;
    let text = "EXECABORT Transaction discarded because of previous errors.";
    assert_eq!(discarded, Ok(Reply::Error(text.to_owned())));
    assert_eq!(ask(a.as_mut(), &["GET", "k"]).await, bulk("b"));
}

#[tokio::test]
async fn messages_arrive_on_a_connection_of_their_own() {
    let Some(server) = RedisServer::start(&[]) else {
        return;
    };
    let mut client = connector(&server.url(), &Options::default())
        .connect()
        .await
        .unwrap();
    let mut exact = client
        .subscribe(&[b"a,\xff".to_vec(), b"b".to_vec()], false)
        .await
        .unwrap();
    let mut pattern = client.subscribe(&[b"b*".to_vec()], true).await.unwrap();
    let publish = vec![b"PUBLISH".to_vec(), b"a,\xff".to_vec(), b"\0\xfe".to_vec()];
    assert_eq!(client.command(&publish).await, Ok(Reply::Integer(1)));
    assert_eq!(
        ask(client.as_mut(), &["PUBLISH", "b", "two"]).await,
        Reply::Integer(2)
    );
    let wait = Duration::from_secs(5);
    let first = exact.next(wait).await.unwrap().unwrap();
    assert_eq!(
        (first.pattern, first.channel, first.payload),
        (None, b"a,\xff".to_vec(), b"\0\xfe".to_vec())
    );
    let second = exact.next(wait).await.unwrap().unwrap();
    assert_eq!(
        (second.channel, second.payload),
        (b"b".to_vec(), b"two".to_vec())
    );
    let matched = pattern.next(wait).await.unwrap().unwrap();
    assert_eq!(matched.pattern, Some(b"b*".to_vec()));
    assert_eq!(matched.channel, b"b".to_vec());
    assert_eq!(exact.next(Duration::ZERO).await, Ok(None));
}

#[tokio::test]
async fn blocking_commands_are_waited_for() {
    let Some(server) = RedisServer::start(&[]) else {
        return;
    };
    // The command blocks for longer than a reply may take.
    let mut client = connector(&server.url(), &quick()).connect().await.unwrap();
    assert_eq!(
        ask(client.as_mut(), &["BLPOP", "q", "0.4"]).await,
        Reply::Nil
    );
    assert_eq!(
        ask(
            client.as_mut(),
            &["XREAD", "BLOCK", "400", "STREAMS", "s", "$"]
        )
        .await,
        Reply::Nil
    );
}

#[tokio::test]
async fn what_would_confuse_replies_is_not_sent() {
    let Some(server) = RedisServer::start(&[]) else {
        return;
    };
    let mut client = connector(&server.url(), &Options::default())
        .connect()
        .await
        .unwrap();
    for words in [
        &["subscribe", "c"][..],
        &["MONITOR"],
        &["CLIENT", "REPLY", "OFF"],
    ] {
        let refused = client.command(&command(words)).await;
        assert!(
            matches!(refused, Err(ClientError::Unsupported(_))),
            "{words:?}: {refused:?}"
        );
    }
    assert!(matches!(
        client.command(&Vec::new()).await,
        Err(ClientError::NotSent(_))
    ));
    assert_eq!(client.pipeline(&[]).await, Ok(Vec::new()));
    assert_eq!(
        ask(client.as_mut(), &["PING"]).await,
        Reply::Status("PONG".to_owned())
    );
}

#[tokio::test]
async fn passwords_are_asked_for_and_checked() {
    let Some(server) = RedisServer::start(&["--requirepass", "s3cr3t/%"]) else {
        return;
    };
    let port = server.port();
    let error = refused(&server.url(), &Options::default()).await;
    assert!(matches!(error, TargetError::Credentials(_)), "{error:?}");
    says(
        &error.to_string(),
        &[
            "refused the connection",
            "put the password into the URL",
            "NOAUTH",
        ],
    );
    let error = refused(
        &format!("redis://:s3cr3t-wrong@127.0.0.1:{port}"),
        &Options::default(),
    )
    .await;
    assert!(matches!(error, TargetError::Credentials(_)), "{error:?}");
    says(
        &error.to_string(),
        &["check the user and the password", "WRONGPASS"],
    );

    let right = format!("redis://default:s3cr3t%2F%25@127.0.0.1:{port}");
    let mut client = connector(&right, &Options::default())
        .connect()
        .await
        .unwrap();
    assert_eq!(
        ask(client.as_mut(), &["PING"]).await,
        Reply::Status("PONG".to_owned())
    );
    client
        .subscribe(&[b"c".to_vec()], false)
        .await
        .map(drop)
        .expect("a subscription logs in too");
}

#[tokio::test]
async fn the_database_of_the_url_is_used() {
    let Some(server) = RedisServer::start(&[]) else {
        return;
    };
    let mut third = connector(&format!("{}/3", server.url()), &Options::default())
        .connect()
        .await
        .unwrap();
    ask(third.as_mut(), &["SET", "k", "v"]).await;
    let mut zeroth = connector(&server.url(), &Options::default())
        .connect()
        .await
        .unwrap();
    assert_eq!(ask(zeroth.as_mut(), &["GET", "k"]).await, Reply::Nil);
    let error = refused(&format!("{}/99", server.url()), &Options::default()).await;
    assert!(error.is_mistake());
    says(&error.to_string(), &["has no database 99", "/0"]);
}

#[tokio::test]
async fn unreachable_servers_are_explained() {
    let port = {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        listener.local_addr().unwrap().port()
    };
    let error = refused(&format!("redis://:s3cr3t@127.0.0.1:{port}"), &quick()).await;
    assert!(matches!(error, TargetError::Unreachable(_)), "{error:?}");
    says(
        &error.to_string(),
        &["nothing listens there", &port.to_string()],
    );
    let error = refused("redis://no-such-host.invalid", &quick()).await;
    says(
        &error.to_string(),
        &["'no-such-host.invalid' could not be found", "spelling"],
    );
}

/// Accepts one connection after the other and answers each with the same bytes; with none, it
/// holds the connection and says nothing.
async fn answering(bytes: &'static [u8]) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        let mut held = Vec::new();
        while let Ok((mut stream, _)) = listener.accept().await {
            let mut request = [0; 64];
            let _ = stream.read(&mut request).await;
            if bytes.is_empty() {
                held.push(stream);
            } else {
                let _ = stream.write_all(bytes).await;
            }
        }
    });
    port
}

#[tokio::test]
async fn servers_of_another_kind_are_recognized() {
    let http = answering(b"HTTP/1.1 400 Bad Request\r\n\r\n").await;
    let error = refused(&format!("redis://127.0.0.1:{http}"), &quick()).await;
    assert!(matches!(error, TargetError::Unreachable(_)), "{error:?}");
    says(
        &error.to_string(),
        &["did not answer as a Redis server does", "if it speaks HTTP"],
    );
    // What a TLS server says to a plain request: an alert.
    let tls = answering(b"\x15\x03\x01\x00\x02\x02\x0a").await;
    let error = refused(&format!("redis://127.0.0.1:{tls}"), &quick()).await;
    says(
        &error.to_string(),
        &["if the server expects TLS, the URL begins with rediss://"],
    );
    let silent = answering(b"").await;
    let error = refused(&format!("redis://127.0.0.1:{silent}"), &quick()).await;
    says(&error.to_string(), &["no reply within 300 ms"]);
}

#[tokio::test]
async fn tls_to_a_plain_port_is_recognized() {
    let Some(server) = RedisServer::start(&[]) else {
        return;
    };
    let hurried = Options {
        connect_timeout: Duration::from_millis(300),
        ..Options::default()
    };
    let http = answering(b"HTTP/1.1 400 Bad Request\r\n\r\n").await;
    for port in [server.port(), http] {
        let error = refused(&format!("rediss://127.0.0.1:{port}"), &hurried).await;
        assert!(matches!(error, TargetError::Unreachable(_)), "{error:?}");
        let parts = [
            "no TLS connection",
            "does not seem to speak TLS",
            "redis://",
        ];
        says(&error.to_string(), &parts);
    }
}

#[tokio::test]
async fn a_lost_connection_leaves_the_outcome_open() {
    let Some(server) = RedisServer::start(&[]) else {
        return;
    };
    let mut client = connector(&server.url(), &Options::default())
        .connect()
        .await
        .unwrap();
    ask(client.as_mut(), &["PING"]).await;
    drop(server);
    let lost = client.command(&command(&["INCR", "n"])).await;
    assert!(
        matches!(&lost, Err(ClientError::OutcomeUnknown(text)) if text.contains("was lost")),
        "{lost:?}"
    );
    let later = client.command(&command(&["INCR", "n"])).await;
    assert!(
        matches!(&later, Err(ClientError::NotSent(text)) if text.contains("lost earlier")),
        "{later:?}"
    );
}

#[tokio::test]
async fn a_server_is_encrypted_with_an_authority_of_ones_own() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    let issued =
        rcgen::generate_simple_self_signed(vec!["127.0.0.1".to_owned(), "localhost".to_owned()])
            .unwrap();
    std::fs::write(at("cert.pem"), issued.cert.pem()).unwrap();
    std::fs::write(at("key.pem"), issued.signing_key.serialize_pem()).unwrap();
    let text = |name: &str| at(name).to_str().unwrap().to_owned();
    let port = std::net::TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap()
        .port()
        .to_string();
    let (cert, key) = (text("cert.pem"), text("key.pem"));
    let tls = [
        "--tls-port",
        &port,
        "--tls-cert-file",
        &cert,
        "--tls-key-file",
        &key,
        "--tls-auth-clients",
        "no",
    ];
    let Some(_server) = RedisServer::start(&tls) else {
        return;
    };
    let url = format!("rediss://localhost:{port}");

    let error = refused(&url, &Options::default()).await;
    says(&error.to_string(), &["no TLS connection", "--ca-file"]);
    let error = refused(&format!("redis://localhost:{port}"), &Options::default()).await;
    says(&error.to_string(), &["rediss://"]);
    let journal_dir = Some(at("journal"));
    let options = Options {
        ca_file: Some(at("cert.pem")),
        journal_dir,
        ..Options::default()
    };
    let target = ready(&url, &options).await;
    assert!(
        target
            .version
            .as_deref()
            .is_some_and(|version| version.starts_with("Redis "))
    );
    target.health().await.unwrap();
    assert_eq!(target.shutdown().await, Vec::<String>::new());
}

#[tokio::test]
async fn a_crowded_server_is_tried_again() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("redis://{}", listener.local_addr().unwrap());
    let serve = tokio::spawn(async move {
        let mut turned_away = 0;
        loop {
            let (mut stream, _) = listener.accept().await.unwrap();
            let mut request = [0; 64];
            let _ = stream.read(&mut request).await;
            if turned_away == 2 {
                stream.write_all(b"+PONG\r\n").await.unwrap();
                return;
            }
            turned_away += 1;
            stream
                .write_all(b"-ERR max number of clients reached\r\n")
                .await
                .unwrap();
        }
    });
    connector(&url, &Options::default())
        .dial()
        .await
        .map(drop)
        .unwrap();
    serve.await.unwrap();
}

#[tokio::test]
async fn a_server_without_resp3_is_spoken_to_in_resp2() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("redis://{}", listener.local_addr().unwrap());
    tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        let mut request = [0; 64];
        for answer in [&b"-ERR unknown command 'HELLO'\r\n"[..], b"+PONG\r\n"] {
            let _ = stream.read(&mut request).await;
            stream.write_all(answer).await.unwrap();
        }
    });
    let options = Options {
        protocol: Protocol::Resp3,
        ..Options::default()
    };
    let connector = connector(&url, &options);
    let client = connector.dial().await.unwrap();
    assert_eq!(client.expressiveness(), Expressiveness::Resp2);
    assert_eq!(
        connector.capabilities().expressiveness,
        Expressiveness::Resp2
    );
}
