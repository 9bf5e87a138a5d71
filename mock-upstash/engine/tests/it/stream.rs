//! Streams.

use redis_engine::{Dialect, Quirk};

use crate::testing::Bench;

#[test]
fn ids_grow_with_the_clock_and_never_go_back() {
    let mut bench = Bench::redis();
    assert_eq!(bench.show("XADD s * a 1"), r#""1700000000000-0""#);
    assert_eq!(bench.show("XADD s * a 2"), r#""1700000000000-1""#);
    bench.advance_ms(5);
    assert_eq!(bench.show("XADD s * a 3"), r#""1700000000005-0""#);
    assert_eq!(
        bench.show("XADD s 1700000000005-* a 4"),
        r#""1700000000005-1""#
    );
    assert_eq!(
        bench.show("XADD s 1-1 a 5"),
        "(error) ERR The ID specified in XADD is equal or smaller than the target stream top item"
    );
    assert_eq!(
        bench.show("XRANGE s (1700000000000-1 + COUNT 1"),
        r#"[["1700000000005-0", ["a", "3"]]]"#
    );
    assert_eq!(
        bench.show("XREVRANGE s + - COUNT 1"),
        r#"[["1700000000005-1", ["a", "4"]]]"#
    );
    assert_eq!(bench.show("XADD missing NOMKSTREAM * a 1"), "nil");
}

#[test]
fn a_group_delivers_each_entry_once_until_it_is_acknowledged() {
    let mut bench = Bench::redis();
    for n in 1..=3 {
        bench.run(&format!("XADD s {n}-0 n {n}"));
    }
    assert_eq!(bench.show("XGROUP CREATE s g 0"), "OK");
    assert_eq!(
        bench.show("XREADGROUP GROUP g alice COUNT 2 STREAMS s >"),
        r#"[["s", [["1-0", ["n", "1"]], ["2-0", ["n", "2"]]]]]"#
    );
    assert_eq!(
        bench.show("XREADGROUP GROUP g bob STREAMS s >"),
        r#"[["s", [["3-0", ["n", "3"]]]]]"#
    );
    assert_eq!(bench.show("XREADGROUP GROUP g bob STREAMS s >"), "nil");
    assert_eq!(bench.show("XACK s g 1-0 9-9"), "1");
    assert_eq!(
        bench.show("XPENDING s g"),
        r#"[2, "2-0", "3-0", [["alice", "1"], ["bob", "1"]]]"#
    );
    bench.advance_ms(1000);
    assert_eq!(
        bench.show("XPENDING s g IDLE 1000 - + 10 alice"),
        r#"[["2-0", "alice", 1000, 1]]"#
    );
    assert_eq!(bench.show("XPENDING s g IDLE 1001 - + 10"), "[]");
    assert_eq!(
        bench.show("XAUTOCLAIM s g bob 1000 0 COUNT 1"),
        r#"["3-0", [["2-0", ["n", "2"]]], []]"#
    );
    bench.run("XDEL s 3-0");
    assert_eq!(
        bench.show("XAUTOCLAIM s g alice 0 3-0"),
        r#"["0-0", [], ["3-0"]]"#
    );
    assert_eq!(
        bench.show("XREADGROUP GROUP g bob STREAMS s 0"),
        r#"[["s", [["2-0", ["n", "2"]]]]]"#
    );
    assert_eq!(bench.show("XGROUP DELCONSUMER s g bob"), "1");
    assert_eq!(bench.show("XPENDING s g"), "[0, nil, nil, nil]");
}

#[test]
fn references_decide_what_goes() {
    let mut bench = Bench::redis();
    for n in 1..=3 {
        bench.run(&format!("XADD s {n}-0 n {n}"));
    }
    bench.run("XGROUP CREATE s g 0");
    bench.run("XREADGROUP GROUP g c STREAMS s >");
    assert_eq!(bench.show("XDELEX s ACKED IDS 2 1-0 9-9"), "[2, 2]");
    assert_eq!(bench.show("XACKDEL s g ACKED IDS 1 1-0"), "[1]");
    assert_eq!(bench.show("XDELEX s DELREF IDS 2 2-0 9-9"), "[1, -1]");
    assert_eq!(bench.show("XDELEX s KEEPREF IDS 1 3-0"), "[1]");
    assert_eq!(
        bench.show("XPENDING s g"),
        r#"[1, "3-0", "3-0", [["c", "1"]]]"#
    );
}

#[test]
fn trimming_by_nodes_leaves_what_redis_leaves() {
    let mut redis = Bench::redis();
    let mut upstash = Bench::new(Dialect::REDIS.with(Quirk::NearExactTrim, true));
    for n in 1..=250 {
        for bench in [&mut redis, &mut upstash] {
            bench.run(&format!("XADD s {n}-0 n {n}"));
        }
    }
    assert_eq!(redis.show("XTRIM s MAXLEN ~ 30"), "200");
    assert_eq!(upstash.show("XTRIM s MAXLEN ~ 30"), "220");
    assert_eq!(redis.show("XTRIM s MAXLEN 30"), "20");
}

#[test]
fn upstash_knows_a_consumer_only_once_something_is_pending() {
    for (quirk, consumers) in [(false, 1), (true, 0)] {
        let mut bench = Bench::new(Dialect::REDIS.with(Quirk::NoackConsumer, quirk));
        bench.run("XADD s 1-0 a 1");
        bench.run("XGROUP CREATE s g 0");
        bench.run("XREADGROUP GROUP g c NOACK STREAMS s >");
        let shown = bench.show("XINFO GROUPS s");
        assert!(
            shown.contains(&format!("\"consumers\": {consumers}")),
            "{shown}"
        );
    }
}

#[test]
fn upstash_answers_nothing_for_consumers_of_a_missing_group() {
    let mut bench = Bench::new(Dialect::REDIS.with(Quirk::ConsumersOfMissingGroup, true));
    bench.run("XADD s 1-0 a 1");
    assert_eq!(bench.show("XINFO CONSUMERS s nobody"), "[]");
    let mut bench = Bench::redis();
    bench.run("XADD s 1-0 a 1");
    assert_eq!(
        bench.show("XINFO CONSUMERS s nobody"),
        "(error) NOGROUP No such consumer group 'nobody' for key name 's'"
    );
}

#[test]
fn upstash_limits_what_is_pending_for_a_consumer() {
    let mut bench = Bench::new(Dialect::REDIS.with(Quirk::PendingLimit, true));
    bench.run("XGROUP CREATE s g 0 MKSTREAM");
    for n in 1..=1020 {
        bench.run(&format!("XADD s {n}-0 n {n}"));
    }
    bench.run("XREADGROUP GROUP g c COUNT 990 STREAMS s >");
    assert_eq!(
        bench.show("XREADGROUP GROUP g c COUNT 20 STREAMS s >"),
        "(error) ERR XReadGroup is cancelled. Pending Entries List limit per consumer is about to be reached. Limit: 1000, Current PEL size: 990, Requested Read: 20, Key: s, Group: g, Consumer: c."
    );
    assert_ne!(
        bench.show("XREADGROUP GROUP g c COUNT 10 STREAMS s >"),
        "nil"
    );
}

#[test]
fn lag_is_known_as_long_as_nothing_ahead_was_deleted() {
    let mut bench = Bench::redis();
    for n in 1..=5 {
        bench.run(&format!("XADD s {n}-0 n {n}"));
    }
    bench.run("XGROUP CREATE s g 0");
    bench.run("XREADGROUP GROUP g c COUNT 2 STREAMS s >");
    let lag = |bench: &mut Bench| {
        let shown = bench.show("XINFO GROUPS s");
        shown
            .rsplit("\"lag\": ")
            .next()
            .unwrap_or_default()
            .to_owned()
    };
    assert_eq!(lag(&mut bench), "3}]");
    bench.run("XDEL s 4-0");
    assert_eq!(lag(&mut bench), "nil}]");
    bench.run("XREADGROUP GROUP g c STREAMS s >");
    assert_eq!(lag(&mut bench), "0}]");
}
