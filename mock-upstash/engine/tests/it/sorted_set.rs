//! Sorted sets.

use redis_engine::{Dialect, Protocol, Quirk, Reply};

use crate::testing::{Bench, show};

#[test]
fn members_are_ordered_by_score_then_by_bytes() {
    let mut bench = Bench::redis();
    assert_eq!(bench.show("ZADD z 2 b 1 c 2 a"), "3");
    assert_eq!(bench.show("ZRANGE z 0 -1"), r#"["c", "a", "b"]"#);
    assert_eq!(bench.show("ZRANK z b"), "2");
    assert_eq!(bench.show("ZREVRANK z b WITHSCORE"), "[0, 2.0]");
    assert_eq!(bench.show("ZRANK z missing WITHSCORE"), "nil");
    assert_eq!(
        bench.show("ZRANGE z (1 +inf BYSCORE REV"),
        "[]",
        "with REV the higher end comes first"
    );
    assert_eq!(
        bench.show("ZRANGE z +inf (1 BYSCORE REV LIMIT 1 5"),
        r#"["a"]"#
    );
}

#[test]
fn options_of_zadd_decide_what_changes() {
    let mut bench = Bench::redis();
    bench.run("ZADD z 5 a");
    assert_eq!(bench.show("ZADD z NX 9 a 1 b"), "1");
    assert_eq!(bench.show("ZADD z XX CH 6 a 1 c"), "1");
    assert_eq!(bench.show("ZADD z GT CH 3 a 2 b"), "1");
    assert_eq!(bench.show("ZADD z LT INCR 1 a"), "nil");
    assert_eq!(bench.show("ZADD z INCR 1 a"), "7.0");
    bench.run("ZADD z inf x");
    assert_eq!(
        bench.show("ZINCRBY z -inf x"),
        "(error) ERR resulting score is not a number (NaN)"
    );
}

#[test]
fn aggregates_and_weights_are_heeded() {
    let mut bench = Bench::redis();
    bench.run("ZADD a 1 x 5 y");
    bench.run("ZADD b 10 x 7 z");
    bench.run("SADD s x y");
    assert_eq!(
        bench.show("ZUNION 2 a b WEIGHTS 2 1 WITHSCORES"),
        r#"["z", 7.0, "y", 10.0, "x", 12.0]"#
    );
    assert_eq!(
        bench.show("ZINTER 2 a b AGGREGATE MAX WITHSCORES"),
        r#"["x", 10.0]"#
    );
    assert_eq!(
        bench.show("ZUNION 3 a b s WEIGHTS 2 3 4 AGGREGATE COUNT WITHSCORES"),
        r#"["z", 3.0, "y", 6.0, "x", 9.0]"#
    );
    assert_eq!(bench.show("ZDIFFSTORE d 2 a b"), "1");
    assert_eq!(bench.show("ZINTERCARD 2 a b"), "1");
    assert_eq!(bench.show("ZDIFFSTORE d 2 a a"), "0");
    assert_eq!(bench.show("ZCARD d"), "0");
}

#[test]
fn a_limit_by_rank_is_upstash_alone() {
    let mut bench = Bench::redis();
    bench.run("ZADD z 1 a 2 b 3 c");
    assert_eq!(
        bench.show("ZRANGE z 0 -1 LIMIT 1 1"),
        "(error) ERR syntax error, LIMIT is only supported in combination with either BYSCORE or BYLEX"
    );
    let mut bench = Bench::new(Dialect::REDIS.with(Quirk::RangeLimit, true));
    bench.run("ZADD z 1 a 2 b 3 c");
    assert_eq!(bench.show("ZRANGE z 0 -1 LIMIT 1 1"), r#"["b"]"#);
    assert_eq!(bench.show("ZRANGESTORE d z 0 -1 REV LIMIT 0 1"), "1");
    assert_eq!(bench.show("ZRANGE d 0 -1"), r#"["c"]"#);
}

#[test]
fn scores_nest_in_resp3_where_redis_nests_them() {
    for (quirk, popped) in [(false, r#"[["a", 1.0]]"#), (true, r#"["a", 1.0]"#)] {
        let mut bench = Bench::new(Dialect::REDIS.with(Quirk::Resp3Forms, quirk));
        let client = bench.client;
        bench.engine.session_mut(client).protocol = Protocol::Resp3;
        bench.run("ZADD z 1 a 2 b 3 c");
        assert_eq!(bench.show("ZPOPMIN z 1"), popped);
        assert_eq!(bench.show("ZPOPMAX z"), r#"["c", 3.0]"#);
        assert_eq!(bench.show("ZRANGE z 0 -1 WITHSCORES"), r#"[["b", 2.0]]"#);
    }
}

/// Against the plainest model there is: a vector that is sorted anew after every change.
#[test]
fn a_large_set_stays_in_order_through_many_changes() {
    let mut bench = Bench::redis();
    let mut model: Vec<(i64, String)> = Vec::new();
    let mut state = 1u64;
    let mut next = |below: u64| {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1);
        (state >> 33) % below
    };
    for step in 0..4000 {
        let member = format!("m{}", next(700));
        model.retain(|(_, known)| *known != member);
        if next(3) == 0 {
            bench.run(&format!("ZREM z {member}"));
        } else {
            let score = next(50) as i64 - 25;
            bench.run(&format!("ZADD z {score} {member}"));
            model.push((score, member));
        }
        if step % 100 != 0 {
            continue;
        }
        model.sort();
        let expected: Vec<_> = model.iter().map(|(_, member)| member).collect();
        assert_eq!(bench.run("ZRANGE z 0 -1"), Reply::bulks(&expected));
        let reversed = expected.iter().rev();
        assert_eq!(bench.run("ZREVRANGE z 0 -1"), Reply::bulks(reversed));
        for (rank, member) in expected.iter().enumerate().step_by(37) {
            assert_eq!(bench.run(&format!("ZRANK z {member}")), Reply::count(rank));
            assert_eq!(
                bench.run(&format!("ZRANGE z {rank} {rank}")),
                Reply::bulks([member])
            );
        }
        let within = model.iter().filter(|(s, _)| (-3..7).contains(s)).count();
        assert_eq!(bench.run("ZCOUNT z -3 (7"), Reply::count(within));
    }
    assert!(model.len() > 300);
}

#[test]
fn doubles_are_written_as_redis_writes_them() {
    let mut bench = Bench::redis();
    // Measured on redis-server 8.10; the last ones are where Grisu2 is not the shortest.
    let cases = [
        ("1e15", "1000000000000000"),
        ("1e20", "1e+20"),
        ("1e-7", "1e-7"),
        ("0.00001", "0.00001"),
        ("123456789012345680000", "123456789012345680000"),
        ("46.03271924396768", "46.032719243967676"),
        ("1e23", "99999999999999990000000"),
        ("-846.40231", "-846.4023100000001"),
    ];
    for (score, shown) in cases {
        bench.run(&format!("ZADD z {score} m"));
        let Reply::Double(value) = bench.run("ZSCORE z m") else {
            panic!("ZSCORE answers a double");
        };
        assert_eq!(redis_engine::number::format_double(value), shown);
    }
}

#[test]
fn the_end_of_a_score_range_ends_at_a_zero_byte() {
    let mut bench = Bench::redis();
    bench.run("ZADD z -1 a 0 b 1 c");
    let reply = bench.run_args(&[b"ZRANGEBYSCORE", b"z", b"\0", b"(1\0x"]);
    assert_eq!(show(&reply), r#"["b"]"#);
}
