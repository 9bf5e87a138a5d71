//! A replica that trails: what it shows and when, whom it serves, what a failover loses.

use std::time::Duration;

use bytes::Bytes;
use proptest::prelude::*;
use redis_engine::{ClientId, Connect, Reply};

use crate::testing::{Bench, show};

const LAG_MS: u64 = 50;

/// An engine with a replica, and a reader that has seen nothing yet.
struct Nodes {
    bench: Bench,
    reader: ClientId,
}

impl Nodes {
    fn new() -> Nodes {
        let mut bench = Bench::upstash();
        bench.engine.set_replica_lag(Duration::from_millis(LAG_MS));
        let reader = bench.engine.connect(Connect::default());
        Nodes { bench, reader }
    }

    /// Runs a command as the writer.
    fn write(&mut self, line: &str) -> String {
        self.bench.show(line)
    }

    /// Runs a command as a client that has seen nothing.
    fn read(&mut self, line: &str) -> String {
        let args: Vec<Bytes> = line
            .split(' ')
            .map(|word| Bytes::copy_from_slice(word.as_bytes()))
            .collect();
        self.bench.engine.session_mut(self.reader).seen = 0;
        show(&self.bench.engine.execute(self.reader, &args))
    }
}

#[test]
fn a_read_is_stale_until_the_clock_has_moved_by_the_lag() {
    let mut nodes = Nodes::new();
    nodes.write("SET k 1");
    assert_eq!(nodes.read("GET k"), "nil");
    nodes.bench.advance_ms(LAG_MS - 1);
    assert_eq!(nodes.read("GET k"), "nil");
    nodes.write("SET k 2");
    nodes.bench.advance_ms(1);
    assert_eq!(nodes.read("GET k"), "\"1\"");
    nodes.bench.advance_ms(LAG_MS);
    assert_eq!(nodes.read("GET k"), "\"2\"");
    nodes.write("DEL k");
    assert_eq!(nodes.read("DBSIZE"), "1");
    nodes.bench.advance_ms(LAG_MS);
    assert_eq!(nodes.read("DBSIZE"), "0");
}

#[test]
fn a_connection_reads_its_own_writes_and_never_goes_back() {
    let mut nodes = Nodes::new();
    nodes.write("RPUSH l a");
    assert_eq!(nodes.write("LRANGE l 0 -1"), r#"["a"]"#);
    // What it has seen of others' writes, it goes on seeing.
    let other = nodes.bench.engine.connect(Connect::default());
    let push = ["RPUSH", "l", "b"].map(|word| Bytes::from_static(word.as_bytes()));
    nodes.bench.engine.execute(other, &push);
    assert_eq!(nodes.write("LLEN l"), "2");
    nodes.bench.advance_ms(LAG_MS);
    assert_eq!(nodes.write("LLEN l"), "2");
    assert_eq!(nodes.read("LLEN l"), "2");
}

#[test]
fn changes_that_move_no_key_count_too() {
    let mut nodes = Nodes::new();
    nodes.write("XADD s 1-1 f v");
    nodes.write("XGROUP CREATE s g 0");
    nodes.bench.advance_ms(LAG_MS);
    nodes.write("XREADGROUP GROUP g c COUNT 1 STREAMS s >");
    nodes.write("XACK s g 1-1");
    assert_eq!(nodes.write("XPENDING s g"), "[0, nil, nil, nil]");
    nodes.bench.advance_ms(LAG_MS);
    assert_eq!(nodes.read("XPENDING s g"), "[0, nil, nil, nil]");
}

#[test]
fn transactions_and_writing_scripts_are_the_primarys() {
    let mut nodes = Nodes::new();
    nodes.write("SET k 1");
    assert_eq!(nodes.read("MULTI"), "OK");
    assert_eq!(nodes.read("GET k"), "QUEUED");
    assert_eq!(nodes.read("EXEC"), r#"["1"]"#);
    let get = |script: &[u8]| -> Vec<Bytes> {
        [b"EVAL".as_slice(), script, b"1", b"k"]
            .map(Bytes::copy_from_slice)
            .to_vec()
    };
    let script = get(b"return redis.call('GET', KEYS[1])");
    nodes.bench.engine.session_mut(nodes.reader).seen = 0;
    let reply = nodes.bench.engine.execute(nodes.reader, &script);
    assert_eq!(reply, Reply::bulk("1"));
    nodes.bench.engine.session_mut(nodes.reader).seen = 0;
    let many = [vec![Bytes::from_static(b"GET"), Bytes::from_static(b"k")]];
    let reader = nodes.reader;
    let replies = nodes.bench.engine.transaction(reader, &many);
    assert_eq!(replies, Ok(vec![Reply::bulk("1")]));
    nodes.bench.engine.let_replica_serve_transactions(true);
    nodes.bench.engine.session_mut(nodes.reader).seen = 0;
    let replies = nodes.bench.engine.transaction(reader, &many);
    assert_eq!(replies, Ok(vec![Reply::Nil]));
}

#[test]
fn who_watches_reads_what_it_watches() {
    let mut nodes = Nodes::new();
    nodes.write("SET k 1");
    nodes.bench.engine.session_mut(nodes.reader).seen = 0;
    let reader = nodes.reader;
    let mut run = |line: &str| {
        let args: Vec<Bytes> = line
            .split(' ')
            .map(|word| Bytes::from(word.to_owned()))
            .collect();
        show(&nodes.bench.engine.execute(reader, &args))
    };
    assert_eq!(run("GET k"), "nil");
    assert_eq!(run("WATCH k"), "OK");
    assert_eq!(run("GET k"), "\"1\"");
}

#[test]
fn a_script_takes_as_long_to_the_replica_as_data() {
    let mut nodes = Nodes::new();
    let load = [b"SCRIPT".as_slice(), b"LOAD", b"return 7"];
    let sha = show(&nodes.bench.run_args(&load));
    let call = format!("EVALSHA_RO {} 0", sha.trim_matches('"'));
    let missing = "(error) NOSCRIPT No matching script. Please use EVAL.";
    assert_eq!(nodes.write(&call), missing);
    assert_eq!(nodes.write(&call.replace("_RO", "")), "7");
    nodes.bench.advance_ms(LAG_MS);
    assert_eq!(nodes.write(&call), "7");
    nodes.write("SCRIPT FLUSH");
    assert_eq!(nodes.read(&call), "7");
    nodes.bench.advance_ms(LAG_MS);
    assert_eq!(nodes.read(&call), missing);
    nodes.bench.engine.count_scripts_as_changes(true);
    nodes.bench.run_args(&load);
    assert_eq!(nodes.write(&call), "7");
    assert_eq!(nodes.read(&call), missing);
}

#[test]
fn a_library_takes_as_long_to_the_replica_as_data() {
    let mut nodes = Nodes::new();
    let code = b"#!lua name=lib\nredis.register_function{function_name='f', flags={'no-writes'}, callback=function(k) return redis.call('GET', k[1]) end}";
    nodes.write("SET k v");
    nodes.bench.advance_ms(LAG_MS);
    nodes.bench.run_args(&[b"FUNCTION", b"LOAD", code]);
    assert_eq!(
        nodes.read("FCALL_RO f 1 k"),
        "(error) ERR Function not found"
    );
    nodes.bench.advance_ms(LAG_MS);
    assert_eq!(nodes.read("FCALL_RO f 1 k"), "\"v\"");
    nodes.write("SET k w");
    assert_eq!(nodes.read("FCALL_RO f 1 k"), "\"v\"");
    nodes.write("FUNCTION DELETE lib");
    nodes.bench.engine.failover();
    assert_eq!(nodes.read("FCALL f 1 k"), "\"v\"");
    assert_eq!(nodes.read("FCALL_RO f 1 k"), "\"v\"");
}

#[test]
fn keys_and_fields_expire_on_the_replica_by_the_clock() {
    let mut nodes = Nodes::new();
    nodes.write("SET k v PX 100");
    nodes.write("HSET h f 1 g 2");
    nodes.write("HPEXPIRE h 100 FIELDS 1 f");
    nodes.bench.advance_ms(LAG_MS);
    assert_eq!(nodes.read("PTTL k"), "50");
    nodes.write("PEXPIRE k 1000");
    nodes.bench.advance_ms(51);
    assert_eq!(nodes.read("HKEYS h"), r#"["g"]"#);
    // The longer life is known to the replica by now.
    assert_eq!(nodes.read("PTTL k"), "949");
}

#[test]
fn a_failover_loses_what_was_not_replicated() {
    let mut nodes = Nodes::new();
    nodes.write("SET k old");
    nodes.write("RPUSH l a");
    nodes.bench.advance_ms(LAG_MS);
    nodes.write("SET k new");
    nodes.write("DEL l");
    nodes.write("SET m 1");
    nodes.bench.run_args(&[b"SCRIPT", b"LOAD", b"return 1"]);
    assert_eq!(nodes.bench.engine.replica_behind(), 3);
    assert_eq!(nodes.bench.engine.failover(), 3);
    assert_eq!(nodes.write("GET k"), "\"old\"");
    assert_eq!(nodes.write("LRANGE l 0 -1"), r#"["a"]"#);
    assert_eq!(nodes.write("EXISTS m"), "0");
    let sha = "e0e1f9fabfc9d4800c877a703b823ac0578ff8db";
    assert_eq!(nodes.write(&format!("SCRIPT EXISTS {sha}")), "[0]");
    // A new replica has what is left, and trails again.
    assert_eq!(nodes.read("GET k"), "\"old\"");
    nodes.write("SET k newer");
    assert_eq!(nodes.read("GET k"), "\"old\"");
    nodes.bench.advance_ms(LAG_MS);
    assert_eq!(nodes.read("GET k"), "\"newer\"");
    assert_eq!(nodes.bench.engine.failover(), 0);
}

#[test]
fn a_failover_breaks_watches_of_keys_that_it_changes() {
    let mut nodes = Nodes::new();
    nodes.write("SET k old");
    nodes.write("SET other 1");
    nodes.bench.advance_ms(LAG_MS);
    nodes.write("SET k new");
    for (key, expected) in [("k", "nil"), ("other", "[OK]")] {
        nodes.write(&format!("WATCH {key}"));
        if key == "k" {
            nodes.bench.engine.failover();
        }
        nodes.write("MULTI");
        nodes.write("SET done 1");
        assert_eq!(nodes.write("EXEC"), expected, "{key}");
    }
}

#[test]
fn info_comes_from_each_node_in_turn() {
    let mut nodes = Nodes::new();
    for i in 0..10 {
        nodes.write(&format!("SET k{i} v"));
    }
    let mut processed = || {
        let text = nodes.read("INFO stats");
        let at = text.find("total_commands_processed:").expect("a field") + 25;
        text[at..]
            .split('\\')
            .next()
            .and_then(|n| n.parse::<u64>().ok())
    };
    let first = processed().expect("a number");
    let second = processed().expect("a number");
    let third = processed().expect("a number");
    assert!(
        first >= 10 && second < 5 && third >= first,
        "{first} {second} {third}"
    );
}

#[test]
fn info_names_the_node_that_answers() {
    let mut nodes = Nodes::new();
    let first = nodes.read("INFO cluster");
    let second = nodes.read("INFO cluster");
    assert!(first.contains("local_member:node-1") && first.contains("primary_member:node-1"));
    assert!(second.contains("local_member:node-2") && second.contains("primary_member:node-1"));
}

#[test]
fn wait_makes_the_replica_catch_up() {
    let mut nodes = Nodes::new();
    nodes.write("SET k v");
    assert_eq!(nodes.write("WAIT 1 0"), "1");
    assert_eq!(nodes.read("GET k"), "\"v\"");
    nodes.bench.engine.set_replica_lag(Duration::ZERO);
    assert_eq!(nodes.bench.engine.replica_lag(), Duration::ZERO);
    nodes.write("SET k w");
    assert_eq!(nodes.read("GET k"), "\"w\"");
}

#[test]
fn whoever_was_woken_by_a_write_has_seen_it() {
    let mut nodes = Nodes::new();
    assert_eq!(nodes.read("BLPOP l 0"), "none");
    nodes.write("RPUSH l a b");
    let reader = nodes.reader;
    let llen = ["LLEN", "l"].map(|word| Bytes::from_static(word.as_bytes()));
    assert_eq!(nodes.bench.engine.execute(reader, &llen), Reply::Integer(1));
    assert_eq!(nodes.read("LLEN l"), "0");
}

/// Commands whose effect depends on chance, on time, or on a script.
const LINES: &[&str] = &[
    "SET a 1",
    "SET b 2 PX 70",
    "INCR a",
    "RPUSH l x y z",
    "LPOP l",
    "SADD s 1 2 3 4 5 6 7 8",
    "SPOP s 2",
    "XADD x * f v",
    "XTRIM x MAXLEN 2",
    "HSET h f 1 g 2",
    "HPEXPIRE h 60 FIELDS 1 f",
    "ZADD z 1 a 2 b",
    "ZPOPMIN z",
    "JSON.SET j $ {\"n\":1}",
    "JSON.NUMINCRBY j $.n 2",
    "EVAL redis.call('SET',KEYS[1],redis.call('TIME')[2]) 1 t",
    "EVAL redis.call('SET',KEYS[1],'lost');error('x') 1 u",
    "RENAME a c",
    "COPY c d REPLACE",
    "FLUSHALL",
    "PERSIST b",
    "SETBIT bits 7 1",
    "PFADD p a b c",
];

const READS: &[&str] = &[
    "GET a",
    "GET b",
    "PTTL b",
    "LRANGE l 0 -1",
    "SMEMBERS s",
    "XRANGE x - +",
    "HGETALL h",
    "ZRANGE z 0 -1 WITHSCORES",
    "JSON.GET j",
    "GET t",
    "GET u",
    "GET c",
    "GET d",
    "DBSIZE",
    "GET bits",
    "PFCOUNT p",
];

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// What the replica shows at an instant is what the primary showed a lag before; and the same
    /// requests at the same instants get the same replies.
    #[test]
    fn the_replica_is_the_primary_a_lag_ago(
        steps in prop::collection::vec((0..LINES.len(), 0_u64..3), 1..40)
    ) {
        let history = |nodes: &mut Nodes| {
            let mut all = Vec::new();
            for (line, pause) in &steps {
                // A line's script has no spaces, so a line is its words.
                all.push(nodes.write(LINES[*line]));
                nodes.bench.advance_ms(pause * 20);
                all.extend(READS.iter().map(|read| nodes.read(read)));
            }
            all
        };
        let (mut one, mut other) = (Nodes::new(), Nodes::new());
        prop_assert_eq!(history(&mut one), history(&mut other));
        one.bench.advance_ms(LAG_MS);
        for read in READS {
            let primary = one.write(read);
            prop_assert_eq!(one.read(read), primary, "{}", read);
        }
    }
}
