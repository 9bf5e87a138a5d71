//! Payloads between the engine and real servers.

use redis_engine::session::Protocol;

use super::sample::{Line, line, makers, old_bodies, sealed, with};
use crate::differential::Peer;
use crate::differential::reference::{Connection, Server};
use crate::differential::wire::Wire;

/// The command that shows what is under a key.
fn look(kind: &str, key: &str) -> Line {
    match kind {
        "string" => line(&format!("GET {key}")),
        "list" => line(&format!("LRANGE {key} 0 -1")),
        "set" => line(&format!("SMEMBERS {key}")),
        "hash" => line(&format!("HGETALL {key}")),
        "zset" => line(&format!("ZRANGE {key} 0 -1 WITHSCORES")),
        _ => line(&format!("XRANGE {key} - +")),
    }
}

/// What a look showed, without an order where there is none.
fn sorted(kind: &str, shown: Wire) -> Wire {
    match (kind, shown) {
        ("set", Wire::Array(mut members)) => {
            members.sort();
            Wire::Array(members)
        }
        ("hash", Wire::Array(flat)) => {
            let mut pairs: Vec<Wire> = flat
                .chunks(2)
                .map(|pair| Wire::Array(pair.into()))
                .collect();
            pairs.sort();
            Wire::Array(pairs)
        }
        (_, shown) => shown,
    }
}

fn run(server: &mut Connection, command: Line) -> Wire {
    let replies = server.run_all(std::slice::from_ref(&command));
    let reply = replies.ok().and_then(|mut replies| replies.pop());
    reply.unwrap_or_else(|| panic!("no answer to {command:?}"))
}

fn text(reply: Wire) -> String {
    match reply {
        Wire::Status(text) | Wire::Bulk(text) => String::from_utf8_lossy(&text).into_owned(),
        other => panic!("no text: {}", other.show()),
    }
}

/// Brings every key of the server into the engine and back under another name, and compares; with
/// `stock` settings the server's choice of encoding too. Answers the encodings it met.
fn there_and_back(server: &mut Connection, stock: bool) -> Vec<u8> {
    let mut engine = Peer::new(Protocol::Resp2);
    let mut encodings = Vec::new();
    let Wire::Array(keys) = server.run("KEYS *") else {
        panic!("no keys");
    };
    for key in keys {
        let key = text(key);
        let kind = text(server.run(&format!("TYPE {key}")));
        let Wire::Bulk(payload) = server.run(&format!("DUMP {key}")) else {
            panic!("no payload for {key}");
        };
        encodings.push(payload[0]);
        let reply = engine.run(&with(&format!("RESTORE {key} 0"), [payload]));
        assert_eq!(reply, Wire::Status(b"OK".into()), "{key} into the engine");
        assert_eq!(
            sorted(&kind, engine.run(&look(&kind, &key))),
            sorted(&kind, run(server, look(&kind, &key))),
            "{key}"
        );

        let Wire::Bulk(payload) = engine.run(&line(&format!("DUMP {key}"))) else {
            panic!("no payload for {key}");
        };
        let reply = run(server, with("RESTORE back 0", [payload, b"REPLACE".into()]));
        assert_eq!(reply, Wire::Status(b"OK".into()), "{key} into the server");
        assert_eq!(
            server.run("DEBUG DIGEST-VALUE back"),
            server.run(&format!("DEBUG DIGEST-VALUE {key}")),
            "{key} came back another"
        );
        if stock {
            assert_eq!(
                server.run("OBJECT ENCODING back"),
                server.run(&format!("OBJECT ENCODING {key}")),
                "{key}"
            );
        }
        let again = match &*kind {
            "stream" => ["XINFO STREAM", "FULL COUNT 0"],
            // Fields expire since 7.4.
            "hash" if key == "hash-expiring" => ["HPEXPIRETIME", "FIELDS 4 a b c d"],
            _ => continue,
        };
        let [before, behind] = again;
        if let unknown @ Wire::Error(_) = server.run(&format!("{before} {key} {behind}")) {
            assert!(
                unknown.show().contains("unknown command"),
                "{}",
                unknown.show()
            );
            continue;
        }
        assert_eq!(
            server.run(&format!("{before} back {behind}")),
            server.run(&format!("{before} {key} {behind}")),
            "{key}"
        );
    }
    encodings.sort_unstable();
    encodings.dedup();
    encodings
}

#[test]
fn every_encoding_of_real_servers_comes_in_and_goes_back() {
    for server in Server::start_versions() {
        let mut server = server.connect();
        let packed = |server: &mut Connection, entries: u32, bytes: u32| {
            for kind in ["hash", "zset"] {
                server.run(&format!("CONFIG SET {kind}-max-listpack-entries {entries}"));
                server.run(&format!("CONFIG SET {kind}-max-listpack-value {bytes}"));
            }
            server.run(&format!("CONFIG SET set-max-listpack-entries {entries}"));
            server.run(&format!("CONFIG SET set-max-listpack-value {bytes}"));
        };
        let mut encodings = Vec::new();
        for (entries, bytes, list_size) in [(128, 64, -2), (0, 0, 1), (100_000, 100_000, -5)] {
            server.run("FLUSHALL");
            packed(&mut server, entries, bytes);
            server.run(&format!("CONFIG SET list-max-listpack-size {list_size}"));
            server.run(&format!(
                "CONFIG SET stream-node-max-entries {}",
                entries.max(2)
            ));
            server.run_all(&makers()).expect("the server answers");
            encodings.extend(there_and_back(&mut server, entries == 128));
        }
        // Strings, hash tables, skip lists, integer sets, packed hashes and sorted sets, quicklists.
        for encoding in [0, 2, 4, 5, 11, 16, 17, 18] {
            assert!(
                encodings.contains(&encoding),
                "no payload of encoding {encoding}"
            );
        }
        // Hashes whose fields expire, packed and not, where the server has them.
        assert_eq!(encodings.contains(&24), encodings.contains(&25));
        // The stream's encoding of 7.0, 7.2, 8.6 or 8.10.
        let streams = [19, 21, 26, 27];
        assert!(streams.iter().any(|kind| encodings.contains(kind)));
    }
}

#[test]
fn old_encodings_are_read_as_servers_read_them() {
    for server in Server::start_versions() {
        let mut server = server.connect();
        let mut engine = Peer::new(Protocol::Resp2);
        for (kind, body) in old_bodies() {
            let restore = with("RESTORE k 0", [sealed(&body, 9), b"REPLACE".into()]);
            assert_eq!(
                engine.run(&restore),
                run(&mut server, restore),
                "{}",
                body.escape_ascii()
            );
            assert_eq!(
                sorted(kind, engine.run(&look(kind, "k"))),
                sorted(kind, run(&mut server, look(kind, "k"))),
                "{}",
                body.escape_ascii()
            );
        }
    }
}

#[test]
fn checks_come_in_the_order_of_redis() {
    let server = Server::start();
    let mut server = server.connect();
    let mut engine = Peer::new(Protocol::Resp2);
    let good = sealed(b"\x00\x01v", 10);
    let mut cases: Vec<Line> = Vec::new();
    let payloads = [
        good.clone(),
        sealed(b"\x00\x01v", 999),
        sealed(b"\x00\x3fv", 10),
        sealed(b"\x63", 10),
        sealed(b"\x04\x00", 10),
        sealed(b"", 10),
        b"short".to_vec(),
        b"not quite a payload".to_vec(),
        vec![],
    ];
    let options = [
        "",
        "REPLACE",
        "replace absttl",
        "FREQ 3",
        "FREQ 256",
        "FREQ -1",
        "FREQ x",
        "FREQ",
        "IDLETIME 1",
        "IDLETIME -1",
        "IDLETIME x",
        "IDLETIME",
        "IDLETIME 1 FREQ 1",
        "FREQ 1 IDLETIME 1",
        "NONSENSE",
        "ABSTTL ABSTTL REPLACE",
        "FREQ 1 FREQ 2",
    ];
    for payload in &payloads {
        for ttl in [
            "0",
            "100000",
            "-1",
            "x",
            "9223372036854775807",
            "9223372036854775808",
        ] {
            for option in options {
                for key in ["taken", "free"] {
                    cases.push(line("DEL taken free"));
                    cases.push(line("SET taken 1"));
                    let mut command = with("RESTORE", [key.into(), ttl.into(), payload.clone()]);
                    if !option.is_empty() {
                        command.extend(line(option));
                    }
                    cases.push(command);
                    cases.push(line("GET taken"));
                    cases.push(line("GET free"));
                }
            }
        }
    }
    cases.push(line("RESTORE a 0"));
    cases.push(line("DUMP"));
    cases.push(line("DUMP missing"));
    let expected = server.run_all(&cases).expect("the server answers");
    for (case, expected) in cases.iter().zip(expected) {
        let shown: Vec<String> = case
            .iter()
            .map(|arg| arg.escape_ascii().to_string())
            .collect();
        assert_eq!(engine.run(case), expected, "{}", shown.join(" "));
    }
}
